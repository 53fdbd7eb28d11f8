"""Rows of a CSV file through the one door: the same rules as typing them, all of the file or nothing.

One file per form. A line names its page by `subject`, `visit` (`UNS.2` is the second) and `repeat`, then gives items
under their own names, with `<item>_unit` and `<item>_missing` beside them. Lines of one page that differ only in the
items of a repeating section are its rows. A page that exists is only changed where the line names, in `revision`, the
revision it was made upon. What a page holds already is left as it is: sending a file again stores nothing.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.capture.save import form_at, hold, save
from app.core.errors import Fault, NotFound, Refusal, Stale, Unreadable
from app.core.problems import taken
from app.core.words import Reason
from app.exchange.csv_lines import MOST_FAULTS, lines_of
from app.forms import answers as reading
from app.forms.definition import Form, ItemType, Phase
from app.models.capture import RecordStatus
from app.study.library import build_of, newest
from app.study.sites import site_of
from app.subjects import enrol
from app.subjects.address import step
from app.subjects.facts import Place

_OWN = ("subject", "visit", "repeat", "revision", "complete", "reason", "row")
_OF_A_PAGE = ("complete", "revision", "reason")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_REPEATS, _ROWS = 9999, 1_000_000


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

    `visit` stands for an absent visit column. The subjects are those of the site `enrol_at`, and created there where
    they are not there yet: hospitals number alike, and nobody is to be taken for a patient of another one. `rename`
    gives columns of the file the names of items; columns in `ignore` are left out knowingly. Any other unknown column
    is refused.
    """
    require(actor, Permission.IMPORT, study_id)
    reason = None if reason is None else taken(Reason, reason, "reason")
    forms = _in_force(session, study_id, form_id)
    if enrol_at is not None:
        require(actor, Permission.IMPORT, study_id, enrol_at)
        if site_of(session, study_id, enrol_at) is None:
            raise absent(actor, Permission.IMPORT, study_id)
    lines, columns = lines_of(body, rename or {}, ignore)
    _known_columns(forms.values(), columns)
    report = Report(import_id=str(uuid4()), lines=len(lines))
    digest = sha256(body).hexdigest()
    faults: list[Fault] = []
    trace = None
    subjects, there = _known(session, study_id, form_id)

    def form(number: str) -> Form:
        """As it is in force where the subject is, or will be."""
        return forms.get(subjects.get(number, enrol_at)) or next(iter(forms.values()))

    for page in _pages(form, lines, visit, faults):
        try:
            if enrol_at is not None and page.subject not in subjects:
                enrol.create(session, actor, study_id, enrol_at, number=page.subject)
                subjects[page.subject] = enrol_at
                report.subjects += 1
            at = subjects.get(page.subject, enrol_at)
            if enrol_at not in {None, at} and at is not None and _sees(actor, study_id, at):
                faults.append(_of_another_site(page))
                continue  # of a site out of sight the door itself says that there is nobody
            origin = {"import": report.import_id, "line": page.line, "file_sha256": digest}
            _store(session, actor, study_id, page, reason, origin, report, there=(page.subject, page.place) in there)
        except Refusal as refused:
            faults.extend(_faults(page, refused))
            trace = trace or refused.trace
    if faults:
        faults.sort(key=lambda fault: int(fault.pointer.split("/")[2]))  # /lines/<number>/…
        count = len(faults)
        shown = "" if count <= MOST_FAULTS else f"; the first {MOST_FAULTS} are shown"
        raise Unreadable(
            f"Nothing was stored: {count} faults in the file{shown}. Correct the lines and send the whole file again",
            errors=faults[:MOST_FAULTS],
            trace=trace,
        )
    return report


def _in_force(session: Session, study_id: str, form_id: str) -> dict[str | None, Form]:
    """The form by site, in the version that the site works with. Raises NotFound where no site has it."""
    site = models.site
    newest(session, study_id)
    rows = session.execute(select(site.c.site_id, site.c.version).where(site.c.study_id == study_id))
    builds = ((row.site_id, build_of(session, study_id, row.version)) for row in rows)
    found: dict[str | None, Form] = {key: build.forms[form_id] for key, build in builds if form_id in build.forms}
    if not found:
        raise NotFound("The study has no such form")
    return found


def _sees(actor: Actor, study_id: str, site_id: str) -> bool:
    within = sites(actor, study_id, Permission.IMPORT)
    return within is None or site_id in within


def _of_another_site(page: _Page) -> Fault:
    return Fault(
        f"/lines/{page.line}/subject",
        "other-site",
        "The subject of this number belongs to another site",
        "Numbers are unique in a study: put the site before them, or name no site where the subjects are there already",
    )


