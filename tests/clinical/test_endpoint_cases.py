import importlib

import pytest

from tests.clinical.endpoint_cases import SHAPES, TABLES, Engine, answer, rows

ENGINE = Engine(importlib.import_module)
ROWS = [row for name in TABLES for row in rows(name)]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['id']} {row['reason']}" for row in ROWS])
def test_a_row_of_facts_gives_its_status_date_and_days(row):
    (result,) = ENGINE.table.evaluate_rows(ENGINE.studies, [row])
    assert not result["error"]
    assert (result["status"], result["adt"], str(result["days"])) == (
        row["exp_status"],
        row["exp_adt"],
        row["exp_days"],
    )


@pytest.mark.parametrize("case", SHAPES, ids=[f"{case[0]} {case[-1]}" for case in SHAPES])
def test_a_history_gives_its_status_and_date(case):
    variant, text, cutoff, visits, expected, _ = case
    assert answer(ENGINE.shape(variant, text, cutoff, visits)) == expected


def test_every_variant_that_a_table_can_tell_has_its_case():
    """The others need facts on more than the last of many dates, and are among the shapes."""
    told = {(row["trial"], row["endpoint"], row["variant"] or "PRIMARY") for row in ROWS}
    need_more = {"CENSOR_NACT", "GAP", "CRI", "ORIGIN_CONSENT", "SECOND_GRAFT"}
    for trial, (_, endpoints, _) in ENGINE.studies.items():
        for endpoint in endpoints:
            for variant, _, _ in endpoint.resolved():
                assert (trial, endpoint.code, variant) in told or variant in need_more or endpoint.code == "DOR"
    assert {case[0] for case in SHAPES} == set(ENGINE.specs)


def test_a_gap_needs_no_time_zero():
    (gap, open_gap) = ENGINE.history("seen 2024-01-01, seen 2024-06-01").of("gap_days").dated
    assert (str(gap.date), str(gap.until)) == ("2024-03-01", "2024-06-01")
    assert (str(open_gap.date), str(open_gap.until)) == ("2024-07-31", "9999-12-31")
