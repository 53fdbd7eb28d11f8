"""Queries that a rule opens: they follow the findings, and leave to people what people have spoken about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from app import models
from app.audit import Change
from app.models.capture import Severity
from app.models.queries import QueryAction, QueryState
from app.quality.queries.record import MARROW, begin, carry_on
from app.quality.queries.states import TRANSITIONS

Row = Mapping[str, Any]


def follow(made: Change, subject_id: str, opened: Iterable[Row], closed: Iterable[Row]) -> None:
    """Ask about the findings just opened, and settle what the findings just closed had asked.

    There is one query for each rule and item for ever: what breaks the rule again is asked in the same thread. A value
    that somebody has confirmed is not asked again. Where nothing that asks opened or closed, nothing is read.
    """
    asking = {_key(row): row for row in opened if _asks(row)}
    gone = {_key(row) for row in closed if _asks(row)} - asking.keys()
    if not asking and not gone:
        return
    standing = _of_rules(made, subject_id, [*asking, *gone])
    for key in sorted(gone & standing.keys(), key=str):
        _go_on(made, QueryAction.SETTLE, standing[key])
    for key, finding in asking.items():
        if key in standing:
            passed = standing[key]["confirmed"] == (finding["fingerprint"] or "")
            act = QueryAction.SPARE if passed else QueryAction.RAISE
            _go_on(made, act, standing[key], finding_id=finding["finding_id"])
    for key, finding in asking.items():
        if key not in standing:
            begin(made, QueryAction.RAISE, MARROW, finding, finding_id=finding["finding_id"])


def strike(made: Change, record_id: UUID) -> None:
    """Close every query of a page that has just been struck, whoever opened it."""
    table = models.query
    rows = made.session.execute(
        select(table)
        .where(table.c.study_id == made.study_id, table.c.record_id == record_id, table.c.closed_at.is_(None))
        .order_by(table.c.query_id)
    )
    for row in rows.mappings().all():
        _go_on(made, QueryAction.STRIKE, dict(row))


def _go_on(made: Change, act: QueryAction, query: Row, *, finding_id: UUID | None = None) -> None:
    if (QueryState(query["state"]), act) in TRANSITIONS:
        carry_on(made, act, MARROW, query, finding_id=finding_id)


def _asks(finding: Row) -> bool:
    return (finding["severity"] or Severity.QUERY.value) == Severity.QUERY.value


def _key(row: Row) -> tuple[Any, ...]:
    return row["record_id"], row["item"], row["row"], row["rule"]


def _of_rules(made: Change, subject_id: str, keys: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
    """The queries of these rules at these items, whatever their state; one statement."""
    asked = {
        "study": made.study_id,
        "subject": subject_id,
        "items": sorted({item for _, item, _, _ in keys}),
        "rules": sorted({rule for _, _, _, rule in keys}),
    }
    found = (dict(row) for row in made.session.execute(_OF_RULES, asked).mappings())
    return {_key(row): row for row in found if _key(row) in keys}


_OF_RULES = select(models.query).where(
    models.query.c.study_id == bindparam("study"),
    models.query.c.subject_id == bindparam("subject"),
    models.query.c.item.in_(bindparam("items", expanding=True)),
    models.query.c.rule.in_(bindparam("rules", expanding=True)),
)
