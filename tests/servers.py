"""Servers on which tests make databases of their own."""

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from app.core.db import normalised
from app.core.provision import Names, libpq


@dataclass
class Server:
    """A server on which databases can be made. `names.database` is the migrated template."""

    admin_url: str
    names: Names
    passwords: tuple[str, str] | None = None
    _made: list[str] = field(default_factory=list)
    _count: int = 0

    def url(self, role: str, database: str) -> str:
        found = make_url(normalised(self.admin_url)).set(
            username=role, password=self._password(role), database=database
        )
        return found.render_as_string(hide_password=False)

    def clone(self) -> "Database":
        """A fresh database; the one before last is dropped, whose connections have long gone."""
        self._count += 1
        name = f"{self.names.database}_{self._count}"
        with psycopg.connect(libpq(self.admin_url), autocommit=True) as admin:
            words = [sql.Identifier(word) for word in (name, self.names.database, self.names.owner, self.names.app)]
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*words[:3]))
            admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(words[0]))
            admin.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(words[0], words[3]))
            self._made.append(name)
            while len(self._made) > 2:
                _drop(admin, self._made.pop(0))
        return Database(name, self)

    def clear(self) -> None:
        with psycopg.connect(libpq(self.admin_url), autocommit=True) as admin:
            for name in (*self._made, self.names.database):
                _drop(admin, name)
            for role in (self.names.owner, self.names.app):
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    def _password(self, role: str) -> str | None:
        admin = make_url(self.admin_url)
        own = dict(zip((self.names.owner, self.names.app), self.passwords or (None, None), strict=True))
        return own[role] if role in own else str(admin.password) if admin.password else None


@dataclass(frozen=True)
class Database:
    """One test's own database."""

    name: str
    server: Server

    @property
    def admin_url(self) -> str:
        """As the superuser: past every wall and trigger, for tampering."""
        return self.server.url(str(make_url(self.server.admin_url).username), self.name)

    @property
    def owner_url(self) -> str:
        return self.server.url(self.server.names.owner, self.name)

    @property
    def app_url(self) -> str:
        return self.server.url(self.server.names.app, self.name)


def _drop(admin: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def roomy() -> Path:
    """A folder of one's own that the server's account can enter, in memory where there is plenty of it."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp below makes a private name in it
    plenty = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    made = Path(tempfile.mkdtemp(prefix="marrow-tests-", dir=memory if plenty else None))
    made.chmod(0o755)
    return made
