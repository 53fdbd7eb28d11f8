from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.clinical.rules.errors import ImpossibleError, RuleError
from app.clinical.rules.inputs import FAR, Input, Kind
from app.clinical.rules.rule import NE, Result, Rule, Table
from app.clinical.rules.units import corrected

D = Decimal
NUMBER = Input("dose", Kind.DECIMAL, "", low=D(0), high=D(10))
COUNT = Input("count", Kind.INTEGER, "", above=D(0))
CODE = Input("sign", Kind.CODE, "", codes=("none", "umol/L"), aliases={"nil": "none"})
FLAG = Input("flag", Kind.YES_NO, "")
DAY = Input("day", Kind.DATE, "")
MOMENT = Input("moment", Kind.DATETIME, "")
WORDS = Input("words", Kind.TEXT, "")
PAPER = (Table("Limits", ("at",), ((D(5),),), "a paper"),)


@pytest.mark.parametrize(
    ("one", "raw", "value"),
    [
        (NUMBER, None, None),
        (NUMBER, "  ", None),
        (NUMBER, " 1.50 ", D("1.5")),
        (NUMBER, 1.1, D("1.1")),
        (NUMBER, "1e-4", D("0.0001")),
        (NUMBER, 0, D(0)),
        (NUMBER, "-0", D(0)),
        (COUNT, "3.0", D(3)),
        (COUNT, FAR / 10, FAR / 10),
        (CODE, "NIL", "none"),
        (CODE, "µmol / l", "umol/L"),
        (CODE, "\N{GREEK SMALL LETTER MU}mol/L", "umol/L"),
        (FLAG, "y", True),
        (FLAG, 0, False),
        (FLAG, True, True),
        (DAY, "2024-02-29", date(2024, 2, 29)),
        (DAY, date(2024, 2, 29), date(2024, 2, 29)),
        (MOMENT, "2024-02-29T10:00", datetime(2024, 2, 29, 10)),  # noqa: DTZ001 - as written
        (MOMENT, "2024-02-29 10:00:30+00:00", datetime(2024, 2, 29, 10, 0, 30, tzinfo=UTC)),
        (MOMENT, datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)),
        (WORDS, " a b ", "a b"),
    ],
)
def test_a_cell_is_read(one, raw, value):
    assert one.read(raw) == value


NO_NUMBERS: list[Any] = ["1,5", "1_0", "１", "NaN", "inf", "1e999", "1e-99", "x", True, [], b"1", float("nan")]
TOO_FAR: list[Any] = ["-0.1", "10.1", 10**40, D("1E+99"), "1" * 60, "0." + "1" * 45]
NO_CODES: list[Any] = ["other", 1, True, object()]
NO_ANSWERS: list[Any] = ["maybe", 2, 1.0, []]
NO_DAYS: list[Any] = ["2024-02-30", "2024-2-3", "20240203", 20240203, datetime(2024, 1, 1, tzinfo=UTC), "9999-01-01"]
NO_MOMENTS: list[Any] = ["2024-02-30T10:00", "2024-02-03", "2024-02-03T25:00", date(2024, 1, 1), "1800-01-01T00:00"]


