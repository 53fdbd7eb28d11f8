"""What differs between two versions of a form, item by item. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic import BaseModel

from app.forms.definition import DEFAULT_LENGTH, Code, Form, Item, ItemType, Section
from app.study.changes import Difference

Judge = Callable[[Item, Item, Difference], Iterator[Difference]]

TAKES_EVERY: frozenset[tuple[ItemType, ItemType]] = frozenset(
    {(ItemType.INTEGER, ItemType.DECIMAL), (ItemType.DATE, ItemType.PARTIAL_DATE)}
)
"""Changes of type after which every value stored before is still one, and means the same."""


def compare_forms(old: Form, new: Form) -> Iterator[Difference]:
    """Every difference between two versions of one form; none for a form and itself."""
    here = Difference(f"form {new.form}", "", form=new.form)
    for key in _differing(old, new):
        if key == "sections":
            yield from _sections(old, new, here)
        elif key == "repeating":
            yield replace(here, kind="repeats" if new.repeating else "form-once-only")
        else:
            kind = {"version": "version", "title": "words", "domain": "mapping"}.get(key, "changed")
            yield _told(here, kind, key, old, new)


def _differing(old: BaseModel, new: BaseModel) -> Iterator[str]:
    """The keys of a model, in its order, under which two of its values differ."""
    for key in type(new).model_fields:
        if getattr(old, key) != getattr(new, key):
            yield key


def _told(here: Difference, kind: str, key: str, old: BaseModel, new: BaseModel) -> Difference:
    path = here.path if kind in {"words", "version"} else f"{here.path}, {key}"
    return replace(here, kind=kind, path=path, key=key, before=getattr(old, key), after=getattr(new, key))


def _sections(old: Form, new: Form, here: Difference) -> Iterator[Difference]:
    before = {section.id: section for section in old.sections}
    after = {section.id: section for section in new.sections}
    for name, section in after.items():
        place = replace(here, path=f"{here.path}, section {name}")
        if name not in before:
            yield replace(place, kind="added")
        else:
            yield from _section(before[name], section, place)
    for name, section in before.items():
        if name not in after:
            place = replace(here, path=f"{here.path}, section {name}")
            gone = replace(place, kind="section-removed")
            yield replace(place, kind="rows-removed", item=name) if section.repeating else gone
    if _reordered(list(before), list(after)):
        yield replace(here, kind="order", key="section")
    yield from _items(old, new, here)


def _section(old: Section, new: Section, here: Difference) -> Iterator[Difference]:
    for key in _differing(old, new):
        if key == "show_when":
            yield _told(here, "always-shown" if new.show_when is None else "shown-otherwise", key, old, new)
        elif key == "items":
            if _reordered([item.id for item in old.items], [item.id for item in new.items]):
                yield replace(here, kind="order", key="item")
        elif key != "repeating":  # its items are told one by one, as moved into rows or out of them
            yield _told(here, "words" if key == "title" else "changed", key, old, new)
        elif old.repeating:
            yield replace(here, kind="rows-removed", item=old.id)


def _items(old: Form, new: Form, here: Difference) -> Iterator[Difference]:
    for item in new.items:
        place = replace(here, path=f"{here.path}, item {item.id}", item=item.id)
        if old.has(item.id):
            yield from _moved(old.section_of(item.id), new.section_of(item.id), place)
            yield from _item(old.item(item.id), item, place)
        else:
            yield replace(place, kind="added-required" if item.required else "added")
    for item in old.items:
        if not new.has(item.id):
            place = replace(here, path=f"{here.path}, item {item.id}", item=item.id)
            yield replace(place, kind="computed-removed" if item.type is ItemType.COMPUTED else "item-removed")


def _moved(old: Section, new: Section, here: Difference) -> Iterator[Difference]:
    """An item that stands elsewhere: harmless on the page itself, not so into rows or out of them."""
    before, after = (section.id if section.repeating else "the page" for section in (old, new))
    if before != after:
        yield replace(here, kind="rows", before=before, after=after)
    elif old.id != new.id:
        yield replace(here, kind="moved", before=old.id, after=new.id)


def _item(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    computed = old.type is new.type is ItemType.COMPUTED
    for key in _differing(old, new):
        if computed and key not in _WORDS:
            yield _told(here, "computed", key, old, new)
        else:
            yield from _JUDGES.get(key, partial(_simply, "changed", key))(old, new, here)


def _simply(kind: str, key: str, old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    yield _told(here, kind, key, old, new)


def _type(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    kind = "type-widened" if (old.type, new.type) in TAKES_EVERY else "type"
    yield _told(here, kind, "type", old, new)


def _required(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    yield _told(here, "required" if new.required else "optional", "required", old, new)


def _shown(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    yield _told(here, "always-shown" if new.show_when is None else "shown-otherwise", "show_when", old, new)


def _units(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    """Units that are taken beside the canonical one; one that counts otherwise is another unit."""
    place = replace(here, path=f"{here.path}, units", key="units")
    for unit, factor in old.units.items():
        if new.units.get(unit) != factor:
            yield replace(place, kind="unit-removed", before=unit)
    for unit in new.units:
        if unit not in old.units:
            yield replace(place, kind="unit-added", after=unit)


def _missing(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    place = replace(here, path=f"{here.path}, missing", key="missing")
    before, after = [each.value for each in old.missing], [each.value for each in new.missing]
    yield from (replace(place, kind="missing-removed", before=each) for each in before if each not in after)
    yield from (replace(place, kind="missing-added", after=each) for each in after if each not in before)
    if _reordered(before, after):
        yield replace(place, kind="order")


def _codes(old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    place = replace(here, path=f"{here.path}, codes", key="codes")
    before: Mapping[str, Code] = {code.code: code for code in old.codes}
    after: Mapping[str, Code] = {code.code: code for code in new.codes}
    yield from (replace(place, kind="code-removed", before=code) for code in before if code not in after)
    yield from (replace(place, kind="code-added", after=code) for code in after if code not in before)
    for code in after:
        if code in before:
            for key in _differing(before[code], after[code]):
                yield replace(place, kind="words" if key == "label" else "changed", key=f"code {code}")
    if _reordered(list(before), list(after)):
        yield replace(place, kind="order")


def _limit(key: str, old: Item, new: Item, here: Difference) -> Iterator[Difference]:
    """A limit is narrower where it now leaves out what it let in; across units and types no one can say."""
    before, after = getattr(old, key), getattr(new, key)
    if key == "max_length":
        before, after = before or DEFAULT_LENGTH, after or DEFAULT_LENGTH
    if old.type is not new.type or old.unit != new.unit:
        narrowed = True
    elif after is None or before is None:
        narrowed = before is None
    else:
        one, other = _ordered(old, before), _ordered(old, after)
        narrowed = other > one if key in {"min", "soft_min"} else other < one
    kind = "limit-narrowed" if narrowed else "limit-widened"
    yield replace(here, kind=kind, path=f"{here.path}, {key}", key=key, before=before, after=after)


def _ordered(item: Item, limit: Any) -> Any:
    return limit if item.type in {ItemType.DATE, ItemType.PARTIAL_DATE} else Decimal(limit)


def _reordered(old: list[str], new: list[str]) -> bool:
    """Whether what both have stands in another order."""
    return [name for name in old if name in new] != [name for name in new if name in old]


_WORDS = ("label", "help")
_JUDGES: Mapping[str, Judge] = {
    **{key: partial(_simply, "words", key) for key in _WORDS},
    **{key: partial(_simply, "mapping", key) for key in ("cdash", "sdtm")},
    **{key: partial(_simply, "computed", key) for key in ("formula", "result")},
    **{key: partial(_limit, key) for key in ("min", "max", "soft_min", "soft_max", "digits", "max_length")},
    "proves_life": partial(_simply, "definition-changed", "proves_life"),
    "unit": partial(_simply, "unit", "unit"),
    "type": _type,
    "required": _required,
    "show_when": _shown,
    "units": _units,
    "missing": _missing,
    "codes": _codes,
}
"""What is made of a key that differs; of any other it is told that it changes."""
