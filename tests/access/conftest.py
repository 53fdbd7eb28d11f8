"""Two studies, their sites, and a person for every role; time stands still until a test moves it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import dict_row
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app import models
from app.access import accounts, grants, passwords, routes
from app.access.actor import SystemActor
from app.access.permissions import Role
from app.audit import System, change, start_chain
from app.core import clock
from app.core.provision import libpq
from app.core.transaction import Database, see, see_all
from app.main import ROUTERS, assemble
from app.settings import Settings

PASSWORD = "seven grey herons wade"
STUDIES = {"T1": ("HZ01", "HZ02"), "T2": ("NB01",)}
CAST: dict[str, tuple[str, Role, str | None]] = {
    "crc": ("T1", Role.COORDINATOR, "HZ01"),
    "crc2": ("T1", Role.COORDINATOR, "HZ02"),
    "inv": ("T1", Role.INVESTIGATOR, "HZ01"),
    "cra": ("T1", Role.MONITOR, "HZ01"),
    "dm": ("T1", Role.DATA_MANAGER, None),
    "stat": ("T1", Role.STATISTICIAN, None),
    "spon": ("T1", Role.SPONSOR, None),
    "insp": ("T1", Role.INSPECTOR, None),
    "build": ("-", Role.BUILDER, None),
    "admin2": ("-", Role.ADMINISTRATOR, None),
    "other": ("T2", Role.DATA_MANAGER, None),
}


@dataclass
class Clock:
    """What `clock.now` says."""

    moment: datetime

    def now(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class World:
    """The application, with its people and its trail."""

    app: FastAPI
    database: Database
    admin_url: str
    clock: Clock
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://testserver", raise_server_exceptions=False)

    def sign_in(self, username: str, password: str = PASSWORD) -> Any:
        return self.client().post("/api/v1/session", json={"username": username, "password": password})

    def call(self, who: str | None, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request of somebody, signed in at their first."""
        if who is not None:
            if who not in self.tokens:
                self.tokens[who] = self.sign_in(who).json()["token"]
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        return self.client().request(method, f"/api/v1{path}", json=body, headers=headers)

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """As the superuser, past every wall."""
        with psycopg.connect(libpq(self.admin_url), row_factory=dict_row) as connection:
            return list(connection.execute(statement))

    def trail(self, study_id: str = "-") -> list[dict[str, Any]]:
        return [row for row in self.rows("SELECT * FROM change ORDER BY seq") if row["study_id"] == study_id]

    def actions(self, study_id: str = "-") -> list[str]:
        return [row["action"] for row in self.trail(study_id)]


def build(database: Database) -> None:
    """The studies, their sites and their people, as commands on the server make them."""
    for study_id, sites in STUDIES.items():
        with database.writing() as session:
            see(session, study_id)
            start_chain(session, study_id)
            with change(session, study_id, by=System(), action="study.publish") as made:
                published = {"change_id": made.change_id, "published_at": made.at, "digest": "0", "definition": {}}
                study = {"study_id": study_id, "title": {}, "zone": "Asia/Shanghai", "created_at": made.at}
                made.insert(models.study, study)
                made.insert(models.study_version, {"study_id": study_id, "version": 1, **published})
                rest = {"name": {}, "zone": "Asia/Shanghai", "version": 1, "last_number": 0}
                made.insert(models.site, *({"study_id": study_id, "site_id": site, **rest} for site in sites))
    with database.writing() as session:
        accounts.create_first_administrator(session, "admin", "Ada Ministrator", PASSWORD)
    boss = SystemActor()
    for username, (study_id, role, site_id) in CAST.items():
        with database.writing() as session:
            see_all(session)
            accounts.open_account(session, boss, username, f"Person {username}", PASSWORD)
        with database.writing() as session:
            see_all(session)
            grants.give(session, boss, study_id, username=username, role=role, site_id=site_id, reason="The cast")


one_hash = cache(passwords.hashed)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock(clock.now())
    monkeypatch.setattr(clock, "now", found.now)
    return found


@pytest.fixture
def world(engine: Engine, database: Any, tmp_path: Path, still: Clock) -> World:
    mine = Database(engine, tmp_path / "anchors.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hashed", one_hash)  # the cast shares a password, and so here its hash
        build(mine)
    app = assemble(Settings(var=tmp_path))
    for router in routes.ROUTERS:
        if router not in ROUTERS:
            app.include_router(router)
    app.state.database = mine
    return World(app, mine, database.admin_url, still)
