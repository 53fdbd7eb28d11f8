"""What every command stands on: the database of the settings, the server's own actor, and how it speaks.

Whoever can run a command holds the database already; it acts as the server's own actor, and the trail names the
operating system's user.
"""

import getpass
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer
from psycopg import OperationalError as DriverError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from typer.core import TyperGroup

from app.access.actor import SystemActor
from app.core import embedded
from app.core.db import SchemaError, make_engine, migrate, schema_state
from app.core.errors import Fault, Refusal
from app.core.files import CannotWriteError
from app.core.transaction import Database, see_all
from app.settings import SettingError, Settings


class CommandLine(TyperGroup):
    """What holds for every command, whatever it does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is given is text: bytes that are none could be neither stored nor shown."""
        for each in args:
            if (shown := each.encode(errors="replace").decode()) != each:
                raise typer.BadParameter(f"{shown} holds bytes that are no UTF-8. Rename the file, or type it anew.")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; told to end, it ends as after Ctrl-C, and leaves nothing running that it has started.

        A signal that is ignored already stays ignored, such as SIGHUP under nohup. What is refused, and what the
        machine does not give, is said in a sentence: exit 2 when the words or settings are wrong, 3 when the database
        cannot be used, else 1.
        """
        before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
        ours = [each for each, found in before.items() if found is signal.SIG_DFL]
        for each in ours:
            signal.signal(each, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        except (SettingError, CannotWriteError) as fault:
            fail(str(fault), 2)
        except (SchemaError, embedded.CannotStartError) as fault:
            fail(str(fault), 3)
        except Refusal as refused:
            fail("\n".join([refused.detail, *map(_line, refused.errors)]))
        except (OperationalError, DriverError):
            fail("The database cannot be reached, or it stopped answering. Is MARROW_DATABASE_URL right?", 3)
        except OSError as fault:
            if fault.filename is None:
                raise
            fail(f"{fault.filename}: {fault.strerror}.")
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


def text(file: Path) -> str:
    """What a file says, which has to be UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8. Save it as UTF-8.", 2)


def _line(fault: Fault) -> str:
    return f"  {fault.pointer}: {fault.message.rstrip('.')}. {fault.remedy}"


def actor() -> SystemActor:
    """The server's own actor, with the operating system's user in the trail."""
    return SystemActor(source=f"cli:{getpass.getuser()}")


@contextmanager
def place(*, migrated: bool = True) -> Iterator[Place]:
    """The database that the settings name, or the embedded one, started for as long as the command runs.

    The embedded database is migrated on the way; a server of one's own is migrated by `marrow migrate`.
    """
    settings = Settings.from_environment()
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
