"""When each visit is due for one subject: the study's visits laid on the dates that have happened. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from app.forms.definition import Form, ItemType
from app.forms.expressions import Expression, compile_expression
from app.study.definition import Study, Visit

Anchors = Mapping[str, date | None]
"""The first date of each milestone that has occurred, by its name; that of its n-th occurrence as `name.n`."""

Here = Mapping[tuple[str, int], Mapping[str, Any]]
"""What the pages of each visit hold that conditions ask for, by visit and repeat, under the names of `items_here`."""


class PlannedVisit(NamedTuple):
    """A visit as it lies ahead of, or behind, one subject.

    `target`, `opens` and `closes` are None while the anchor has not happened, and always for a visit without anchor.
    The window is inclusive at both ends. `repeat` is 1, or the number of the anchor's occurrence where the visit is
    planned for each: other repeats exist once something is entered at them. `forms` are due, `optional` may be entered.
    """

    visit: str
    repeat: int
    target: date | None
    opens: date | None
    closes: date | None
    forms: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def dated(self) -> bool:
        """Whether the visit has a window in the calendar."""
        return self.target is not None


@lru_cache(maxsize=1024)
def _condition(text: str) -> Expression:
    """A condition of a visit, found sound by the check of its study file; so what it asks for needs no kinds here."""
    return compile_expression(text, {"subject": "map", "visit": "text", "here": "map"})


def key_of(name: str, occurrence: int) -> str:
    """What the date of an occurrence of a milestone is called among the anchors."""
    return name if occurrence == 1 else f"{name}.{occurrence}"


def occurrences(anchors: Anchors, name: str) -> list[date]:
    """The days of a milestone that are known, the first first."""
    days: list[date] = []
    while (day := anchors.get(key_of(name, len(days) + 1))) is not None:
        days.append(day)
    return days


def items_here(visit: Visit, forms: Mapping[str, Form]) -> dict[str, tuple[str, str]]:
    """What `here.<form>_<item>` means at a visit: the items of its pages that have one value, by that name."""
    return {
        f"{form_id}_{item.id}": (form_id, item.id)
        for form_id in (*visit.forms, *visit.optional)
        if form_id in forms and not forms[form_id].repeating
        for section in forms[form_id].sections
        if not section.repeating
        for item in section.items
        if item.type is not ItemType.COMPUTED
    }


def plan(
    study: Study,
    anchors: Anchors,
    facts: Mapping[str, Any],
    here: Here | None = None,
    begun: Mapping[str, Iterable[int]] | None = None,
) -> tuple[PlannedVisit, ...]:
    """The visits planned for a subject, in the order of the study file.

    `facts` gives the value of each declared fact, `here` what is on the pages of the visits. A visit day is the
    anchor's date plus `target` days, without adding one: day 30 of a transplantation on 1 March is 31 March. What is
    not certainly true is not planned and not due: while the arm is unknown, nobody is asked for the visits of an arm.
    Nothing is planned for a day after the study has ended for the subject, nor for what did not happen before it. The
    repeats that were `begun` of a visit
    that may be held again and again are planned without dates.
    """
    subject = {fact.name: facts.get(fact.name) for fact in study.facts}
    end = min((day for name in study.ends if (day := anchors.get(name)) is not None), default=None)
    return tuple(
        planned
        for visit in study.visits
        if visit.when is None or _condition(visit.when).holds({"subject": subject, "visit": visit.code})
        for planned in _laid(visit, anchors, subject, here or {}, (begun or {}).get(visit.code, ()))
        if end is None or visit.anchor is None or (planned.target is not None and planned.target <= end)
    )


def _laid(
    visit: Visit, anchors: Anchors, subject: Mapping[str, Any], here: Here, begun: Iterable[int]
) -> Iterator[PlannedVisit]:
    """The visit, once or for each occurrence of its anchor; a schedule that begins anew ends the one before."""
    days = occurrences(anchors, visit.anchor) if visit.anchor else []
    if visit.occurrence == "each" and days:
        for repeat, (day, following) in enumerate(zip(days, [*days[1:], date.max], strict=True), start=1):
            if day + timedelta(days=visit.target or 0) < following:
                yield _on(visit, repeat, day, subject, here)
    elif visit.occurrence in {1, "each", "last"}:
        yield _on(visit, 1, days[-1 if visit.occurrence == "last" else 0] if days else None, subject, here)
    elif isinstance(visit.occurrence, int) and len(days) >= visit.occurrence:
        yield _on(visit, 1, days[visit.occurrence - 1], subject, here)
    if visit.repeating:
        again = max(len(days), 1) if visit.occurrence == "each" else 1
        yield from (_on(visit, repeat, None, subject, here) for repeat in begun if repeat > again)


def _on(visit: Visit, repeat: int, anchor: date | None, subject: Mapping[str, Any], here: Here) -> PlannedVisit:
    target = opens = closes = None
    if anchor is not None and visit.target is not None:
        target = anchor + timedelta(days=visit.target)
        before, after = visit.window or (0, 0)
        opens, closes = target + timedelta(days=before), target + timedelta(days=after)
    forms, optional = visit.forms, visit.optional
    if visit.due:
        known = {"subject": subject, "visit": visit.code, "here": here.get((visit.code, repeat), {})}
        due = {each.form for each in visit.due if _condition(each.when).holds(known)}
        forms += tuple(form for form in optional if form in due)
        optional = tuple(form for form in optional if form not in due)
    return PlannedVisit(visit.code, repeat, target, opens, closes, forms, optional)
