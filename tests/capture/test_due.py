"""What is due, overdue, missed, moved; the work list and the matrix, through the API."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from app.core import clock
from tests.capture.due import scheduled
from tests.trial import Person, Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-02-09", "hb": "97.5"}
D30 = {"target": "2024-02-09", "opens": "2024-02-02", "closes": "2024-02-16"}
HELD = {"done": "Y", "svdat": "2024-02-09", "visit_mode": "SITE"}


@pytest.fixture
def due(trial: Trial, tmp_path: Path) -> Trial:
    """The trial at both sites under the version with a schedule."""
    publish(trial.database, scheduled(tmp_path / "forms"))
    for site in ("HZ01", "HZ02"):
        body = {"version": 2, "approved_on": "2024-01-01", "reason": "Approved"}
        assert trial.builder.call("PUT", f"/sites/{site}/version", json=body).status_code == 204
    return trial


def enrolled(trial: Trial, **more: Any) -> str:
    subject = trial.nurse.subject(**more)
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    return subject


def cells(person: Person, subject: str, on: str, **query: Any) -> dict[str, dict[str, Any]]:
    answer = person.get("/matrix", params={"on": on} | query)
    assert answer.status_code == 200, answer.text
    [row] = [each for each in answer.json()["items"] if each["subject"] == subject]
    return dict(row["cells"])


def statuses(person: Person, subject: str, on: str) -> dict[str, str]:
    return {visit: cell["status"] for visit, cell in cells(person, subject, on).items()}


def tasks(person: Person, on: str, **query: Any) -> list[tuple[str, str, str | None, str | None]]:
    answer = person.get("/worklist", params={"on": on} | query)
    assert answer.status_code == 200, answer.text
    return [
        (each["subject"], task["task"], task["visit"], task["form"])
        for each in answer.json()["items"]
        for task in each["tasks"]
    ]


# ---------------------------------------------------------------- one visit from expected to overdue


def test_a_visit_is_expected_then_due_then_overdue_until_something_is_entered(due: Trial) -> None:
    subject = enrolled(due)
    days = ("2024-02-01", "2024-02-02", "2024-02-16", "2024-02-17")
    assert [statuses(due.nurse, subject, day)["D30"] for day in days] == ["expected", "due", "due", "overdue"]
    assert tasks(due.nurse, "2024-02-01", task=["due", "overdue"]) == [
        (subject, "due", "SCR", "arm"), (subject, "due", "SCR", "labs")
    ]  # fmt: skip
    assert (subject, "due", "D30", "labs") in tasks(due.nurse, "2024-02-02")
    answer = due.nurse.get("/worklist", params={"on": "2024-02-20", "task": "overdue"}).json()
    assert answer["items"][0]["tasks"] == [
        {
            "task": "overdue", "visit": "D30", "form": form, "label": label, "target": "2024-02-09",
            "closes": "2024-02-16", "days_late": 4, "queries": 0,
        }
        for form, label in (("visit", "Visit"), ("labs", "Laboratory"))
    ]  # fmt: skip
    due.nurse.enter(subject, "D30", "visit", HELD)
    assert statuses(due.nurse, subject, "2024-02-20")["D30"] == "incomplete"
    due.nurse.enter(subject, "D30", "labs", LABS, complete=False)
    assert cells(due.nurse, subject, "2024-02-20")["D30"] == {
        "status": "incomplete", **D30, "owed": 1, "queries": 0, "to_sign": 1,
        "held_on": "2024-02-09", "days_out": 0,
    }  # fmt: skip
    assert tasks(due.nurse, "2024-02-20", task="incomplete") == [(subject, "incomplete", "D30", "labs")]
    due.nurse.enter(subject, "D30", "labs", LABS, revision=1)
    assert statuses(due.nurse, subject, "2024-02-20")["D30"] == "complete"
    assert {each[1] for each in tasks(due.nurse, "2024-02-20") if each[2] == "D30"} == {"to_sign"}


def test_the_casebook_tells_the_same(due: Trial) -> None:
    subject = enrolled(due)
    due.nurse.enter(subject, "D30", "visit", HELD | {"svdat": "2024-02-19"})
    found = due.nurse.get(f"/subjects/{subject}/casebook", params={"on": "2024-02-20"}).json()
    [visit] = [each for each in found["visits"] if each["visit"] == "D30"]
    assert {name: visit[name] for name in ("status", "held", "held_on", "days_out", "missed", *D30)} == {
        "status": "incomplete", "held": True, "held_on": "2024-02-19", "days_out": 3, "missed": None, **D30,
    }  # fmt: skip
    assert cells(due.nurse, subject, "2024-02-20")["D30"]["days_out"] == 3


@pytest.mark.parametrize(("day", "out"), [("2024-02-01", -1), ("2024-02-02", 0), ("2024-02-16", 0), ("2024-02-18", 2)])
def test_a_visit_outside_its_window_says_by_how_many_days(due: Trial, day: str, out: int) -> None:
    subject = enrolled(due)
    due.nurse.enter(subject, "D30", "visit", HELD | {"svdat": day})
    assert cells(due.nurse, subject, "2024-03-01")["D30"]["days_out"] == out


def test_a_visit_that_was_not_held_has_its_reason_and_is_overdue_no_longer(due: Trial) -> None:
    subject = enrolled(due)
    due.nurse.enter(subject, "D30", "visit", {"done": "N", "reason_missed": "TRAVEL"})
    cell = cells(due.nurse, subject, "2024-03-01")["D30"]
    assert (cell["status"], cell["owed"], cell["missed"]) == (
        "missed", 0, {"reason": "TRAVEL", "label": "Could not travel to the site"},
    )  # fmt: skip
    assert "missed" not in cells(due.sponsor, subject, "2024-03-01")["D30"]
    assert [each for each in tasks(due.nurse, "2024-03-01") if each[1:3] == ("overdue", "D30")] == []
    found = due.nurse.get(f"/subjects/{subject}/casebook", headers={"Accept-Language": "zh"}).json()
    [visit] = [each for each in found["visits"] if each["visit"] == "D30"]
    assert (visit["status"], visit["missed"]["label"]) == ("missed", "无法到达研究中心")


def test_a_visit_that_was_not_held_has_no_day_whatever_was_left_behind(due: Trial) -> None:
    subject = enrolled(due)
    page = {"done": "N", "reason_missed": "TRAVEL", "svdat": "2024-02-18"}
    saved = due.nurse.enter(subject, "D30", "visit", page, complete=False)
    assert "left_behind" in {each["rule"] for each in saved["findings"]}
    cell = cells(due.nurse, subject, "2024-03-01")["D30"]
    assert (cell["status"], cell["held_on"], cell["days_out"]) == ("missed", None, 0)


def test_today_is_that_of_the_site(due: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late in the evening in London it is the next day in Shanghai, where the window has closed."""
    subject = enrolled(due)
    now = datetime(2024, 2, 16, 23, 30, tzinfo=ZoneInfo("Europe/London"))
    token = due.nurse.get("/api/v1/me").status_code
    assert token == 200
    monkeypatch.setattr("app.capture.due.cohort.clock", type("At", (), {"now": staticmethod(lambda: now)}))
    [row] = due.nurse.get("/matrix").json()["items"]
    assert (row["on"], row["cells"]["D30"]["status"], row["subject"]) == ("2024-02-17", "overdue", subject)


