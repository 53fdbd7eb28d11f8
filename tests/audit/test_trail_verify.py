"""What was done through the application verifies; what was done in any other way does not."""

import threading
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import models
from app.audit import change
from app.audit.report import NAMED, Fault, Head
from app.audit.trail import genesis
from app.audit.verify import COVERED, verify
from app.core.transaction import Database, see
from tests.audit import world
from tests.audit.conftest import OTHER, STUDY, Trial


def test_what_the_application_wrote_verifies(trial: Trial) -> None:
    report = trial.verify()
    assert [str(fault) for fault in report] == []
    assert report.ok
    assert report.anchors == report.changes
    with trial.tamper.connect() as connection:
        counted = sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in COVERED.values()
        )
        heads = connection.execute(select(models.chain).order_by(models.chain.c.study_id)).all()
    assert report.rows == counted
    assert report.heads == tuple(Head(study, seq, bytes(held)) for study, seq, held in heads)
    assert report.changes == sum(head.seq for head in report.heads)


def test_the_small_trial_has_a_row_in_every_covered_table(trial: Trial) -> None:
    with trial.tamper.connect() as connection:
        empty = [name for name, table in COVERED.items() if connection.execute(select(table).limit(1)).first() is None]
    assert empty == []


def test_a_chain_that_has_only_begun_verifies(engine, tmp_path: Path) -> None:
    database = Database(engine, tmp_path / "anchors")
    with database.reading() as session:
        report = verify(session, database.anchors)
    assert report.ok
    assert report.heads == (Head("-", 0, genesis("-")),)


def test_one_study_can_be_verified_alone(trial: Trial) -> None:
    with trial.database.reading() as session:
        report = verify(session, trial.database.anchors, studies=[OTHER])
    assert report.ok
    assert [head.study for head in report.heads] == [OTHER]


def test_a_study_that_is_not_there_is_a_fault(trial: Trial) -> None:
    with trial.database.reading() as session:
        report = verify(session, None, studies=["NOWHERE"])
    assert [fault.chain for fault in report] == ["NOWHERE"]
    assert report.anchors is None


def test_a_session_that_may_see_two_moments_is_refused(trial: Trial) -> None:
    with trial.database.writing() as session, pytest.raises(RuntimeError):
        verify(session, None)


def test_progress_is_told_of_every_row(trial: Trial) -> None:
    told: list[int] = []
    with trial.database.reading() as session:
        report = verify(session, None, progress=lambda _what, more: told.append(more))
    assert sum(told) == report.changes + report.rows


def test_eight_writers_of_one_study_leave_one_whole_chain(trial: Trial) -> None:
    start, faults = threading.Barrier(8), []

    def write(number: int) -> None:
        try:
            start.wait()
            for repeat in range(6):
                with trial.database.writing() as session:
                    see(session, models.SYSTEM, STUDY)
                    record = world.save(session, STUDY, "HZ01-001", repeat=100 * (number + 1) + repeat)
                    if repeat % 2:
                        world.correct(session, record, answers={"anc": "1"})
        except Exception as fault:  # noqa: BLE001 - a thread's exception would be lost
            faults.append(fault)

    before = trial.verify().changes
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    report = trial.verify()
    assert [str(fault) for fault in report] == []
    assert report.changes == before + 8 * 9
    assert report.anchors == report.changes


def test_what_was_written_during_a_verification_does_not_disturb_it(trial: Trial) -> None:
    def write(*_: object) -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY)
            world.enrol(session, STUDY, f"HZ01-{uuid4()}")

    with trial.database.reading() as session:
        report = verify(session, None, progress=write)
    assert [str(fault) for fault in report] == []
    assert trial.verify().changes > report.changes


def test_a_failed_transaction_leaves_no_entry(trial: Trial) -> None:
    before, anchored = trial.verify(), trial.database.anchors.read_bytes()

    def fail() -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY)
            world.enrol(session, STUDY, "HZ01-009")
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - raised above
        fail()
    assert trial.verify() == before
    assert trial.database.anchors.read_bytes() == anchored


def test_an_exception_caught_inside_leaves_no_unsealed_rows(trial: Trial) -> None:
    before, anchored = trial.verify(), trial.database.anchors.read_bytes()

    def swallow() -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY)
            world.enrol(session, STUDY, "HZ01-008")
            with (
                suppress(ZeroDivisionError),
                change(session, STUDY, by=world.SYSTEM_ACTS, action="subject.create") as made,
            ):
                made.insert(models.subject, _subject("HZ01-009", made.change_id))
                _ = 1 / 0

    with pytest.raises(RuntimeError):
        swallow()
    assert trial.verify() == before
    assert trial.database.anchors.read_bytes() == anchored


def test_a_savepoint_rolled_back_is_not_anchored(trial: Trial) -> None:
    with trial.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        attempt = session.begin_nested()
        world.enrol(session, STUDY, "HZ01-008")
        attempt.rollback()
        world.enrol(session, STUDY, "HZ01-009")
    assert [str(fault) for fault in trial.verify()] == []


def test_what_came_before_a_savepoint_rolled_back_is_anchored(trial: Trial) -> None:
    with trial.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        with session.begin_nested():
            world.enrol(session, STUDY, "HZ01-008")
        attempt = session.begin_nested()
        world.enrol(session, STUDY, "HZ01-009")
        attempt.rollback()
    report = trial.verify()
    assert [str(fault) for fault in report] == []
    assert report.anchors == report.changes


