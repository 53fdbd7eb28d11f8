"""What hangs on a fact of another page follows when that page changes, without a new revision of its own."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from app.capture import read
from app.capture.anew.derive import derive
from app.capture.save import save
from app.core.transaction import Database, see_all
from app.subjects import enrol
from app.subjects.facts import Place
from tests.trial import SYSTEM, publish

STUDY = "NCT06125106"
FORMS = Path(__file__).parents[2] / "forms"


@pytest.fixture
def database(engine: Engine, tmp_path: Path) -> Database:
    made = Database(engine, tmp_path / "anchors.jsonl")
    publish(made, FORMS)
    with made.writing() as session:
        see_all(session)
        enrol.create(session, SYSTEM, STUDY, "HZ01")
    return made


def enter(database: Database, form: str, answers: dict[str, Any], *, revision: int = 0) -> None:
    with database.writing() as session:
        see_all(session)
        save(session, SYSTEM, STUDY, "HZ01-001", Place("SCR", 1, form, 1), answers, expected=revision,
             complete=False, reason="Read again in the source")  # fmt: skip


def demographics(database: Database) -> dict[str, Any]:
    with database.reading() as session:
        see_all(session)
        return read.page(session, SYSTEM, STUDY, "HZ01-001", Place("SCR", 1, "demographics", 1))


def test_the_age_at_consent_follows_the_date_of_consent(database: Database) -> None:
    enter(database, "demographics", {"birth_date": "1990-05-01", "sex": "F"})
    assert "age_at_consent" not in demographics(database)["computed"]
    enter(database, "consent", {"consent_date": "2024-01-05"})
    before = demographics(database)
    assert before["computed"]["age_at_consent"] == 33
    enter(database, "consent", {"consent_date": "2014-01-05"}, revision=1)
    after = demographics(database)
    assert after["computed"]["age_at_consent"] == 23
    assert (after["revision"], after["saved_at"]) == (before["revision"], before["saved_at"])
    with database.reading() as session:
        see_all(session)
        assert derive(session, SYSTEM, STUDY, store=False) == (1, [])
