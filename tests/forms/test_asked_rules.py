"""What the pages of the trials ask published rules with: units as collected, limits of a laboratory, floors."""

from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.clinical.rules.registry import RULES
from app.derivations.clinical.ask import calculate
from app.forms.answers import Context, judge, read
from app.forms.check import check_form
from app.forms.definition import Form
from app.forms.mistakes import Mistake

LIBRARY = Path(__file__).parents[2] / "forms" / "library"


class Limits(NamedTuple):
    low: Decimal | None
    high: Decimal | None
    unit: str


def newest(form: str) -> Form:
    found, mistakes = check_form(LIBRARY / form / "v2.toml", catalogue=RULES)
    assert found is not None, mistakes
    return found


def asked(form: str, answers: dict[str, Any], limits: Limits | None = None, **subject: Any) -> Any:
    page = newest(form)
    read_ = read(page, answers)
    assert read_.problems == []
    context = Context(
        subject=subject,
        study={"ctcae": "5.0", "response_profile": "SEED000", "response_window": "7"},
        calculate=calculate,
        ranges=lambda _analyte, _laboratory, _day: limits,
    )
    return judge(page, read_.answers, context)


@pytest.mark.parametrize(
    ("calcium", "grade"),
    [
        ({"value": "8.0", "unit": "mg/dL"}, "1"),  # the text prints 8.0 mg/dL, which is 1.996 mmol/L
        ("1.996", "2"),
        ("2.0", "1"),
        ({"value": "7.99", "unit": "mg/dL"}, "2"),
    ],
)
def test_a_limit_printed_in_two_units_is_read_in_the_unit_of_the_laboratory(calcium: Any, grade: str) -> None:
    given = {"sample_date": "2024-05-01", "calcium": calcium, "calcium_lln": "2.11", "albumin": "40"}
    judged = asked("chemistry", given)
    assert judged.computed["calcium_grade"] == grade


@pytest.mark.parametrize(("unit", "low"), [("mmol/L", "2.1"), ("mg/dL", "8.5")])
def test_limits_of_a_laboratory_are_brought_to_the_unit_that_the_rule_is_asked_in(unit: str, low: str) -> None:
    limits = Limits(Decimal(low), None, unit)
    for calcium in ("2.05", {"value": "8.2", "unit": "mg/dL"}):
        answers = {"sample_date": "2024-05-01", "calcium": calcium, "albumin": "40"}
        assert asked("chemistry", answers, limits).computed["calcium_grade"] == "1"


def test_what_is_not_evaluable_has_a_floor_to_go_by() -> None:
    findings = {
        "assess_date": "2024-05-01",
        "weight": "70",
        "lgi_volume": "700",
        "lgi_severe_pain": "N",
        "lgi_blood": "N",
    }
    judged = asked("agvhd", findings)
    assert judged.computed["grade_computed"] == "NE"
    assert (judged.computed["grade_at_least"], judged.computed["grade_told"]) == ("II", "NE(II)")
    whole = findings | {"skin_bsa": "0", "bilirubin": "10", "ugi_symptoms": "NONE"}
    assert asked("agvhd", whole).computed["grade_at_least"] == "II"


def test_codes_that_differ_in_case_alone_say_the_same() -> None:
    answers = {"assess_date": "2024-05-01", "diagnosed": "Y", "global_severity": "MILD", "mouth_score": "1"}
    answers |= {f"{organ}_score": "0" for organ in ("skin", "eye", "gi", "liver", "lung", "joint", "genital")}
    assert [each.item for each in asked("cgvhd", answers).questions if each.rule == "derived-differs"] == []
    found = asked("cgvhd", answers | {"global_severity": "SEVERE"}).questions
    assert [each.item for each in found if each.rule == "derived-differs"] == ["global_severity"]


def test_a_moment_is_told_to_the_minute() -> None:
    answers = {"serious": "Y", "ser_life_threatening": "Y", "aware_date": "2024-03-01", "aware_time": "10:00"}
    assert asked("adverse_event", answers | {"term": "Sepsis"}).computed["sponsor_due"] == "2024-03-02T10:00"


def test_an_item_may_be_called_unit() -> None:
    text = (LIBRARY / "consent" / "v1.toml").read_text(encoding="utf-8")
    named = text.replace('id = "consent_version"', 'id = "unit"')
    form, mistakes = check_form(named)
    assert mistakes == []
    assert form is not None
    assert form.has("unit")


