"""What is closed, how far, since when and by whom, and what somebody asks to have unlocked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.core.page import page, sorting
from app.models.marks import LockState
from app.subjects.address import stated
from app.subjects.locked import scope_of


def list_locks(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    subject_id: str | None = None,
    state: LockState | None = None,
    asked: bool | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of the locks of a study that cover sites in sight, and the cursor of the next."""
    require(actor, Permission.LOCK_READ, study_id, site)
    lock, subject = models.lock, models.subject
    statement = (
        select(lock, subject.c.site_id.label("at"))
        .outerjoin(subject, (subject.c.study_id == lock.c.study_id) & (subject.c.subject_id == lock.c.subject_id))
        .where(lock.c.study_id == study_id)
    )
    seen = sites(actor, study_id, Permission.LOCK_READ)
    if seen is not None:
        whole = lock.c.site_id.is_(None) & lock.c.subject_id.is_(None)
        statement = statement.where(or_(whole, lock.c.site_id.in_(seen), subject.c.site_id.in_(seen)))
    if site is not None:
        statement = statement.where(or_(lock.c.site_id == site, subject.c.site_id == site))
    if subject_id is not None:
        statement = statement.where(lock.c.subject_id == subject_id)
    if state is not None:
        statement = statement.where(lock.c.state == state.value)
    if asked is not None:
        statement = statement.where(lock.c.asked_at.is_not(None) if asked else lock.c.asked_at.is_(None))
    order = sorting(sort, {"since": lock.c.since}, default="-since", unique=(lock.c.lock_id,))
    scope = (study_id, site, subject_id, state, asked)
    rows, following = page(session, statement, order, cursor=cursor, limit=limit, scope=scope)
    return [told(row, row["at"]) for row in rows], following


def told(row: Mapping[str, Any], site: str | None) -> dict[str, Any]:
    """A lock as answers show it; `site` is where its subject is."""
    asked = {"at": row["asked_at"], "by": row["asked_by_name"], "reason": row["asked_reason"]}
    return {
        "scope": scope_of(row),
        "site": row["site_id"] or site,
        "subject": row["subject_id"],
        **stated(row),
        "item": row["item"],
        "row": row["row"],
        "state": row["state"],
        "since": row["since"],
        "by": row["set_by_name"],
        "reason": row["reason"],
        "unlock_asked": asked if row["asked_at"] else None,
    }
