"""What the commands say before they do anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.servers import Database


@pytest.mark.parametrize("words", [["migrate"], ["backup", "out.tar"]])
def test_what_the_owner_does_asks_for_the_owner(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MARROW_OWNER_URL", raising=False)
    monkeypatch.setenv("MARROW_DATABASE_URL", database.app_url)
    monkeypatch.setenv("MARROW_VAR", str(tmp_path))
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 2
    assert "MARROW_OWNER_URL" in told.stderr
    assert not Path("out.tar").exists()
