"""What the application's own connection sees when nobody is let in, and what is remembered of those who tried."""

from typing import Any

import pytest
from sqlalchemy import func, select, text

from app import models
from tests.trial import Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
OF_STUDIES = [table for table in models.metadata.sorted_tables if "study_id" in table.columns]


@pytest.mark.parametrize("setting", [None, "", "NONE", "TRIAL%", "TRIAL OTHER", "'TRIAL'"])
def test_a_connection_that_names_no_study_sees_no_row(trial: Trial, setting: str | None) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    with trial.database.engine.begin() as connection:
        if setting is not None:
            connection.execute(text("SELECT set_config('marrow.studies', :value, true)"), {"value": setting})
        seen = {table.name: connection.scalar(select(func.count()).select_from(table)) for table in OF_STUDIES}
    assert set(seen.values()) == {0}, seen


def test_a_connection_sees_the_study_it_names_and_forgets_it(trial: Trial) -> None:
    trial.nurse.subject()
    count = select(models.subject.c.study_id)
    with trial.database.engine.connect() as connection:
        with connection.begin():
            connection.execute(text("SELECT set_config('marrow.studies', 'TRIAL', true)"))
            assert set(connection.scalars(count)) == {"TRIAL"}
        with connection.begin():
            assert set(connection.scalars(count)) == set()


def denials(trial: Trial) -> list[dict[str, Any]]:
    query = {"action": "access.denied", "limit": 200}
    return list(trial.administrator.get("/api/v1/studies/-/audit", params=query).json()["items"])


def test_whoever_is_refused_is_remembered_though_the_request_fails(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    void = f"/subjects/{subject}/visits/SCR/forms/consent/void"
    move = {"site": "HZ02", "reason": "Mine"}
    tried = [
        (trial.monitor.save(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "1"}), 403, "record.write"),
        (trial.manager.post(void, {"reason": "Mine"}, headers={"If-Match": '"1"'}), 403, "record.void"),
        (trial.sponsor.get(f"/subjects/{subject}/casebook"), 403, "record.read"),
        (trial.sponsor.get("/export"), 403, "export.clinical"),
        (trial.nurse.get("/audit"), 403, "audit.read"),
        (trial.nurse.post("/derive"), 403, "derive"),
        (trial.nurse2.get(f"/subjects/{subject}/casebook"), 404, "record.read"),
        (trial.stranger.get(f"/subjects/{subject}/casebook"), 404, "record.read"),
        (trial.stranger.get("/findings"), 404, "finding.read"),
        (
            trial.nurse.post(f"/subjects/{subject}/transfer", move),
            403,
            "subject.transfer",
        ),
    ]
    assert [answer.status_code for answer, _, _ in tried] == [status for _, status, _ in tried]
    told = denials(trial)
    assert [entry["detail"]["permission"] for entry in told] == [permission for _, _, permission in tried]
    assert [entry["actor"] for entry in told] == [
        "Monitor of the cast", "Manager of the cast", "Sponsor of the cast", "Sponsor of the cast",
        "Nurse of the cast", "Nurse of the cast", "Nurse2 of the cast", "Stranger of the cast",
        "Stranger of the cast", "Nurse of the cast",
    ]  # fmt: skip
    assert {entry["detail"]["study"] for entry in told} == {"TRIAL"}
    assert all(entry["source"].startswith("session:") and entry["actor_id"] for entry in told)
    trial.verified()


def test_a_login_that_fails_is_remembered(trial: Trial) -> None:
    answer = trial.client.post("/api/v1/session", json={"username": "nurse", "password": "wrong wrong wrong"})
    assert answer.status_code == 401
    query = {"action": "login.", "limit": 200}
    trail = trial.administrator.get("/api/v1/studies/-/audit", params=query).json()["items"]
    assert [entry["action"] for entry in trail] == ["login.failed"]
    assert "wrong" not in str(trail)
