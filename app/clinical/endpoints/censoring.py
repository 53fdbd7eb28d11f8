"""How far follow-up goes when no outcome counts: last follow-up, extra censoring, horizon."""

from datetime import date
from typing import NamedTuple

from app.clinical.endpoints.milestones import History
from app.clinical.endpoints.occurrence import Occurrence
from app.clinical.endpoints.result import Result, Spec, Status, Why


class Case(NamedTuple):
    """What every rule after the time zero needs."""

    spec: Spec
    history: History
    zero: Occurrence
    start: date
    limit: date  # the cut-off
    horizon: date  # the last day that counts: the truncation day, or the cut-off


class First(NamedTuple):
    """The first outcome, its place in the precedence list, and the outcomes that have no certain day."""

    fact: Occurrence | None
    day: date
    name: str
    status: Status
    place: int
    doubts: list[tuple[int, str, Occurrence]]


class Extra(NamedTuple):
    """Extra censoring: outcomes after `after` do not count, and the subject is censored on `day`."""

    after: date
    day: date
    milestone: str
    fact: Occurrence


def extra_censoring(case: Case, first: First) -> Extra | None:
    """The earliest extra censoring within the horizon.

    A day censors everything after it; an interval (a gap) censors only the outcome that falls into it.
    """
    spec, history, _, start, _, horizon = case
    found: Extra | None = None
    for milestone, at in spec.censor_at:
        for fact in history.of(milestone, start).dated:
            day = fact.date or start
            if fact.until is not None and (first.fact is None or not day < first.day <= fact.until):
                continue
            if start <= day <= horizon and (found is None or day < found.after):
                seen = [] if at is None else [f for f in history.of(at, start).dated if start <= (f.date or day) <= day]
                last = seen[-1] if seen else fact
                found = Extra(day, (last.date or day) if seen or at is None else start, milestone, last)
    return found


def censored(case: Case, first: First, extra: Extra | None) -> Result:
    """Censored at the last follow-up, the extra censoring or the horizon, whichever comes first."""
    spec, _, zero, start, limit, horizon = case
    adt, why, name, last = _last_follow_up(case)
    if first.fact is not None and first.day > adt:  # an outcome that does not count still proves contact until then
        adt, why, name, last = first.day, Why.LAST_FOLLOW_UP, first.name, first.fact
    if extra is not None and adt >= extra.after:
        return Result(spec, Status.CENSORED, Why.EXTRA, start, extra.day, extra.milestone, extra.fact, zero)
    if spec.truncate_day is not None and adt >= horizon and horizon < limit:
        return Result(spec, Status.CENSORED, Why.AT_HORIZON, start, horizon, name, last, zero)
    return Result(spec, Status.CENSORED, why, start, adt, name, last, zero)


def _last_follow_up(case: Case) -> tuple[date, Why, str | None, Occurrence | None]:
    """The latest censoring fact from the time zero to the cut-off; none: the time zero itself.

    Up to a horizon any fact that proves contact is follow-up.
    """
    spec, history, _, start, limit, _ = case
    adt, why, name, last = start, Why.NO_FOLLOW_UP, None, None
    for milestone in spec.censor:
        for fact in reversed((history.known.get(milestone) or history.of(milestone, start)).dated):
            day = fact.date or limit
            if day <= limit:
                if day > adt or (last is None and day == adt):
                    clamped = fact.lower is not None and fact.lower > day
                    adt, name, last = day, milestone, fact
                    why = Why.AT_CUTOFF if clamped else Why.LAST_FOLLOW_UP
                break
    if spec.censors_alive and adt < limit and history.outlived:
        adt, why, name, last = limit, Why.AT_CUTOFF, None, None
    elif spec.truncate_day is not None and (contact := history.contact)[0] > adt:
        adt, name, last = contact
        why = Why.AT_CUTOFF if last is None else Why.LAST_FOLLOW_UP
    return adt, why, name, last
