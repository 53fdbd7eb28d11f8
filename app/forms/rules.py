"""The expressions of one form version, compiled once per process: what may be named where, what is computed when."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from app.forms.asking import Asking, Watch, asking, watch
from app.forms.definition import Calculation, Form, Item, ItemType, Section
from app.forms.expressions import Coded, Expression, Facts, Kind, Result, Rows, Scalar, compile_expression
from app.forms.results import variable_of
from app.forms.tokens import members

_SCALARS: Mapping[ItemType, Scalar] = {
    ItemType.TEXT: "text",
    ItemType.INTEGER: "number",
    ItemType.DECIMAL: "number",
    ItemType.DATE: "date",
    ItemType.PARTIAL_DATE: "partial_date",
    ItemType.TIME: "time",
}
_ROW_NUMBER: Mapping[str, Scalar] = {"row": "number"}
RESULT_KINDS: Mapping[ItemType, Result] = {
    ItemType.DECIMAL: "number",
    ItemType.INTEGER: "number",
    ItemType.TEXT: "text",
    ItemType.DATE: "text",
    ItemType.YES_NO: "any",  # true/false, or the texts 'Y' and 'N'
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a study gives its forms: the kinds of its facts on a subject and of its own parameters.

    None where the study is not known, and any name is let through.
    """

    facts: Mapping[str, Scalar] | None = None
    study: Mapping[str, Scalar] | None = None


ANYWHERE = Surroundings()


def kind_of(item: Item) -> Scalar:
    """What an item is to an expression."""
    if item.value_type is ItemType.MULTIPLE:
        return Coded.of("list", item.codeset)
    if item.value_type is ItemType.SINGLE:
        return Coded.of("text", item.codeset)
    if item.value_type is ItemType.YES_NO:
        return Coded.of("text", "YN")
    return _SCALARS.get(item.value_type, "text")  # a computed item without a result has its own mistake


def kinds(form: Form, section: Section | None = None, *, around: Surroundings = ANYWHERE) -> dict[str, Kind]:
    """The names an expression of this form may use: on the page, or inside a row of `section`."""
    names: dict[str, Kind] = {
        "subject": "map" if around.facts is None else Facts(around.facts),
        "study": "map" if around.study is None else Facts(around.study),
        "visit": "text",
        "missing": Facts({item.id: Coded.of("text", map(str, item.missing)) for item in form.items}),
        "unit": Facts({name: Coded.of("text", [unit, *form.item(name).units]) for name, unit in form.units.items()}),
    }
    for part in form.sections:
        if part.repeating:
            names[part.id] = Rows({**_ROW_NUMBER, **{item.id: kind_of(item) for item in part.items}})
        if not part.repeating or (section is not None and part.id == section.id):
            names |= {item.id: kind_of(item) for item in part.items}
    return names


class Life(NamedTuple):
    """A date that may prove life: the repeating section it stands in, and the conditions that have to hold."""

    section: str | None
    item: str
    within: Expression | None
    shown: Expression | None
    condition: Expression | None


@dataclass(frozen=True)
class Rules:
    """Every expression of a form by the id it belongs to, and the computed items in the order they need."""

    sections: Mapping[str, Expression]  # show_when of sections
    items: Mapping[str, Expression]  # show_when of items
    formulas: Mapping[str, Expression]
    calculations: Mapping[str, Asking]
    checks: tuple[Watch, ...]
    life: tuple[Life, ...]  # the dates that may prove life, in the order of the page
    order: tuple[str, ...]
    compared: tuple[Item, ...]  # computed items that stand beside an assessment of the investigator's own
    facts: frozenset[str]
    """The facts of the subject, read from other pages, that anything on the page hangs on."""
    readers: Mapping[str, tuple[tuple[str, Callable[[Any], Any]], ...]]
    """By section its items, each with what an expression sees of its answer."""
    computed: Mapping[str, tuple[str, ...]]
    """By section its computed items."""

    @property
    def takes_ranges(self) -> bool:
        """Whether anything on the page hangs on limits of normal kept beside the pages."""
        return any(each.calculation.range is not None for each in self.calculations.values())


