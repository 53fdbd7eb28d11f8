"""Statements that are put together once: the same rows as by SQLAlchemy, in the same transaction."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, bindparam, event, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.core.prepared import Prepared

NUMBERS = select(func.generate_series(1, bindparam("upto")).column_valued("n"))


def test_rows_are_those_that_sqlalchemy_reads(engine: Engine) -> None:
    with Session(engine) as session:
        read = session.execute(NUMBERS, {"upto": 3}).all()
        assert Prepared(NUMBERS).rows(session, {"upto": 3}) == [tuple(row) for row in read]
        assert Prepared(NUMBERS).named(session, {"upto": 2}) == [{"n": 1}, {"n": 2}]


def test_the_same_statement_takes_other_values(engine: Engine) -> None:
    counted = Prepared(NUMBERS)
    with Session(engine) as session:
        assert [len(counted.rows(session, {"upto": upto})) for upto in (1, 3, 0, 2)] == [1, 3, 0, 2]
        assert (counted.one(session, {"upto": 1}), counted.one(session, {"upto": 0})) == ({"n": 1}, None)


def test_values_travel_in_the_types_of_their_columns(engine: Engine) -> None:
    given: dict[str, Any] = {"map": {"hb": "9.70", "rows": [{"row": 1}]}, "none": None, "id": uuid4()}
    asked = Prepared(
        select(
            bindparam("map", type_=JSONB).label("map"),
            bindparam("none", type_=JSONB(none_as_null=True)).label("none"),
            bindparam("id").label("id"),
            literal("of the statement").label("own"),
        )
    )
    with Session(engine) as session:
        assert asked.one(session, given) == given | {"own": "of the statement"}


def test_it_is_part_of_the_sessions_transaction(engine: Engine) -> None:
    see = Prepared(text("SELECT set_config('marrow.studies', :studies, true)"))
    asked = text("SELECT current_setting('marrow.studies', true)")
    with Session(engine) as session:
        see.run(session, {"studies": "HERE"})
        assert session.execute(asked).scalar_one() == "HERE"
        session.rollback()
        assert not session.execute(asked).scalar_one()


def test_whoever_counts_statements_counts_it(engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    with Session(engine) as session:
        Prepared(NUMBERS).rows(session, {"upto": 1})
    assert len(seen) == 1
    assert "generate_series" in seen[0]


def test_an_error_of_the_server_is_raised_and_the_session_goes_on_after_it(engine: Engine) -> None:
    divided = Prepared(text("SELECT 1 / :by"))
    with Session(engine) as session:
        with pytest.raises(psycopg.errors.DivisionByZero):
            divided.rows(session, {"by": 0})
        session.rollback()
        assert divided.rows(session, {"by": 1}) == [(1,)]


def test_a_value_that_is_forgotten_is_no_null(engine: Engine) -> None:
    asked = Prepared(text("SELECT :a AS a, coalesce(:b, 'none') AS b"))
    with Session(engine) as session, pytest.raises((psycopg.ProgrammingError, KeyError)):
        asked.one(session, {"a": "here"})
