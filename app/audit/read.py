"""The trail for people: who did what, when and why, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, column, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app import models

MOST = 1000
"""Entries that one page may hold."""

_C = models.change.c


@dataclass(frozen=True, slots=True)
class Written:
    """So many rows of one table were inserted or updated."""

    table: str
    act: str
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `at` is in UTC and `zone` where it happened; `hash` is its seal, as in the anchor file."""

    seq: int
    change_id: UUID
    at: datetime
    zone: str
    actor_id: UUID | None
    actor: str
    source: str
    action: str
    reason: str | None
    site_id: str | None
    subject_id: str | None
    record_id: UUID | None
    detail: dict[str, Any]
    hash: bytes
    written: tuple[Written, ...]


def entries(
    session: Session,
    study_id: str,
    *,
    subject_id: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after_seq: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """Changes of one chain in the order of their seal, after `after_seq`, at most `limit` (and never over 1000).

    `since` is inclusive, `until` exclusive; `actor` is the name as it stands in the trail. An `action` that ends in
    a dot means all that begin so ("record." is record.save, record.void …). The next page begins after the `seq` of
    the last entry; ask for one more than you show to know whether there is a next.
    """
    wanted = _narrowed(
        select(*(_C[name] for name in Entry.__dataclass_fields__ if name in _C), _summary()),
        {_C.subject_id: subject_id, _C.actor: actor},
    ).where(_C.study_id == study_id)
    if action is not None:
        wanted = wanted.where(
            _C.action.startswith(action, autoescape=True) if action[-1:] == "." else _C.action == action
        )
    if since is not None:
        wanted = wanted.where(_C.at >= since)
    if until is not None:
        wanted = wanted.where(_C.at < until)
    if after_seq is not None:
        wanted = wanted.where(_C.seq > after_seq)
    return [_entry(row) for row in session.execute(wanted.order_by(_C.seq).limit(min(limit, MOST))).mappings()]


def _narrowed(wanted: "Select[Any]", exactly: dict[Any, Any]) -> "Select[Any]":
    return wanted.where(*(held == value for held, value in exactly.items() if value is not None))


def _summary() -> Any:
    """Rows by table and act, counted by the server: the images stay where they are."""
    listed = func.jsonb_array_elements(_C.rows).table_valued(column("value", models.change.c.rows.type)).alias("listed")
    name, act = listed.c.value["table"].astext, listed.c.value["act"].astext
    counted = select(name.label("name"), act.label("act"), func.count().label("count")).group_by(name, act).subquery()
    triple = func.jsonb_build_array(counted.c.name, counted.c.act, counted.c.count)
    return (
        select(func.jsonb_agg(aggregate_order_by(triple, counted.c.name, counted.c.act)))
        .scalar_subquery()
        .label("written")
    )


def _entry(row: "RowMapping") -> Entry:
    said = {str(name): value for name, value in row.items()}
    counted = tuple(Written(table, act, count) for table, act, count in said.pop("written") or ())
    return Entry(**said, written=counted)
