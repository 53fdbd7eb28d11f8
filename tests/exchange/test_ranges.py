"""Limits of normal: a data manager's table, and the grades that hang on it."""

from typing import Any

import pytest

from app.core import clock
from app.core.transaction import see
from app.derivations.derive import derived
from app.exchange.ranges import import_ranges
from tests.trial import SYSTEM, Trial

HEAD = "laboratory,analyte,unit,sex,age_from,age_to,valid_from,valid_to,low,high\n"
MEN, WOMEN = "LOCAL,ALT,U/L,M,18,,2023-01-01,,,50\n", "LOCAL,ALT,U/L,F,18,,2023-01-01,,,40\n"
ALT = {"sample_date": "2024-02-01", "laboratory": "LOCAL", "alt": "190"}


def put(trial: Trial, text: str, who: str = "keeper", site: str = "HZ01") -> Any:
    return trial.cast[who].call(
        "PUT", f"/sites/{site}/ranges", content=text.encode(), params={"reason": "New analyser"},
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip


def graded(trial: Trial, subject: str, visit: str = "SCR") -> tuple[Any, list[str]]:
    told = trial.coordinator.get(f"/subjects/{subject}/visits/{visit}/forms/labs").json()
    return told["computed"].get("alt_grade"), told["working"].get("alt_ctcae", {}).get("flags", [])


def test_a_value_without_limits_is_not_graded_and_says_why(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    saved = rules_trial.coordinator.enter(subject, "SCR", "labs", ALT)
    assert saved["computed"] == {"alt_grade": "NE"}
    assert "RANGE_MISSING" in saved["working"]["alt_ctcae"]["flags"]
    assert [each["rule"] for each in saved["findings"]] == ["check:no_grade"]


def test_a_table_grades_what_is_there_by_sex_and_age_and_pages_stay_as_they_are(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    before = rules_trial.coordinator.enter(subject, "SCR", "labs", ALT)
    stored = put(rules_trial, HEAD + MEN + WOMEN)
    assert stored.status_code == 200, stored.text
    assert [line["high"] for line in stored.json()["items"]] == ["50", "40"]
    assert graded(rules_trial, subject)[0] == "NE"  # neither sex nor age is known
    rules_trial.coordinator.enter(subject, "SCR", "person", {"sex": "M", "birth_date": "1980-05-05"})
    assert graded(rules_trial, subject)[0] == "2"  # 190 is 3.8 times 50
    rules_trial.coordinator.enter(
        subject, "SCR", "person", {"sex": "F", "birth_date": "1980-05-05"}, revision=1, reason="Misread"
    )
    assert graded(rules_trial, subject)[0] == "2"
    put(rules_trial, HEAD + "LOCAL,ALT,ukat/L,,,,,,,0.5\n")
    assert graded(rules_trial, subject)[0] == "3"  # 190 is 6.3 times 30
    after = rules_trial.coordinator.get(f"/subjects/{subject}/visits/SCR/forms/labs").json()
    assert (after["revision"], after["saved_at"]) == (before["revision"], before["saved_at"])
    assert after["findings"] == []
    rules_trial.verified()


def test_limits_printed_on_the_report_go_first(rules_trial: Trial):
    put(rules_trial, HEAD + "LOCAL,ALT,U/L,,,,,,,50\n")
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "labs", ALT | {"alt_uln": "30"})
    assert graded(rules_trial, subject)[0] == "3"


def test_the_laboratory_and_the_day_choose_the_line(rules_trial: Trial):
    put(rules_trial, HEAD + ",ALT,U/L,,,,,2023-12-31,,20\n,ALT,U/L,,,,2024-01-01,,,100\nOTHER,ALT,U/L,,,,,,,30\n")
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "labs", ALT)
    assert graded(rules_trial, subject)[0] == "1"
    rules_trial.coordinator.enter(subject, "UNS", "labs", ALT | {"laboratory": "OTHER"})
    assert graded(rules_trial, subject, "UNS")[0] == "3"
    rules_trial.coordinator.enter(subject, "UNS.2", "labs", ALT | {"sample_date": "2023-12-31"})
    assert graded(rules_trial, subject, "UNS.2")[0] == "3"


def test_an_abnormal_baseline_is_read_from_the_page_before_the_graft(rules_trial: Trial):
    put(rules_trial, HEAD + ",ALT,U/L,,,,,,,50\n")
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "labs", ALT | {"sample_date": "2024-01-20", "alt": "100"})
    rules_trial.coordinator.enter(subject, "D30", "labs", ALT | {"sample_date": "2024-03-01"})
    assert graded(rules_trial, subject, "D30")[0] == "2"
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    grade, _ = graded(rules_trial, subject, "D30")
    assert grade == "1"  # 1.9 times an abnormal baseline
    told = rules_trial.coordinator.get(f"/subjects/{subject}/visits/D30/forms/labs").json()
    assert told["working"]["alt_ctcae"]["facts"] == {"alt_baseline": ["SCR/labs#1"]}


def test_earlier_tables_stay_under_their_numbers(rules_trial: Trial):
    put(rules_trial, HEAD + MEN)
    put(rules_trial, HEAD + WOMEN)
    now = rules_trial.reader.get("/sites/HZ01/ranges").json()
    then = rules_trial.reader.get("/sites/HZ01/ranges", params={"number": 1}).json()
    assert (now["number"], now["in_force"], now["items"][0]["sex"]) == (2, 2, "F")
    assert (then["number"], then["in_force"], then["items"][0]["sex"]) == (1, 2, "M")
    assert rules_trial.reader.get("/sites/HZ01/ranges", params={"number": 3}).status_code == 404


