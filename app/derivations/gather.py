"""From pages to dated facts: every occurrence of every captured milestone, with the exact item it was read from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, Self

from app.clinical.endpoints.definition import LAST_ALIVE, MilestoneSource
from app.clinical.endpoints.milestones import Milestones
from app.clinical.endpoints.occurrence import Occurrence, Source, occurrence
from app.forms.answers import Context, proving_life, value_of, variables
from app.forms.carried import counted, otherwise
from app.forms.definition import Form, ItemType, MissingReason
from app.forms.expressions import Expression, compile_expression
from app.forms.rules import kinds, rules
from app.study.library import Build
from app.subjects.address import written
from app.subjects.facts import Page, Place


class Reader(NamedTuple):
    """One source of a milestone as it stands in the study file, with its condition compiled."""

    milestone: str
    item: str
    rows: str | None
    undated: bool
    show: tuple[str, ...]
    when: Expression | None

    @classmethod
    def of(cls, milestone: str, source: MilestoneSource, form: Form) -> Self:
        """Compiled against the items of the form, or of the rows."""
        names = kinds(form, form.section(source.rows) if source.rows else None)
        when = compile_expression(source.when, names) if source.when else None
        return cls(milestone, source.date, source.rows, source.undated, source.show, when)


class _Taken(NamedTuple):
    """Where an item is found: among the answers or the computed items, in which repeating section."""

    computed: bool
    section: str | None


class Beside(Protocol):
    """What is known beside a page, worked out when it is asked for: few pages are read with more than themselves."""

    @property
    def context(self) -> Context:
        """What it knows of the other pages, as its own version of the form means it."""

    @property
    def in_force(self) -> Context:
        """The same as the study in force means it."""

    @property
    def computed(self) -> Mapping[str, Any]:
        """What is computed on it."""


_PAGE: Sequence[int | None] = (None,)
"""The page itself, where rows are asked for."""

_NOTHING = Context()
_NEVER = frozenset({MissingReason.NOT_DONE, MissingReason.NOT_APPLICABLE})
"""Reasons for having no date that say that there was nothing to date."""


@dataclass(frozen=True)
class Plan:
    """What a study reads from each form, worked out once per study version."""

    milestones: Milestones
    readers: Mapping[str, tuple[Reader, ...]]
    forms: Mapping[str, Form]
    """The versions in force: by them the study's conditions count."""


class Recipe(NamedTuple):
    """What is read from the pages of one form version."""

    form: Form
    readers: tuple[Reader, ...]
    alive: Sequence[str] | None
    """The items that prove life wherever they have a value; None where rows or conditions are to be asked."""
    needed: frozenset[str]
    """What the conditions of the readers, those of rows aside, ask of a page."""
    asks_computed: bool
    """Whether its readers ask for, show, or take their day from computed items."""
    taken: Mapping[str, _Taken]
    """Of each item that is not simply entered on the page itself."""
    alone: bool
    """Whether all days are entered on the page itself, on conditions about no more than that."""
    counts: Form | None
    """The version in force, where it counts numbers otherwise."""


def plan_of(build: Build) -> Plan:
    """The reading plan of a study version."""
    found: Plan | None = build.memo.get("reading")
    if found is None:
        found = build.memo["reading"] = _plan(build)
    return found


def _plan(build: Build) -> Plan:
    readers: dict[str, list[Reader]] = {}
    for milestone in build.study.milestones:
        for source in milestone.from_:
            reader = Reader.of(milestone.name, source, build.forms[source.form])
            readers.setdefault(source.form, []).append(reader)
    milestones = Milestones(build.study.milestones, build.study.endpoints)
    return Plan(milestones, {form: tuple(found) for form, found in readers.items()}, build.forms)


def recipe_of(plan: Plan, form: Form) -> Recipe:
    """What is read from the pages of a form version."""
    readers = plan.readers.get(form.form, ())
    needed = frozenset().union(*(each.when.uses for each in readers if each.when and each.rows is None))
    rows = {item.id: section.id for section in form.row_sections.values() for item in section.items}
    taken = {
        item.id: _Taken(item.type is ItemType.COMPUTED, rows.get(item.id))
        for item in form.items
        if item.type is ItemType.COMPUTED or item.id in rows
    }
    life = rules(form).life
    sure = not any(each.section or each.within or each.shown or each.condition for each in life)
    alive = tuple(each.item for each in life) if sure else None
    asks_computed = any(_asks_computed(form, each) for each in readers)
    current = plan.forms.get(form.form, form)
    counts = current if readers and otherwise(form, current) else None
    asked = needed.union(each.item for each in readers)
    alone = (
        sure
        and not asks_computed
        and counts is None
        and asked.isdisjoint({"subject", "study", "visit", "missing", "unit", *form.row_sections, *taken})
        and not any(each.rows or each.undated or each.show for each in readers)
    )
    return Recipe(form, readers, alive, needed, asks_computed, taken, alone, counts)


def _asks_computed(form: Form, reader: Reader) -> bool:
    uses = reader.when.uses if reader.when is not None else frozenset()
    names = {reader.item, *reader.show, *uses}
    names |= {item.id for name in uses & form.row_sections.keys() for item in form.row_sections[name].items}
    return any(form.has(name) and form.item(name).type is ItemType.COMPUTED for name in names)


