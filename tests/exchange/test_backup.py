"""A backup, restored elsewhere, is the database of one instant."""

import hashlib
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from app.core.db import Schema, schema_state
from app.core.provision import libpq
from app.exchange import backup as module
from app.exchange.backup import ANCHORS, DUMP, MANIFEST, BackupError, Manifest, backup, restore
from tests.servers import Database

ADD = "INSERT INTO chain (study_id, seq, hash) VALUES (%s, %s, %s)"


@pytest.fixture
def filled(database: Database) -> Database:
    with psycopg.connect(libpq(database.owner_url)) as connection:
        connection.execute(ADD, ("S1", 7, b"\x01\x02"))
        connection.execute(ADD, ("S2", 0, b""))
    return database


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    path = tmp_path / "live" / "anchors.jsonl"
    path.parent.mkdir()
    path.write_bytes(b'{"n": 1}\n{"n": 2}\n{"cut off')
    return path


def elsewhere(database: Database) -> str:
    name = f"{database.name}_restored"
    database.server._made.append(name)  # noqa: SLF001 - dropped with the others
    return name


def save(database: Database, anchors: Path, out: Path) -> Manifest:
    return backup(database.owner_url, anchors, out, app_role=database.server.names.app)


def test_what_comes_back_is_what_was_there(filled: Database, anchors: Path, tmp_path: Path) -> None:
    made = save(filled, anchors, tmp_path / "b.tar")
    assert made.heads["S1"] == (7, "0102")
    assert made.rows["chain"] == len(made.heads)
    name = elsewhere(filled)
    target = tmp_path / "new" / "anchors.jsonl"
    assert restore(tmp_path / "b.tar", filled.server.admin_url, target, database=name) == made
    assert target.read_bytes() == b'{"n": 1}\n{"n": 2}\n'
    copy = replace(filled, name=name)
    assert schema_state(copy.app_url).state is Schema.CURRENT
    assert save(copy, target, tmp_path / "again.tar").heads == made.heads