# ---------------------------------------------------------------- conditions


def test_a_page_is_due_because_of_an_answer_on_another_page_of_the_visit(due: Trial) -> None:
    subject = enrolled(due)
    due.nurse.enter(subject, "D30", "visit", HELD)
    due.nurse.enter(subject, "D30", "labs", LABS | {"anc": "0.6"})
    assert statuses(due.nurse, subject, "2024-02-10")["D30"] == "complete"
    saved = due.nurse.enter(subject, "D30", "labs", LABS | {"anc": "0.4"}, revision=1, reason="Misread")
    assert saved["visits_moved"] == [
        {
            "visit": "D30",
            "before": {"target": "2024-02-09", "opens": "2024-02-02", "closes": "2024-02-16"},
            "after": {"target": "2024-02-09", "opens": "2024-02-02", "closes": "2024-02-16"},
            "due": ["response"],
            "no_longer_due": [],
        }
    ]
    assert statuses(due.nurse, subject, "2024-02-10")["D30"] == "incomplete"
    assert (subject, "overdue", "D30", "response") in tasks(due.nurse, "2024-02-20")
    due.nurse.enter(subject, "D30", "response", {"assess_date": "2024-02-09", "response": "NR"})
    assert statuses(due.nurse, subject, "2024-02-10")["D30"] == "complete"


