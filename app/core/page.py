"""Lists page by page: by the keys of the last row seen, so that a row is neither shown twice nor missed.

    order = sorting(sort, {"number": subject.c.subject_id, "created": subject.c.created_at}, default="number", unique=…)
    rows, next_cursor = page(session, statement, order, cursor=cursor, limit=limit)

A cursor is the sort keys of the last row, in base64 of JSON. It opens nothing: it only says where to go on in a list
that is limited to the caller's sites again by every query, and it is checked before it meets the database.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from app.core.canonical import plain
from app.core.errors import BadRequest, Fault, Unreadable

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list. Give each list a name of its own: `class SubjectPage(Page[Subject])`."""

    items: list[Item]
    next_cursor: str | None = None


class InvalidCursor(BadRequest):
    """A cursor that the list did not give out."""

    code = "invalid-cursor"


class UnknownField(Unreadable):
    """A field that a list cannot be sorted or filtered by, whether or not there is such a field."""

    code = "unknown-field"


@dataclass(frozen=True)
class Order:
    """What a list is sorted by: columns that together are unique, none of them ever null."""

    name: str
    columns: tuple[ColumnElement[Any], ...]
    descending: bool = False


def sorting(
    wish: str | None,
    allowed: Mapping[str, ColumnElement[Any]],
    *,
    default: str,
    unique: Sequence[ColumnElement[Any]],
) -> Order:
    """The order a caller wishes for, out of those allowed. `unique` are the columns that decide ties.

    Raises UnknownField, naming the fields there are.
    """
    word = default if wish is None else wish
    name = word.removeprefix("-")
    if name not in allowed:
        message = "The list cannot be filtered or sorted by that."
        fault = Fault("query:sort", "unknown-field", message, ", ".join(sorted(allowed)))
        raise UnknownField(message, errors=(fault,), members={"allowed": sorted(allowed)})
    rest = tuple(column for column in unique if column is not allowed[name])
    return Order(word, (allowed[name], *rest), descending=word.startswith("-"))


def page(
    session: Session,
    statement: Select[Any],
    order: Order,
    *,
    cursor: str | None,
    limit: int,
    scope: Sequence[Any] = (),
) -> tuple[list[Mapping[str, Any]], str | None]:
    """One page of `statement`, as mappings, and the cursor of the next, None at the end.

    One row more than asked for is read, to know whether there is a next page. `scope` is what the list is of and what
    it is filtered by: a cursor of another list, order or filter is refused.
    """
    mark = _mark(order, scope)
    if cursor is not None:
        statement = statement.where(_after(order, _open(cursor, mark, order)))
    sorted_by = [column.desc() if order.descending else column.asc() for column in order.columns]
    keys = [column.label(f"_key_{place}") for place, column in enumerate(order.columns)]
    found = session.execute(statement.add_columns(*keys).order_by(*sorted_by).limit(limit + 1)).mappings().all()
    rows = list(found[:limit])
    if len(found) <= limit:
        return [dict(row) for row in rows], None
    return [dict(row) for row in rows], _seal(mark, [rows[-1][key.name] for key in keys])


def _mark(order: Order, scope: Sequence[Any]) -> str:
    whole = orjson.dumps([order.name, *map(plain, scope)])
    return hashlib.sha256(whole).hexdigest()[:12]


def _seal(mark: str, keys: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([mark, *map(plain, keys)])).rstrip(b"=").decode()


def _open(cursor: str, mark: str, order: Order) -> list[Any]:
    """The keys a cursor holds, each of the type of its column."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        first, *keys = orjson.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        typed = [_typed(column, value) for column, value in zip(order.columns, keys, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise _invalid() from None
    if first != mark:
        raise _invalid()
    return typed


def _invalid() -> InvalidCursor:
    message = "The cursor is not one that this list gave out."
    fault = Fault("query:cursor", "invalid-cursor", message, "Begin again without a cursor.")
    return InvalidCursor(message, errors=(fault,))


def _typed(column: ColumnElement[Any], value: Any) -> Any:
    wanted = column.type.python_type
    if wanted is int:
        if type(value) is not int or abs(value) >= 2**63:
            raise ValueError
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    if wanted is datetime:
        return datetime.fromisoformat(value)
    if wanted is date:
        return date.fromisoformat(value)
    if wanted is UUID:
        return UUID(value)
    if wanted is str:
        return value
    raise TypeError


def _after(order: Order, keys: list[Any]) -> ColumnElement[bool]:
    """Rows behind `keys`: written out column by column, since the two ways round cannot share a row comparison."""
    choices = []
    for place, (column, value) in enumerate(zip(order.columns, keys, strict=True)):
        same = [earlier == known for earlier, known in zip(order.columns[:place], keys[:place], strict=True)]
        choices.append(and_(*same, column < value if order.descending else column > value))
    return or_(*choices)
