"""When each visit is due for one subject: the study's visits laid on the dates that have happened. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from app.forms.expressions import Expression, compile_expression
from app.study.definition import Study, Visit


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit as it lies ahead of, or behind, one subject.

    `target`, `opens` and `closes` are None while the anchor has not happened, and always for a visit without anchor.
    The window is inclusive at both ends. `repeat` is 1: later repeats exist once something is entered at them.
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
    """A visit's `when`, found sound by the check of its study file; so the facts need no kinds here."""
    return compile_expression(text, {"subject": "map", "visit": "text"})


def plan(study: Study, anchors: Mapping[str, date | None], facts: Mapping[str, Any]) -> tuple[PlannedVisit, ...]:
    """The visits planned for a subject, in the order of the study file.

    `anchors` gives the first date of each milestone that has occurred, `facts` the value of each declared fact.
    A visit day is the anchor's date plus `target` days, without adding one: day 30 of a transplantation on 1 March is
    31 March. A visit whose `when` is not certainly true is not planned: while the arm is unknown, nobody is asked
    for the visits of an arm.
    """
    return tuple(
        _laid(visit, anchors.get(visit.anchor) if visit.anchor else None)
        for visit in study.visits
        if _planned(study, visit, facts)
    )


def _planned(study: Study, visit: Visit, facts: Mapping[str, Any]) -> bool:
    if visit.when is None:
        return True
    subject = {fact.name: facts.get(fact.name) for fact in study.facts}
    return _condition(visit.when).holds({"subject": subject, "visit": visit.code})


def _laid(visit: Visit, anchor: date | None) -> PlannedVisit:
    target = opens = closes = None
    if anchor is not None and visit.target is not None:
        target = anchor + timedelta(days=visit.target)
        before, after = visit.window or (0, 0)
        opens, closes = target + timedelta(days=before), target + timedelta(days=after)
    return PlannedVisit(
        visit=visit.code,
        repeat=1,
        target=target,
        opens=opens,
        closes=closes,
        forms=visit.forms,
        optional=visit.optional,
    )
