"""A backup is one tar file: the database at one instant, the anchors, and a manifest that says what must be in it.

The anchors are copied before the snapshot is taken. So each of them speaks of an entry that the snapshot holds, and
a restored copy verifies, however busy the original was.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, create_engine, func, inspect, make_url, select, table, text
from sqlalchemy.pool import NullPool

from app.core.clock import now
from app.core.db import knows, make_engine, normalised
from app.core.embedded import tool
from app.core.files import destination
from app.core.provision import Names, libpq, provision

FORMAT = 1
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout"
MANIFEST, DUMP, ANCHORS = "manifest.json", "database.dump", "anchors.jsonl"


class BackupError(RuntimeError):
    """A backup that cannot be made, or one that cannot be restored here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `heads` maps a chain to its [sequence number, hash in hex]; `files` names to SHA-256."""

    format: int
    made_at: str
    marrow: str
    server_version: int
    revision: str
    owner: str
    app: str
    heads: Mapping[str, tuple[int, str]]
    rows: Mapping[str, int]
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, encoded: bytes) -> "Manifest":
        """Raises BackupError when these are not the words of a manifest."""
        try:
            words: dict[str, Any] = json.loads(encoded)
            if words["format"] != FORMAT:
                raise BackupError(f"The backup is of format {words['format']}, this release reads format {FORMAT}")
            heads = {study: (int(seq), str(digest)) for study, (seq, digest) in words.pop("heads").items()}
            return cls(heads=heads, **words)
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise BackupError("The manifest of the backup cannot be read") from fault


def backup(owner_url: str, anchors: Path, out: Path, *, app_role: str = "marrow_app") -> Manifest:
    """Write a backup of the database to `out`, which appears when it is whole and on the disk.

    Args:
        owner_url: the database as its owner, who sees every row.
        anchors: the anchor file; a missing one stands for no anchors.
        out: a path at which nothing is yet, in a folder that is there.
        app_role: the role that the application connects as, made again when restoring.

    Raises:
        CannotWriteError: when no file can be written there.
        BackupError: when `out` exists or the database cannot be dumped.
    """
    path = destination(out)
    if path.exists():
        raise BackupError(f"{out} exists already. Choose another name, or move it away.")
    with _folder(path.parent) as folder:
        _copy_whole_lines(anchors, folder / ANCHORS)
        engine = create_engine(normalised(owner_url), poolclass=NullPool, hide_parameters=True)
        snapshot = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with snapshot.connect() as connection:
            name = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            found = _state(connection)
            _run(
                "pg_dump", owner_url, "--format=custom", "--compress=3", f"--snapshot={name}", f"--file={folder / DUMP}"
            )
        manifest = Manifest(
            format=FORMAT,
            made_at=now().isoformat(),
            marrow=version("marrow"),
            owner=make_url(owner_url).username or "",
            app=app_role,
            files={part: _digest(folder / part) for part in (DUMP, ANCHORS)},
            **found,
        )
        (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n")
        with (folder / "backup").open("wb") as raw:
            with tarfile.open(fileobj=raw, mode="w") as tar:
                for part in (MANIFEST, ANCHORS, DUMP):
                    tar.add(folder / part, arcname=part, filter=_anonymous)
            raw.flush()
            os.fsync(raw.fileno())
        (folder / "backup").rename(path)
    return manifest


def restore(
    file: Path,
    admin_url: str,
    anchors: Path,
    *,
    database: str = "marrow",
    passwords: tuple[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Bring a backup back into an empty database, with its roles and grants, and check that all of it is there.

    Args:
        file: what `backup` wrote.
        admin_url: a server, as a role that may create databases and roles.
        anchors: where the anchor file goes. One that continues the backup's stays: it knows what came afterwards.
        database: its name, made when it does not exist.
        passwords: of owner and app, should they have to be made.
        say: told what is being done.

    Raises:
        BackupError: before anything is changed when the backup is damaged, newer than this release, or the target is
            not empty; afterwards when what was restored is not what the manifest says.
    """
    with _folder(None) as folder:
        manifest = _unpack(file, folder)
        if not knows(manifest.revision):
            raise BackupError(
                f"The backup is of schema {manifest.revision}, which this release does not know. "
                f"Restore it with Marrow {manifest.marrow} or newer."
            )
        _require_anchors_fit(anchors, folder / ANCHORS)
        _require_empty(admin_url, database)
        say(f"restoring {sum(manifest.rows.values())} rows of {manifest.made_at}")
        provision(admin_url, Names(manifest.owner, manifest.app, database), passwords=passwords)
        target = make_url(normalised(admin_url)).set(database=database).render_as_string(hide_password=False)
        _replay(folder / DUMP, target, manifest.owner)
        engine = make_engine(target, pool_size=1, statement_timeout=0)
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
            found = _state(connection)
        engine.dispose()
        for what in ("revision", "rows", "heads"):
            if found[what] != getattr(manifest, what):
                raise BackupError(f"After restoring, the {what} differ from the manifest. Do not use this database.")
        if not anchors.exists():
            anchors.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / ANCHORS, anchors)
    return manifest


