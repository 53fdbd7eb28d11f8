"""Edit checks of one name on several forms, and those that only a batch asks: each is told from every other."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.capture.anew.derive import put_in_force
from app.core.transaction import see_all
from tests.rules_trial import RULES, open_rules
from tests.trial import SYSTEM, Trial, publish

LABS = {"sample_date": "2024-02-01", "alt": "900", "alt_uln": "40"}
VISIT = {"visit_date": "2024-03-10"}
BATCH = 'phases = ["batch"]\n'
RANGES = b"laboratory,analyte,unit,sex,age_from,age_to,valid_from,valid_to,low,high\nLOCAL,ALT,U/L,,,,,,,50\n"

Opening = Callable[[], Trial]


def rewritten(tree: Path, file: str, old: str, new: str, *, to: str | None = None) -> None:
    text = (tree / file).read_text(encoding="utf-8")
    assert old in text
    (tree / (to or file)).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files of the trial, to be rewritten."""
    return shutil.copytree(RULES, tmp_path / "rules")


@pytest.fixture
def opened(engine: Engine, tmp_path: Path, tree: Path) -> Opening:
    return lambda: open_rules(engine, tmp_path, tree)


def findings(trial: Trial) -> list[tuple[str, str]]:
    found = trial.coordinator.get("/findings").json()["items"]
    return sorted((each["form"], each["rule"]) for each in found)


def queries(trial: Trial) -> list[tuple[str, str, str]]:
    found = trial.coordinator.get("/queries").json()["items"]
    return sorted((each["form"], each["rule"], each["state"]) for each in found)


def test_a_check_of_another_form_with_the_name_of_one_is_not_that_one(tree: Path, opened: Opening) -> None:
    rewritten(tree, "library/visit/v1.toml", 'id = "short_reason"\n', f'id = "far_above"\n{BATCH}')
    trial = opened()
    subject = trial.coordinator.subject("HZ01")
    trial.coordinator.enter(subject, "SCR", "labs", LABS)
    trial.coordinator.enter(subject, "SCR", "visit", VISIT)
    stands = [("labs", "check:far_above")]
    assert findings(trial) == stands
    assert trial.keeper.post("/derive").json()["deviations"] == []
    put = trial.keeper.call(
        "PUT", "/sites/HZ01/ranges", content=RANGES, params={"reason": "New analyser"},
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    assert put.status_code == 200, put.text
    moved = trial.keeper.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved house"})
    assert moved.status_code == 200, moved.text
    assert findings(trial) == stands
    trial.verified()


def test_a_late_check_with_the_name_of_another_closes_nothing_of_it(tree: Path, opened: Opening) -> None:
    rewritten(tree, "studies/RULES/v1.toml", 'id = "outside_window"', 'id = "far_above"')
    trial = opened()
    subject = trial.coordinator.subject()
    trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-01-01"})
    trial.coordinator.enter(subject, "SCR", "labs", LABS)
    trial.coordinator.enter(subject, "D30", "visit", VISIT)
    both = [("labs", "check:far_above"), ("visit", "check:far_above")]
    assert findings(trial) == both
    assert queries(trial) == [(*each, "open") for each in both]
    in_window = VISIT | {"visit_date": "2024-02-01"}
    trial.coordinator.enter(subject, "D30", "visit", in_window, revision=1, reason="Misread")
    assert findings(trial) == both[:1]
    trial.verified()


def test_what_a_batch_found_by_windows_stands_until_a_batch_asks_again(tree: Path, opened: Opening) -> None:
    rewritten(tree, "studies/RULES/v1.toml", 'id = "outside_window"\n', f'id = "outside_window"\n{BATCH}')
    trial = opened()
    subject = trial.coordinator.subject()
    trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-01-01"})
    trial.coordinator.enter(subject, "D30", "visit", VISIT)
    assert trial.keeper.post("/checks/run").json()["opened"] == {"visit_date check:outside_window": 1}
    asked = [("visit", "check:outside_window", "open")]
    trial.coordinator.enter(subject, "SCR", "labs", LABS | {"alt": "50"})
    assert queries(trial) == asked
    trial.coordinator.enter(subject, "D30", "visit", {"visit_date": "2024-02-01"}, revision=1, reason="Misread")
    assert queries(trial) == asked
    assert trial.keeper.post("/checks/run").json()["closed"] == {"visit_date check:outside_window": 1}
    assert queries(trial) == [(*asked[0][:2], "closed")]
    trial.verified()


def test_a_page_of_an_older_form_is_asked_by_its_own_check_of_a_name(tree: Path, opened: Opening) -> None:
    trial = opened()
    subject = trial.coordinator.subject("HZ01")
    trial.coordinator.enter(subject, "SCR", "labs", LABS)
    labs = "library/labs/v11.toml"
    _, found, tail = (tree / labs).read_text(encoding="utf-8").partition('[[check]]\nid = "far_above"\n')
    own, later, _ = tail.partition("[[check]]\n")
    rewritten(tree, labs, found + own + later, later, to="library/labs/v12.toml")
    rewritten(tree, "library/labs/v12.toml", "version = 11\n", "version = 12\n")
    moved = f'[[check]]\nid = "far_above"\nform = "labs"\n{BATCH}{own}'
    study = "studies/RULES/v2.toml"
    rewritten(tree, "studies/RULES/v1.toml", "version = 1\n", "version = 2\n", to=study)
    rewritten(tree, study, "labs = 11\n", "labs = 12\n")
    (tree / study).write_text((tree / study).read_text(encoding="utf-8") + "\n" + moved, encoding="utf-8")
    publish(trial.database, tree)
    with trial.database.writing() as session:
        see_all(session)
        put_in_force(session, SYSTEM, "RULES", "HZ01", 2, approved_on=date(2024, 1, 1), reason="Approved")
    assert findings(trial) == [("labs", "check:far_above")]
