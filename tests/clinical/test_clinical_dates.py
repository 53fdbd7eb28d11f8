import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clinical.dates import (
    Imputed,
    Partial,
    Policy,
    Precision,
    Query,
    Reason,
    days,
    impute,
    months,
    parse,
    shifted,
)

VECTORS = Path(__file__).parent / "vectors"
KINDS = {"last_contact": Policy.FIRST}


def rows(name):
    with (VECTORS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def day(text):
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("row", rows("date_imputation.csv"), ids=lambda row: f"{row['id']} {row['reason']}")
def test_a_partial_date_gets_its_day(row):
    found = impute(
        KINDS.get(row["kind"]) or Policy(row["kind"]),
        parse(row["raw"]),
        alive=day(row["last_alive"]),
        last_negative=day(row["prev_negative"]),
        first_dose=day(row["lower_bound"]),
        cutoff=day(row["cutoff"]),
    )
    if row["expected"] == "QUERY":
        assert isinstance(found, Query)
    else:
        assert found == Imputed(date.fromisoformat(row["expected"]), row["flag"])


@pytest.mark.parametrize("row", rows("durations.csv"), ids=lambda row: f"{row['id']} {row['reason']}")
def test_a_duration_is_counted_in_its_unit(row):
    start, end, expected = date.fromisoformat(row["start"]), date.fromisoformat(row["end"]), int(row["expected"])
    if row["unit"] == "days":
        assert days(start, end) == expected
    else:  # a horizon of so many days after the graft ends there
        assert shifted(start, expected) == end


def test_months_are_days_by_30_4375():
    assert months(date(2024, 1, 1), date(2024, 1, 31)) == Decimal(31) / Decimal("30.4375")
    assert months(date(2024, 1, 1), date(2027, 12, 31)) == Decimal(48)


def test_days_are_never_zero():
    assert [days(date(2024, 1, 10), date(2024, 1, last)) for last in (9, 10, 11)] == [-1, 1, 2]


@pytest.mark.parametrize(
    ("raw", "lower", "upper", "precision"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31), Precision.YEAR),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), Precision.MONTH),
        ("2023-12", date(2023, 12, 1), date(2023, 12, 31), Precision.MONTH),
        (" 2024-03-07 ", date(2024, 3, 7), date(2024, 3, 7), Precision.DAY),
        ("9999-12", date(9999, 12, 1), date(9999, 12, 31), Precision.MONTH),
    ],
)
def test_a_date_is_read_at_the_precision_it_is_known(raw, lower, upper, precision):
    assert parse(raw) == Partial(raw.strip(), lower, upper, precision)


@pytest.mark.parametrize(
    "raw",
    ["2024-02-30", "2024-13", "2024-00", "2024-03-00", "0000", "0000-01-01", "24", "2024-3", "2024/03/07", "07.03.2024",
     "2024-03-07T10:00", "20240307", "２０２４", "2024-03-07\n2024", "-2024", "UNK", "2024-W10", "\x00"],
)  # fmt: skip
def test_what_is_no_date_is_a_question_that_does_not_repeat_it(raw):
    found = parse(raw)
    assert isinstance(found, Query)
    assert found.reason is Reason.INVALID
    assert raw not in found.message


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_nothing_is_an_unknown_date(raw):
    found = parse(raw)
    assert isinstance(found, Query)
    assert found.reason is Reason.UNKNOWN


