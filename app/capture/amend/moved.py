"""The pages that a migration has moved: what it found, what it made of it, and what it had no place for."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.capture.amend.outlook import Step, Then
from app.models.amendment import MigrationState


def moved(migration: Mapping[str, Any], change_id: UUID, step: Step) -> dict[str, Any]:
    """The row that says so of one page. An orphan's value stays in the revision before, and is not copied."""
    return {
        "study_id": migration["study_id"],
        "record_id": step.page.record_id,
        "revision": step.after.revision,
        "migration_id": migration["migration_id"],
        "before": step.page.revision,
        "orphans": [{"item": each.item, "row": each.row} for each in step.orphans],
        "change_id": change_id,
    }


def moved_pages(session: Session, migration: Mapping[str, Any]) -> dict[UUID, Then]:
    """What the migration found on each page and made of it, by record.

    A subject that came from another site was moved there, by the same plan.
    """
    page, run, record, subject = models.migrated_page, models.study_migration, models.record, models.subject
    before, after = models.revision.alias("before"), models.revision.alias("after")
    same = (page.c.study_id == run.c.study_id) & (page.c.migration_id == run.c.migration_id)
    of_page = (record.c.study_id == page.c.study_id) & (record.c.record_id == page.c.record_id)
    of_record = (subject.c.study_id == record.c.study_id) & (subject.c.subject_id == record.c.subject_id)
    earlier, later = (
        (revision.c.study_id == page.c.study_id)
        & (revision.c.record_id == page.c.record_id)
        & (revision.c.number == number)
        for revision, number in ((before, page.c.before), (after, page.c.revision))
    )
    rows = session.execute(
        select(page.c.record_id, before.c.answers, before.c.status, after.c.number, after.c.answers)
        .join_from(page, run, same)
        .join(record, of_page)
        .join(subject, of_record)
        .join(before, earlier)
        .join(after, later)
        .where(
            page.c.study_id == migration["study_id"],
            subject.c.site_id == migration["site_id"],
            run.c.plan_digest == migration["plan_digest"],
            run.c.state == MigrationState.RUN.value,
        )
        .order_by(page.c.revision)
    )
    return {record_id: Then(*what) for record_id, *what in rows}