def test_a_page_is_due_because_of_an_answer_at_another_visit_and_a_visit_because_of_the_arm(due: Trial) -> None:
    subject = enrolled(due)
    assert "T90" not in cells(due.nurse, subject, "2024-04-09")
    saved = due.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"})
    assert [(each["visit"], each["before"], each["after"]["target"]) for each in saved["visits_moved"]] == [
        ("T90", None, "2024-04-09")
    ]
    assert cells(due.nurse, subject, "2024-04-09")["T90"]["owed"] == 1
    saved = due.nurse.enter(subject, "UNS", "labs", LABS | {"transfused": "Y", "units_given": 2})
    assert [(each["visit"], each["due"]) for each in saved["visits_moved"]] == [("T90", ["response"])]
    assert cells(due.nurse, subject, "2024-04-09")["T90"]["owed"] == 2
    saved = due.nurse.enter(
        subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "B"}, revision=1, reason="Misread"
    )
    assert [(each["visit"], each["after"]) for each in saved["visits_moved"]] == [("T90", None)]
    assert "T90" not in cells(due.nurse, subject, "2024-04-09")


# ---------------------------------------------------------------- anchors that move, happen again, end


def test_an_anchor_that_is_corrected_moves_its_visits_and_the_save_says_which(due: Trial) -> None:
    subject = enrolled(due)
    corrected = CONSENT | {"enrol_date": "2024-01-20"}
    path = f"/subjects/{subject}/visits/SCR/forms/consent"
    told = due.nurse.post(path + "/validate", {"answers": corrected}).json()["visits_moved"]
    saved = due.nurse.enter(subject, "SCR", "consent", corrected, revision=1, reason="Misread")
    later = {name: str(date.fromisoformat(day) + timedelta(days=10)) for name, day in D30.items()}
    assert saved["visits_moved"] == [{"visit": "D30", "before": D30, "after": later, "due": [], "no_longer_due": []}]
    assert told == saved["visits_moved"]
    assert cells(due.nurse, subject, "2024-02-12")["D30"]["opens"] == later["opens"]
    again = due.nurse.enter(subject, "SCR", "consent", corrected | {"note": "x"}, revision=2, reason="Remark")
    assert again["visits_moved"] == []
    struck = due.nurse.post(path + "/void", {"reason": "Wrong subject"}, headers={"If-Match": '"3"'})
    assert [(each["visit"], each["after"]) for each in struck.json()["visits_moved"]] == [("D30", None)]


def test_a_second_occurrence_begins_the_schedule_anew_and_its_void_takes_it_back(due: Trial) -> None:
    subject = enrolled(due)
    first = due.nurse.enter(subject, "UNS", "response", {"assess_date": "2024-02-01", "response": "CR"})
    assert [(each["visit"], each["after"]["target"]) for each in first["visits_moved"]] == [("CR30", "2024-03-02")]
    second = due.nurse.enter(subject, "UNS.2", "response", {"assess_date": "2024-02-20", "response": "CR"})
    assert [(each["visit"], each["after"] and each["after"]["target"]) for each in second["visits_moved"]] == [
        ("CR30.2", "2024-03-21"), ("CR2", "2024-02-27"), ("CR30", None),
    ]  # fmt: skip
    assert statuses(due.nurse, subject, "2024-03-21") | {"SCR": "", "D30": "", "UNS": "", "UNS.2": ""} == {
        "SCR": "", "D30": "", "CR30.2": "due", "CR2": "overdue", "UNS": "", "UNS.2": "",
    }  # fmt: skip
    due.nurse.enter(subject, "CR30.2", "visit", HELD | {"svdat": "2024-03-21"})
    assert due.nurse.save(subject, "D30.2", "visit", HELD).status_code == 404
    path = f"/subjects/{subject}/visits/UNS.2/forms/response/void"
    struck = due.nurse.post(path, {"reason": "Other patient"}, headers={"If-Match": '"1"'}).json()
    assert {each["visit"]: each["after"] and each["after"]["target"] for each in struck["visits_moved"]} == {
        "CR30": "2024-03-02", "CR30.2": None, "CR2": None,
    }  # fmt: skip
    found = cells(due.nurse, subject, "2024-03-02")
    assert (found["CR30"]["status"], found["CR30.2"]["status"], found["CR30.2"]["target"]) == ("due", "complete", None)


