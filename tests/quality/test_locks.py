"""Locks as people meet them: each cell of the table, each scope, two persons, and what a refusal says."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import event, text

from app.core.transaction import see_all
from app.models.marks import LockState
from app.quality.locks.act import TRANSITIONS, Action
from app.subjects import enrol
from tests.stories.amendment import amended
from tests.trial import Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-01-09", "hb": "97.5", "drugs": [{"drug": "A"}, {"drug": "B"}]}
WHY = "Data are clean"
LEADS = {
    LockState.OPEN: ("freeze", "unfreeze"),
    LockState.FROZEN: ("freeze",),
    LockState.LOCKED: ("lock",),
    LockState.HARD_LOCKED: ("lock", "hard_lock"),
}


def close(trial: Trial, action: str, who: str = "manager", **scope: Any) -> httpx2.Response:
    return trial.cast[who].post("/locks", {"action": action, "reason": WHY} | scope)


def closed(trial: Trial, action: str, **scope: Any) -> dict[str, Any]:
    """Close a scope and be sure that it is; the scope."""
    answer = close(trial, action, **scope)
    assert answer.status_code == 200, answer.text
    return scope


def step(trial: Trial, who: str, at: dict[str, Any], action: str, reason: str = "A value is wrong") -> httpx2.Response:
    return trial.cast[who].post(f"/locks/{action}", at | {"reason": reason})


def unlocked(trial: Trial, lock: dict[str, Any]) -> None:
    assert step(trial, "manager", lock, "ask").status_code == 200
    assert step(trial, "manager2", lock, "grant").status_code == 200


def entered(trial: Trial) -> str:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    trial.nurse.enter(subject, "UNS.2", "labs", LABS)
    return subject


def correct(trial: Trial, subject: str, visit: str = "SCR", revision: int = 1, **changed: Any) -> httpx2.Response:
    answers = LABS | (changed or {"hb": "98"})
    return trial.nurse.save(subject, visit, "labs", answers, revision=revision, reason="Typing")


def refused(answer: httpx2.Response, scope: str, state: str) -> bool:
    """Whether an answer says that this scope is closed so far, and since when."""
    told = answer.json()
    return (answer.status_code, told["code"]) == (409, "locked") and (
        (told["locked"]["scope"], told["locked"]["state"]) == (scope, state) and told["locked"]["since"] is not None
    )


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("state", list(LockState))
def test_every_cell_of_the_table(trial: Trial, state: LockState, action: Action) -> None:
    lock = [closed(trial, leading, site="HZ01") for leading in LEADS[state]][-1]
    if action in {Action.GRANT, Action.DECLINE} and (state, action) in TRANSITIONS:
        assert step(trial, "manager2", lock, "ask").status_code == 200
    if action in {Action.ASK, Action.GRANT, Action.DECLINE}:
        answer = step(trial, "manager", lock, action.value)
    else:
        answer = close(trial, action.value, site="HZ01")
    after = TRANSITIONS.get((state, action))
    if after is None:
        assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "conflict", state.value)
    else:
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == after.value
    trial.verified()


@pytest.mark.parametrize("state", list(LockState))
def test_what_each_state_lets_through(trial: Trial, state: LockState) -> None:
    """Values only while it is open; queries and transfer until it is locked."""
    subject = entered(trial)
    about = {"subject": subject, "visit": "SCR", "form": "labs", "item": "hb", "text": "Please check"}
    query = trial.monitor.post("/queries", about).json()["query"]
    for action in LEADS[state]:
        closed(trial, action, site="HZ01", **({} if action in {"freeze", "unfreeze"} else {"despite_queries": True}))
    answered = trial.nurse.post(f"/queries/{query}/answer", {"text": "As measured"})
    asked = trial.monitor.post("/queries", about | {"visit": "UNS.2"})
    assert (answered.status_code < 300) is (asked.status_code < 300) is (state in {LockState.OPEN, LockState.FROZEN})
    saved = correct(trial, subject)
    created = trial.nurse.post("/subjects", {"site": "HZ01"})
    struck = trial.nurse.post(
        f"/subjects/{subject}/visits/UNS.2/forms/labs/void", {"reason": WHY}, headers={"If-Match": '"1"'}
    )
    moved = trial.manager.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved house"})
    if state is LockState.OPEN:
        assert [each.status_code for each in (saved, created, struck, moved)] == [200, 201, 200, 200]
    else:
        assert all(refused(each, "site", state.value) for each in (saved, created, struck))
        assert (moved.status_code == 200) is (state is LockState.FROZEN)
    trial.verified()


SCOPES: dict[str, dict[str, Any]] = {
    "study": {},
    "site": {"site": "HZ01"},
    "subject": {"subject": ""},
    "visit": {"subject": "", "visit": "SCR"},
    "page": {"subject": "", "visit": "SCR", "form": "labs"},
    "item": {"subject": "", "visit": "SCR", "form": "labs", "item": "hb"},
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_closes_what_lies_in_it_and_nothing_else(trial: Trial, scope: str) -> None:
    subject, other, elsewhere = entered(trial), entered(trial), trial.nurse2.subject("HZ02")
    lock = closed(trial, "lock", **{name: part or subject for name, part in SCOPES[scope].items()})
    assert refused(correct(trial, subject), scope, "locked")
    width = list(SCOPES).index(scope)
    assert (correct(trial, subject, "SCR", anc="2").status_code == 200) is (scope == "item")
    assert (trial.nurse.save(subject, "SCR", "arm", {"rand_date": "2024-01-11"}).status_code == 422) is (width > 3)
    assert (correct(trial, subject, "UNS.2").status_code == 200) is (width > 2)
    assert (correct(trial, other).status_code == 200) is (width > 1)
    assert (trial.nurse2.save(elsewhere, "SCR", "consent", CONSENT).status_code == 201) is (width > 0)
    unlocked(trial, lock)
    assert correct(trial, subject, "SCR", revision=2 if scope == "item" else 1).status_code == 200
    trial.verified()


def test_an_item_of_one_row_is_locked_by_itself(trial: Trial) -> None:
    subject = entered(trial)
    closed(trial, "lock", subject=subject, visit="SCR", form="labs", item="drug", row=1)
    one, two = {"row": 1, "drug": "A"}, {"row": 2, "drug": "B"}
    assert refused(correct(trial, subject, drugs=[one | {"drug": "C"}, two]), "item", "locked")
    assert refused(correct(trial, subject, drugs=[two]), "item", "locked")
    assert correct(trial, subject, drugs=[one, two | {"drug": "C"}]).status_code == 200
    void = f"/subjects/{subject}/visits/SCR/forms/labs/void"
    assert refused(trial.nurse.post(void, {"reason": WHY}, headers={"If-Match": '"2"'}), "item", "locked")


def test_the_strictest_lock_counts_and_opening_the_wider_leaves_the_narrower(trial: Trial) -> None:
    subject = entered(trial)
    closed(trial, "freeze", subject=subject)
    lock = closed(trial, "lock", site="HZ01")
    assert refused(correct(trial, subject), "site", "locked")
    step(trial, "monitor", lock, "ask")
    step(trial, "manager", lock, "grant")
    assert refused(correct(trial, subject), "subject", "frozen")


def test_unlocking_takes_two(trial: Trial) -> None:
    lock = closed(trial, "lock", site="HZ01")
    assert step(trial, "manager2", lock, "grant").status_code == 409  # nobody has asked
    asked = step(trial, "manager", lock, "ask", "Haemoglobin of HZ01-001").json()
    assert asked["state"] == "locked"
    assert (asked["unlock_asked"]["by"], asked["unlock_asked"]["reason"]) == (
        "Manager of the cast",
        "Haemoglobin of HZ01-001",
    )
    assert step(trial, "monitor", lock, "ask").status_code == 409  # it waits already
    alone = step(trial, "manager", lock, "grant")
    assert alone.status_code == 403
    denied = trial.administrator.get("/api/v1/studies/-/audit", params={"action": "access.denied"}).json()["items"]
    assert denied[-1]["detail"]["permission"] == "lock.grant"
    assert trial.manager.get("/locks", params={"asked": True}).json()["items"][0]["state"] == "locked"
    granted = step(trial, "manager2", lock, "grant", "Seen the source")
    assert (granted.json()["state"], granted.json()["by"]) == ("open", "Manager2 of the cast")
    assert granted.json()["unlock_asked"] is None
    told = trial.manager.get("/audit", params={"action": "lock."}).json()["items"]
    assert [(each["action"], each["actor"], each["reason"]) for each in told] == [
        ("lock.lock", "Manager of the cast", WHY),
        ("lock.ask", "Manager of the cast", "Haemoglobin of HZ01-001"),
        ("lock.grant", "Manager2 of the cast", "Seen the source"),
    ]
    assert told[-1]["detail"]["asked_by"] == "Manager of the cast"
    assert told[-1]["site_id"] == "HZ01"


def test_what_was_asked_may_be_declined_and_asked_again(trial: Trial) -> None:
    lock = closed(trial, "lock", subject=entered(trial))
    step(trial, "monitor", lock, "ask")
    assert step(trial, "manager", lock, "decline").json()["unlock_asked"] is None
    assert step(trial, "manager2", lock, "grant").status_code == 409
    step(trial, "monitor", lock, "ask")
    assert step(trial, "manager", lock, "grant").json()["state"] == "open"


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nurse", 403), ("doctor", 403), ("monitor", 403), ("statistician", 403), ("sponsor", 403),
        ("inspector", 403), ("builder", 403), ("administrator", 403), ("stranger", 404), ("manager", 200),
    ],
)  # fmt: skip
def test_data_managers_close_and_nobody_else(trial: Trial, who: str, status: int) -> None:
    assert close(trial, "freeze", who, site="HZ01").status_code == status


def test_a_monitor_asks_at_the_own_site_alone(trial: Trial) -> None:
    here, there, study = (closed(trial, "lock", **scope) for scope in ({"site": "HZ01"}, {"site": "HZ02"}, {}))
    assert step(trial, "monitor", here, "ask").status_code == 200
    assert step(trial, "monitor", there, "ask").status_code == 404
    assert step(trial, "monitor", study, "ask").status_code == 403
    assert step(trial, "nurse", here, "ask").status_code == 403
    assert step(trial, "monitor", here, "grant").status_code == 403
    assert step(trial, "monitor", {"subject": "NONE-1"}, "ask").status_code == 404


def test_a_lock_waits_for_the_queries_unless_it_is_said_otherwise(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "20"})
    for scope in ({}, {"site": "HZ01"}, {"subject": subject}, {"subject": subject, "visit": "SCR", "form": "labs"}):
        waiting = close(trial, "lock", **scope)
        assert (waiting.status_code, waiting.json()["open_queries"]) == (409, 1)
    other = {"subject": subject, "visit": "SCR", "form": "labs", "item": "anc"}
    assert close(trial, "lock", **other).status_code == 200
    assert close(trial, "freeze", subject=subject).status_code == 200
    assert close(trial, "lock", subject=subject, despite_queries=True).status_code == 200


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"subject": "NONE-1"}, 404),
        ({"site": "NONE"}, 404),
        ({"subject": "", "visit": "D30"}, 404),
        ({"subject": "", "visit": "SCR", "form": "arm"}, 404),
        ({"subject": "", "visit": "SCR", "form": "labs", "item": "none"}, 404),
        ({"subject": "", "visit": "SCR", "form": "labs", "item": "hb", "row": 1}, 404),
        ({"subject": "", "form": "labs"}, 422),
        ({"visit": "SCR"}, 422),
        ({"site": "HZ01", "subject": ""}, 422),
        ({"subject": "", "visit": "SCR", "form": "labs", "row": 1}, 422),
    ],
)
def test_a_scope_that_is_none_is_refused(trial: Trial, scope: dict[str, Any], status: int) -> None:
    subject = entered(trial)
    named = {name: part or subject for name, part in scope.items()}
    assert close(trial, "freeze", **named).status_code == status


def test_only_a_site_or_the_study_is_hard_locked(trial: Trial) -> None:
    subject = entered(trial)
    closed(trial, "lock", subject=subject)
    answer = close(trial, "hard_lock", subject=subject)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/action")


def test_inside_a_hard_lock_nothing_is_closed_or_opened(trial: Trial) -> None:
    subject = entered(trial)
    narrow = closed(trial, "lock", subject=subject)
    closed(trial, "lock")
    study = closed(trial, "hard_lock")
    for answer in (
        close(trial, "freeze", site="HZ02"),
        close(trial, "freeze", subject=subject, visit="SCR"),
        step(trial, "manager", narrow, "ask"),
    ):
        assert refused(answer, "study", "hard_locked")
    step(trial, "manager", study, "ask")
    assert step(trial, "manager2", study, "grant").json()["state"] == "open"
    assert refused(correct(trial, subject), "subject", "locked")


def test_locks_are_listed_for_the_sites_in_sight(trial: Trial) -> None:
    subject = entered(trial)
    for scope in ({}, {"site": "HZ01"}, {"site": "HZ02"}, {"subject": subject, "visit": "UNS.2"}):
        closed(trial, "freeze", **scope)

    def seen(who: str, **query: Any) -> list[str]:
        return [each["scope"] for each in trial.cast[who].get("/locks", params=query).json()["items"]]

    assert seen("manager") == ["visit", "site", "site", "study"]
    assert seen("nurse") == ["visit", "site", "study"]
    assert seen("nurse2") == ["site", "study"]
    assert seen("manager", subject=subject, state="frozen") == ["visit"]
    assert seen("manager", site="HZ01") == ["visit", "site"]
    assert seen("manager", state="locked") == []
    visit = trial.manager.get("/locks", params={"subject": subject}).json()["items"][0]
    assert (visit["site"], visit["visit"], visit["by"], visit["reason"]) == (
        "HZ01", "UNS.2", "Manager of the cast", WHY,
    )  # fmt: skip
    assert trial.stranger.get("/locks").status_code == 404


def test_pages_and_casebook_show_what_is_closed_at_no_further_statement(trial: Trial) -> None:
    subject = entered(trial)
    page = f"/subjects/{subject}/visits/SCR/forms/labs"
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

    def look() -> tuple[dict[str, Any], dict[str, Any], int]:
        statements.clear()
        return trial.nurse.get(page).json(), trial.nurse.get(f"/subjects/{subject}/casebook").json(), len(statements)

    shown, book, before = look()
    assert (shown["marks"]["lock"], shown["marks"]["locks"], book["lock"]) == ("open", [], "open")
    for item in ("hb", "anc", "drug", "dose"):
        closed(trial, "lock", subject=subject, visit="SCR", form="labs", item=item)
    closed(trial, "freeze", subject=subject)
    shown, book, after = look()
    assert after == before
    assert (shown["marks"]["lock"], book["lock"]) == ("frozen", "frozen")
    assert [each["item"] for each in shown["marks"]["locks"]] == ["anc", "dose", "drug", "hb", None]
    assert [len(each["marks"]["locks"]) for each in book["pages"]] == [1, 5, 1]
    then = trial.nurse.get(page, params={"as_of": shown["saved_at"]}).json()
    assert then["marks"] is None


def test_a_refusal_says_what_is_closed_in_the_readers_language(trial: Trial) -> None:
    subject = entered(trial)
    closed(trial, "lock", subject=subject)
    answer = trial.nurse.call(
        "PUT", f"/subjects/{subject}/visits/SCR/forms/labs", json={"answers": LABS},
        headers={"If-Match": '"1"', "Accept-Language": "zh"},
    )  # fmt: skip
    told = answer.json()
    assert told["title"] == "此处已关闭，不能更改"
    assert "申请解锁" in told["detail"]
    assert (told["locked"]["subject"], told["locked"]["visit"]) == (subject, None)


def test_an_import_meets_the_same_locks(trial: Trial) -> None:
    subject = entered(trial)
    closed(trial, "freeze", subject=subject, visit="SCR")
    lines = f"subject,visit,revision,reason,sample_date,hb\n{subject},SCR,1,Typing,2024-01-09,99\n"
    for who in ("nurse", "manager"):
        answer = trial.cast[who].call("POST", "/imports/labs", content=lines, headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "locked")


def test_a_locked_subject_keeps_its_results_until_it_is_unlocked(trial: Trial, tmp_path: Path) -> None:
    subject = entered(trial)
    lock = closed(trial, "lock", subject=subject)
    publish(trial.database, amended(tmp_path / "forms"))
    move = {"version": 2, "approved_on": "2024-01-01", "reason": "Approved"}
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=move).status_code == 204
    kept = trial.manager.post("/derive").json()["deviations"]
    assert {each["endpoint"] for each in kept} >= {"EFS", "CRA"}
    assert {each["kept"] for each in kept} == {True}
    unlocked(trial, lock)
    assert {each["kept"] for each in trial.manager.post("/derive").json()["deviations"]} == {False}
    assert trial.manager.post("/derive").json()["deviations"] == []
    trial.verified()


def test_no_study_version_comes_in_force_at_a_locked_site(trial: Trial) -> None:
    lock = closed(trial, "lock", site="HZ01")
    move = {"version": 1, "approved_on": "2024-01-01", "reason": "Approved"}
    assert refused(trial.builder.call("PUT", "/sites/HZ01/version", json=move), "site", "locked")
    assert trial.builder.call("PUT", "/sites/HZ02/version", json=move).status_code == 204
    unlocked(trial, lock)
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=move).status_code == 204


def at_the_gate(trial: Trial, count: int) -> None:
    """Wait until so many wait at the gate of the study."""
    asked = text(
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
    )
    until = time.monotonic() + 20
    with trial.database.engine.connect() as connection:
        while connection.execute(asked).scalar_one() < count:
            assert time.monotonic() < until, "nobody came to the gate"
            time.sleep(0.02)


def test_a_save_that_waited_for_a_lock_is_refused_by_it(trial: Trial) -> None:
    """And a lock that waited for a save comes after it: none is stored behind the back of the other."""
    subject = entered(trial)
    with ThreadPoolExecutor(2) as pool:
        with trial.database.writing() as session:
            see_all(session)
            enrol.lock(session, "TRIAL", subject)
            waiting = pool.submit(close, trial, "lock")
            at_the_gate(trial, 1)
            late = pool.submit(correct, trial, subject)
            at_the_gate(trial, 2)
            assert not waiting.done()
            assert not late.done()
        assert waiting.result().status_code == 200
        assert refused(late.result(), "study", "locked")
    trial.verified()


def test_open_queries_are_not_passed_over_by_a_word(trial: Trial) -> None:
    subject = trial.nurse.subject()
    assert close(trial, "lock", subject=subject, despite_queries="yes").status_code == 422