def _known(session: Session, study_id: str, form_id: str) -> tuple[dict[str, str], set[tuple[str, Place]]]:
    """The subjects there are with their sites, and the pages of the form: what is new is not asked line by line."""
    subject, record = models.subject, models.record
    subjects = session.execute(select(subject.c.subject_id, subject.c.site_id).where(subject.c.study_id == study_id))
    pages = session.execute(
        select(record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat).where(
            record.c.study_id == study_id, record.c.form_id == form_id
        )
    )
    return {row.subject_id: row.site_id for row in subjects}, {(row[0], Place(*row[1:])) for row in pages}


def _known_columns(forms: Collection[Form], columns: Sequence[str]) -> None:
    allowed = set(_OWN) if any(form.row_sections for form in forms) else set(_OWN) - {"row"}
    for item in {item.id: item for form in forms for item in form.items}.values():
        if item.type is not ItemType.COMPUTED:
            allowed |= {item.id, f"{item.id}_unit", f"{item.id}_missing"}
    faults = [
        _unknown(place, name if "subject" in columns else "")  # a file without a header begins with somebody's data
        for place, name in enumerate(columns, start=1)
        if name not in allowed
    ]
    if "subject" not in columns:
        faults.append(Fault("/header/subject", "missing-column", "There is no column `subject`", "Name the subjects"))
    if len(set(columns)) != len(columns):
        faults.append(Fault("/header", "twice", "A column is there twice", "Keep one of them"))
    if faults:
        raise Unreadable("Nothing was stored: correct the header", errors=faults)


def _unknown(place: int, name: str) -> Fault:
    shown = name if _COLUMN.fullmatch(name) else ""
    return Fault(
        f"/header/{shown or place}",
        "unknown-column",
        f"The form has no item {shown}" if shown else f"Column {place} names no item of the form",
        "Give it the name of an item, or leave it out; `marrow import` does so by --rename and --ignore",
    )


def _pages(
    form_of: Callable[[str], Form], lines: Sequence[dict[str, str]], visit: str | None, faults: list[Fault]
) -> Iterator[_Page]:
    """The pages of the file in the order of their first lines; a line that names no page becomes a fault."""
    pages: dict[tuple[str, Place], _Page] = {}
    for cells in lines:
        line, form = int(cells[""]), form_of(cells["subject"])
        try:
            place = _place(form, cells, visit)
        except NotFound as refused:
            faults.append(Fault(f"/lines/{line}", "address", refused.detail, "Give subject, visit and repeat"))
            continue
        key = (cells["subject"], place)
        page = pages.get(key)
        if page is None:
            page = pages[key] = _Page(line, cells["subject"], place, cells)
            page.answers |= {item.id: answer for item, answer in _answers(form, cells, rows=False)}
        elif form.row_sections:
            faults += _differing(form, page, cells)
        else:
            remedy = "Number them in `repeat`" if form.repeating else "Keep one of them: this form does not repeat"
            faults.append(Fault(f"/lines/{line}", "twice", f"Line {page.line} is of the same page", remedy))
        for name in _elsewhere(form, cells):
            told = f"{name} is no item of version {form.version}, with which the subject's site works"
            faults.append(Fault(f"/lines/{line}/{name}", "unknown-item", told, "Empty the cell"))
        if not _add_rows(form, page, cells):
            faults.append(Fault(f"/lines/{line}/row", "row", f"The row is a whole number from 1 to {_ROWS}, used once"))
    yield from pages.values()


def _differing(form: Form, page: _Page, cells: Mapping[str, str]) -> Iterator[Fault]:
    """Where a further line of a page says something else of what the page has once."""
    said = [item.id for item, answer in _answers(form, cells, rows=False) if page.answers.get(item.id) != answer]
    said += [name for name in _OF_A_PAGE if cells.get(name) and cells[name] != page.own.get(name)]
    told = f"Line {page.line} of the same page says something else"
    remedy = "Say it alike in every line of a page" + ("; or number the pages in `repeat`" if form.repeating else "")
    yield from (Fault(f"/lines/{cells['']}/{name}", "differs", told, remedy) for name in said)


def _place(form: Form, cells: Mapping[str, str], visit: str | None) -> Place:
    """The page that a line speaks of. Raises NotFound."""
    if not enrol.NUMBER.fullmatch(cells["subject"]):
        raise NotFound(
            "A subject's number has 1 to 32 letters, digits or any of . _ - and begins with a letter or digit"
        )
    if not (cells.get("visit") or visit):
        raise NotFound("The line names no visit; give the file a column `visit`, or name one for the whole file")
    at = step(cells.get("visit") or visit or "")
    repeat = _whole(cells.get("repeat") or "1", _REPEATS)
    if repeat is None:
        raise NotFound("The repeat is a whole number from 1")
    return Place(at.name, at.repeat, form.form, repeat)


