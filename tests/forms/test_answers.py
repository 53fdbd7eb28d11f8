import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.forms.answers import Plain, convert, difference, plain, read
from app.forms.definition import MAX_ROWS

HUGE = 10**5000
ACCEPTED = [
    ("note", "two\twords\n", "two\twords\n"),
    ("note", "line\r\nline", "line\nline"),
    ("note", "e\u0301", "é"),
    ("note", "x" * 20, "x" * 20),
    ("note", {"value": "a"}, "a"),
    ("cells", 0, 0),
    ("cells", 100, 100),
    ("cells", "12", 12),
    ("cells", "+12", 12),
    ("cells", Decimal(12), 12),
    ("cells", {"missing": "unknown"}, {"missing": "unknown"}),
    ("cells", {"missing": "unknown", "value": None}, {"missing": "unknown"}),
    ("anc", "0.9", "0.9"),
    ("anc", "0.90", "0.90"),
    ("anc", "00.9", "0.9"),
    ("anc", "+0.9", "0.9"),
    ("anc", "-0.00", "0.00"),
    ("anc", "1.500", "1.500"),
    ("anc", 3, "3"),
    ("anc", 0.9, "0.9"),
    ("anc", 5.0, "5"),
    ("anc", -0.0, "0"),
    ("anc", Decimal("0.90"), "0.90"),
    ("anc", Decimal("1E+2"), "100"),
    ("anc", {"value": "0.9", "unit": "10^9/L"}, "0.9"),
    ("anc", {"value": "900", "unit": "/uL"}, {"value": "900", "unit": "/uL"}),
    ("anc", {"value": 900, "unit": "/uL"}, {"value": "900", "unit": "/uL"}),
    ("anc", {"value": "0.9", "unit": None}, "0.9"),
    ("anc", {"missing": "not_done"}, {"missing": "not_done"}),
    ("sampled", "Y", "Y"),
    ("sex", "F", "F"),
    ("organs", ["GUT", "SKIN"], ["SKIN", "GUT"]),
    ("seen", "2024-02-29", "2024-02-29"),
    ("onset", "2024-02-29", "2024-02-29"),
    ("onset", "2024-02", "2024-02"),
    ("onset", "2024", "2024"),
    ("onset", "2000", "2000"),
    ("onset", "2000-03", "2000-03"),
    ("onset", "2099", "2099"),
    ("at", "00:00", "00:00"),
    ("at", "23:59", "23:59"),
]
EMPTY = [None, "", {}, {"value": None}, {"value": ""}, {"unit": None}, {"missing": None}]


def each(item: str, code: str, raws: list[Any]) -> list[tuple[str, Any, str]]:
    return [(item, raw, code) for raw in raws]


