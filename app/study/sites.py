"""The sites of a study, one by one."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models


def site_of(session: Session, study_id: str, site_id: str, *, held: bool = False) -> dict[str, Any] | None:
    """A site, None where there is none; `held` keeps it as it is until this transaction ends."""
    table = models.site
    statement = select(table).where(table.c.study_id == study_id, table.c.site_id == site_id)
    row = session.execute(statement.with_for_update() if held else statement).mappings().one_or_none()
    return None if row is None else dict(row)
