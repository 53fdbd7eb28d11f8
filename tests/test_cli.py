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
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=str)
def test_whoever_ends_the_server_ends_its_database(var: Path, number: signal.Signals, workers: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = {name: word for name, word in os.environ.items() if not name.startswith("MARROW_")}
    before = signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may ignore it, as nohup does
    served = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", f"--port={port}", f"--workers={workers}"],
        cwd=Path(__file__).parents[1],
        env=words | {"MARROW_VAR": str(var)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    signal.signal(number, before)
    try:
        until = time.monotonic() + 60
        while not _listens(port) and served.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert (var / "pg" / "postmaster.pid").exists()
        served.send_signal(number)
        assert served.wait(60) == 0
        assert not (var / "pg" / "postmaster.pid").exists()
    finally:
        served.kill()
        served.wait()


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


FACTS = str(Path(__file__).parent / "clinical" / "vectors" / "endpoints.csv")
FORMS = str(Path(__file__).parents[1] / "forms")


@pytest.mark.parametrize(
    "words",
    [
        ["export", "TRIAL", "--out"],
        ["cut", "export", "TRIAL", "interim", "--out"],
        ["endpoints", "--facts", FACTS, "--forms", FORMS, "--out"],
        ["grade", "nyha", "--in", "file", "--out"],
        ["backup"],
    ],
    ids=lambda words: words[0],
)
def test_what_is_no_file_is_not_written(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("MARROW_DATABASE_URL", database.app_url)
    monkeypatch.setenv("MARROW_OWNER_URL", database.owner_url)
    monkeypatch.setenv("MARROW_VAR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("limitation\n")
    for wrong in (tmp_path, tmp_path / "none" / "out", tmp_path / "file" / "out"):
        told = CliRunner().invoke(app, [*words, str(wrong)])
        assert (told.exit_code, told.stdout) == (2, ""), told.output
        assert str(wrong if wrong == tmp_path else wrong.parent) in told.stderr
        assert told.stderr.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("words", [["forms", "schema"], ["endpoints", "--facts", FACTS, "--out", "o", "--forms"]])
def test_a_file_is_no_folder(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").touch()
    assert CliRunner().invoke(app, [*words, str(tmp_path / "file")]).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["admin", "create", "root", "--name", "Root", "--password-file"],
        ["study", "migrate", "T", "--to", "2", "--plan"],
    ],
    ids=lambda words: words[0],
)
def test_a_file_that_is_no_text_is_not_read(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    told = CliRunner().invoke(app, [*words, str(tmp_path / "file")])
    assert (told.exit_code, "UTF-8" in told.stderr) == (2, True), told.output


@pytest.mark.parametrize("words", [["import", "TH\udcff", "labs", "x"], ["cut", "list", "\udcff"], ["\ud800"]])
def test_bytes_that_are_no_text_are_not_taken(words: list[str]) -> None:
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 2
    assert "UTF-8" in told.stderr


@pytest.mark.parametrize("words", [["cut", "list", "TRIAL"], ["restore", FACTS]])
def test_data_that_cannot_lie_there_are_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("MARROW_DATABASE_URL", raising=False)
    monkeypatch.setenv("MARROW_VAR", str(tmp_path / "file"))
    told = CliRunner().invoke(app, words)
    assert (told.exit_code, "MARROW_VAR" in told.stderr) == (3, True), told.output
