"""The trail as a feed: filtered, paged, and verified on the spot."""

from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from app.core.provision import libpq
from tests.servers import Database as Owned
from tests.trial import Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


def feed(trial: Trial, **query: Any) -> list[dict[str, Any]]:
    answer = trial.manager.get("/audit", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.fixture
def told(trial: Trial) -> dict[str, Any]:
    """Two subjects at two sites, one page corrected and struck, one subject moved."""
    first, second = trial.nurse.subject(), trial.nurse2.subject("HZ02")
    trial.nurse.enter(first, "SCR", "consent", CONSENT)
    corrected = trial.nurse.enter(
        first, "SCR", "consent", CONSENT | {"note": "Read out"}, revision=1, reason="Forgotten"
    )
    path = f"/subjects/{first}/visits/SCR/forms/consent/void"
    trial.nurse.post(path, {"reason": "Wrong subject"}, headers={"If-Match": '"2"'})
    trial.nurse2.enter(second, "SCR", "consent", CONSENT)
    trial.manager.post(f"/subjects/{second}/transfer", {"site": "HZ01", "reason": "Moved house"})
    return {"first": first, "second": second, "corrected": corrected}


def test_every_entry_says_who_when_where_why_and_through_what(trial: Trial, told: dict[str, Any]) -> None:
    (entry,) = [each for each in feed(trial, subject=told["first"]) if each["reason"] == "Forgotten"]
    assert (entry["action"], entry["actor"], entry["zone"]) == ("record.save", "Nurse of the cast", "Asia/Shanghai")
    assert (entry["site_id"], entry["subject_id"], entry["record_id"]) == (
        "HZ01", told["first"], told["corrected"]["record_id"],
    )  # fmt: skip
    assert entry["actor_id"]
    assert entry["source"].startswith("session:")
    assert entry["at"].endswith(("Z", "+00:00"))
    assert entry["at"][:19] == told["corrected"]["saved_at"][:19]
    assert entry["detail"]["items"] == ["note"]
    assert (entry["detail"]["visit"], entry["detail"]["form"], entry["detail"]["revision"]) == ("SCR", "consent", 2)
    assert "Read out" not in str(entry)


def test_the_feed_is_narrowed_by_what_is_asked(trial: Trial, told: dict[str, Any]) -> None:
    first, second = told["first"], told["second"]
    saves = ["subject.create", "record.save", "record.save", "record.void"]
    assert [each["action"] for each in feed(trial, subject=first)] == saves
    assert [each["action"] for each in feed(trial, action="record.")] == ["record.save", "record.save", "record.void",
                                                                         "record.save"]  # fmt: skip
    assert [each["action"] for each in feed(trial, action="record.void")] == ["record.void"]
    assert feed(trial, action="record") == []
    assert {each["subject_id"] for each in feed(trial, actor="Nurse2 of the cast")} == {second}
    at = feed(trial, action="record.void")[0]["at"]
    since, until = feed(trial, since=at), feed(trial, until=at)
    assert since[0]["action"] == "record.void"
    assert {each["seq"] for each in since} | {each["seq"] for each in until} == {each["seq"] for each in feed(trial)}
    assert {each["seq"] for each in since}.isdisjoint({each["seq"] for each in until})
    for wrong in ({"since": "yesterday"}, {"since": "2024-01-01T00:00:00"}, {"after": -1}, {"limit": 0}, {"who": "x"}):
        assert trial.manager.get("/audit", params=wrong).status_code in {400, 422}, wrong


def test_the_feed_goes_on_where_it_ended_while_others_write(trial: Trial, told: dict[str, Any]) -> None:
    seen: list[int] = []
    after: int | None = None
    for turn in range(100):
        query = {"limit": 3} | ({} if after is None else {"after": after})
        page = trial.manager.get("/audit", params=query).json()
        seen += [each["seq"] for each in page["items"]]
        if turn < 3:
            trial.nurse.subject()
        after = page["next_after"]
        if after is None:
            break
    assert seen == list(range(1, len(feed(trial)) + 1))
    assert told


@pytest.mark.parametrize(
    ("who", "feed_", "verification"),
    [("manager", 200, 200), ("inspector", 200, 200), ("sponsor", 403, 200), ("nurse", 403, 403), ("monitor", 403, 403),
     ("statistician", 403, 403), ("administrator", 403, 200), ("builder", 403, 403), ("stranger", 404, 404)],
)  # fmt: skip
def test_who_reads_and_who_verifies_the_trail(trial: Trial, who: str, feed_: int, verification: int) -> None:
    assert trial.cast[who].get("/audit").status_code == feed_
    assert trial.cast[who].get("/audit/verification").status_code == verification


def test_the_systems_own_trail_is_the_administrators(trial: Trial) -> None:
    assert trial.administrator.get("/api/v1/studies/-/audit").status_code == 200
    for who in ("manager", "inspector", "sponsor", "nurse"):
        assert trial.cast[who].get("/api/v1/studies/-/audit").status_code in {403, 404}, who


def test_a_verification_says_that_the_trail_holds_or_what_does_not(
    trial: Trial, told: dict[str, Any], database: Owned
) -> None:
    sound = trial.inspector.get("/audit/verification").json()
    assert (sound["ok"], sound["faults"], sound["more_faults"]) == (True, [], 0)
    last = feed(trial)[-1]
    assert sound["heads"] == [{"study": "TRIAL", "seq": last["seq"], "hash": last["hash"]}]
    assert sound["changes"] == last["seq"]
    assert sound["anchors"] >= 1
    with psycopg.connect(libpq(database.admin_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE subject SET status = 'tampered' WHERE subject_id = %s", (told["first"],))
    broken = trial.inspector.get("/audit/verification").json()
    assert not broken["ok"]
    assert len(broken["faults"]) == 1
    assert told["first"] in broken["faults"][0]
    assert "tampered" not in broken["faults"][0]


def test_who_saves_during_a_verification_raises_no_alarm(trial: Trial) -> None:
    ended = Event()

    def save() -> None:
        while not ended.is_set():
            trial.nurse.subject()

    writer = Thread(target=save)
    writer.start()
    try:
        told = [trial.inspector.get("/audit/verification").json() for _ in range(15)]
    finally:
        ended.set()
        writer.join()
    assert [each["faults"] + each["warnings"] for each in told] == [[]] * 15
    assert told[0]["changes"] < told[-1]["changes"]
