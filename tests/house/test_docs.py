"""What the pages in docs/ and the README say is so: they are followed word by word."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app import cli
from app.core.db import make_engine
from app.core.transaction import Database as Store
from app.demo.people import introduce
from app.demo.run import published
from app.main import create_app
from app.settings import Settings
from tests.house.manual import Reader
from tests.servers import Database

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def reader(engine: Engine, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Somebody in an empty folder, with commands and application on one database."""
    anchors = tmp_path / "anchors" / "anchors.jsonl"
    anchors.parent.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name, value in {
        "DATABASE_URL": database.app_url,
        "OWNER_URL": database.owner_url,
        "ANCHORS": anchors,
        "VAR": tmp_path / "var",
    }.items():
        monkeypatch.setenv(f"MARROW_{name}", str(value))
    opened: list[Engine] = []  # a command that fails ends its process with its connections; here they are closed
    monkeypatch.setattr(cli, "make_engine", lambda url, **more: opened.append(make_engine(url, **more)) or opened[-1])
    store = Store(engine, anchors)
    yield Reader(TestClient(create_app(Settings(), store), raise_server_exceptions=False), work)
    for each in opened:
        each.dispose()


@pytest.mark.parametrize("name", ["docs/tour.md", "README.md"])
def test_the_tour_leads_where_it_says(name: str, reader: Reader, engine: Engine) -> None:
    store = reader.client.app.state.database  # type: ignore[attr-defined]
    introduce(store, published(store))
    assert list(reader.follow(page(name))) == []


@pytest.mark.parametrize("name", ["docs/build-a-study.md", "docs/import.md"])
def test_a_guide_works_from_an_empty_folder(name: str, reader: Reader) -> None:
    assert list(reader.follow(page(name))) == []