def test_nothing_is_expected_after_death(due: Trial) -> None:
    subject = enrolled(due)
    due.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"})
    saved = due.nurse.enter(subject, "LOG", "death", {"death_date": "2024-03-01"})
    assert [(each["visit"], each["after"]) for each in saved["visits_moved"]] == [("T90", None)]
    assert statuses(due.nurse, subject, "2025-01-01") == {
        "SCR": "incomplete", "D30": "overdue", "UNS": "expected", "LOG": "complete"
    }  # fmt: skip


def test_an_unscheduled_visit_owes_its_pages_once_it_is_begun_each_time(due: Trial) -> None:
    subject = enrolled(due)
    assert statuses(due.nurse, subject, "2024-02-01")["UNS"] == "expected"
    due.nurse.enter(subject, "UNS", "labs", LABS)
    due.nurse.enter(subject, "UNS.4", "visit", HELD)
    found = statuses(due.nurse, subject, "2024-02-01")
    assert (found["UNS"], found["UNS.4"]) == ("incomplete", "complete")
    assert (subject, "due", "UNS", "visit") in tasks(due.nurse, "2024-02-01")


# ---------------------------------------------------------------- queries, sites, pages of the list


def test_queries_stand_where_their_pages_are(due: Trial) -> None:
    subject = enrolled(due)
    due.nurse.enter(subject, "D30", "labs", LABS | {"hb": "10"})
    assert cells(due.nurse, subject, "2024-02-10")["D30"]["queries"] == 1
    assert tasks(due.nurse, "2024-02-10", task="queried") == [(subject, "queried", "D30", "labs")]
    [query] = due.nurse.get("/queries").json()["items"]
    answered = due.nurse.post(f"/queries/{query['query']}/answer", {"text": "Checked with the laboratory"})
    assert answered.status_code == 200, answered.text
    assert tasks(due.nurse, "2024-02-10", task=["queried", "answered"]) == [(subject, "answered", "D30", "labs")]
    [row] = due.manager.get("/matrix", params={"on": "2024-02-10"}).json()["items"]
    assert (row["queries"], row["cells"]["D30"]["queries"]) == (1, 1)


def test_everybody_sees_the_subjects_of_their_sites(due: Trial) -> None:
    one = enrolled(due)
    two = due.nurse2.subject("HZ02")
    due.nurse2.enter(two, "SCR", "consent", CONSENT)

    def seen(who: str, path: str, **query: Any) -> list[str]:
        return [
            each["subject"] for each in due.cast[who].get(path, params={"on": "2024-03-01"} | query).json()["items"]
        ]

    for path in ("/matrix", "/worklist"):
        assert (seen("nurse", path), seen("nurse2", path)) == ([one], [two])
        assert seen("manager", path) == seen("sponsor", path) == [one, two]
        assert seen("manager", path, site="HZ02") == [two]
        assert due.nurse.get(path, params={"site": "HZ02"}).status_code == 404
        assert due.builder.get(path).status_code == 403
        assert due.stranger.get(path).status_code == 404
        assert due.nurse.get(path, params={"on": "2024"}).status_code == 422
    assert due.nurse.get("/worklist", params={"task": "all"}).status_code == 422


