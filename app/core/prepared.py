"""Statements that are sent again and again: put together once, and handed to the driver as they are.

SQLAlchemy looks at a statement anew each time and wraps each row of its answer. That takes longer than the driver and
the server together.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from psycopg import Connection, Cursor
from psycopg.rows import dict_row
from sqlalchemy import Dialect, Select, TextClause
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

Values = Mapping[str, Any]
Statement = Select[Any] | UpdateBase | TextClause


class _Made(NamedTuple):
    """The words of a statement, the values that are part of it, and how those are written that need it."""

    words: bytes
    constants: Values
    writers: tuple[tuple[str, Callable[[Any], Any]], ...]


class Prepared:
    """A statement of which only the values differ from one time to the next. Its rows are the driver's own.

    `lists` says that it is given lists. The server then plans it for the values of each time: a plan that it keeps is
    made for ten of them, and takes twice as long with hundreds.
    """

    def __init__(self, statement: Statement, *, lists: bool = False) -> None:
        self._statement = statement
        self._prepare = False if lists else None
        self._made: _Made | None = None

    def rows(self, session: Session, values: Values) -> list[tuple[Any, ...]]:
        """What it gives."""
        return self.run(session, values).fetchall()

    def named(self, session: Session, values: Values) -> list[dict[str, Any]]:
        """What it gives, by the names of the columns."""
        return self.run(session, values, row_factory=dict_row).fetchall()

    def one(self, session: Session, values: Values) -> dict[str, Any] | None:
        """The first row that it gives, by the names of the columns; None where there is none."""
        return next(iter(self.named(session, values)), None)

    def run(self, session: Session, values: Values, **how: Any) -> Cursor[Any]:
        """Have it done, as part of the session's transaction."""
        connection = session.connection()
        if self._made is None:
            self._made = _made(self._statement, connection.dialect)
        words, constants, writers = self._made
        given = {**constants, **values}
        for name, write in writers:
            given[name] = write(given[name])
        for told in connection.engine.dispatch.before_cursor_execute:  # whoever counts statements counts these too
            told(connection, None, words.decode(), given, None, False)  # noqa: FBT003 - as SQLAlchemy calls them
        driver = connection.connection.driver_connection
        if not isinstance(driver, Connection):
            raise TypeError("What is prepared is sent by psycopg")
        cursor: Cursor[Any] = driver.cursor(**how)
        return cursor.execute(words, given, prepare=self._prepare)


def _made(statement: Statement, dialect: Dialect) -> _Made:
    made = statement.compile(dialect=dialect)
    if not isinstance(made, SQLCompiler):
        raise TypeError("What is prepared is a statement")
    given = {one.key for one in made.binds.values() if one.required}
    constants = {name: value for name, value in made.params.items() if name not in given}
    writers = ((name, one.type.dialect_impl(dialect).bind_processor(dialect)) for name, one in made.binds.items())
    return _Made(str(made).encode(), constants, tuple((name, write) for name, write in writers if write))