@pytest.mark.parametrize(
    ("wanted", "history", "day"),
    [
        ("0", "2024-03-01=NEG", "2024-05-01"),
        ("1", "2024-03-01=NEG", None),
        ("1", "2024-02-01=NEG|2024-04-01=POS", "2024-04-01"),
        ("0", "2024-02-01=NEG|2024-04-01=POS", "2024-04-01"),
        (None, "2024-03-01=NEG", "2024-05-01"),
    ],
)
def test_a_protocol_that_wants_a_second_positive_sample_says_so_by_a_parameter(
    wanted: str | None, history: str, day: str | None
) -> None:
    """The released page does not ask for it; a next version passes the parameter on to the rule."""
    text = (LIBRARY / "mrd" / "v2.toml").read_text(encoding="utf-8")
    before, after = text.split('rule = "molecular_relapse"\n')
    limit = 'haem_relapse_date = "lower_bound(subject.relapse_date)"\n'
    passed = after.replace(limit, limit + 'confirmation_required = "study.mrd_confirmation"\n', 1)
    form, mistakes = check_form(before + 'rule = "molecular_relapse"\n' + passed, catalogue=RULES)
    assert form is not None, mistakes
    answers = {
        "sample_date": "2024-05-01", "method": "FLOW", "specimen": "MARROW", "result": "QUANT", "value_pct": "0.1",
    }  # fmt: skip
    study = {"mrd_rule": "LT", "mrd_threshold": "0.0001"} | ({} if wanted is None else {"mrd_confirmation": wanted})
    context = Context(subject={"mrd_history": history}, study=study, calculate=calculate)
    judged = judge(form, read(form, answers).answers, context)
    assert judged.computed.get("molecular_relapse_date") == day


def mistakes_with(name: str, given: str) -> list[Mistake]:
    """What is wrong with the page on MRD when an input of mrd_status says this, each on the line of the input."""
    text = (LIBRARY / "mrd" / "v2.toml").read_text(encoding="utf-8")
    before, after = text.split('rule = "mrd_status"\n', 1)
    old = next(line for line in after.splitlines() if line.startswith(f"{name} ="))
    _, mistakes = check_form(
        before + 'rule = "mrd_status"\n' + after.replace(old, f'{name} = "{given}"', 1), catalogue=RULES
    )
    line = text.splitlines().index(old, text[: len(before)].count("\n")) + 1
    assert {each.line for each in mistakes} <= {line}
    return mistakes


@pytest.mark.parametrize("given", ["1", "'maybe'", "method == 'FLOW' ? 1 : 0", "['Y']", "ratio(lod_pct, 100)"])
def test_an_input_that_no_page_could_give_is_a_mistake(given: str) -> None:
    found = [(each.message, each.remedy) for each in mistakes_with("in_cr", given)]
    assert found == [("mrd_status can never read 'in_cr' from this", "Write true or false, 'Y' or 'N'")]


@pytest.mark.parametrize("given", ["'Y'", "true", "method == 'FLOW'", "method == 'FLOW' ? 'Y' : 'N'", "subject.in_cr"])
def test_an_input_that_some_page_could_give_is_none(given: str) -> None:
    assert mistakes_with("in_cr", given) == []


@pytest.mark.parametrize(
    ("name", "given", "remedy"),
    [
        ("threshold", "0", "Write a number: above 0"),
        ("threshold", "true", "Write a number: above 0"),
        ("threshold", "0.001", None),
        ("threshold", "'0.001'", None),
        ("method", "2", "Write a text, such as 'MFC': MFC, RQPCR, NGS"),
        ("method", "'SEVEN'", "Write a text, such as 'MFC': MFC, RQPCR, NGS"),
        ("method", "'flow'", None),
    ],
)
def test_the_remedy_says_how_a_form_gives_the_input(name: str, given: str, remedy: str | None) -> None:
    assert [each.remedy for each in mistakes_with(name, given)] == ([] if remedy is None else [remedy])


def test_a_list_is_no_input() -> None:
    text = (LIBRARY / "mrd" / "v2.toml").read_text(encoding="utf-8")
    item = text.split('id = "result"\n', 1)[1].split("type =", 1)[0]
    several = text.replace(f'id = "result"\n{item}type = "single"', f'id = "result"\n{item}type = "multiple"', 1)
    _, mistakes = check_form(several, catalogue=RULES)
    assert "mrd_status can never read 'result' from this" in [each.message for each in mistakes]
