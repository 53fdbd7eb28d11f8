"""What a well-formed form can still have wrong: limits out of order, keys on the wrong type, expressions that fail."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from app.forms.asking_faults import Catalogue, calculation_faults, check_faults
from app.forms.dates import is_date
from app.forms.definition import NUMBERS, Form, Item, ItemType
from app.forms.expressions import Expression, ExpressionMistake, Kind, Result, compile_expression
from app.forms.mistakes import Fault, Path, again
from app.forms.rules import ANYWHERE, RESULT_KINDS, Surroundings, dependencies, kinds
from app.forms.tokens import RESERVED

_DATES = {ItemType.DATE, ItemType.PARTIAL_DATE}
_CHOICES = {ItemType.SINGLE, ItemType.MULTIPLE}
_LIMITS = ("min", "soft_min", "soft_max", "max")  # in the order their values must have

#: Keys that only fit some types of item.
_FITTING: Mapping[str, set[ItemType]] = {
    "units": NUMBERS,
    "max_length": {ItemType.TEXT},
    "codes": _CHOICES,
    "formula": {ItemType.COMPUTED},
    "calculation": {ItemType.COMPUTED},
    "output": {ItemType.COMPUTED},
    "differs": {ItemType.COMPUTED},
    "result": {ItemType.COMPUTED},
    "proves_life": _DATES,
    **dict.fromkeys(_LIMITS, NUMBERS | _DATES),
}
MAX_FACTOR_DIGITS = 20


def faults(
    form: Form, *, around: Surroundings = ANYWHERE, catalogue: Catalogue | None = None, examples: bool = True
) -> Iterator[Fault]:
    """All faults of a form; `around` is what the study gives it, `catalogue` the published rules, where known.

    Without `examples` those of its edit checks are not tried again.
    """
    found = list(_structure(form))
    yield from found
    yield from _expressions(form, around, catalogue, examples=examples and not found)


def _structure(form: Form) -> Iterator[Fault]:
    yield from _names(form)
    for at, section in enumerate(form.sections):
        for number, item in enumerate(section.items):
            path: Path = ("section", at, "item", number)
            yield from _keys(item, path)
            yield from _limits(item, path)
            yield from _units(item, path)
            yield from _codes(item, path)


def _names(form: Form) -> Iterator[Fault]:
    items = {item.id for item in form.items}
    twice, repeated = again(section.id for section in form.sections), again(item.id for item in form.items)
    for at, section in enumerate(form.sections):
        path: Path = ("section", at)
        if next(twice):
            yield Fault((*path, "id"), f"the section id {section.id!r} is used twice", "Give each section its own id")
        if section.repeating and section.id in items:
            yield Fault(
                (*path, "id"), f"{section.id!r} names a section and an item", "Answers are kept under both: rename one"
            )
        if section.repeating and (section.id in RESERVED or "__" in section.id):
            yield _reserved((*path, "id"), section.id)
        for number, item in enumerate(section.items):
            here: Path = (*path, "item", number, "id")
            if next(repeated):
                yield Fault(here, f"the item id {item.id!r} is used twice", "An id is unique in the whole form")
            if item.id in RESERVED or "__" in item.id:
                yield _reserved(here, item.id)


def _reserved(path: Path, name: str) -> Fault:
    return Fault(
        path, f"{name!r} is kept for the expression language", "Choose another id, such as " + repr(f"x_{name}")
    )


def _keys(item: Item, path: Path) -> Iterator[Fault]:
    for key, types in _FITTING.items():
        if item.type not in types and key in item.model_fields_set:
            names = ", ".join(sorted(types))
            yield Fault((*path, key), f"{key!r} does not fit the type {item.type}", f"It belongs to {names}: remove it")
    if item.unit is not None and not item.is_number:
        yield Fault((*path, "unit"), f"a {item.value_type} has no unit", "Units belong to integer and decimal")
    if item.digits is not None and item.value_type is not ItemType.DECIMAL:
        yield Fault((*path, "digits"), f"a {item.value_type} has no decimals", "`digits` belongs to decimal")
    if len(set(item.missing)) < len(item.missing):
        yield Fault((*path, "missing"), "a missing reason is given twice", "Keep one")
    if item.type is ItemType.COMPUTED:
        yield from _computed(item, path)


def _computed(item: Item, path: Path) -> Iterator[Fault]:
    if (item.formula is None) is (item.calculation is None):
        yield Fault(path, "a computed item needs either 'formula' or 'calculation'", "Give one of the two")
    if item.result is None:
        yield Fault(path, "a computed item needs 'result'", "Add `result`")
    if item.required:
        yield Fault((*path, "required"), "a computed item cannot be required", "Require the items it is computed from")
    if item.missing:
        yield Fault((*path, "missing"), "a computed item has no missing reasons", "Put them on its items")


def _limits(item: Item, path: Path) -> Iterator[Fault]:
    """Each limit can be read, and min <= soft_min <= soft_max <= max as far as they are given."""
    read: dict[str, Decimal | str] = {}
    for key in _LIMITS:
        text = getattr(item, key)
        if text is None or item.type not in NUMBERS | _DATES:
            continue
        if item.type in _DATES:
            if is_date(text):
                read[key] = text
            else:
                yield Fault((*path, key), "the limit of a date is a day", 'Write "YYYY-MM-DD", a real day from 1900')
        elif (number := _decimal(text)) is None:
            yield Fault((*path, key), "the limit is no decimal number", 'Write it as a text, such as "0.5"')
        elif item.type is ItemType.INTEGER and number != number.to_integral_value():
            yield Fault((*path, key), "the limit of an integer is a whole number", 'Write it as a text, such as "5"')
        else:
            read[key] = number
    for lower, upper in pairwise(read):
        one, other = read[lower], read[upper]
        if (isinstance(one, str) and isinstance(other, str) and one > other) or (
            isinstance(one, Decimal) and isinstance(other, Decimal) and one > other
        ):
            yield Fault((*path, lower), f"{lower!r} lies above {upper!r}", "Order: min, soft_min, soft_max, max")


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    plain = text.isascii() and "_" not in text and text == text.strip() and "e" not in text.lower()
    return number if plain and number.is_finite() and len(text) <= MAX_FACTOR_DIGITS else None


def _units(item: Item, path: Path) -> Iterator[Fault]:
    if item.units and item.unit is None:
        yield Fault((*path, "units"), "accepted units need the canonical unit", "Add `unit`")
    for unit, text in item.units.items():
        if unit == item.unit:
            yield Fault((*path, "units", unit), "the canonical unit needs no factor", "Remove it from `units`")
        factor = _decimal(text)
        if factor is None or factor <= 0:
            yield Fault((*path, "units", unit), "the factor is no positive decimal", 'Write a text such as "0.001"')


def _codes(item: Item, path: Path) -> Iterator[Fault]:
    if item.type in _CHOICES and not item.codes:
        yield Fault(path, f"a {item.type} item needs codes", "Add `codes = [ { code = …, label = … } ]`")
    for number, repeated in enumerate(again(code.code for code in item.codes)):
        if repeated:
            code = item.codes[number].code
            yield Fault((*path, "codes", number), f"the code {code!r} is given twice", "Codes are unique in an item")


class _Compiler:
    """Compiles the expressions of a form, keeping those that pass and the faults of those that do not."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.faults: list[Fault] = []

    def compile(self, text: str | None, names: Mapping[str, Kind], path: Path, result: Result) -> Expression | None:
        """The expression, or None where there is none or it fails."""
        if text is None:
            return None
        try:
            return compile_expression(text, names, result=result, strict=True)
        except ExpressionMistake as mistake:
            remedy = mistake.remedy
            for item in self.form.items:  # the commonest mistake of all deserves its own words
                if f"name {item.id!r} here" in mistake.message and self.form.section_of(item.id).repeating:
                    section = self.form.section_of(item.id).id
                    remedy = f"{item.id} stands in the rows of {section}: write {section}.exists(r, r.{item.id} …)"
            self.faults.append(Fault(path, f"column {mistake.column}: {mistake.message}", remedy))
            return None

    def condition(self, text: str | None, names: Mapping[str, Kind], path: Path, own: set[str]) -> Expression | None:
        """A `show_when`; it may not depend on what it shows."""
        shown = self.compile(text, names, path, "bool")
        if shown is not None and own & (shown.names | shown.tested):
            self.faults.append(Fault(path, "the condition depends on what it shows", "Depend on an item outside"))
        return shown


