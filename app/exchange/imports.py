"""Rows of a CSV file through the one door: the same rules as typing them, all of the file or nothing.

One file per form. A line names its page by `subject`, `visit` (`UNS.2` is the second) and `repeat`, then gives items
under their own names, with `<item>_unit` and `<item>_missing` beside them. Lines of one page that differ only in the
items of a repeating section are its rows. A page that exists is only changed where the line names, in `revision`, the
revision it was made upon; sending a file again therefore stores nothing.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.capture.save import hold, save
from app.core.errors import Fault, NotFound, Refusal, Stale, Unreadable
from app.forms.definition import Form, ItemType
from app.study.library import newest
from app.subjects import enrol
from app.subjects.address import step
from app.subjects.facts import Place

_OWN = ("subject", "visit", "repeat", "revision", "complete", "reason", "row")
_MOST_FAULTS = 200


@dataclass(slots=True)
class Report:
    """What an import did: pages created, changed and left as they were, and its key in the trail."""

    import_id: str
    lines: int = 0
    subjects: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class _Page:
    """The lines of one page, put together."""

    line: int
    subject: str
    place: Place
    own: Mapping[str, str]
    answers: dict[str, Any] = field(default_factory=dict)


def import_csv(
    session: Session,
    actor: Actor,
    study_id: str,
    form_id: str,
    body: bytes,
    *,
    visit: str | None = None,
    enrol_at: str | None = None,
    reason: str | None = None,
    rename: Mapping[str, str] | None = None,
    ignore: Sequence[str] = (),
) -> Report:
    """Store every page of a CSV file, or none: each line that cannot be stored is named with its column.

    `visit` stands for an absent visit column; `enrol_at` creates subjects that are not there yet at that site;
    `rename` gives columns of the file the names of items; columns in `ignore` are left out knowingly. Any other
    unknown column is refused.
    """
    require(actor, Permission.IMPORT, study_id)
    build = newest(session, study_id)
    if form_id not in build.forms:
        raise NotFound("The study has no such form")
    form = build.forms[form_id]
    lines, columns = _lines(body, rename or {})
    _known_columns(form, columns, ignore)
    report = Report(import_id=str(uuid4()), lines=len(lines))
    digest = sha256(body).hexdigest()
    faults: list[Fault] = []
    known: set[str] = set()
    for page in _pages(form, lines, visit, faults):
        try:
            if enrol_at is not None and page.subject not in known:
                report.subjects += _enrol(session, actor, study_id, page.subject, enrol_at)
                known.add(page.subject)
            origin = {"import": report.import_id, "line": page.line, "file_sha256": digest}
            _store(session, actor, study_id, page, reason, origin, report)
        except Refusal as refused:
            faults.extend(_faults(page, refused))
    if faults:
        count = len(faults)
        shown = "" if count <= _MOST_FAULTS else f"; the first {_MOST_FAULTS} are shown"
        raise Unreadable(
            f"Nothing was stored: {count} faults in the file{shown}. Correct the lines and send the whole file again",
            errors=faults[:_MOST_FAULTS],
        )
    return report


def _lines(body: bytes, rename: Mapping[str, str]) -> tuple[list[dict[str, str]], list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8; save it as CSV UTF-8") from None
    if "\0" in text:
        raise Unreadable("The file holds a NUL character; save it as plain CSV")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [rename.get(name.strip(), name.strip()) for name in next(reader, [])]
        lines = []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(columns):
                raise Unreadable(
                    "Nothing was stored: a line has another number of cells than the header",
                    errors=[
                        Fault(f"/lines/{reader.line_num}", "cells", "Not as many cells as columns", "Quote commas")
                    ],
                )
            lines.append(dict(zip(columns, (cell.strip() for cell in cells), strict=True)) | {"": str(reader.line_num)})
    except csv.Error as fault:
        raise Unreadable(f"The file is no CSV at line {reader.line_num}: {fault}") from None
    return lines, columns


def _known_columns(form: Form, columns: Sequence[str], ignore: Sequence[str]) -> None:
    allowed = set(_OWN) | set(ignore)
    for item in form.items:
        if item.type is not ItemType.COMPUTED:
            allowed |= {item.id, f"{item.id}_unit", f"{item.id}_missing"}
    unknown = [name for name in columns if name not in allowed]
    faults = [
        Fault(
            f"/header/{name}", "unknown-column", f"The form has no item {name!r}", "Rename it, or list it in `ignore`"
        )
        for name in unknown
    ]
    if "subject" not in columns:
        faults.append(Fault("/header/subject", "missing-column", "There is no column `subject`", "Name the subjects"))
    if len(set(columns)) != len(columns):
        faults.append(Fault("/header", "twice", "A column is there twice", "Keep one of them"))
    if faults:
        raise Unreadable("Nothing was stored: correct the header", errors=faults)


def _pages(form: Form, lines: Sequence[dict[str, str]], visit: str | None, faults: list[Fault]) -> Iterator[_Page]:
    """The pages of the file in the order of their first lines; a line that names no page becomes a fault."""
    pages: dict[tuple[str, Place], _Page] = {}
    for cells in lines:
        line = int(cells[""])
        try:
            at = step(cells.get("visit") or visit or "")
            repeat = cells.get("repeat") or "1"
            if not (repeat.isascii() and repeat.isdigit() and 1 <= int(repeat) <= 9999):  # noqa: PLR2004
                raise NotFound("The repeat is a whole number from 1")
        except NotFound as refused:
            faults.append(Fault(f"/lines/{line}", "address", refused.detail, "Give subject, visit and repeat"))
            continue
        place = Place(at.name, at.repeat, form.form, int(repeat))
        key = (cells["subject"], place)
        page = pages.get(key)
        if page is None:
            page = pages[key] = _Page(line, cells["subject"], place, cells)
            page.answers |= {item.id: answer for item, answer in _answers(form, cells, rows=False)}
        elif not form.row_sections or any(
            page.answers.get(item.id) != answer for item, answer in _answers(form, cells, rows=False)
        ):
            faults.append(
                Fault(f"/lines/{line}", "twice", f"Line {page.line} is of the same page", "Number them in `repeat`")
            )
        for section in form.row_sections.values():
            row = {item.id: answer for item, answer in _answers(form, cells, rows=True) if item in section.items}
            if row:
                number = cells.get("row") or ""
                page.answers.setdefault(section.id, []).append(
                    ({"row": int(number)} if number.isascii() and number.isdigit() else {}) | row
                )
    yield from pages.values()


def _answers(form: Form, cells: Mapping[str, str], *, rows: bool) -> Iterator[tuple[Any, Any]]:
    for item in form.items:
        if form.section_of(item.id).repeating is not rows or item.type is ItemType.COMPUTED:
            continue
        value, unit, missing = (cells.get(item.id + suffix) or None for suffix in ("", "_unit", "_missing"))
        if value is None and missing is None:
            continue
        answer: Any = value
        if item.type is ItemType.MULTIPLE and value is not None:
            answer = value.split("|")
        elif item.type is ItemType.INTEGER and value is not None and value.lstrip("-").isdigit() and value.isascii():
            answer = int(value)
        if missing is not None:
            answer = {"missing": missing} if value is None else {"missing": missing, "value": answer}
        elif unit is not None:
            answer = {"value": answer, "unit": unit}
        yield item, answer


def _enrol(session: Session, actor: Actor, study_id: str, subject: str, site: str) -> int:
    if enrol.lock(session, study_id, subject) is not None:
        return 0
    enrol.create(session, actor, study_id, site, number=subject)
    return 1


def _store(
    session: Session,
    actor: Actor,
    study_id: str,
    page: _Page,
    reason: str | None,
    origin: Mapping[str, Any],
    report: Report,
) -> None:
    stated = page.own.get("revision") or None
    if stated is not None and not (stated.isascii() and stated.isdigit()):
        raise Unreadable("The revision is a whole number")
    held = hold(session, actor, Permission.IMPORT, study_id, page.subject).pages.get(page.place)
    current = held.revision if held else 0
    saved = save(
        session,
        actor,
        study_id,
        page.subject,
        page.place,
        page.answers,
        expected=current if stated is None else int(stated),
        complete=(page.own.get("complete") or "Y") == "Y",
        reason=page.own.get("reason") or reason,
        origin=origin,
        permission=Permission.IMPORT,
    )
    if saved.stored and held is not None and stated is None:
        raise Stale("The page is there already with other values; name in `revision` the one you have seen")
    if not saved.stored:
        report.unchanged += 1
    elif saved.created:
        report.created += 1
    else:
        report.changed += 1


def _faults(page: _Page, refused: Refusal) -> list[Fault]:
    at = f"/lines/{page.line}"
    if not refused.errors:
        return [Fault(at, refused.code, refused.detail)]
    return [
        Fault(f"{at}{each.pointer.removeprefix('/answers')}", each.code, each.message, each.remedy, each.item, each.row)
        for each in refused.errors
    ]
