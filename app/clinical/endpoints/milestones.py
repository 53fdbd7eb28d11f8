"""What is known about one subject at one cut-off, milestone by milestone, worked out when it is asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter

from app.clinical.dates import Policy, Query, Reason, impute
from app.clinical.endpoints import operators
from app.clinical.endpoints.check import uses_origin
from app.clinical.endpoints.definition import LAST_ALIVE, ORIGIN, Endpoint, Milestone, Words
from app.clinical.endpoints.occurrence import NOTHING, Occurrence, Planned, Track, partial

_WORKED_OUT = frozenset({"absent_by", "gap", "offset_days"})
LAST_ALIVE_WORDS = Words(en="Last known alive", zh="最后已知存活")


class Milestones:
    """The milestones of one study version, compiled once and used for every subject.

    `proof`: the captured milestones whose dates prove contact with the subject: dates of life, what happens once, and
    what any endpoint in `endpoints` counts, starts at or is censored by. The day a subject left the study, or withdrew
    by letter, is a date of the office; a landmark or a gap is a day on which nothing happened. Without endpoints every
    milestone is taken as clinical.
    """

    def __init__(self, definitions: Iterable[Milestone], endpoints: Iterable[Endpoint] | None = None) -> None:
        self.by_name = {milestone.name: milestone for milestone in definitions}
        self.derived = {name: milestone for name, milestone in self.by_name.items() if not milestone.from_}
        self.uses_origin = uses_origin(self.by_name)
        self.visits = frozenset(visit for each in self.by_name.values() if each.gap for visit in each.gap.visits)
        """The visits that gaps are measured by: whether they were planned is asked of no other."""
        self.once = tuple(name for name, milestone in self.by_name.items() if milestone.once)
        self.clamped = frozenset(
            {name for name, milestone in self.by_name.items() if milestone.after_cutoff == "clamp"} | {LAST_ALIVE}
        )
        named = self._clinical(endpoints) if endpoints is not None else set(self.by_name)
        worked_out = {name for name, milestone in self.derived.items() if milestone.operator in _WORKED_OUT}
        self.proof = frozenset(named - worked_out) | {LAST_ALIVE}

    def _clinical(self, endpoints: Iterable[Endpoint]) -> set[str]:
        """The once facts, the milestones endpoints name, what these are made from, and what bounds their days."""
        clinical: set[str] = set()
        found = [*self.once]
        for endpoint in endpoints:
            for _, _, each in endpoint.resolved():
                found += [*each.population, each.origin, *each.censor, *(step.milestone for step in each.outcomes)]
                found += [name for rule in each.censor_at for name in (rule.milestone, rule.at) if name is not None]
        while found:
            name = found.pop()
            if name not in clinical and name != ORIGIN:
                clinical.add(name)
                known = self.by_name.get(name)
                found += (*known.operands.values(), *known.references.values()) if known is not None else ()
        return clinical

    def words(self, name: str) -> Words:
        """How a milestone is called."""
        return self.by_name[name].label if name in self.by_name else LAST_ALIVE_WORDS


class History:
    """One subject's occurrences as seen at `cutoff` (None: no cut-off).

    `captured` holds what was read, by milestone; a derived milestone named there is taken as given. Partial dates get
    their day here, by the policy of their milestone. What lies after the cut-off is dropped, or, for milestones with
    after_cutoff = "clamp", shown at the cut-off.
    """

    __slots__ = (
        "_captured",
        "_chosen",
        "_contact",
        "_outlived",
        "_with_origin",
        "cutoff",
        "definitions",
        "known",
        "planned",
    )

    def __init__(
        self,
        definitions: Milestones,
        captured: Mapping[str, Sequence[Occurrence]],
        cutoff: date | None = None,
        planned: Sequence[Planned] = (),
    ) -> None:
        self.definitions = definitions
        self.cutoff = cutoff
        self.planned = planned
        self._captured = captured
        self._chosen: dict[str, Sequence[Occurrence]] = {}
        self.known: dict[str, Track] = {}  # what has been worked out; the engine looks here before it calls `of`
        self._with_origin: dict[tuple[str, date | None], Track] = {}
        self._outlived: bool | None = None
        self._contact: tuple[date, str | None, Occurrence | None] | None = None

    def of(self, name: str, origin: date | None = None) -> Track:
        """The occurrences of a milestone, for an endpoint with this time zero."""
        track = self.known.get(name)
        if track is not None:
            return track
        if name not in self.definitions.derived or name in self._captured:
            track = self.known[name] = self._resolved(name)
        elif name in self.definitions.uses_origin:
            track = self._with_origin.get((name, origin))
            if track is None:
                track = operators.evaluate(self.definitions.by_name[name], self, origin)
                self._with_origin[name, origin] = track
        else:
            track = self.known[name] = operators.evaluate(self.definitions.by_name[name], self, None)
        return track

    @property
    def outlived(self) -> bool:
        """Whether what happens once, a death, lies after the cut-off: a proof of life at the cut-off."""
        if self._outlived is None:
            days = [_at_least(fact) for name in self.definitions.once for fact in self._days(name)]
            self._outlived = self.cutoff is not None and max(days, default=date.min) > self.cutoff
        return self._outlived

    @property
    def contact(self) -> tuple[date, str | None, Occurrence | None]:
        """The last day, at most the cut-off, on which any fact proves contact; with it, unless it lies later."""
        if self._contact is None:
            self._contact = self._last_contact()
        return self._contact

    def _last_contact(self) -> tuple[date, str | None, Occurrence | None]:
        latest, which, found = date.min, None, None
        for name in self._captured:
            if name in self.definitions.proof:
                for fact in self._days(name):
                    if (day := _at_least(fact)) > latest:
                        latest, which, found = day, name, fact
        return (self.cutoff, None, None) if self.cutoff is not None and latest > self.cutoff else (latest, which, found)

    def _resolved(self, name: str) -> Track:
        facts = self._days(name)
        if not facts:
            return NOTHING
        if self.cutoff is not None:
            facts = list(_by(self.cutoff, facts, clamped=name in self.definitions.clamped))
        dated = [fact for fact in facts if fact.date is not None]
        doubts = tuple(fact for fact in facts if fact.date is None) if len(dated) < len(facts) else ()
        if len(dated) > 1:
            dated.sort(key=_DAY)
        return Track(tuple(dated), doubts)

    def _days(self, name: str) -> Sequence[Occurrence]:
        """Captured occurrences with their day chosen; a fact that can happen once is brought down to one."""
        found = self._chosen.get(name)
        if found is None:
            found = self._chosen[name] = self._with_days(name)
        return found

    def _with_days(self, name: str) -> Sequence[Occurrence]:
        facts = self._captured.get(name, ())
        for fact in facts:
            if fact.date is None:
                facts = [self._with_day(name, fact) if fact.date is None else fact for fact in facts]
                break
        if len(facts) > 1 and name in self.definitions.once:
            return (_the_one(facts),)
        return facts

    def _with_day(self, name: str, fact: Occurrence) -> Occurrence:
        definition = self.definitions.by_name.get(name)
        policy = Policy.FIRST if definition is None else definition.impute
        stated = partial(fact)
        if fact.problem is not None or stated is None:
            # A death on no known day lies at least not before the last proof of life.
            return fact._replace(lower=self._alive(definition)) if policy is Policy.DEATH and stated is None else fact
        bounds: dict[str, date | None] = {}
        if policy is Policy.DEATH:
            # A death that follows proof of life after the cut-off lies after the cut-off as well.
            alive = self._alive(definition)
            bounds = {"alive": alive, "cutoff": None if _is_later(alive, self.cutoff) else self.cutoff}
        elif policy is Policy.RELAPSE:
            bounds = {"last_negative": max(self._reference(definition, until=stated.upper), default=None)}
        elif policy is Policy.AE_START:
            bounds = {"first_dose": min(self._reference(definition), default=None)}
        chosen = impute(policy, stated, **bounds)
        if isinstance(chosen, Query):
            return fact._replace(problem=chosen.reason)
        return fact._replace(date=chosen.date, flag=chosen.flag)

    def _alive(self, definition: Milestone | None) -> date | None:
        """The last day of which it is certain, also beyond the cut-off: whoever had a relapse that day was alive."""
        names = self.definitions.proof.difference(self.definitions.once).intersection(self._captured)
        whole = (fact.date for name in names for fact in self._captured[name] if fact.date is not None)
        return max([*self._reference(definition), *whole], default=None)

    def _reference(self, definition: Milestone | None, *, until: date = date.max) -> list[date]:
        """The first possible days of the milestone that bounds a partial date, also beyond the cut-off."""
        names = () if definition is None else definition.references.values()
        facts = [fact for name in names for fact in self._captured.get(name, ())]
        return [fact.lower for fact in facts if fact.lower is not None and fact.lower <= until]


def _the_one(facts: Sequence[Occurrence]) -> Occurrence:
    """What several pages say about a thing that happens once: the most precise, if the others allow its day."""
    known = [fact for fact in facts if fact.lower is not None and fact.upper is not None]
    best = min(known, key=_width, default=facts[0])
    if best.date is not None and all(_allows(fact, best.date) for fact in known):
        return best
    if best.date is None:
        return best
    lower = min(fact.lower for fact in known if fact.lower is not None)
    upper = max(fact.upper for fact in known if fact.upper is not None)
    sources = operators.sources(*known)
    return Occurrence(lower, upper, "", None, "", sources, Reason.CONFLICT)


def _width(fact: Occurrence) -> int:
    return 0 if fact.lower is None or fact.upper is None else (fact.upper - fact.lower).days


def _allows(fact: Occurrence, day: date) -> bool:
    return fact.lower is not None and fact.upper is not None and fact.lower <= day <= fact.upper


def _at_least(fact: Occurrence) -> date:
    """The day of a fact, or the first that it can lie on: a death of which no more is known was lived up to."""
    return fact.date or fact.lower or date.min


def _is_later(day: date | None, than: date | None) -> bool:
    return day is not None and than is not None and day > than


def _by(cutoff: date, facts: Sequence[Occurrence], *, clamped: bool) -> Iterator[Occurrence]:
    """What is known at the cut-off; what lies after it is shown there where it is clamped."""
    for fact in facts:
        day = fact.lower if fact.date is None else fact.date
        if day is None or day <= cutoff:
            yield fact
        elif clamped and fact.date is not None:
            yield fact._replace(date=cutoff, flag="")


_DAY = attrgetter("date", "flag")  # on one day the complete date first
