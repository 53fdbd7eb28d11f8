"""The manual mentions every key, type, reason and function, and its own example is a form without mistakes."""

import re
from pathlib import Path

import pytest

from app.forms.check import check_form
from app.forms.definition import ItemType, MissingReason
from app.forms.expressions import Kind, Rows, compile_expression
from app.forms.schema import KEYS
from app.forms.tokens import FUNCTIONS, MACROS

MANUAL = (Path(__file__).parents[2] / "docs" / "forms.md").read_text(encoding="utf-8")
CODE = " ".join(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", MANUAL, flags=re.DOTALL)))
KINDS: dict[str, Kind] = {
    "sex": "text",
    "age": "number",
    "response": "text",
    "onset": "partial_date",
    "seen": "date",
    "organs": "list",
    "anc": "number",
    "event": Rows({"grade": "number", "serious": "text"}),
}


@pytest.mark.parametrize("word", sorted({key for name in ("Form", "Section", "Item") for key in KEYS[name]}))
def test_every_key_is_explained(word):
    assert re.search(rf"\b{word}\b", CODE)


@pytest.mark.parametrize("word", [*ItemType, *MissingReason, *sorted(FUNCTIONS | MACROS)])
def test_every_type_reason_and_function_is_explained(word):
    assert re.search(rf"\b{word}\b", CODE)


def test_the_first_form_has_no_mistakes():
    example = re.search(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    assert example is not None
    assert check_form(example[1])[1] == []


def test_the_expressions_shown_can_be_published():
    shown = MANUAL.split("## Expressions")[1].split("```")[1].strip().splitlines()
    assert len(shown) > 3
    for text in shown:
        compile_expression(text, KINDS, result="any")
