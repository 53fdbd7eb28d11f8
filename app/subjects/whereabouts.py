"""Where a subject was: a subject row knows its site of now, and each transfer in the trail the one that was left."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app import models


def site_at(instant: datetime | None) -> ColumnElement[Any]:
    """The site of a subject at an instant, None for now: the one that its first transfer afterwards left."""
    subject, change = models.subject.c, models.change.c
    if instant is None:
        return subject.site_id
    left = (
        select(change.detail["from"].astext)
        .where(
            change.study_id == subject.study_id,
            change.subject_id == subject.subject_id,
            change.action == "subject.transfer",
            change.at > instant,
        )
        .order_by(change.seq)
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(left, subject.site_id)
