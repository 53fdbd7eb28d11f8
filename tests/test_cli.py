"""What the commands say before they do anything."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.servers import Database, roomy


@pytest.fixture
def var() -> Iterator[Path]:
    made = roomy()
    yield made
    subprocess.run(["/bin/rm", "-rf", str(made)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_whoever_ends_the_server_ends_its_database(var: Path, number: signal.Signals, workers: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = {name: word for name, word in os.environ.items() if not name.startswith("MARROW_")}
    served = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", f"--port={port}", f"--workers={workers}"],
        cwd=Path(__file__).parents[1],
        env=words | {"MARROW_VAR": str(var)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not _listens(port) and served.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    assert (var / "pg" / "postmaster.pid").exists()
    served.send_signal(number)
    assert served.wait(60) == 0
    assert not (var / "pg" / "postmaster.pid").exists()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


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
