import pytest

from app.clinical.rules.errors import RuleError
from app.clinical.rules.registry import RULES
from app.clinical.rules.table import ERROR
from tests.clinical.rules.cases import CASES, VECTORS, cases


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_has_its_results(case):
    assert case.misses() == []


@pytest.mark.parametrize("case", [each for each in CASES if ERROR in each.expected.values()], ids=str)
def test_what_cannot_be_read_says_which_input(case):
    with pytest.raises(RuleError) as refused:
        RULES[case.rule].compute(case.inputs)
    assert refused.value.name in RULES[case.rule].named


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_cases(rule):
    assert (VECTORS / f"{rule}.csv").exists()
    assert len(list(cases(rule))) >= 5
