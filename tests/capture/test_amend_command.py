"""Plans by command: looked at unless it is said to run, and named answer by answer where something is left open."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.stories.second import PLAN, second
from tests.trial import Trial, publish

LABS = {"sample_date": "2024-01-09", "hb": "97", "anc": "1.2", "drugs": [{"drug": "X", "dose": "5"}]}
TO_RUN = ["--run", "--approved", "2024-03-01", "--reason", "Amendment 1"]


@pytest.fixture
def two(trial: Trial, tmp_path: Path) -> Trial:
    """A subject at each site under version 1; version 2 is released."""
    for person, site, number in ((trial.nurse, "HZ01", "A"), (trial.nurse2, "HZ02", "B")):
        person.subject(site, number=number)
        person.enter(number, "SCR", "labs", LABS)
    publish(trial.database, second(tmp_path / "forms"))
    return trial


def versions(trial: Trial) -> dict[str, int]:
    sites = trial.builder.get("/api/v1/studies/TRIAL").json()["sites"]
    return {each["site_id"]: each["version"] for each in sites}


def migrate(command: CliRunner, *more: str, plan: Path = PLAN, to: str = "2") -> Any:
    return command.invoke(app, ["study", "migrate", "TRIAL", "--to", to, "--plan", str(plan), *more])


def test_without_run_it_only_looks(two: Trial, command: CliRunner) -> None:
    shown = migrate(command)
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines() == [
        "A (HZ01)",
        "  SCR labs: version 1 -> 2, items anc, dose, plt",
        "    retired: dose (row 1)",
        "B (HZ02)",
        "  SCR labs: version 1 -> 2, items anc, dose, plt",
        "    retired: dose (row 1)",
        "2 subjects, 2 pages, 2 orphans, 0 reopened, 0 queries, 0 verified, 0 signatures, 0 left, 0 unresolved.",
    ]
    assert versions(two) == {"HZ01": 1, "HZ02": 1}
    assert two.builder.get("/migrations").json()["items"] == []


def test_a_name_that_is_misspelt_is_no_success(two: Trial, command: CliRunner) -> None:
    assert migrate(command, "--site", "HZ09", *TO_RUN).exit_code == 2
    for words in (["checks", "run", "TRAIL"], ["derive", "TRAIL"], ["audit", "signatures", "TRAIL"]):
        assert command.invoke(app, words).exit_code == 1, words
    assert command.invoke(app, ["forms", "check", "nowhere"]).exit_code == 2
    assert command.invoke(app, ["forms", "check", str(PLAN)]).exit_code == 2
    assert versions(two) == {"HZ01": 1, "HZ02": 1}


def test_with_run_each_site_or_the_one_named_is_migrated(two: Trial, command: CliRunner) -> None:
    one = migrate(command, "--site", "HZ02", *TO_RUN)
    assert one.exit_code == 0, one.output
    assert versions(two) == {"HZ01": 1, "HZ02": 2}
    rest = migrate(command, *TO_RUN)
    assert "TRIAL, site HZ01: version 2, 1 pages." in rest.output
    assert "HZ02" not in rest.output
    back = command.invoke(app, ["study", "rollback", "TRIAL", "HZ02", "--reason", "Withdrawn"])
    assert back.output == "TRIAL, site HZ02: version 1, 1 pages as before\n"
    assert versions(two) == {"HZ01": 2, "HZ02": 1}
    again = command.invoke(app, ["study", "rollback", "TRIAL", "HZ02", "--reason", "Withdrawn"])
    assert again.exit_code == 1
    two.verified()


def test_what_is_left_open_is_named_and_nothing_is_changed(two: Trial, command: CliRunner) -> None:
    number = "999999999999999"
    two.nurse.enter("A", "UNS", "labs", LABS | {"anc": number})
    for more in ([], TO_RUN):
        shown = migrate(command, *more)
        assert shown.exit_code == 1
        assert "    UNRESOLVED: anc: " in shown.output
        assert number not in shown.output
    assert versions(two) == {"HZ01": 1, "HZ02": 1}


def test_a_rollback_that_cannot_be_says_where(two: Trial, command: CliRunner) -> None:
    assert migrate(command, *TO_RUN).exit_code == 0
    now = two.nurse.get("/subjects/A/visits/SCR/forms/labs").json()["answers"] | {"plt": 150}
    two.nurse.enter("A", "SCR", "labs", now, revision=2, reason="Found in the source")
    shown = command.invoke(app, ["study", "rollback", "TRIAL", "HZ01", "--reason", "Withdrawn"])
    assert shown.exit_code == 1
    assert "    UNRESOLVED: plt: " in shown.output
    assert versions(two)["HZ01"] == 2
    two.verified()


def test_a_command_that_does_not_fit_its_plan_is_refused(two: Trial, command: CliRunner, tmp_path: Path) -> None:
    assert migrate(command, "--run").exit_code == 2
    assert migrate(command, to="3").exit_code == 2
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN.read_text(encoding="utf-8").replace('item = "dose"', 'item = "doze"'), encoding="utf-8")
    wrong = migrate(command, plan=plan)
    assert wrong.exit_code == 1
    assert "/plan: Line " in wrong.stderr
    assert versions(two) == {"HZ01": 1, "HZ02": 1}