REFUSED = [
    *each("note", "not_text", [1, 1.5, True, [], ["a"], {"value": 1}]),
    ("note", "x" * 21, "too_long"),
    ("note", "x" * 10**6, "too_long"),
    *each(
        "note",
        "control_characters",
        [f"a{c}b" for c in ("\x00", "\x07", "\x1b", "\r", "\x7f", "\x85", "\ud800", "\udfff")],
    ),
    *each("cells", "not_integer", [True, False, 1.0, 1.5, "1.0", "1e2", "٣", "３", " 1", "x", [], [1]]),
    *each("cells", "not_integer", [Decimal("1.5"), Decimal("NaN"), "nan", "1_0"]),
    *each("cells", "too_many_digits", [HUGE, -HUGE, 2**53 + 1, "9" * 20, Decimal("1E+999999")]),
    ("cells", -1, "below_min"),
    ("cells", 101, "above_max"),
    ("cells", {"missing": "refused"}, "missing_not_allowed"),
    ("cells", {"missing": 1}, "missing_not_allowed"),
    ("cells", {"missing": ["unknown"]}, "missing_not_allowed"),
    ("cells", {"missing": "unknown", "value": 1}, "value_and_missing"),
    ("cells", {"value": 1, "unit": "g"}, "unit"),
    ("cells", {"value": 1, "note": "x"}, "unknown_key"),
    *each("anc", "not_decimal", [True, "x", "1,5", "1.", ".5", "1e5", "0x1", "٣", " 1", "1 ", "1_0", []]),
    *each("anc", "not_decimal", ["NaN", "Infinity", "-inf", float("nan"), float("inf"), float("-inf")]),
    *each("anc", "not_decimal", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), "9" * 5000]),
    *each("anc", "too_many_digits", [HUGE, 0.1 + 0.2, 100.30000000000001, 1e22, 1e-30, Decimal("1E+999999"), "9" * 16]),
    *each("anc", "too_many_digits", ["0." + "1" * 16, Decimal("1E-999999"), 1e308, 5e-324]),
    ("anc", "0.901", "too_many_decimals"),
    ("anc", "-0.01", "below_min"),
    ("anc", "1000.01", "above_max"),
    ("anc", {"value": "1000001", "unit": "/uL"}, "above_max"),
    ("anc", {"value": "1", "unit": "g/L"}, "unit"),
    ("anc", {"value": "1", "unit": 5}, "unit"),
    ("anc", {"unit": "g/L"}, "unit"),
    ("anc", {"value": None, "unit": "g/L"}, "unit"),
    ("anc", {"missing": "not_done", "unit": "g/L"}, "unit"),
    ("anc", {"value": "1", "unit": ["/uL"]}, "unit"),
    ("anc", {"value": {"value": "1"}}, "not_decimal"),
    ("anc", {"missing": "unknown"}, "missing_not_allowed"),
    *each("sampled", "not_yes_no", [True, 1, "y", "Yes", ["Y"], {"value": True}]),
    *each("sex", "not_a_code", [1, True, "f", "X", ["F"], {"value": {}}]),
    *each("organs", "not_a_list", ["SKIN", 1, True]),
    *each("organs", "not_codes", [["X"], [1], [["SKIN"]], [None], ["SKIN"] * 9]),
    ("organs", ["SKIN", "SKIN"], "chosen_twice"),
    *each("seen", "not_date", [20240229, True, [], "2024", "2024-02", "2023-02-29", "2024-2-9"]),
    *each("seen", "not_date", ["20240229", "2024-02-29T00:00", "0000-01-01", "1899-12-31", "2201-01-01"]),
    *each("seen", "not_date", ["２０２４-02-29", "2024-02-29 ", "29/02/2024", 86400, "-024-01-01"]),
    ("seen", "1999-12-31", "before_min"),
    *each("onset", "not_partial_date", [2024, "24", "2024-13", "2024-00", "2024-02-30", "2024-", "UNK"]),
    ("onset", "1999", "before_min"),
    ("onset", "2000-02", "before_min"),
    ("onset", "2099-11", "after_max"),
    ("onset", "2100-01", "after_max"),
    *each("at", "not_time", [930, "24:00", "9:30", "09:60", "09:30:00", "0930", True, "٠٩:٣٠"]),
    *each("waited", "computed", [1, "1", {"value": 1}, {"missing": "unknown"}, []]),
]


def short(value):
    return "huge" if isinstance(value, int) and abs(value) > 10**100 else repr(value)[:30]


@pytest.mark.parametrize(("item", "raw", "stored"), ACCEPTED, ids=[f"{i} {short(r)}" for i, r, _ in ACCEPTED])
def test_accepted_answers_are_stored_in_their_canonical_form(page, item, raw, stored):
    reading = read(page, {item: raw})
    assert reading.problems == []
    assert reading.answers == {item: stored}
    assert type(reading.answers[item]) is type(stored)
    again = read(page, json.loads(json.dumps(reading.answers)))
    assert again == reading


@pytest.mark.parametrize("item", ["note", "cells", "anc", "sampled", "sex", "organs", "seen", "onset", "at"])
@pytest.mark.parametrize("raw", EMPTY, ids=repr)
def test_empty_answers_are_absent(page, item, raw):
    assert read(page, {item: raw}) == read(page, {})


def test_blank_text_and_no_choice_are_empty(page):
    assert read(page, {"anc": {"unit": "/uL"}}) == read(page, {})
    assert read(page, {"note": " \n ", "organs": []}).answers == {}


