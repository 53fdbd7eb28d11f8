"""`python -m app.bench.exporting marrow|forms|bare|copy <url>`: one way out, timed in a process of its own.

`marrow` is the whole archive, `forms` its files of pages alone; `bare` the same pages by a server-side cursor and the
csv module, `copy` by COPY. Prints seconds, seconds until the first byte, bytes, and resident megabytes: at most, and
of the program by itself.
"""

import csv
import io
import json
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import psycopg
from psycopg.types.json import set_json_loads

from app.bench.child import told
from app.bench.study import FORMS, STUDY
from app.core.db import make_engine
from app.core.provision import libpq
from app.core.transaction import Database, see
from app.exchange import tables
from app.exchange.archive import Flavour, stream
from app.exchange.export import archive
from app.study.library import newest

_PAGES = """
    SELECT r.subject_id, r.visit, r.visit_repeat, r.form_id, r.repeat, r.status, r.revision, v.at, {}
    FROM record r JOIN revision v ON (v.study_id, v.record_id, v.number) = (r.study_id, r.record_id, r.revision)
    WHERE r.study_id = 'BENCH' AND r.form_id = 'panel'
    ORDER BY r.subject_id, r.visit, r.visit_repeat, r.repeat
"""


def measured(way: str, url: str) -> dict[str, float]:
    """Run this module in a child."""
    return told("app.bench.exporting", way, url)


@contextmanager
def _database(url: str) -> Iterator[Database]:
    engine = make_engine(url)
    try:
        yield Database(engine, Path("/dev/null"))
    finally:
        engine.dispose()


def _marrow(url: str) -> Iterator[bytes]:
    with _database(url) as database:
        yield from archive(database, STUDY, None)


def _forms(url: str) -> Iterator[bytes]:
    with _database(url) as database, database.reading() as session:
        see(session, STUDY)
        scope = tables.Scope(session, newest(session, STUDY), None, None)
        yield from stream(tables.form_members(scope), lambda _: ("manifest.json", b"{}"), Flavour.MACHINE)


def _items() -> list[str]:
    from app.study.check import read_tree  # noqa: PLC0415 - nothing that an export does not need weighs in its memory

    form = read_tree(FORMS).forms["panel", 1]
    return [item.id for item in form.items if item.formula is None]


def connected(url: str) -> "psycopg.Connection[Any]":
    """A connection of the bare driver that sees the study and reads JSON fast."""
    connection = psycopg.connect(libpq(url))
    connection.execute("SELECT set_config('marrow.studies', 'BENCH', false)")
    set_json_loads(orjson.loads, connection)
    return connection


def _bare(url: str) -> Iterator[bytes]:
    items, text = _items(), io.StringIO(newline="")
    writer = csv.writer(text)
    with connected(url) as connection, connection.cursor("pages") as cursor:
        cursor.itersize = 2000
        for place, row in enumerate(cursor.execute(_PAGES.format("v.answers"))):
            writer.writerow([*row[:-1], *map(row[-1].get, items)])
            if place % 2000 == 0:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
        yield text.getvalue().encode()


def _copy(url: str) -> Iterator[bytes]:
    columns = ", ".join(f"v.answers->>'{item}'" for item in _items())
    asked = f"COPY ({_PAGES.format(columns)}) TO STDOUT (FORMAT csv)"
    with connected(url) as connection, connection.cursor() as cursor, cursor.copy(asked) as rows:
        yield from map(bytes, rows)


def _memory(which: str) -> float:
    """Resident megabytes of this program now (VmRSS) or at most (VmHWM); elsewhere than on Linux always at most."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition(f"{which}:")[2].split()[0]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


WAYS: dict[str, Callable[[str], Iterator[bytes]]] = {"marrow": _marrow, "forms": _forms, "bare": _bare, "copy": _copy}


def main(way: str, url: str) -> None:
    """Take everything, keep nothing."""
    program = _memory("VmRSS")
    began, first, size = perf_counter(), 0.0, 0
    for block in WAYS[way](url):
        size += len(block)
        first = first or perf_counter() - began
    sys.stdout.write(
        json.dumps(
            {
                "seconds": perf_counter() - began,
                "first": first,
                "bytes": size,
                "peak": _memory("VmHWM"),
                "program": program,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
