# ruff: noqa: E501 - one case per line
import csv
import importlib
import io
from datetime import date

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from tests.clinical.endpoint_cases import Engine, rows

ENGINE = Engine(importlib.import_module)
DAYS = st.dates(date(2024, 1, 12), date(2024, 3, 31)).map(date.isoformat)
STANDARD = dict.fromkeys(rows("endpoints.csv")[0], "")


def run(row):
    (found,) = ENGINE.table.evaluate_rows(ENGINE.studies, [row])
    return found


def facts(**cells):
    return {**STANDARD, "trial": "000", "endpoint": "OS", "enrol": "2024-01-10", **cells}


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        ({"trial": "999"}, "no known trial"),
        ({"trial": ""}, "no known trial"),
        ({"endpoint": "XYZ"}, "No such endpoint"),
        ({"variant": "XYZ"}, "write one of PRIMARY, ORIGIN_CONSENT, ORIGIN_DOSE"),
        ({"death": "2024-02-30"}, "death: There is no such day"),
        ({"death": "30/02/2024"}, "death: Write the date"),
        ({"cutoff": "2026-06"}, "cutoff: write a whole date"),
        ({"cutoff": "soon"}, "cutoff: write a whole date"),
        ({"variant": "ORIGIN_CONSENT"}, "needs the column consent"),
        ({"endpoint": "EFS", "variant": "CENSOR_NACT"}, "needs the column last_da_before_nact, nact"),
        ({"endpoint": "EFS", "variant": "GAP"}, "needs the column gap"),
        ({"trial": "001", "endpoint": "CG1Y", "variant": "SECOND_GRAFT"}, "needs the column later_graft"),
        ({None: ["1", "2"]}, "more cells"),
    ],
)
def test_a_row_that_cannot_be_read_says_so_in_its_row(cells, error):
    found = run(
        facts(**{key: value for key, value in cells.items() if key is not None})
        | ({None: ["1"]} if None in cells else {})
    )
    assert found["status"] == "QUERY"
    assert error in found["error"]
    assert found["adt"] == found["days"] == found["explanation"] == ""


def test_the_error_does_not_repeat_what_was_written():
    assert "30/02" not in run(facts(death="30/02/2024"))["error"]


def test_a_bad_row_does_not_stop_the_others():
    found = list(ENGINE.table.evaluate_rows(ENGINE.studies, [facts(death="x"), facts(death="2024-02-01")]))
    assert [row["status"] for row in found] == ["QUERY", "1"]


def test_case_and_spaces_do_not_matter():
    row = {" Trial ": " 000 ", "ENDPOINT": "os", "Variant ": " primary", " Enrol": " 2024-01-10 ", "DEATH": " 2024-02-01",
           "Last_Alive": None}  # fmt: skip
    found = run(row)
    assert (found["status"], found["days"]) == ("1", 23)


def test_a_column_named_as_a_derived_milestone_is_that_milestone():
    given = facts(endpoint="EFS", variant="CENSOR_NACT", tx_start="2024-01-12", heme_relapse="2024-06-01", nact="2024-05-01",
                  last_da_before_nact="2024-04-20")  # fmt: skip
    assert (run(given)["status"], run(given)["adt"]) == ("0", "2024-04-20")
    empty = facts(endpoint="EFS", variant="LANDMARK", tx_start="2024-01-12", last_da="2024-06-01", no_cr="")
    assert (run(empty)["status"], run(empty)["adt"]) == ("0", "2024-06-01")


def test_other_derived_milestones_still_derive():
    given = {"trial": "001", "endpoint": "AG24D100", "variant": "SECOND_GRAFT", "hsct": "2024-03-01", "agvhd2_4": "",
             "heme_relapse": "", "later_graft": "2024-04-01", "death": "", "last_alive": "2024-09-01"}  # fmt: skip
    assert (run(given)["status"], run(given)["adt"]) == ("2", "2024-04-01")


def test_a_table_may_use_the_population_of_another_remission():
    given = facts(endpoint="RFS", variant="CRI", cri="2024-02-01", heme_relapse="2024-04-01")
    assert (run(given)["status"], run(given)["adt"], run(given)["days"]) == ("1", "2024-04-01", 61)


def test_a_row_comes_back_as_it_came_with_the_result_beside_it():
    found = run(facts(id="T1", reason="mine", death="2024-03"))
    assert (found["id"], found["reason"], found["death"]) == ("T1", "mine", "2024-03")
    assert (found["adt"], found["adtf"], found["cnsr"]) == ("2024-03-15", "D", 0)
    assert found["explanation"] == "Event: death on 2024-03-15, day 66 from enrolment 2024-01-10 (day imputed)."


def test_it_reads_and_writes_plain_csv():
    text = "trial,endpoint,enrol,death,last_alive\n000,OS,2024-01-10,,2024-02-01\n000,OS\n"
    found = list(ENGINE.table.evaluate_rows(ENGINE.studies, csv.DictReader(io.StringIO(text))))
    assert [row["status"] for row in found] == ["0", "NA"]


def test_a_landmark_or_a_gap_that_is_given_is_no_contact():
    given = facts(no_cr="2024-04-05", gap="2024-04-05", last_alive="2024-02-01", cutoff="2024-04-01")
    assert (run(given)["status"], run(given)["adt"]) == ("0", "2024-02-01")


@pytest.mark.parametrize(
    ("event", "last_da", "expected"),
    [
        ("", "2024-10-10", ("0", "2024-10-10")),  # no event fell into the gap
        ("2024-09-01", "2024-09-01", ("0", "2024-01-10")),  # the event ended it
        ("2024-11-01", "2024-10-10", ("1", "2024-11-01")),  # assessed again before the event
        ("2024-11-01", "2024-05-01", ("0", "2024-05-01")),
        ("2024-06-01", "2024-06-01", ("1", "2024-06-01")),
    ],
)
def test_a_gap_that_is_given_censors_only_the_event_in_it(event, last_da, expected):
    given = facts(endpoint="RFS", variant="GAP", cr="2024-01-10", heme_relapse=event, gap="2024-07-10", last_da=last_da)
    assert (run(given)["status"], run(given)["adt"]) == expected


def test_the_cut_off_is_no_imputed_day():
    found = run(facts(last_alive="2026-08", cutoff="2026-06-30"))
    assert (found["status"], found["adt"], found["adtf"]) == ("0", "2026-06-30", "")


def test_the_day_of_contact_up_to_a_horizon_is_told_with_what_proves_it():
    given = {"trial": "001", "endpoint": "AG24D100", "hsct": "2024-03-01", "agvhd2_4": "", "heme_relapse": "", "death": "",
             "progression": "", "second_hsct": "", "cgvhd": "2024-05-20", "last_alive": "2024-05-01"}  # fmt: skip
    found = run(given)
    assert (found["status"], found["adt"]) == ("0", "2024-05-20")
    assert "chronic GVHD" in found["explanation"]


@drawn(
    st.dictionaries(st.sampled_from(["heme_relapse", "death", "cr", "last_da", "last_alive", "failure"]), DAYS),
    DAYS,
    DAYS,
    st.sampled_from(["OS", "EFS", "RFS", "CIR", "NRM"]),
)
def test_an_earlier_cut_off_never_gives_a_longer_follow_up(cells, one, other, endpoint):
    early, late = (
        run(facts(endpoint=endpoint, tx_start="2024-01-12", **cells, cutoff=cutoff)) for cutoff in sorted([one, other])
    )
    if "0" in (early["status"], late["status"]) and {early["status"], late["status"]} <= {"0", "1", "2"}:
        assert early["adt"] <= late["adt"]
