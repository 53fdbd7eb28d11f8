"""The pages of a walk: what may stand on them in either version of the small trial, and what the amendment makes of it.

Told from the protocol, not from the plan's code. Answers lie flat here: an item with its row, and the answer.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

Which = tuple[str, int | None]
Answers = dict[Which, Any]


class Place(NamedTuple):
    """Where a page stands."""

    subject: str
    visit: str
    form: str


PLACES = (("SCR", "consent"), ("SCR", "labs"), ("D30", "response"), ("D60", "labs"))
NEW_VISIT = "D60"
FIRST: Answers = {("sample_date", None): "2024-01-09", ("hb", None): "97"}
"""What stands on the laboratory page of each subject when a walk begins."""

ROWS = (1, 2)
LOW = ("21", "22")
"""Haemoglobins that a rule asks about."""

NOT_DONE, UNKNOWN = {"missing": "not_done"}, {"missing": "not_available"}
_DATES = ("2024-01-09", "2024-01-10")
_LABS: dict[str, tuple[Any, ...]] = {
    "sample_date": _DATES,
    "hb": ("97", {"value": "9.7", "unit": "g/dL"}, NOT_DONE, *LOW),
    "drug": ("X", "Y"),
}
VALUES: Mapping[tuple[str, int], Mapping[str, tuple[Any, ...]]] = {
    ("consent", 1): {"consent_date": _DATES, "enrol_date": _DATES, "note": ("Seen", "Seen twice")},
    ("consent", 2): {"consent_date": _DATES, "enrol_date": _DATES},
    ("labs", 1): _LABS | {"anc": ("1.20", "2"), "transfused": ("Y", "N"), "dose": ("5", "2.5")},
    ("labs", 2): _LABS
    | {"anc": ("1500", "2000"), "transfusion": ("Y", "N"), "plt": (150, NOT_DONE, UNKNOWN), "route": ("PO",)},
    ("response", 1): {"assess_date": _DATES, "response": ("CR", "RELAPSE", "NR")},
    ("response", 2): {"assess_date": _DATES, "response": ("CR", "REL", "SD", "PD")},
}
"""The items of each version of a form with answers that it takes."""

_REQUIRED = {
    "consent": ("consent_date",), "labs": ("sample_date", "hb"), "response": ("assess_date", "response"),
}  # fmt: skip
_IN_ROWS = {"drug", "dose", "route"}

KEPT = ("assess_date", None)
"""Never taken away: what endpoints ask of a response without its day is another story."""


def items(form: str, version: int) -> list[Which]:
    """Every item of a form, in each row where it stands in rows."""
    found = VALUES[form, version]
    return [(item, row) for item in found for row in (ROWS if item in _IN_ROWS else (None,))]


def nested(answers: Answers) -> dict[str, Any]:
    """Answers as they are sent."""
    page = {item: value for (item, row), value in answers.items() if row is None}
    rows = [
        {"row": row} | {item: value for (item, number), value in answers.items() if number == row}
        for row in sorted(_rows(answers))
    ]
    return page | ({"drugs": rows} if rows else {})


def flat(page: Mapping[str, Any]) -> Answers:
    """Answers as they came back."""
    rows = page.get("drugs", ())
    return {(item, None): value for item, value in page.items() if item != "drugs"} | {
        (item, row["row"]): value for row in rows for item, value in row.items() if item != "row"
    }


def changes(before: Answers, after: Answers) -> dict[Which, tuple[Any, Any]]:
    """What two states of a page do not share."""
    return {
        which: (before.get(which), after.get(which))
        for which in (*before, *after)
        if before.get(which) != after.get(which)
    }


def owes(form: str, version: int, answers: Answers) -> bool:
    """Whether the page cannot be complete like this."""
    required: list[Which] = [(item, None) for item in _REQUIRED[form]]
    required += [("plt", None)] if (form, version) == ("labs", 2) else []
    required += [("drug", row) for row in _rows(answers)]
    return any(which not in answers for which in required)


def _rows(answers: Answers) -> set[int]:
    return {row for _, row in answers if row is not None}


# ---------------------------------------------------------------- the amendment

_RENAMED = {"transfused": "transfusion"}
_NAMED_BEFORE = {new: old for old, new in _RENAMED.items()}
_RETIRED = {"note", "dose"}
_NEW = {"plt", "route"}
_CODES = {"RELAPSE": "REL", "NR": "SD"}
_BACK = {new: old for old, new in _CODES.items()} | {"PD": None}


def ahead(form: str, answers: Answers, *, complete: bool) -> tuple[Answers, Answers]:
    """A page under the second version, and what has no place there."""
    orphans = {which: value for which, value in answers.items() if which[0] in _RETIRED}
    made = {
        (_RENAMED.get(item, item), row): _onwards(item, value)
        for (item, row), value in answers.items()
        if (item, row) not in orphans
    }
    if form == "labs" and complete:
        made["plt", None] = UNKNOWN
    return made, orphans


def _onwards(item: str, value: Any) -> Any:
    if item == "anc":
        return format(Decimal(value) * 1000, "f")
    return _CODES.get(value, value) if item == "response" else value


def behind(before: Answers, then: Answers, now: Answers) -> Answers | None:
    """The page as the first version had it: `before` became `then`, and people have made it `now`.

    None where there is no way. What nobody has touched is what it was. What came since goes back where the first
    version has a place for it, but not into a row that held something and whose number is taken.
    """
    gone, begun = _rows(then) - _rows(now), _rows(now) - _rows(then)
    if begun & _rows(before):
        return None
    made = {which: value for which, value in before.items() if which[1] not in gone}
    for (item, row), (_, value) in changes(then, now).items():
        which = (_NAMED_BEFORE.get(item, item), row)
        if value is None:
            made.pop(which, None)
        elif item in _NEW or (back := _backwards(item, value)) is None:
            return None
        else:
            made[which] = back
    return made


def _backwards(item: str, value: Any) -> Any:
    if item == "anc":
        return format(Decimal(value) / 1000, "f")
    return _BACK.get(value, value) if item == "response" else value
