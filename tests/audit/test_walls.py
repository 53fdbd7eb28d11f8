"""What the database itself refuses, whatever the application does."""

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app import models
from app.audit.trail import APPEND_ONLY, EXEMPT
from app.core.db import make_engine
from app.core.transaction import see, see_all
from app.models.access import AccountStatus, Role, TokenKind
from app.models.amendment import MigrationState
from app.models.capture import FindingState, RecordStatus, Severity
from app.models.marks import LockState
from app.models.queries import QueryAction, QueryState
from app.models.signatures import Meaning
from tests.audit import world
from tests.audit.conftest import OTHER, STUDY, Trial

TABLES = sorted(map(str, models.metadata.tables))
OF_A_STUDY = [name for name in TABLES if "study_id" in models.metadata.tables[name].c]
PASSING = EXEMPT - {"chain", "change"}
VOCABULARIES: dict[str, type[StrEnum]] = {
    "ck_account_status": AccountStatus,
    "ck_session_token_kind": TokenKind,
    "ck_role_grant_role": Role,
    "ck_record_status": RecordStatus,
    "ck_revision_status": RecordStatus,
    "ck_finding_state": FindingState,
    "ck_finding_severity": Severity,
    "ck_query_state": QueryState,
    "ck_query_message_state": QueryState,
    "ck_query_message_action": QueryAction,
    "ck_lock_state": LockState,
    "ck_study_migration_state": MigrationState,
    "ck_signature_meaning": Meaning,
}
INSUFFICIENT_PRIVILEGE = "42501"


@pytest.fixture(params=["app", "owner", "superuser"])
def anyone(standing: Trial, server: Any, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection of each role in turn; the application's with the wall open to all."""
    name = standing.tamper.url.database
    engine = {
        "app": standing.database.engine,
        "owner": make_engine(server.url(server.names.owner, name), pool_size=1),
        "superuser": standing.tamper,
    }[request.param]
    with engine.connect() as connection, connection.begin() as work:
        connection.execute(text("SELECT set_config('marrow.studies', marrow_studies(), true)"))
        yield connection
        work.rollback()
    if request.param == "owner":
        engine.dispose()


def refused(connection: Connection, statement: str) -> None:
    with pytest.raises(DBAPIError) as refusal:
        connection.execute(text(statement))
    assert refusal.value.orig is not None
    assert refusal.value.orig.sqlstate == INSUFFICIENT_PRIVILEGE  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_history_is_not_rewritten_by_anyone(anyone: Connection, table: str) -> None:
    first = models.metadata.tables[table].primary_key.columns.keys()[0]
    refused(anyone, f"UPDATE {table} SET {first} = {first}")  # noqa: S608 - the schema's own names


@pytest.mark.parametrize("table", sorted(set(TABLES) - PASSING))
def test_no_row_of_the_trail_or_in_it_is_deleted_by_anyone(anyone: Connection, table: str) -> None:
    refused(anyone, f"DELETE FROM {table}")  # noqa: S608 - the schema's own names


@pytest.mark.parametrize("table", sorted(set(TABLES) - PASSING))
def test_no_table_is_emptied_by_anyone(anyone: Connection, table: str) -> None:
    refused(anyone, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL session_replication_role = replica",
        "ALTER TABLE change DISABLE TRIGGER ALL",
        "ALTER TABLE change DISABLE ROW LEVEL SECURITY",
        "DROP POLICY by_study ON change",
        "CREATE TABLE more (n int)",
        "CREATE OR REPLACE FUNCTION marrow_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP TABLE change CASCADE",
        "SET ROLE marrow_owner",
    ],
)
def test_the_application_cannot_take_the_walls_down(standing: Trial, statement: str) -> None:
    with standing.database.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text(statement))


@pytest.mark.parametrize("setting", [None, "", "NOWHERE", "%", "NCT06125106x", "nct06125106"])
@pytest.mark.parametrize("table", OF_A_STUDY)
def test_without_a_study_named_nothing_of_a_study_is_seen(standing: Trial, table: str, setting: str | None) -> None:
    with standing.database.reading() as session:
        if setting is not None:
            see(session, setting)
        assert session.execute(models.metadata.tables[table].select()).first() is None