def test_as_of_an_instant_the_table_counts_that_held_then(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    instants = [clock.now()]
    for table in (MEN, WOMEN):
        put(rules_trial, HEAD + table)
        instants.append(clock.now())
    with rules_trial.database.reading() as session:
        see(session, "RULES")
        found = [next(derived(session, "RULES", subject_id=subject, as_of=each)) for each in (*instants, None)]
    assert [each.subject["ranges"] for each in found] == [None, 1, 2, 2]


def test_as_of_an_instant_the_tables_of_the_site_count_where_the_subject_was(rules_trial: Trial):
    subject = rules_trial.coordinator.subject("HZ01")
    put(rules_trial, HEAD + MEN)
    instants = []
    for site in ("HZ02", "HZ01", "HZ02"):
        instants.append(clock.now())
        moved = {"site": site, "reason": "Moved house"}
        assert rules_trial.cast["keeper"].post(f"/subjects/{subject}/transfer", moved).status_code == 200
    with rules_trial.database.reading() as session:
        see(session, "RULES")
        found = [next(derived(session, "RULES", subject_id=subject, as_of=each)) for each in (*instants, None)]
    assert [(each.subject["site_id"], each.subject["ranges"]) for each in found] == [
        ("HZ01", 1), ("HZ02", None), ("HZ01", 1), ("HZ02", None),
    ]  # fmt: skip


def test_after_a_transfer_the_limits_of_the_new_site_hold_whatever_their_number(rules_trial: Trial):
    put(rules_trial, HEAD + "LOCAL,ALT,U/L,,,,,,,50\n", site="HZ01")
    put(rules_trial, HEAD + "LOCAL,ALT,U/L,,,,,,,30\n", site="HZ02")
    subject = rules_trial.coordinator.subject("HZ01")
    rules_trial.coordinator.enter(subject, "SCR", "labs", ALT)
    assert graded(rules_trial, subject)[0] == "2"  # 190 is 3.8 times 50
    moved = {"site": "HZ02", "reason": "Moved house"}
    assert rules_trial.keeper.post(f"/subjects/{subject}/transfer", moved).status_code == 200
    assert graded(rules_trial, subject)[0] == "3"  # and 6.3 times 30
    rules_trial.database.kept.clear()
    assert rules_trial.keeper.post("/derive").json()["deviations"] == []


def test_a_table_that_was_undone_leaves_nothing_to_the_one_that_gets_its_number(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "labs", ALT)
    with rules_trial.database.supposing() as session:
        see(session, "RULES")
        table = (HEAD + "LOCAL,ALT,U/L,,,,,,,50\n").encode()
        import_ranges(session, SYSTEM, "RULES", "HZ01", table, reason="The connection will break")
    assert put(rules_trial, HEAD + "LOCAL,ALT,U/L,,,,,,,30\n").json()["number"] == 1
    assert graded(rules_trial, subject)[0] == "3"
    rules_trial.database.kept.clear()
    assert rules_trial.keeper.post("/derive").json()["deviations"] == []
    rules_trial.verified()


@pytest.mark.parametrize(
    ("lines", "pointers"),
    [
        ("LOCAL,AST,U/L,,,,,,,40\n", {"/lines/2/analyte"}),
        ("LOCAL,ALT,mg/dL,,,,,,,40\n", {"/lines/2/unit"}),
        ("LOCAL,ALT,U/L,X,,,,,,40\n", {"/lines/2/sex"}),
        ("LOCAL,ALT,U/L,,18,x,,,,40\n", {"/lines/2/age_to"}),
        ("LOCAL,ALT,U/L,,18,17,,,,40\n", {"/lines/2/age_to"}),
        (f"LOCAL,ALT,U/L,,{'9' * 5000},,,,,40\n", {"/lines/2/age_from"}),
        ("LOCAL,ALT,U/L,,151,,,,,40\n", {"/lines/2/age_from"}),
        ("LOCAL,ALT,U/L,,,,2024-02-30,,,40\n", {"/lines/2/valid_from"}),
        ("LOCAL,ALT,U/L,,,,,,,\n", {"/lines/2/low"}),
        ("LOCAL,ALT,U/L,,,,,,50,40\n", {"/lines/2/high"}),
        ("LOCAL,ALT,U/L,,,,,,,1e99\n", {"/lines/2/high", "/lines/2/low"}),
        (MEN + "LOCAL,ALT,U/L,,40,50,,,,40\n", {"/lines/3/analyte"}),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_nothing_is_stored(rules_trial: Trial, lines: str, pointers: set[str]):
    refused = put(rules_trial, HEAD + lines)
    assert refused.status_code == 422, refused.text
    assert {each["pointer"] for each in refused.json()["errors"]} == pointers
    assert rules_trial.reader.get("/sites/HZ01/ranges").json() == {"number": None, "in_force": None, "items": []}


def test_only_a_data_manager_keeps_the_table(rules_trial: Trial):
    assert put(rules_trial, HEAD + MEN, who="coordinator").status_code == 403
    assert put(rules_trial, HEAD + MEN, who="reader").status_code == 403
    assert rules_trial.nurse.get("/api/v1/studies/RULES/sites/HZ01/ranges").status_code == 404