@pytest.mark.parametrize(
    ("one", "raw"),
    [
        *((NUMBER, raw) for raw in (*NO_NUMBERS, *TOO_FAR)),
        (COUNT, "1.5"),
        (COUNT, "0"),
        *((CODE, raw) for raw in NO_CODES),
        *((FLAG, raw) for raw in NO_ANSWERS),
        *((DAY, raw) for raw in NO_DAYS),
        *((MOMENT, raw) for raw in NO_MOMENTS),
        (WORDS, 1),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_by_name_and_not_repeated(one, raw):
    with pytest.raises(RuleError) as refused:
        one.read(raw)
    assert refused.value.name == one.name
    assert str(refused.value).startswith(f"{one.name}: write ")
    assert len(str(raw)) < 3 or str(raw) not in refused.value.message


def test_values_that_stand_for_all_lie_at_between_and_beyond_the_cuts():
    assert Input("a", Kind.DECIMAL, "", cuts=(D(4), D(2))).points({}) == (1, 1, 2, 3, 4, 5)
    assert NUMBER.points({}) == ()
    assert FLAG.points({}) == (False, True)
    assert CODE.points({}) == CODE.codes


@pytest.mark.parametrize(
    ("cut", "points"), [(4, (2, 3, 4)), (3, (2, D("2.5"), 3, D("3.5"), 4)), (1, (2, 3, 4)), (9, (2, 3, 4))]
)
def test_values_that_stand_for_all_reach_from_end_to_end_of_what_is_accepted(cut, points):
    one = Input("a", Kind.DECIMAL, "", low=D(2), high=D(4), cuts=lambda known: (known["b"],))
    assert tuple(sorted({*one.points({"b": D(cut)})})) == points


def test_days_that_stand_for_all_lie_around_those_on_which_something_changes():
    one = Input("a", Kind.DATE, "", days=lambda known: (known["b"],))
    assert one.points({"b": date(2024, 3, 1)}) == (date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2))
    assert DAY.points({}) == ()


@pytest.mark.parametrize(
    ("one", "mildest", "worst"),
    [
        (Input("a", Kind.DECIMAL, "", worse="up"), -FAR, FAR),
        (Input("a", Kind.DECIMAL, "", low=D(0), high=D(9), worse="up"), 0, 9),
        (Input("a", Kind.DECIMAL, "", low=D(0), high=D(9), worse="down"), 9, 0),
        (Input("a", Kind.DECIMAL, "", above=D(0), worse="down"), FAR, 1 / FAR),
        (Input("a", Kind.YES_NO, "", worse="up"), False, True),
        (Input("a", Kind.YES_NO, "", worse="down"), True, False),
        (Input("a", Kind.CODE, "", codes=("x", "y"), worse="up"), "x", "y"),
        (Input("a", Kind.CODE, "", codes=("x", "y"), worse="down"), "y", "x"),
    ],
)
def test_the_mildest_and_the_worst_an_input_can_be(one, mildest, worst):
    assert (one.extreme(worst=False), one.extreme(worst=True)) == (mildest, worst)


def rule(decide, *inputs, order=("0", "1", "2"), silent=frozenset(), further=()):
    results = (Result("value", "", decide, order, silent), *further)
    return Rule("made_up", "1", "Made up", ("a paper",), inputs, results, PAPER)


LEVEL = Input("level", Kind.DECIMAL, "", low=D(0), cuts=(D(5),))
SIGN = Input("sign", Kind.YES_NO, "", worse="up", missing="SIGN_UNKNOWN")
HIDDEN = Input("hidden", Kind.TEXT, "", open=True)


def graded(case):
    if case["level"] > 5:
        return "2"
    return "1" if case["sign"] else "0"


@pytest.mark.parametrize(
    ("inputs", "value", "floor", "flags"),
    [
        ({}, NE, "0", ("LEVEL_MISSING", "SIGN_UNKNOWN")),
        ({"sign": 1}, NE, "1", ("LEVEL_MISSING",)),
        ({"level": 5}, NE, "0", ("SIGN_UNKNOWN",)),
        ({"level": 6}, "2", None, ()),
        ({"level": 5, "sign": 1}, "1", None, ()),
    ],
)
def test_the_floor_is_the_least_of_all_completions(inputs, value, floor, flags):
    found = rule(graded, LEVEL, SIGN).compute(inputs)
    assert (found.value, found.floor, found.flags) == (value, floor, flags)
    assert set(found.used) == set(inputs)


def test_completions_that_agree_are_the_result_with_the_flags_of_all_of_them():
    def decide(case):
        case.flag("HIGH" if case["level"] > 5 else "LOW")
        case.flag("SEEN")
        return "1"

    found = rule(decide, LEVEL).compute({})
    assert (found.value, found.floor, found.flags) == ("1", None, ("SEEN",))


def test_an_input_that_cannot_be_completed_leaves_the_least():
    found = rule(lambda case: "1" if case["hidden"] == "x" else "2", HIDDEN).compute({})
    assert (found.value, found.floor, found.flags) == (NE, "0", ("HIDDEN_MISSING",))


def test_a_floor_that_says_nothing_stays_empty():
    found = rule(graded, LEVEL, SIGN, silent=frozenset({"0"})).compute({"level": 1})
    assert (found.value, found.floor) == (NE, None)


def test_a_completion_that_is_not_evaluable_leaves_no_floor():
    found = rule(lambda case: NE if case["sign"] else "1", SIGN).compute({})
    assert (found.value, found.floor) == (NE, None)


def test_a_completion_that_cannot_be_is_none():
    def decide(case):
        if case["level"] > 5:
            raise ImpossibleError
        return "1"

    assert rule(decide, LEVEL).compute({}).value == "1"


def test_where_no_completion_can_be_nothing_is_told():
    def decide(case):
        if case["level"] >= 0:
            raise ImpossibleError
        return "1"

    found = rule(decide, LEVEL).compute({})
    assert (found.value, found.floor, found.flags) == (NE, None, ())


def test_a_case_that_one_completion_finds_contradictory_is_refused_and_not_told_from_the_others():
    def decide(case):
        if not case["sign"]:
            raise RuleError("level", "contradicts itself")
        return "2"

    with pytest.raises(RuleError, match="contradicts"):
        rule(decide, SIGN, LEVEL).compute({"level": 1})
    assert rule(decide, SIGN, LEVEL).compute({"level": 1, "sign": 1}).value == "2"


def test_without_an_order_completions_that_agree_are_the_result_too():
    doubled = rule(lambda case: case["level"] * 2, LEVEL, order=())
    found = doubled.compute({})
    assert (found.value, found.floor, found.flags) == (NE, None, ("LEVEL_MISSING",))
    assert doubled.compute({"level": "1.5"}).value == 3
    due = rule(lambda case: case["day"] if case["sign"] and case["level"] > 5 else None, SIGN, LEVEL, DAY, order=())
    assert due.compute({"level": 5}).value is None
    assert due.compute({"level": 6, "day": "2024-01-01"}).value == NE
    assert due.compute({"level": 6, "sign": 1}).flags == ("DAY_MISSING",)


def test_without_an_order_no_input_has_a_direction():
    steps = Input("steps", Kind.CODE, "", codes=("few", "some", "many"), worse="up")
    assert rule(lambda case: str(case["steps"] == "some"), steps, order=()).compute({}).value == NE


def test_what_is_assumed_is_flagged():
    decide = lambda case: "1" if case.assume("sign", False, "SIGN_ASSUMED") else "0"  # noqa: E731, FBT003
    assert rule(decide, SIGN).compute({}).flags == ("SIGN_ASSUMED",)
    assert rule(decide, SIGN).compute({"sign": "Y"}).flags == ()


def test_a_first_result_with_a_name_of_its_own_is_the_value_and_stands_by_its_name():
    made = Rule(
        "made_up", "1", "", (), (SIGN,), (Result("grade", "", lambda case: str(int(case["sign"])), ("0", "1")),), PAPER
    )
    found = made.compute({"sign": "1"})
    assert (found.value, dict(found.results)) == ("1", {"grade": "1"})


def test_an_input_that_the_rule_does_not_ask_for_is_refused():
    with pytest.raises(RuleError, match="level, sign"):
        rule(graded, LEVEL, SIGN).compute({"levle": 1})


def test_calcium_is_corrected_in_the_units_it_is_reported_in():
    assert corrected(D(8), "mg/dL", D(2), "g/dL") == D("9.6")
    with pytest.raises(RuleError):
        corrected(D(8), "g/L", D(2), "g/dL")