def test_a_savepoint_rolled_back_makes_no_unsealed_change_a_sealed_one(trial: Trial) -> None:
    before = trial.verify()

    def swallow() -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY)
            with (
                suppress(ZeroDivisionError),
                change(session, STUDY, by=world.SYSTEM_ACTS, action="subject.create") as made,
            ):
                made.insert(models.subject, _subject("HZ01-009", made.change_id))
                made.store()
                session.begin_nested().rollback()
                _ = 1 / 0

    with pytest.raises(RuntimeError):
        swallow()
    assert trial.verify() == before


def test_a_change_outlives_a_savepoint_rolled_back_within_it(trial: Trial) -> None:
    with trial.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        with change(session, STUDY, by=world.SYSTEM_ACTS, action="subject.create") as made:
            session.begin_nested().rollback()
            made.insert(models.subject, _subject("HZ01-009", made.change_id))
    assert [str(fault) for fault in trial.verify()] == []


def test_a_stale_reading_of_a_row_does_not_reach_the_trail(trial: Trial) -> None:
    with trial.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        stale = dict(session.execute(select(models.subject)).mappings().first() or {})
        with change(session, STUDY, by=world.SYSTEM_ACTS, action="subject.transfer", reason="Moved") as made:
            made.update(models.subject, stale, site_id="HZ02")
        with change(session, STUDY, by=world.SYSTEM_ACTS, action="subject.status") as made:
            after = made.update(models.subject, stale, status="enrolled")
        assert after["site_id"] == "HZ02"
    assert [str(fault) for fault in trial.verify()] == []


def test_several_rows_changed_at_once_are_each_listed(trial: Trial) -> None:
    with trial.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        found = session.execute(select(models.finding).where(models.finding.c.study_id == STUDY)).mappings().all()
        with change(session, STUDY, by=world.SYSTEM_ACTS, action="finding.close") as made:
            made.update_all(models.finding, [dict(row) for row in found], state="closed", closed_at=world.AT)
        assert len(made.rows) == len(found) > 1
    assert [str(fault) for fault in trial.verify()] == []


def test_rows_of_one_insert_may_leave_out_different_columns(trial: Trial) -> None:
    account = uuid4()
    with trial.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        without = world.person(account, "one")
        del without["password"]
        with change(session, models.SYSTEM, by=world.SYSTEM_ACTS, action="account.create") as made:
            made.insert(models.account, without, world.person(uuid4(), "two"))
    assert [str(fault) for fault in trial.verify()] == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("subject_id", 7),
        ("created_at", "2026-01-01"),
        ("created_at", world.AT.replace(tzinfo=None)),
        ("change_id", "0"),
    ],
)
def test_a_value_of_another_type_is_refused_before_it_is_sealed(trial: Trial, column: str, value: object) -> None:
    def write() -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY)
            with change(session, STUDY, by=world.SYSTEM_ACTS, action="subject.create") as made:
                made.insert(models.subject, _subject("HZ01-009", made.change_id) | {column: value})

    with pytest.raises(Exception):  # noqa: B017, PT011 - the driver may refuse it first
        write()
    assert trial.verify().ok


@pytest.mark.parametrize("table", [models.revision, models.form_version], ids=str)
def test_history_is_not_rewritten_through_the_trail(trial: Trial, table) -> None:
    def rewrite() -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY)
            row = dict(session.execute(select(table)).mappings().first() or {})
            with change(session, models.SYSTEM, by=world.SYSTEM_ACTS, action="x") as made:
                made.update(table, row, change_id=uuid4())

    with pytest.raises(TypeError):
        rewrite()


def test_a_row_is_sealed_into_the_chain_of_its_own_study(trial: Trial) -> None:
    def stray() -> None:
        with trial.database.writing() as session:
            see(session, models.SYSTEM, STUDY, OTHER)
            with change(session, OTHER, by=world.SYSTEM_ACTS, action="subject.create") as made:
                made.insert(models.subject, _subject("HZ01-009", made.change_id))

    with pytest.raises(ValueError, match="own study"):
        stray()
    assert trial.verify().ok


def test_the_trail_holds_no_password(trial: Trial) -> None:
    with trial.tamper.connect() as connection:
        entries = connection.execute(text("SELECT rows::text FROM change WHERE study_id = '-'")).scalars().all()
    assert any('"table": "account"' in entry for entry in entries)
    assert not any("argon2id" in entry for entry in entries)


def test_faults_beyond_a_thousand_are_counted_and_not_kept(trial: Trial) -> None:
    with Session(trial.tamper) as session, session.begin() as work:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(
            text(
                "INSERT INTO subject SELECT study_id, 'X' || n, site_id, status, created_at, change_id "
                "FROM subject, generate_series(1, 1200) n WHERE study_id = :study AND subject_id = 'HZ01-001'"
            ),
            {"study": STUDY},
        )
        report = verify(session, None)
        work.rollback()
    assert (len(report.faults), report.unnamed) == (NAMED, 200)


def test_a_fault_reads_as_a_place_and_what_is_wrong_there() -> None:
    fault = Fault(STUDY, 7, "subject", (STUDY, "A"), "is not as the trail says")
    assert str(fault) == f'chain {STUDY}, change 7, subject ["{STUDY}","A"]: is not as the trail says'


def _subject(subject_id: str, change_id: object) -> dict[str, object]:
    place = {"study_id": STUDY, "subject_id": subject_id, "site_id": "HZ01", "status": "screening"}
    return place | {"created_at": world.AT, "change_id": change_id}
