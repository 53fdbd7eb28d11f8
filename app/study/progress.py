"""How far a visit of one subject is, on a given day: what has been entered held against what is due. Pure."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from app.study.schedule import PlannedVisit


class Progress(StrEnum):
    """A form is as far as its least finished page."""

    NOT_STARTED = "not_started"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"


class Standing(StrEnum):
    """Where a visit stands.

    not_planned: nothing is asked of this subject there. expected: not yet, or not dated yet. due: the window is open
    and nothing entered. overdue: it has closed and nothing is entered. incomplete: something is, and something is
    wanting. complete: everything due is. missed: a page says that it was not held.
    """

    NOT_PLANNED = "not_planned"
    EXPECTED = "expected"
    DUE = "due"
    OVERDUE = "overdue"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    MISSED = "missed"


class Held(NamedTuple):
    """What a page says of the visit itself: whether it was held, on which day, or why not; None where it is silent."""

    held: bool | None = None
    day: date | None = None
    reason: str | None = None


UNTOLD = Held()


class VisitState(NamedTuple):
    """A visit of a subject: as it is planned, None where it is not, and what has been entered at it."""

    visit: str
    repeat: int
    planned: PlannedVisit | None
    progress: Mapping[str, Progress]
    held: Held

    @property
    def owed(self) -> tuple[str, ...]:
        """The forms due that are not complete; nothing is owed of a visit that was missed."""
        due = self.planned.forms if self.planned and self.held.held is not False else ()
        if not self.progress:
            return due
        complete = Progress.COMPLETE
        return tuple([form for form in due if self.progress.get(form) is not complete])

    @property
    def days_out(self) -> int:
        """By how many days it was held outside its window: before it (negative), after it, or 0."""
        day, planned = self.held.day, self.planned
        if day is None or planned is None or planned.opens is None or planned.closes is None:
            return 0
        return min((day - planned.opens).days, 0) + max((day - planned.closes).days, 0)

    def standing(self, on: date) -> Standing:
        """Where it stands on a day."""
        if self.held.held is False:
            return Standing.MISSED
        if self.progress:
            whole = Progress.INCOMPLETE not in self.progress.values() and not self.owed
            return Standing.COMPLETE if whole else Standing.INCOMPLETE
        planned = self.planned
        if planned is None or not planned.forms:
            return Standing.NOT_PLANNED
        if planned.opens is None or planned.closes is None or on < planned.opens:
            return Standing.EXPECTED
        return Standing.DUE if on <= planned.closes else Standing.OVERDUE