def test_rights_and_walls_come_back_with_it(filled: Database, anchors: Path, tmp_path: Path) -> None:
    save(filled, anchors, tmp_path / "b.tar")
    name = elsewhere(filled)
    restore(tmp_path / "b.tar", filled.server.admin_url, tmp_path / "a", database=name)
    question = """
        SELECT c.relname, c.relrowsecurity, pg_get_userbyid(c.relowner), c.relacl::text,
               (SELECT array_agg(tgname ORDER BY tgname) FROM pg_trigger t
                WHERE t.tgrelid = c.oid AND NOT tgisinternal),
               (SELECT array_agg(polname ORDER BY polname) FROM pg_policy p WHERE p.polrelid = c.oid)
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname
    """
    found = []
    for url in (filled.admin_url, replace(filled, name=name).admin_url):
        with psycopg.connect(libpq(url)) as connection:
            found.append(connection.execute(question).fetchall())
    assert found[0] == found[1]
    assert any(row[1] for row in found[0])
    app = libpq(replace(filled, name=name).app_url)
    with psycopg.connect(app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM change")


def test_it_is_one_instant_however_busy_the_database(filled: Database, anchors: Path, tmp_path: Path) -> None:
    """Two rows are written in each transaction: a snapshot never holds one without the other."""
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(libpq(filled.owner_url)) as connection:
            number = 0
            while not stop.is_set():
                for side in "ab":
                    connection.execute(ADD, (f"T{number}{side}", 0, b""))
                connection.commit()
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [save(filled, anchors, tmp_path / f"{number}.tar") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert made[0].rows["chain"] < made[2].rows["chain"]
    for number, one in enumerate(made):
        busy = [study for study in one.heads if study.startswith("T")]
        assert len(busy) % 2 == 0
        name = elsewhere(filled) + str(number)
        filled.server._made.append(name)  # noqa: SLF001 - dropped with the others
        assert restore(tmp_path / f"{number}.tar", filled.server.admin_url, tmp_path / name, database=name) == one


def test_a_target_that_holds_anything_is_refused(filled: Database, anchors: Path, tmp_path: Path) -> None:
    save(filled, anchors, tmp_path / "b.tar")
    with pytest.raises(BackupError, match="not empty"):
        restore(tmp_path / "b.tar", filled.server.admin_url, tmp_path / "a", database=filled.name)


def test_an_existing_file_is_not_overwritten(filled: Database, anchors: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("precious")
    with pytest.raises(BackupError, match="exists"):
        save(filled, anchors, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_text() == "precious"


def test_a_backup_that_fails_leaves_nothing(filled: Database, anchors: Path, tmp_path: Path) -> None:
    wrong = filled.owner_url.replace(filled.name, "template1")
    (tmp_path / "out").mkdir()
    with pytest.raises(Exception, match=r"chain|permission"):
        backup(wrong, anchors, tmp_path / "out" / "b.tar")
    assert list((tmp_path / "out").iterdir()) == []


def rewritten(file: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    with tarfile.open(file) as tar:
        parts = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    change(parts)
    folder = file.with_suffix(".parts")
    folder.mkdir()
    with tarfile.open(file.with_suffix(".other"), "w") as tar:
        for name, content in parts.items():
            (folder / name).write_bytes(content)
            tar.add(folder / name, arcname=name)
    shutil.rmtree(folder)
    return file.with_suffix(".other")


def edited(**words: object) -> Callable[[dict[str, bytes]], object]:
    return lambda parts: parts.update({MANIFEST: json.dumps(json.loads(parts[MANIFEST]) | words).encode()})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda parts: parts.update({DUMP: parts[DUMP][:-1] + bytes([parts[DUMP][-1] ^ 1])}),
            "database.dump is damaged",
        ),
        (lambda parts: parts.update({ANCHORS: parts[ANCHORS] + b"{}\n"}), "anchors.jsonl is damaged"),
        (lambda parts: parts.pop(ANCHORS), "not a whole backup"),
        (lambda parts: parts.update({MANIFEST: b"[]"}), "manifest"),
        (edited(format=99), "format 99"),
        (edited(heads="x"), "manifest"),
        (edited(revision="from_the_future"), "from_the_future"),
        (edited(rows={"chain": 0}), "rows differ"),
        (edited(heads={}), "heads differ"),
    ],
)
def test_a_damaged_or_foreign_backup_is_named(
    filled: Database, anchors: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], object], says: str
) -> None:
    save(filled, anchors, tmp_path / "b.tar")
    with pytest.raises(BackupError, match=says):
        restore(
            rewritten(tmp_path / "b.tar", change), filled.server.admin_url, tmp_path / "a", database=elsewhere(filled)
        )


def test_half_a_file_is_no_backup(filled: Database, anchors: Path, tmp_path: Path) -> None:
    save(filled, anchors, tmp_path / "b.tar")
    os.truncate(tmp_path / "b.tar", (tmp_path / "b.tar").stat().st_size // 2)
    with pytest.raises(BackupError):
        restore(tmp_path / "b.tar", filled.server.admin_url, tmp_path / "a", database=elsewhere(filled))


def test_anchors_that_go_on_are_kept_and_foreign_ones_refused(filled: Database, anchors: Path, tmp_path: Path) -> None:
    save(filled, anchors, tmp_path / "b.tar")
    later = tmp_path / "later"
    later.write_bytes(b'{"n": 1}\n{"n": 2}\n{"n": 3}\n')
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b'{"n": 9}\n')
    with pytest.raises(BackupError, match="another database"):
        restore(tmp_path / "b.tar", filled.server.admin_url, foreign, database=elsewhere(filled))
    restore(tmp_path / "b.tar", filled.server.admin_url, later, database=elsewhere(filled))
    assert later.read_bytes().endswith(b'{"n": 3}\n')


def test_the_manifest_names_what_is_in_the_file(filled: Database, anchors: Path, tmp_path: Path) -> None:
    made = save(filled, anchors, tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert tar.getnames() == [MANIFEST, ANCHORS, DUMP]
        for name, digest in made.files.items():
            source = tar.extractfile(name)
            assert source is not None
            assert hashlib.sha256(source.read()).hexdigest() == digest


@pytest.mark.parametrize("program", ["pg_dump", "psql"])
def test_no_password_is_among_the_arguments(program: str) -> None:
    command, environment = module._client(program, "postgresql://owner:s3cret@h:5432/d")  # noqa: SLF001 - as `ps` sees it
    assert "s3cret" not in " ".join(map(str, command))
    assert environment["PGPASSWORD"] == "s3cret"
