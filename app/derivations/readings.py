"""The pages of a subject, each read with what it knows of the others: judged, and every dated fact found on it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from app.clinical.endpoints.occurrence import Occurrence
from app.derivations.clinical.ask import calculate
from app.derivations.gather import Recipe, occurrences, plan_of, recipe_of
from app.forms.answers import Context, Judgement, judge, late_questions
from app.forms.asking import RangeTable, Watch, watch
from app.forms.carried import alike
from app.forms.definition import Form, ItemType, Phase
from app.forms.expressions import ExpressionMistake
from app.forms.findings import PageRule, Question, fingerprint
from app.forms.rules import rules
from app.forms.tokens import members
from app.study.definition import Fact, Pick
from app.study.library import Build
from app.study.lookups import names_of, surroundings
from app.subjects.facts import Page
from app.subjects.lookups import Known, Lookups, kept_in, meant
from app.subjects.ranges import NO_RANGES, Ranges

_FIRST_ZONE = timedelta(hours=14)
"""How far the clocks of those are ahead of UTC for whom a day begins first."""

_REMEMBERED = 5000
"""So many pages are remembered per study version and process, some kB each once they were judged."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is read from the pages of one form version, and what they ask for beside their own answers."""

    recipe: Recipe
    facts: frozenset[str]
    order: tuple[str, ...]
    cited: tuple[str, ...]
    """The facts that published rules are asked with: their pages are kept beside the results."""
    ranges: bool
    checks: tuple[Watch, ...]
    unasked: tuple[str, ...]
    """The study's checks about numbers that this version counts otherwise: they are not asked here."""
    late: bool
    """Whether a check asks about the visit's window or an endpoint."""
    hands_on: bool
    """Whether a fact takes what is computed on the page: it is handed on to the pages of later days."""
    meant: tuple[tuple[Fact, Form], ...]
    """The facts that it asks for as another version of their form counts them than the one in force."""


@dataclass(eq=False)
class Reading:
    """One page with what it knows of the others. What it amounts to is worked out when it is asked for."""

    page: Page
    asked: _Asked
    facts: Mapping[str, Known]
    values: Mapping[str, Any]
    """The facts as expressions see them."""
    parameters: Mapping[str, Any]
    """The study's own."""
    limits: RangeTable | None
    ranges: UUID | None
    """The act that stated the limits of normal it knows; None where it asks for none."""
    meant: Mapping[str, Known]
    """Those of the facts that were counted otherwise when its version of the form was made, as they were then."""
    _found: list[tuple[str, Occurrence]] | None = field(default=None, init=False, repr=False)

    @property
    def form(self) -> Form:
        """The version of its form that it is kept in."""
        return self.asked.recipe.form

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Two readings of one key say the same."""
        page, facts, values = self.page, self.facts, self.values
        return (
            page.record_id,
            page.revision,
            page.at,  # a revision rolled back is none of these
            self.ranges,
            *(values.get(name) for name in self.asked.order),
            *(
                (each.record_id, each.revision)
                for name in self.asked.cited
                if name in facts
                for each in facts[name].pages
            ),
            *(each.value for each in self.meant.values()),
        )

    @cached_property
    def context(self) -> Context:
        """What it knows beside its own answers, for those who ask."""
        visit, checks, facts, values = self.page.place.visit, self.asked.checks, self.facts, self.values
        if self.meant:
            facts = {**facts, **self.meant}
            values = {**values, **{name: each.value for name, each in self.meant.items()}}
        lost = frozenset(name for name in self.asked.cited if name in facts and facts[name].lost)
        return Context(values, visit, self.parameters, calculate, self.limits, checks, lost)

    @property
    def in_force(self) -> Context:
        """The same as the study in force means it."""
        return self.context._replace(subject=self.values) if self.meant else self.context

    @cached_property
    def judged(self) -> Judgement:
        """The page judged."""
        return judge(self.form, self.page.answers, self.context)

    @property
    def occurrences(self) -> list[tuple[str, Occurrence]]:
        """Each dated fact of the page with its milestone."""
        if self._found is None:  # a cached property takes a lock in Python 3.11, which is much for as little as this
            self._found = occurrences(self.asked.recipe, self.page, self)
        return self._found

    @property
    def computed(self) -> Mapping[str, Any]:
        """What is computed on the page."""
        return self.judged.computed

    def questions(self, phase: Phase) -> list[Question]:
        """What looks wrong on the page, in this phase."""
        judged = [each for each in self.judged.questions if not each.phases or phase in each.phases]
        return [*judged, *self._ahead()]

    def _ahead(self) -> Iterator[Question]:
        """The days of what has happened that lay ahead, wherever on earth the page was saved.

        They are held against the day of the revision, and not against today, so that they are found again the same. A
        day that was worked out from other pages lies after the revision as a matter of course.
        """
        latest = (self.page.at.astimezone(UTC) + _FIRST_ZONE).date()
        ahead = {
            (fact.sources[0].item, fact.sources[0].row): fact.raw
            for _, fact in self.occurrences
            if fact.lower is not None and fact.lower > latest
        }
        for (item, row), raw in ahead.items():
            if self.form.item(item).type is not ItemType.COMPUTED:
                yield Question(item, row, "in_future", fingerprint=fingerprint(raw))

    def unasked(self, phase: Phase) -> Iterator[PageRule]:
        """The checks of the page that are not asked in this phase: what they found before stands."""
        for each in (*rules(self.form).checks, *self.asked.checks):
            if phase not in each.check.phases:
                yield PageRule(self.page.record_id, each.check.rule)
        for rule in self.asked.unasked:
            yield PageRule(self.page.record_id, rule)

    def asked_last(self, phase: Phase) -> Iterator[PageRule]:
        """The checks of the page that are asked in this phase and hang on what is derived last."""
        for each in self.asked.checks if self.asked.late else ():
            if each.late and phase in each.check.phases:
                yield PageRule(self.page.record_id, each.check.rule)

    def late(self, window: Mapping[str, Any], endpoint: Mapping[str, Any]) -> list[Question]:
        """What the checks find that ask about the visit's window and about endpoints."""
        computed = self.judged.computed if rules(self.form).order else {}
        last = {"window": window, "endpoint": endpoint}
        return late_questions(self.form, self.page.answers, self.context, computed, last)


