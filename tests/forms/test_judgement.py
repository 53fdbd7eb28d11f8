import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.forms.answers import (
    Context,
    judge,
    proving_life,
    read,
    variables,
    visible,
)
from app.forms.definition import Form

NOWHERE = Context()


def told(findings):
    return [(f.item, f.row, getattr(f, "rule", None) or f.code) for f in findings]


def test_an_empty_page_owes_what_is_required_and_shown(page):
    assert told(judge(page, {}, NOWHERE).complete) == [("cells", None, "required")]
    assert told(judge(page, {"sex": "F"}, NOWHERE).complete) == [
        ("cells", None, "required"),
        ("pregnant", None, "required"),
    ]
    assert told(judge(page, {"sex": "M", "cells": {"missing": "unknown"}}, NOWHERE).complete) == []


def test_rows_owe_their_own_items_once_their_section_is_shown(page):
    rows = {"cells": 1, "event": [{"row": 2, "began": "2024"}]}
    assert told(judge(page, rows, NOWHERE).complete) == []
    assert told(judge(page, {"sampled": "Y", **rows}, NOWHERE).complete) == [("grade", 2, "required")]


def test_what_is_shown(page):
    assert ("pregnant", None) not in visible(page, {}, NOWHERE)
    assert ("pregnant", None) not in visible(page, {"sex": "M"}, NOWHERE)
    assert ("pregnant", None) in visible(page, {"sex": "F"}, NOWHERE)
    rows = {"event": [{"row": 1, "grade": 5}, {"row": 2, "grade": 4}, {"row": 3, "began": "2024"}]}
    assert not {("event", None), ("grade", 1)} & visible(page, {"sampled": "N", **rows}, NOWHERE)
    shown = visible(page, {"sampled": "Y", **rows}, NOWHERE)
    assert {("event", None), ("grade", 1), ("fatal", 1), ("grade", 3)} <= shown
    assert not {("fatal", 2), ("fatal", 3)} & shown
    undecided = visible(page, rows, NOWHERE)
    assert not {("event", None), ("grade", 1), ("fatal", 1)} & undecided


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"anc": "0.1"}, []),
        ({"anc": "0.09"}, [("anc", None, "soft_min")]),
        ({"anc": {"value": "99", "unit": "/uL"}}, [("anc", None, "soft_min")]),
        ({"anc": {"value": "100", "unit": "/uL"}}, []),
        ({"anc": "50"}, []),
        ({"anc": "50.01"}, [("anc", None, "soft_max")]),
        ({"seen": "2100-01-02"}, [("seen", None, "soft_max")]),
        ({"onset": "2009"}, [("onset", None, "soft_min")]),
        ({"onset": "2010"}, []),
        ({"anc": {"missing": "not_done"}}, []),
        ({"pregnant": "N", "sex": "M"}, [("pregnant", None, "left_behind")]),
        ({"pregnant": "N", "sex": "F"}, []),
        ({"pregnant": "N"}, []),
        ({"sampled": "N", "event": [{"row": 4, "grade": 2}]}, [("grade", 4, "left_behind")]),
        ({"sampled": "Y", "event": [{"row": 4, "grade": 2, "fatal": "N"}]}, [("fatal", 4, "left_behind")]),
    ],
)
def test_questions(page, answers, found):
    assert told(judge(page, answers, NOWHERE).questions) == found


def test_computed_values_are_rounded_and_come_in_the_shape_of_answers(page):
    answers = {
        "anc": "0.25",
        "cells": 1,
        "onset": "2024-02",
        "seen": "2024-03-01",
        "sampled": "Y",
        "event": [{"row": 1, "grade": 3}, {"row": 2, "began": "2024"}],
    }
    assert judge(page, answers, NOWHERE).computed == {
        "waited": 29,
        "per_cell": "0.2",
        "severe": "Y",
        "event": [{"row": 1, "doubled": 6}],
    }


@pytest.mark.parametrize(
    ("anc", "cells", "shown"),
    [("0.35", 1, "0.4"), ("0.45", 1, "0.4"), ("1", 3, "0.3"), ("0", 5, "0.0"), ("1", 0, None), ("7", 1, "7.0")],
)
def test_halves_round_to_the_even_digit(page, anc, cells, shown):
    assert judge(page, {"anc": anc, "cells": cells}, NOWHERE).computed.get("per_cell") == shown


def test_nothing_is_computed_from_nothing(page):
    assert judge(page, {}, NOWHERE).computed == {"severe": "N"}
    assert judge(page, {"event": [{"row": 1, "began": "2024"}]}, NOWHERE).computed == {}


def test_a_computed_item_that_is_not_shown_has_no_value(changed):
    form = changed(("digits = 1\nformula", "digits = 1\nshow_when = \"sampled == 'Y'\"\nformula"))
    assert "per_cell" not in judge(form, {"anc": "1", "cells": 1}, NOWHERE).computed
    assert judge(form, {"anc": "1", "cells": 1, "sampled": "Y"}, NOWHERE).computed["per_cell"] == "1.0"


def test_computed_items_follow_each_other_in_the_order_they_need(changed):
    form = changed(
        ('formula = "days_between(onset, seen)"', 'formula = "per_cell > 1 ? 10 : 20"'),
        ('formula = "anc / cells"', "formula = \"severe == 'Y' ? 2.0 : 1.0\""),
    )
    rows = {"sampled": "Y", "event": [{"row": 1, "grade": 5}]}
    assert judge(form, rows, NOWHERE).computed["waited"] == 10
    assert judge(form, {}, NOWHERE).computed["waited"] == 20