def _whole(text: str, most: int) -> int | None:
    """A whole number from 1 to `most`, or None."""
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return int(text) if plain and 1 <= int(text) <= most else None


def _add_rows(form: Form, page: _Page, cells: Mapping[str, str]) -> bool:
    """Add what a line holds of repeating sections; lines without a row number are numbered as they come."""
    given: dict[str, dict[str, Any]] = {}
    for item, answer in _answers(form, cells, rows=True):
        given.setdefault(form.section_of(item.id).id, {})[item.id] = answer
    for section, row in given.items():
        rows = page.answers.setdefault(section, [])
        used = {each["row"] for each in rows}
        stated = cells.get("row") or ""
        number = _whole(stated, _ROWS) if stated else max(used, default=0) + 1
        if number is None or number in used:
            return False
        rows.append({"row": number} | row)
    return True


def _elsewhere(form: Form, cells: Mapping[str, str]) -> Iterator[str]:
    """Filled cells of items that only another version of the form in force has."""
    own = {item.id + suffix for item in form.items for suffix in ("", "_unit", "_missing")} | {*_OWN, ""}
    yield from (name for name, cell in cells.items() if cell and name not in own)


def _answers(form: Form, cells: Mapping[str, str], *, rows: bool) -> Iterator[tuple[Any, Any]]:
    """What a line says of the items that stand on the page itself, or in its rows; the form engine reads it."""
    for item in form.items:
        if form.section_of(item.id).repeating is not rows or item.type is ItemType.COMPUTED:
            continue
        value, unit, missing = (cells.get(item.id + suffix) or None for suffix in ("", "_unit", "_missing"))
        if value is None and unit in {item.unit, *item.units}:
            unit = None  # a laboratory fills its column of units also where there is no value
        elif value is not None and unit is None:
            unit = item.unit  # said, because a page that is there may be kept in a version with another one
        said = {"value": value, "unit": unit, "missing": missing}
        given: dict[str, Any] = {name: each for name, each in said.items() if each is not None}
        if value is not None and item.type is ItemType.MULTIPLE:
            given["value"] = value.split("|")
        if given:
            yield item, given["value"] if given.keys() == {"value"} else given


def _store(
    session: Session,
    actor: Actor,
    study_id: str,
    page: _Page,
    reason: str | None,
    origin: Mapping[str, Any],
    report: Report,
    *,
    there: bool,
) -> None:
    said = page.own.get("complete") or "Y"
    if said not in {"Y", "N"}:
        raise Unreadable("`complete` is Y or N")
    stated = page.own.get("revision")
    seen = _whole(stated, _ROWS) if stated else 0
    if seen is None:
        raise Unreadable("The revision is a whole number from 1")
    if there:
        book = hold(session, actor, Permission.IMPORT, study_id, page.subject)
        held = book.pages[page.place]
        read = reading.read(form_at(session, book.build, page.place, held), page.answers, previous=held.answers)
        status = RecordStatus.COMPLETE if said == "Y" else RecordStatus.INCOMPLETE
        if not read.problems and read.answers == held.answers and held.status == status:
            report.unchanged += 1
            return
        if not stated:
            raise Stale("The page is there already with other values; name in `revision` the one you have seen")
    saved = save(
        session,
        actor,
        study_id,
        page.subject,
        page.place,
        page.answers,
        expected=seen,
        complete=said == "Y",
        reason=page.own.get("reason") or reason,
        origin=origin,
        permission=Permission.IMPORT,
        phase=Phase.IMPORT,
    )
    if saved.created:
        report.created += 1
    else:
        report.changed += 1


def _faults(page: _Page, refused: Refusal) -> list[Fault]:
    at = f"/lines/{page.line}"
    if isinstance(refused, NotFound) and refused.trace is not None:  # there is none, or none at the caller's sites
        remedy = "Correct the number, or name a site, at which subjects that are not there yet are created"
        return [Fault(at, refused.code, "There is no such subject in sight", remedy)]
    if not refused.errors:
        choices = "; ".join(
            f"{name}: {', '.join(some)}" for name, some in refused.members.items() if isinstance(some, list)
        )
        return [Fault(at, refused.code, refused.detail, choices and f"Known are {choices}")]
    return [
        Fault(f"{at}{each.pointer.removeprefix('/answers')}", each.code, each.message, each.remedy, each.item, each.row)
        for each in refused.errors
    ]
