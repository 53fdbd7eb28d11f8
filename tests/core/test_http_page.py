"""Lists page by page: each row once, in order, however the rows tie; no forged cursor gets through."""

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid, create_engine, insert, select
from sqlalchemy.orm import Session

from app.core.page import InvalidCursor, Order, UnknownField, page, sorting
from tests.servers import Server

metadata = MetaData()
row = Table(
    "listed",
    metadata,
    Column("row_id", Uuid, primary_key=True),
    Column("name", Text),
    Column("number", Integer),
    Column("at", DateTime(timezone=True)),
    prefixes=["TEMPORARY"],
)
ALLOWED = {"name": row.c.name, "number": row.c.number, "at": row.c.at}
ROWS: list[dict[str, Any]] = [
    {"row_id": uuid4(), "name": f"n{place % 3}", "number": place // 4, "at": datetime(2026, 1, 1, tzinfo=UTC)
     + timedelta(hours=place // 5, microseconds=place // 7)}
    for place in range(25)
]  # fmt: skip


@pytest.fixture(scope="module")
def session(server: Server) -> Iterator[Session]:
    engine = create_engine(server.clone().owner_url)
    with Session(engine) as made, made.begin():
        metadata.create_all(made.connection())
        made.execute(insert(row), ROWS)
        yield made
    engine.dispose()


def ordered(wish: str | None) -> Order:
    return sorting(wish, ALLOWED, default="name", unique=[row.c.row_id])


def walk(session: Session, order: Order, limit: int) -> Iterator[Sequence[Any]]:
    cursor = None
    while True:
        found, cursor = page(session, select(row.c.row_id, row.c.name), order, cursor=cursor, limit=limit)
        yield found
        if cursor is None:
            return


@pytest.mark.parametrize("limit", [1, 4, 24, 25, 26])
@pytest.mark.parametrize("wish", [None, "-name", "number", "-number", "at", "-at"])
def test_every_row_is_shown_once_and_in_order(session: Session, wish: str | None, limit: int) -> None:
    pages = list(walk(session, ordered(wish), limit))
    shown = [one["row_id"] for found in pages for one in found]
    name = (wish or "name").removeprefix("-")
    backwards = (wish or "").startswith("-")
    expected = sorted(ROWS, key=lambda one: (one[name], one["row_id"].bytes), reverse=backwards)
    assert shown == [one["row_id"] for one in expected]
    assert {len(found) for found in pages[:-1]} <= {limit}


def test_rows_hold_what_was_selected_and_the_keys_stay_within(session: Session) -> None:
    found, cursor = page(session, select(row.c.number), ordered("at"), cursor=None, limit=5)
    assert set(found[0]) >= {"number"}
    assert cursor is not None
    page(session, select(row.c.number), ordered("at"), cursor=cursor, limit=5)


@pytest.mark.parametrize("wish", ["arm", "", "-", "--name", "row_id", "name desc", "name;--", "NAME"])
def test_only_listed_fields_are_sorted_by(wish: str) -> None:
    with pytest.raises(UnknownField) as refused:
        ordered(wish)
    assert refused.value.members["allowed"] == ["at", "name", "number"]


def seal(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forged(session: Session) -> dict[str, str]:
    _, real = page(session, select(row), ordered("number"), cursor=None, limit=5)
    assert real is not None
    mark, number, identity = json.loads(base64.urlsafe_b64decode(real + "=="))
    UUID(identity)
    return {
        "nothing": "", "words": "not a cursor", "letters": "AAAA", "chinese": "游标", "cut": real[:-4],
        "more": real + "A",
        "list": seal([]), "object": seal({}), "number": seal(1), "deep": seal([[[]]]), "no keys": seal([mark]),
        "other order": seal(["0" * 12, number, identity]), "too many": seal([mark, number, identity, 1]),
        "text for a number": seal([mark, "1", identity]), "boolean for a number": seal([mark, True, identity]),
        "fraction": seal([mark, 1.5, identity]), "too large": seal([mark, 2**63, identity]),
        "no uuid": seal([mark, number, "x"]), "null": seal([mark, None, identity]),
        "object for a uuid": seal([mark, number, {}]), "list for a number": seal([mark, [1], identity]),
    }  # fmt: skip


def test_a_forged_cursor_is_refused(session: Session) -> None:
    for cursor in forged(session).values():
        with pytest.raises(InvalidCursor):
            page(session, select(row), ordered("number"), cursor=cursor, limit=5)


@pytest.mark.parametrize("text", ["\0", "2026-13-01", "99999-01-01", ""])
def test_a_moment_that_is_none_is_refused(session: Session, text: str) -> None:
    _, real = page(session, select(row), ordered("at"), cursor=None, limit=5)
    assert real is not None
    mark, _, identity = json.loads(base64.urlsafe_b64decode(real + "=="))
    with pytest.raises(InvalidCursor):
        page(session, select(row), ordered("at"), cursor=seal([mark, text, identity]), limit=5)


def test_a_cursor_of_another_filter_is_refused(session: Session) -> None:
    def first(scope: str, cursor: str | None = None) -> str | None:
        return page(session, select(row), ordered("at"), cursor=cursor, limit=5, scope=[scope])[1]

    with pytest.raises(InvalidCursor):
        first("S2", first("S1"))
    assert first("S1", first("S1"))
