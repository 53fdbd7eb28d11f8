# ruff: noqa: E501 - one case per line
import csv
from datetime import date
from pathlib import Path

import pytest

from app.clinical.alive import last_known_alive, proves_life
from app.clinical.dates import Query, Reason

with (Path(__file__).parent / "vectors" / "last_known_alive.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def alive(records, death="", cutoff=""):
    pairs = [tuple(record.split(":")) for record in filter(None, records.split("|"))]
    return last_known_alive(pairs, death=death or None, cutoff=date.fromisoformat(cutoff) if cutoff else None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']} {row['reason']}")
def test_last_known_alive(row):
    found = alive(row["records"], row["death"], row["cutoff"])
    if row["expected"] == "QUERY":
        assert isinstance(found, Query)
    else:
        assert found == (date.fromisoformat(row["expected"]) if row["expected"] else None)


@pytest.mark.parametrize(
    "kind",
    ["visit", "lab", "sample_collection", "dose", "transfusion", "ae_start", "phone_contact", "informant_contact",
     "survival_status_asof", "conmed_ongoing_start", "Biopsy"],
)  # fmt: skip
def test_what_needs_a_living_patient(kind):
    assert proves_life(kind)


@pytest.mark.parametrize(
    "kind",
    ["next_planned_visit", "planned_visit", "Scheduled visit", "result", "lab_result_date", "data_entry", "query_opened",
     "query", "signature", "death", "report-date"],
)  # fmt: skip
def test_what_proves_nothing(kind):
    assert not proves_life(kind)


@pytest.mark.parametrize(
    ("records", "death", "cutoff", "expected"),
    [
        ("visit:2024-05-01|result:2024-07-01|data_entry:2024-08-01|query_opened:2024-09-01", "", "", "2024-05-01"),
        ("visit:2024-05-01|planned_visit:UNKNOWN", "", "", "2024-05-01"),
        ("visit:2024-05", "", "", "2024-05-01"),
        ("visit:2024-05-01|visit:2024-04-01", "", "2024-05-01", "2024-05-01"),
        ("visit:2024-06-05", "2024-06-05", "", "2024-06-05"),
        ("visit:2024-06-05", "2024-06", "", "2024-06-05"),
        ("visit:2024-05-01", "2024-08-01", "2024-07-01", "2024-07-01"),
        ("", "2024-08-01", "2024-07-01", "2024-07-01"),
        ("visit:2024-05-01", "2024-06-01", "2024-07-01", "2024-05-01"),
        ("planned_visit:2024-07-01|result:2024-07-01", "2024-06-05", "", None),
    ],
)
def test_each_rule(records, death, cutoff, expected):
    assert alive(records, death, cutoff) == (date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(
    ("records", "death", "reason"),
    [
        ("visit:2024-06-06", "2024-06-05", Reason.ALIVE_LATER),
        ("visit:2024-07-01", "2024-06", Reason.ALIVE_LATER),
        ("visit:2024-02-30", "", Reason.INVALID),
        ("visit:", "", Reason.UNKNOWN),
        ("visit:2024-05-01", "2024-02-30", Reason.INVALID),
    ],
)
def test_what_is_asked_about(records, death, reason):
    found = alive(records, death, "2024-01-01")
    assert isinstance(found, Query)
    assert found.reason is reason
