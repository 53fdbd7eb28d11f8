"""`python -m app.bench.bare <socket> <database url> <rows>`: the rows of a save, and nothing else, by hand-written SQL.

The same web framework, a pool of psycopg connections, prepared statements. Two ways: `plain` as one writes it, a
statement for each row in a transaction, the head of the chain read, hashed and written last; `single` as one writes
it for speed alone, everything in one statement and one round trip. `rows` is a file with the derivation and the trail
that Marrow stored for such a page: their sizes are the same, and none of it is worked out.
"""

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from queue import LifoQueue
from typing import Any
from uuid import uuid4

import psycopg
from fastapi import Body, FastAPI
from psycopg.types.json import Jsonb

from app.bench.serving import serve
from app.bench.study import STUDY
from app.core.clock import now
from app.core.serving import Listening

_THREADS = 8

_RECORD = """
    INSERT INTO record (study_id, record_id, subject_id, visit, visit_repeat, form_id, repeat, form_version,
                        study_version, revision, status, instead_of, change_id)
    VALUES (%(study)s, %(record)s, %(subject)s, 'V', %(repeat)s, 'panel', 1, 1, 1, 1, 'complete', NULL, %(change)s)
"""
_REVISION = """
    INSERT INTO revision (study_id, record_id, number, form_version, status, answers, at, change_id)
    VALUES (%(study)s, %(record)s, 1, 1, 'complete', %(answers)s, %(at)s, %(change)s)
"""
_COMPUTED = """
    INSERT INTO computed (study_id, record_id, number, revision, form_version, "values", at, change_id)
    VALUES (%(study)s, %(record)s, 1, 1, 1, %(computed)s, %(at)s, %(change)s)
"""
_DERIVATION = """
    INSERT INTO derivation (study_id, subject_id, number, study_version, results, at, change_id)
    VALUES (%(study)s, %(subject)s, %(repeat)s, 1, %(results)s, %(at)s, %(change)s)
"""
_HEAD = "SELECT seq, hash FROM chain WHERE study_id = %(study)s FOR UPDATE"
_MOVE = "UPDATE chain SET seq = %(seq)s, hash = %(hash)s WHERE study_id = %(study)s"
_COLUMNS = """
    INSERT INTO change (study_id, change_id, actor_id, actor, at, zone, action, reason, source, site_id, subject_id,
                        record_id, detail, rows, digest, seq, hash)
"""
_SAID = """
    %(study)s, %(change)s, NULL, 'Bare', %(at)s, 'UTC', 'record.save', NULL, 'bare', 'B01', %(subject)s,
    %(record)s, %(detail)s, %(rows)s, %(digest)s
"""
_CHANGE = f"{_COLUMNS} VALUES ({_SAID}, %(seq)s, %(hash)s)"
_SINGLE = f"""
    WITH a AS ({_RECORD}), b AS ({_REVISION}), c AS ({_COMPUTED}), d AS ({_DERIVATION}), head AS (
        UPDATE chain SET seq = seq + 1, hash = sha256(hash || %(digest)s) WHERE study_id = %(study)s RETURNING seq, hash
    )
    {_COLUMNS} SELECT {_SAID}, seq, hash FROM head
"""  # noqa: S608 - the words above


def _plain(connection: "psycopg.Connection[Any]", values: dict[str, Any]) -> None:
    with connection.transaction():
        for statement in (_RECORD, _REVISION, _COMPUTED, _DERIVATION):
            connection.execute(statement, values, prepare=True)
        seq, last = connection.execute(_HEAD, values, prepare=True).fetchone() or (0, b"")
        moved = values | {"seq": seq + 1, "hash": sha256(last + values["digest"]).digest()}
        connection.execute(_MOVE, moved, prepare=True)
        connection.execute(_CHANGE, moved, prepare=True)


def _single(connection: "psycopg.Connection[Any]", values: dict[str, Any]) -> None:
    connection.execute(_SINGLE, values, prepare=True)


WAYS: dict[str, Callable[["psycopg.Connection[Any]", dict[str, Any]], None]] = {"plain": _plain, "single": _single}


def make(url: str, kept: dict[str, Any]) -> FastAPI:
    """The application with its one route."""
    pool: LifoQueue[psycopg.Connection[Any]] = LifoQueue()
    for _ in range(_THREADS):
        connection = psycopg.connect(url, autocommit=True)
        connection.execute("SELECT set_config('marrow.studies', %s, false)", [STUDY])
        pool.put(connection)

    @contextmanager
    def borrowed() -> Iterator["psycopg.Connection[Any]"]:
        connection = pool.get()
        try:
            yield connection
        finally:
            pool.put(connection)

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        while not pool.empty():
            pool.get().close()

    app = FastAPI(lifespan=closing)

    @app.put("/{way}/{subject}/{repeat}")
    def save(way: str, subject: str, repeat: int, body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: FAST002, B008
        rows = {name: Jsonb(kept[name]) for name in ("computed", "results", "detail", "rows")}
        values = {
            "study": STUDY, "record": uuid4(), "subject": subject, "repeat": repeat, "change": uuid4(), "at": now(),
            "answers": Jsonb(body["answers"]), "digest": sha256(json.dumps(kept["rows"]).encode()).digest(),
        }  # fmt: skip
        with borrowed() as connection:
            WAYS[way](connection, values | rows)
        return {"revision": 1, "answers": body["answers"]}

    return app


def main(descriptor: str, url: str, rows: str) -> None:
    """Serve until told to stop."""
    app = make(url, json.loads(Path(rows).read_text()))
    serve(Listening(app, access_log=False, log_level="error"), int(descriptor))


if __name__ == "__main__":
    main(*sys.argv[1:])