@pytest.mark.parametrize(
    ("policy", "raw", "bounds", "expected"),
    [
        ("death", "2024-03", {}, ("2024-03-15", "D")),
        ("death", "2024-02", {"alive": "2024-02-29"}, ("2024-02-29", "D")),
        ("death", "2024", {}, ("2024-06-30", "M")),
        ("death", "2024", {"cutoff": "2024-03-10"}, ("2024-03-10", "M")),
        ("death", "2024", {"alive": "2024-02-01", "cutoff": "2024-12-31"}, ("2024-06-30", "M")),
        ("death", "2024-03", {"alive": "2024-03-10", "cutoff": "2024-03-10"}, ("2024-03-10", "D")),
        ("death", "2024-03", {"alive": "2024-03-11", "cutoff": "2024-03-10"}, Reason.ALIVE_LATER),
        ("death", "2024-03", {"cutoff": "2024-02-10"}, ("2024-03-15", "D")),
        ("death", "2024-03-07", {"alive": "2024-03-07"}, ("2024-03-07", "")),
        ("death", "2024-03-07", {"alive": "2024-03-08"}, Reason.ALIVE_LATER),
        ("death", "2024-03-07", {"cutoff": "2024-03-01"}, ("2024-03-07", "")),
        ("relapse", "2024", {"last_negative": "2024-05-12"}, ("2024-05-13", "M")),
        ("relapse", "2024-05", {}, ("2024-05-01", "D")),
        ("relapse", "2024-05", {"last_negative": "2024-05-30"}, ("2024-05-31", "D")),
        ("relapse", "2024-05", {"last_negative": "2024-06-30"}, Reason.NO_DAY_LEFT),
        ("relapse", "2024-05-20", {"last_negative": "2024-05-25"}, ("2024-05-20", "")),
        ("relapse", "", {}, Reason.UNKNOWN),
        ("ae_start", "2024-05", {}, ("2024-05-01", "D")),
        ("ae_start", "2024-06", {"first_dose": "2024-05-10"}, ("2024-06-01", "D")),
        ("ae_start", "2024-05-03", {"first_dose": "2024-05-10"}, ("2024-05-03", "")),
        ("ae_start", "2024-05", {"first_dose": "2024-05-31"}, ("2024-05-31", "D")),
        ("ae_end", "2024-02", {}, ("2024-02-29", "D")),
        ("ae_end", "2024-02", {"cutoff": "2024-02-10"}, ("2024-02-29", "D")),
        ("ae_end", "2024-02", {"start": "2024-02-29"}, ("2024-02-29", "D")),
        ("ae_end", "2024-02", {"start": "2024-03-01"}, Reason.ENDS_BEFORE_START),
        ("ae_end", "2024-02-10", {"start": "2024-02-11"}, Reason.ENDS_BEFORE_START),
        ("ae_end", "2024-02-10", {"start": "2024-02-10"}, ("2024-02-10", "")),
        ("first", "2024", {}, ("2024-01-01", "M")),
        ("first", "2024-05-05", {}, ("2024-05-05", "")),
    ],
)  # fmt: skip
def test_every_branch_of_every_policy(policy, raw, bounds, expected):
    found = impute(Policy(policy), parse(raw), **{key: date.fromisoformat(value) for key, value in bounds.items()})
    if isinstance(expected, Reason):
        assert isinstance(found, Query)
        assert found.reason is expected
    else:
        assert found == Imputed(date.fromisoformat(expected[0]), expected[1])


known = st.dates(date(2020, 1, 1), date(2025, 12, 31))
periods = st.one_of(
    known.map(lambda day: f"{day.year}"), known.map(lambda day: f"{day:%Y-%m}"), known.map(date.isoformat)
)


@given(st.sampled_from(Policy), periods, st.none() | known, st.none() | known, st.none() | known, st.none() | known)
def test_an_imputed_day_never_leaves_the_stated_period(policy, raw, alive, negative, dose, cutoff):
    stated = parse(raw)
    found = impute(policy, stated, alive=alive, last_negative=negative, first_dose=dose, start=dose, cutoff=cutoff)
    if isinstance(found, Imputed):
        assert isinstance(stated, Partial)
        assert stated.lower <= found.date <= stated.upper
        assert (found.flag == "") == (stated.precision is Precision.DAY)
        if policy is Policy.DEATH:
            assert alive is None or found.date >= alive
            assert cutoff is None or found.date <= cutoff or not stated.lower <= cutoff <= stated.upper


def test_no_shift_leaves_the_calendar():
    assert shifted(date.max, 1) == date.max
    assert shifted(date.min, -1) == date.min
    assert shifted(date(2024, 2, 28), 2) == date(2024, 3, 1)
