"""What the two roles may do."""

import psycopg
import pytest

from app.core.provision import libpq, provision
from tests.servers import Database


def test_it_may_be_called_again(database: Database) -> None:
    names = database.server.names
    provision(database.server.admin_url, names)
    with psycopg.connect(libpq(database.server.admin_url)) as admin:
        question = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = ANY(%s)"
        rows = admin.execute(question, ([names.owner, names.app],)).fetchall()
    assert rows == [(False, False, False, False)] * 2


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE change DISABLE TRIGGER ALL",
        "DROP TABLE change",
        "TRUNCATE change",
        "DELETE FROM change",
        "UPDATE change SET reason = ''",
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
    ],
)
def test_the_application_cannot_rewrite_history(database: Database, statement: str) -> None:
    with psycopg.connect(libpq(database.app_url)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_temporary_tables_mislead_none_of_the_functions_that_act_for_the_owner(database: Database) -> None:
    with psycopg.connect(libpq(database.app_url)) as connection:
        before = connection.execute("SELECT marrow_studies()").fetchone()
        connection.execute("CREATE TEMPORARY TABLE chain AS SELECT 'MINE' AS study_id")
        connection.execute("CREATE TEMPORARY TABLE session_token AS SELECT 1 AS token_hash")
        assert connection.execute("SELECT marrow_studies()").fetchone() == before
        assert connection.execute("SELECT count(*) FROM marrow_enter('', now())").fetchone() == (0,)
