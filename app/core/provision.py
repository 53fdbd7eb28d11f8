"""Two roles and a database, as `deploy/roles.sql` makes them on a server of one's own.

`owner` owns the database and its tables and migrates them. `app` is what the application connects as: no superuser,
no way past row-level security, not a member of the owner, and so without the right to rewrite history.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import make_url

_ROLE = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
_EMPTY = sql.SQL("TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
# One order of text on every machine: by code point. The library of the operating system has no say in it.
_BY_CODE_POINT = sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
_BUILTIN_ORDER = 170000  # the first server versions that know it
_SELF_GRANT = 160000


@dataclass(frozen=True, slots=True)
class Names:
    """What the roles and the database are called."""

    owner: str = "marrow_owner"
    app: str = "marrow_app"
    database: str = "marrow"


def libpq(url: str, *, database: str | None = None) -> str:
    """The conninfo string of a SQLAlchemy URL, on another database when one is given."""
    found = make_url(url).set(drivername="postgresql")
    if database is not None:
        found = found.set(database=database)
    return found.render_as_string(hide_password=False)


def provision(admin_url: str, names: Names, *, passwords: tuple[str, str] | None = None) -> None:
    """Make whatever is missing of the two roles and the database. `passwords` are those of owner and app.

    What exists already is kept, so this may be called at every start.
    """
    owner, app, database = map(sql.Identifier, (names.owner, names.app, names.database))
    with psycopg.connect(libpq(admin_url), autocommit=True) as admin:
        # An administrator who is no superuser must be able to act as owner.
        if admin.info.server_version >= _SELF_GRANT:
            admin.execute("SET createrole_self_grant = 'set, inherit'")
        for position, name in enumerate((names.owner, names.app)):
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
                secret = sql.SQL("PASSWORD {}").format(passwords[position]) if passwords else sql.SQL("")
                admin.execute(sql.SQL("CREATE ROLE {} {} {}").format(sql.Identifier(name), _ROLE, secret))
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (names.database,)).fetchone():
            order = _BY_CODE_POINT if admin.info.server_version >= _BUILTIN_ORDER else sql.SQL("")
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} {} {}").format(database, owner, _EMPTY, order))
    with psycopg.connect(libpq(admin_url, database=names.database)) as inside:
        inside.execute(sql.SQL("SET ROLE {}").format(owner))
        inside.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        inside.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, app))
        inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        inside.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app))
