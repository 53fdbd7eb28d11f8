"""What the rules that sort findings into categories refuse, and how a response is dated."""

import pytest

from app.clinical.rules.categories import CATEGORY_RULES
from app.clinical.rules.errors import RuleError
from app.clinical.rules.registry import RULES as EVERY
from app.clinical.rules.response import RESPONSE
from app.clinical.rules.rule import Rule

RULES: dict[str, Rule] = {rule.id: rule for rule in CATEGORY_RULES}
DAY0 = {"day0": "2024-01-01"}


@pytest.mark.parametrize(
    ("rule", "inputs", "named"),
    [
        ("magic_agvhd", {"severe_pain_or_blood": "0", "weight_kg": "45", "group": "adult"}, "group"),
        ("magic_agvhd", {"lgi_vol": "0", "weight_kg": "70", "group": "child"}, "group"),
        ("duration_of_response", {"series": "2024-02-01=CR", "death_date": "2024-01-31"}, "death_date"),
        ("duration_of_response", {"series": "2024-02-01=NE(PR)", "death_date": "2024-01-31"}, "death_date"),
        ("engraftment", {**DAY0, "series": "WBC:2024-01-10=1"}, "series"),
        ("engraftment", {**DAY0, "series": "ANC:2024-01-10"}, "series"),
        ("engraftment", {**DAY0, "series": "ANC:2024-01-10="}, "series"),
        ("engraftment", {**DAY0, "series": "ANC:"}, "series"),
        ("engraftment", {**DAY0, "series": "ANC:2024-01-40=1"}, "series"),
        ("engraftment", {**DAY0, "series": "ANC:2024-01-10=low"}, "series"),
        ("engraftment", {**DAY0, "series": "0.5"}, "series"),
        ("engraftment", {**DAY0, "series": "PLT:2024-01-10=20", "plt_tx": "01.02.2024"}, "plt_tx"),
        ("agvhd_course", {"series": "2024-01-10=V"}, "series"),
        ("agvhd_course", {"series": "2024-01-10=II(I)"}, "series"),
        ("agvhd_course", {"series": "2024-01-10=NE(V)"}, "series"),
        ("best_overall_response", {"series": "2024-01-10=better"}, "series"),
        ("mrd_conversion", {"series": "x=POS"}, "series"),
        ("nih_cgvhd_organ", {"organ": "skin", "bsa": "5", "inputs": "bsa=6"}, "bsa"),
        ("nih_cgvhd_organ", {"organ": "skin", "inputs": "area=6"}, "inputs"),
        ("response", {"profile": "NCCN"}, "profile"),
        ("mrd_status", {"value_unit": "ppm"}, "value_unit"),
    ],
)
def test_what_cannot_be_read_says_which_input_and_not_what_stood_there(rule, inputs, named):
    with pytest.raises(RuleError) as refused:
        RULES[rule].compute(inputs)
    assert refused.value.name == named
    assert not any(value in str(refused.value) for value in inputs.values() if len(value) > 4)


def test_a_packed_cell_gives_what_the_inputs_give():
    organ = RULES["nih_cgvhd_organ"]
    packed = organ.compute({"organ": "skin", "inputs": " bsa=5 ; sclerosis=deep ; "})
    assert packed.value == organ.compute({"organ": "skin", "bsa": "5", "sclerosis": "deep"}).value == "3"
    assert packed.used["bsa"] == 5


@pytest.mark.parametrize("cell", ["", None, 7])
def test_a_packed_cell_that_holds_nothing_leaves_the_inputs_alone(cell):
    inputs = {"organ": "genital", "genital_signs": "mild", "inputs": cell}
    if cell == 7:
        with pytest.raises(RuleError):
            RULES["nih_cgvhd_organ"].compute(inputs)
    else:
        assert RULES["nih_cgvhd_organ"].compute(inputs).value == "1"


def test_no_rule_has_the_name_of_another():
    assert len(RULES) == len(CATEGORY_RULES)


def test_every_profile_of_response_has_its_column_and_its_source():
    assert RESPONSE.tables[0].columns[1:] == tuple(one.name for one in RESPONSE.profiles)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_where_it_comes_from(name):
    rule = RULES[name]
    assert rule.sources
    assert all(table.source and table.rows for table in rule.tables)
    assert all(len(row) == len(table.columns) for table in rule.tables for row in table.rows)
    assert rule.tables


@pytest.mark.parametrize("rule", EVERY.values(), ids=list(EVERY))
@pytest.mark.parametrize("odd", [[1], {"a": 1}, [], {}, (), object()])
def test_no_input_takes_what_is_no_single_value(rule, odd):
    for name in rule.named:
        with pytest.raises(RuleError) as refused:
            rule.compute({name: odd})
        assert refused.value.name == name
