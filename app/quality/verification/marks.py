"""The marks of one page: a list that says of each item whether it was verified, by whom, when, at which revision.

    [{"item": "hb", "row": null, "state": "verified", "revision": 2, "by": "Sun Lei", "at": "2026-03-01T08:30:00Z"}]

A mark is of an item that has an answer. An item that nobody has looked at has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.canonical import plain
from app.forms.answers import Difference
from app.forms.definition import Form, ItemType
from app.models.marks import MarkState
from app.subjects.locked import Which, by_row

Mark = Mapping[str, Any]


def given(form: Form, answers: Mapping[str, Any]) -> list[Which]:
    """The items of a page that have an answer, in the order of the form, rows by their numbers."""
    found: list[Which] = []
    for rows, items in _entered(form):
        if rows is None:
            found += [which for which in items if which[0] in answers]
        else:
            for row in answers.get(rows) or ():
                found += [(item, row["row"]) for item, _ in items if item in row]
    return found


def _entered(form: Form) -> Sequence[tuple[str | None, Sequence[Which]]]:
    """The items of a form that are entered, section by section with the name of its rows; worked out once."""
    found: Sequence[tuple[str | None, Sequence[Which]]] | None = form.memo.get("entered")
    if found is None:
        found = form.memo["entered"] = [
            (
                section.id if section.repeating else None,
                [(item.id, None) for item in section.items if item.type is not ItemType.COMPUTED],
            )
            for section in form.sections
        ]
    return found


def by_item(marks: Iterable[Mark]) -> dict[Which, Mark]:
    """Marks by the item they are of."""
    return {(mark["item"], mark["row"]): mark for mark in marks}


def verified(marks: Sequence[Mark], items: Iterable[Which], *, revision: int, by: str, at: datetime) -> list[Mark]:
    """The marks once these items too are found to agree with the source."""
    said = {"state": MarkState.VERIFIED.value, "revision": revision, "by": by, "at": plain(at)}
    held = by_item(marks) | {(item, row): {"item": item, "row": row} | said for item, row in items}
    return _in_order(held)


def withdrawn(marks: Sequence[Mark], items: Iterable[Which]) -> list[Mark]:
    """The marks without those of these items."""
    gone = set(items)
    return [mark for mark in marks if (mark["item"], mark["row"]) not in gone]


def reset(marks: Sequence[Mark], changed: Iterable[Difference]) -> list[Mark]:
    """The marks once these items are others: what changed is to be seen again, what is gone is not."""
    held = by_item(marks)
    for each in changed:
        mark = held.pop((each.item, each.row), None)
        if mark is not None and each.after is not None:
            held[each.item, each.row] = {**mark, "state": MarkState.RESET.value}
    return _in_order(held)


def _in_order(held: Mapping[Which, Mark]) -> list[Mark]:
    return [held[key] for key in sorted(held, key=by_row)]
