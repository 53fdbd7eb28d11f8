"""The queries of a study as people look at them: lists, counts, one with its thread, those of a subject's pages."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.core import clock
from app.core.page import page, sorting
from app.forms.definition import Lang
from app.models.queries import QueryState
from app.quality.queries.narrow import ME, NONE, Wanted, band, joined, narrowed
from app.quality.queries.states import ALLOWED, TRANSITIONS
from app.quality.queries.words import SHOWN, asked, said
from app.study.library import form_of
from app.subjects.address import written

_query, _subject, _record = models.query, models.subject, models.record
_DAY = timedelta(days=1)
_account, _finding, _message = models.account, models.finding, models.query_message


def list_queries(
    session: Session,
    actor: Actor,
    study_id: str,
    wanted: Wanted,
    *,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of the queries at the sites in sight, oldest first, and the cursor of the next."""
    statement = narrowed(_shown(), actor, study_id, wanted)
    allowed = {"opened_at": _query.c.opened_at, "changed_at": _query.c.changed_at, "subject": _query.c.subject_id}
    order = sorting(sort, allowed, default="opened_at", unique=(_query.c.query_id,))
    scope = (study_id, *asdict(wanted).values(), actor.username if wanted.assignee == ME else None)
    rows, following = page(session, statement, order, cursor=cursor, limit=limit, scope=scope)
    heard = sites(actor, study_id, Permission.QUERY_THREAD)
    return [view(session, row, actor.language, heard=_within(row["site_id"], heard)) for row in rows], following


def counts(session: Session, actor: Actor, study_id: str, wanted: Wanted) -> dict[str, Any]:
    """How many queries there are in each state: in all, and by site, form, rule and age; one statement."""
    dimensions = {
        "site": _subject.c.site_id,
        "form": func.coalesce(_record.c.form_id, NONE),
        "rule": func.coalesce(_query.c.rule, NONE),
        "age": band(),
    }
    inner = narrowed(
        select(_query.c.state, *(column.label(name) for name, column in dimensions.items())).select_from(joined()),
        actor, study_id, wanted,
    ).subquery()  # fmt: skip
    sets = (tuple_(inner.c.state), *(tuple_(inner.c.state, inner.c[name]) for name in dimensions))
    rows = session.execute(
        select(inner, func.count().label("count"))
        .group_by(func.grouping_sets(*sets))
        .order_by(inner.c.state, *(inner.c[name] for name in dimensions))
    ).mappings()
    told: dict[str, Any] = {"state": {}, **{name: {} for name in dimensions}}
    for row in rows:
        of = next((name for name in dimensions if row[name] is not None), None)
        into = told["state"] if of is None else told[of].setdefault(row[of], {})
        into[row["state"]] = row["count"]
    return told


def find(session: Session, actor: Actor, study_id: str, query_id: UUID, permission: Permission) -> Mapping[str, Any]:
    """A query within sight. Raises NotFound and Forbidden."""
    found = session.execute(
        _shown().where(_query.c.study_id == study_id, _query.c.query_id == query_id)
    ).mappings().one_or_none()  # fmt: skip
    if found is None:
        raise absent(actor, permission, study_id)
    require(actor, permission, study_id, found["site_id"])
    return dict(found)


def thread(session: Session, actor: Actor, study_id: str, query_id: UUID) -> dict[str, Any]:
    """One query with everything said in it, whole, and what the reader may do with it now."""
    row = find(session, actor, study_id, query_id, Permission.QUERY_THREAD)
    told = session.execute(
        select(_message, _finding.c.detail, _account.c.username.label("assignee_username"))
        .outerjoin(
            _finding,
            (_finding.c.study_id == _message.c.study_id) & (_finding.c.finding_id == _message.c.finding_id),
        )
        .outerjoin(_account, _account.c.account_id == _message.c.assignee)
        .where(_message.c.study_id == study_id, _message.c.query_id == query_id)
        .order_by(_message.c.number)
    ).mappings()  # fmt: skip
    form = _form(session, row)
    place = {name: row[name] for name in ("item", "row", "rule")}
    state = QueryState(row["state"])
    may = {each: actor.reach(each, study_id) for each in set(ALLOWED.values())}
    return view(session, row, actor.language) | {
        "thread": [
            {
                "number": each["number"],
                "at": each["at"],
                "action": each["action"],
                "state": each["state"],
                "by": each["name"],
                "role": each["role"],
                "text": said({**each, **place}, form, actor.language),
                "assignee": each["assignee_username"],
            }
            for each in told
        ],
        "possible": [
            act.value
            for act, permission in ALLOWED.items()
            if (state, act) in TRANSITIONS and may[permission] & {None, row["site_id"]}
        ],
    }


def view(session: Session, row: Mapping[str, Any], language: Lang, *, heard: bool = True) -> dict[str, Any]:
    """A query as lists show it; what a person asked only to who may read threads (`heard`)."""
    form = _form(session, row)
    message, remedy = asked(row, form, language)
    return {
        "query": row["query_id"],
        "subject": row["subject_id"],
        "site": row["site_id"],
        "visit": written(row["visit"], row["visit_repeat"]) if form else None,
        "form": written(row["form_id"], row["repeat"]) if form else None,
        "item": row["item"],
        "label": form.item(row["item"]).label.of(language) if form and form.has(row["item"]) else row["item"],
        "row": row["row"],
        "rule": row["rule"],
        "state": row["state"],
        "message": message if heard or row["rule"] is not None else None,
        "remedy": remedy,
        "assignee": row["assignee_username"],
        "messages": row["messages"],
        "opened_at": row["opened_at"],
        "changed_at": row["changed_at"],
        "closed_at": row["closed_at"],
        "age_days": age(row),
    }


def age(row: Mapping[str, Any], at: datetime | None = None) -> int:
    """Whole days since a query was opened, or from then until it was closed."""
    since, until = row["opened_at"], row["closed_at"] or at or clock.now()
    return max(0, int((until - since) / _DAY))


def _form(session: Session, row: Mapping[str, Any]) -> Any:
    return form_of(session, row["form_id"], row["form_version"]) if row["form_id"] else None


def _within(site_id: str, seen: frozenset[str] | None) -> bool:
    return seen is None or site_id in seen


def _shown() -> Select[Any]:
    """Queries with all that lists show of them; `question` is as much of a person's as they show."""
    first = and_(
        _message.c.study_id == _query.c.study_id, _message.c.query_id == _query.c.query_id,
        _message.c.number == 1, _query.c.rule.is_(None),
    )  # fmt: skip
    finding = (_finding.c.study_id == _query.c.study_id) & (_finding.c.finding_id == _query.c.finding_id)
    place = (_record.c.visit, _record.c.visit_repeat, _record.c.form_id, _record.c.repeat, _record.c.form_version)
    return select(
        _query, _subject.c.site_id, *place, _finding.c.detail, _account.c.username.label("assignee_username"),
        func.left(_message.c.text, SHOWN + 1).label("question"),
    ).select_from(
        joined()
        .outerjoin(_finding, finding)
        .outerjoin(_message, first)
        .outerjoin(_account, _account.c.account_id == _query.c.assignee)
    )  # fmt: skip
