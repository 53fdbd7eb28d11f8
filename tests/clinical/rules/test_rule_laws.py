"""What every rule keeps to, whatever it grades."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clinical.rules.ctcae_labs import prepare, scale_of
from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Kind
from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import NE, Outcome, Rule
from tests.clinical.rules.category_samples import CONTRADICT, drawn, stands
from tests.clinical.rules.samples import CATEGORIES, complete, partial, values

EVERY = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
GRADED = {name: rule for name, rule in RULES.items() if rule.results[0].order}
ORDERED = pytest.mark.parametrize("rule", GRADED.values(), ids=list(GRADED))
DIRECTED = {name: rule for name, rule in GRADED.items() if any(one.worse for one in rule.inputs)}
WRITTEN = "0123456789 .,-+=|;:()/%eENETIVACLPDRY\0\n\u00b5\u03bc\uff11\u6708"  # all of Unicode takes seconds to list
JUNK = st.one_of(
    st.text(WRITTEN, max_size=12),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.none(),
    st.binary(max_size=4),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(
        ["1e400", "-0", "1_000", "１", "NaN", "1e-300", "2024-13-01", "2024-02-30T10:00", "9999-12-31T23:59"]
    ),
)


def assumed(outcome: Outcome) -> bool:
    """Whether the profile filled something in: such inputs are exempt from the laws about what is missing."""
    return any("_ASSUMED" in flag for flag in outcome.flags)


def rank(rule: Rule, outcome: Outcome) -> int:
    """How severe the result is at least."""
    order = rule.results[0].order
    reached = outcome.floor if outcome.value == NE else outcome.value
    return order.index(str(reached)) if reached is not None else -1


@EVERY
@given(data=st.data())
def test_a_rule_answers_or_refuses_and_never_breaks(rule, data):
    inputs = data.draw(st.dictionaries(st.sampled_from(list(rule.named)), JUNK))
    with suppress(RuleError):
        assert rule.compute(inputs).rule == rule.id


@EVERY
@given(data=st.data())
def test_a_complete_case_has_every_result(rule, data):
    outcome = rule.compute(data.draw(complete(rule)))
    for result in rule.results:
        value = outcome.value if result.name == "value" else outcome.results[result.name]
        assert not result.order or value in {*result.order, NE}
    assert outcome.floor is None
    assert (outcome.rule, outcome.version) == (rule.id, rule.version)


@EVERY
def test_without_any_input_nothing_is_normal(rule):
    outcome = rule.compute({})
    assert outcome.value == NE
    assert outcome.flags
    assert not outcome.used


@pytest.mark.parametrize("rule", DIRECTED.values(), ids=list(DIRECTED))
@given(data=st.data())
def test_a_worse_input_never_grades_milder(rule, data):
    directed = [one for one in rule.inputs if one.worse]
    worsened = data.draw(st.sampled_from(directed))
    case = data.draw(complete(rule))
    other = data.draw(values(rule, worsened)) if rule.id != "ctcae_labs" else worse_lab(case, worsened.name)
    both: list[Any] = [case.get(worsened.name, data.draw(values(rule, worsened))), other]
    if worsened.kind is Kind.CODE:
        both.sort(key=worsened.codes.index)
    else:
        both.sort()
    if worsened.worse == "down":
        both.reverse()
    mild, bad = (rule.compute({**case, worsened.name: value}) for value in both)
    if NE not in {mild.value, bad.value}:
        assert rank(rule, mild) <= rank(rule, bad)


def worse_lab(case: dict[str, Any], name: str) -> Any:
    return True if name == "symptomatic" else case["uln"]


@ORDERED
@given(data=st.data())
def test_the_floor_is_no_more_than_any_completion(rule, data):
    whole, known, less = data.draw(partial(rule))
    full, some, few = (rule.compute(each) for each in (whole, known, less))
    if assumed(few) or assumed(some) or stands(rule, known) or stands(rule, less):
        return
    assert few.value in {NE, some.value}
    assert rank(rule, few) <= rank(rule, some) <= rank(rule, full)
    for outcome in (few, some):
        assert outcome.value in {NE, full.value}
        assert (outcome.floor is None) or outcome.value == NE


@EVERY
@given(data=st.data())
def test_what_is_told_of_a_partial_case_stands_when_it_is_completed(rule, data):
    whole, known, _ = data.draw(partial(rule))
    full, some = rule.compute(whole), rule.compute(known)
    if assumed(some) or stands(rule, known):
        return
    for name, value in some.results.items():
        assert value in {NE, full.results[name]}
    assert some.value in {NE, full.value}


@pytest.mark.parametrize("name", CONTRADICT)
@given(data=st.data())
def test_what_contradicts_itself_is_refused_however_little_else_is_known(name, data):
    rule = RULES[name]
    case = data.draw(drawn(rule))
    left_out = data.draw(st.sets(st.sampled_from(sorted({*rule.named} - CONTRADICT[name]))))
    if refused(rule, case):
        assert refused(rule, {each: case[each] for each in case if each not in left_out})


def refused(rule: Rule, case: dict[str, Any]) -> bool:
    try:
        rule.compute(case)
    except RuleError:
        return True
    return False


@pytest.mark.parametrize("name", sorted(name for name in CATEGORIES if "series" in RULES[name].named))
@given(data=st.data())
def test_a_series_tells_the_same_in_whatever_order_it_was_written(name, data):
    case = data.draw(complete(RULES[name]))
    head, colon, last = case["series"].rpartition(":") if name == "engraftment" else ("", "", case["series"])
    other = "|".join(data.draw(st.permutations(last.split("|"))))
    assert RULES[name].compute({**case, "series": head + colon + other}).results == RULES[name].compute(case).results


@given(data=st.data())
def test_a_marrow_that_was_not_examined_is_told_by_no_other_sign(data):
    case = data.draw(complete(RULES["response"])) | {"pb": data.draw(st.sampled_from([False, None]))}
    seen = st.sampled_from(["absent", "not_assessed"] + ["present"] * (case["prior"] in {"none", "PR", "MLFS"}))
    case |= {"bm": None, "emd": data.draw(seen)}
    left_out = data.draw(st.sets(st.sampled_from(sorted({*case} - {"emd", "prior"}))))
    told = RULES["response"].compute({name: value for name, value in case.items() if name not in left_out})
    assert (told.value, told.floor) == (NE, None)


RECOVERED = {"anc": "2", "plt": "150", "rbc_indep": True, "marrow": "adequate"}


@given(data=st.data())
def test_a_response_that_no_extramedullary_disease_would_change_is_told(data):
    rule, some = RULES["response"], {name: st.sampled_from(each) for name, each in FEW.items()}
    case = RECOVERED | data.draw(st.fixed_dictionaries(some))
    told = {rule.compute({**case, "emd": emd}).value for emd in ("absent", "present")}
    unseen = rule.compute({**case, "emd": "not_assessed"}).value
    assert unseen in ({NE, *told} if len(told) > 1 else told)


FEW: dict[str, tuple[Any, ...]] = {
    "profile": ("SEED000", "NCI2010"),
    "prior": ("none", "PR", "CR"),
    "bm": ("4", "20", "25"),
    "baseline_bm": ("20", "40", "80"),
    "auer": (True, False),
    "pb": (True, False),
    "baseline_emd": (True, False),
}


@EVERY
@given(data=st.data())
def test_the_same_inputs_as_text_give_the_same_results(rule, data):
    case = data.draw(complete(rule))
    written = {name: written_as(value) for name, value in case.items()}
    assert rule.compute(written) == rule.compute(case)


def written_as(value: Any) -> str:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@given(case=complete(RULES["ctcae_labs"]), data=st.data())
def test_ctcae_labs_grades_a_worse_value_never_milder(case, data):
    rule = RULES["ctcae_labs"]
    other = case["value"] * data.draw(st.sampled_from([Decimal("0.5"), Decimal("0.999"), Decimal("1.001"), Decimal(2)]))
    low = "<" in next(row[3] for row in rule.tables[0].rows + rule.tables[2].rows if row[0] == case["term"])
    mild, bad = sorted((case["value"], other), reverse=low)
    assert rank(rule, rule.compute({**case, "value": mild})) <= rank(rule, rule.compute({**case, "value": bad}))


@given(case=complete(RULES["ctcae_labs"]))
def test_ctcae_labs_grades_the_same_in_every_unit_of_a_printed_limit(case):
    rule, units = RULES["ctcae_labs"], scale_of(case["version"], case["term"]).units
    printed, factor = units[case["unit"]]
    turned = {name: case[name] * factor for name in ("value", "lln", "uln", "baseline")}
    assert rule.compute({**case, **turned, "unit": printed}).value == rule.compute(case).value


@given(case=complete(RULES["cockcroft_gault"]))
def test_cockcroft_gault_is_the_same_in_both_units(case):
    rule, per = RULES["cockcroft_gault"], Decimal("88.42")
    turned = (case["creatinine"] * per, "umol/L") if case["unit"] == "mg/dL" else (case["creatinine"] / per, "mg/dL")
    there, here = rule.compute({**case, "creatinine": turned[0], "unit": turned[1]}), rule.compute(case)
    assert abs(Decimal(str(there.value)) / Decimal(str(here.value)) - 1) < Decimal("1e-20")


@given(case=complete(RULES["ctcae_labs"]), data=st.data())
def test_ctcae_labs_prepared_for_many_values_grades_like_the_rule(case, data):
    case = {
        name: data.draw(st.sampled_from([value, None])) if name in MAY_LACK else value for name, value in case.items()
    }
    value, symptoms = case.pop("value"), case.pop("symptomatic")
    prepared = prepare(**case)
    assert (
        prepared(value, symptoms)
        == RULES["ctcae_labs"].compute({**case, "value": value, "symptomatic": symptoms}).value
    )


MAY_LACK = {"lln", "uln", "baseline", "symptomatic"}
