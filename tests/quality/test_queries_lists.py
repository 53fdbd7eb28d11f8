"""The lists of queries: narrowed, sorted, paged and counted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.core import clock
from tests.quality.asking import LABS, asks, does, listed, thread
from tests.trial import Person, Trial


class Clock:
    """The time it is, which goes on from now when it is told to."""

    def __init__(self) -> None:
        self.moment = clock.now()

    def now(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def later(self, days: float) -> None:
        self.moment += timedelta(days=days)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    still = Clock()
    monkeypatch.setattr(clock, "now", still.now)
    return still


def lasting(trial: Trial, who: str) -> Person:
    """Somebody with a token that outlasts a session."""
    made = trial.cast[who].post("/api/v1/me/tokens", {"label": "Months", "study": "TRIAL", "days": 300})
    assert made.status_code == 201, made.text
    return Person(trial.client, made.json()["token"])


def low(trial: Trial, visit: str = "SCR", who: str = "nurse", site: str = "HZ01") -> str:
    """A subject with a questioned haemoglobin."""
    subject = trial.cast[who].subject(site)
    trial.cast[who].enter(subject, visit, "labs", LABS | {"hb": "21"})
    return subject


def test_the_list_is_narrowed_by_what_is_asked(trial: Trial) -> None:
    first, second = low(trial), low(trial, "UNS.2")
    there = low(trial, who="nurse2", site="HZ02")
    trial.nurse.enter(first, "UNS", "labs", LABS | {"hb": "221"})
    trial.nurse.enter(first, "LOG", "ae.2", {"term": "Fever"})
    asked = asks(trial.monitor, first, visit="LOG", form="ae.2", item="term", assignee="nurse")["query"]
    (answered,) = (each["query"] for each in listed(trial.manager, subject=second))
    does(trial.nurse, "confirm", answered)

    def seen(who: str = "manager", **query: Any) -> list[tuple[str, str, str | None]]:
        return [(each["subject"], each["visit"], each["rule"]) for each in listed(trial.cast[who], **query)]

    scr, uns, high = (first, "SCR", "soft_min"), (second, "UNS.2", "soft_min"), (first, "UNS", "soft_max")
    far, term = (there, "SCR", "soft_min"), (first, "LOG", None)
    assert seen() == [scr, uns, far, high, term]
    assert seen("nurse") == [scr, uns, high, term]
    assert seen("nurse2") == seen(site="HZ02") == [far]
    assert seen(subject=first) == [scr, high, term]
    assert seen(visit="UNS") == [uns, high]
    assert seen(visit="UNS.2") == [uns]
    assert seen(visit="UNS.1") == [high]
    assert seen(form="ae") == seen(form="ae.2") == seen(item="term") == seen(rule="-") == [term]
    assert seen(form="ae.1") == []
    assert seen(rule="soft_max") == [high]
    assert seen(state="answered") == [uns]
    assert seen(state=["answered", "closed"], site="HZ01") == [uns]
    assert seen(state=["answered", "open"]) == seen()
    assert seen(assignee="nurse") == seen("nurse", assignee="me") == [term]
    assert seen(assignee="-") == [scr, uns, far, high]
    assert seen(sort="subject", visit="SCR") == [scr, far]
    assert seen(sort="-changed_at")[0] == uns
    assert [each["query"] for each in listed(trial.manager, item="term")] == [asked]
    for wrong in ({"sort": "message"}, {"state": "lost"}, {"limit": 0}, {"colour": "red"}, {"visit": "S C R"},
                  {"older_than_days": -1}, {"form": "ae.0"}):  # fmt: skip
        assert trial.manager.get("/queries", params=wrong).status_code in {400, 422}, wrong


def test_queries_are_paged_whatever_comes_in_meanwhile(trial: Trial) -> None:
    for _ in range(5):
        low(trial)
    for sort in ("opened_at", "-opened_at", "changed_at", "-subject"):
        collected, cursor = [], None
        while True:
            more: dict[str, str] = {"cursor": cursor} if cursor else {}
            page = trial.manager.get("/queries", params={"limit": 2, "sort": sort, "state": "open"} | more).json()
            collected += [each["query"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(collected) == len(set(collected)) == 5
    first = trial.manager.get("/queries", params={"limit": 2, "assignee": "me"}).json()
    assert first == {"items": [], "next_cursor": None}
    cursor = trial.manager.get("/queries", params={"limit": 2}).json()["next_cursor"]
    assert trial.manager.get("/queries", params={"limit": 2, "cursor": cursor, "state": "open"}).status_code == 400


def test_counts_are_the_lists_counted_in_one_statement(trial: Trial) -> None:
    first = low(trial)
    low(trial, "UNS.2")
    low(trial, who="nurse2", site="HZ02")
    asks(trial.monitor, first, item="anc")
    does(trial.nurse, "answer", listed(trial.manager, subject=first)[0]["query"])

    def counted(who: str = "manager", **query: Any) -> dict[str, Any]:
        return dict(trial.cast[who].get("/queries/counts", params=query).json())

    assert counted() == {
        "state": {"answered": 1, "open": 3},
        "site": {"HZ01": {"answered": 1, "open": 2}, "HZ02": {"open": 1}},
        "form": {"labs": {"answered": 1, "open": 3}},
        "rule": {"-": {"open": 1}, "soft_min": {"answered": 1, "open": 2}},
        "age": {"0-7": {"answered": 1, "open": 3}},
    }
    assert counted("nurse2")["state"] == {"open": 1}
    assert counted(state="answered")["site"] == {"HZ01": {"answered": 1}}
    assert counted(rule="-", site="HZ01")["state"] == {"open": 1}
    assert counted(site="HZ02", state="closed") == {"state": {}, "site": {}, "form": {}, "rule": {}, "age": {}}
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    counted()
    assert len([each for each in statements if "FROM query" in each]) == 1
    assert len(statements) == 2


def test_a_list_takes_the_same_number_of_statements_however_long(trial: Trial) -> None:
    low(trial)
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    listed(trial.manager)
    few = len(statements)
    for _ in range(4):
        low(trial)
    statements.clear()
    assert len(listed(trial.manager)) == 5
    assert len(statements) == few <= 3


def test_age_is_of_the_round_and_stops_when_it_is_closed(trial: Trial, time: Clock) -> None:
    nurse, monitor = lasting(trial, "nurse"), lasting(trial, "monitor")
    low(trial)
    (query,) = (each["query"] for each in listed(monitor))

    def told() -> tuple[int, list[str]]:
        return thread(monitor, query)["age_days"], list(monitor.get("/queries/counts").json()["age"])

    ages = []
    for days in (0, 6.99, 1.02, 6.9, 1, 15, 1, 29, 1):
        time.later(days)
        ages.append(told())
    assert ages == [
        (0, ["0-7"]), (6, ["0-7"]), (8, ["8-14"]), (14, ["8-14"]), (15, ["15-30"]), (30, ["15-30"]), (31, ["31-60"]),
        (60, ["31-60"]), (61, ["61-"]),
    ]  # fmt: skip
    assert [each["query"] for each in listed(monitor, older_than_days=61)] == [query]
    assert listed(monitor, older_than_days=62) == []
    does(nurse, "answer", query)
    does(monitor, "close", query, None)
    time.later(50)
    assert told() == (61, ["61-"])
    does(monitor, "reopen", query, "Once more")
    time.later(3)
    assert told() == (3, ["0-7"])
    assert thread(monitor, query)["closed_at"] is None
    trial.verified()
