"""From pages to dated facts: every occurrence of every captured milestone, with the exact item it was read from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.clinical.endpoints.definition import LAST_ALIVE, MilestoneSource
from app.clinical.endpoints.milestones import Milestones
from app.clinical.endpoints.occurrence import Occurrence, Source, occurrence
from app.forms.answers import Context, proving_life, value_of, variables
from app.forms.definition import Form, ItemType
from app.forms.expressions import Expression, compile_expression
from app.forms.rules import kinds
from app.study.library import Build
from app.subjects.address import written
from app.subjects.facts import Page


class _Reader(NamedTuple):
    """One source of a milestone, with its condition compiled."""

    milestone: str
    source: MilestoneSource
    when: Expression | None


class _Taken(NamedTuple):
    """Where an item of a form is found: among the answers or the computed items, in which repeating section."""

    computed: bool
    section: str | None


_ENTERED = _Taken(computed=False, section=None)


@dataclass(frozen=True)
class Plan:
    """What a study reads from each form, worked out once per study version."""

    milestones: Milestones
    readers: Mapping[str, tuple[_Reader, ...]]
    asking_computed: frozenset[str]
    """The forms whose readers ask for, show, or take their day from computed items."""


class Recipe(NamedTuple):
    """What is read from the pages of one form version."""

    form: Form
    readers: tuple[_Reader, ...]
    needed: frozenset[str]
    """What the conditions of the readers, those of rows aside, ask of a page."""
    asks_computed: bool
    taken: Mapping[str, _Taken]


def plan_of(build: Build) -> Plan:
    """The reading plan of a study version."""
    found: Plan | None = build.memo.get("reading")
    if found is None:
        found = build.memo["reading"] = _plan(build)
    return found


def _plan(build: Build) -> Plan:
    readers: dict[str, list[_Reader]] = {}
    for milestone in build.study.milestones:
        for source in milestone.from_:
            form = build.forms[source.form]
            names = kinds(form, form.section(source.rows) if source.rows else None)
            when = compile_expression(source.when, names) if source.when else None
            readers.setdefault(source.form, []).append(_Reader(milestone.name, source, when))
    milestones = Milestones(build.study.milestones, build.study.endpoints)
    computed = frozenset(
        form for form, found in readers.items() if any(_asks_computed(build.forms[form], each) for each in found)
    )
    return Plan(milestones, {form: tuple(found) for form, found in readers.items()}, computed)


def recipe_of(plan: Plan, form: Form) -> Recipe:
    """What is read from the pages of a form version."""
    readers = plan.readers.get(form.form, ())
    needed = frozenset().union(*(each.when.uses for each in readers if each.when and each.source.rows is None))
    rows = {item.id: section.id for section in form.row_sections.values() for item in section.items}
    taken = {item.id: _Taken(item.type is ItemType.COMPUTED, rows.get(item.id)) for item in form.items}
    return Recipe(form, readers, needed, form.form in plan.asking_computed, taken)


def _asks_computed(form: Form, reader: _Reader) -> bool:
    uses = reader.when.uses if reader.when is not None else frozenset()
    names = {reader.source.date, *reader.source.show, *uses}
    names |= {item.id for name in uses & form.row_sections.keys() for item in form.row_sections[name].items}
    return any(form.has(name) and form.item(name).type is ItemType.COMPUTED for name in names)


def occurrences(
    recipe: Recipe, page: Page, context: Context, computed: Callable[[], Mapping[str, Any]]
) -> list[tuple[str, Occurrence]]:
    """What one page says: each dated fact with its milestone, and every date that proves life.

    `computed` gives the computed items of the page, which most conditions do not ask for.
    """
    form, readers, needed, asks_computed, _ = recipe
    reading = _PageReading(recipe, page, computed() if asks_computed else None)
    found = []
    for item, row in proving_life(form, page.answers, context):
        alive = reading.fact(item, row)
        if alive is not None:
            found.append((LAST_ALIVE, alive))
    names = variables(form, page.answers, context, needed=needed, computed=reading.made) if needed else {}
    for milestone, source, when in readers:
        if source.rows is not None:
            rows: list[int | None] = reading.rows(source.rows, when, context)
        elif reading.has(source.date) if when is None else when.holds(names):
            rows = [None]
        else:
            continue
        for row in rows:
            dated = None if source.undated else reading.fact(source.date, row, source.show)
            found.append((milestone, dated or occurrence(None, reading.source(source.date, row, source.show))))
    return found


class _PageReading:
    """One page while it is read: one date of a page serves several milestones."""

    __slots__ = ("_page", "_recipe", "_seen", "_visit", "made")

    def __init__(self, recipe: Recipe, page: Page, made: Mapping[str, Any] | None) -> None:
        self._recipe, self._page, self.made = recipe, page, made
        self._visit = written(page.place.visit, page.place.visit_repeat)
        self._seen: dict[Any, Occurrence | None] = {}

    def fact(self, item: str, row: int | None, show: tuple[str, ...] = ()) -> Occurrence | None:
        """The dated fact of an item, None where it is empty."""
        which = (item, row, show)
        if which not in self._seen:
            value = self._value(item, row)
            self._seen[which] = None if value is None else occurrence(str(value), self.source(item, row, show))
        return self._seen[which]

    def has(self, item: str) -> bool:
        """Whether the page has an answer, if only a reason why there is no value."""
        return self._answer(item, None) is not None

    def rows(self, section: str, when: Expression | None, context: Context) -> list[int | None]:
        """The rows in which a condition holds."""
        form, answers = self._recipe.form, self._page.answers
        return [
            row["row"]
            for row in answers.get(section, ())
            if when is None
            or when.holds(
                variables(form, answers, context, (section, row["row"]), needed=when.uses, computed=self.made)
            )
        ]

    def source(self, item: str, row: int | None, show: tuple[str, ...]) -> Source:
        """The exact item, with what the study shows beside it."""
        shown: tuple[tuple[str, str], ...] = ()
        if show:
            values = ((name, self._value(name, row)) for name in show)
            shown = tuple((name, _text(value)) for name, value in values if value is not None)
        place = self._page.place
        return Source(place.form, self._visit, place.repeat, item, self._page.revision, row, shown)

    def _value(self, item: str, row: int | None) -> Any:
        return value_of(self._answer(item, row))

    def _answer(self, item: str, row: int | None) -> Any:
        """The answer of an item, or what was computed for it."""
        computed, section = self._recipe.taken.get(item, _ENTERED)
        answers = (self.made or {}) if computed else self._page.answers
        if row is None or section is None:
            return answers.get(item)
        return next((each.get(item) for each in answers.get(section, ()) if each["row"] == row), None)


def _text(value: Any) -> str:
    return "|".join(value) if isinstance(value, list) else str(value)
