"""The algebra of milestones: each operator makes a set of occurrences from others.

One rule about what has no certain day: it is never dropped where it could matter. An occurrence without a day, or one
selected by comparison with something without a day, stays in the result as a doubt, with the bounds that are known.
"""

from collections.abc import Callable, Mapping
from datetime import date
from itertools import pairwise
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from app.clinical.dates import shifted
from app.clinical.endpoints.definition import FILTERS, ORIGIN, Absence, Gap, Milestone
from app.clinical.endpoints.occurrence import (
    NOTHING,
    Occurrence,
    Source,
    Track,
    doubt,
    may_follow,
    may_precede,
    on,
)

if TYPE_CHECKING:
    from app.clinical.endpoints.milestones import History

UNCERTAIN = "DEPENDS_ON_UNKNOWN_DATE"
_COMPARE: Mapping[str, Callable[[date, date], bool]] = {
    "after": gt,
    "on_or_after": ge,
    "before": lt,
    "on_or_before": le,
}


def first_of(track: Track) -> Occurrence | None:
    """The first occurrence; None when there is none; one without a day when that of the first is not certain."""
    first = track.dated[0] if track.dated else None
    day = date.max if first is None else _day(first)
    earlier = [fact for fact in track.doubts if first is None or may_precede(fact, day)]
    if not earlier:
        return first
    lowers = [fact.lower for fact in earlier if fact.lower is not None]
    lower = min(lowers) if len(lowers) == len(earlier) else None
    return doubt(lower, None if first is None else day, earlier[0].problem or UNCERTAIN, earlier[0].sources)


