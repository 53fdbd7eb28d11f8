"""All of a large result, block by block, while other statements run on the same connection."""

from itertools import chain, islice
from typing import Any

import pytest
from psycopg.errors import DivisionByZero
from sqlalchemy import Engine, Select, column, func, select, text
from sqlalchemy.orm import Session

from app.core.ahead import ahead


def numbers(count: int) -> Select[Any]:
    return select(func.generate_series(1, count).column_valued("n"))


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000, 1733])
def test_every_row_comes_once_and_in_order(engine: Engine, count: int) -> None:
    with Session(engine) as session:
        rows = list(chain.from_iterable(ahead(session, numbers(count))))
    assert rows == [(n,) for n in range(1, count + 1)]


def test_other_statements_run_meanwhile_and_see_the_same_transaction(engine: Engine) -> None:
    with Session(engine) as session:
        session.execute(text("SELECT set_config('marrow.studies', 'HERE', true)"))
        asked = text("SELECT current_setting('marrow.studies')")
        assert [session.execute(asked).scalar_one() for _ in ahead(session, numbers(2000))] == ["HERE"] * 4


def test_two_may_be_read_side_by_side(engine: Engine) -> None:
    with Session(engine) as session:
        pairs = zip(ahead(session, numbers(1200)), ahead(session, numbers(1200)), strict=True)
        assert sum(left == right for left, right in pairs) == 3


def test_whoever_stops_early_leaves_the_connection_as_it_was(engine: Engine) -> None:
    with Session(engine) as session:
        assert len(next(islice(ahead(session, numbers(5000)), 1, None))) == 500
        assert session.execute(text("SELECT count(*) FROM pg_cursors")).scalar_one() == 0


def test_an_error_of_the_server_is_raised(engine: Engine) -> None:
    failing = select(1 / (2000 - func.generate_series(1, 3000).column_valued("n")))
    with Session(engine) as session, pytest.raises(DivisionByZero):
        list(ahead(session, failing))


def test_values_are_bound_and_lists_written_out(engine: Engine) -> None:
    chosen = numbers(9).where(column("n").in_([3, 5]), column("n") > 3)
    with Session(engine) as session:
        assert list(ahead(session, chosen)) == [[(5,)]]
