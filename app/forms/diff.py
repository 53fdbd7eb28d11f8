"""What changed between two versions of a form, in terms of what it does to stored answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.forms.definition import Form, Item, Section


class ChangeKind(StrEnum):
    """What a change does, mildest first."""

    RELABELLED = "relabelled"  # other words, same data
    ADDED = "added"  # a new item: old records do not have it
    ALTERED = "altered"  # other conditions, formulas, soft limits, mappings: other findings on the same answers
    WIDENED = "widened"  # takes more answers than before
    NARROWED = "narrowed"  # stored answers may lie outside
    REMOVED = "removed"  # stored answers have no item any more
    DESTRUCTIVE = "destructive"  # stored answers mean something else, or cannot be read


@dataclass(frozen=True, slots=True)
class FormChange:
    """One change: the item (or section, or "" for the form), the key, and both values."""

    kind: ChangeKind
    item: str
    key: str
    before: Any
    after: Any


_WORDS = ("label", "help")
_MEANING = ("type", "unit", "result")
_BEHAVIOUR = ("show_when", "formula", "soft_min", "soft_max", "proves_life", "cdash", "sdtm")


def compare(before: Form, after: Form) -> list[FormChange]:
    """The changes from one version to another, in the order of the form; empty where both ask the same."""
    found: list[FormChange] = []
    for key, kind in (
        ("title", ChangeKind.RELABELLED),
        ("domain", ChangeKind.ALTERED),
        ("repeating", ChangeKind.DESTRUCTIVE),
    ):
        found += _differs(kind, "", key, getattr(before, key), getattr(after, key))
    found += _sections(before, after)
    for item in before.items:
        if not after.has(item.id):
            found.append(FormChange(ChangeKind.REMOVED, item.id, "", item.type, None))
        else:
            found += _item(item, after.item(item.id))
            found += _home(before.section_of(item.id), after.section_of(item.id), item)
    found += [FormChange(ChangeKind.ADDED, i.id, "", None, i.type) for i in after.items if not before.has(i.id)]
    return found


def _differs(kind: ChangeKind, item: str, key: str, before: Any, after: Any) -> Iterator[FormChange]:
    if before != after:
        yield FormChange(kind, item, key, before, after)


def _sections(before: Form, after: Form) -> Iterator[FormChange]:
    old = {section.id: section for section in before.sections}
    for section in after.sections:
        if section.id in old:
            yield from _differs(ChangeKind.RELABELLED, section.id, "title", old[section.id].title, section.title)
            yield from _differs(
                ChangeKind.ALTERED, section.id, "show_when", old[section.id].show_when, section.show_when
            )


def _home(old: Section, new: Section, item: Item) -> Iterator[FormChange]:
    """An item that moved in or out of rows lies elsewhere in the answers; within the page it is only laid out anew."""
    if old.repeating or new.repeating:
        old_rows, new_rows = (old.id if old.repeating else None), (new.id if new.repeating else None)
        yield from _differs(ChangeKind.DESTRUCTIVE, item.id, "section", old_rows, new_rows)


def _item(old: Item, new: Item) -> Iterator[FormChange]:
    for keys, kind in (
        (_WORDS, ChangeKind.RELABELLED),
        (_MEANING, ChangeKind.DESTRUCTIVE),
        (_BEHAVIOUR, ChangeKind.ALTERED),
    ):
        for key in keys:
            yield from _differs(kind, old.id, key, getattr(old, key), getattr(new, key))
    yield from _bound(old, new, "min", lowest=True)
    yield from _bound(old, new, "max", lowest=False)
    for key in ("digits", "max_length"):
        yield from _bound(old, new, key, lowest=False)
    if old.required != new.required:
        kind = ChangeKind.NARROWED if new.required else ChangeKind.WIDENED
        yield FormChange(kind, old.id, "required", old.required, new.required)
    yield from _members(old, new, "missing", dict.fromkeys(old.missing), dict.fromkeys(new.missing))
    yield from _members(old, new, "units", old.factors, new.factors)
    labels = {c.code: c.label for c in new.codes}
    yield from _members(old, new, "codes", {c.code: None for c in old.codes}, {c.code: None for c in new.codes})
    for code in old.codes:
        if code.code in labels:
            yield from _differs(ChangeKind.RELABELLED, old.id, f"codes.{code.code}", code.label, labels[code.code])


def _bound(old: Item, new: Item, key: str, *, lowest: bool) -> Iterator[FormChange]:
    """A limit that moved outwards, or fell away, widens; one that moved inwards narrows."""
    one, other = getattr(old, key), getattr(new, key)
    if one == other:
        return
    if one is None or other is None:
        wider = other is None
    else:
        low, high = _comparable(one), _comparable(other)
        if low == high:
            return
        wider = bool(high < low) if lowest else bool(high > low)
    yield FormChange(ChangeKind.WIDENED if wider else ChangeKind.NARROWED, old.id, key, one, other)


def _comparable(limit: str | int) -> Any:
    """Dates compare as texts, everything else as numbers."""
    return limit if isinstance(limit, str) and limit.count("-") == 2 else Decimal(limit)  # noqa: PLR2004 (YYYY-MM-DD)


def _members(
    old: Item, new: Item, key: str, before: Mapping[Any, Any], after: Mapping[Any, Any]
) -> Iterator[FormChange]:
    """Choices, units or reasons: one more widens, one that was used and is gone cannot be read any more."""
    for member in sorted(after.keys() - before.keys()):
        yield FormChange(ChangeKind.WIDENED, new.id, f"{key}.{member}", None, member)
    for member in sorted(before.keys() - after.keys()):
        yield FormChange(ChangeKind.DESTRUCTIVE, old.id, f"{key}.{member}", member, None)
    for member in sorted(before.keys() & after.keys()):
        yield from _differs(ChangeKind.DESTRUCTIVE, old.id, f"{key}.{member}", before[member], after[member])
