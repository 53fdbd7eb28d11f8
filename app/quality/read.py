"""Open findings, and the words in which a person reads one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import models
from app.forms.answers import Question
from app.forms.definition import Form, Lang
from app.forms.words import say
from app.models.capture import FindingState
from app.quality.words import WORDS


def open_findings(
    session: Session, study_id: str, subject_id: str, *, as_of: datetime | None = None
) -> list[Mapping[str, Any]]:
    """A subject's findings open now, or open at an instant; one statement."""
    table = models.finding
    statement = select(table).where(table.c.study_id == study_id, table.c.subject_id == subject_id)
    if as_of is None:
        statement = statement.where(table.c.state == FindingState.OPEN.value)
    else:
        statement = statement.where(
            table.c.opened_at <= as_of, or_(table.c.closed_at.is_(None), table.c.closed_at > as_of)
        )
    statement = statement.order_by(table.c.opened_at, table.c.finding_id)
    return [dict(row) for row in session.execute(statement).mappings()]


def describe(row: Mapping[str, Any], form: Form | None, language: Lang) -> dict[str, Any]:
    """A finding as answers show it: where, which rule, what it means and what to do."""
    if form is not None and form.has(row["item"]):
        message, remedy = say(Question(row["item"], row["row"], row["rule"], row["detail"]), form, language)
    else:
        message, remedy = WORDS[row["rule"]][language]
    return {
        "finding": row["finding_id"],
        "item": row["item"],
        "row": row["row"],
        "rule": row["rule"],
        "message": message,
        "remedy": remedy,
        "opened_at": row["opened_at"],
    }
