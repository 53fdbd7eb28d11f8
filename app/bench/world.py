"""A database of the benchmark's own: a server in a scratch folder, a study of forty-item pages, somebody who enters."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine

from app.access import accounts, grants, tokens
from app.access.actor import SystemActor
from app.access.permissions import Role
from app.core import embedded
from app.core.db import make_engine, migrate
from app.core.transaction import Database, see_all
from app.models.access import TokenKind
from app.study.check import read_tree
from app.study.publish import publish_tree
from app.subjects import enrol

FORMS = Path(__file__).parent / "forms"
STUDY, SITE = "BENCH", "B01"
ITEMS = 40
"""Items of the page `panel`, two of them computed."""

BY = SystemActor(source="bench")
_ENROLLED = date(2026, 1, 5)


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
                yield World(folder, server, engine, database, _people(database))
            finally:
                engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _people(database: Database) -> str:
    with database.writing() as session:
        see_all(session)
        list(publish_tree(session, BY, read_tree(FORMS)))
        nurse = accounts.open_account(session, BY, "nurse", "Nurse of the benchmark", "seven grey herons wade")
        grants.give(session, BY, STUDY, username="nurse", role=Role.COORDINATOR, site_id=SITE, reason="Benchmark")
        made = tokens.issue(session, nurse["account_id"], TokenKind.SESSION, lasts=timedelta(hours=2))
        return made.token


def start_page() -> dict[str, Any]:
    """Answers of the page `start`."""
    return {"enrol_date": _ENROLLED.isoformat(), "arm": "A"}


def panel_page(number: int, seed: int = 0) -> dict[str, Any]:
    """Answers of the page `panel` at the visit of that number: full, and the same for the same arguments."""
    of = Random(seed * 1000 + number)  # noqa: S311 - made-up laboratory values
    values = {f"test{place:02d}": str(Decimal(of.randrange(100, 80000)) / 100) for place in range(1, 30)}
    return values | {
        "visit_date": (_ENROLLED + timedelta(days=7 * number)).isoformat(),
        "response": of.choices(("CR", "NR", "RELAPSE"), (6, 3, 1))[0],
        "transfused": "Y",
        "units_given": of.randrange(1, 4),
        "infection": "Y",
        "infection_site": "Lung, right lower lobe",
        "remark": "Seen by the ward physician; continues as planned",
        "weight": str(Decimal(of.randrange(450, 950)) / 10),
        "height": str(Decimal(of.randrange(1500, 1900)) / 10),
    }
