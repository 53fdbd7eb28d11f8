"""From pages to dated facts: every occurrence of every captured milestone, with the exact item it was read from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.clinical.endpoints.definition import LAST_ALIVE, MilestoneSource
from app.clinical.endpoints.milestones import Milestones
from app.clinical.endpoints.occurrence import Occurrence, Source, occurrence
from app.forms.answers import Context, plain, proving_life, variables
from app.forms.definition import Form, ItemType
from app.forms.expressions import Expression, compile_expression
from app.forms.rules import kinds
from app.study.library import Build
from app.subjects.address import written
from app.subjects.facts import Page


@dataclass(frozen=True, slots=True)
class _Reader:
    """One source of a milestone, with its condition compiled."""

    milestone: str
    source: MilestoneSource
    when: Expression | None


@dataclass(frozen=True)
class Plan:
    """What a study reads from each form, worked out once per study version."""

    milestones: Milestones
    readers: Mapping[str, tuple[_Reader, ...]]
    needed: Mapping[str, frozenset[str]]
    """What the conditions of a form's readers, those of rows aside, ask of a page."""
    asking_computed: frozenset[str]
    """The forms whose readers ask for, show, or take their day from computed items."""


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
    needed = {
        form: frozenset().union(*(each.when.uses for each in found if each.when and each.source.rows is None))
        for form, found in readers.items()
    }
    milestones = Milestones(build.study.milestones, build.study.endpoints)
    computed = frozenset(
        form for form, found in readers.items() if any(_computed(build.forms[form], each) for each in found)
    )
    return Plan(milestones, {form: tuple(found) for form, found in readers.items()}, needed, computed)


def _computed(form: Form, reader: _Reader) -> bool:
    uses = reader.when.uses if reader.when is not None else frozenset()
    names = {reader.source.date, *reader.source.show, *uses}
    names |= {item.id for name in uses & form.row_sections.keys() for item in form.row_sections[name].items}
    return any(form.has(name) and form.item(name).type is ItemType.COMPUTED for name in names)


def occurrences(
    plan: Plan, form: Form, page: Page, context: Context, computed: Callable[[], Mapping[str, Any]]
) -> Iterator[tuple[str, Occurrence]]:
    """What one page says: each dated fact with its milestone, and every date that proves life.

    `computed` gives the computed items of the page, which most conditions do not ask for.
    """
    made = computed() if form.form in plan.asking_computed else None
    names: Mapping[str, Any] = {}
    if needed := plan.needed.get(form.form):
        names = variables(form, page.answers, context, needed=needed, computed=made)
    seen: dict[Any, Occurrence | None] = {}  # one date of a page serves several milestones

    def fact(item: str, row: int | None, show: tuple[str, ...] = ()) -> Occurrence | None:
        which = (item, row, show)
        if which not in seen:
            seen[which] = _fact(page, form, made, item, row, show)
        return seen[which]

    for item, row in proving_life(form, page.answers, context):
        alive = fact(item, row)
        if alive is not None:
            yield LAST_ALIVE, alive
    for reader in plan.readers.get(form.form, ()):
        date, show = reader.source.date, reader.source.show
        for row in _places(form, page, reader, names, context, made):
            dated = None if reader.source.undated else fact(date, row, show)
            yield reader.milestone, dated or occurrence(None, _source(page, form, made, date, row, show))


def _places(
    form: Form,
    page: Page,
    reader: _Reader,
    names: Mapping[str, Any],
    context: Context,
    made: Mapping[str, Any] | None,
) -> Iterator[int | None]:
    """Where on the page the source is found and its condition holds: the page itself (None), or rows."""
    section, when = reader.source.rows, reader.when
    if section is None:
        if _answer(page, form, made, reader.source.date, None) is not None if when is None else when.holds(names):
            yield None
        return
    for row in page.answers.get(section, ()):
        place = (section, row["row"])
        if when is None or when.holds(variables(form, page.answers, context, place, needed=when.uses, computed=made)):
            yield row["row"]


def _answer(page: Page, form: Form, made: Mapping[str, Any] | None, item: str, row: int | None) -> Any:
    """The answer of an item, or what was computed for it."""
    entered = not form.has(item) or form.item(item).type is not ItemType.COMPUTED
    answers = page.answers if entered else made or {}
    if row is None or not form.has(item) or not form.section_of(item).repeating:
        return answers.get(item)
    rows = answers.get(form.section_of(item).id, ())
    return next((each.get(item) for each in rows if each["row"] == row), None)


def _fact(
    page: Page, form: Form, made: Mapping[str, Any] | None, item: str, row: int | None, show: tuple[str, ...] = ()
) -> Occurrence | None:
    value = plain(_answer(page, form, made, item, row)).value
    return None if value is None else occurrence(str(value), _source(page, form, made, item, row, show))


def _source(
    page: Page, form: Form, made: Mapping[str, Any] | None, item: str, row: int | None, show: tuple[str, ...]
) -> Source:
    shown = ((name, plain(_answer(page, form, made, name, row)).value) for name in show)
    return Source(
        form=page.place.form,
        visit=written(page.place.visit, page.place.visit_repeat),
        repeat=page.place.repeat,
        item=item,
        revision=page.revision,
        row=row,
        show=tuple((name, _text(value)) for name, value in shown if value is not None),
    )


def _text(value: Any) -> str:
    return "|".join(value) if isinstance(value, list) else str(value)
