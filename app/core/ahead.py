"""Reading all of a large result: in blocks, in the driver's own rows, the next block while this one is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from psycopg import Connection
from sqlalchemy import Select
from sqlalchemy.orm import Session

_number = count()


def ahead(session: Session, statement: Select[Any], *, at_once: int = 500) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a statement in blocks of `at_once`, by a cursor; other statements may run between two blocks.

    A thread waits for the server meanwhile: the driver lets one thread at a time use the connection.
    """
    asked = statement.compile(dialect=session.get_bind().dialect, compile_kwargs={"render_postcompile": True})
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, Connection):
        raise TypeError("Large results are read through psycopg")
    with driver.cursor(name=f"marrow_ahead_{next(_number)}") as cursor:
        cursor.execute(str(asked), asked.params, binary=True)
        block = cursor.fetchmany(at_once)
        if len(block) < at_once:
            yield block
            return
        with ThreadPoolExecutor(1, "ahead") as reader:
            while block:
                following = reader.submit(cursor.fetchmany, at_once)
                yield block
                block = following.result()
