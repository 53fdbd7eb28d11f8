"""Numbers of a page as another version of its form counts them."""

from decimal import Decimal
from typing import Any

import pytest

from app.forms.answers import in_unit_of
from app.forms.carried import LOST, counted, otherwise
from app.forms.definition import Form, Item

WORDS = {"en": "A", "zh": "甲"}


def form(version: int, **how: Any) -> Form:
    item = {"id": "alt", "label": WORDS, "type": "decimal"} | how
    rows = {"id": "rows", "title": WORDS, "repeating": True, "item": [item | {"id": "ast"}]}
    page = {"id": "page", "title": WORDS, "item": [item, {"id": "note", "label": WORDS, "type": "text"}]}
    return Form.of({"form": "labs", "version": version, "title": WORDS, "domain": "LB", "section": [page, rows]})


def alt(**how: Any) -> Item:
    return form(1, **how).item("alt")


OLD = {"unit": "U/L", "units": {"ukat/L": "60", "nkat/L": "0.06"}}


@pytest.mark.parametrize(
    ("other", "answer", "expected"),
    [
        ({"unit": "U/L"}, "60", "60"),
        ({"unit": "U/L", "units": {"ukat/L": "59"}}, {"value": "2", "unit": "ukat/L"}, "118"),
        ({"unit": "U/L"}, {"value": "2", "unit": "ukat/L"}, "120"),
        ({"unit": "ukat/L"}, {"value": "1.05", "unit": "ukat/L"}, "1.05"),
        ({"unit": "ukat/L"}, "60", None),
        ({"unit": "ukat/L"}, {"value": "5", "unit": "nkat/L"}, None),
        ({"unit": "ukat/L", "units": {"nkat/L": "0.001"}}, {"value": "5", "unit": "nkat/L"}, "0.005"),
        ({"unit": "ukat/L", "units": {"U/L": "0.02"}}, {"value": "5", "unit": "nkat/L"}, "0.006"),
        ({}, "60", None),
        ({"type": "text"}, "60", None),
        ({"type": "integer", "unit": "U/L"}, "60", "60"),
        ({"unit": "ukat/L"}, {"missing": "not_done"}, None),
    ],
)
def test_a_number_goes_from_the_unit_it_was_collected_in_or_from_its_canonical_one(
    other: dict[str, Any], answer: Any, expected: str | None
) -> None:
    assert in_unit_of(alt(**other), alt(**OLD), answer) == (None if expected is None else Decimal(expected))


def test_a_number_without_a_unit_is_in_none_of_another_version() -> None:
    assert in_unit_of(alt(unit="U/L"), alt(), "60") is None


def test_a_page_is_counted_item_by_item_and_keeps_the_rest() -> None:
    old, new = form(1, **OLD), form(2, unit="ukat/L", units={"U/L": "0.02"})
    answers = {"alt": "50", "note": "12", "rows": [{"row": 3, "ast": {"value": "2", "unit": "ukat/L"}}, {"row": 4}]}
    assert counted(old, new, answers) == {"alt": "1.00", "note": "12", "rows": [{"row": 3, "ast": "2"}, {"row": 4}]}
    assert counted(old, new, {"alt": {"missing": "not_done"}}) == {"alt": {"missing": "not_done"}}


def test_what_the_other_version_does_not_take_is_there_without_a_value() -> None:
    old, new = form(1, **OLD), form(2, unit="ukat/L")
    assert counted(old, new, {"alt": "50"})["alt"] is LOST
    assert counted(old, form(3, type="text"), {"alt": "50"})["alt"] is LOST
    assert counted(form(3, type="text"), old, {"alt": "about 50"})["alt"] is LOST


def test_versions_that_count_alike_leave_a_page_as_it_is() -> None:
    answers = {"alt": "50"}
    assert counted(form(1, **OLD), form(2, **OLD), answers) is answers
    assert not otherwise(form(1, **OLD), form(2, **OLD))