def evaluate(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """The occurrences of a derived milestone; `origin` is the time zero of the endpoint being evaluated."""
    return _OPERATORS[milestone.operator](milestone, history, origin)


def _any_of(milestone: Milestone, history: "History", origin: date | None) -> Track:
    tracks = [history.of(name, origin) for name in milestone.any_of or ()]
    return _track([fact for track in tracks for fact in (*track.dated, *track.doubts)])


def _latest_of(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """All must have happened; the day is that of the last of the firsts."""
    firsts = [first_of(history.of(name, origin)) for name in milestone.latest_of or ()]
    facts = [first for first in firsts if first is not None]
    if len(facts) < len(firsts):
        return NOTHING
    sources = tuple(source for fact in facts for source in fact.sources)
    known = [fact for fact in facts if fact.date is not None]
    latest = max(known, key=_day, default=None)
    if latest is not None and len(known) == len(facts):
        return Track((latest._replace(sources=sources),))
    return Track((), (doubt(latest and latest.date, None, UNCERTAIN, sources),))


def _first(milestone: Milestone, history: "History", origin: date | None) -> Track:
    fact = first_of(history.of(str(milestone.first), origin))
    return NOTHING if fact is None else _track([fact])


def _last(milestone: Milestone, history: "History", origin: date | None) -> Track:
    return _latest(history.of(str(milestone.last), origin), date.max)


def _last_before(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """The last occurrence on or before the first of the other; none while the other has not happened."""
    track, reference = _of(milestone, history, origin), _reference(str(milestone.last_before), history, origin)
    if reference is None:
        return NOTHING
    if reference.date is None:
        return _doubtful(track, reference)
    return _latest(track, reference.date)


def _filter(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """Occurrences relative to the first of another; one that has not happened limits nothing from above.

    A doubt stays when the bound that favours it satisfies the comparison.
    """
    track = _of(milestone, history, origin)
    for key in FILTERS:
        name = getattr(milestone, key)
        if name is None:
            continue
        reference, from_above = _reference(name, history, origin), key in {"before", "on_or_before"}
        if reference is None:
            track = track if from_above else NOTHING
        elif reference.date is None:
            track = _doubtful(track, reference)
        else:
            holds, day = _COMPARE[key], reference.date
            dated = tuple(fact for fact in track.dated if holds(_day(fact), day))
            bounds = [(fact, fact.lower if from_above else fact.upper) for fact in track.doubts]
            track = Track(dated, tuple(fact for fact, bound in bounds if bound is None or holds(bound, day)))
    return track


def _confirmed_by(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """Those that a later occurrence of the other confirms within the days given; the day stays the first one's."""
    track, other = _of(milestone, history, origin), history.of(str(milestone.confirmed_by), origin)
    fewest, most = milestone.within_days or (0, 0)
    found: list[Occurrence] = []
    for fact in track.dated:
        opens, closes = shifted(_day(fact), fewest), shifted(_day(fact), most)
        proofs = [proof for proof in other.dated if opens <= _day(proof) <= closes]
        if proofs:
            found.append(fact._replace(sources=fact.sources + proofs[0].sources))
        elif any(
            (p.lower is None or p.lower <= closes) and (p.upper is None or p.upper >= opens) for p in other.doubts
        ):
            found.append(_uncertain(fact))
    if other.dated or other.doubts:
        found += track.doubts
    return _track(found)


def _absent_by(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """One occurrence at the landmark when there was none on or before it."""
    rule = milestone.absent_by or Absence(landmark=ORIGIN)
    track, start = _of(milestone, history, origin), _reference(rule.landmark, history, origin)
    if start is None:
        return NOTHING
    if start.date is None:
        return Track((), (start,))
    landmark = shifted(start.date, rule.offset_days)
    if track.dated and _day(track.dated[0]) <= landmark:
        return NOTHING
    certain = not any(fact.lower is None or fact.lower <= landmark for fact in track.doubts)
    if rule.assessed is not None:
        assessed = history.of(rule.assessed, origin)
        if not any(_day(fact) > start.date for fact in assessed.dated):
            if not any(may_follow(fact, start.date) for fact in assessed.doubts):
                return NOTHING
            certain = False
    absent = on(landmark, *start.sources)
    return Track((absent,)) if certain else Track((), (_uncertain(absent),))


def _offset_days(milestone: Milestone, history: "History", origin: date | None) -> Track:
    track, by = _of(milestone, history, origin), milestone.offset_days or 0
    return _track(
        [
            fact._replace(
                lower=fact.lower and shifted(fact.lower, by),
                upper=fact.upper and shifted(fact.upper, by),
                date=fact.date and shifted(fact.date, by),
            )
            for fact in (*track.dated, *track.doubts)
        ]
    )


def _gap(milestone: Milestone, history: "History", origin: date | None) -> Track:
    """Every stretch without, from the time zero on; its day is when it is too long, `until` the next occurrence.

    Counted in visits: windows that open after the one occurrence and close before the next; the gap is there when
    the last of `missed` closes. Counted in days: more than `days` of them; the gap is there after `days`.
    """
    rule = milestone.gap or Gap(days=1)
    track = _of(milestone, history, origin)
    seen = {_day(fact) for fact in track.dated}
    if origin is not None:
        seen = {origin, *(day for day in seen if day > origin)}
    found = []
    for last, following in pairwise([*sorted(seen), date.max]):
        established = _established(rule, history, last, following)
        if established is not None:
            found.append(on(established)._replace(until=following))
    if track.doubts:  # any of them may have closed the gap
        found = [_uncertain(fact) for fact in found]
    return _track(found)


def _established(rule: Gap, history: "History", last: date, following: date) -> date | None:
    if rule.days is not None:
        return shifted(last, rule.days) if (following - last).days > rule.days else None
    passed = sorted(
        planned.closes
        for planned in history.planned
        if planned.visit in rule.visits and planned.opens > last and planned.closes < following
    )
    return passed[rule.missed - 1] if rule.missed is not None and len(passed) >= rule.missed else None


_OPERATORS: Mapping[str, Callable[[Milestone, Any, date | None], Track]] = {
    "any_of": _any_of,
    "latest_of": _latest_of,
    "first": _first,
    "last": _last,
    "filter": _filter,
    "last_before": _last_before,
    "confirmed_by": _confirmed_by,
    "absent_by": _absent_by,
    "offset_days": _offset_days,
    "gap": _gap,
}


def _of(milestone: Milestone, history: "History", origin: date | None) -> Track:
    return history.of(str(milestone.of), origin)


def _reference(name: str, history: "History", origin: date | None) -> Occurrence | None:
    if name == ORIGIN:
        return None if origin is None else on(origin)
    return first_of(history.of(name, origin))


def _latest(track: Track, day: date) -> Track:
    """The last occurrence on or before `day`."""
    dated = [fact for fact in track.dated if _day(fact) <= day]
    last = dated[-1] if dated else None
    rivals = [
        fact
        for fact in track.doubts
        if (fact.lower is None or fact.lower <= day) and (last is None or may_follow(fact, _day(last)))
    ]
    if rivals:
        return Track((), (doubt(last and last.date, day, UNCERTAIN, rivals[0].sources),))
    return NOTHING if last is None else Track((last,))


def _doubtful(track: Track, because: Occurrence) -> Track:
    """All occurrences, none of them certain to be selected."""
    reason = because.problem or UNCERTAIN
    return Track((), (*(_uncertain(fact)._replace(problem=reason) for fact in track.dated), *track.doubts))


def _uncertain(fact: Occurrence) -> Occurrence:
    return Occurrence(fact.date, fact.date, "", None, "", fact.sources, UNCERTAIN)


def _track(facts: list[Occurrence]) -> Track:
    dated = sorted((fact for fact in facts if fact.date is not None), key=_complete_first)
    return Track(tuple(dated), tuple(fact for fact in facts if fact.date is None))


def _day(fact: Occurrence) -> date:
    return fact.date or date.max


def _complete_first(fact: Occurrence) -> tuple[date, str]:
    return _day(fact), fact.flag


def sources(*facts: Occurrence | None) -> tuple[Source, ...]:
    """The sources of several facts in order."""
    return tuple(source for fact in facts if fact is not None for source in fact.sources)
