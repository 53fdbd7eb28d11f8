"""Limits of normal from a CSV file: the whole table of a site, which then holds in the place of the one before."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require
from app.access.permissions import Permission
from app.audit import change
from app.capture.anew.derive import anew
from app.clinical.rules.inputs import decimal_of
from app.core.errors import Fault, NotFound, Unreadable
from app.core.problems import taken
from app.core.transaction import keep_apart
from app.core.words import Reason
from app.exchange.csv_lines import lines_of
from app.forms.definition import Item
from app.quality import locks
from app.study.library import Build, build_of
from app.study.sites import site_of
from app.subjects.ranges import KEPT_RANGES, Range, lines_of_import

COLUMNS = (
    "laboratory", "analyte", "unit", "sex", "age_from", "age_to", "valid_from", "valid_to", "low", "high",
)  # fmt: skip
_OLDEST = 150
_AGE = re.compile("[0-9]{1,3}")


def import_ranges(session: Session, actor: Actor, study_id: str, site_id: str, body: bytes, *, reason: str) -> int:
    """Store a table of limits of normal and work out every subject of the site by it; how many lines it has.

    All of the file or nothing: Unreadable names each line that cannot be used. Raises NotFound, Forbidden and Locked.
    """
    require(actor, Permission.RANGE_WRITE, study_id, site_id)
    locks.assert_site_open(session, study_id, site_id)
    site = site_of(session, study_id, site_id, held=True)
    if site is None:
        raise absent(actor, Permission.RANGE_WRITE, study_id)
    reason = taken(Reason, reason, "reason")
    lines, columns = lines_of(body, {})
    if set(columns) != set(COLUMNS) or len(columns) != len(COLUMNS):
        told = Fault("/header", "columns", "The columns are not those of limits of normal", f"Use {', '.join(COLUMNS)}")
        raise Unreadable("Nothing was stored: correct the header", errors=[told])
    faults: list[Fault] = []
    items = _items(build_of(session, study_id, site["version"]))
    found = [(int(cells[""]), each) for cells in lines if (each := _range(cells, items, faults)) is not None]
    faults += _overlaps(found)
    if faults:
        raise Unreadable("Nothing was stored: correct these lines", errors=sorted(faults, key=_line)[:200])
    number = (site["ranges"] or 0) + 1
    with change(session, study_id, by=actor, action="ranges.import", reason=reason, zone=site["zone"]) as made:
        made.site_id = site_id
        made.detail |= {"number": number, "lines": len(found)}
        key = {"study_id": study_id, "site_id": site_id, "number": number, "change_id": made.change_id}
        made.insert(models.reference_range, *(key | _row(line, each) for line, each in found))
        made.update(models.site, site, ranges=number)
    keep_apart(session, KEPT_RANGES)
    anew(session, actor, study_id, frozenset({site_id}), store=True, reason=reason)
    return len(found)


def list_ranges(
    session: Session, actor: Actor, study_id: str, site_id: str, *, number: int | None = None
) -> dict[str, Any]:
    """The table that holds at a site, or an earlier one by its number. Raises NotFound and Forbidden."""
    require(actor, Permission.RANGE_READ, study_id, site_id)
    site = site_of(session, study_id, site_id)
    if site is None:
        raise absent(actor, Permission.RANGE_READ, study_id)
    wanted = site["ranges"] if number is None else number
    items = [{name: row[name] for name in COLUMNS} for row in lines_of_import(session, study_id, site_id, wanted)]
    if number is not None and not items:
        raise NotFound("There was no such import of limits of normal")
    return {"number": wanted, "in_force": site["ranges"], "items": items}


def _items(build: Build) -> dict[str, list[Item]]:
    """The items whose limits are asked for, by analyte: their units are the ones that can be used."""
    found: dict[str, list[Item]] = {}
    for form in build.forms.values():
        for calculation in form.calculations:
            if calculation.range is not None:
                found.setdefault(calculation.range.analyte, []).append(form.item(calculation.range.value))
    return found


def _range(cells: Mapping[str, str], items: Mapping[str, Sequence[Item]], faults: list[Fault]) -> Range | None:
    """A line as limits of normal, or None with what is wrong with it."""
    values: dict[str, Any] = {name: read(cells[name]) if cells[name] else None for name, read in _READERS.items()}
    wrong = [*_unknown(cells, items), *_unread(cells, values)]
    if values["low"] is None and values["high"] is None:
        wrong.append(("low", "There is neither a lower nor an upper limit", "Give one of them, or both"))
    for low, high in (("age_from", "age_to"), ("valid_from", "valid_to"), ("low", "high")):
        least, most = values[low], values[high]
        if least is not None and most is not None and least > most:
            wrong.append((high, "The end lies before the beginning", "Put them the right way round"))
    faults += (Fault(f"/lines/{cells['']}/{column}", "range", said, remedy) for column, said, remedy in wrong)
    if wrong:
        return None
    return Range(cells["analyte"], cells["laboratory"], cells["unit"], cells["sex"] or None, **values)


def _unknown(cells: Mapping[str, str], items: Mapping[str, Sequence[Item]]) -> Iterator[tuple[str, str, str]]:
    known = items.get(cells["analyte"], ())
    if not known:
        yield "analyte", "No page of the study asks for limits of this analyte", f"Use {', '.join(sorted(items))}"
    elif not all(item.factor(cells["unit"]) for item in known):
        units = [unit for unit in (known[0].unit, *known[0].units) if unit]
        yield "unit", "The analyte is not taken in this unit", f"Use {', '.join(units)}"
    if cells["sex"] not in {"", "M", "F"}:
        yield "sex", "This is neither M nor F", "Leave it empty where the limits hold for both"


def _unread(cells: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in values.items():
        if cells[name] and value is None:
            yield name, "This cannot be read", "Write completed years, days as YYYY-MM-DD, plain numbers"


def _age(text: str) -> int | None:
    return int(text) if _AGE.fullmatch(text) and int(text) <= _OLDEST else None


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == len("YYYY-MM-DD") else None
    except ValueError:
        return None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "age_from": _age,
    "age_to": _age,
    "valid_from": _day,
    "valid_to": _day,
    "low": decimal_of,
    "high": decimal_of,
}


def _overlaps(found: Sequence[tuple[int, Range]]) -> Iterator[Fault]:
    """Two lines that would both hold for somebody on some day: nobody could say which is meant."""
    by_analyte: dict[tuple[str, str], list[tuple[int, Range]]] = {}
    for line, each in found:
        others = by_analyte.setdefault((each.analyte, each.laboratory), [])
        for other, before in others:
            if each.meets(before):
                told = f"Line {other} holds for the same people and days"
                yield Fault(f"/lines/{line}/analyte", "overlap", told, "Part them by sex, age or days")
        others.append((line, each))


def _line(fault: Fault) -> int:
    return int(fault.pointer.split("/")[2])


def _row(line: int, each: Range) -> dict[str, Any]:
    limits = {
        name: None if value is None else format(value, "f") for name, value in (("low", each.low), ("high", each.high))
    }
    return each._asdict() | limits | {"line": line}
