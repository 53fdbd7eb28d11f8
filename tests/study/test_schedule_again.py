"""Second transplants, schedules that begin anew, pages due for some, visits after the end. Laws of the schedule."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study.definition import Study
from app.study.schedule import Anchors, PlannedVisit, key_of, occurrences, plan
from tests.study.test_schedule import BASE, WORDS, anchored, offsets, study

grafts = st.lists(st.dates(date(1990, 1, 1), date(2090, 1, 1)), max_size=4, unique=True).map(sorted)


def anchors(days: list[date], **more: date) -> Anchors:
    return {key_of("hsct", place): day for place, day in enumerate(days, start=1)} | more


def targets(planned: tuple[PlannedVisit, ...]) -> list[tuple[int, date | None]]:
    return [(visit.repeat, visit.target) for visit in planned]


def ended(*visits: dict[str, Any]) -> Study:
    return Study.of(BASE | {"ends": ["death", "off"], "visit": [{"label": WORDS, **visit} for visit in visits]})


@given(days=grafts)
def test_the_days_of_a_milestone_are_found_again_in_their_order(days: list[date]) -> None:
    assert occurrences(anchors(days), "hsct") == days
    assert occurrences(anchors(days), "other") == []


@given(days=grafts, target=offsets)
def test_by_default_a_visit_hangs_on_the_first_and_later_ones_move_nothing(days: list[date], target: int) -> None:
    definition = study(anchored(target, -3, 3))
    assert plan(definition, anchors(days), {}) == plan(definition, anchors(days[:1]), {})


@given(days=grafts, target=offsets, which=st.integers(1, 4))
def test_a_visit_of_the_nth_is_planned_once_it_has_happened(days: list[date], target: int, which: int) -> None:
    planned = plan(study(anchored(target, occurrence=which)), anchors(days), {})
    if len(days) >= which:
        assert targets(planned) == [(1, days[which - 1] + timedelta(days=target))]
    else:
        assert targets(planned) == ([(1, None)] if which == 1 else [])


@given(days=grafts, target=offsets)
def test_a_visit_of_the_last_moves_with_every_new_one(days: list[date], target: int) -> None:
    planned = plan(study(anchored(target, occurrence="last")), anchors(days), {})
    assert targets(planned) == [(1, days[-1] + timedelta(days=target) if days else None)]


@given(days=grafts, target=st.integers(-30, 4000), before=st.integers(-9, 0), after=st.integers(0, 9))
def test_a_visit_of_each_is_planned_for_each_until_the_next_begins_it_anew(
    days: list[date], target: int, before: int, after: int
) -> None:
    planned = plan(study(anchored(target, before, after, occurrence="each")), anchors(days), {})
    following = [*days[1:], date.max]
    expected = [
        (place, day + timedelta(days=target))
        for place, (day, then) in enumerate(zip(days, following, strict=False), start=1)
        if day + timedelta(days=target) < then
    ]
    assert targets(planned) == (expected if days else [(1, None)])
    for visit in planned:
        if visit.target and visit.opens and visit.closes:
            assert ((visit.opens - visit.target).days, (visit.closes - visit.target).days) == (before, after)
    if days:
        assert planned[-1].repeat == len(days), "the newest schedule is whole"


@given(days=grafts, target=offsets, end=st.dates(date(1990, 1, 1), date(2090, 1, 1)), other=st.integers(0, 9))
def test_nothing_is_planned_for_a_day_after_the_end(days: list[date], target: int, end: date, other: int) -> None:
    visits = (anchored(target, occurrence="each"), {"code": "LOG", "forms": ["consent"]})
    alive = plan(ended(*visits), anchors(days), {})
    planned = plan(ended(*visits), anchors(days, death=end, off=end + timedelta(days=other)), {})
    log = [visit for visit in alive if visit.visit == "LOG"]
    assert [*planned] == [*(visit for visit in alive if visit.target is not None and visit.target <= end), *log]


def test_without_a_word_of_ends_death_ends_nothing() -> None:
    (visit,) = plan(study(anchored(30)), {"hsct": date(2024, 1, 1), "death": date(2024, 1, 2)}, {})
    assert visit.dated


DUE = {"code": "V", "forms": ["consent"], "optional": ["graft", "labs"]}


@pytest.mark.parametrize(
    ("when", "facts", "here", "due"),
    [
        ("subject.arm == 'A'", {"arm": "A"}, {}, True),
        ("subject.arm == 'A'", {"arm": "B"}, {}, False),
        ("subject.arm == 'A'", {}, {}, False),  # not known: nobody is asked for it
        ("here.labs_anc < 0.5", {}, {"labs_anc": 0.4}, True),
        ("here.labs_anc < 0.5", {}, {"labs_anc": 0.5}, False),
        ("here.labs_anc < 0.5", {}, {}, False),
        ("visit == 'V' && !(here.labs_anc < 0.5)", {}, {"labs_anc": 1}, True),
        ("subject.arm == 'A' || here.labs_anc < 0.5", {}, {"labs_anc": 0.1}, True),
    ],
)
def test_a_page_is_due_where_its_condition_is_certainly_true(
    when: str, facts: dict[str, Any], here: dict[str, Any], *, due: bool
) -> None:
    definition = study({**DUE, "due": [{"form": "graft", "when": when}]})
    (visit,) = plan(definition, {}, facts, {("V", 1): here})
    assert (visit.forms, visit.optional) == (
        (("consent", "graft"), ("labs",)) if due else (("consent",), ("graft", "labs"))
    )


@given(
    days=grafts,
    arm=st.sampled_from(["A", "B", None]),
    drawn=st.lists(
        st.fixed_dictionaries(
            {"target": offsets, "occurrence": st.sampled_from([1, 2, "each", "last"])},
            optional={"when": st.just("subject.arm == 'A'"), "repeating": st.just(True)},  # noqa: FBT003 - a key of the file
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_the_plan_of_a_study_is_that_of_its_visits_one_after_the_other_however_often_it_is_asked(
    days: list[date], arm: str | None, drawn: list[dict[str, Any]]
) -> None:
    visits = [anchored(**each) | {"code": f"V{place}"} for place, each in enumerate(drawn)]
    begun = {each["code"]: [2, 9] for each in visits}
    whole = study(*visits)
    planned = plan(whole, anchors(days), {"arm": arm}, {}, begun)
    alone = [each for visit in visits for each in plan(study(visit), anchors(days), {"arm": arm}, {}, begun)]
    assert [*planned] == alone
    plan(whole, anchors(days[:1]), {"arm": "B"})
    assert plan(whole, anchors(days), {"arm": arm}, {}, begun) == planned


def test_each_repeat_asks_its_own_pages() -> None:
    definition = study({**DUE, "repeating": True, "due": [{"form": "graft", "when": "here.labs_anc < 0.5"}]})
    planned = plan(definition, {}, {}, {("V", 3): {"labs_anc": 0.1}}, {"V": [1, 3]})
    assert [(visit.repeat, visit.forms) for visit in planned] == [(1, ("consent",)), (3, ("consent", "graft"))]


def test_what_is_new_in_a_study_file_changes_no_digest_of_one_that_does_not_use_it() -> None:
    plain, outspoken = study(anchored(30)), study(anchored(30, occurrence=1, due=[]))
    assert plain.digest == outspoken.digest
    assert not {"occurrence", "due", "ends"} & {*plain.canonical(), *plain.canonical()["visit"][0]}
    for more in ({"occurrence": 2}, {"occurrence": "each"}, {"due": [{"form": "graft", "when": "true"}]}):
        assert study(anchored(30, **more)).digest != plain.digest