@pytest.mark.parametrize(
    ("result", "formula", "value"),
    [
        ("text", "'a' + 'b'", "ab"),
        ("text", "sex", None),
        ("date", "upper_bound('2024-02')", "2024-02-29"),
        ("date", "'29 Feb'", None),
        ("yes_no", "1 > 2", "N"),
        ("yes_no", "sampled", "Y"),
        ("yes_no", "'maybe'", None),
        ("integer", "7 / 2", 4),
        ("integer", "5 / 2", 2),
        ("integer", "1e30", None),
        ("decimal", "1 / 3", "0.3333333333"),
        ("decimal", "0.1 + 0.2", "0.3"),
        ("decimal", "100 * 1", "100"),
    ],
)
def test_results_of_every_type(changed, result, formula, value):
    form = changed(
        ('result = "integer"\nformula = "days_between(onset, seen)"', f'result = "{result}"\nformula = "{formula}"')
    )
    assert judge(form, {"sampled": "Y"}, NOWHERE).computed.get("waited") == value


def test_expressions_see_numbers_in_the_canonical_unit_and_empty_as_none(page):
    answers = {
        "anc": {"value": "900", "unit": "/uL"},
        "cells": {"missing": "unknown"},
        "sampled": "Y",
        "event": [{"row": 3, "grade": 2}],
    }
    names = variables(page, answers, Context({"arm": "A"}, "D30"))
    assert names["anc"] == 0.9
    assert type(names["anc"]) is float
    assert names["cells"] is None
    assert names["missing"] == {"cells": "unknown"}
    assert (names["subject"], names["visit"]) == ({"arm": "A"}, "D30")
    assert names["event"] == [{"row": 3.0, "grade": 2.0, "fatal": None, "began": None, "doubled": 4.0}]
    assert "grade" not in names
    inside = variables(page, answers, NOWHERE, ("event", 3))
    assert (inside["grade"], inside["anc"], inside["doubled"]) == (2.0, 0.9, 4.0)
    with pytest.raises(KeyError):
        variables(page, answers, NOWHERE, ("event", 9))


def test_the_subject_and_the_visit_are_known_to_conditions(changed):
    form = changed(("show_when = \"sex == 'F'\"", "show_when = \"subject.arm == 'A' && visit == 'D30'\""))
    assert ("pregnant", None) in visible(form, {}, Context({"arm": "A"}, "D30"))
    assert ("pregnant", None) not in visible(form, {}, Context({"arm": "A"}, "D60"))
    assert ("pregnant", None) not in visible(form, {}, Context({"arm": None}, "D30"))


def test_dates_that_prove_life(page):
    answers = {"seen": "2024-05-01", "onset": "2024", "event": [{"row": 1, "began": "2024"}]}
    assert proving_life(page, answers, NOWHERE) == [("seen", None)]
    assert proving_life(page, answers | {"sampled": "Y"}, NOWHERE) == [("seen", None), ("onset", None)]
    assert proving_life(page, {}, NOWHERE) == []


values = {
    "cells": st.integers(0, 100),
    "anc": st.decimals(0, 1000, places=2).map(str) | st.just({"missing": "not_done"}),
    "sampled": st.sampled_from("YN"),
    "sex": st.sampled_from("FM"),
    "pregnant": st.sampled_from("YN"),
    "seen": st.dates().map(str),
    "onset": st.sampled_from(["2024", "2024-02", "2024-02-29"]),
    "event": st.lists(
        st.fixed_dictionaries({}, optional={"grade": st.integers(1, 5), "fatal": st.just("Y")}), max_size=3
    ),
}


@settings(deadline=None)  # other work may hold the processors
@given(st.fixed_dictionaries({}, optional=values))
def test_what_is_shown_may_be_owed_and_is_not_left_behind(page, raw):
    answers = read(page, raw).answers
    shown, judged = visible(page, answers, NOWHERE), judge(page, answers, NOWHERE)
    assert {(problem.item, problem.row) for problem in judged.complete} <= shown
    left = {(question.item, question.row) for question in judged.questions if question.rule == "left_behind"}
    assert not left & shown


LIFE = """
form = "seen"
version = 1
title = { en = "Seen", zh = "访视" }
domain = "SV"
[[section]]
id = "main"
title = { en = "Seen", zh = "访视" }
[[section.item]]
id = "done"
label = { en = "Held", zh = "进行" }
type = "yes_no"
[[section.item]]
id = "day"
label = { en = "Day", zh = "日期" }
type = "date"
show_when = "done == 'Y'"
proves_life = true
[[section]]
id = "later"
title = { en = "Later", zh = "后续" }
show_when = "done == 'Y'"
[[section.item]]
id = "call"
label = { en = "Call", zh = "电话" }
type = "date"
proves_life = true
"""


@pytest.mark.parametrize(("done", "proof"), [("Y", ["day", "call"]), ("N", []), (None, ["day", "call"])])
def test_a_date_left_behind_where_it_is_not_shown_proves_no_life(done, proof):
    form = Form.of(tomllib.loads(LIFE))
    answers = {"day": "2024-03-01", "call": "2024-03-02"} | ({"done": done} if done else {})
    assert [item for item, _ in proving_life(form, answers, NOWHERE)] == proof
