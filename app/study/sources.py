"""Whether what a milestone reads is there: form, date item, row, condition, items shown."""

from collections.abc import Iterable, Iterator, Mapping

from app.clinical.endpoints.definition import Milestone, MilestoneSource
from app.forms.definition import Form, ItemType, Section
from app.forms.expressions import ExpressionMistake, Kind, compile_expression
from app.forms.mistakes import Fault, near
from app.forms.rules import Surroundings, kinds
from app.study.definition import Study

Path = tuple[str | int, ...]

_DATES = {ItemType.DATE, ItemType.PARTIAL_DATE}


def milestone_faults(
    study: Study, path: Path, milestone: Milestone, known: Mapping[str, Form], around: Surroundings
) -> Iterator[Fault]:
    """A milestone's sources exist, hold dates and have sound conditions; a gap counts planned visits."""
    for number, source in enumerate(milestone.from_):
        yield from _source(study, (*path, "from", number), source, known, around)
    if milestone.gap is not None:
        dated = {visit.code for visit in study.visits if visit.anchor is not None}
        for number, code in enumerate(milestone.gap.visits):
            if code not in dated:
                remedy = near(code, dated, otherwise="Name visits that have an anchor")
                yield Fault((*path, "gap", "visits", number), f"there is no planned visit {code!r}", remedy)


def _source(
    study: Study, path: Path, source: MilestoneSource, known: Mapping[str, Form], around: Surroundings
) -> Iterator[Fault]:
    yield from item_faults(study, known, path, "date", (source.form, source.date))
    form = known.get(source.form)
    if form is None:
        return
    section = form.row_sections.get(source.rows) if source.rows is not None else None
    if source.rows is not None and section is None:
        remedy = near(source.rows, form.row_sections, otherwise=f"{source.form} has no repeating section")
        yield Fault((*path, "rows"), f"{source.rows!r} is no repeating section of {source.form}", remedy)
        return
    if form.has(source.date):
        if form.item(source.date).value_type not in _DATES:
            yield Fault((*path, "date"), f"{source.date!r} is no date", "Name an item of type date or partial_date")
        yield from _row(form, (*path, "date"), source.date, section)
    for number, item in enumerate(source.show):
        here: Path = (*path, "show", number)
        if form.has(item):
            yield from _row(form, here, item, section)
            shown = form.item(item)
            if shown.value_type is ItemType.TEXT and shown.calculation is None:
                remedy = "Show a coded item, a number or a date: what is shown goes where endpoints go"
                yield Fault(here, f"{item!r} is free text, which may name a person", remedy)
        else:
            yield _unknown_item(form, here, item)
    if source.when is not None:
        yield from condition_faults((*path, "when"), source.when, kinds(form, section, around=around))


def _row(form: Form, path: Path, item: str, section: Section | None) -> Iterator[Fault]:
    """An item of a row is only one value inside its row."""
    holder = form.section_of(item)
    if holder.repeating and (section is None or holder.id != section.id):
        yield Fault(path, f"{item!r} stands in the rows of {holder.id!r}", f'Add rows = "{holder.id}"')


def item_faults(
    study: Study, known: Mapping[str, Form], path: Path, key: str, named: tuple[str, str]
) -> Iterator[Fault]:
    """The form is listed in the study, and has the item; `named` is (form, item), `key` the key that names the item."""
    form_id, item = named
    if form_id not in study.forms:
        remedy = near(form_id, study.forms, otherwise=f"Add `{form_id} = 1` to [forms]")
        yield Fault((*path, "form"), f"the form {form_id!r} is not listed in [forms]", remedy)
    elif form_id in known and not known[form_id].has(item):
        yield _unknown_item(known[form_id], (*path, key), item)


def _unknown_item(form: Form, path: Path, item: str) -> Fault:
    ids = [known.id for known in form.items]
    return Fault(path, f"{form.name()} has no item {item!r}", near(item, ids, otherwise=f"Items are {', '.join(ids)}"))


def condition_faults(path: Path, text: str, names: Mapping[str, Kind]) -> Iterable[Fault]:
    """Whether a condition can be compiled over these names."""
    try:
        compile_expression(text, names, strict=True)
    except ExpressionMistake as mistake:
        return [Fault(path, f"column {mistake.column}: {mistake.message}", mistake.remedy)]
    return []
