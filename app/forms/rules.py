"""The expressions of one form version, compiled once per process: what may be named where, what is computed when."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter

from app.forms.definition import Form, Item, ItemType, Section
from app.forms.expressions import Expression, Facts, Kind, Result, Rows, Scalar, compile_expression

_SCALARS: Mapping[ItemType, Scalar] = {
    ItemType.TEXT: "text",
    ItemType.INTEGER: "number",
    ItemType.DECIMAL: "number",
    ItemType.YES_NO: "text",
    ItemType.SINGLE: "text",
    ItemType.MULTIPLE: "list",
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


def kind_of(item: Item) -> Scalar:
    """What an item is to an expression."""
    return _SCALARS.get(item.value_type, "text")  # a computed item without a result has its own mistake


def kinds(form: Form, section: Section | None = None, *, facts: Mapping[str, Scalar] | None = None) -> dict[str, Kind]:
    """The names an expression of this form may use: on the page, or inside a row of `section`.

    `facts` are the study's `subject.…` names; None where the study is not known, and any name is let through.
    """
    names: dict[str, Kind] = {
        "subject": "map" if facts is None else Facts(facts),
        "visit": "text",
        "missing": Facts({item.id: "text" for item in form.items}),
    }
    for part in form.sections:
        if part.repeating:
            names[part.id] = Rows({**_ROW_NUMBER, **{item.id: kind_of(item) for item in part.items}})
        if not part.repeating or (section is not None and part.id == section.id):
            names |= {item.id: kind_of(item) for item in part.items}
    return names


@dataclass(frozen=True)
class Rules:
    """Every expression of a form by the id it belongs to, and the computed items in the order they need."""

    sections: Mapping[str, Expression]  # show_when of sections
    items: Mapping[str, Expression]  # show_when of items
    formulas: Mapping[str, Expression]
    proves_life: Mapping[str, Expression]
    life: tuple[tuple[Section, Item], ...]  # the dates that may prove life, in the order of the page
    order: tuple[str, ...]

    @property
    def asks_subject(self) -> bool:
        """Whether anything on the page hangs on facts of the subject that other pages hold."""
        groups = (self.sections, self.items, self.formulas, self.proves_life)
        return any("subject" in each.uses for group in groups for each in group.values())


@lru_cache(maxsize=512)
def _rules(_digest: str, holder: "_Holder") -> Rules:
    form = holder.form
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
    order = tuple(TopologicalSorter(dependencies(form, sections, items, formulas)).static_order())
    life = tuple((section, item) for section in form.sections for item in section.items if item.proves_life)
    return Rules(sections, items, formulas, proofs, life, order)


class _Holder:
    """Carries a form past the cache: two holders are equal, the digest tells the forms apart."""

    def __init__(self, form: Form) -> None:
        self.form = form

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder)

    def __hash__(self) -> int:
        return 0


def rules(form: Form) -> Rules:
    """The compiled expressions of a published form. Raises ExpressionMistake or CycleError for one that is none."""
    return _rules(form.digest, _Holder(form))


def dependencies(
    form: Form,
    sections: Mapping[str, Expression | None],
    items: Mapping[str, Expression | None],
    formulas: Mapping[str, Expression | None],
) -> dict[str, set[str]]:
    """For each computed item the other computed items it needs, through its formula or its conditions."""
    computed = {item.id for item in form.items if item.type is ItemType.COMPUTED}
    graph: dict[str, set[str]] = {}
    for item_id in sorted(computed, key=[item.id for item in form.items].index):
        parts = (formulas.get(item_id), items.get(item_id), sections.get(form.section_of(item_id).id))
        names = {name for part in parts if part is not None for name in part.names | part.tested}
        for name in names & form.row_sections.keys():
            names |= {item.id for item in form.row_sections[name].items}
        graph[item_id] = names & computed
    return graph
