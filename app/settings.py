"""What can be set from outside, all of it in `MARROW_*` variables. Nothing else reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import make_url

from app.core.db import normalised

PREFIX = "MARROW_"
SPARE = 2
"""Connections beside one per thread: for streams, health checks and traces of refusals."""
_YES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class SettingError(ValueError):
    """A setting that cannot be read. The message names it, and never holds its value, which may be a secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable, described in docs/deployment.md. No URL means the embedded server below `var`."""

    database_url: str | None = None
    owner_url: str | None = None
    var: Path = Path("var")
    anchors: Path = Path("var/anchors.jsonl")
    pool_size: int = 10
    threads: int = 8
    max_body: int = 2_000_000
    session_idle_minutes: int = 20
    session_hours: int = 12
    log_level: str = "info"
    trusted_hosts: tuple[str, ...] = ("*",)
    allow_unsafe_database: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `environment`, by default that of the process. An unknown MARROW_ name is a misspelling, and refused.

        Raises:
            SettingError: naming the variable.
        """
        given = os.environ if environment is None else environment
        words = {name: value for name, value in given.items() if name.startswith(PREFIX) and value.strip()}
        unknown = sorted(words.keys() - set(VARIABLES))
        if unknown:
            raise SettingError(f"{', '.join(unknown)}: no such setting (docs/deployment.md lists them all)")
        read = _Reader(words)
        var = Path(words.get("MARROW_VAR", "var"))
        database_url = read.url("MARROW_DATABASE_URL")
        threads = read.number("MARROW_THREADS", 8, at_least=1)
        return cls(
            database_url=database_url,
            owner_url=read.url("MARROW_OWNER_URL"),
            var=var,
            anchors=Path(words.get("MARROW_ANCHORS") or var / _anchors_of(database_url)),
            pool_size=read.number("MARROW_POOL_SIZE", threads + SPARE, at_least=1 + SPARE),
            threads=threads,
            max_body=read.number("MARROW_MAX_BODY", 2_000_000, at_least=1_000),
            session_idle_minutes=read.number("MARROW_SESSION_IDLE_MINUTES", 20, at_least=1),
            session_hours=read.number("MARROW_SESSION_HOURS", 12, at_least=1),
            log_level=read.choice("MARROW_LOG_LEVEL", "info", {"debug", "info", "warning", "error"}),
            trusted_hosts=tuple(host.strip() for host in words.get("MARROW_TRUSTED_HOSTS", "*").split(",")),
            allow_unsafe_database=read.flag("MARROW_ALLOW_UNSAFE_DATABASE"),
        )

    @property
    def data_dir(self) -> Path:
        """Where the embedded server keeps its data."""
        return self.var / "pg"

    @property
    def app_role(self) -> str:
        """The application's role, to which the migrations grant its rights."""
        return (self.database_url and make_url(self.database_url).username) or "marrow_app"


def _anchors_of(database_url: str | None) -> str:
    """The name of the anchor file: each database has its own, or the anchors of one would accuse the other."""
    if database_url is None:
        return "anchors.jsonl"
    url = make_url(database_url)
    place = f"{url.host or url.query.get('host')}:{url.port or 5432}/{url.database}"
    return f"anchors-{sha256(place.encode()).hexdigest()[:12]}.jsonl"


VARIABLES = tuple(PREFIX + name.upper() for name in Settings.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class _Reader:
    words: Mapping[str, str]

    def url(self, name: str) -> str | None:
        if name not in self.words:
            return None
        try:
            url = normalised(self.words[name])
            make_url(url)
        except ValueError as fault:
            raise SettingError(
                f"{name}: a database URL looks like postgresql://role:password@host:5432/marrow"
            ) from fault
        return url

    def number(self, name: str, default: int, *, at_least: int) -> int:
        word = self.words.get(name, str(default))
        if not (word.isascii() and word.isdigit() and int(word) >= at_least):
            raise SettingError(f"{name}: give a whole number of at least {at_least}")
        return int(word)

    def choice(self, name: str, default: str, allowed: set[str]) -> str:
        word = self.words.get(name, default).lower()
        if word not in allowed:
            raise SettingError(f"{name}: one of {', '.join(sorted(allowed))}")
        return word

    def flag(self, name: str) -> bool:
        word = self.words.get(name, "no").lower()
        if word not in _YES:
            raise SettingError(f"{name}: yes or no")
        return _YES[word]