def _expressions(form: Form, around: Surroundings, catalogue: Catalogue | None, *, examples: bool) -> Iterator[Fault]:
    page = kinds(form, around=around)
    compiler = _Compiler(form)
    sections: dict[str, Expression | None] = {}
    items: dict[str, Expression | None] = {}
    formulas: dict[str, Expression | None] = {}
    for at, section in enumerate(form.sections):
        here = kinds(form, section, around=around) if section.repeating else page
        own = {section.id} if section.repeating else {item.id for item in section.items}
        sections[section.id] = compiler.condition(section.show_when, page, ("section", at, "show_when"), own)
        for number, item in enumerate(section.items):
            path: Path = ("section", at, "item", number)
            items[item.id] = compiler.condition(item.show_when, here, (*path, "show_when"), {item.id})
            needed = RESULT_KINDS.get(item.value_type, "any")
            formulas[item.id] = compiler.compile(item.formula, here, (*path, "formula"), needed)
            if isinstance(item.proves_life, str):
                compiler.compile(item.proves_life, here, (*path, "proves_life"), "bool")
    names: dict[str | None, dict[str, Kind]] = {None: page}
    names |= {name: kinds(form, section, around=around) for name, section in form.row_sections.items()}
    calculations, wrong = calculation_faults(form, names, catalogue)
    yield from compiler.faults
    yield from wrong
    try:
        tuple(TopologicalSorter(dependencies(form, sections, items, formulas, calculations)).static_order())
    except CycleError as error:
        circle = error.args[1]
        yield Fault(
            _path_of(form, circle[0]), "computed items need each other: " + " -> ".join(circle), "Break the circle"
        )
        return
    if not compiler.faults and not wrong:
        yield from check_faults(form, form.checks, names, examples=examples)
    if form.dated is not None and (not form.has(form.dated) or form.item(form.dated).type is not ItemType.DATE):
        yield Fault(("dated",), f"{form.dated!r} is no date of the form", "Name an item of type date")


def _path_of(form: Form, item_id: str) -> Path:
    for at, section in enumerate(form.sections):
        for number, item in enumerate(section.items):
            if item.id == item_id:
                return ("section", at, "item", number)
    return ()
