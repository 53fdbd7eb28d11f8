"""A small trial at two sites, a second trial beside it, and a cast with a person for every role."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx2
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.access import accounts, grants, tokens
from app.access.actor import SystemActor
from app.access.permissions import Role
from app.audit.verify import verify
from app.core.transaction import Database, see_all
from app.main import create_app
from app.models.access import TokenKind
from app.settings import Settings
from app.study.check import read_tree
from app.study.publish import publish_tree

FORMS = Path(__file__).parent / "data" / "forms"
PASSWORD = "seven grey herons wade"
SYSTEM = SystemActor(source="test")
CAST: dict[str, tuple[str, Role, str | None]] = {
    "nurse": ("TRIAL", Role.COORDINATOR, "HZ01"),
    "doctor": ("TRIAL", Role.INVESTIGATOR, "HZ01"),
    "nurse2": ("TRIAL", Role.COORDINATOR, "HZ02"),
    "monitor": ("TRIAL", Role.MONITOR, "HZ01"),
    "manager": ("TRIAL", Role.DATA_MANAGER, None),
    "manager2": ("TRIAL", Role.DATA_MANAGER, None),
    "statistician": ("TRIAL", Role.STATISTICIAN, None),
    "sponsor": ("TRIAL", Role.SPONSOR, None),
    "inspector": ("TRIAL", Role.INSPECTOR, None),
    "builder": ("-", Role.BUILDER, None),
    "administrator": ("-", Role.ADMINISTRATOR, None),
    "stranger": ("OTHER", Role.COORDINATOR, "NB01"),
}
API = "/api/v1/studies/TRIAL"


@dataclass
class Person:
    """Somebody with a token, who speaks HTTP."""

    client: TestClient
    token: str

    def call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return self.client.request(method, path if path.startswith("/api") else API + path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> httpx2.Response:
        return self.call("POST", path, json=json, **more)

    def subject(self, site: str = "HZ01", **more: Any) -> str:
        """The number of a new subject."""
        made = self.post("/subjects", {"site": site} | more)
        assert made.status_code == 201, made.text
        return str(made.json()["subject_id"])

    def save(
        self, subject: str, visit: str, form: str, answers: Any, *, revision: int = 0, headers: Any = None, **body: Any
    ) -> httpx2.Response:
        """Put a page upon the revision named; 0 is a page not there yet."""
        seen = {"If-Match": f'"{revision}"'} if revision else {"If-None-Match": "*"}
        path = f"/subjects/{subject}/visits/{visit}/forms/{form}"
        return self.call("PUT", path, json={"answers": answers} | body, headers=seen if headers is None else headers)

    def enter(self, subject: str, visit: str, form: str, answers: Any, **more: Any) -> dict[str, Any]:
        """Put a page and be sure that it was stored."""
        saved = self.save(subject, visit, form, answers, **more)
        assert saved.status_code in {200, 201}, saved.text
        return dict(saved.json())

    def endpoint(self, subject: str, code: str, variant: str = "PRIMARY", **query: Any) -> dict[str, Any]:
        found = self.get(f"/subjects/{subject}/endpoints", params=query)
        assert found.status_code == 200, found.text
        return dict(found.json()["endpoints"][code][variant])


@dataclass
class Trial:
    """The application on a database of its own, with both trials published and the cast signed in."""

    database: Database
    client: TestClient
    cast: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        return self.cast[name]

    @classmethod
    def open(cls, engine: Engine, folder: Path) -> Self:
        database = Database(engine, folder / "anchors.jsonl")
        publish(database, FORMS)
        app = create_app(Settings(), database)
        client = TestClient(app, raise_server_exceptions=False)
        return cls(database, client, {name: Person(client, token) for name, token in _sign_in(database).items()})

    def verified(self) -> None:
        """The trail reproduces every row there is."""
        with self.database.reading() as session:
            report = verify(session, self.database.anchors)
        assert report.ok, str(report)


def publish(database: Database, forms: Path) -> None:
    tree = read_tree(forms)
    assert not tree.mistakes, [str(mistake) for mistake in tree.mistakes]
    with database.writing() as session:
        see_all(session)
        list(publish_tree(session, SYSTEM, tree))


def _sign_in(database: Database) -> dict[str, str]:
    issued = {}
    with database.writing() as session:
        see_all(session)
        for name, (study, role, site) in CAST.items():
            account = accounts.open_account(session, SYSTEM, name, f"{name.title()} of the cast", PASSWORD)
            grants.give(session, SYSTEM, study, username=name, role=role, site_id=site, reason="Cast")
            made = tokens.issue(session, account["account_id"], TokenKind.SESSION, lasts=timedelta(hours=1))
            issued[name] = made.token
    return issued
