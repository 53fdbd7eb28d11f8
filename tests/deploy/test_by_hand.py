"""The start by hand, as docs/deployment.md tells it."""

import psycopg
import pytest
from sqlalchemy import text

from app.core.db import Schema, make_engine, migrate, schema_state
from app.core.durability import durability
from app.core.provision import Names, libpq, provision
from tests.deploy.conftest import TcpServer
from tests.servers import Database

_ACL = """
SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolreplication,
       has_schema_privilege(rolname, 'public', 'CREATE'), has_schema_privilege(rolname, 'public', 'USAGE'),
       has_database_privilege(rolname, current_database(), 'TEMP'),
       has_database_privilege(rolname, current_database(), 'CONNECT'),
       pg_has_role(rolname, 'pg_database_owner', 'USAGE')
FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname
"""


def test_a_password_is_asked_for(tcp_server: TcpServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(tcp_server.app_url.replace(tcp_server.app_password, "guess"))


def test_the_roles_file_may_be_run_again(tcp_server: TcpServer) -> None:
    done = tcp_server.make_roles()
    assert (done.returncode, done.stderr) == (0, "")


def test_the_owner_migrates_and_the_application_connects_through_a_pool(tcp_server: TcpServer) -> None:
    migrate(tcp_server.owner_url, "marrow_app")
    assert schema_state(tcp_server.app_url).state is Schema.CURRENT
    engine = make_engine(tcp_server.app_url, pool_size=4)
    connections = [engine.connect() for _ in range(4)]
    assert {one.execute(text("SELECT current_user")).scalar_one() for one in connections} == {"marrow_app"}
    assert durability(connections[0]) == []
    for one in connections:
        one.close()
    engine.dispose()


def test_the_file_and_the_code_make_the_same_roles(tcp_server: TcpServer, database: Database) -> None:
    with psycopg.connect(tcp_server.admin_url, dbname="marrow") as connection:
        by_file = connection.execute(_ACL, (["marrow_app", "marrow_owner"],)).fetchall()
    names = database.server.names
    with psycopg.connect(libpq(database.admin_url)) as connection:
        by_code = connection.execute(_ACL, ([names.app, names.owner],)).fetchall()
    assert by_file == by_code
    assert len(by_file) == 2


def test_an_administrator_who_is_no_superuser_can_provide_them_too(tcp_server: TcpServer) -> None:
    with psycopg.connect(tcp_server.admin_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE rented LOGIN CREATEDB CREATEROLE PASSWORD 'rented'")
    rented = f"postgresql://rented:rented@127.0.0.1:{tcp_server.port}/postgres"
    provision(rented, Names("rented_owner", "rented_app", "rented"), passwords=("o", "a"))
    app = f"postgresql://rented_app:a@127.0.0.1:{tcp_server.port}/rented"
    migrate(app.replace("_app:a", "_owner:o"), "rented_app")
    assert schema_state(app).state is Schema.CURRENT
