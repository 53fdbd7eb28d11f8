"""The numbers of a page as another version of its form counts them: in its units, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.forms.definition import Form, Item
from app.forms.values import in_unit_of, value_of

LOST: Mapping[str, Any] = {}
"""Stands for a number in a unit that the other version does not take: an answer without a value."""


class _Part(NamedTuple):
    """What two versions count otherwise, on the page itself (None) or in one section of rows."""

    section: str | None
    items: Sequence[tuple[Item, Item]]


def counted(form: Form, other: Form, answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answers of a page of `form`, or what was computed on it, each number in the canonical unit of `other`.

    What both count alike stays as it is stored; so does what `other` does not ask.
    """
    parts = () if form is other else _otherwise(form, other)
    if not parts:
        return answers
    found = dict(answers)
    for section, items in parts:
        if section is None:
            found |= _carried(items, answers)
        elif section in answers:
            found[section] = [{**row, **_carried(items, row)} for row in answers[section]]
    return found


def otherwise(form: Form, other: Form) -> bool:
    """Whether there is any number that two versions of a form count otherwise."""
    return bool(_otherwise(form, other))


def alike(form: Form, other: Form, name: str) -> bool:
    """Whether two versions count an item in the same unit, as they do where one of them does not have it."""
    if not (form.has(name) and other.has(name)):
        return True
    item, there = form.item(name), other.item(name)
    return not (item.is_number or there.is_number) or (item.is_number, item.unit) == (there.is_number, there.unit)


def _carried(items: Sequence[tuple[Item, Item]], answers: Mapping[str, Any]) -> dict[str, Any]:
    return {item.id: _told(item, other, answers[item.id]) for item, other in items if item.id in answers}


def _told(item: Item, other: Item, answer: Any) -> Any:
    """One answer as another version of its item counts it: a number as text, or LOST."""
    if value_of(answer) is None:
        return answer
    number = in_unit_of(other, item, answer)
    return LOST if number is None else format(number, "f")


def _otherwise(form: Form, other: Form) -> Sequence[_Part]:
    """Worked out once for two versions."""
    found: Sequence[_Part] | None = other.memo.get((counted, form.version))
    if found is None:
        parts = (
            _Part(
                part.id if part.repeating else None,
                [
                    (item, other.item(item.id))
                    for item in part.items
                    if other.has(item.id) and _differ(item, other.item(item.id))
                ],
            )
            for part in form.sections
        )
        found = other.memo[counted, form.version] = [part for part in parts if part.items]
    return found


def _differ(item: Item, other: Item) -> bool:
    if not (item.is_number or other.is_number):
        return False
    return (item.is_number, item.unit, item.units) != (other.is_number, other.unit, other.units)
