"""Where a visit stands: every cell of what is planned, entered, said and the day it is looked at."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study.progress import Held, Progress, Standing, VisitState
from app.study.schedule import PlannedVisit

OPENS, TARGET, CLOSES = date(2024, 3, 1), date(2024, 3, 8), date(2024, 3, 15)
DATED = PlannedVisit("V", 1, TARGET, OPENS, CLOSES, ("visit", "labs"), ("ae",))
UNDATED = PlannedVisit("V", 1, None, None, None, ("visit", "labs"), ("ae",))
FREE = PlannedVisit("V", 1, None, None, None, (), ("ae",))
PLANS = {"none": None, "free": FREE, "undated": UNDATED, "dated": DATED}
DONE, BEGUN = Progress.COMPLETE, Progress.INCOMPLETE
ENTERED: dict[str, dict[str, Progress]] = {
    "nothing": {},
    "all": {"visit": DONE, "labs": DONE},
    "some": {"visit": DONE},
    "unfinished": {"visit": DONE, "labs": BEGUN},
    "optional": {"ae": DONE},
    "optional unfinished": {"visit": DONE, "labs": DONE, "ae": BEGUN},
}
DAYS = {"before": OPENS - timedelta(1), "first": OPENS, "last": CLOSES, "after": CLOSES + timedelta(1)}


def state(plan: str, entered: str, held: Held = Held()) -> VisitState:  # noqa: B008 - a value
    return VisitState("V", 1, PLANS[plan], ENTERED[entered], held)


EXPECTED: dict[tuple[str, str], Standing] = {
    **dict.fromkeys(product(["none", "free"], ["nothing"]), Standing.NOT_PLANNED),
    ("undated", "nothing"): Standing.EXPECTED,
    **dict.fromkeys(product(["none", "free"], ["all", "some", "optional"]), Standing.COMPLETE),
    **dict.fromkeys(product(["none", "free"], ["unfinished", "optional unfinished"]), Standing.INCOMPLETE),
    **dict.fromkeys(product(["undated", "dated"], ["all"]), Standing.COMPLETE),
    **dict.fromkeys(
        product(["undated", "dated"], ["some", "unfinished", "optional", "optional unfinished"]), Standing.INCOMPLETE
    ),
}
OF_THE_DAY = {
    "before": Standing.EXPECTED, "first": Standing.DUE, "last": Standing.DUE, "after": Standing.OVERDUE,
}  # fmt: skip


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("entered", ENTERED)
@pytest.mark.parametrize("plan", PLANS)
def test_every_cell(plan: str, entered: str, day: str) -> None:
    expected = OF_THE_DAY[day] if (plan, entered) == ("dated", "nothing") else EXPECTED[plan, entered]
    assert state(plan, entered).standing(DAYS[day]) is expected
    assert state(plan, entered, Held(held=True)).standing(DAYS[day]) is expected
    assert state(plan, entered, Held(held=False, reason="TRAVEL")).standing(DAYS[day]) is Standing.MISSED


def test_what_is_owed_is_what_is_due_and_not_complete_and_nothing_of_a_missed_visit() -> None:
    assert state("dated", "nothing").owed == ("visit", "labs")
    assert state("dated", "some").owed == ("labs",)
    assert state("dated", "unfinished").owed == ("labs",)
    assert state("dated", "all").owed == ()
    assert state("none", "some").owed == ()
    assert state("dated", "some", Held(held=False)).owed == ()


@given(day=st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_days_out_say_how_far_the_day_lies_from_the_window_and_on_which_side(day: date) -> None:
    out = state("dated", "all", Held(held=True, day=day)).days_out
    assert (out == 0) == (OPENS <= day <= CLOSES)
    assert OPENS <= day - timedelta(days=out) <= CLOSES
    assert abs(out) == min(abs((day - edge).days) for edge in (OPENS, CLOSES)) or out == 0


def test_without_a_window_or_a_day_nothing_lies_outside() -> None:
    assert state("undated", "all", Held(held=True, day=date(2030, 1, 1))).days_out == 0
    assert state("none", "all", Held(held=True, day=date(2030, 1, 1))).days_out == 0
    assert state("dated", "all").days_out == 0


@given(day=st.dates(date(2024, 1, 1), date(2024, 12, 31)), entered=st.sampled_from(sorted(ENTERED)))
def test_a_visit_goes_from_expected_to_overdue_and_never_back(day: date, entered: str) -> None:
    order = [Standing.EXPECTED, Standing.DUE, Standing.OVERDUE]
    one, next_ = (state("dated", entered).standing(each) for each in (day, day + timedelta(days=1)))
    assert one == next_ or order.index(one) < order.index(next_)
