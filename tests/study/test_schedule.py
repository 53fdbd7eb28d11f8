from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study.definition import Study
from app.study.schedule import PlannedVisit, plan

WORDS = {"en": "x", "zh": "甲"}
BASE: dict[str, Any] = {
    "study": "S1",
    "version": 1,
    "title": WORDS,
    "zone": "Asia/Shanghai",
    "ctcae": "5.0",
    "report_day": 365,
    "forms": {"consent": 1, "graft": 1},
    "site": [{"id": "HZ01", "name": WORDS}],
    "status": [{"code": "enrolled", "milestone": "enrol"}],
    "fact": [
        {"name": "arm", "form": "consent", "item": "arm"},
        {"name": "age", "form": "consent", "item": "age"},
    ],
}
days = st.dates(date(1950, 1, 1), date(2150, 12, 31))
offsets = st.integers(-1000, 4000)


def study(*visits: dict[str, Any]) -> Study:
    return Study.of(BASE | {"visit": [{"label": WORDS, **visit} for visit in visits]})


def dates(visit: PlannedVisit) -> tuple[date, date, date]:
    assert visit.opens is not None
    assert visit.target is not None
    assert visit.closes is not None
    return visit.opens, visit.target, visit.closes


def anchored(target: int, before: int = 0, after: int = 0, **more: Any) -> dict[str, Any]:
    return {"code": "V", "anchor": "hsct", "target": target, "window": [before, after], "forms": ["graft"], **more}


@pytest.mark.parametrize(
    ("anchor", "target", "expected"),
    [
        (date(2024, 3, 1), 0, date(2024, 3, 1)),
        (date(2024, 3, 1), 30, date(2024, 3, 31)),
        (date(2024, 3, 1), 100, date(2024, 6, 9)),
        (date(2024, 3, 1), 365, date(2025, 3, 1)),
        (date(2023, 3, 1), 365, date(2024, 2, 29)),  # a leap day lies between
        (date(2024, 2, 29), 365, date(2025, 2, 28)),
        (date(2024, 2, 29), -365, date(2023, 3, 1)),
        (date(2024, 3, 1), -1, date(2024, 2, 29)),
    ],
)
def test_a_day_is_counted_from_the_anchor_without_adding_one(anchor, target, expected):
    (visit,) = plan(study(anchored(target)), {"hsct": anchor}, {})
    assert visit.target == expected


@given(anchor=days, target=offsets, before=st.integers(-60, 0), after=st.integers(0, 60))
def test_the_window_lies_around_the_target_and_both_ends_belong_to_it(anchor, target, before, after):
    (visit,) = plan(study(anchored(target, before, after)), {"hsct": anchor}, {})
    opens, on, closes = dates(visit)
    assert (on - anchor).days == target
    assert (opens - on).days == before
    assert (closes - on).days == after
    assert opens <= on <= closes
    assert visit.dated


@given(anchor=days, target=offsets, by=st.integers(-500, 500))
def test_when_the_anchor_moves_the_visit_moves_by_as_much(anchor, target, by):
    definition = study(anchored(target, -3, 3))
    (before,) = plan(definition, {"hsct": anchor}, {})
    (after,) = plan(definition, {"hsct": anchor + timedelta(days=by)}, {})
    assert [(to - was).days for to, was in zip(dates(after), dates(before), strict=True)] == [by] * 3


@given(anchor=days, first=offsets, second=offsets)
def test_a_later_target_is_never_an_earlier_visit(anchor, first, second):
    one, two = plan(study(anchored(first), anchored(second) | {"code": "W"}), {"hsct": anchor}, {})
    assert (dates(one)[1] <= dates(two)[1]) == (first <= second)


@given(anchor=st.none() | days)
def test_visits_stand_in_the_order_of_the_file_whatever_has_happened(anchor):
    definition = study(
        anchored(30), {"code": "UNS", "forms": ["graft"], "repeating": True}, anchored(-7) | {"code": "W"}
    )
    assert [visit.visit for visit in plan(definition, {"hsct": anchor}, {})] == ["V", "UNS", "W"]


@pytest.mark.parametrize("anchors", [{}, {"hsct": None}, {"enrol": date(2024, 1, 1)}])
def test_without_the_anchor_there_is_a_visit_and_no_date(anchors):
    (visit,) = plan(study(anchored(30, -7, 7)), anchors, {})
    assert (visit.target, visit.opens, visit.closes) == (None, None, None)
    assert not visit.dated


def test_a_visit_without_anchor_never_has_a_date():
    (visit,) = plan(study({"code": "UNS", "forms": ["graft"], "repeating": True}), {"hsct": date(2024, 1, 1)}, {})
    assert not visit.dated
    assert visit.repeat == 1


def test_without_a_window_the_visit_is_on_its_day():
    bare = {"code": "V", "anchor": "hsct", "target": 3, "forms": ["graft"]}
    (visit,) = plan(study(bare), {"hsct": date(2024, 1, 1)}, {})
    assert visit.opens == visit.target == visit.closes == date(2024, 1, 4)


def test_a_study_with_other_visits_is_planned_by_those():
    of = study(anchored(30))
    anchors = {"hsct": date(2024, 3, 1)}
    assert [each.visit for each in plan(of, anchors, {})] == ["V"]
    assert plan(of.model_copy(update={"visits": ()}), anchors, {}) == ()
    assert [each.visit for each in plan(of, anchors, {})] == ["V"]


def test_a_visit_carries_its_pages():
    (visit,) = plan(study(anchored(0, optional=["consent"])), {}, {})
    assert (visit.forms, visit.optional) == (("graft",), ("consent",))


@pytest.mark.parametrize(
    ("facts", "planned"),
    [
        ({"arm": "HSCT"}, True),
        ({"arm": "NO_HSCT"}, False),
        ({"arm": None}, False),  # not yet known: nobody is asked for the visits of an arm
        ({}, False),
    ],
)
def test_a_visit_of_one_arm_is_planned_for_that_arm_alone(facts, planned):
    definition = study(anchored(30, when="subject.arm == 'HSCT'"))
    assert bool(plan(definition, {"hsct": date(2024, 1, 1)}, facts)) is planned


def test_what_is_unknown_neither_holds_nor_fails():
    definition = study(anchored(1, when="subject.age >= 18 || subject.arm == 'HSCT'"))
    assert plan(definition, {}, {"age": 40})
    assert plan(definition, {}, {"arm": "HSCT"})  # one side alone decides
    assert not plan(definition, {}, {"age": 12})
    assert not plan(definition, {}, {"arm": "NO_HSCT"})