def occurrences(recipe: Recipe, page: Page, beside: Beside) -> list[tuple[str, Occurrence]]:
    """What one page says: each dated fact with its milestone, and every date that proves life."""
    return _alone(recipe, page) if recipe.alone else list(_PageReading(recipe, page, beside).occurrences())


def _alone(recipe: Recipe, page: Page) -> list[tuple[str, Occurrence]]:
    """The same of a page that needs nothing beside it, by a shorter way."""
    answers = page.answers
    names = variables(recipe.form, answers, _NOTHING, needed=recipe.needed) if recipe.needed else {}
    dated: dict[str, Occurrence] = {}  # one day of a page serves several milestones
    found = [
        (LAST_ALIVE, dated.get(item) or _entered(page, item, dated))
        for item in recipe.alive or ()
        if value_of(answers.get(item)) is not None
    ]
    for milestone, item, _, _, _, when in recipe.readers:
        if when.holds(names) if when is not None else _happened(answers.get(item)):
            found.append((milestone, dated.get(item) or _entered(page, item, dated)))
    return found


def _happened(answer: Any) -> bool:
    """Whether a date to which no condition is set says that it happened: a day, or why none is known."""
    return answer is not None and (not isinstance(answer, dict) or answer.get("missing") not in _NEVER)


def _entered(page: Page, item: str, dated: dict[str, Occurrence]) -> Occurrence:
    """What an item of the page itself dates."""
    value = value_of(page.answers.get(item))
    source = _source(page.place, page.revision, item)
    found = dated[item] = occurrence(None if value is None else str(value), source)
    return found


@lru_cache(maxsize=8192)  # pages of all subjects have the same places
def _source(place: Place, revision: int, item: str) -> Source:
    return Source(place.form, written(place.visit, place.visit_repeat), place.repeat, item, revision)


class _PageReading:
    """One page while it is read with what is known beside it."""

    def __init__(self, recipe: Recipe, page: Page, beside: Beside) -> None:
        self._recipe, self._page, self._answers, self._beside = recipe, page, page.answers, beside
        self._made = beside.computed if recipe.asks_computed else None
        self._counted, self._made_counted = self._answers, self._made
        if recipe.counts is not None:
            self._counted = counted(recipe.form, recipe.counts, self._answers)
            self._made_counted = counted(recipe.form, recipe.counts, self._made or {})

    def occurrences(self) -> Iterator[tuple[str, Occurrence]]:
        """Each dated fact with its milestone."""
        form, needed = self._recipe.form, self._recipe.needed
        for item, row in proving_life(form, self._answers, self._beside.context):
            yield LAST_ALIVE, self._fact(item, row)
        names = variables(form, self._counted, self._beside.in_force, needed=needed, computed=self._made_counted)
        for milestone, item, section, undated, show, when in self._recipe.readers:
            if section is not None:
                rows = self._rows(section, item, when)
            elif _happened(self._answer(item, None)) if when is None else when.holds(names):
                rows = _PAGE
            else:
                continue
            for row in rows:
                yield milestone, self._fact(item, row, show, undated=undated)

    def _fact(self, item: str, row: int | None, show: Sequence[str] = (), *, undated: bool = False) -> Occurrence:
        """What an item dates: on its day, or on none where it is empty or its day is not that of the fact."""
        value = None if undated else self._value(item, row)
        source = _source(self._page.place, self._page.revision, item)
        if row is not None or show:
            source = source._replace(row=row, show=self._shown(show, row))
        return occurrence(None if value is None else str(value), source)

    def _shown(self, show: Sequence[str], row: int | None) -> tuple[tuple[str, str], ...]:
        """What the study shows beside it."""
        values = ((name, self._value(name, row)) for name in show)
        return tuple((name, _text(value)) for name, value in values if value is not None)

    def _rows(self, section: str, item: str, when: Expression | None) -> Sequence[int | None]:
        """The rows in which a condition holds; without one, those that do not say that there was nothing to date."""
        rows = self._counted.get(section, ())
        if when is None:
            return [row["row"] for row in rows if row.get(item) is None or _happened(row[item])]
        form, answers, context = self._recipe.form, self._counted, self._beside.in_force
        return [
            row["row"]
            for row in rows
            if when.holds(
                variables(form, answers, context, (section, row["row"]), needed=when.uses, computed=self._made_counted)
            )
        ]

    def _value(self, item: str, row: int | None) -> Any:
        return value_of(self._answer(item, row))

    def _answer(self, item: str, row: int | None) -> Any:
        """The answer of an item, or what was computed for it."""
        taken = self._recipe.taken.get(item)
        if taken is None:
            return self._answers.get(item)
        answers = (self._made or {}) if taken.computed else self._answers
        if row is None or taken.section is None:
            return answers.get(item)
        return next((each.get(item) for each in answers.get(taken.section, ()) if each["row"] == row), None)


def _text(value: Any) -> str:
    return "|".join(value) if isinstance(value, list) else str(value)
