"""The trail is read page by page, by subject, record, person, deed and time, along its indexes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from app import models
from app.audit import change
from app.audit.read import MOST, Written, entries
from app.core.transaction import see
from tests.audit import world
from tests.audit.conftest import OTHER, STUDY, Trial


@pytest.fixture
def reading(trial: Trial):
    with trial.database.reading() as session:
        see(session, models.SYSTEM, STUDY)
        yield session


def test_an_entry_says_who_what_when_why_and_which_rows(reading) -> None:
    entry = entries(reading, STUDY, action="record.save", subject_id="HZ01-001", limit=10)[-1]
    assert (entry.actor, entry.source, entry.action, entry.reason) == ("Marrow", "test", "record.save", "Transcription")
    assert (entry.site_id, entry.subject_id, entry.zone) == ("HZ01", "HZ01-001", "UTC")
    assert entry.at.utcoffset() == timedelta(0)
    assert entry.written == (Written("record", "update", 1), Written("revision", "insert", 1))
    held = reading.execute(
        select(models.change.c.hash).where(models.change.c.change_id == entry.change_id)
    ).scalar_one()
    assert entry.hash == held


def test_rows_of_one_table_are_counted(reading) -> None:
    publish = entries(reading, STUDY, action="study.publish")[0]
    assert Written("site", "insert", 2) in publish.written


def test_a_change_without_rows_is_an_entry_too(trial: Trial) -> None:
    with trial.database.writing() as session:
        see(session, models.SYSTEM)
        with change(session, models.SYSTEM, by=world.SYSTEM_ACTS, action="login.failed", detail={"username": "x"}):
            pass
    with trial.database.reading() as session:
        see(session, models.SYSTEM)
        (entry,) = entries(session, models.SYSTEM, action="login.failed")
    assert (entry.written, entry.detail) == ((), {"username": "x"})


def test_pages_follow_each_other_without_gap_or_overlap(reading) -> None:
    everything = [entry.seq for entry in entries(reading, STUDY)]
    paged, after = [], 0
    while page := entries(reading, STUDY, after_seq=after, limit=3):
        assert len(page) <= 3
        paged += [entry.seq for entry in page]
        after = page[-1].seq
    assert paged == everything == list(range(1, len(everything) + 1))


def test_no_page_is_larger_than_a_thousand(reading) -> None:
    asked = []

    def note(*given) -> None:
        asked.append(given[3])

    event.listen(reading.get_bind(), "before_cursor_execute", note)
    entries(reading, STUDY, limit=10**6)
    event.remove(reading.get_bind(), "before_cursor_execute", note)
    assert MOST in asked[0].values()


def test_filters_narrow(reading) -> None:
    everything = entries(reading, STUDY)
    assert {entry.subject_id for entry in entries(reading, STUDY, subject_id="HZ01-002")} == {"HZ01-002"}
    assert {entry.action for entry in entries(reading, STUDY, action="record.")} == {"record.save"}
    assert entries(reading, STUDY, action="record") == []
    assert entries(reading, STUDY, action="recor_.") == []
    assert entries(reading, STUDY, actor="Nobody") == []
    assert len(entries(reading, STUDY, actor="Marrow")) == len(everything)
    assert entries(reading, STUDY, since=everything[-1].at)[-1] == everything[-1]
    assert everything[-1] not in entries(reading, STUDY, until=everything[-1].at)


def test_another_study_is_behind_the_wall(reading) -> None:
    assert entries(reading, OTHER) == []


@pytest.mark.parametrize(
    ("given", "index"),
    [
        ({}, "pk_change"),
        ({"after_seq": 500}, "pk_change"),
        ({"subject_id": "S7"}, "ix_change_study_id_subject_id_seq"),
        ({"subject_id": "S7", "after_seq": 500}, "ix_change_study_id_subject_id_seq"),
    ],
)
def test_the_page_comes_from_an_index(trial: Trial, given: dict[str, Any], index: str) -> None:
    with trial.tamper.begin() as admin:
        admin.exec_driver_sql("SET LOCAL session_replication_role = replica")
        admin.execute(
            text(
                "INSERT INTO change SELECT study_id, n, gen_random_uuid(), actor_id, actor, at, zone, action, reason, "
                "source, site_id, 'S' || n % 500, lpad((n % 2000)::text, 32, '0')::uuid, detail, '[]', digest, hash "
                "FROM change, generate_series(1000, 21000) n WHERE study_id = :study AND seq = 1"
            ),
            {"study": STUDY},
        )
    with trial.tamper.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.exec_driver_sql("ANALYZE change")
    plans: list[str] = []

    def explain(_connection, cursor, statement, parameters, *_) -> None:
        if "FROM change" in statement:
            cursor.execute("EXPLAIN " + statement, parameters)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))

    with trial.database.reading() as session:
        see(session, STUDY)
        event.listen(session.get_bind(), "before_cursor_execute", explain)
        found = entries(session, STUDY, limit=5, **given)
        event.remove(session.get_bind(), "before_cursor_execute", explain)
    assert len(found) == 5
    assert index in plans[0]
    assert "Seq Scan on change" not in plans[0]
