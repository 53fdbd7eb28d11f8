"""The engine, and the schema it finds: migrate it, and refuse one that this code does not know."""

import json
import select as waiting
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_MIGRATING = 0x4D61_7272_6F77  # "Marrow": the advisory lock held while migrating


class SchemaError(RuntimeError):
    """The database's schema is not the one this code was written for; the message names both and the remedy."""


class Schema(StrEnum):
    """How the schema of a database stands to this code."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision found in a database, and the one that this code was written for."""

    state: Schema
    database: str | None
    code: str

    def require_current(self) -> None:
        """Raise SchemaError unless database and code are of the same revision."""
        if self.state is Schema.NEWER:
            raise SchemaError(
                f"The database is at revision {self.database}, which this release ({self.code}) does not know. "
                "Run the newer release, or restore a backup made before it (docs/deployment.md)."
            )
        if self.state is not Schema.CURRENT:
            found = self.database or "none"
            raise SchemaError(
                f"The database is at revision {found}, this release needs {self.code}: run marrow migrate"
            )


def normalised(url: str) -> str:
    """A PostgreSQL URL in any of its usual spellings, for the driver that Marrow uses.

    Raises ValueError, without the URL, which holds a password.
    """
    scheme, found, rest = url.strip().partition("://")
    if not found or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("A database URL begins with postgresql:// and names a PostgreSQL server")
    return f"postgresql+psycopg://{rest}"


def make_engine(
    url: str,
    *,
    pool_size: int = 10,
    pool_timeout: float = 8,
    statement_timeout: int = 60,
    connect_timeout: int = 5,
    application_name: str = "marrow",
) -> Engine:
    """An engine whose errors hold no parameters, and whose waits all end.

    Args:
        url: any spelling of a PostgreSQL URL.
        pool_size: connections kept and never exceeded; give it one per request thread.
        pool_timeout: seconds to wait for a connection of the pool.
        statement_timeout: seconds the server gives one statement; 0 for ever.
        connect_timeout: seconds to wait for a new connection.
        application_name: what the server's list of sessions shows.
    """
    engine = create_engine(
        normalised(url),
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        json_serializer=dumps,
        json_deserializer=loads,
        connect_args={
            "connect_timeout": connect_timeout,
            "application_name": application_name,
            "options": f"-c TimeZone=UTC -c statement_timeout={statement_timeout}s"
            " -c idle_in_transaction_session_timeout=300s"
            " -c cursor_tuple_fraction=0.01",  # large results come as they are found, and are not sorted first
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )
    event.listen(engine, "checkout", _require_alive)
    return engine


def _require_alive(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool replace a connection that the server has closed, without asking the server.

    A server that stops or is killed closes its sockets, and an idle socket has nothing to read but that. What cannot
    be seen so (a network that swallows everything) ends at `tcp_user_timeout`, as it would for a question.
    """
    poll = waiting.poll()
    poll.register(connection.fileno(), waiting.POLLIN)
    if connection.closed or poll.poll(0):
        raise DisconnectionError


def dumps(value: Any) -> str:
    """JSON for a jsonb column. Raises ValueError for a binary float: a decimal travels as text."""
    if _has_float(value):
        _no_float("")
    return orjson.dumps(value).decode()


def loads(encoded: bytes | str) -> Any:
    """What a jsonb column holds: text, whole numbers of any size, booleans, None, lists and maps; never a float."""
    try:
        value = orjson.loads(encoded)
    except orjson.JSONDecodeError:
        value = 0.0
    if _has_float(value):  # or a whole number beyond 64 bits, which only the slower reader knows
        return json.loads(encoded, parse_float=_no_float, parse_constant=_no_float)
    return value


def _has_float(value: Any) -> bool:
    if type(value) is dict and _PLAIN.issuperset(map(type, value.values())):
        return False
    left = [value]
    while left:
        one = left.pop()
        kind = type(one)
        if kind is float:
            return True
        if kind in _CONTAINERS:
            inner = one.values() if kind is dict else one
            if not _INSIDE.isdisjoint(map(type, inner)):  # most values are texts
                left.extend(inner)
    return False


_CONTAINERS = frozenset({dict, list, tuple})
_INSIDE = _CONTAINERS | {float}
_PLAIN = frozenset({str, int, bool, type(None)})
"""What a map holds that needs no second look; most answers of a page are texts."""


def _no_float(_: str) -> NoReturn:
    raise ValueError("A stored number is neither whole nor text; decimals are stored as text")


def migrate(owner_url: str, app_role: str) -> str:
    """Bring the schema up to this code's revision, as the owner; return that revision.

    One transaction holds the lock, every step and the new revision: a second worker waits and then finds nothing
    to do, and a migration that is cut short leaves nothing behind. `app_role` is handed to the migrations, which
    grant it its rights.

    Raises:
        SchemaError: when the database is newer than this code.
    """
    from alembic import command  # noqa: PLC0415 - 10 MB that work on the data does not need

    engine = create_engine(normalised(owner_url), hide_parameters=True, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        found = _state(connection)
        if found.state is Schema.NEWER:
            found.require_current()
        config = _config()
        config.attributes.update(connection=connection, app_role=app_role)
        command.upgrade(config, "head")
    return found.code


def schema_state(source: str | Engine) -> SchemaState:
    """How the schema of a database (by URL or engine) stands to this code."""
    if isinstance(source, Engine):
        with source.connect() as connection:
            return _state(connection)
    return schema_state(create_engine(normalised(source), hide_parameters=True, poolclass=NullPool))


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _state(connection: Connection) -> SchemaState:
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    scripts = ScriptDirectory.from_config(_config())
    code = scripts.get_current_head() or ""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        return SchemaState(Schema.EMPTY, None, code)
    if found == code:
        return SchemaState(Schema.CURRENT, found, code)
    return SchemaState(Schema.BEHIND if knows(found) else Schema.NEWER, found, code)


def knows(revision: str) -> bool:
    """Whether this code has a migration of that name."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    scripts = ScriptDirectory.from_config(_config())
    return revision in {script.revision for script in scripts.walk_revisions()}
