"""A verification while others save, and an anchor file that a full disk has torn."""

import os
from itertools import count
from pathlib import Path
from threading import Event, Thread

import pytest

from app import models
from app.audit import anchors
from app.core.transaction import Database, see
from tests.audit import world
from tests.audit.conftest import STUDY, Trial


def enrol(database: Database, number: str) -> None:
    with database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        world.enrol(session, STUDY, number, site_id="HZ02")


def test_what_is_saved_during_a_verification_is_no_fault(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    anchored = anchors.size

    def meanwhile(path: Path) -> int:
        found = anchored(path)
        enrol(trial.database, "HZ02-001")
        return found

    before = trial.verify()
    monkeypatch.setattr(anchors, "size", meanwhile)
    during = trial.verify()
    assert during.ok
    assert (during.changes, during.anchors) == (before.changes + 1, before.anchors)
    monkeypatch.undo()
    assert trial.verify().anchors == trial.verify().changes


def test_nobody_who_saves_raises_an_alarm(trial: Trial) -> None:
    ended = Event()

    def save() -> None:
        for number in count(1):
            if ended.is_set():
                return
            enrol(trial.database, f"HZ02-{number}")

    writer = Thread(target=save)
    writer.start()
    try:
        reports = [trial.verify() for _ in range(15)]
    finally:
        ended.set()
        writer.join()
    assert [str(report) for report in reports if not report.ok] == []
    assert reports[0].changes < reports[-1].changes


def test_a_line_cut_short_is_logged_and_the_next_one_stands_by_itself(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:20]))
        enrol(trial.database, "HZ02-001")
    assert "anchor-cut-short" in caplog.text
    enrol(trial.database, "HZ02-002")
    report = trial.verify()
    assert report.ok
    assert len(report.warnings) == 1
    assert report.anchors == report.changes - 1