@pytest.mark.parametrize(("item", "raw", "code"), REFUSED, ids=[f"{i} {short(r)}" for i, r, _ in REFUSED])
def test_refused_answers_name_item_and_code_and_are_not_stored(page, item, raw, code):
    reading = read(page, {item: raw})
    assert [(p.item, p.row, p.code) for p in reading.problems] == [(item, None, code)]
    assert reading.answers == {}


def test_every_problem_of_a_page_is_reported_and_the_rest_is_read(page):
    reading = read(page, {"note": 1, "cells": True, "sex": "F", "nope": 1, "event": [{"grade": 9, "row": 3, "x": 1}]})
    assert {(p.item, p.row, p.code) for p in reading.problems} == {
        ("note", None, "not_text"),
        ("cells", None, "not_integer"),
        ("nope", None, "unknown_item"),
        ("grade", 3, "above_max"),
        ("x", 3, "unknown_item"),
    }
    assert reading.answers == {"sex": "F"}


@pytest.mark.parametrize("raw", [None, [], "x", 1, True, 1.5])
def test_a_page_is_an_object(page, raw):
    assert [p.code for p in read(page, raw).problems] == ["not_an_object"]


def test_a_name_that_is_no_possible_id_is_not_repeated(page):
    names = [p.item for p in read(page, {"Zhang San": 1, "zhang san": 1, "x" * 33: 1, "张三": 1}).problems]
    assert names == ["", "", "", ""]


def test_problems_never_hold_what_was_entered(page):
    secret = "canary7f3a"
    raws = [secret, {"value": secret}, {"missing": secret}, {"value": "1", "unit": secret}, [secret], {secret: secret}]
    for item in page.items:
        for raw in raws:
            reading = read(page, {item.id: raw, "event": [{item.id: raw, "row": secret}]})
            assert secret not in repr(reading.problems)


def test_problems_are_bounded(page):
    assert len(read(page, {f"x{n}": 1 for n in range(10_000)}).problems) == 500
    rows = [{f"x{n}": 1 for n in range(70)}] * 400
    assert len(read(page, {"event": rows}).problems) == 500


def test_rows_get_numbers_that_were_never_used(page):
    before = read(page, {"event": [{"grade": 1}, {"grade": 2}, {"grade": 3}]}).answers
    assert [row["row"] for row in before["event"]] == [1, 2, 3]
    kept = [before["event"][0], {"grade": 5}]
    after = read(page, {"event": kept}, previous=before).answers
    assert after["event"] == [{"row": 1, "grade": 1}, {"row": 4, "grade": 5}]


def test_rows_are_sorted_and_empty_rows_fall_away(page):
    raw = [{"row": 7, "grade": 1}, {"row": 2, "grade": 2}, {"row": 5}, {"row": 6, "grade": None}]
    assert read(page, {"event": raw}).answers == {"event": [{"row": 2, "grade": 2}, {"row": 7, "grade": 1}]}
    assert read(page, {"event": [{}, {}]}) == read(page, {"event": []}) == read(page, {"event": None}) == read(page, {})


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ({}, [("event", None, "not_rows")]),
        ("x", [("event", None, "not_rows")]),
        (7, [("event", None, "not_rows")]),
        ([1], [("event", 1, "not_a_row")]),
        ([{"grade": 1}, None], [("event", 2, "not_a_row")]),
        ([{"row": 0, "grade": 1}], [("event", 1, "row_number")]),
        ([{"row": True, "grade": 1}], [("event", 1, "row_number")]),
        ([{"row": "1", "grade": 1}], [("event", 1, "row_number")]),
        ([{"row": 1.0, "grade": 1}], [("event", 1, "row_number")]),
        ([{"row": HUGE, "grade": 1}], [("event", 1, "row_number")]),
        ([{"row": 1_000_000, "grade": 1}, {"grade": 1}], [("event", 2, "row_number")]),
        ([{"row": 1, "grade": 1}, {"row": 1, "grade": 2}], [("event", 2, "row_twice")]),
        ([{"grade": 1}] * (MAX_ROWS + 1), [("event", None, "too_many_rows")]),
        ([{"note": "x"}], [("note", 1, "unknown_item")]),
        ([{"doubled": 2}], [("doubled", 1, "computed")]),
    ],
)
def test_faulty_rows(page, rows, found):
    assert [(p.item, p.row, p.code) for p in read(page, {"event": rows}).problems] == found