@pytest.mark.parametrize("table", OF_A_STUDY)
def test_with_one_study_named_only_its_own_rows_are_seen(standing: Trial, table: str) -> None:
    with standing.database.reading() as session:
        see(session, STUDY)
        assert {row.study_id for row in session.execute(models.metadata.tables[table].select())} == {STUDY}


def test_the_setting_ends_with_the_transaction(standing: Trial) -> None:
    with standing.database.reading() as session:
        assert see_all(session) == ["-", STUDY, OTHER]
    for _ in range(3):
        with standing.database.reading() as session:
            assert session.execute(models.subject.select()).first() is None


def test_a_row_is_not_written_into_a_study_that_is_not_open(trial: Trial) -> None:
    with trial.database.reading() as session:
        see(session, OTHER)
        row = dict(session.execute(models.subject.select()).mappings().first() or {})
    with trial.database.engine.begin() as connection:
        connection.execute(text("SELECT set_config('marrow.studies', :study, true)"), {"study": STUDY})
        with pytest.raises(DBAPIError):
            connection.execute(insert(models.subject), row | {"subject_id": "HZ01-009"})
        connection.rollback()


CROSSING = [
    (str(table.name), str(constraint.name))
    for table in models.metadata.sorted_tables
    for constraint in table.foreign_key_constraints
    if "study_id" in constraint.column_keys and len(constraint.column_keys) > 1
]


@pytest.mark.parametrize(("table", "constraint"), CROSSING, ids=[name for _, name in CROSSING])
def test_no_row_points_into_another_study(trial: Trial, table: str, constraint: str) -> None:
    """The row pointed at is given a key that only the other study has; whoever follows is refused."""
    found = models.metadata.tables[table]
    key = next(foreign for foreign in found.foreign_key_constraints if foreign.name == constraint)
    column = next(element for element in key.elements if element.parent.name != "study_id")
    target = column.column
    with trial.tamper.connect() as admin, admin.begin() as work:
        theirs = admin.execute(target.table.select().where(target.table.c.study_id == OTHER)).mappings().first()
        assert theirs is not None
        value: Any = theirs[target.name]
        if not isinstance(value, type(uuid4())):  # "HZ01" exists in both studies: make one that does not
            value = 99 if isinstance(value, int) else "ZZ99"
            copy = dict(theirs) | {target.name: value}
            if target.table is not models.change:
                admin.execute(insert(target.table), copy)
        admin.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        mine = dict(admin.execute(found.select().where(found.c.study_id == STUDY)).mappings().first() or {})
        pointing = {name for foreign in found.foreign_key_constraints for name in foreign.column_keys}
        for spare in [c.name for c in found.primary_key.columns if c.name not in {"study_id", *pointing}]:
            kind = found.c[spare].type.python_type
            mine[spare] = {int: 98, str: "labs"}.get(kind) or uuid4()
        free: dict[str, dict[str, Any]] = {
            "record": {"repeat": 97}, "finding": {"state": "closed"}, "query": {"item": "other"},
            "migrated_page": {"revision": 1},
        }  # fmt: skip
        mine |= free.get(table, {})
        one_each = {"verification": models.record.c.record_id, "signature_break": models.signature.c.signature_id}
        if table in one_each:  # of another one, which has none
            other = one_each[table]
            there = admin.execute(other.table.select().where(other.table.c.study_id == STUDY)).mappings()
            mine[other.name] = next(row[other.name] for row in there if row[other.name] != mine[other.name])
        with pytest.raises(IntegrityError) as refusal:
            admin.execute(insert(found), mine | {column.parent.name: value})
        work.rollback()
    assert constraint in str(refusal.value)


def test_models_and_migrations_describe_one_schema(trial: Trial) -> None:
    with trial.tamper.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, models.metadata) == []


