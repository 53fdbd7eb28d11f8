"""From pages to dated facts: every occurrence of every captured milestone, with the exact item it was read from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.clinical.endpoints.definition import LAST_ALIVE, MilestoneSource
from app.clinical.endpoints.milestones import Milestones
from app.clinical.endpoints.occurrence import Occurrence, Source, occurrence
from app.forms.answers import Context, plain, proving_life, variables
from app.forms.definition import Form
from app.forms.expressions import Expression, compile_expression
from app.forms.rules import kinds
from app.study.library import Build
from app.subjects.address import written
from app.subjects.facts import Page

_READ_PAGES = 20_000
"""So many pages are remembered per study version and process, about 1 kB each."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """One source of a milestone, with its condition compiled."""

    milestone: str
    source: MilestoneSource
    when: Expression | None
    needed: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """What a study reads from each form, worked out once per study version."""

    milestones: Milestones
    readers: Mapping[str, tuple[_Reader, ...]]
    read: dict[tuple[Any, ...], tuple[tuple[str, Occurrence], ...]] = field(default_factory=dict)
    """What revisions said that were read before: a revision never changes, and a save changes one page of many."""


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
            readers.setdefault(source.form, []).append(
                _Reader(milestone.name, source, when, when.uses if when else frozenset())
            )
    return Plan(Milestones(build.study.milestones), {form: tuple(found) for form, found in readers.items()})


def gather(
    build: Build, forms: Mapping[tuple[str, int], Form], pages: list[Page], facts: Mapping[str, Any]
) -> dict[str, list[Occurrence]]:
    """Every captured occurrence of one subject, by milestone, and every date that proves life.

    `forms` holds each form version the pages were entered under; `facts` the study's declared facts.
    """
    found: dict[str, list[Occurrence]] = {}
    plan = plan_of(build)
    known = tuple((name, str(value)) for name, value in sorted(facts.items()))
    for page in pages:
        key = (page.record_id, page.revision, known)
        read = plan.read.get(key)
        if read is None:
            read = tuple(_read(plan, forms[page.place.form, page.form_version], page, facts))
            if len(plan.read) >= _READ_PAGES:
                plan.read.clear()
            plan.read[key] = read
        for milestone, fact in read:
            found.setdefault(milestone, []).append(fact)
    return found


def _read(plan: Plan, form: Form, page: Page, facts: Mapping[str, Any]) -> Iterator[tuple[str, Occurrence]]:
    """What one page says: each dated fact with its milestone."""
    context = Context(facts, page.place.visit)
    for item, row in proving_life(form, page.answers, context):
        fact = _fact(page, form, item, row)
        if fact is not None:
            yield LAST_ALIVE, fact
    for reader in plan.readers.get(form.form, ()):
        date, show = reader.source.date, reader.source.show
        for row, inside in _rows(form, page, reader, context):
            if reader.when is None or reader.when.holds(inside):
                fact = _fact(page, form, date, row, show)
                yield reader.milestone, fact or occurrence(None, _source(page, form, date, row, show))


def _rows(form: Form, page: Page, reader: _Reader, context: Context) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    section = reader.source.rows
    if section is None:
        if reader.when is not None or reader.source.date in page.answers:
            yield None, _names(form, page, reader, context, None)
        return
    for row in page.answers.get(section, ()):
        yield row["row"], _names(form, page, reader, context, (section, row["row"]))


def _names(form: Form, page: Page, reader: _Reader, context: Context, row: tuple[str, int] | None) -> Mapping[str, Any]:
    return variables(form, page.answers, context, row, needed=reader.needed) if reader.when else {}


def _answer(page: Page, form: Form, item: str, row: int | None) -> Any:
    if row is None or not form.has(item) or not form.section_of(item).repeating:
        return page.answers.get(item)
    rows = page.answers.get(form.section_of(item).id, ())
    return next((each.get(item) for each in rows if each["row"] == row), None)


def _fact(page: Page, form: Form, item: str, row: int | None, show: tuple[str, ...] = ()) -> Occurrence | None:
    value = plain(_answer(page, form, item, row)).value
    return None if value is None else occurrence(str(value), _source(page, form, item, row, show))


def _source(page: Page, form: Form, item: str, row: int | None, show: tuple[str, ...]) -> Source:
    shown = ((name, plain(_answer(page, form, name, row)).value) for name in show)
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