def test_the_lists_go_page_by_page_over_subjects(due: Trial) -> None:
    numbers = [enrolled(due, number=f"S-{number}") for number in range(5)]
    for path in ("/matrix", "/worklist"):
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2, "on": "2024-03-01"}
        while True:
            page = due.nurse.get(path, params=query).json()
            seen += [each["subject"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == numbers
    assert [each["visit"] for each in due.nurse.get("/matrix").json()["visits"]] == [
        "SCR", "D30", "T90", "CR30", "CR2", "UNS", "LOG",
    ]  # fmt: skip


def test_a_cursor_belongs_to_its_list_its_day_and_its_tasks(due: Trial) -> None:
    for number in range(3):
        enrolled(due, number=f"S-{number}")
    query: dict[str, Any] = {"limit": 2, "on": "2024-03-01"}
    matrix, worklist = (due.nurse.get(path, params=query).json()["next_cursor"] for path in ("/matrix", "/worklist"))
    for path, cursor, other in (
        ("/worklist", matrix, {}),
        ("/matrix", worklist, {}),
        ("/matrix", matrix, {"on": "2024-03-02"}),
        ("/worklist", worklist, {"task": "due"}),
    ):
        answer = due.nurse.get(path, params=query | {"cursor": cursor} | other)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


def test_a_site_under_the_older_version_keeps_its_own_schedule(trial: Trial, tmp_path: Path) -> None:
    """No page says whether a visit was held, and none has to."""
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    publish(trial.database, scheduled(tmp_path / "forms"))
    assert cells(trial.nurse, subject, "2024-02-10")["D30"]["owed"] == 2
    trial.nurse.enter(subject, "D30", "labs", LABS)
    trial.nurse.enter(subject, "D30", "response", {"assess_date": "2024-02-09", "response": "NR"})
    assert statuses(trial.nurse, subject, "2024-02-10") == {"SCR": "incomplete", "D30": "complete"}


@pytest.mark.parametrize("path", ["/matrix", "/worklist"])
def test_the_number_of_statements_is_the_same_however_much_there_is(due: Trial, path: str) -> None:
    def statements() -> int:
        seen: list[str] = []

        def note(*given: Any) -> None:
            seen.append(given[2])

        event.listen(due.database.engine, "before_cursor_execute", note)
        try:
            assert due.nurse.get(path, params={"on": "2024-03-01"}).status_code == 200
        finally:
            event.remove(due.database.engine, "before_cursor_execute", note)
        return len(seen)

    enrolled(due)
    due.nurse.get(path)  # what is released is read once
    few = statements()
    for _ in range(3):
        subject = enrolled(due)
        for visit in ("D30", "UNS", "UNS.2"):
            due.nurse.enter(subject, visit, "labs", LABS | {"hb": "10"})
            due.nurse.enter(subject, visit, "visit", HELD)
    assert statements() == few
    assert few <= 5


def test_what_is_remembered_of_a_subject_is_what_a_process_that_has_just_begun_would_say(due: Trial) -> None:
    """Whatever changes: a page, its status, its day, an anchor, the arm; a page is struck and brought back."""
    subject, nurse = enrolled(due), due.nurse
    told: list[Any] = []

    def changed() -> None:
        remembered, before = answers(), [*told]
        due.database.kept.clear()
        told[:] = answers()
        assert remembered == told != before

    def answers() -> list[Any]:
        return [nurse.get(path, params={"on": "2024-02-20"}).json() for path in ("/matrix", "/worklist")]

    steps: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("D30", "visit", HELD, {}),
        ("D30", "visit", HELD | {"svdat": "2024-02-18"}, {"revision": 1, "reason": "Misread"}),
        ("D30", "labs", LABS, {"complete": False}),
        ("D30", "labs", LABS | {"anc": "0.6"}, {"revision": 1}),
        ("D30", "labs", LABS | {"anc": "0.4"}, {"revision": 2, "reason": "Misread"}),
        ("SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"}, {}),
        ("SCR", "consent", CONSENT | {"enrol_date": "2024-01-20"}, {"revision": 1, "reason": "Misread"}),
        ("UNS", "response", {"assess_date": "2024-02-01", "response": "CR"}, {}),
    ]
    for visit, form, page, more in steps:
        nurse.enter(subject, visit, form, page, **more)
        changed()
    struck = f"/subjects/{subject}/visits/D30/forms/labs/void"
    assert nurse.post(struck, {"reason": "Other patient"}, headers={"If-Match": '"3"'}).status_code == 200
    changed()
    nurse.enter(subject, "D30", "labs", LABS, revision=4, reason="This patient after all")
    changed()


def test_the_clock_is_one(due: Trial) -> None:
    subject = enrolled(due)
    today = clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    rows = due.nurse.get("/matrix").json()["items"]
    assert [(row["subject"], row["on"]) for row in rows] == [(subject, today)]
