"""The anchor file outlives the database, and says so when the database is another."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app import models
from app.audit.report import NAMED
from app.audit.verify import verify
from app.core.db import make_engine
from app.core.provision import libpq
from app.core.transaction import Database, see
from tests.audit import world
from tests.audit.conftest import STUDY, Trial


def write_on(database: Database) -> None:
    with database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        world.enrol(session, STUDY, "HZ02-001", site_id="HZ02")


@pytest.fixture
def yesterday(trial: Trial, server) -> Iterator[Database]:
    """A copy of the trial's database as it was before the day's work, which has been done since."""
    trial.database.engine.dispose()
    trial.tamper.dispose()
    name, copy = str(trial.tamper.url.database), f"{trial.tamper.url.database}_yesterday"
    with psycopg.connect(libpq(server.admin_url), autocommit=True) as admin:
        words = [sql.Identifier(word) for word in (copy, name, server.names.owner, server.names.app)]
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*words[:3]))
        admin.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(words[0], words[3]))
    engine = make_engine(server.url(server.names.app, copy), pool_size=2)
    write_on(trial.database)
    yield Database(engine, trial.database.anchors)
    engine.dispose()
    with psycopg.connect(libpq(server.admin_url), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(copy)))


def test_yesterdays_copy_put_in_place_is_seen_by_the_anchors(yesterday: Database) -> None:
    with yesterday.reading() as session:
        assert verify(session, None).ok
        (fault,) = verify(session, yesterday.anchors)
    assert (fault.chain, fault.table) == (STUDY, "chain")


def test_a_copy_that_went_its_own_way_is_found(yesterday: Database) -> None:
    fork = Database(yesterday.engine, yesterday.anchors.with_name("fork"))
    write_on(fork)
    with fork.reading() as session:
        faults = verify(session, yesterday.anchors).faults
    assert [fault.table for fault in faults] == ["change"]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"not json\n",
        b"[]\n",
        b'{"study":"S"}\n',
        b'{"study":"-","seq":"1","hash":"' + b"00" * 32 + b'"}\n',
        b'{"study":"-","seq":true,"hash":"' + b"00" * 32 + b'"}\n',
        b'{"study":"-","seq":0,"hash":"' + b"00" * 32 + b'"}\n',
        b'{"study":"-","seq":9223372036854775808,"hash":"' + b"00" * 32 + b'"}\n',
        b'{"study":"-","seq":1,"hash":"00"}\n',
        b'{"study":5,"seq":1,"hash":"' + b"00" * 32 + b'"}\n',
        b'{"at":"2026-01-01T00:00',
        b"\xff\xfe\x00\n",
    ],
)
def test_a_line_that_cannot_be_read_is_a_warning_with_its_number(standing: Trial, tmp_path: Path, line: bytes) -> None:
    damaged = tmp_path / "anchors"
    whole = standing.database.anchors.read_bytes()
    damaged.write_bytes(whole + line)
    with standing.database.reading() as session:
        report = verify(session, damaged)
    number = whole.count(b"\n") + 1
    assert report.ok
    assert report.warnings == (f"line {number} of the anchor file cannot be read",)
    assert report.as_json()["warnings"] == list(report.warnings)
    assert f"warning: line {number} " in str(report)


def test_warnings_beyond_what_is_named_are_counted(standing: Trial, tmp_path: Path) -> None:
    damaged = tmp_path / "anchors"
    damaged.write_bytes(standing.database.anchors.read_bytes() + b"\n" * (NAMED + 2))
    with standing.database.reading() as session:
        report = verify(session, damaged)
    assert (len(report.warnings), report.as_json()["more_warnings"]) == (NAMED, 2)
    assert "and 2 more warnings" in str(report)


def test_a_missing_file_is_a_fault_once_there_are_changes(standing: Trial, tmp_path: Path) -> None:
    with standing.database.reading() as session:
        report = verify(session, tmp_path / "nowhere")
    assert len(report.faults) == len(report.heads)


def test_a_line_left_out_by_a_crash_is_no_fault(standing: Trial, tmp_path: Path) -> None:
    fewer = tmp_path / "anchors"
    fewer.write_bytes(b"".join(standing.database.anchors.read_bytes().splitlines(keepends=True)[::2]))
    with standing.database.reading() as session:
        report = verify(session, fewer)
    assert report.ok
    assert report.anchors == (report.changes + 1) // 2


def test_anchors_of_other_chains_are_left_alone_when_one_is_verified(standing: Trial, tmp_path: Path) -> None:
    more = tmp_path / "anchors"
    gone = b'{"study":"GONE","seq":7,"hash":"' + b"00" * 32 + b'"}\n'
    more.write_bytes(standing.database.anchors.read_bytes() + gone)
    with standing.database.reading() as session:
        assert verify(session, more, studies=[STUDY]).ok
        (fault,) = verify(session, more)
    assert (fault.chain, fault.seq) == ("GONE", 7)
