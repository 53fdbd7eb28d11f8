"""Which columns a form gives a table, stable over the versions of the form, and how a page becomes a row.

An item gives its value under its own name and, where it has them, companions: `_unit` and `_std` (the canonical
unit), `_label` (the words of a code), `_lower`, `_upper` and `_precision` (a partial date), `_missing` (why there is
no value). Values are as collected; nothing is imputed here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.forms.answers import convert
from app.forms.dates import bounds
from app.forms.definition import Form, Item, ItemType

Take = Callable[[Any], str]


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


def _standard(item: Item) -> Take:
    def take(answer: Any) -> str:
        number = convert(item, answer) if isinstance(answer, Mapping) else None
        return plain(answer) if number is None else format(number, "f")

    return take


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


def item_columns(item: Item, versions: Sequence[int]) -> list[tuple[Column, Take]]:
    """The columns of one item, each with what takes its cell out of an answer."""

    def column(suffix: str, type_: str, what: str = "", **more: Any) -> Column:
        label = f"{item.label.en} ({what})" if what else item.label.en
        return Column(
            item.id + suffix, label, type_, item=item.id, question=item.label.en, versions=tuple(versions), **more
        )

    kind = item.value_type
    codes = tuple((code.code, code.label.en) for code in item.codes)
    free = kind is ItemType.TEXT
    made: list[tuple[Column, Take]] = [(column("", kind.value, unit=item.unit or "", codes=codes, text=free), plain)]
    if item.units:
        made.append((column("_unit", "text", "unit as collected"), _unit(item)))
        made.append((column("_std", kind.value, "in the canonical unit", unit=item.unit or ""), _standard(item)))
    if codes:
        made.append((column("_label", "text", "in words"), _decoded(item)))
    if kind is ItemType.PARTIAL_DATE:
        made.append((column("_lower", "date", "earliest day"), _bound(0)))
        made.append((column("_upper", "date", "latest day"), _bound(1)))
        made.append((column("_precision", "text", "Y, M or D"), _precision))
    if item.missing:
        reasons = tuple((reason.value, reason.value.replace("_", " ")) for reason in item.missing)
        made.append((column("_missing", "text", "why there is no value", codes=reasons), _missing))
    return made


def columns(forms: Sequence[Form], section: str | None) -> list[tuple[Column, Take, bool]]:
    """The columns of the once-only items of all versions of a form (`section` None), or of one repeating section.

    The newest version sets the order; items that only older versions have come after. The last member says whether
    the cell is taken from the computed values.
    """
    seen: dict[str, Item] = {}
    versions: dict[str, list[int]] = {}
    for form in sorted(forms, key=lambda each: -each.version):
        for item in _items(form, section):
            seen.setdefault(item.id, item)
            versions.setdefault(item.id, []).insert(0, form.version)
    return [
        (column, take, item.type is ItemType.COMPUTED)
        for item in seen.values()
        for column, take in item_columns(item, versions[item.id])
    ]


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
