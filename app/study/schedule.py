"""When each visit is due for one subject: the study's visits laid on the dates that have happened. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any, NamedTuple, Self

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


@dataclass(frozen=True, slots=True)
class Line:
    """A visit of the study file, its conditions compiled and its days counted: most of the work for a whole site."""

    code: str
    when: Expression | None
    anchor: str | None
    occurrence: str | int
    repeating: bool
    after: tuple[timedelta, timedelta, timedelta] | None
    """How long after the anchor are its day, and the first and last of its window."""
    forms: tuple[str, ...]
    optional: tuple[str, ...]
    due: tuple[tuple[str, Expression], ...]

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """As the file says it."""
        after = None
        if visit.target is not None:
            first, last = visit.window or (0, 0)
            after = timedelta(visit.target), timedelta(visit.target + first), timedelta(visit.target + last)
        return cls(
            code=visit.code,
            when=None if visit.when is None else _condition(visit.when),
            anchor=visit.anchor,
            occurrence=visit.occurrence,
            repeating=visit.repeating,
            after=after,
            forms=visit.forms,
            optional=visit.optional,
            due=tuple((each.form, _condition(each.when)) for each in visit.due),
        )


def _lines(study: Study) -> Sequence[Line]:
    """Worked out once for a study version."""
    kept: tuple[Any, Sequence[Line]] = study.memo.get("schedule", (None, ()))
    visits, found = kept
    if visits is not study.visits:  # a study that was copied with other visits shares the memo
        found = [Line.of(visit) for visit in study.visits]
        study.memo["schedule"] = study.visits, found
    return found


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
    repeats that were `begun` of a visit that may be held again and again are planned without dates.
    """
    return tuple(chain.from_iterable(planned for _, planned in lay(study, anchors, facts, here, begun)))


def lay(
    study: Study,
    anchors: Anchors,
    facts: Mapping[str, Any],
    here: Here | None = None,
    begun: Mapping[str, Iterable[int]] | None = None,
) -> Iterator[tuple[Line, list[PlannedVisit]]]:
    """The same visit by visit: each of the study with what is planned of it, which may be nothing."""
    subject = {fact.name: facts.get(fact.name) for fact in study.facts}
    end = min((day for name in study.ends if (day := anchors.get(name)) is not None), default=None)
    happened: dict[str | None, list[date]] = {None: []}
    here, begun = here or {}, begun or {}
    for line in _lines(study):
        planned: list[PlannedVisit] = []
        if line.when is None or line.when.holds({"subject": subject, "visit": line.code}):
            if line.anchor is not None and line.anchor not in happened:
                happened[line.anchor] = occurrences(anchors, line.anchor)
            for repeat, anchor in _days(line, happened[line.anchor], begun.get(line.code, ())):
                each = _on(line, repeat, anchor, subject, here)
                if end is None or line.anchor is None or (each.target is not None and each.target <= end):
                    planned.append(each)
        yield line, planned


def _days(line: Line, days: Sequence[date], begun: Iterable[int]) -> list[tuple[int, date | None]]:
    """The repeats of a visit, and the day that each hangs on; a schedule that begins anew ends the one before."""
    found: list[tuple[int, date | None]]
    if line.occurrence == "each" and days:
        target = line.after[0] if line.after else timedelta(0)
        following = enumerate(zip(days, [*days[1:], date.max], strict=True), start=1)
        found = [(repeat, day) for repeat, (day, then) in following if day + target < then]
    elif isinstance(line.occurrence, int) and line.occurrence > 1:
        found = [(1, day) for day in days[line.occurrence - 1 : line.occurrence]]
    else:
        found = [(1, days[-1 if line.occurrence == "last" else 0] if days else None)]
    if line.repeating:
        again = max(len(days), 1) if line.occurrence == "each" else 1
        found += [(repeat, None) for repeat in sorted(begun) if repeat > again]
    return found


def _on(line: Line, repeat: int, anchor: date | None, subject: Mapping[str, Any], here: Here) -> PlannedVisit:
    forms, optional = line.forms, line.optional
    if line.due:
        known = {"subject": subject, "visit": line.code, "here": here.get((line.code, repeat), {})}
        due = {form for form, when in line.due if when.holds(known)}
        forms += tuple(form for form in optional if form in due)
        optional = tuple(form for form in optional if form not in due)
    if anchor is None or line.after is None:
        return PlannedVisit(line.code, repeat, None, None, None, forms, optional)
    target, opens, closes = line.after
    return PlannedVisit(line.code, repeat, anchor + target, anchor + opens, anchor + closes, forms, optional)
