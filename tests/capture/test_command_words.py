"""What commands are told is held to the rules of the API: reasons and names."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from app import models
from app.cli import app
from app.core.transaction import see_all
from tests.stories.second import PLAN, second
from tests.trial import Trial, publish

REASONS = ["", " ", "x", "x" * 2001, "tur\u202ened"]
COMMANDS = {
    "cut create": ["cut", "create", "TRIAL", "interim"],
    "study activate": ["study", "activate", "TRIAL", "HZ01", "2", "--approved", "2024-03-01"],
    "study migrate": [
        "study", "migrate", "TRIAL", "--to", "2", "--plan", str(PLAN), "--run", "--approved", "2024-03-01"
    ],
    "study rollback": ["study", "rollback", "TRIAL", "HZ02"],
    "study ranges": ["study", "ranges", "TRIAL", "HZ01", "ranges.csv"],
    "import": ["import", "TRIAL", "labs", "labs.csv"],
}  # fmt: skip


@pytest.fixture
def second_version(trial: Trial, command: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """Version 2 is released, and in force at one site of two; a file is there that changes a page."""
    trial.nurse.subject("HZ01", number="A")
    trial.nurse.enter("A", "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97"})
    publish(trial.database, second(tmp_path / "forms"))
    moved = command.invoke(app, [*COMMANDS["study migrate"], "--site", "HZ02", "--reason", "Amendment 1"])
    assert moved.exit_code == 0, moved.output
    (tmp_path / "ranges.csv").write_text("laboratory,analyte\n")
    (tmp_path / "labs.csv").write_text("subject,visit,revision,sample_date,hb\nA,SCR,1,2024-01-09,98\n")
    monkeypatch.chdir(tmp_path)
    return trial


def changes(trial: Trial) -> int:
    with trial.database.reading() as session:
        see_all(session)
        return session.execute(select(func.count()).select_from(models.change)).scalar_one()


def test_a_reason_is_the_same_for_a_command_as_over_http(second_version: Trial, command: CliRunner) -> None:
    before = changes(second_version)
    for name, words in COMMANDS.items():
        for reason in REASONS:
            told = command.invoke(app, [*words, "--reason", reason])
            assert (told.exit_code, "reason: " in told.stderr) == (1, True), (name, len(reason), told.output)
            assert len(reason) == 1 or not reason.strip() or reason not in told.output
    new = Path("labs.csv").with_name("new.csv")
    new.write_text("subject,visit,sample_date,hb\nA,D30,2024-02-09,98\n")
    told = command.invoke(app, ["import", "TRIAL", "labs", str(new), "--reason", "x"])  # also where none is needed
    assert (told.exit_code, "reason: " in told.stderr) == (1, True), told.output
    assert changes(second_version) == before
    for name in ("study rollback", "import"):
        told = command.invoke(app, [*COMMANDS[name], "--reason", " Taken\nback "])
        assert told.exit_code == 0, told.output
    with second_version.database.reading() as session:
        see_all(session)
        kept = select(models.change.c.reason).where(models.change.c.action.in_(["migration.roll_back", "record.save"]))
        assert set(session.execute(kept).scalars()) == {None, "Taken\nback"}


def test_a_cut_has_a_name_that_fits_into_an_address(trial: Trial, command: CliRunner) -> None:
    before = changes(trial)
    for name in ("", "../x", "a b", "x" * 300, "x" * 65, "ü", "x\n"):
        told = command.invoke(app, ["cut", "create", "TRIAL", name, "--reason", "Interim analysis 1"])
        assert (told.exit_code, "/name: " in told.stderr) == (1, True), (name, told.output)
    assert changes(trial) == before
    assert command.invoke(app, ["cut", "create", "TRIAL", "x" * 64, "--reason", "Interim"]).exit_code == 0


def test_what_is_not_there_is_not_published_in_silence(trial: Trial, command: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    second(tmp_path / "forms")
    before = changes(trial)
    for words in ([str(tmp_path / "empty")], [str(tmp_path / "forms"), "--only", "TRIAL", "--only", "TRAIL"]):
        told = command.invoke(app, ["study", "publish", *words])
        assert (told.exit_code, told.stderr.startswith("Nothing was published: ")) == (1, True), told.output
    assert changes(trial) == before
