"""A database of the benchmark's own: a server in a scratch folder, a study of forty-item pages, somebody who enters."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from app.access import accounts, grants, tokens
from app.access.actor import SystemActor
from app.access.permissions import Role
from app.bench.study import FORMS, ROUNDS, SITE, STUDY
from app.core import embedded
from app.core.db import make_engine, migrate
from app.core.transaction import Database, see_all
from app.models.access import TokenKind
from app.study.check import read_tree
from app.study.publish import publish_tree
from app.subjects import enrol

BY = SystemActor(source="bench")


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is measured."""

    folder: Path
    server: embedded.Server
    engine: Engine
    database: Database
    token: str

    def subjects(self, count: int) -> list[str]:
        """The numbers of so many new subjects."""
        with self.database.writing() as session:
            see_all(session)
            return [str(enrol.create(session, BY, STUDY, SITE)["subject_id"]) for _ in range(count)]


@contextmanager
def world(*, in_memory: bool) -> Iterator[World]:
    """A fresh world, gone afterwards; its data on the disk, as a user has them, or in /dev/shm."""
    folder = Path(tempfile.mkdtemp(prefix="marrow-bench-", dir="/dev/shm" if in_memory else None))  # noqa: S108 - own name
    folder.chmod(0o755)
    try:
        with embedded.start(folder / "pg") as server:
            migrate(server.owner_url, server.names.app)
            engine = make_engine(server.app_url)
            database = Database(engine, folder / "anchors.jsonl")
            try:
                yield World(folder, server, engine, database, prepared(database))
            finally:
                engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepared(database: Database) -> str:
    """Publish the study and let a coordinator in; their token."""
    with database.writing() as session:
        see_all(session)
        list(publish_tree(session, BY, read_tree(FORMS)))
        nurse = accounts.open_account(session, BY, "nurse", "Nurse of the benchmark", "seven grey herons wade")
        for study in (STUDY, ROUNDS):
            grants.give(session, BY, study, username="nurse", role=Role.COORDINATOR, site_id=SITE, reason="Benchmark")
        made = tokens.issue(session, nurse["account_id"], TokenKind.SESSION, lasts=timedelta(hours=2))
        return made.token