@dataclass(frozen=True)
class Readings:
    """The pages of one subject that count; `values` are the facts that no single page decides."""

    by_place: Mapping[Any, Reading] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def captured(self) -> dict[str, list[Occurrence]]:
        """Every captured occurrence by milestone, and every date that proves life."""
        found: dict[str, list[Occurrence]] = defaultdict(list)
        for place in sorted(self.by_place):
            for milestone, fact in self.by_place[place].occurrences:
                found[milestone].append(fact)
        return dict(found)

    def late_rules(self, phase: Phase) -> frozenset[PageRule]:
        """The checks whose findings hang on what is derived last, on whichever page they are asked in this phase."""
        return frozenset(found for each in self.by_place.values() for found in each.asked_last(phase))


def read_pages(
    build: Build,
    forms: Callable[[str, int], Form],
    pages: Iterable[Page],
    ranges: Ranges = NO_RANGES,
    *,
    remember: bool = True,
) -> Readings:
    """The pages that count (none of them void), each with what it knows of the others.

    Pages are gone through by their day, so that what is computed on one is there for those of later days. `remember`
    keeps what a page said for the next save of its casebook; whoever goes through a whole study has no use for that.
    """
    known: dict[tuple[str, int], _Asked] = build.memo.setdefault("asked", {})
    dated = []
    for page in pages:
        asked = known.get((page.place.form, page.form_version)) or _asked(build, kept_in(build, page, forms), forms)
        dated.append((asked.recipe.form.day(page.answers), page.place, page, asked))
    dated.sort()
    lookups = Lookups(build, ((page, asked.recipe.form) for _, _, page, asked in dated), remember=remember)
    table = ranges.of(lookups.values)
    kept: dict[tuple[Any, ...], Reading] = build.memo.setdefault("readings", {})
    found = {}
    for _, place, page, asked in dated:
        reading = _reading(build, page, asked, lookups, ranges, table, forms)
        if remember:
            if len(kept) >= _REMEMBERED:
                kept.clear()
            reading = kept.setdefault(reading.key, reading)
        found[place] = reading
        if asked.hands_on:
            lookups.add(page, asked.recipe.form, reading.judged.computed)
    return Readings(found, lookups.values)


