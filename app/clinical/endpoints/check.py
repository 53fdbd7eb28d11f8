"""Whether milestones, endpoints and rates fit together: names known, no circle, `origin` where it means something."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.clinical.endpoints.definition import FILTERS, LAST_ALIVE, ORIGIN, Endpoint, Milestone, Rate

_COMPARES = {*FILTERS, "last_before", "absent_by.landmark"}  # where a milestone serves as a date to compare with


def check(
    milestones: Sequence[Milestone], endpoints: Sequence[Endpoint], rates: Sequence[Rate] = ()
) -> list[tuple[str, str]]:
    """Every contradiction as (place in the study file, what to do); an empty list when all fits together."""
    by_name = {milestone.name: milestone for milestone in milestones}
    return [
        *_twice("milestone", (milestone.name for milestone in milestones)),
        *_twice("endpoint or rate", [endpoint.code for endpoint in endpoints] + [rate.code for rate in rates]),
        *(found for milestone in milestones for found in _milestone(milestone, by_name)),
        *_circles(by_name),
        *(found for endpoint in endpoints for found in _endpoint(endpoint, by_name)),
        *(found for rate in rates for found in _rate(rate, by_name)),
    ]


def uses_origin(by_name: Mapping[str, Milestone]) -> frozenset[str]:
    """The milestones whose occurrences depend on an endpoint's time zero, directly or through others."""
    dependent: set[str] = set()
    growing = True
    while growing:
        more = {
            name
            for name, milestone in by_name.items()
            if milestone.gap is not None or not dependent.union({ORIGIN}).isdisjoint(milestone.operands.values())
        }
        growing = more != dependent
        dependent = more
    return frozenset(dependent)


def _twice(what: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{what} {name}", "The name is given twice: rename one"


def _milestone(milestone: Milestone, by_name: Mapping[str, Milestone]) -> Iterator[tuple[str, str]]:
    place = f"milestone {milestone.name}"
    if milestone.name in {ORIGIN, LAST_ALIVE}:
        yield place, f"`{milestone.name}` is built in: choose another name"
    for key, name in milestone.operands.items():
        if name != ORIGIN and (problem := _unknown(name, by_name)):
            yield f"{place}.{key}", problem
        if name == ORIGIN and key not in _COMPARES:
            yield f"{place}.{key}", "`origin` is a date to compare with, not a set of occurrences: name a milestone"
    for key, name in milestone.references.items():
        if problem := _unknown(name, by_name):
            yield f"{place}.{key}", problem
        elif name != LAST_ALIVE and not by_name[name].from_:
            yield f"{place}.{key}", "A partial date is bounded by a milestone read from pages: name a captured one"


def _unknown(name: str, by_name: Mapping[str, Milestone]) -> str | None:
    if name in by_name or name == LAST_ALIVE:
        return None
    return f"There is no milestone `{name}`: define it, or correct the name"


def _circles(by_name: Mapping[str, Milestone]) -> Iterator[tuple[str, str]]:
    """One finding per milestone that is made from itself."""
    for name in by_name:
        seen: set[str] = set()
        waiting = set(by_name[name].operands.values())
        while waiting:
            operand = waiting.pop()
            if operand in by_name and operand not in seen:
                seen.add(operand)
                waiting |= set(by_name[operand].operands.values())
        if name in seen:
            yield f"milestone {name}", "It is made from itself: break the circle"


def _endpoint(endpoint: Endpoint, by_name: Mapping[str, Milestone]) -> Iterator[tuple[str, str]]:
    for variant, _, resolved in endpoint.resolved():
        place = f"endpoint {endpoint.code} {variant}"
        anywhere = [("outcomes", outcome.milestone) for outcome in resolved.outcomes]
        anywhere += [("censor", name) for name in resolved.censor]
        anywhere += [("censor_at", rule.milestone) for rule in resolved.censor_at]
        anywhere += [("censor_at", rule.at) for rule in resolved.censor_at if rule.at is not None]
        fixed = [("population", name) for name in resolved.population] + [("origin", resolved.origin)]
        fixed += [("entry", resolved.entry)] if resolved.entry is not None else []
        yield from _names(place, anywhere, fixed, by_name)
        outcomes = [outcome.milestone for outcome in resolved.outcomes]
        for name in _repeated(outcomes):
            yield f"{place}.outcomes", f"`{name}` is listed twice: the first place decides, take the other away"
        for name in resolved.redate_to_origin:
            if name not in outcomes:
                yield f"{place}.redate_to_origin", f"`{name}` is no outcome here: add it there, or take it away"


def _rate(rate: Rate, by_name: Mapping[str, Milestone]) -> Iterator[tuple[str, str]]:
    fixed = [("population", name) for name in rate.population]
    if rate.origin is not None:
        anywhere = [("responder", name) for name in rate.responder]
        yield from _names(f"rate {rate.code}", anywhere, [*fixed, ("origin", rate.origin)], by_name)
    else:
        yield from _names(f"rate {rate.code}", [], [*fixed, *(("responder", name) for name in rate.responder)], by_name)


def _names(
    place: str,
    anywhere: Iterable[tuple[str, str]],
    fixed: Iterable[tuple[str, str]],
    by_name: Mapping[str, Milestone],
) -> Iterator[tuple[str, str]]:
    """Unknown names; and in `fixed` places those that need a time zero which is not there yet."""
    dependent = uses_origin(by_name)
    for key, name in [*anywhere, *fixed]:
        if problem := _unknown(name, by_name):
            yield f"{place}.{key}", problem
    for key, name in fixed:
        if name in dependent:
            yield f"{place}.{key}", f"`{name}` depends on a time zero that is not known yet: name one that does not"


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
