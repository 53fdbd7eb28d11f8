import importlib
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clinical.endpoints.estimate import Point, cumulative_incidence, kaplan_meier, points
from tests.clinical.endpoint_cases import Engine

# Events at 1, 3, 3 and 8, competing at 5, censored at 2, 4, 6, 9 and 10. Worked out by hand.
TEN = [Point(1, 1), Point(2, 0), Point(3, 1), Point(3, 1), Point(4, 0), Point(5, 2), Point(6, 0), Point(8, 1)]
TEN += [Point(9, 0), Point(10, 0)]
ENGINE = Engine(importlib.import_module)


def test_kaplan_meier_by_hand():
    found = kaplan_meier(TEN, 5)
    assert found is not None
    assert found.at_risk == 5
    assert isclose(found.value, 9 / 10 * 6 / 8)
    assert found.std_err is not None
    assert isclose(found.std_err, found.value * sqrt(1 / 90 + 2 / 48))
    later = kaplan_meier(TEN, 8)
    assert later is not None
    assert isclose(later.value, 9 / 10 * 6 / 8 * 2 / 3)


def test_cumulative_incidence_by_hand():
    """All-cause survival falls to 0.9, 0.675 and 0.54 (the competing event); the event at 8 adds a third of that."""
    one, two = cumulative_incidence(TEN, 10), cumulative_incidence(TEN, 10, cause=2)
    assert one is not None
    assert two is not None
    assert isclose(one.value, 0.1 + 0.9 * 2 / 8 + 0.54 / 3)
    assert isclose(two.value, 0.675 / 5)


def test_with_one_cause_and_no_censoring_the_curves_are_proportions():
    data = [Point(day, 1 if day < 4 else 0) for day in range(1, 11)]
    kept, failed = kaplan_meier(data, 5), cumulative_incidence(data, 5)
    assert kept is not None
    assert failed is not None
    assert isclose(kept.value, 0.7)
    assert kept.std_err is not None
    assert isclose(kept.std_err, sqrt(0.7 * 0.3 / 10))
    assert isclose(failed.value, 0.3)


def test_limits_plain_and_log_log():
    plain, loglog = kaplan_meier(TEN, 5, limits="plain"), kaplan_meier(TEN, 5)
    assert plain is not None
    assert loglog is not None
    assert plain.std_err is not None
    assert isclose(plain.upper or 0, min(1.0, plain.value + 1.959964 * plain.std_err), abs_tol=1e-6)
    assert loglog.lower is not None
    assert loglog.upper is not None
    assert 0 < loglog.lower < loglog.value < loglog.upper < 1


@pytest.mark.parametrize(
    ("data", "value", "std_err"),
    [([Point(5, 0)], 1.0, 0.0), ([Point(5, 1)], 0.0, None)],
    ids=["no event", "nobody left"],
)
def test_where_there_are_no_limits(data, value, std_err):
    found = kaplan_meier(data, 10)
    assert found is not None
    assert (found.value, found.std_err, found.lower, found.upper) == (value, std_err, None, None)


def test_everybody_has_failed():
    found = cumulative_incidence([Point(1, 1), Point(1, 2)], 10)
    assert found is not None
    assert isclose(found.value, 0.5)


def test_no_data_no_estimate():
    assert kaplan_meier([Point(1, 1, 5)], 10) is None
    assert kaplan_meier([], 10) is cumulative_incidence([], 10) is None


def test_delayed_entry_is_not_at_risk_before():
    found = kaplan_meier([Point(1, 1), Point(5, 0), Point(9, 0, 3)], 4)
    assert found is not None
    assert isclose(found.value, 0.5)


def test_results_become_points():
    made = points(
        [
            ENGINE.shape("PRIMARY", "a 2024-01-11"),
            ENGINE.shape("PRIMARY", "a ?"),
            ENGINE.shape("POP", ""),
            ENGINE.shape("DELAYED", "b 2024-02-01, seen 2024-03-01"),
            ENGINE.shape("RELAPSE", "death 2024-01-02"),
        ]
    )
    assert made == [Point(10, 1), Point(60, 0, 30), Point(1, 2)]


whoever = st.tuples(st.integers(0, 50), st.sampled_from([0, 1, 2])).map(lambda pair: Point(*pair))


@given(st.lists(whoever, min_size=1), st.integers(0, 60))
def test_event_free_and_the_two_incidences_make_one(data, day):
    either = [Point(point.time, min(point.status, 1)) for point in data]
    found = [kaplan_meier(either, day), *(cumulative_incidence(data, day, cause=cause) for cause in (1, 2))]
    assert isclose(sum(one.value for one in found if one is not None), 1, abs_tol=1e-9)
