"""The queries of a subject that somebody still has to do something about, as its pages show them; now or as of then."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Text, and_, bindparam, func, select
from sqlalchemy.orm import Session

from app import models
from app.forms.definition import Form, Lang
from app.quality.queries.read import age
from app.quality.queries.states import UNRESOLVED
from app.quality.queries.words import SHOWN, asked

_query, _message, _finding = models.query, models.query_message, models.finding


def standing(
    session: Session, study_id: str, subject_id: str, *, as_of: datetime | None = None
) -> list[Mapping[str, Any]]:
    """A subject's queries that are not closed, or were not at an instant, oldest first; one statement."""
    asked_for = {"study": study_id, "subject": subject_id}
    if as_of is None:
        return [dict(row) for row in session.execute(_NOW, asked_for).mappings()]
    said = (dict(row) for row in session.execute(_THEN.where(_message.c.at <= as_of), asked_for).mappings())
    threads = (list(thread) for _, thread in groupby(said, key=itemgetter("query_id")))
    return sorted((row for thread in threads for row in _stood(thread)), key=itemgetter("opened_at", "query_id"))


def brief(row: Mapping[str, Any], form: Form | None, language: Lang, at: datetime | None) -> dict[str, Any]:
    """A query as a page shows it, now or as of an instant."""
    message, remedy = asked(row, form, language)
    return {
        "query": row["query_id"],
        "item": row["item"],
        "row": row["row"],
        "rule": row["rule"],
        "state": row["state"],
        "message": message,
        "remedy": remedy,
        "messages": row["messages"],
        "opened_at": row["opened_at"],
        "age_days": age(row, at),
    }


def _stood(thread: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The query as it stood after these messages, unless nobody had to do anything about it."""
    opened, waiting, detail = thread[0]["at"], False, None
    for each in thread:
        if not waiting:
            opened = each["at"]
        waiting = each["state"] in UNRESOLVED
        detail = each["detail"] or detail
    if waiting:
        last = thread[-1]
        told = {"question": thread[0]["question"], "detail": detail, "messages": last["number"]}
        yield dict(last) | told | {"opened_at": opened, "closed_at": None}


_PLACE = (_query.c.query_id, _query.c.record_id, _query.c.item, _query.c.row, _query.c.rule)
_OF_SUBJECT = (
    _query.c.study_id == bindparam("study", type_=Text),
    _query.c.subject_id == bindparam("subject", type_=Text),
)
_QUESTION = func.left(_message.c.text, SHOWN + 1).label("question")
_SAID = (_message.c.study_id == _query.c.study_id) & (_message.c.query_id == _query.c.query_id)
_NOW = (
    select(
        *_PLACE, _query.c.state, _query.c.messages, _query.c.opened_at, _query.c.closed_at, _finding.c.detail, _QUESTION
    )
    .outerjoin_from(
        _query,
        _finding,
        (_finding.c.study_id == _query.c.study_id) & (_finding.c.finding_id == _query.c.finding_id),
    )
    .outerjoin(_message, and_(_SAID, _message.c.number == 1, _query.c.rule.is_(None)))
    .where(*_OF_SUBJECT, _query.c.closed_at.is_(None))
    .order_by(_query.c.opened_at, _query.c.query_id)
)
_THEN = (
    select(*_PLACE, _message.c.number, _message.c.state, _message.c.at, _finding.c.detail, _QUESTION)
    .join_from(_query, _message, _SAID)
    .outerjoin(
        _finding, (_finding.c.study_id == _message.c.study_id) & (_finding.c.finding_id == _message.c.finding_id)
    )
    .where(*_OF_SUBJECT)
    .order_by(_query.c.query_id, _message.c.number)
)
