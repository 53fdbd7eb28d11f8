"""A plan as it was sent, read against the versions that are released."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.core.errors import Fault, Unreadable
from app.study.library import build_of
from app.study.plan import Plan
from app.study.plan_check import check_plan


def plan_of(session: Session, actor: Actor, study_id: str, text: str, site_id: str | None = None) -> Plan:
    """The plan of a TOML text, for this study. Raises NotFound, Forbidden, and Unreadable with every mistake in it."""
    require(actor, Permission.MIGRATION_PLAN, study_id, site_id)
    table = models.study_version
    numbers = session.execute(select(table.c.version).where(table.c.study_id == study_id)).scalars().all()
    plan, mistakes = check_plan(text, {(study_id, each): build_of(session, study_id, each) for each in numbers})
    if plan is None:
        raise Unreadable(
            "Correct what is listed and send it again.",
            errors=[Fault("/plan", "plan", f"Line {each.line}: {each.message}", each.remedy) for each in mistakes],
        )
    return plan
