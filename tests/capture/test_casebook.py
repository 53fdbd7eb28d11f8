"""The casebook as a whole, and saves that meet each other in it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from app.capture.anew.derive import put_in_force
from app.core.transaction import see_all
from app.subjects import enrol
from tests.stories.amendment import amended
from tests.trial import API, SYSTEM, Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-01-09", "hb": "97.5"}


def test_status_is_moved_by_records_alone(trial: Trial):
    subject = trial.nurse.subject()

    def status() -> str:
        return str(trial.nurse.get(f"/subjects/{subject}/casebook").json()["status"])

    assert status() == "screening"
    trial.nurse.enter(subject, "SCR", "consent", {"consent_date": "2024-01-05"})
    assert status() == "consented"
    trial.nurse.enter(subject, "SCR", "consent", CONSENT, revision=1, reason="Enrolled")
    assert status() == "enrolled"
    trial.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"})
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-06"})
    assert status() == "dead"
    trial.nurse.post(
        f"/subjects/{subject}/visits/LOG/forms/death/void", {"reason": "Other patient"}, headers={"If-Match": '"1"'}
    )
    assert status() == "randomised"


def test_the_casebook_is_one_answer_with_a_constant_number_of_statements(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"})
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    book = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    few = len(statements)
    for number in range(1, 8):
        trial.nurse.enter(subject, f"UNS.{number}", "labs", LABS | {"hb": "10"})
        trial.nurse.enter(subject, "LOG", f"ae.{number}", {"term": "Fever"})
    statements.clear()
    full = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    assert len(statements) == few <= 8
    visits = {each["visit"]: each for each in book["visits"]}
    assert (visits["D30"]["target"], visits["D30"]["opens"], visits["D30"]["closes"]) == (
        "2024-02-09",
        "2024-02-02",
        "2024-02-16",
    )
    assert "T90" in visits
    assert {form["form"]: form["status"] for form in visits["SCR"]["forms"]} == {
        "consent": "complete",
        "arm": "complete",
        "labs": "not_started",
    }
    assert {each["visit"] for each in full["visits"]} == {
        "SCR", "D30", "T90", "LOG", *("UNS" if n == 1 else f"UNS.{n}" for n in range(1, 8)),
    }  # fmt: skip
    assert len(full["pages"]) == 2 + 14


def test_a_save_takes_at_most_twelve_statements_however_full_the_casebook(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    counts = []
    for number in range(1, 6):
        statements.clear()
        trial.nurse.enter(subject, f"UNS.{number}", "labs", {"sample_date": f"2024-02-0{number}", "hb": "10"})
        counts.append(len(statements))
    assert max(counts) <= 12
    assert len(set(counts)) == 1


def test_transfer_moves_the_subject_and_nothing_else(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    assert trial.nurse.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved"}).status_code == 403
    moved = trial.manager.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved house"})
    assert moved.json()["site_id"] == "HZ02"
    assert trial.nurse.get(f"/subjects/{subject}/casebook").status_code == 404
    assert trial.nurse2.get(f"/subjects/{subject}/casebook").json()["subject"] == subject
    assert trial.manager.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Again"}).status_code == 409
    trial.verified()


def test_another_sites_subject_answers_as_one_that_is_not_there(trial: Trial):
    theirs = trial.nurse2.subject("HZ02")
    trial.nurse2.enter(theirs, "SCR", "consent", CONSENT)
    for path in (
        "/subjects/{}/casebook",
        "/subjects/{}/visits/SCR/forms/consent",
        "/subjects/{}/visits/SCR/forms/consent/history",
        "/subjects/{}/endpoints",
    ):
        seen = trial.nurse.get(path.format(theirs))
        none = trial.nurse.get(path.format("HZ02-999"))
        assert seen.status_code == none.status_code == 404
        assert seen.json() | {"request_id": ""} == none.json() | {"request_id": ""}
        assert len(seen.content) == len(none.content)
    assert trial.nurse.save(theirs, "SCR", "consent", CONSENT, revision=1).status_code == 404
    assert trial.stranger.get(f"/subjects/{theirs}/casebook").status_code == 404
    assert trial.stranger.get("/subjects").status_code == 404
    assert trial.nurse.get("/subjects").json()["items"] == []


def test_subjects_are_numbered_per_site_and_a_retry_makes_no_second(trial: Trial):
    key = {"Idempotency-Key": "first-subject"}
    made = [trial.nurse.post("/subjects", {"site": "HZ01"}, headers=key) for _ in range(3)]
    assert [(each.status_code, each.json()["subject_id"]) for each in made] == [(201, "HZ01-001")] * 3
    assert trial.nurse.subject() == "HZ01-002"
    assert trial.nurse.subject(number="S-17") == "S-17"
    taken = trial.nurse.post("/subjects", {"site": "HZ01", "number": "S-17"})
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert trial.nurse.post("/subjects", {"site": "HZ02"}).status_code == 404
    listed = trial.nurse.get("/subjects", params={"limit": 2}).json()
    assert [each["subject_id"] for each in listed["items"]] == ["HZ01-001", "HZ01-002"]
    rest = trial.nurse.get("/subjects", params={"limit": 2, "cursor": listed["next_cursor"]}).json()
    assert [each["subject_id"] for each in rest["items"]] == ["S-17"]
    assert trial.nurse.get("/subjects", params={"sort": "password"}).status_code == 422


def test_definitions_are_served_with_a_tag_and_as_schemas(trial: Trial):
    form = trial.nurse.get("/api/v1/forms/labs/versions/1")
    assert form.json()["form"] == "labs"
    tag = {"If-None-Match": form.headers["ETag"]}
    assert trial.nurse.get("/api/v1/forms/labs/versions/1", headers=tag).status_code == 304
    shown = trial.nurse.get("/api/v1/forms/labs/versions/1/json-schema", headers={"Accept-Language": "zh"}).json()
    assert shown["json_schema"]["properties"]["hb"]["title"] == "血红蛋白"
    assert trial.nurse.get("/api/v1/forms/labs/versions/2").status_code == 404
    assert trial.nurse.get(f"{API}/versions/1").json()["study"] == "TRIAL"
    assert [each["site_id"] for each in trial.nurse.get(API).json()["sites"]] == ["HZ01"]
    assert [each["study_id"] for each in trial.stranger.get("/api/v1/studies").json()["items"]] == ["OTHER"]


def test_what_is_derived_does_not_depend_on_the_order_of_entry(trial: Trial):
    """Two pages prove life on one day: the one cited is the same at the save and when all is derived again."""
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "UNS.2", "labs", LABS | {"sample_date": "2024-05-01"})
    trial.nurse.enter(subject, "UNS.1", "labs", LABS | {"sample_date": "2024-05-01"})
    again = trial.manager.post("/derive").json()
    assert again == {"subjects": 1, "deviations": []}


def test_a_page_replaces_one_void_page_of_its_form_once_and_from_its_beginning(trial: Trial):
    wrong, right, third = (trial.nurse.subject() for _ in range(3))
    trial.nurse.enter(wrong, "SCR", "consent", CONSENT)
    page = f"/subjects/{wrong}/visits/SCR/forms/consent"
    trial.nurse.post(page + "/void", {"reason": "Wrong subject"}, headers={"If-Match": '"1"'})
    link = {"subject": wrong, "visit": "SCR", "form": "consent"}
    assert trial.nurse.save(right, "SCR", "labs", LABS, instead_of=link).status_code == 409
    trial.nurse.enter(right, "SCR", "consent", CONSENT, instead_of=link)
    assert trial.nurse.save(third, "SCR", "consent", CONSENT, instead_of=link).status_code == 409
    trial.nurse.enter(third, "SCR", "consent", CONSENT, complete=False)
    assert trial.nurse.save(third, "SCR", "consent", CONSENT, revision=1, instead_of=link).status_code == 409


def test_two_who_swap_pages_between_two_subjects_both_come_through(trial: Trial):
    one, two = trial.nurse.subject(), trial.nurse.subject()
    for subject in (one, two):
        for number in range(1, 5):
            trial.nurse.enter(subject, f"UNS.{number}", "labs", LABS)
            path = f"/subjects/{subject}/visits/UNS.{number}/forms/labs/void"
            trial.nurse.post(path, {"reason": "Swapped"}, headers={"If-Match": '"1"'})

    def swap(way: tuple[str, str, int]) -> int:
        here, there, number = way
        link = {"subject": there, "visit": f"UNS.{number}", "form": "labs"}
        return trial.nurse.save(here, f"UNS.{number + 10}", "labs", LABS, instead_of=link).status_code

    ways = [(here, there, number) for number in range(1, 5) for here, there in ((one, two), (two, one))]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(swap, ways)) == [201] * 8


@pytest.mark.parametrize("reason", ["   ", "\n\t  ", "x"])
def test_a_reason_says_something(trial: Trial, reason: str):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    refused = trial.nurse.save(subject, "SCR", "labs", LABS | {"hb": "80"}, revision=1, reason=reason)
    assert refused.status_code == 422
    path = f"/subjects/{subject}/visits/SCR/forms/labs/void"
    assert trial.nurse.post(path, {"reason": reason}, headers={"If-Match": '"1"'}).status_code == 422


def test_what_was_rolled_back_is_derived_nowhere(trial: Trial):
    """An import corrects a death and fails on a later line; the next correction is what counts."""
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05-01"})
    lines = f"subject,visit,revision,reason,death_date\n{subject},LOG,1,Registry,2024-06-01\nNOBODY,LOG,,,2024-06-01\n"
    refused = trial.nurse.call("POST", "/imports/death", content=lines, headers={"Content-Type": "text/csv"})
    assert refused.status_code == 422
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-07-01"}, revision=1, reason="Registry")
    assert trial.nurse.endpoint(subject, "OS")["adt"] == "2024-07-01"
    book = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    assert book["endpoints"]["OS"]["PRIMARY"]["adt"] == "2024-07-01"


def test_a_save_that_waited_for_another_study_version_is_made_under_it(trial: Trial, tmp_path: Path):
    subject = trial.nurse.subject()
    publish(trial.database, amended(tmp_path / "forms"))
    with ThreadPoolExecutor(2) as pool:
        with trial.database.writing() as session:
            see_all(session)
            enrol.lock(session, "TRIAL", subject)
            waiting = pool.submit(trial.nurse.save, subject, "SCR", "labs", LABS)
            time.sleep(0.5)
            put_in_force(session, SYSTEM, "TRIAL", "HZ01", 2, approved_on=date(2024, 3, 1), reason="Approved")
        assert waiting.result().json()["study_version"] == 2
