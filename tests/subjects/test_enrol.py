"""Who comes into the trial, under which number, and where they go."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.trial import Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


def test_sites_count_their_own_numbers(trial: Trial) -> None:
    assert [trial.nurse.subject() for _ in range(2)] == ["HZ01-001", "HZ01-002"]
    assert trial.nurse2.subject("HZ02") == "HZ02-001"
    made = trial.nurse.post("/subjects", {"site": "HZ01"})
    assert made.headers["Location"] == "/api/v1/studies/TRIAL/subjects/HZ01-003/casebook"
    assert made.json().keys() == {"study_id", "subject_id", "site_id", "status", "created_at"}
    assert trial.nurse.get(made.headers["Location"]).status_code == 200


def test_a_number_that_was_stated_is_jumped_over(trial: Trial) -> None:
    trial.nurse.subject(number="HZ01-002")
    assert [trial.nurse.subject() for _ in range(2)] == ["HZ01-001", "HZ01-003"]


def test_those_who_enrol_at_once_get_numbers_of_their_own(trial: Trial) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: trial.nurse.subject(), range(12)))
    assert sorted(numbers) == [f"HZ01-{number:03d}" for number in range(1, 13)]
    trial.verified()


def test_of_two_who_state_the_same_number_one_gets_it(trial: Trial) -> None:
    def ask(who: str) -> int:
        site = "HZ01" if who == "nurse" else "HZ02"
        return int(trial.cast[who].post("/subjects", {"site": site, "number": "S-1"}).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, ["nurse", "nurse2"])) == [201, 409]
    trial.verified()


@pytest.mark.parametrize("number", ["", "-1", ".1", "S 1", "S/1", "S1\n", "中", "S" * 33, 17, None])
def test_a_number_has_its_form(trial: Trial, number: Any) -> None:
    answer = trial.nurse.post("/subjects", {"site": "HZ01", "number": number})
    assert answer.status_code == (201 if number is None else 422)


def test_nobody_else_enrols_and_no_field_is_slipped_in(trial: Trial) -> None:
    for who, status in (("monitor", 403), ("manager", 403), ("sponsor", 403), ("builder", 403), ("stranger", 404)):
        assert trial.cast[who].post("/subjects", {"site": "HZ01"}).status_code == status, who
    assert trial.doctor.post("/subjects", {"site": "HZ01"}).status_code == 201
    for extra in ({"status": "enrolled"}, {"study_id": "OTHER"}, {"created_at": "2020-01-01T00:00:00Z"}):
        assert trial.nurse.post("/subjects", {"site": "HZ01"} | extra).status_code == 422
    for site in ("HZ02", "HZ99", "NB01"):
        assert trial.nurse.post("/subjects", {"site": site}).status_code == 404


def pages(trial: Trial, between: Any = None, **query: Any) -> list[str]:
    """Every subject of a list read page by page; `between` happens after each page."""
    seen: list[str] = []
    cursor: str | None = None
    while True:
        answer = trial.manager.get("/subjects", params=query | ({} if cursor is None else {"cursor": cursor}))
        assert answer.status_code == 200, answer.text
        seen += [each["subject_id"] for each in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return seen
        if between is not None:
            between()


@pytest.mark.parametrize("sort", ["subject", "-subject", "site", "-site", "created_at", "-created_at"])
def test_a_list_shows_every_subject_once_while_others_come_in(trial: Trial, sort: str) -> None:
    there = [trial.nurse.subject() for _ in range(5)] + [trial.nurse2.subject("HZ02") for _ in range(4)]
    coming = iter(["HZ01", "HZ02", "HZ01"])

    def enrol() -> None:
        site = next(coming, None)
        if site is not None:
            (trial.nurse if site == "HZ01" else trial.nurse2).subject(site)

    seen = pages(trial, enrol, sort=sort, limit=2)
    assert len(seen) == len(set(seen))
    assert set(seen) >= set(there)
    assert len(pages(trial, sort=sort, limit=5)) == 12


def test_a_list_is_narrowed_to_a_site_and_a_status(trial: Trial) -> None:
    first, second = trial.nurse.subject(), trial.nurse.subject()
    other = trial.nurse2.subject("HZ02")
    trial.nurse.enter(second, "SCR", "consent", CONSENT)
    assert pages(trial, site="HZ01") == [first, second]
    assert pages(trial, status="enrolled") == [second]
    assert pages(trial, status="screening") == [first, other]
    assert pages(trial, status="screening", site="HZ02") == [other]
    assert trial.nurse.get("/subjects", params={"site": "HZ02"}).status_code == 404


def test_a_cursor_of_another_list_or_a_made_up_one_is_refused(trial: Trial) -> None:
    for _ in range(3):
        trial.nurse.subject()
    cursor = trial.nurse.get("/subjects", params={"limit": 1}).json()["next_cursor"]
    for query in ({"sort": "-subject"}, {"status": "screening"}, {"site": "HZ01"}):
        refused = trial.nurse.get("/subjects", params={"cursor": cursor} | query)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid-cursor"), query
    for made_up in ("x", cursor[:-4], "e30", "bnVsbA", "%00"):
        assert trial.nurse.get("/subjects", params={"cursor": made_up}).status_code in {400, 422}, made_up


def test_a_subject_is_moved_with_its_casebook_and_the_reason_is_kept(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    before = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    path = f"/subjects/{subject}/transfer"
    for body in ({"site": "HZ02"}, {"site": "HZ02", "reason": "x"}, {"site": "HZ02", "reason": "Moved", "status": "x"}):
        assert trial.manager.post(path, body).status_code == 422
    assert trial.manager.post(path, {"site": "HZ09", "reason": "Moved house"}).status_code == 404
    assert trial.manager.post("/subjects/HZ01-999/transfer", {"site": "HZ02", "reason": "Moved"}).status_code == 404
    moved = trial.manager.post(path, {"site": "HZ02", "reason": "Moved house"})
    assert (moved.status_code, moved.json()["site_id"], moved.json()["status"]) == (200, "HZ02", "enrolled")
    after = trial.nurse2.get(f"/subjects/{subject}/casebook").json()
    assert {name: after[name] for name in after if name != "site"} == {
        name: before[name] for name in before if name != "site"
    }
    trial.nurse2.enter(subject, "UNS", "labs", {"sample_date": "2024-03-01", "hb": "100"})
    assert trial.nurse.save(subject, "UNS.2", "labs", {"sample_date": "2024-03-01", "hb": "1"}).status_code == 404
    entry = trial.manager.get("/audit", params={"action": "subject.transfer"}).json()["items"][0]
    assert (entry["reason"], entry["detail"], entry["site_id"]) == ("Moved house", {"from": "HZ01"}, "HZ02")
    assert trial.nurse.subject() == "HZ01-002"
    trial.verified()
