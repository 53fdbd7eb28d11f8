"""Rows as the trail writes them, straight from the server: in constant memory, and whatever somebody put there.

The rows are read in PostgreSQL's binary format and turned into canonical types without the detour over Python's
own, which is what the speed of a verification hangs on. A value that Python could not hold, such as the timestamp
`infinity`, becomes a text that no honest row has, so that it is reported and not stumbled over.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from psycopg import Connection, sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy import Table
from sqlalchemy.orm import Session

BATCH = 500
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the zero of PostgreSQL's binary timestamps, UTC


@lru_cache(maxsize=4096)  # the rows of one change bear one time
def _moment(ticks: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=ticks)).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        return f"beyond the calendar: {ticks}"


class _Moment(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        return _moment(int.from_bytes(data, "big", signed=True))


class _Uuid(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        digits = bytes(data).hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _Json(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Any:
        try:
            return orjson.loads(memoryview(data)[1:])  # the first byte is the version of the format
        except orjson.JSONDecodeError:
            return {"nested beyond reading": bytes(data).hex()}


class _Hex(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        return bytes(data).hex()


LOADERS: dict[str, Any] = {"timestamptz": _Moment, "uuid": _Uuid, "jsonb": _Json, "bytea": _Hex}


def batches(
    session: Session, table: Table, columns: Sequence[str], study_id: str | None, *, order: str | None = None
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of `table` in canonical types, those of one study or (None) all, by a cursor on the server."""
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table.name)
    )
    if study_id is not None:
        query += sql.SQL(" WHERE study_id = {}").format(sql.Placeholder())
    if order is not None:
        query += sql.SQL(" ORDER BY {}").format(sql.Identifier(order))
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, Connection):
        raise TypeError("The trail is read through psycopg")
    with driver.cursor(name=f"marrow_{table.name}") as cursor:
        for kind, loader in LOADERS.items():
            cursor.adapters.register_loader(kind, loader)
        cursor.execute(query, () if study_id is None else (study_id,), binary=True)
        while batch := cursor.fetchmany(BATCH):
            yield batch
