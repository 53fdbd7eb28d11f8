"""The application as it starts, and what it refuses to start on."""

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from app import main, models
from app.core.db import make_engine
from app.core.http import Router
from app.core.opening import Opening
from app.core.transaction import Database, see
from app.settings import Settings
from tests.core import toy
from tests.servers import Database as Clone


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Database:
    return Database(engine, tmp_path / "anchors.jsonl")


@pytest.fixture
def app(place: Database) -> FastAPI:
    return main.create_app(Settings(), place)


def test_it_starts_lives_and_is_ready(app: FastAPI) -> None:
    with TestClient(app) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        ready = client.get("/health/ready")
    assert ready.status_code == 200
    assert set(ready.json()["checks"].values()) == {"ok"}


def test_its_reference_page_is_shown_under_a_policy_of_its_own(app: FastAPI) -> None:
    with TestClient(app) as client:
        page = client.get("/docs")
    assert page.status_code == 200
    assert "style-src 'unsafe-inline'" in page.headers["content-security-policy"]
    assert "script" not in page.headers["content-security-policy"]


def test_it_is_not_ready_without_its_database_and_still_lives(tmp_path: Path, app: FastAPI) -> None:
    app.state.database = Database(make_engine("postgresql://marrow@127.0.0.1:9/none"), tmp_path / "anchors.jsonl")
    with TestClient(app) as client:
        answer = client.get("/health/ready")
        assert client.get("/health/live").status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    assert answer.json()["checks"]["database"] == "does not answer"
    assert answer.headers["retry-after"]


def test_it_is_not_ready_on_another_schema(app: FastAPI) -> None:
    app.state.schema_code = "9999"
    with TestClient(app) as client:
        assert "schema" in client.get("/health/ready").text


def test_it_is_not_ready_when_anchors_have_no_place(app: FastAPI, place: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app.state.database = Database(place.engine, tmp_path / "file" / "anchors.jsonl")
    with TestClient(app) as client:
        assert client.get("/health/ready").json()["checks"]["anchors"] != "ok"


def test_it_does_not_start_on_a_database_that_is_not_there(tmp_path: Path) -> None:
    gone = Database(make_engine("postgresql://marrow@127.0.0.1:9/none"), tmp_path / "anchors.jsonl")
    with pytest.raises(main.StartRefusedError, match="cannot be reached"):
        main.create_app(Settings(), gone)


def test_it_does_not_start_on_a_schema_it_does_not_know(place: Database, owner_url: str) -> None:
    engine = create_engine(owner_url, poolclass=NullPool)
    with engine.begin() as owner:
        owner.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(main.StartRefusedError, match="9999"):
        main.create_app(Settings(), place)


def test_it_does_not_start_as_the_owner_of_the_tables(owner_url: str, tmp_path: Path) -> None:
    owner = Database(make_engine(owner_url), tmp_path / "anchors.jsonl")
    with pytest.raises(main.StartRefusedError, match="role"):
        main.create_app(Settings(), owner)
    owner.engine.dispose()


def test_it_does_not_take_a_router_that_reads_laxly(monkeypatch: pytest.MonkeyPatch) -> None:
    lax = APIRouter()
    lax.add_api_route("/lax", lambda: None)
    monkeypatch.setattr(main, "ROUTERS", (lax,))
    with pytest.raises(main.StartRefusedError, match="/lax"):
        main.assemble(Settings())


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(main.__file__).parents[1] / "pyproject.toml").read_text())
    assert project["project"]["version"] == main.VERSION


def test_a_refusal_that_must_be_remembered_is(place: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "ROUTERS", (toy.router,))
    with TestClient(main.create_app(Settings(), place)) as client:
        assert client.get("/api/v1/toy/traced").status_code == 409
    with place.reading() as session:
        see(session, models.SYSTEM)
        change = models.change
        found = session.execute(select(change).where(change.c.action == "sign.failed")).mappings().one()
    assert (found["actor"], found["source"], found["detail"]) == ("Nurse", "test", {"study": "S1"})
    assert place.anchors.read_text().count("\n") == 1


def test_a_refusal_that_cannot_be_remembered_is_not_answered_as_one(
    place: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(main, "ROUTERS", (toy.router,))
    app = main.create_app(Settings(), place)
    app.state.database = Database(make_engine("postgresql://marrow@127.0.0.1:9/none"), tmp_path / "anchors.jsonl")
    with TestClient(app) as client:
        assert client.get("/api/v1/toy/traced").status_code == 503


async def _session(request: Request) -> Opening[Session]:
    database: Database = request.app.state.database
    return Opening(request, database.writing())


def test_many_at_once_wait_their_turn_and_none_is_refused(
    database: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve times as many requests as connections: threads and connections never wait for each other."""
    router = Router(prefix="/busy", tags=["busy"])

    @router.get("", response_class=PlainTextResponse)
    def busy(session: Annotated[Session, Depends(_session)]) -> str:
        session.execute(text("SELECT pg_sleep(0.01)"))
        return "done"

    monkeypatch.setattr(main, "ROUTERS", (router,))
    small = Database(make_engine(database.app_url, pool_size=4, pool_timeout=1), tmp_path / "anchors.jsonl")
    app = main.create_app(Settings(pool_size=4, threads=4), small)
    with TestClient(app) as client, ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(lambda _: client.get("/busy").status_code, range(192)))
        turns = app.state.turns
        assert turns.value == 2
    assert set(answers) == {200}
    small.engine.dispose()
