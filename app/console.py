"""What every command stands on: the database of the settings, the server's own actor, and how it speaks.

Whoever can run a command holds the database already; it acts as the server's own actor, and the trail names the
operating system's user.
"""

import getpass
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import typer
from psycopg import OperationalError as DriverError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from typer.core import TyperGroup

from app.access.actor import SystemActor
from app.core import embedded
from app.core.db import SchemaError, make_engine, migrate, schema_state
from app.core.errors import Refusal
from app.core.transaction import Database, see_all
from app.settings import SettingError, Settings


class CommandLine(TyperGroup):
    """What holds for every command, whatever it does."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; told to end, it ends as after Ctrl-C, and leaves nothing running that it has started.

        A signal that is ignored already stays ignored, such as SIGHUP under nohup.
        """
        before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
        ours = [each for each, found in before.items() if found is signal.SIG_DFL]
        for each in ours:
            signal.signal(each, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        finally:
            for each in ours:
                signal.signal(each, before[each])


@dataclass(frozen=True)
class Place:
    """Where the commands work: the database as the application's role, and its URLs."""

    database: Database
    settings: Settings
    app_url: str
    owner_url: str


def say(line: str = "") -> None:
    """One line for a person."""
    typer.echo(line)


def fail(message: str, code: int = 1) -> NoReturn:
    """End with a message on standard error."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def actor() -> SystemActor:
    """The server's own actor, with the operating system's user in the trail."""
    return SystemActor(source=f"cli:{getpass.getuser()}")


@contextmanager
def place(*, migrated: bool = True) -> Iterator[Place]:
    """The database that the settings name, or the embedded one, started for as long as the command runs.

    The embedded database is migrated on the way; a server of one's own is migrated by `marrow migrate`.
    """
    try:
        settings = Settings.from_environment()
    except SettingError as fault:
        fail(str(fault), 2)
    server = engine = None
    try:
        if settings.database_url is None:
            server = embedded.start(settings.data_dir, say=say)
            urls = server.app_url, server.owner_url
            migrate(server.owner_url, settings.app_role)
        else:
            urls = settings.database_url, settings.owner_url or ""
        engine = make_engine(urls[0], pool_size=settings.pool_size)
        if migrated:
            schema_state(engine).require_current()
        yield Place(Database(engine, settings.anchors), settings, *urls)
    except (SchemaError, embedded.CannotStartError) as fault:
        fail(str(fault), 3)
    except Refusal as refused:
        fail(
            "\n".join(
                [refused.detail, *(f"  {e.pointer}: {e.message.rstrip('.')}. {e.remedy}" for e in refused.errors)]
            )
        )
    except (OperationalError, DriverError):
        fail("The database cannot be reached, or it stopped answering. Is MARROW_DATABASE_URL right?", 3)
    finally:
        if engine is not None:
            engine.dispose()
        if server is not None:
            server.stop()


@contextmanager
def work(at: Place) -> Iterator[Session]:
    """A transaction with every study in sight."""
    with at.database.writing() as session:
        see_all(session)
        yield session


def owner(at: Place) -> str:
    """The database as the role that owns the tables."""
    return at.owner_url or fail("MARROW_OWNER_URL names the role that owns the tables; this is done as it", 2)
