"""The engine's promises, and the schema it finds."""

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, TimeoutError  # noqa: A004 - the pool's own

from app.core import db
from app.core.db import Schema, SchemaError, dumps, loads, make_engine, migrate, normalised, schema_state
from app.core.provision import Names, provision
from tests.servers import Database, Server

answers = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture
def fresh(server: Server) -> Database:
    """A database without a schema."""
    made = server.clone()
    names = Names(server.names.owner, server.names.app, f"{made.name}_empty")
    server._made.append(names.database)  # noqa: SLF001 - dropped with the others
    provision(server.admin_url, names)
    return Database(names.database, server)


@given(answers)
def test_json_comes_back_as_it_was(value: object) -> None:
    assert loads(dumps(value)) == value


@pytest.mark.parametrize("value", [1.5, 1.0, [0.1], {"a": {"b": 2.0}}])
def test_a_float_is_never_stored(value: object) -> None:
    with pytest.raises(ValueError, match="neither whole nor text"):
        dumps(value)


@pytest.mark.parametrize("stored", ["1.0", '{"a": 1e3}', "[NaN]", '{"a": Infinity}'])
def test_a_float_is_never_read(stored: str) -> None:
    with pytest.raises(ValueError, match="neither whole nor text"):
        loads(stored)


def test_a_whole_number_of_any_size_is_read_exactly(engine: Engine) -> None:
    with engine.connect() as connection:
        row = connection.execute(text("""SELECT '{"n": 123456789012345678901234567890}'::jsonb""")).scalar_one()
    assert row == {"n": 123456789012345678901234567890}


def test_errors_hold_no_parameters(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT 1 / 0 WHERE :name <> ''"), {"name": "CANARY-7f3a"})
    assert "CANARY" not in str(caught.value)


def test_a_statement_ends_at_its_time(app_url: str) -> None:
    engine = make_engine(app_url, statement_timeout=1)
    began = time.monotonic()
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT pg_sleep(20)"))
    assert time.monotonic() - began < 5
    engine.dispose()


def test_the_pool_is_never_exceeded(app_url: str) -> None:
    engine = make_engine(app_url, pool_size=1, pool_timeout=0.1)
    with engine.connect(), pytest.raises(TimeoutError):
        engine.connect()
    engine.dispose()


@pytest.mark.parametrize("spelling", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_url_may_be_spelt_as_people_spell_it(spelling: str) -> None:
    assert normalised(f"{spelling}://a:b@h/d") == "postgresql+psycopg://a:b@h/d"


@pytest.mark.parametrize("url", ["sqlite:///x", "mysql://secret@h/d", "secret", ""])
def test_another_database_is_refused_without_telling_the_url(url: str) -> None:
    with pytest.raises(ValueError, match="begins with postgresql://") as caught:
        normalised(url)
    assert "secret" not in str(caught.value)


def test_migrating_brings_an_empty_database_up_to_date_once(fresh: Database) -> None:
    assert schema_state(fresh.owner_url).state is Schema.EMPTY
    with pytest.raises(SchemaError, match="marrow migrate"):
        schema_state(fresh.owner_url).require_current()
    revision = migrate(fresh.owner_url, fresh.server.names.app)
    assert migrate(fresh.owner_url, fresh.server.names.app) == revision
    assert schema_state(fresh.app_url) == db.SchemaState(Schema.CURRENT, revision, revision)
    schema_state(fresh.app_url).require_current()


def test_workers_that_migrate_at_once_do_it_once(fresh: Database) -> None:
    done: list[str] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            done.append(migrate(fresh.owner_url, fresh.server.names.app))
        except BaseException as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not faults
    assert len(set(done)) == 1
    assert len(done) == 4


def test_a_migration_cut_short_leaves_nothing(fresh: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A second revision that fails half-way: neither its table nor the first revision's are there."""
    migrations = tmp_path / "migrations"
    (migrations / "versions").mkdir(parents=True)
    (migrations / "env.py").write_text((db.MIGRATIONS / "env.py").read_text())
    head = "from alembic import op\nrevision = '{0}'\ndown_revision = {1}\ndef upgrade():\n    op.execute('{2}')\n"
    (migrations / "versions" / "a.py").write_text(head.format("a", None, "CREATE TABLE one (x int)"))
    broken = head.format("b", "'a'", "CREATE TABLE two (x int)") + "    op.execute('SELECT 1 / 0')\n"
    (migrations / "versions" / "b.py").write_text(broken)
    monkeypatch.setattr(db, "MIGRATIONS", migrations)
    with pytest.raises(DBAPIError):
        migrate(fresh.owner_url, fresh.server.names.app)
    monkeypatch.undo()
    engine = make_engine(fresh.owner_url)
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar_one()
    engine.dispose()
    assert tables == 0
    assert schema_state(fresh.owner_url).state is Schema.EMPTY


def test_a_newer_database_is_refused_with_both_revisions(database: Database) -> None:
    known = schema_state(database.owner_url).code
    engine = make_engine(database.owner_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    assert schema_state(engine).state is Schema.NEWER
    for attempt in (
        lambda: migrate(database.owner_url, database.server.names.app),
        lambda: schema_state(engine).require_current(),
    ):
        with pytest.raises(SchemaError) as caught:
            attempt()
        assert "from_the_future" in str(caught.value)
        assert known in str(caught.value)
    engine.dispose()
