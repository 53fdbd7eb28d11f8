"""What the rules that sort findings into categories keep to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clinical.rules.categories import CATEGORY_RULES
from app.clinical.rules.inputs import Kind
from app.clinical.rules.rule import NE, Outcome, Rule
from tests.clinical.rules.category_samples import complete, partial, stands, value

EVERY = pytest.mark.parametrize("rule", CATEGORY_RULES, ids=[rule.id for rule in CATEGORY_RULES])
DIRECTED = [rule for rule in CATEGORY_RULES if any(one.worse for one in rule.inputs)]


def rank(rule: Rule, outcome: Outcome) -> int:
    reached = outcome.floor if outcome.value == NE else outcome.value
    return rule.results[0].order.index(str(reached)) if reached is not None else -1


def assumed(outcome: Outcome) -> bool:
    return any("_ASSUMED" in flag for flag in outcome.flags)


@EVERY
def test_without_any_input_nothing_is_normal(rule):
    outcome = rule.compute({})
    assert outcome.value == NE
    assert outcome.flags
    assert not outcome.used


@EVERY
@given(data=st.data())
@settings(max_examples=60)
def test_a_complete_case_is_a_category_or_says_why_not(rule, data):
    outcome = rule.compute(data.draw(complete(rule)))
    for result in rule.results:
        found = outcome.value if result.name == "value" else outcome.results[result.name]
        assert not result.order or found in {*result.order, NE}
    assert outcome.floor is None


@pytest.mark.parametrize("rule", DIRECTED, ids=[rule.id for rule in DIRECTED])
@given(data=st.data())
@settings(max_examples=60)
def test_a_worse_input_never_grades_milder(rule, data):
    worsened = data.draw(st.sampled_from([one for one in rule.inputs if one.worse]))
    case = data.draw(complete(rule))
    both = [case.get(worsened.name, data.draw(value(rule, worsened))), data.draw(value(rule, worsened))]
    both.sort(key=worsened.codes.index if worsened.kind is Kind.CODE else None, reverse=worsened.worse == "down")
    mild, bad = (rule.compute({**case, worsened.name: each}) for each in both)
    assert NE in {mild.value, bad.value} or rank(rule, mild) <= rank(rule, bad)


@EVERY
@given(data=st.data())
@settings(max_examples=60)
def test_more_is_never_told_than_every_completion_keeps(rule, data):
    whole, known, less = data.draw(partial(rule))
    full, some, few = (rule.compute(each) for each in (whole, known, less))
    if any(map(assumed, (full, some, few))) or stands(rule, known) or stands(rule, less):
        return
    assert some.value in {NE, full.value}
    assert few.value in {NE, some.value}
    for name, found in some.results.items():
        assert found in {NE, full.results[name]}
    if rule.results[0].order:
        assert rank(rule, few) <= rank(rule, some) <= rank(rule, full)


@EVERY
@given(data=st.data())
@settings(max_examples=30)
def test_the_same_inputs_as_text_give_the_same_results(rule, data):
    case = data.draw(complete(rule))
    written = {
        name: {True: "Y", False: "N"}[each] if isinstance(each, bool) else str(each) for name, each in case.items()
    }
    assert rule.compute(written) == rule.compute(case)
