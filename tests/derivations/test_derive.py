"""Deriving a study again: what is stored is what the pages give, or it is named and put right."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.capture.anew.derive import derive as look
from app.core.provision import libpq
from app.core.transaction import see_all
from tests.servers import Database as Owned
from tests.stories.amendment import amended
from tests.trial import SYSTEM, Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


@pytest.fixture
def subject(trial: Trial) -> str:
    number = trial.nurse.subject()
    trial.nurse.enter(number, "SCR", "consent", CONSENT)
    trial.nurse.enter(number, "D30", "response", {"assess_date": "2024-02-10", "response": "CR"})
    return number


def behind(database: Owned, statement: str) -> None:
    """Change the database behind the application's back, triggers and walls off."""
    with psycopg.connect(libpq(database.admin_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode()).rowcount > 0


def derive(trial: Trial) -> tuple[int, list[tuple[str, str, str]]]:
    answer = trial.manager.post("/derive")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["subjects"], [(each["subject"], each["endpoint"], each["variant"]) for each in told["deviations"]]


def actions(trial: Trial) -> list[str]:
    return [each["action"] for each in trial.manager.get("/audit", params={"limit": 200}).json()["items"]]


@pytest.mark.usefixtures("subject")
def test_what_was_saved_derives_to_what_is_stored(trial: Trial) -> None:
    trial.nurse.subject()
    before = actions(trial)
    assert derive(trial) == (2, [])
    assert actions(trial) == before


def test_a_tampered_result_is_named_and_derived_again(trial: Trial, subject: str, database: Owned) -> None:
    behind(
        database, "UPDATE derivation SET results = jsonb_set(results, '{endpoints,OS,PRIMARY,adt}', '\"2030-01-01\"')"
    )
    assert derive(trial) == (1, [(subject, "OS", "PRIMARY")])
    assert derive(trial) == (1, [])
    last = trial.manager.get("/audit", params={"subject": subject}).json()["items"][-1]
    assert (last["action"], last["actor"], last["site_id"], last["zone"]) == (
        "derive", "Manager of the cast", "HZ01", "Asia/Shanghai",
    )  # fmt: skip
    book = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    assert book["endpoints"]["OS"]["PRIMARY"]["adt"] == "2024-02-10"


@pytest.mark.usefixtures("subject")
def test_every_result_of_a_missing_derivation_is_named(trial: Trial, database: Owned) -> None:
    behind(database, "DELETE FROM derivation")
    count, named = derive(trial)
    assert count == 1
    assert {which[1:] for which in named} >= {("OS", "PRIMARY"), ("CIR", "PRIMARY"), ("CIR", "LAST_ALIVE")}
    assert derive(trial) == (1, [])


def test_a_missing_derivation_without_any_date_is_named_too(trial: Trial, database: Owned) -> None:
    number = trial.nurse.subject()
    trial.nurse.enter(number, "LOG", "ae", {"term": "Fever"})
    assert derive(trial) == (1, [])
    behind(database, "DELETE FROM derivation")
    assert {which[0] for which in derive(trial)[1]} == {number}
    assert derive(trial) == (1, [])


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [("{status}", '"dead"', ("status", "")), ("{anchors,enrol}", '"2024-02-10"', ("anchors", ""))],
)
def test_a_tampered_status_or_anchor_is_named(
    trial: Trial, subject: str, database: Owned, path: str, value: str, named: tuple[str, str]
) -> None:
    behind(database, f"UPDATE derivation SET results = jsonb_set(results, '{path}', '{value}')")  # noqa: S608 - a test's own words
    assert derive(trial) == (1, [(subject, *named)])
    assert derive(trial) == (1, [])
    assert trial.nurse.get(f"/subjects/{subject}/casebook").json()["status"] == "enrolled"


@pytest.mark.usefixtures("subject")
def test_looking_alone_stores_nothing(trial: Trial, database: Owned) -> None:
    behind(database, "DELETE FROM derivation")
    before = actions(trial)
    with trial.database.writing() as session:
        see_all(session)
        _, deviations = look(session, SYSTEM, "TRIAL", store=False)
    assert deviations
    assert actions(trial) == before


def test_a_study_version_that_comes_into_force_is_derived_by(trial: Trial, subject: str, tmp_path: Path) -> None:
    publish(trial.database, amended(tmp_path / "forms"))
    assert derive(trial) == (1, [])
    trial.builder.call(
        "PUT", "/sites/HZ01/version", json={"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    )
    entry = trial.manager.get("/audit", params={"subject": subject, "action": "derive"}).json()["items"][-1]
    assert (entry["reason"], entry["actor"]) == ("Approved", "Builder of the cast")
    assert derive(trial) == (1, [])
    assert trial.nurse.get(f"/subjects/{subject}/casebook").json()["endpoints"]["EFS"]["PRIMARY"]["status"] == "0"
    trial.verified()


@pytest.mark.parametrize(
    ("who", "status"),
    [("nurse", 403), ("doctor", 403), ("statistician", 403), ("sponsor", 403), ("builder", 403), ("stranger", 404)],
)
def test_nobody_derives_a_study_but_its_data_manager(trial: Trial, who: str, status: int) -> None:
    person: Any = trial.cast[who]
    assert person.post("/derive").status_code == status
