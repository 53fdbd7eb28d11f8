"""Commands on the database of the test, and a trial about to be amended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from app import console
from app.core.db import make_engine
from tests.capture.amending import begun
from tests.servers import Database
from tests.trial import Trial


@pytest.fixture
def command(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("MARROW_DATABASE_URL", database.app_url)
    monkeypatch.setenv("MARROW_VAR", str(tmp_path))
    opened: list[Engine] = []  # a command's connections end with its process; here they are closed

    def connected(url: str, *, pool_size: int) -> Engine:
        opened.append(make_engine(url, pool_size=pool_size))
        return opened[-1]

    monkeypatch.setattr(console, "make_engine", connected)
    yield CliRunner()
    for each in opened:
        each.dispose()


@pytest.fixture
def two(trial: Trial, tmp_path: Path) -> Trial:
    return begun(trial, tmp_path)
