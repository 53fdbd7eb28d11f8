"""Lists of subjects, narrowed to the sites that somebody may see."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.core.page import page, sorting


def list_subjects(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    status: str | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[Mapping[str, Any]], str | None]:
    """One page of a study's subjects and the cursor of the next.

    Raises NotFound for a study or site out of sight, UnknownField for a sort that is not allowed.
    """
    require(actor, Permission.SUBJECT_READ, study_id, site)
    table = models.subject
    statement = select(table).where(table.c.study_id == study_id)
    seen = sites(actor, study_id, Permission.SUBJECT_READ)
    if seen is not None:
        statement = statement.where(table.c.site_id.in_(seen))
    if site is not None:
        statement = statement.where(table.c.site_id == site)
    if status is not None:
        statement = statement.where(table.c.status == status)
    order = sorting(
        sort,
        {"subject": table.c.subject_id, "site": table.c.site_id, "created_at": table.c.created_at},
        default="subject",
        unique=(table.c.subject_id,),
    )
    return page(session, statement, order, cursor=cursor, limit=limit, scope=(study_id, site, status))
