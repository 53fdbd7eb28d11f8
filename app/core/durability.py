"""Whether the database keeps what it has acknowledged, read from the server at every start.

An acknowledgement is worth what these settings make of it. Measured: with `synchronous_commit = off` 11 of 800
acknowledged writes were lost by a kill, with `fsync = off` 250 of 404 by a power cut.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, text

OLDEST = 150000
_RULES = (
    # setting, values that are unsafe, what it would mean, the remedy
    ("fsync", {"off"}, "a power cut loses acknowledged data", "set fsync = on and restart PostgreSQL"),
    (
        "full_page_writes",
        {"off"},
        "a power cut can corrupt the data",
        "set full_page_writes = on and reload PostgreSQL",
    ),
    (
        "synchronous_commit",
        {"off"},
        "a crash loses the last acknowledged entries",
        "set synchronous_commit = on (also for role and database: ALTER ROLE … RESET synchronous_commit)",
    ),
)


class Level(StrEnum):
    """What a finding does to a start."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Danger:
    """One thing about the server or the role that puts data at risk."""

    setting: str
    level: Level
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.message}. Remedy: {self.remedy}."


def durability(connection: Connection) -> list[Danger]:
    """What is unsafe about the server, and about the role that `connection` is made as; empty when all is well.

    Call it on a connection of the application's own role: settings and rights may differ from role to role.
    """
    found = [*_settings(connection), *_role(connection)]
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if version < OLDEST:
        found.append(
            Danger(
                "server_version",
                Level.REFUSE,
                f"PostgreSQL {version // 10000} is too old",
                "use PostgreSQL 15 or newer",
            )
        )
    if connection.execute(text("SHOW server_encoding")).scalar_one() != "UTF8":
        found.append(
            Danger(
                "server_encoding",
                Level.REFUSE,
                "Chinese text cannot be stored",
                "create the database with ENCODING 'UTF8'",
            )
        )
    return found


def _settings(connection: Connection) -> list[Danger]:
    found = []
    for name, unsafe, means, remedy in _RULES:
        value = connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one()
        if value in unsafe:
            found.append(Danger(name, Level.REFUSE, f"is {value}: {means}", remedy))
    if connection.execute(text("SHOW data_checksums")).scalar_one() == "off":
        remedy = "stop PostgreSQL, run pg_checksums --enable, start it"
        found.append(Danger("data_checksums", Level.WARN, "is off: a failing disk changes data unnoticed", remedy))
    return found


def _role(connection: Connection) -> list[Danger]:
    row = connection.execute(
        text(
            "SELECT rolsuper, rolbypassrls, "
            "EXISTS (SELECT 1 FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace "
            "WHERE t.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
            "AND n.nspname NOT LIKE 'pg\\_temp%' AND pg_has_role(current_user, t.relowner, 'MEMBER')) AS owns, "
            "(SELECT pg_has_role(current_user, datdba, 'MEMBER') FROM pg_database WHERE datname = current_database()) "
            "AS owns_database FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    remedy = "connect the application as the role that deploy/roles.sql makes for it"
    if row.rolsuper:
        return [Danger("role", Level.REFUSE, "is a superuser, whom no rule of the database binds", remedy)]
    found = []
    if row.rolbypassrls:
        found.append(Danger("role", Level.REFUSE, "passes row-level security", remedy))
    if row.owns or row.owns_database:
        found.append(
            Danger(
                "role", Level.REFUSE, "owns the tables, or may act as their owner, and could rewrite history", remedy
            )
        )
    return found
