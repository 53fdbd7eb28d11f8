"""Which queries: those at the sites in sight, and of these the ones that are wanted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select

from app import models
from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.core import clock
from app.models.queries import QueryState
from app.subjects.address import step

NONE = "-"
"""In a filter and in counts: no rule (a person asked), nobody assigned, no form."""

ME = "me"

BANDS = ((7, "0-7"), (14, "8-14"), (30, "15-30"), (60, "31-60"))
"""Ages in whole days, up to and with the last of each."""
OLDEST = "61-"

_query, _subject, _record, _account = models.query, models.subject, models.record, models.account


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list or the counts are narrowed to; no `state` means every state.

    A visit or form with its number (`UNS.2`) means that one, without it each of that name.
    """

    site: str | None = None
    subject: str | None = None
    visit: str | None = None
    form: str | None = None
    item: str | None = None
    rule: str | None = None
    state: tuple[QueryState, ...] = ()
    assignee: str | None = None
    older_than_days: int | None = None


def joined() -> Any:
    """Queries with their subjects and pages."""
    return _query.join(
        _subject, (_subject.c.study_id == _query.c.study_id) & (_subject.c.subject_id == _query.c.subject_id)
    ).outerjoin(_record, (_record.c.study_id == _query.c.study_id) & (_record.c.record_id == _query.c.record_id))


def narrowed(statement: Select[Any], actor: Actor, study_id: str, wanted: Wanted) -> Select[Any]:
    """A statement upon `joined`, limited to what may be seen and is wanted. Raises NotFound and Forbidden."""
    require(actor, Permission.QUERY_READ, study_id, wanted.site)
    statement = statement.where(_query.c.study_id == study_id, *_conditions(actor, wanted))
    seen = sites(actor, study_id, Permission.QUERY_READ)
    return statement if seen is None else statement.where(_subject.c.site_id.in_(seen))


def band() -> ColumnElement[Any]:
    """How old a query is, or how old it was when it was closed, as one of the bands."""
    days = _until() - _query.c.opened_at
    return case(*((days < timedelta(days=last + 1), name) for last, name in BANDS), else_=OLDEST)


def _until() -> ColumnElement[Any]:
    return func.coalesce(_query.c.closed_at, literal(clock.now(), _query.c.closed_at.type))


def _conditions(actor: Actor, wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = ((_subject.c.site_id, wanted.site), (_query.c.subject_id, wanted.subject), (_query.c.item, wanted.item))
    found: list[ColumnElement[bool]] = [column == value for column, value in columns if value is not None]
    steps = (
        (_record.c.visit, _record.c.visit_repeat, wanted.visit),
        (_record.c.form_id, _record.c.repeat, wanted.form),
    )
    for name, repeat, value in steps:
        if value is not None:
            at = step(value)
            found += [name == at.name, *([repeat == at.repeat] if "." in value else [])]
    if wanted.rule is not None:
        found.append(_query.c.rule.is_(None) if wanted.rule == NONE else _query.c.rule == wanted.rule)
    if wanted.state:
        found.append(_query.c.state.in_([each.value for each in wanted.state]))
    if wanted.assignee is not None:
        found.append(_assigned(actor, wanted.assignee))
    if wanted.older_than_days is not None:
        found.append(_until() - _query.c.opened_at >= timedelta(days=wanted.older_than_days))
    return found


def _assigned(actor: Actor, assignee: str) -> ColumnElement[bool]:
    if assignee == NONE:
        return _query.c.assignee.is_(None)
    if assignee == ME:
        return _query.c.assignee == actor.account_id
    return _query.c.assignee.in_(select(_account.c.account_id).where(_account.c.username == assignee))
