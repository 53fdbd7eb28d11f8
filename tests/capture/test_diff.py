"""What differs between released versions over HTTP and by command, and how far each difference reaches."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.stories.second import second
from tests.trial import FORMS, Trial, publish

LABS = {"sample_date": "2024-01-09", "hb": "97"}
DRUG = {"drug": "X", "dose": "5"}


@pytest.fixture
def two(trial: Trial, tmp_path: Path) -> Trial:
    """Both versions released, and pages of three subjects at two sites under the first."""
    first, other = trial.nurse.subject(), trial.nurse.subject()
    trial.nurse.enter(first, "SCR", "consent", {"consent_date": "2024-01-02", "note": "Seen"})
    trial.nurse.enter(first, "SCR", "labs", LABS | {"anc": "1.2", "drugs": [DRUG, DRUG]})
    trial.nurse.enter(first, "UNS.2", "labs", LABS | {"anc": "0.4"})
    trial.nurse.enter(other, "SCR", "labs", LABS, complete=False)
    trial.nurse.enter(other, "LOG", "ae", {"term": "Rash", "start": {"missing": "unknown"}, "signs": ["R"]})
    trial.nurse.enter(other, "D30", "response", {"assess_date": "2024-02-01", "response": "NR"})
    third = trial.nurse2.subject("HZ02")
    trial.nurse2.enter(third, "SCR", "labs", LABS | {"anc": "2"})
    void = f"/subjects/{third}/visits/SCR/forms/labs/void"
    assert trial.nurse2.post(void, {"reason": "Wrong"}, headers={"If-Match": '"1"'}).status_code == 200
    trial.nurse2.enter(third, "D30", "labs", LABS | {"anc": "2"})
    publish(trial.database, second(tmp_path / "forms"))
    return trial


def told(answer: Any) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    return {(each["path"], each["kind"]): (each["subjects"], each["values"]) for each in answer["items"]}


def test_a_version_and_itself_do_not_differ(trial: Trial) -> None:
    assert trial.nurse.get("/versions/1/diff/1").json() == {"worst": None, "items": []}


def test_every_difference_says_what_it_touches(two: Trial) -> None:
    found = two.manager.get("/versions/1/diff/2", params={"counts": True})
    assert found.status_code == 200, found.text
    reach = told(found.json())
    assert found.json()["worst"] == "destructive"
    assert reach["form consent, item note", "item-removed"] == (1, 1)
    assert reach["form labs, item anc, unit", "unit"] == (2, 3)
    assert reach["form labs, item dose", "item-removed"] == (1, 2)
    assert reach["form labs, item plt", "added-required"] == (2, 3)
    assert reach["form ae, item signs, codes", "code-removed"] == (1, 1)
    assert reach["form ae, item start, missing", "missing-removed"] == (1, 1)
    codes = [each for each in found.json()["items"] if each["path"] == "form response, item response, codes"]
    assert {each["words"]: each["values"] for each in codes if each["kind"] == "code-removed"} == {
        "the code RELAPSE goes": 0, "the code NR goes": 1,
    }  # fmt: skip
    assert reach["visit D30, window", "window-narrowed"] == (2, 2)
    assert reach["visit D60", "added"] == (0, 0)


def test_counts_are_those_of_ones_own_sites_and_only_where_they_are_asked_for(two: Trial) -> None:
    mine = told(two.nurse.get("/versions/1/diff/2", params={"counts": True}).json())
    assert mine["form labs, item anc, unit", "unit"] == (1, 2)
    plain = told(two.nurse.get("/versions/1/diff/2").json())
    assert set(plain.values()) == {(None, None)}


def test_counts_are_for_those_who_read_pages(two: Trial) -> None:
    assert two.sponsor.get("/versions/1/diff/2").status_code == 200
    assert two.sponsor.get("/versions/1/diff/2", params={"counts": True}).status_code == 403
    assert two.stranger.get("/versions/1/diff/2").status_code == 404
    assert two.nurse.get("/versions/1/diff/3").status_code == 404


def test_differences_are_told_in_chinese_too(two: Trial) -> None:
    items = two.nurse.get("/versions/1/diff/2", headers={"Accept-Language": "zh"}).json()["items"]
    assert {each["words"] for each in items if each["kind"] == "item-removed"} == {"项目取消"}


def test_the_command_reads_files_and_counts_where_it_is_told_to(two: Trial, command: CliRunner, tmp_path: Path) -> None:
    forms = str(tmp_path / "forms")
    shown = command.invoke(app, ["study", "diff", "TRIAL", "1", "2", "--forms", forms])
    assert shown.exit_code == 0, shown.output
    assert "destructive  form consent, item note" in shown.output
    assert shown.output.endswith("25 differences.\n")
    live = command.invoke(app, ["study", "diff", "TRIAL", "1", "2", "--forms", forms, "--live", "--json"])
    assert live.exit_code == 0, live.output
    same = two.manager.get("/versions/1/diff/2", params={"counts": True}).json()["items"]
    assert json.loads(live.output) == same


def test_a_version_that_is_not_in_the_folder_is_named(command: CliRunner) -> None:
    shown = command.invoke(app, ["study", "diff", "TRIAL", "1", "2", "--forms", str(FORMS)])
    assert shown.exit_code == 2
    assert "version 2" in shown.stderr