def _state(connection: Connection) -> dict[str, Any]:
    heads = connection.execute(text("SELECT study_id, seq, hash FROM chain ORDER BY study_id"))
    counted = {
        name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
        for name in sorted(inspect(connection).get_table_names())
    }
    return {
        "server_version": int(connection.execute(text("SHOW server_version_num")).scalar_one()),
        "revision": connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one(),
        "heads": {study: (seq, bytes(digest).hex()) for study, seq, digest in heads},
        "rows": counted,
    }


def _run(program: str, url: str, *arguments: str) -> None:
    command, environment = _client(program, url, *arguments)
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=said, env=environment)  # noqa: S603
        _require_success(program, done.returncode, said)


def _replay(dump: Path, url: str, role: str) -> None:
    """Play a dump into a database, as `role` and in one transaction.

    `pg_restore` is of version 18 and begins with a setting that servers before 17 refuse; that line is left out.
    """
    command, environment = _client(
        "psql", url, "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"
    )
    writing: list[Path | str] = [tool("pg_restore"), "--no-owner", f"--role={role}", "--file=-", dump]
    with (
        tempfile.TemporaryFile() as said_writing,
        tempfile.TemporaryFile() as said_reading,
        subprocess.Popen(writing, stdout=subprocess.PIPE, stderr=said_writing, env={"LC_ALL": "C"}) as writer,  # noqa: S603
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said_reading, env=environment
        ) as reader,
    ):
        if writer.stdout is None or reader.stdin is None:
            raise BackupError("No pipe could be laid between pg_restore and psql")
        with suppress(BrokenPipeError), reader.stdin as sink:
            for line in writer.stdout:
                if line.startswith(_UNKNOWN_BEFORE_17):
                    break
                sink.write(line)
            shutil.copyfileobj(writer.stdout, sink, 1 << 20)
        writer.stdout.close()
        _require_success("psql", reader.wait(), said_reading)
        _require_success("pg_restore", writer.wait(), said_writing)


def _client(program: str, url: str, *arguments: str) -> tuple[list[Path | str], dict[str, str]]:
    """A command and its environment. The password is in the latter: arguments can be seen by every user."""
    words = conninfo_to_dict(libpq(normalised(url)))
    password = words.pop("password", None)
    environment = {"LC_ALL": "C"} | ({"PGPASSWORD": str(password)} if password else {})
    return [tool(program), f"--dbname={make_conninfo('', **words)}", "--no-password", *arguments], environment


def _require_success(program: str, status: int, said: IO[bytes]) -> None:
    if status:
        said.seek(0)
        first = said.readline().decode(errors="replace").strip()  # later lines may hold rows
        raise BackupError(f"{program} failed: {first or 'no reason given'}")


def _unpack(file: Path, folder: Path) -> Manifest:
    try:
        with tarfile.open(file) as tar:
            for part in (MANIFEST, ANCHORS, DUMP):
                source = tar.extractfile(part)
                if source is None:
                    raise BackupError(f"{file}: {part} is missing")
                with (folder / part).open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
    except (tarfile.TarError, KeyError, OSError) as fault:
        raise BackupError(f"{file} is not a whole backup of Marrow") from fault
    manifest = Manifest.read((folder / MANIFEST).read_bytes())
    for part in (DUMP, ANCHORS):
        if _digest(folder / part) != manifest.files.get(part):
            raise BackupError(f"{file}: {part} is damaged, its SHA-256 differs from the manifest")
    return manifest


def _require_empty(admin_url: str, database: str) -> None:
    with psycopg.connect(libpq(admin_url)) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            return
    with psycopg.connect(libpq(admin_url, database=database)) as target:
        question = (
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
        )
        row = target.execute(question).fetchone()
        if row is None or row[0]:
            raise BackupError(f"The database {database} is not empty. Restore into a new one.")


def _require_anchors_fit(anchors: Path, saved: Path) -> None:
    if anchors.exists() and not anchors.read_bytes().startswith(saved.read_bytes()):
        raise BackupError(f"{anchors} belongs to another database. Move it away, or choose another place.")


def _copy_whole_lines(source: Path, target: Path) -> None:
    found = source.read_bytes() if source.exists() else b""
    target.write_bytes(found[: found.rfind(b"\n") + 1])


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


@contextmanager
def _folder(parent: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".marrow-backup-", dir=parent) as made:
        yield Path(made)
