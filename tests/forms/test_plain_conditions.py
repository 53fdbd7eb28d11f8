from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.forms.expressions import Facts, Kind, compile_expression
from app.forms.plain_conditions import plain_condition
from app.forms.tokens import tokenise

KINDS: dict[str, Kind] = {
    "anc": "number", "cells": "number", "sex": "text", "arm": "text", "seen": "date", "at": "time",
    "onset": "partial_date", "organs": "list", "visit": "text", "given": "map",
    "subject": Facts({"arm": "text", "birth": "date", "n": "number"}),
}  # fmt: skip
NUMBERS, TEXTS = ["anc", "cells", "subject.n", "given.n"], [
    "sex", "arm", "seen", "at", "subject.arm", "subject.birth", "visit", "given.arm",
]  # fmt: skip
CODES = ["F", "M", "", "中文", "2024-05-01", "a b", 'say "x"']

number = st.sampled_from(["0", "5", "5.0", "0.5", "1e2", "99999999999999999999"])
code = st.sampled_from(CODES).map(lambda text: f"'{text}'")


def listed(literals):
    return st.lists(literals, min_size=1, max_size=4).map(lambda found: f"[{', '.join(found)}]")


def said(*parts):
    return st.tuples(*parts).map(" ".join)


comparison = st.one_of(
    said(st.sampled_from(NUMBERS), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), number),
    said(st.sampled_from(TEXTS), st.sampled_from(["==", "!="]), code),
    said(st.sampled_from(NUMBERS), st.just("in"), listed(number)),
    said(st.sampled_from(TEXTS), st.just("in"), listed(code)),
    said(st.sampled_from([*NUMBERS, *TEXTS, "onset", "organs"]), st.sampled_from(["== null", "!= null"])),
    st.sampled_from([*NUMBERS, *TEXTS, "onset", "organs"]).map(lambda name: f"is_missing({name})"),
)
condition = st.recursive(
    comparison,
    lambda inner: st.one_of(
        said(inner.map(lambda one: f"({one})"), st.sampled_from(["&&", "||"]), inner),
        said(inner, st.sampled_from(["&&", "||"]), inner),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=6,
)

value = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(-(2**60), 2**60), st.decimals(-1000, 1000, places=2), st.dates(),
    st.sampled_from([5.0, 0.5, 100.0, 1e20, Decimal(5)]), st.sampled_from(CODES), st.text(max_size=3),
    st.lists(st.sampled_from(CODES), max_size=2),
)  # fmt: skip
facts = st.dictionaries(st.sampled_from(["arm", "birth", "n"]), value)
entered = st.fixed_dictionaries({}, optional=dict.fromkeys(KINDS, value) | {"subject": facts, "given": facts})


@settings(deadline=None, max_examples=400)  # other work may hold the processors
@given(condition, entered)
@example("anc < 5 || sex == 'F'", {"sex": "F"})
@example("anc < 5 && sex == 'F'", {"anc": float("nan"), "sex": "M"})
@example("subject.arm == null", {})
def test_a_plain_condition_says_what_the_engine_says(text, variables):
    expression = compile_expression(text, KINDS)
    assert plain_condition(tokenise(text), KINDS) is not None
    assert expression.evaluate(variables) is replace(expression, _plain=None).evaluate(variables)


@pytest.mark.parametrize(
    "text",
    [
        "onset == '2024'",  # stands for its first day
        "sex == arm",
        "'F' == sex",
        "anc > -5",
        r"sex == 'it\'s'",
        "sex == r'F'",
        "sex == 'F' ? anc < 5 : true",
        "sex in ['F', arm]",
        "(sex == 'F') == (arm == 'A')",
        "'a' in organs",
        "anc + 1 > 2",
        "size(sex) > 1",
        "true",
    ],
)
def test_everything_else_is_left_to_the_engine(text):
    compile_expression(text, KINDS)
    assert plain_condition(tokenise(text), KINDS) is None


@pytest.mark.parametrize("text", ["!" * 1900 + "is_missing(anc)", "(" * 20 + "anc > 1" + ")" * 20])
def test_signs_and_brackets_may_be_many(text):
    expression = compile_expression(text, KINDS)
    assert expression.evaluate({"anc": 2.0}) is replace(expression, _plain=None).evaluate({"anc": 2.0})
