from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import models
from app.audit.report import Report
from app.audit.verify import verify
from app.core.db import make_engine
from app.core.transaction import Database, see
from tests.audit import world

STUDY, OTHER = "NCT06125106", "S1904"


@dataclass(frozen=True)
class Trial:
    """A small trial in a database of its own, by the application's role and by the superuser's."""

    database: Database
    tamper: Engine

    def verify(self) -> Report:
        with self.database.reading() as session:
            return verify(session, self.database.anchors)


def fill(database: Database) -> None:
    with database.writing() as session:
        see(session, models.SYSTEM, STUDY, OTHER)
        world.begin(session, STUDY)
        world.begin(session, OTHER, form=False)
    with database.writing() as session:
        see(session, models.SYSTEM, STUDY, OTHER)
        for study in (STUDY, OTHER):
            world.enrol(session, study, "HZ01-001")
            world.enrol(session, study, "HZ01-002")
            world.cut(session, study)
            world.limits(session, study)
            world.close(session, study, "HZ01-001")
            for subject in ("HZ01-001", "HZ01-002"):
                record = world.save(session, study, subject)
                world.correct(session, record, answers={"anc": "9.0"})
                if subject == "HZ01-001":
                    world.verify(session, record)
                    world.sign(session, record)
                    world.migrate(session, record)


@pytest.fixture
def trial(engine: Engine, database, tmp_path: Path) -> Iterator[Trial]:
    found = Database(engine, tmp_path / "anchors.jsonl")
    fill(found)
    with_all_rights = make_engine(database.admin_url, pool_size=2).execution_options(isolation_level="REPEATABLE READ")
    yield Trial(found, with_all_rights)
    with_all_rights.dispose()


def behind_its_back(session: Session) -> None:
    """No trigger and no foreign key for this transaction."""
    session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")


@pytest.fixture(scope="module")
def standing(server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """One trial for a whole file of tests; each tampers inside a transaction that it rolls back."""
    database = server.clone()
    engine = make_engine(database.app_url, pool_size=2)
    found = Database(engine, tmp_path_factory.mktemp("anchors") / "anchors.jsonl")
    fill(found)
    tamper = make_engine(database.admin_url, pool_size=2).execution_options(isolation_level="REPEATABLE READ")
    yield Trial(found, tamper)
    engine.dispose()
    tamper.dispose()


@pytest.fixture
def back_door(standing: Trial) -> Iterator[Session]:
    """The superuser past every trigger, in a transaction that will be rolled back."""
    with Session(standing.tamper) as session, session.begin() as work:
        behind_its_back(session)
        yield session
        work.rollback()
