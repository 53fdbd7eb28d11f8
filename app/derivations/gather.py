"""From pages to dated facts: every occurrence of every captured milestone, with the exact item it was read from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from app.clinical.endpoints.definition import LAST_ALIVE, MilestoneSource
from app.clinical.endpoints.milestones import Milestones
from app.clinical.endpoints.occurrence import Occurrence, Source, occurrence
from app.forms.answers import Context, proving_life, value_of, variables
from app.forms.definition import Form, ItemType
from app.forms.expressions import Expression, compile_expression
from app.forms.rules import kinds, rules
from app.study.library import Build
from app.subjects.address import written
from app.subjects.facts import Page


class Reader(NamedTuple):
    """One source of a milestone as it stands in the study file, with its condition compiled."""

    milestone: str
    item: str
    rows: str | None
    undated: bool
    show: tuple[str, ...]
    when: Expression | None
    plain: bool = False
    """Whether it takes its day from an item of the page itself and shows nothing beside it: most do."""

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


_PAGE: Sequence[int | None] = (None,)
"""The page itself, where rows are asked for."""


@dataclass(frozen=True)
class Plan:
    """What a study reads from each form, worked out once per study version."""

    milestones: Milestones
    readers: Mapping[str, tuple[Reader, ...]]
    asking_computed: frozenset[str]
    """The forms whose readers ask for, show, or take their day from computed items."""


class Recipe(NamedTuple):
    """What is read from the pages of one form version."""

    form: Form
    readers: tuple[Reader, ...]
    alive: Sequence[tuple[str, None]] | None
    """The items that prove life wherever they have a value; None where rows or conditions are to be asked."""
    needed: frozenset[str]
    """What the conditions of the readers, those of rows aside, ask of a page."""
    asks_computed: bool
    taken: Mapping[str, _Taken]
    """Of each item that is not simply entered on the page itself."""


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
    computed = frozenset(
        form for form, found in readers.items() if any(_asks_computed(build.forms[form], each) for each in found)
    )
    return Plan(milestones, {form: tuple(found) for form, found in readers.items()}, computed)


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
    readers = tuple(
        each._replace(plain=not (each.rows or each.undated or each.show or each.item in taken)) for each in readers
    )
    life = rules(form).life
    sure = not any(each.section or each.within or each.shown or each.condition for each in life)
    alive = tuple((each.item, None) for each in life) if sure else None
    return Recipe(form, readers, alive, needed, form.form in plan.asking_computed, taken)


def _asks_computed(form: Form, reader: Reader) -> bool:
    uses = reader.when.uses if reader.when is not None else frozenset()
    names = {reader.item, *reader.show, *uses}
    names |= {item.id for name in uses & form.row_sections.keys() for item in form.row_sections[name].items}
    return any(form.has(name) and form.item(name).type is ItemType.COMPUTED for name in names)


def occurrences(
    recipe: Recipe, page: Page, context: Context, computed: Callable[[], Mapping[str, Any]]
) -> list[tuple[str, Occurrence]]:
    """What one page says: each dated fact with its milestone, and every date that proves life.

    `computed` gives the computed items of the page, which most conditions do not ask for.
    """
    form, readers, alive, needed, asks_computed, _ = recipe
    reading = _PageReading(recipe, page, computed() if asks_computed else None)
    answers, fact, seen = page.answers, reading.fact, reading.seen
    found: list[tuple[str, Occurrence]] = []
    add = found.append
    for item, row in proving_life(form, answers, context) if alive is None else alive:
        if row is not None or value_of(answers.get(item)) is not None:
            add((LAST_ALIVE, fact(item, row)))
    names = variables(form, answers, context, needed=needed, computed=reading.made) if needed else {}
    for milestone, item, section, undated, show, when, plain in readers:
        if plain:
            if when.holds(names) if when is not None else answers.get(item) is not None:
                add((milestone, seen.get(item) or fact(item, None)))
            continue
        if section is not None:
            rows = reading.rows(section, when, context)
        elif reading.has(item) if when is None else when.holds(names):
            rows = _PAGE
        else:
            continue
        for row in rows:
            add((milestone, fact(item, row, show, undated)))
    return found


class _PageReading:
    """One page while it is read: one date of a page serves several milestones."""

    __slots__ = ("_answers", "_page", "_recipe", "made", "seen")

    def __init__(self, recipe: Recipe, page: Page, made: Mapping[str, Any] | None) -> None:
        self._recipe, self._page, self._answers, self.made = recipe, page, page.answers, made
        self.seen: dict[Any, Occurrence] = {}

    def fact(self, item: str, row: int | None, show: Sequence[str] = (), undated: bool = False) -> Occurrence:
        """What an item dates: on its day, or on none where it is empty or its day is not that of the fact."""
        which = (item, row, show, undated) if show or undated or row is not None else item
        found = self.seen.get(which)
        if found is None:
            value = None if undated else self._value(item, row)
            found = self.seen[which] = occurrence(None if value is None else str(value), self._source(item, row, show))
        return found

    def has(self, item: str) -> bool:
        """Whether the page has an answer, if only a reason why there is no value."""
        return self._answer(item, None) is not None

    def rows(self, section: str, when: Expression | None, context: Context) -> Sequence[int | None]:
        """The rows in which a condition holds."""
        form, answers = self._recipe.form, self._answers
        return [
            row["row"]
            for row in answers.get(section, ())
            if when is None
            or when.holds(
                variables(form, answers, context, (section, row["row"]), needed=when.uses, computed=self.made)
            )
        ]

    def _source(self, item: str, row: int | None, show: Sequence[str]) -> Source:
        """The exact item, with what the study shows beside it."""
        shown: tuple[tuple[str, str], ...] = ()
        if show:
            values = ((name, self._value(name, row)) for name in show)
            shown = tuple((name, _text(value)) for name, value in values if value is not None)
        place = self._page.place
        return Source(
            place.form, written(place.visit, place.visit_repeat), place.repeat, item, self._page.revision, row, shown
        )

    def _value(self, item: str, row: int | None) -> Any:
        return value_of(self._answer(item, row))

    def _answer(self, item: str, row: int | None) -> Any:
        """The answer of an item, or what was computed for it."""
        taken = self._recipe.taken.get(item)
        if taken is None:
            return self._answers.get(item)
        answers = (self.made or {}) if taken.computed else self._answers
        if row is None or taken.section is None:
            return answers.get(item)
        return next((each.get(item) for each in answers.get(taken.section, ()) if each["row"] == row), None)


def _text(value: Any) -> str:
    return "|".join(value) if isinstance(value, list) else str(value)