def test_an_item_of_a_row_does_not_belong_on_the_page(page):
    problem = read(page, {"grade": 3}).problems[0]
    assert (problem.item, problem.code, problem.params) == ("grade", "belongs_in_rows", {"section": "event"})


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=6)
    | st.sampled_from(["Y", "N", "F", "SKIN", "2024", "2024-02-29", "09:30", "0.9", "not_done", "/uL", 3, 1_000_000])
)
members = st.sampled_from(["value", "unit", "missing", "row", "grade", "began", "fatal"]) | st.text(max_size=3)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(members, inner, max_size=4), max_leaves=12
)
names = ["note", "cells", "anc", "sampled", "sex", "pregnant", "organs", "seen", "onset", "at", "waited", "event"]
pages = st.dictionaries(st.sampled_from(names) | st.text(max_size=4), anything, max_size=12) | anything


@settings(deadline=None)  # other work may hold the processors
@example(raw={"event": []}, previous={"event": True})
@given(raw=pages, previous=st.none() | st.dictionaries(st.just("event"), anything))
@example(raw={"event": [{"row": 1_000_000, "grade": 1}, {"grade": 1}]}, previous=None)
@example(raw={"note": "\ufb1d" * 20}, previous=None)
def test_reading_never_raises_and_reads_its_own_answers_unchanged(page, raw, previous):
    reading = read(page, raw, previous=previous)
    stored = json.loads(json.dumps(reading.answers, allow_nan=False))  # a float or a NaN would not survive this
    assert stored == reading.answers
    again = read(page, stored, previous=previous)
    assert (again.answers, again.problems) == (reading.answers, [])
    assert unicodedata.is_normalized("NFC", reading.answers.get("note", ""))
    assert difference(page, reading.answers, again.answers) == []


@settings(deadline=None)  # other work may hold the processors
@given(st.decimals("0", "1000", places=2))
def test_a_decimal_is_stored_digit_by_digit(page, number):
    text = format(number, "f")
    stored = read(page, {"anc": text}).answers["anc"]
    assert Decimal(stored) == number
    assert convert(page.item("anc"), stored) == number


@settings(deadline=None)  # other work may hold the processors
@given(st.integers(0, 1_000_000))
def test_units_convert_exactly(page, count):
    answer = read(page, {"anc": {"value": count, "unit": "/uL"}}).answers["anc"]
    assert convert(page.item("anc"), answer) == Decimal(count) / 1000
    assert plain(answer) == Plain(str(count), "/uL", None)


def test_plain_takes_answers_apart(page):
    assert plain({"missing": "unknown"}) == Plain(None, None, "unknown")
    assert plain("0.9") == Plain("0.9", None, None)
    assert plain(None) == Plain(None, None, None)
    assert convert(page.item("anc"), {"missing": "not_done"}) is None
    assert convert(page.item("note"), "12") is None


def test_differences_come_item_by_item_in_the_order_of_the_form(page):
    before = {"anc": "0.9", "sex": "F", "event": [{"row": 1, "grade": 1, "fatal": "N"}, {"row": 2, "grade": 2}]}
    after = {
        "note": "x",
        "anc": {"missing": "not_done"},
        "sex": "F",
        "event": [{"row": 1, "grade": 5}, {"row": 3, "grade": 3}],
    }
    assert [(d.item, d.row, d.before, d.after) for d in difference(page, before, after)] == [
        ("note", None, None, "x"),
        ("anc", None, "0.9", {"missing": "not_done"}),
        ("grade", 1, 1, 5),
        ("fatal", 1, "N", None),
        ("grade", 2, 2, None),
        ("grade", 3, None, 3),
    ]


def test_differences_keep_what_another_version_stored(page):
    before = {"old": "x", "old_rows": [{"row": 1, "a": 1}], "event": [{"row": 1, "gone": "y"}]}
    assert {(d.item, d.row, d.before) for d in difference(page, before, {})} == {
        ("old", None, "x"),
        ("a", 1, 1),
        ("gone", 1, "y"),
    }
