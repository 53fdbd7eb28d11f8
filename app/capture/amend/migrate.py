"""Bring the pages of a site to another study version by a reviewed plan, and take the whole of it back.

A plan is looked at first: what it would do to each subject. It is carried out only where nothing is left open, in one
transaction: all pages of the site and its version, or none.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.audit import change
from app.capture.amend.moved import moved, moved_pages
from app.capture.amend.outlook import Course, Outlook, Step, Then, totals
from app.capture.anew.derive import anew
from app.capture.draft import Casebook
from app.capture.save import rewrite
from app.core import clock
from app.core.errors import Conflict, NotFound
from app.core.problems import taken
from app.core.words import Reason
from app.derivations.derive import casebooks, subjects
from app.forms.definition import Phase
from app.models.amendment import MigrationState
from app.quality import locks
from app.study.library import build_of
from app.study.plan import Plan
from app.study.publish import put_in_place
from app.study.sites import site_of
from app.subjects import enrol, facts, locked
from app.subjects.facts import Page, Place

Row = dict[str, Any]
Look = Callable[[Session, Mapping[str, Any], Mapping[Place, Page]], Outlook]


class Action(StrEnum):
    """What can be done with a migration that is planned."""

    RUN = "run"
    ROLL_BACK = "roll_back"


TRANSITIONS: Mapping[tuple[MigrationState, Action], MigrationState] = {
    (MigrationState.PLANNED, Action.RUN): MigrationState.RUN,
    (MigrationState.RUN, Action.ROLL_BACK): MigrationState.ROLLED_BACK,
}


class Unresolved(Conflict):
    """A plan that leaves something open; `outlooks` say what, subject by subject."""

    code, title = "unresolved", "The plan leaves something open"

    def __init__(self, detail: str, outlooks: list[Outlook]) -> None:
        super().__init__(detail, members={"unresolved": sum(each.problems for each in outlooks)})
        self.outlooks = outlooks


def course_of(session: Session, plan: Plan) -> Course:
    """A plan with the released versions it leads between. Raises NotFound."""
    return Course(plan, *(build_of(session, plan.study, number) for number in (plan.from_, plan.to)))


def preview(session: Session, actor: Actor, plan: Plan, site_id: str | None = None) -> Iterator[Outlook]:
    """What the plan would do to each subject of a site, or of every site that works under its first version."""
    require(actor, Permission.MIGRATION_PLAN, plan.study, site_id)
    course = course_of(session, plan)
    within = frozenset({site_id}) if site_id is not None else None
    for subject, pages in casebooks(session, plan.study, within=within):
        if subject["version"] == plan.from_:
            yield course.ahead(session, subject, pages)


def sites_under(session: Session, plan: Plan, site_id: str | None = None) -> list[str]:
    """The sites that work under the version a plan leads from, or this one if it does."""
    table = models.site
    statement = select(table.c.site_id).where(table.c.study_id == plan.study, table.c.version == plan.from_)
    if site_id is not None:
        statement = statement.where(table.c.site_id == site_id)
    return list(session.execute(statement.order_by(table.c.site_id)).scalars())


def last_run(session: Session, study_id: str, site_id: str) -> UUID:
    """The migration that was run last at a site and not rolled back. Raises NotFound."""
    table = models.study_migration
    statement = select(table.c.migration_id).where(
        table.c.study_id == study_id, table.c.site_id == site_id, table.c.state == MigrationState.RUN.value
    )
    found: UUID | None = session.execute(statement.order_by(table.c.run_at.desc()).limit(1)).scalar_one_or_none()
    if found is None:
        raise NotFound("No migration has been run at this site, or all were rolled back")
    return found


def propose(session: Session, actor: Actor, plan: Plan, site_id: str, *, approved_on: date) -> Row:
    """Plan a migration of a site: the object that is looked at, run and rolled back. One at a time for each site.

    The same plan proposed again is the same migration. Raises NotFound, Locked and Conflict.
    """
    require(actor, Permission.MIGRATION_PLAN, plan.study, site_id)
    locks.assert_site_open(session, plan.study, site_id)
    site = _site(session, actor, Permission.MIGRATION_PLAN, plan.study, site_id)
    course_of(session, plan)
    if site["version"] != plan.from_:
        raise Conflict("The site does not work under the version that the plan leads from")
    same = {"plan_digest": plan.digest, "approved_on": approved_on.isoformat()}
    said = same | {
        "from_version": plan.from_,
        "to_version": plan.to,
        "plan": plan.canonical(),
        "planned_by": actor.name,
    }
    planned = _planned(session, plan.study, site_id)
    if planned is not None and all(planned[name] == value for name, value in same.items()):
        return planned
    with change(session, plan.study, by=actor, action="migration.plan", zone=site["zone"]) as made:
        made.site_id = site_id
        made.detail |= {"plan": plan.digest}
        said |= {"planned_at": made.at, "change_id": made.change_id}
        if planned is not None:
            return made.update(models.study_migration, planned, **said)
        row = said | {
            "study_id": plan.study,
            "migration_id": uuid4(),
            "site_id": site_id,
            "state": MigrationState.PLANNED.value,
            "counts": {},
        }
        made.insert(models.study_migration, row)
    return {column.name: row.get(column.name) for column in models.study_migration.columns}


def run(session: Session, actor: Actor, study_id: str, migration_id: UUID, *, reason: str) -> Row:
    """Carry a migration out: the site's version, every page, and what follows from all of them.

    Raises NotFound, Forbidden, Unreadable, Locked, Conflict, and Unresolved where the plan leaves something open.
    """
    row, state, course, site = _held(session, actor, study_id, migration_id, Action.RUN)
    reason = taken(Reason, reason, "reason")
    if site["version"] != course.plan.from_:
        raise Conflict("The site does not work under the version that the plan leads from")
    approved = date.fromisoformat(row["approved_on"])
    put_in_place(session, actor, study_id, row["site_id"], course.plan.to, approved_on=approved, reason=reason)
    written, outlooks = _carried_out(
        session, actor, row, course.ahead, "record.migrate", f"{course.plan.name}: {reason}"
    )
    _resolved(outlooks, "The plan has no place for some of the answers; look at the migration, and extend the plan")
    with change(session, study_id, by=actor, action="migration.run", reason=reason, zone=site["zone"]) as made:
        made.site_id = row["site_id"]
        made.detail |= {"plan": row["plan_digest"], "pages": len(written)}
        made.insert(models.migrated_page, *(moved(row, made.change_id, step) for step in written))
        row = made.update(
            models.study_migration, row, state=state.value, counts=totals(outlooks), run_by=actor.name,
            run_at=made.at, approved_before=site["approved_on"], change_id=made.change_id,
        )  # fmt: skip
    anew(session, actor, study_id, frozenset({row["site_id"]}), store=True, reason=reason, phase=Phase.AMENDMENT)
    return row


def roll_back(session: Session, actor: Actor, study_id: str, migration_id: UUID, *, reason: str) -> tuple[Row, int]:
    """Take a migration back as a whole: each page as it was, the site under the version before; how many pages.

    Raises NotFound, Forbidden, Locked, Conflict, and Unresolved where people have entered since what that version has
    no place for.
    """
    row, state, course, site = _held(session, actor, study_id, migration_id, Action.ROLL_BACK)
    reason = taken(Reason, reason, "reason")
    if site["version"] != course.plan.to:
        raise Conflict("The site works under another version by now")
    approved = date.fromisoformat(row["approved_before"]) if row["approved_before"] else None
    put_in_place(session, actor, study_id, row["site_id"], course.plan.from_, approved_on=approved, reason=reason)
    then = moved_pages(session, row)
    back = partial(_back, course, then)
    written, outlooks = _carried_out(session, actor, row, back, "record.roll_back", f"{course.plan.name}: {reason}")
    _resolved(outlooks, "People have entered since what the version before has no place for; look at the migration")
    with change(session, study_id, by=actor, action="migration.roll_back", reason=reason, zone=site["zone"]) as made:
        made.site_id = row["site_id"]
        made.detail |= {"plan": row["plan_digest"], "pages": len(written)}
        row = made.update(
            models.study_migration, row, state=state.value, rolled_back_by=actor.name, rolled_back_at=made.at,
            change_id=made.change_id,
        )  # fmt: skip
    anew(session, actor, study_id, frozenset({row["site_id"]}), store=True, reason=reason, phase=Phase.AMENDMENT)
    return row, len(written)


def look(session: Session, actor: Actor, study_id: str, migration_id: UUID) -> tuple[Row, list[Outlook]]:
    """A migration, and what its next step would do: carrying it out, or taking it back; nothing once that is done.

    Raises NotFound and Forbidden.
    """
    row = _found(session, actor, Permission.MIGRATION_READ, study_id, migration_id)
    course = course_of(session, Plan.of(row["plan"]))
    held = casebooks(session, study_id, within=frozenset({row["site_id"]}))
    if row["state"] == MigrationState.PLANNED:
        return row, [course.ahead(session, *each) for each in held]
    if row["state"] == MigrationState.RUN:
        then = moved_pages(session, row)
        return row, [_back(course, then, session, *each) for each in held]
    return row, []


def listed(session: Session, actor: Actor, study_id: str) -> list[Row]:
    """The migrations of a study at the sites in sight, the newest first."""
    require(actor, Permission.MIGRATION_READ, study_id)
    table = models.study_migration
    statement = select(table).where(table.c.study_id == study_id).order_by(table.c.planned_at.desc())
    seen = sites(actor, study_id, Permission.MIGRATION_READ)
    if seen is not None:
        statement = statement.where(table.c.site_id.in_(seen))
    return [dict(row) for row in session.execute(statement).mappings()]


def _back(
    course: Course, then: Mapping[UUID, Then], session: Session, subject: Mapping[str, Any], pages: Mapping[Place, Page]
) -> Outlook:
    return course.behind(session, subject, pages, then)


def _carried_out(
    session: Session, actor: Actor, row: Row, look_at: Look, action: str, reason: str
) -> tuple[list[Step], list[Outlook]]:
    """Every subject of the site, held and looked at, and each page stored as its next revision in its order."""
    written, outlooks = [], []
    detail = {"plan": row["plan_digest"], "migration": str(row["migration_id"])}
    for subject_id in _subjects(session, row["study_id"], row["site_id"]):
        subject = enrol.lock(session, row["study_id"], subject_id) or {}
        pages = facts.pages(session, row["study_id"], subject_id)
        outlook = look_at(session, subject, pages)
        outlooks.append(outlook)
        casebook = Casebook(subject, pages, build_of(session, row["study_id"], subject["version"]))
        for step in () if outlook.problems else outlook.steps:
            stored = step.after._replace(at=clock.now())
            more = detail | {"items": step.items}
            rewrite(
                session, actor, casebook, step.page, stored, step.changed, action=action, reason=reason, detail=more
            )
            written.append(step)
    return written, outlooks


def _resolved(outlooks: list[Outlook], detail: str) -> None:
    if any(each.problems for each in outlooks):
        raise Unresolved(detail, outlooks)


def _held(
    session: Session, actor: Actor, study_id: str, migration_id: UUID, action: Action
) -> tuple[Row, MigrationState, Course, Row]:
    """A migration and its site, kept from others: the row, the state it comes to by `action`, the course, the site."""
    _found(session, actor, Permission.MIGRATION_RUN, study_id, migration_id)
    locked.enter_gate(session, study_id)
    row = _found(session, actor, Permission.MIGRATION_RUN, study_id, migration_id, held=True)
    state = TRANSITIONS.get((MigrationState(row["state"]), action))
    if state is None:
        raise Conflict("The migration is not in a state that allows this")
    course = course_of(session, Plan.of(row["plan"]))
    locks.assert_site_open(session, study_id, row["site_id"])
    return row, state, course, _site(session, actor, Permission.MIGRATION_RUN, study_id, row["site_id"])


def _found(
    session: Session, actor: Actor, permission: Permission, study_id: str, migration_id: UUID, *, held: bool = False
) -> Row:
    table = models.study_migration
    statement = select(table).where(table.c.study_id == study_id, table.c.migration_id == migration_id)
    row = session.execute(statement.with_for_update() if held else statement).mappings().one_or_none()
    if row is None:
        raise absent(actor, permission, study_id)
    require(actor, permission, study_id, row["site_id"])
    return dict(row)


def _planned(session: Session, study_id: str, site_id: str) -> Row | None:
    """The migration of a site that waits to be run."""
    table = models.study_migration
    here = (table.c.study_id == study_id, table.c.site_id == site_id, table.c.state == MigrationState.PLANNED.value)
    row = session.execute(select(table).where(*here).with_for_update()).mappings().one_or_none()
    return None if row is None else dict(row)


def _site(session: Session, actor: Actor, permission: Permission, study_id: str, site_id: str) -> Row:
    """A site, kept as it is until this transaction ends: no subject comes to it meanwhile."""
    site = site_of(session, study_id, site_id, held=True)
    if site is None:
        raise absent(actor, permission, study_id)
    return site


def _subjects(session: Session, study_id: str, site_id: str) -> list[str]:
    return [row["subject_id"] for row in subjects(session, study_id, frozenset({site_id}), None, None)]
