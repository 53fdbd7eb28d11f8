"""A small demonstration in a real database: two subjects of every trial."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from app import models
from app.access import accounts
from app.access.permissions import Permission, Role, allows
from app.capture.save import save
from app.core.errors import Conflict
from app.core.transaction import Database, see_all
from app.demo.entering import Job, all_trials
from app.demo.people import CAST, PASSPHRASE, enter, introduce, sign_in
from app.demo.run import published, run
from app.demo.talking import talk
from app.demo.trials import PLANS
from app.settings import Settings
from app.subjects.enrol import create
from app.subjects.facts import Place
from tests.demo.build import books


@pytest.fixture
def database(engine: Engine, tmp_path: Path) -> Database:
    return Database(engine, tmp_path / "anchors.jsonl")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path, anchors=tmp_path / "anchors.jsonl")


def count(database: Database, table: Any) -> int:
    with database.reading() as session:
        see_all(session)
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_two_subjects_of_every_trial_come_in_by_the_one_door_and_a_second_run_adds_nothing(
    database: Database, settings: Settings
):
    said: list[str] = []
    made = run(database, settings, say=said.append, subjects=2, workers=2)
    expected = sum(len(entries) for trial in PLANS for entries in books(trial)[:2])
    assert sum(each.pages for each in made.entered) == expected
    assert count(database, models.revision) == expected
    assert count(database, models.subject) == 2 * len(PLANS)
    assert made.differences == 0
    assert {*made.lines} == {*PLANS}
    for path, trial in zip(made.exports, PLANS, strict=True):
        assert path == settings.var / "exports" / f"{trial}.zip"
        with zipfile.ZipFile(path) as zipped:
            assert zipped.testzip() is None
            assert {"endpoints.csv", "manifest.json", "codebook.csv"} <= {*zipped.namelist()}
    text = "\n".join(said)
    assert PASSPHRASE in text
    assert "make serve" in text
    assert all(trial in text for trial in PLANS)

    talked = count(database, models.query_message)
    assert talked >= count(database, models.query)
    signed = count(database, models.signature)
    assert 0 < signed <= 2 * len(PLANS)
    assert count(database, models.verification) == signed
    again = run(database, settings, say=said.append, subjects=2, workers=0)
    assert count(database, models.query_message) == talked
    assert count(database, models.signature) == signed
    assert sum(each.pages + each.subjects for each in again.entered) == 0
    assert count(database, models.revision) == expected
    assert again.lines == made.lines

    with database.reading() as session:
        see_all(session)
        sources = session.execute(
            select(models.change.c.source, models.change.c.actor).where(models.change.c.action == "record.save")
        ).all()
        coordinators = {member.name for member in CAST if member.role is Role.COORDINATOR}
        assert all(source.startswith("session:") and actor in coordinators for source, actor in sources)

    monitor = sign_in(database, role=Role.MONITOR)[None]
    with database.reading() as session:
        actor = enter(session, monitor)
        assert {grant.study_id for grant in actor.grants} == {*PLANS}
        assert not any(allows(grant.role, Permission.RECORD_WRITE) for grant in actor.grants)


def test_people_speak_about_what_is_asked_once(database: Database):
    study = published(database)[0]
    introduce(database, [study])
    roles = (Role.COORDINATOR, Role.MONITOR, Role.DATA_MANAGER)
    tokens = {role: sign_in(database, role=role) for role in roles}
    for number in range(1, 6):
        with database.writing() as session:
            nurse = enter(session, tokens[Role.COORDINATOR]["HZ01"])
            subject = create(session, nurse, study.study, "HZ01")["subject_id"]
            answers = {"infusion_date": "2024-03-01", "on_study": "Y", "donor_age": number}
            where = Place("D0", 1, "graft", 1)
            save(session, nurse, study.study, subject, where, answers, expected=0, complete=False)
    said = talk(database, study.study, tokens)
    assert said == {"answered": 2, "closed": 1, "reopened": 1, "cancelled": 1, "open": 1}
    assert talk(database, study.study, tokens) == said


def test_an_interrupted_run_is_taken_up_where_it_ended(database: Database, settings: Settings):
    def interrupt(name: str, more: int, _total: int) -> None:
        if name == "FULLCOURSE" and more:
            raise KeyboardInterrupt

    studies = published(database)
    introduce(database, studies)
    jobs = [Job(study.study, sign_in(database, role=Role.COORDINATOR), 1) for study in studies]
    with pytest.raises(KeyboardInterrupt):
        all_trials(database, jobs, interrupt, workers=0)
    before = count(database, models.revision)
    expected = sum(len(books(trial)[0]) for trial in PLANS)
    assert 0 < before < expected
    made = run(database, settings, say=lambda _line: None, subjects=1, workers=0)
    assert before + sum(each.pages for each in made.entered) == expected
    assert count(database, models.revision) == expected


def test_it_does_not_run_where_other_people_work(database: Database, settings: Settings):
    with database.writing() as session:
        accounts.create_first_administrator(session, "somebody", "Some Body", "seven grey herons wade")
    with pytest.raises(Conflict):
        run(database, settings, say=lambda _line: None, subjects=1, workers=0)
    assert count(database, models.study) == 0
