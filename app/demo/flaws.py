"""A few imperfections, so that there are questions, corrections and struck pages to see. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from app.demo.course import Course, after
from app.forms.definition import Form
from app.subjects.facts import Place

if TYPE_CHECKING:
    from app.demo.pages import Entry


IN_BLOOD = frozenset({"odd unit", "soft limit", "not done", "corrected", "wrong page", "incomplete"})
"""The flaws that are found on a page of blood counts."""


def spoilt(entries: "list[Entry]", course: Course, forms: Mapping[str, Form]) -> "list[Entry]":
    """The entries of a course with its flaws in them. Partial dates are in the pages already."""
    entries = list(entries)
    for flaw in sorted(course.flaws):
        if flaw in _SPOIL:
            _SPOIL[flaw](entries)
    _resolved(entries, course, forms)
    return entries


def _last(entries: "list[Entry]", form: str, item: str) -> int | None:
    found = [number for number, entry in enumerate(entries) if entry.place.form == form and item in entry.answers]
    return found[-1] if found else None


def _with(entry: "Entry", **answers: Any) -> "Entry":
    return replace(entry, answers={**entry.answers, **answers})


def _odd_unit(entries: "list[Entry]") -> None:
    """A haemoglobin in g/dL, kept as it was collected."""
    place = _last(entries, "haematology", "haemoglobin")
    if place is not None:
        entries[place] = _with(entries[place], haemoglobin={"value": "10.4", "unit": "g/dL"})


def _soft_limit(entries: "list[Entry]") -> None:
    """A haemoglobin typed in g/dL into a box of g/L: stored, and asked about."""
    place = _last(entries, "haematology", "haemoglobin")
    if place is not None:
        entries[place] = _with(entries[place], haemoglobin="10.4")


def _not_done(entries: "list[Entry]") -> None:
    place = _last(entries, "haematology", "platelets")
    if place is not None:
        entries[place] = _with(entries[place], platelets={"missing": "not_done"})


def _corrected(entries: "list[Entry]") -> None:
    """The same slip, found by the monitor and corrected."""
    place = _last(entries, "haematology", "haemoglobin")
    if place is not None:
        right = entries[place]
        entries[place] = _with(right, haemoglobin="11.2")
        entries.append(replace(_with(right, haemoglobin="112"), reason="Transcribed in g/dL; the source says 112 g/L"))


def _wrong_page(entries: "list[Entry]") -> None:
    """A page of another patient, struck."""
    place = _last(entries, "haematology", "haemoglobin")
    if place is None:
        return
    wrong = entries[place]
    visits = [entry.place.visit_repeat for entry in entries if entry.place.visit == "UNS"]
    at = Place("UNS", max(visits, default=0) + 1, "haematology", 1)
    entries.insert(place + 1, replace(wrong, place=at))
    entries.append(replace(wrong, place=at, void=True, reason="Entered under the wrong subject"))


def _incomplete(entries: "list[Entry]") -> None:
    """A page begun and left: the platelets are not in yet."""
    place = _last(entries, "haematology", "platelets")
    if place is not None:
        kept = {name: value for name, value in entries[place].answers.items() if name != "platelets"}
        entries[place] = replace(entries[place], answers=kept, complete=False)


def _other_response(entries: "list[Entry]") -> None:
    """A remission that the investigator calls incomplete, with counts that have recovered."""
    place = _last(entries, "response", "response")
    if place is not None and entries[place].answers["response"] == "CR":
        entries[place] = _with(entries[place], response="CRi")


def _late_report(entries: "list[Entry]") -> None:
    """A serious event that the sponsor heard of six days later."""
    for number, entry in enumerate(entries):
        if entry.place.form == "adverse_event" and (known := entry.answers.get("aware_date")):
            entries[number] = _with(entry, report_date=after(date.fromisoformat(known), 6).isoformat())
            return


def _unit_slip(entries: "list[Entry]") -> None:
    """A creatinine in mg/dL, typed into a box of umol/L."""
    place = _last(entries, "chemistry", "creatinine")
    if place is not None:
        entries[place] = _with(entries[place], creatinine="0.9")


def _no_limit(entries: "list[Entry]") -> None:
    """Nothing detected, by a test whose sensitivity nobody wrote down."""
    for number, entry in enumerate(entries):
        if entry.place.form == "mrd" and entry.answers.get("result") == "ND":
            entries[number] = _with(entry, lod_pct={"missing": "unknown"})
            return


_SPOIL: "Mapping[str, Callable[[list[Entry]], None]]" = {
    "odd unit": _odd_unit, "soft limit": _soft_limit, "not done": _not_done, "corrected": _corrected,
    "wrong page": _wrong_page, "incomplete": _incomplete, "other response": _other_response,
    "late report": _late_report, "unit slip": _unit_slip, "no limit": _no_limit,
}  # fmt: skip


def _resolved(entries: "list[Entry]", course: Course, forms: Mapping[str, Form]) -> None:
    """Every fourth patient's first adverse event was entered while it lasted, and completed when it was over."""
    if course.number % 4 or "adverse_event" not in forms:
        return
    for number, entry in enumerate(entries):
        if entry.place.form == "adverse_event" and entry.answers.get("ongoing") == "N":
            first = {name: value for name, value in entry.answers.items() if name != "end_date"}
            entries[number] = replace(entry, answers=first | {"ongoing": "Y", "outcome": "RECOVERING"})
            entries.append(replace(entry, reason="The event has ended"))
            return
