"""Pages from one form version to the next and back: nothing is dropped in silence, and the way back is exact."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.forms.answers import Context, judge, read
from app.forms.check import check_form
from app.forms.definition import Form
from app.study.check import read_tree
from app.study.migration import Orphan, Passage
from app.study.plan import FormStep
from tests.stories.second import AMENDMENT, second
from tests.study.drawn import counted, pages
from tests.trial import FORMS


@cache
def way(name: str) -> Passage:
    """The way of a form of the small trial into its second version."""
    with TemporaryDirectory() as folder:
        tree = read_tree(second(Path(folder) / "forms"))
    assert not tree.mistakes, [str(mistake) for mistake in tree.mistakes]
    [plan] = tree.plans
    old, new = (tree.versions["TRIAL", number] for number in (1, 2))
    return Passage(old.forms[name], new.forms[name], plan.step(name))


def form(path: str) -> Form:
    found, mistakes = check_form(next(root / path for root in (FORMS, AMENDMENT) if (root / path).exists()))
    assert found is not None, mistakes
    return found


NAMES = ["labs", "response", "ae", "consent"]
OLD = {name: form(f"library/{name}/v1.toml") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_where_nothing_changes_a_page_stays_what_it_is(name: str, data: st.DataObject) -> None:
    page = data.draw(pages(OLD[name]))
    made = Passage(OLD[name], OLD[name], FormStep(form=name)).forward(page)
    assert (made.answers, made.orphans, made.problems) == (page, (), ())


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_every_answer_is_carried_over_or_an_orphan_and_the_way_back_is_exact(name: str, data: st.DataObject) -> None:
    passage = way(name)
    page = data.draw(pages(passage.old))
    made = passage.forward(page)
    assert made.problems == ()
    assert counted(made.answers) + len(made.orphans) == counted(page)
    again = read(passage.new, made.answers)
    assert (again.answers, again.problems) == (made.answers, [])
    back = passage.back(page, made.answers, made.answers)
    assert (back.answers, back.problems) == (page, ())


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_what_the_plan_fills_in_goes_again_on_the_way_back(data: st.DataObject) -> None:
    passage = way("labs")
    page = data.draw(pages(passage.old))
    then = passage.forward(page).answers
    made = passage.filled(then, judge(passage.new, then, Context()).complete)
    assert made["plt"] == {"missing": "not_available"}
    assert passage.back(page, made, made).answers == page


def test_the_plan_of_the_small_trial_says_this() -> None:
    labs = {
        "sample_date": "2024-01-09", "hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1.20", "transfused": "Y",
        "units_given": 2, "drugs": [{"row": 1, "drug": "X", "dose": "5"}, {"row": 3, "dose": "7"}],
    }  # fmt: skip
    made = way("labs").forward(labs)
    assert made.answers == {
        "sample_date": "2024-01-09", "hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1200.00", "transfusion": "Y",
        "units_given": 2, "drugs": [{"row": 1, "drug": "X"}],
    }  # fmt: skip
    assert made.orphans == (Orphan("dose", 1, "5"), Orphan("dose", 3, "7"))
    event = {"term": "Rash", "start": {"missing": "unknown"}, "signs": ["F", "R"]}
    assert way("ae").forward(event).answers == {
        "term": "Rash", "start": {"missing": "not_available"}, "signs": ["F", "RASH"],
    }  # fmt: skip
    assert way("response").forward({"response": "NR"}).answers == {"response": "SD"}


def test_what_people_enter_afterwards_is_carried_back_where_the_way_has_no_fork() -> None:
    before = {"sample_date": "2024-01-09", "hb": "97", "anc": "1.2", "drugs": [{"row": 1, "drug": "X", "dose": "5"}]}
    then = way("labs").forward(before).answers
    now = then | {"anc": "1300", "transfusion": "N", "drugs": [*then["drugs"], {"row": 2, "drug": "Y"}]}
    back = way("labs").back(before, then, now)
    assert back.problems == ()
    assert back.answers == before | {
        "anc": "1.3", "transfused": "N",
        "drugs": [{"row": 1, "drug": "X", "dose": "5"}, {"row": 2, "drug": "Y"}],
    }  # fmt: skip
    gone = way("labs").back(before, then, {key: value for key, value in then.items() if key != "drugs"})
    assert "drugs" not in gone.answers


@pytest.mark.parametrize(
    ("name", "before", "changed", "item", "code"),
    [
        ("labs", {"hb": "97"}, {"plt": 150}, "plt", "lost"),
        (
            "labs",
            {"drugs": [{"row": 1, "drug": "X"}]},
            {"drugs": [{"row": 1, "drug": "X", "route": "PO"}]},
            "route",
            "lost",
        ),
        ("response", {"response": "CR"}, {"response": "PD"}, "response", "not_a_code"),
    ],
)
def test_what_the_old_version_has_no_place_for_is_a_problem(
    name: str, before: Any, changed: Any, item: str, code: str
) -> None:
    then = way(name).forward(before).answers
    back = way(name).back(before, then, then | changed)
    assert [(problem.item, problem.code) for problem in back.problems] == [(item, code)]


# ---------------------------------------------------------------- single steps

WORDS = {"en": "x", "zh": "甲"}


def single(*items: dict[str, Any], rows: str | None = None) -> Form:
    section = {"id": rows or "main", "title": WORDS, "repeating": rows is not None}
    return Form.of({
        "form": "page", "version": 1, "title": WORDS, "domain": "LB",
        "section": [section | {"item": [{"label": WORDS} | item for item in items]}],
    })  # fmt: skip


def choice(*codes: str, kind: str = "single", **more: Any) -> dict[str, Any]:
    return {"id": "x", "type": kind, "codes": [{"code": code, "label": WORDS} for code in codes], **more}


def passage(old: dict[str, Any], new: dict[str, Any], **step: Any) -> Passage:
    steps = [{"item": old["id"], **step}] if step else []
    return Passage(single(old), single(new), FormStep.model_validate({"form": "page", "item": steps}))


MG = {"id": "x", "type": "decimal", "unit": "mg/dL", "units": {"g/L": "100"}, "missing": ["unknown"]}
UMOL = {**MG, "unit": "umol/L", "units": {"mg/dL": "88.4"}}
REFUSED = {"unknown": "refused"}


@pytest.mark.parametrize(
    ("old", "new", "step", "answer", "becomes"),
    [
        (MG, {**MG, "unit": "umol/L", "units": {}}, {"convert": "88.4"}, "1.5", "132.60"),
        (MG, UMOL, {"convert": "88.4"}, "1.5", {"value": "1.5", "unit": "mg/dL"}),
        (MG, {**MG, "unit": "g/L", "units": {}}, {"convert": "0.01"}, {"value": "2", "unit": "g/L"}, "2"),
        (MG, {**MG, "units": {}}, {"convert": "1"}, {"value": "2", "unit": "g/L"}, "200"),
        (MG, {**MG, "unit": "mg/100mL"}, {"keep": True}, "1.50", "1.50"),
        (MG, {**MG, "unit": "mg/100mL"}, {"keep": True}, {"value": "2", "unit": "g/L"}, {"value": "2", "unit": "g/L"}),
        (MG, {**MG, "max": "1"}, {"unfit": "unknown"}, "1.5", {"missing": "unknown"}),
        (MG, {**MG, "max": "1"}, {"unfit": "retire"}, "1.5", None),
        (MG, {**MG, "missing": ["refused"]}, {"missing": REFUSED}, {"missing": "unknown"}, {"missing": "refused"}),
        ({"id": "x", "type": "integer"}, {"id": "x", "type": "decimal"}, {}, 5, "5"),
        ({"id": "x", "type": "integer"}, {"id": "x", "type": "text"}, {"keep": True}, 5, "5"),
        ({"id": "x", "type": "date"}, {"id": "y", "type": "partial_date"}, {"rename": "y"}, "2024-02-29", "2024-02-29"),
        (choice("A", "B"), choice("A", "B", kind="multiple"), {"keep": True}, "B", ["B"]),
        (choice("A", "B", kind="multiple"), choice("A", "B"), {"keep": True}, ["B"], "B"),
        (choice("A", "B"), choice("C"), {"codes": {"A": "C", "B": "C"}}, "B", "C"),
    ],
)  # fmt: skip
def test_a_step_carries_an_answer_and_takes_it_back(old: Any, new: Any, step: Any, answer: Any, becomes: Any) -> None:
    carried = passage(old, new, **step)
    name = new["id"]
    made = carried.forward({"x": answer})
    assert made.problems == ()
    assert made.answers == ({} if becomes is None else {name: becomes})
    assert len(made.orphans) == (becomes is None or (becomes == {"missing": "unknown"}))
    assert carried.back({"x": answer}, made.answers, made.answers).answers == {"x": answer}


@pytest.mark.parametrize(
    ("old", "new", "step", "answer", "code"),
    [
        (MG, {**MG, "max": "1"}, {}, "1.5", "above_max"),
        (MG, {"id": "x", "type": "integer"}, {"keep": True}, "1.5", "not_integer"),
        (choice("A", "B"), choice("A"), {}, "B", "not_a_code"),
        (choice("A", "B", kind="multiple"), choice("A", "B"), {"keep": True}, ["A", "B"], "not_a_code"),
        (MG, {"id": "y", "type": "decimal"}, {}, "1.5", "lost"),
        (MG, {**MG, "missing": []}, {}, {"missing": "unknown"}, "missing_not_allowed"),
    ],
)
def test_what_the_new_version_does_not_take_is_a_problem_and_is_not_dropped(
    old: Any, new: Any, step: Any, answer: Any, code: str
) -> None:
    made = passage(old, new, **step).forward({"x": answer})
    assert (made.answers, made.orphans) == ({}, ())
    assert [problem.code for problem in made.problems] == [code]


def test_two_codes_that_became_one_cannot_be_told_apart_again() -> None:
    carried = passage(choice("A", "B", "D"), choice("C", "D"), codes={"A": "C", "B": "C"})
    then = carried.forward({"x": "D"}).answers
    assert [each.code for each in carried.back({"x": "D"}, then, {"x": "C"}).problems] == ["ambiguous"]
    assert carried.back({"x": "A"}, {"x": "C"}, {"x": "D"}).answers == {"x": "D"}


def test_a_value_that_cannot_be_divided_exactly_is_a_problem() -> None:
    carried = passage(MG, {**MG, "unit": "u", "units": {}}, convert="3")
    back = carried.back({"x": "1"}, {"x": "3"}, {"x": "1"})
    assert [each.code for each in back.problems] == ["inexact"]
    assert carried.back({"x": "1"}, {"x": "3"}, {"x": "6"}).answers == {"x": "2"}


@given(value=st.decimals(0, 10**6, places=4), factor=st.sampled_from(["10", "0.001", "88.4", "18.015", "3"]))
def test_a_conversion_is_exact(value: Decimal, factor: str) -> None:
    carried = passage(MG, {**MG, "unit": "u", "units": {}}, convert=factor)
    made = carried.forward({"x": str(value)})
    assert Decimal(made.answers["x"]) == value * Decimal(factor)
    back = carried.back({}, {}, made.answers)
    assert Decimal(back.answers["x"]) == value


def test_rows_get_another_name_or_go_as_a_whole() -> None:
    item = {"id": "drug", "type": "text"}
    old, new = single(item, rows="drugs"), single(item, rows="medication")
    page = {"drugs": [{"row": 2, "drug": "X"}]}
    renamed = Passage(
        old, new, FormStep.model_validate({"form": "page", "rows": [{"rows": "drugs", "rename": "medication"}]})
    )
    made = renamed.forward(page)
    assert made.answers == {"medication": [{"row": 2, "drug": "X"}]}
    assert renamed.back(page, made.answers, made.answers).answers == page
    retired = Passage(old, new, FormStep.model_validate({"form": "page", "rows": [{"rows": "drugs", "retire": True}]}))
    gone = retired.forward(page)
    assert (gone.answers, gone.orphans) == ({}, (Orphan("drug", 2, "X"),))
    assert retired.back(page, {}, {}).answers == page


def test_a_row_that_went_with_its_only_answer_comes_back_unless_another_took_its_number() -> None:
    page = {"drugs": [{"row": 1, "drug": "X"}, {"row": 2, "dose": "5"}]}
    then = way("labs").forward(page).answers
    assert then == {"drugs": [{"row": 1, "drug": "X"}]}
    assert way("labs").back(page, then, then).answers == page
    now = {"drugs": [{"row": 1, "drug": "X"}, {"row": 2, "drug": "Y"}]}
    assert [(each.item, each.code) for each in way("labs").back(page, then, now).problems] == [("dose", "row-taken")]


def test_an_orphan_does_not_show_its_value_where_it_is_printed() -> None:
    assert "secret" not in repr(Orphan("note", None, "secret"))
