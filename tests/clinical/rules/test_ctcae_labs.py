"""What the cases of ctcae_labs do not say: refusals, flags, and grading many values."""

from decimal import Decimal
from time import process_time

import pytest

from app.clinical.rules.ctcae_labs import CTCAE_LABS, grade_value, prepare
from app.clinical.rules.errors import RuleError
from tests.clinical.rules.cases import cases

D = Decimal


def lab(**inputs):
    return CTCAE_LABS.compute({"version": "5.0", **inputs})


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"term": "Thrombocytopenia", "value": 1, "unit": "10^9/L"}, "term"),
        ({"version": "6.0", "term": "LYMPH", "value": 1, "unit": "10^9/L"}, "term"),
        ({"term": "Platelets", "value": 1, "unit": "10^9/L"}, "term"),
        ({"version": "4.03", "term": "PLT", "value": 1, "unit": "10^9/L"}, "version"),
        ({"term": "PLT", "value": 1, "unit": "10^12/L"}, "unit"),
        ({"term": "PLT", "value": -1, "unit": "10^9/L"}, "value"),
        ({"term": "ALT", "value": 1, "unit": "U/L", "uln": 0}, "uln"),
        ({"term": "ALT", "value": 1, "unit": "U/L", "lln": 40, "uln": 30}, "lln"),
        ({"term": "CREAT", "value": 1, "unit": "mg/dL", "uln": 1, "baseline": 0}, "baseline"),
    ],
)
def test_what_cannot_be_graded_is_refused(inputs, name):
    with pytest.raises(RuleError) as refused:
        lab(**inputs)
    assert refused.value.name == name


def test_a_short_name_and_another_spelling_of_a_unit_are_understood():
    for unit in ("10*9/L", "x10^9/L", "10E9/l", "10^9/L"):
        assert lab(term="plt", value="20", unit=unit, lln=125).value == "4"
    assert (
        CTCAE_LABS.compute({"version": "6.0", "term": "PLT", "value": "20", "unit": "/µL", "lln": 125000}).value == "4"
    )


def test_the_version_is_data():
    for version, grade in (("5.0", "4"), ("6.0", "3")):
        assert grade_value(version, "ANC", D("0.4"), "10^9/L") == grade


def test_one_and_a_half_times_one_point_two_is_one_point_eight():
    assert grade_value("5.0", "BILI", D("1.8"), "mg/dL", uln=D("1.2"), baseline=D(1)) == "1"


def test_an_assumption_about_the_baseline_is_flagged():
    assert lab(term="ALT", value=150, unit="U/L", uln=40).flags == ("BASELINE_ASSUMED_NORMAL",)
    assert lab(term="ALT", value=150, unit="U/L", uln=40, baseline=30).flags == ()
    assert lab(term="FIB", value=1, unit="g/L", lln=2, baseline="1.5").flags == ("BASELINE_DECREASE_NOT_COMPUTED",)
    assert lab(term="FIB", value=1, unit="g/L", lln=2, baseline=2).flags == ()


def test_a_grader_refuses_what_the_rule_refuses():
    with pytest.raises(RuleError):
        prepare("5.0", "ALT", "U/L", D(50), D(40))
    with pytest.raises(RuleError):
        prepare("5.0", "ALT", "")
    with pytest.raises(RuleError):
        prepare("5.0", "ALT", "U/L", None, D(40))(D(-1))


@pytest.mark.parametrize(
    ("term", "unit", "lln", "uln", "baseline", "value", "symptomatic", "grade"),
    [
        ("ALT", "U/L", None, D(40), None, None, None, "NE"),
        ("ALT", "U/L", None, None, None, D(190), None, "NE"),
        ("ALT", "U/L", None, None, D(80), D(190), None, "NE"),
        ("LIPASE", "U/L", None, D(60), None, D(301), None, "NE"),
        ("LIPASE", "U/L", None, D(60), None, D(301), True, "4"),
        ("LIPASE", "U/L", None, D(60), None, D(301), False, "3"),
        ("CREAT", "umol/L", None, D(100), D(50), D(90), None, "NE"),
        ("CREAT", "umol/L", D(45), D(100), D(50), D(90), None, "0"),
        ("CREAT", "umol/L", D(45), D(100), D(40), D(90), None, "2"),
        ("ALT", "U/L", None, D(40), D(80), D(80), None, "1"),
    ],
)
def test_a_prepared_grader_falls_back_on_the_rule_where_something_is_missing(
    term, unit, lln, uln, baseline, value, symptomatic, grade
):
    assert prepare("6.0", term, unit, lln, uln, baseline)(value, symptomatic) == grade


def number(cell):
    return D(cell) if cell else None


def test_a_hundred_thousand_values_are_graded_in_a_second():
    rows = [case.row for case in cases("ctcae_labs") if case.row["version"] and case.row["term"] and case.row["unit"]]
    values = [
        (
            (row["version"], row["term"], number(row["value"]), row["unit"]),
            {name: number(row[name]) for name in ("lln", "uln", "baseline")},
            {"": None, "0": False, "1": True}[row["symptomatic"]],
            row["expected"],
        )
        for row in rows
    ]
    assert [grade_value(*one, **limits, symptomatic=signs) for one, limits, signs, _ in values] == [
        row[-1] for row in values
    ]
    told = [row for row in values if row[-1] != "NE"]
    best = min(timed(told) for _ in range(3))
    assert best < len(told) / 100_000, f"{len(told) / best:.0f} values per second"


def timed(values):
    begun = process_time()
    for one, limits, symptoms, _ in values:
        grade_value(*one, **limits, symptomatic=symptoms)
    return process_time() - begun