def _rules(form: Form) -> Rules:
    sections: dict[str, Expression] = {}
    items: dict[str, Expression] = {}
    formulas: dict[str, Expression] = {}
    proofs: dict[str, Expression] = {}
    page = kinds(form)
    for section in form.sections:
        here = kinds(form, section) if section.repeating else page
        if section.show_when is not None:
            sections[section.id] = compile_expression(section.show_when, page)
        for item in section.items:
            if item.show_when is not None:
                items[item.id] = compile_expression(item.show_when, here)
            if item.formula is not None:
                formulas[item.id] = compile_expression(item.formula, here, result=RESULT_KINDS[item.value_type])
            if isinstance(item.proves_life, str):
                proofs[item.id] = compile_expression(item.proves_life, here)
    calculations = {each.id: asking(form, each, _names(form, each.rows, page)) for each in form.calculations}
    checks = tuple(watch(check, _names(form, check.rows, page)) for check in form.checks)
    order = tuple(TopologicalSorter(dependencies(form, sections, items, formulas, calculations)).static_order())
    life = tuple(
        Life(
            section.id if section.repeating else None,
            item.id,
            sections.get(section.id),
            items.get(item.id),
            proofs.get(item.id),
        )
        for section in form.sections
        for item in section.items
        if item.proves_life
    )
    asked = frozenset(name for text in texts(form) for name in members(text, "subject"))
    compared = tuple(item for item in form.items if item.differs is not None)
    readers = {part.id: tuple((item.id, variable_of(item)) for item in part.items) for part in form.sections}
    computed = {
        part.id: tuple(item.id for item in part.items if item.type is ItemType.COMPUTED) for part in form.sections
    }
    return Rules(sections, items, formulas, calculations, checks, life, order, compared, asked, readers, computed)


def _names(form: Form, rows: str | None, page: dict[str, Kind]) -> dict[str, Kind]:
    return page if rows is None else kinds(form, form.row_sections[rows])


def texts(form: Form) -> Iterator[str]:
    """Every expression of a form as its author wrote it."""
    for section in form.sections:
        for text in (section.show_when, *(each for item in section.items for each in _texts(item))):
            if text is not None:
                yield text
    for calculation in form.calculations:
        yield from calculation.inputs.values()
    for check in form.checks:
        yield check.when


def _texts(item: Item) -> tuple[str | None, ...]:
    return item.show_when, item.formula, item.proves_life if isinstance(item.proves_life, str) else None


def rules(form: Form) -> Rules:
    """The compiled expressions of a published form. Raises ExpressionMistake or CycleError for one that is none."""
    found: Rules | None = form.memo.get(Rules)
    if found is None:
        found = form.memo[Rules] = _rules(form)
    return found


def dependencies(
    form: Form,
    sections: Mapping[str, Expression | None],
    items: Mapping[str, Expression | None],
    formulas: Mapping[str, Expression | None],
    calculations: Mapping[str, Asking],
) -> dict[str, set[str]]:
    """For each computed item the other computed items it needs: through formula, calculation or conditions."""
    computed = {item.id for item in form.items if item.type is ItemType.COMPUTED}
    asked = {name: _needs(each) for name, each in calculations.items()}
    graph: dict[str, set[str]] = {}
    for item in form.items:
        if item.id not in computed:
            continue
        parts = (formulas.get(item.id), items.get(item.id), sections.get(form.section_of(item.id).id))
        names = {name for part in parts if part is not None for name in part.uses}
        names |= asked.get(item.calculation or "", set())
        for name in names & form.row_sections.keys():
            names |= {inner.id for inner in form.row_sections[name].items}
        graph[item.id] = names & computed
    return graph


def _needs(each: Asking) -> set[str]:
    calculation: Calculation = each.calculation
    limits = calculation.range
    return set(each.uses) | ({limits.laboratory} if limits is not None and limits.laboratory is not None else set())
