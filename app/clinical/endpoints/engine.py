"""One endpoint of one subject: from a history to a date, a status and the facts that decided it.

The hot path: it runs for every endpoint variant of every subject, so it works on plain tuples and stops early.
"""

from datetime import date

from app.clinical.dates import shifted
from app.clinical.endpoints.censoring import Case, First, censored, extra_censoring
from app.clinical.endpoints.milestones import History
from app.clinical.endpoints.occurrence import NOTHING, Occurrence, Track, may_be_from, may_precede
from app.clinical.endpoints.result import Result, Spec, Status, Why


def evaluate(spec: Spec, history: History) -> Result:
    """The first outcome on or after the time zero and by the cut-off, or the day up to which there was none.

    In the order of the rules: population, time zero, facts that can happen once, first outcome, horizon and extra
    censoring, facts without a certain day, delayed entry.
    """
    limit, known = history.cutoff or date.max, history.known
    for name in spec.population:
        if not _by((known.get(name) or history.of(name)).dated, limit):
            return _outside(spec, history, limit)
    dated, doubts = known.get(spec.origin) or history.of(spec.origin)
    zero = _by(dated, limit)
    for fact in doubts:
        if zero is None or may_precede(fact, zero.date or limit):
            return Result(spec, Status.QUERY, Why.UNDATED_ORIGIN, milestone=spec.origin, fact=fact)
    if zero is None or zero.date is None:
        return Result(spec, Status.NA, Why.NO_ORIGIN, milestone=spec.origin)
    start = zero.date
    for name in spec.milestones.once:
        track = known.get(name) or history.of(name)
        if track is not NOTHING and (early := _before(track, start)) is not None:
            return Result(spec, Status.QUERY, Why.ONCE_BEFORE_ORIGIN, milestone=name, fact=early, origin=zero)
    horizon = limit if spec.truncate_day is None else min(shifted(start, spec.truncate_day), limit)
    case = Case(spec, history, zero, start, limit, horizon)
    first = _first_outcome(case)
    extra = extra_censoring(case, first) if spec.censor_at else None
    bound = horizon if extra is None else extra.after
    if first.fact is not None and first.day <= bound:
        adt = start if first.name in spec.redate_to_origin else first.day
        result = Result(spec, first.status, None, start, adt, first.name, first.fact, zero)
    else:
        result = censored(case, first, extra)
    if (first.doubts or spec.censor_at) and (asks := _undated(case, first, bound, result)) is not None:
        result = Result(spec, Status.QUERY, Why.UNDATED, milestone=asks[0], fact=asks[1], origin=zero)
    return result if spec.entry is None else _delayed(case, spec.entry, result)


def _by(dated: tuple[Occurrence, ...], limit: date) -> Occurrence | None:
    """The first occurrence, when it is there by the cut-off."""
    return dated[0] if dated and (dated[0].date or limit) <= limit else None


def _before(track: Track, start: date) -> Occurrence | None:
    """A fact that lies before the time zero whatever its exact day."""
    for fact in (*track.dated, *track.doubts):
        if fact.upper is not None and fact.upper < start:
            return fact
    return None


def _outside(spec: Spec, history: History, limit: date) -> Result:
    """Not in the population; when all that is missing is known to have happened but not when, a question."""
    missing = [(name, history.of(name)) for name in spec.population if not _by(history.of(name).dated, limit)]
    for name, track in missing:
        if not track.doubts:
            return Result(spec, Status.NA, Why.NOT_IN_POPULATION, milestone=name)
    name, track = missing[0]
    return Result(spec, Status.QUERY, Why.UNDATED, milestone=name, fact=track.doubts[0])


def _first_outcome(case: Case) -> First:
    """The earliest outcome from the time zero on and by the cut-off; on one day the place in the list decides."""
    spec, history, _, start, limit, _ = case
    known, of = history.known, history.of
    first, earliest, name, status, place = None, limit, "", Status.CENSORED, 0
    unsure: list[tuple[int, str, Occurrence]] = []
    for number, (milestone, kind) in enumerate(spec.outcomes):
        dated, doubts = known.get(milestone) or of(milestone, start)
        for fact in dated:
            day = fact.date
            if day is None:  # pragma: no cover - dated facts have a day; this tells the type checker
                continue
            if day < start:
                if not may_be_from(fact, start):
                    continue  # history
                # The stated period holds the time zero. What happens once cannot lie before it; the rest may.
                if milestone not in spec.milestones.once:
                    unsure.append((number, milestone, fact._replace(date=None)))
                    continue
                day, fact = start, fact._replace(date=start)  # noqa: PLW2901
            if day < earliest or (first is None and day == earliest):
                first, earliest, name, status, place = fact, day, milestone, kind, number
            break
        if doubts:
            unsure += [(number, milestone, fact) for fact in doubts if fact.upper is None or fact.upper >= start]
    return First(first, earliest, name, status, place, unsure)


def _undated(case: Case, first: First, bound: date, result: Result) -> tuple[str, Occurrence] | None:
    """A fact without a certain day that could change the result: an earlier outcome, an earlier extra censoring.

    Before the time zero it would be history, and change nothing.
    """
    counts, start = first.fact is not None and first.day <= bound, case.start
    reach = first.day if counts else bound
    for number, milestone, fact in first.doubts:
        lower = max(fact.lower or start, start)
        if lower < reach or (lower == reach and (not counts or number < first.place)):
            return milestone, fact
    reach = first.day if counts else result.adt or bound
    for milestone, _ in case.spec.censor_at:
        dated, doubts = case.history.of(milestone, start)
        for fact in (*doubts, *(fact._replace(date=None) for fact in dated if may_be_from(fact, start))):
            if max(fact.lower or start, start) < reach and (fact.upper is None or fact.upper >= start):
                return milestone, fact
    return None


def _delayed(case: Case, name: str, result: Result) -> Result:
    """At risk only from entry on: what ended before it never was at risk, and who never entered has no result."""
    (dated, doubts), start = case.history.of(name), case.start
    first = _by(dated, case.limit)
    if first is None and not doubts:
        return Result(case.spec, Status.NA, Why.NOT_ENTERED, milestone=name, origin=case.zero)
    if result.adt is None:
        return result
    if any(fact.upper is not None and fact.upper <= start for fact in (*dated[:1], *doubts)):
        return result._replace(entry=start)  # before the time zero whatever its exact day
    unsure = [fact for fact in doubts if first is None or may_precede(fact, first.date or case.limit)]
    if first is not None and may_be_from(first, start) and (first.upper or case.limit) > result.adt:
        unsure.append(first._replace(date=None))
    if unsure or first is None:
        return Result(case.spec, Status.QUERY, Why.UNDATED, milestone=name, fact=unsure[0], origin=case.zero)
    entry = max(first.date or start, start)
    if result.adt < entry:
        return Result(case.spec, Status.NA, Why.BEFORE_ENTRY, milestone=name, fact=first, origin=case.zero, entry=entry)
    return result._replace(entry=entry)
