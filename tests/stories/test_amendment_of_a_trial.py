"""Version 3 of a trial of the repository, the example in docs/examples/amendment: from its files to pages and back.

A new item, a renamed item, a code that becomes another, a new visit and a wider window.
"""

import shutil
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.capture import read
from app.capture.amend import migrate
from app.capture.amend.outlook import totals
from app.capture.anew.derive import put_in_force
from app.capture.save import save
from app.core.transaction import Database, see_all
from app.forms.answers import Context, judge
from app.study.changes import Effect
from app.study.check import Tree, read_tree
from app.study.compare import compare, worst
from app.study.migration import Passage
from app.study.publish import publish
from app.subjects import enrol
from app.subjects.facts import Place
from tests.study.drawn import counted, pages
from tests.trial import SYSTEM

ROOT = Path(__file__).parents[2]
STUDY = "NCT06125106"
APPROVED = date(2024, 3, 1)
INFECTION = {
    "onset_date": "2024-02-02", "kind": "BACTERIAL", "organism": "E. coli", "site": ["BLOOD"], "certainty": "PROVEN",
    "grade": "3", "neutropenic": "Y", "treatment": ["ANTIBACTERIAL"], "outcome": "ONGOING",
}  # fmt: skip
NOT_FOUND = {key: value for key, value in INFECTION.items() if key != "organism"} | {"kind": "UNKNOWN"}


@cache
def tree() -> Tree:
    """The forms of the repository with the example laid over them."""
    with TemporaryDirectory() as folder:
        forms = Path(shutil.copytree(ROOT / "forms", Path(folder) / "forms"))
        shutil.copytree(ROOT / "docs" / "examples" / "amendment", forms, dirs_exist_ok=True)
        return read_tree(forms)


def passage() -> Passage:
    [plan] = tree().plans
    old, new = (tree().versions[STUDY, number].forms["infection"] for number in (2, 3))
    return Passage(old, new, plan.step("infection"))


def test_the_example_is_sound_and_differs_as_it_says() -> None:
    assert tree().mistakes == (), [str(mistake) for mistake in tree().mistakes]
    told = compare(tree().versions[STUDY, 2], tree().versions[STUDY, 3])
    assert worst(told) is Effect.DESTRUCTIVE
    assert {(each.path, each.kind) for each in told} >= {
        ("form infection, item on_prophylaxis", "added-required"),
        ("form infection, item neutropenic", "item-removed"),
        ("form infection, item kind, codes", "code-removed"),
        ("visit D540", "added"),
        ("visit D270, window", "window-widened"),
    }


def test_the_example_is_not_among_what_is_released() -> None:
    assert max(study.version for study in read_tree(ROOT / "forms").studies if study.study == STUDY) == 2


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_answer_of_a_page_is_lost_and_the_way_back_is_exact(data: st.DataObject) -> None:
    page = data.draw(pages(passage().old))
    then = passage().forward(page)
    assert (then.orphans, then.problems) == ((), ())
    assert counted(then.answers) == counted(page)
    made = passage().filled(then.answers, judge(passage().new, then.answers, Context()).complete)
    back = passage().back(page, made, made)
    assert (back.answers, back.problems) == (page, ())


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Database:
    """The trial at version 2 with a subject that has four infections, and version 3 released."""
    database = Database(engine, tmp_path / "anchors.jsonl")
    with database.writing() as session:
        see_all(session)
        for number in (2, 3):
            version = tree().versions[STUDY, number]
            publish(session, SYSTEM, version.study, version.forms)
    with database.writing() as session:
        see_all(session)
        enrol.create(session, SYSTEM, STUDY, "HZ01", number="A")
        enter(session, 1, INFECTION)
        enter(session, 2, NOT_FOUND)
        enter(session, 3, {"onset_date": "2024-02", "kind": "VIRAL"}, complete=False)
        graft = {"infusion_date": "2023-06-01", "on_study": "Y"}
        save(session, SYSTEM, STUDY, "A", Place("D0", 1, "graft", 1), graft, expected=0, complete=False)
    return database


def enter(session: Any, repeat: int, answers: Mapping[str, Any], *, complete: bool = True) -> None:
    save(session, SYSTEM, STUDY, "A", Place("LOG", 1, "infection", repeat), answers, expected=0, complete=complete)


def casebook(store: Database) -> dict[str, Any]:
    with store.reading() as session:
        see_all(session)
        return read.casebook(session, SYSTEM, STUDY, "A")


def infections(store: Database) -> dict[str, tuple[int, str, Any]]:
    shown = (page for page in casebook(store)["pages"] if page["form"].startswith("infection"))
    return {page["form"]: (page["form_version"], page["status"], page["answers"]) for page in shown}


def window(store: Database, code: str) -> tuple[Any, Any] | None:
    return next(((each["opens"], each["closes"]) for each in casebook(store)["visits"] if each["visit"] == code), None)


def test_pages_of_the_trial_are_brought_to_version_3_and_back(store: Database) -> None:
    [plan] = tree().plans
    before, d270 = infections(store), window(store, "D270")
    assert window(store, "D540") is None
    with store.reading() as session:
        see_all(session)
        counts = totals(migrate.preview(session, SYSTEM, plan, "HZ01"))
    assert {name: counts[name] for name in ("pages", "orphans", "reopened", "unresolved")} == {
        "pages": 3, "orphans": 0, "reopened": 0, "unresolved": 0,
    }  # fmt: skip
    with store.writing() as session:
        see_all(session)
        row = migrate.propose(session, SYSTEM, plan, "HZ01", approved_on=APPROVED)
        migrate.run(session, SYSTEM, STUDY, row["migration_id"], reason="Example")
    after = infections(store)
    renamed = {key: value for key, value in INFECTION.items() if key != "neutropenic"} | {"neutropenic_at_onset": "Y"}
    assert after["infection"] == (3, "complete", renamed | {"on_prophylaxis": {"missing": "not_available"}})
    assert after["infection.2"][2]["kind"] == "NOT_FOUND"
    assert "on_prophylaxis" not in after["infection.2"][2], "what is not asked there is not filled in"
    assert after["infection.3"] == (3, "incomplete", {"onset_date": "2024-02", "kind": "VIRAL"})
    assert window(store, "D540") is not None
    assert window(store, "D270") != d270
    with store.writing() as session:
        see_all(session)
        migrate.roll_back(session, SYSTEM, STUDY, row["migration_id"], reason="Example")
    assert infections(store) == before
    assert (window(store, "D270"), window(store, "D540")) == (d270, None)


def test_a_site_may_work_under_version_3_and_leave_its_pages_as_they_are(store: Database) -> None:
    before = infections(store)
    with store.writing() as session:
        see_all(session)
        put_in_force(session, SYSTEM, STUDY, "HZ01", 3, approved_on=APPROVED, reason="Example")
        enter(session, 4, {"onset_date": "2024-05", "kind": "NOT_SOUGHT"}, complete=False)
    after = infections(store)
    assert {name: after[name] for name in before} == before
    assert after["infection.4"][0] == 3
