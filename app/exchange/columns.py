"""Which columns a form gives a table, stable over the versions of the form, and how a page becomes a row.

An item gives its value under its own name and, where it has them, companions: `_unit` and `_std` (the canonical
unit), `_label` (the words of a code), `_lower`, `_upper` and `_precision` (a partial date), `_missing` (why there is
no value). Values are as collected; nothing is imputed here. A column that any version of the form has, every row has;
its cell is taken as the page's own version says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.forms.answers import convert, in_unit_of
from app.forms.dates import bounds
from app.forms.definition import Form, Item, ItemType

Take = Callable[[Any], str]
Cell = tuple[str, Take, bool]
"""The item whose answer is looked at, what takes the text out of it, and whether it is a computed value."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, as the codebook describes it. `text` says that a spreadsheet might run it as a formula."""

    name: str
    label: str
    type: str
    unit: str = ""
    item: str = ""
    question: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    versions: tuple[int, ...] = ()
    text: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, and by form version what fills them, in the same order."""

    shown: tuple[Column, ...]
    cells: Mapping[int, tuple[Cell, ...]]


def plain(answer: Any) -> str:
    """The value of an answer as text: as collected, empty when there is none."""
    if answer is None:
        return ""
    if type(answer) is str:
        return answer
    if isinstance(answer, Mapping):
        return plain(answer.get("value"))
    if isinstance(answer, list):
        return "|".join(map(str, answer))
    return str(answer)


def _missing(answer: Any) -> str:
    return str(answer.get("missing") or "") if isinstance(answer, Mapping) else ""


def _unit(item: Item) -> Take:
    def take(answer: Any) -> str:
        if isinstance(answer, Mapping):
            return str(answer["unit"]) if "unit" in answer else ""
        return "" if answer is None else item.unit or ""

    return take


def _standard(item: Item, newest: Item) -> Take:
    """In the canonical unit of the newest version; empty where that version does not take the older one's unit."""

    def take(answer: Any) -> str:
        number = convert(item, answer) if isinstance(answer, Mapping) else None
        return plain(answer) if number is None else format(number, "f")

    def otherwise(answer: Any) -> str:
        number = in_unit_of(newest, item, answer)
        return "" if number is None else format(number, "f")

    return take if (item.unit, item.units) == (newest.unit, newest.units) else otherwise


def _decoded(item: Item) -> Take:
    words = {code.code: code.label.en for code in item.codes}

    def take(answer: Any) -> str:
        if isinstance(answer, list):
            return "|".join(words.get(str(code), str(code)) for code in answer)
        value = plain(answer)
        return words.get(value, value)

    return take


def _bound(which: int) -> Take:
    def take(answer: Any) -> str:
        possible = bounds(plain(answer))
        return possible[which].isoformat() if possible else ""

    return take


def _precision(answer: Any) -> str:
    return {len("2024"): "Y", len("2024-05"): "M", len("2024-05-17"): "D"}.get(len(plain(answer)), "")


_COMPANIONS: Mapping[str, Callable[[Item, Item], Take]] = {
    "": lambda _item, _newest: plain,
    "_unit": lambda item, _newest: _unit(item),
    "_std": _standard,
    "_label": lambda item, _newest: _decoded(item),
    "_lower": lambda _item, _newest: _bound(0),
    "_upper": lambda _item, _newest: _bound(1),
    "_precision": lambda _item, _newest: _precision,
    "_missing": lambda _item, _newest: _missing,
}
"""Each column an item can have, in their order: from the item of the page's version and that of the newest."""


def _companions(items: Sequence[Item]) -> set[str]:
    """The columns that any version of an item asks for."""
    asked = {""}
    if any(item.units for item in items) or len({item.unit for item in items}) > 1:
        asked |= {"_unit", "_std"}
    if any(item.codes for item in items):
        asked |= {"_label"}
    if any(item.value_type is ItemType.PARTIAL_DATE for item in items):
        asked |= {"_lower", "_upper", "_precision"}
    if any(item.missing for item in items):
        asked |= {"_missing"}
    return asked


def _rule_of(forms: Sequence[Form], items: Mapping[int, Item]) -> str:
    """The published rule of a computed item, by the newest version that asks one."""
    by_version = {form.version: {each.id: each.rule for each in form.calculations} for form in forms}
    return next((by_version[version][item.calculation] for version, item in items.items() if item.calculation), "")


def _column(suffix: str, items: Mapping[int, Item], rule: str = "") -> Column:
    """One column as the codebook has it: in the words of the newest version, with the codes of them all."""
    newest = next(iter(items.values()))
    kind, unit = newest.value_type, newest.unit or ""
    free = any(item.value_type is ItemType.TEXT for item in items.values())
    codes: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for item in items.values():
        codes |= {code.code: codes.get(code.code, code.label.en) for code in item.codes}
        reasons |= {reason.value: reason.value.replace("_", " ") for reason in item.missing}
    companions: dict[str, tuple[str, dict[str, Any]]] = {
        "": ("", {"type": kind.value, "unit": unit, "codes": tuple(codes.items()), "text": free}),
        "_unit": ("unit as collected", {"type": "text", "text": True}),
        "_std": ("in the canonical unit", {"type": kind.value, "unit": unit}),
        "_label": ("in words", {"type": "text", "text": True}),
        "_lower": ("earliest day", {"type": "date"}),
        "_upper": ("latest day", {"type": "date"}),
        "_precision": ("Y, M or D", {"type": "text"}),
        "_missing": ("why there is no value", {"type": "text", "codes": tuple(reasons.items())}),
    }
    what, told = companions[suffix]
    question, versions = newest.label.en, tuple(sorted(items))
    label = f"{question} ({what})" if what else question
    return Column(newest.id + suffix, label, item=newest.id, question=question, versions=versions, rule=rule, **told)


def columns(forms: Sequence[Form], section: str | None) -> Columns:
    """The columns of the once-only items of all versions of a form (`section` None), or of one repeating section.

    The newest version sets the order; items that only older versions have come after.
    """
    found: dict[str, dict[int, Item]] = {}
    for form in sorted(forms, key=lambda each: -each.version):
        for item in _items(form, section):
            found.setdefault(item.id, {})[form.version] = item
    shown: list[Column] = []
    cells: dict[int, list[Cell]] = {form.version: [] for form in forms}
    for name, items in found.items():
        newest = next(iter(items.values()))
        asked = _companions(list(items.values()))
        for suffix, made in _COMPANIONS.items():
            if suffix not in asked:
                continue
            shown.append(_column(suffix, items, _rule_of(forms, items)))
            for version, row in cells.items():
                item = items.get(version, newest)
                row.append((name, made(item, newest), item.type is ItemType.COMPUTED))
    return Columns(tuple(shown), {version: tuple(row) for version, row in cells.items()})


def _items(form: Form, section: str | None) -> Iterable[Item]:
    for part in form.sections:
        if (part.id == section) if part.repeating else section is None:
            yield from part.items


def repeating_sections(forms: Sequence[Form]) -> list[str]:
    """The repeating sections of all versions of a form, those of the newest first."""
    found: dict[str, None] = {}
    for form in sorted(forms, key=lambda each: -each.version):
        found |= dict.fromkeys(form.row_sections)
    return list(found)
