"""From pages to dated facts: every occurrence of every captured milestone, with the exact item it was read from."""

from collections.abc import Iterable, Iterator, Mapping
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


@dataclass(frozen=True)
class Plan:
    """What a study reads from each form, worked out once per study version."""

    milestones: Milestones
    readers: Mapping[str, tuple[_Reader, ...]]
    needed: Mapping[str, frozenset[str]]
    """What the conditions of a form's readers, those of rows aside, ask of a page."""
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
            readers.setdefault(source.form, []).append(_Reader(milestone.name, source, when))
    needed = {
        form: frozenset().union(*(each.when.uses for each in found if each.when and each.source.rows is None))
        for form, found in readers.items()
    }
    milestones = Milestones(build.study.milestones, build.study.endpoints)
    return Plan(milestones, {form: tuple(found) for form, found in readers.items()}, needed)


def gather(
    build: Build,
    forms: Mapping[tuple[str, int], Form],
    pages: list[Page],
    facts: Mapping[str, Any],
    *,
    remember: bool = True,
) -> dict[str, list[Occurrence]]:
    """Every captured occurrence of one subject, by milestone, and every date that proves life.

    `forms` holds each form version the pages were entered under; `facts` the study's declared facts. What a page
    said is remembered for the next save of its casebook; whoever goes through a whole study has no use for that.
    """
    found: dict[str, list[Occurrence]] = {}
    plan = plan_of(build)
    known = tuple((name, str(value)) for name, value in sorted(facts.items()))
    for page in pages:
        key = (page.record_id, page.revision, page.at, known)  # `at`: a revision rolled back is none of these
        read: Iterable[tuple[str, Occurrence]] | None = plan.read.get(key)
        if read is None:
            read = _read(plan, forms[page.place.form, page.form_version], page, facts)
            if remember:
                if len(plan.read) >= _READ_PAGES:
                    plan.read.clear()
                read = plan.read[key] = tuple(read)
        for milestone, fact in read:
            found.setdefault(milestone, []).append(fact)
    return found


def _read(plan: Plan, form: Form, page: Page, facts: Mapping[str, Any]) -> Iterator[tuple[str, Occurrence]]:
    """What one page says: each dated fact with its milestone."""
    context = Context(facts, page.place.visit)
    names: Mapping[str, Any] = {}
    if needed := plan.needed.get(form.form):
        names = variables(form, page.answers, context, needed=needed)
    seen: dict[Any, Occurrence | None] = {}  # one date of a page serves several milestones

    def fact(item: str, row: int | None, show: tuple[str, ...] = ()) -> Occurrence | None:
        which = (item, row, show)
        if which not in seen:
            seen[which] = _fact(page, form, item, row, show)
        return seen[which]

    for item, row in proving_life(form, page.answers, context):
        alive = fact(item, row)
        if alive is not None:
            yield LAST_ALIVE, alive
    for reader in plan.readers.get(form.form, ()):
        date, show = reader.source.date, reader.source.show
        for row in _places(form, page, reader, names, context):
            dated = None if reader.source.undated else fact(date, row, show)
            yield reader.milestone, dated or occurrence(None, _source(page, form, date, row, show))


def _places(
    form: Form, page: Page, reader: _Reader, names: Mapping[str, Any], context: Context
) -> Iterator[int | None]:
    """Where on the page the source is found and its condition holds: the page itself (None), or rows."""
    section, when = reader.source.rows, reader.when
    if section is None:
        if reader.source.date in page.answers if when is None else when.holds(names):
            yield None
        return
    for row in page.answers.get(section, ()):
        place = (section, row["row"])
        if when is None or when.holds(variables(form, page.answers, context, place, needed=when.uses)):
            yield row["row"]


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