def test_every_check_is_the_same_in_models_and_database(trial: Trial) -> None:
    with trial.tamper.connect() as connection:
        of = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid > 0"
        there = {name: definition for name, definition in connection.execute(text(of)) if name[:3] == "ck_"}
    in_models = {str(check.name) for table in models.metadata.sorted_tables for check in table.constraints}
    assert set(there) == {name for name in in_models if name.startswith("ck_")}
    worded = {name: set(re.findall(r"'(\w+)'::text", words)) for name, words in there.items() if "ANY" in words}
    assert worded == {name: {word.value for word in words} for name, words in VOCABULARIES.items()}


@pytest.fixture
def entering(trial: Trial) -> Iterator[Session]:
    """A token of the coordinator of one study, and one of an account with a grant on the system."""
    with trial.tamper.begin() as admin:
        admin.execute(
            text(
                "INSERT INTO session_token SELECT sha256(convert_to(username, 'UTF8')), gen_random_uuid(), account_id, "
                "'session', '', NULL, :at, :at, :until, NULL FROM account"
            ),
            {"at": world.AT, "until": world.AT + timedelta(hours=8)},
        )
        admin.exec_driver_sql("SET LOCAL session_replication_role = replica")
        admin.execute(
            text(
                "DELETE FROM role_grant g USING account a "
                "WHERE g.account_id = a.account_id AND study_id = '-' AND username = :username"
            ),
            {"username": f"nurse-{STUDY.lower()}"},
        )
    with trial.database.reading() as session:
        yield session


def enter(session: Session, username: str, hours: float = 1) -> Any:
    of = text("SELECT * FROM marrow_enter(sha256(convert_to(:name, 'UTF8')), :at)")
    found = session.execute(of, {"name": username, "at": world.AT + timedelta(hours=hours)}).mappings().first()
    open_to = session.execute(text("SELECT current_setting('marrow.studies', true)")).scalar_one()
    return found, open_to or ""


def test_entering_opens_the_studies_that_are_granted(entering: Session) -> None:
    found, open_to = enter(entering, f"nurse-{STUDY.lower()}")
    assert open_to == f"-,{STUDY}"
    assert found["grants"] == [{"study_id": STUDY, "role": "coordinator", "site_id": "HZ01"}]
    assert {row.study_id for row in entering.execute(models.subject.select())} == {STUDY}


def test_entering_with_a_grant_on_the_system_opens_every_study(entering: Session) -> None:
    found, open_to = enter(entering, f"nurse-{OTHER.lower()}")
    assert open_to == f"-,{STUDY},{OTHER}"
    assert {grant["study_id"] for grant in found["grants"]} == {"-", OTHER}


@pytest.mark.parametrize(
    ("username", "hours"), [("nobody", 1), (f"nurse-{STUDY.lower()}", 8), (f"nurse-{STUDY.lower()}", 9)]
)
def test_nobody_enters_without_a_token_that_holds(entering: Session, username: str, hours: float) -> None:
    assert enter(entering, username, hours) == (None, "")


@pytest.mark.parametrize(
    "lapse",
    [
        "UPDATE session_token SET ended_at = created_at",
        "UPDATE session_token SET kind = 'invitation'",
        "UPDATE account SET status = 'deactivated'",
        "UPDATE account SET status = 'invited'",
    ],
)
def test_nobody_enters_by_what_has_lapsed(trial: Trial, entering: Session, lapse: str) -> None:
    with trial.tamper.begin() as admin:
        admin.execute(text(lapse))
    assert enter(entering, f"nurse-{STUDY.lower()}") == (None, "")


@pytest.mark.parametrize(
    ("lapse", "left"),
    [
        ("UPDATE role_grant SET valid_to = valid_from + interval '30 minutes'", "-"),
        ("UPDATE role_grant SET valid_from = valid_from + interval '2 hours'", "-"),
        ("UPDATE session_token SET scope = 'S1904'", "-"),
        ("UPDATE session_token SET scope = 'NCT06125106'", f"-,{STUDY}"),
    ],
)
def test_a_grant_opens_only_while_it_holds_and_within_the_scope(
    trial: Trial, entering: Session, lapse: str, left: str
) -> None:
    with trial.tamper.begin() as admin:
        admin.execute(text(lapse))
    found, open_to = enter(entering, f"nurse-{STUDY.lower()}")
    assert found is not None
    assert open_to == left