def hands_on(build: Build, form: Form) -> bool:
    """Whether a fact takes what is computed on the pages of a form version."""
    return any(
        fact.of_page and form.has(fact.item) and form.item(fact.item).type is ItemType.COMPUTED
        for fact in build.study.facts
        if fact.form == form.form
    )


def _reading(
    build: Build,
    page: Page,
    asked: _Asked,
    lookups: Lookups,
    ranges: Ranges,
    table: RangeTable | None,
    forms: Callable[[str, int], Form],
) -> Reading:
    facts: Mapping[str, Known] = lookups.settled
    values: Mapping[str, Any] = lookups.values
    if asked.facts:
        earlier = lookups.before(page, asked.recipe.form, asked.facts)
        if earlier:
            facts = {**facts, **earlier}
            values = {**values, **{name: each.value for name, each in earlier.items()}}
    limits, act = (table, ranges.act) if asked.ranges else (None, None)
    own = _NOTHING
    if asked.meant:
        own = {
            fact.name: meant(fact, facts[fact.name], form, lambda each: kept_in(build, each, forms), lookups.made)
            for fact, form in asked.meant
        }
    return Reading(page, asked, facts, values, build.study.named, limits, act, own)


_NOTHING: Mapping[str, Known] = {}


def _asked(build: Build, form: Form, forms: Callable[[str, int], Form]) -> _Asked:
    """What the pages of a form version ask for, worked out once per study version."""
    kept: dict[tuple[str, int], _Asked] = build.memo.setdefault("asked", {})
    found = kept.get((form.form, form.version))
    if found is None:
        compiled = rules(form)
        counted = tuple(_counted(build, form, forms))
        every = list(_checks(build, form))
        other = frozenset(fact.name for fact, _ in counted)
        checks = tuple(each for each in every if _counted_alike(build, form, each, other))
        facts = compiled.facts.union(
            *(each.facts for each in checks),
            *(members(each.when.text, "subject") for each in plan_of(build).readers.get(form.form, ()) if each.when),
        )
        if compiled.takes_ranges:
            facts |= {"sex", "birth_date"}
        late = any(each.late for each in checks)
        cited = tuple(sorted({name for each in compiled.calculations.values() for name in each.facts}))
        found = kept[form.form, form.version] = _Asked(
            recipe_of(plan_of(build), form),
            facts,
            tuple(sorted(facts)),
            cited,
            compiled.takes_ranges,
            checks,
            tuple(each.check.rule for each in every if each not in checks),
            late,
            hands_on(build, form),
            tuple((fact, then) for fact, then in counted if fact.name in facts),
        )
    return found


def _counted(build: Build, form: Form, forms: Callable[[str, int], Form]) -> Iterator[tuple[Fact, Form]]:
    """The facts that an older version of a form asks for as its study counted them then, with their form of then."""
    if build.forms.get(form.form) is form:
        return
    beside = build.beside.get((form.form, form.version), {})
    for fact in build.study.facts:
        current = build.forms[fact.form]
        version = form.version if fact.form == form.form else beside.get(fact.form, current.version)
        if version != current.version and fact.pick is not Pick.ANY:
            then = forms(fact.form, version)
            if not alike(then, current, fact.item):
                yield fact, then


def _checks(build: Build, form: Form) -> Iterator[Watch]:
    """The study's checks on a form.

    On an older version of it one is not asked that asks for items which that lacks, or that has the name of its own.
    """
    around, own = surroundings(build.study, build.forms), {each.id for each in form.checks}
    for check in build.study.checks:
        if check.form == form.form and form.has(check.item) and check.id not in own:
            try:
                yield watch(check, names_of(build.study, form, check.rows, around))
            except (ExpressionMistake, KeyError):
                continue


def _counted_alike(build: Build, form: Form, asked: Watch, counted: frozenset[str]) -> bool:
    """Whether a check of the study asks of this version of a form only what it counts as the version in force does."""
    rows = (item.id for name in asked.when.uses & form.row_sections.keys() for item in form.section(name).items)
    return counted.isdisjoint(asked.facts) and all(
        alike(form, build.forms[form.form], name) for name in (*asked.when.uses, *rows)
    )
