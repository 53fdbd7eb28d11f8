"""Who did what, when and why: the trail of a study, and whether it holds."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.audit.read import entries
from app.audit.verify import verify
from app.core.transaction import Database


def trail(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    subject_id: str | None = None,
    by: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: int | None = None,
    limit: int = 100,
) -> tuple[list[dict[str, Any]], int | None]:
    """Changes of a study in the order they were sealed, and the number to go on after, None at the end."""
    require(actor, Permission.AUDIT_SYSTEM if study_id == models.SYSTEM else Permission.AUDIT_READ, study_id)
    found = entries(
        session,
        study_id,
        subject_id=subject_id,
        actor=by,
        action=action,
        since=since,
        until=until,
        after_seq=after,
        limit=limit + 1,
    )
    told = [asdict(entry) | {"hash": entry.hash.hex()} for entry in found[:limit]]
    return told, told[-1]["seq"] if len(found) > limit else None


def check(database: Database, actor: Actor, study_id: str) -> dict[str, Any]:
    """Replay the trail of a study: whether it holds, where it stands, and every fault by place.

    It takes a session of its own, so that the length of the anchor file is known before the snapshot begins.
    """
    require(actor, Permission.AUDIT_VERIFY, study_id)
    with database.reading() as session:
        return verify(session, database.anchors, studies={study_id}).as_json()
