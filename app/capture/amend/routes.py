"""Migrations over HTTP: planned from a reviewed plan, looked at, run, and rolled back as a whole."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.entrance import Reading, Writing
from app.access.permissions import Permission, asks
from app.capture.amend import migrate
from app.capture.amend.outlook import Outlook, totals
from app.capture.amend.read import plan_of
from app.capture.amend.report import as_json
from app.core.days import Day
from app.core.http import Router
from app.core.words import Reason
from app.forms.definition import Lang
from app.models.amendment import MigrationState

router = Router(prefix="/api/v1/studies/{study}", tags=["amendments"])


class MigrationToPlan(BaseModel):
    """A plan word for word, as TOML, and the day the site approved the version it leads to."""

    model_config = ConfigDict(extra="forbid")
    plan: Annotated[str, Field(max_length=1_000_000)]
    approved_on: Day


class MigrationToLookAt(BaseModel):
    """A plan word for word, as TOML, and the site to try it on; all sites under its first version without one."""

    model_config = ConfigDict(extra="forbid")
    plan: Annotated[str, Field(max_length=1_000_000)]
    site: Annotated[str | None, Field(max_length=12)] = None


class Why(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


class MigrationView(BaseModel):
    """A plan at one site: who planned, ran and rolled it back, and what it came to."""

    migration_id: UUID
    site_id: str
    from_version: int
    to_version: int
    plan_digest: str
    approved_on: str
    state: MigrationState
    counts: dict[str, int]
    planned_by: str
    planned_at: AwareDatetime
    run_by: str | None
    run_at: AwareDatetime | None
    rolled_back_by: str | None
    rolled_back_at: AwareDatetime | None


class MigrationList(BaseModel):
    """The migrations of a study, the newest first."""

    items: list[MigrationView]


class OutlookView(BaseModel):
    """What would happen to one subject: pages with the items that change, and what would follow."""

    subject: str
    site: str
    left: int
    pages: list[dict[str, Any]]
    follows: list[dict[str, str]]


class Report(BaseModel):
    """A dry run: what all subjects come to, and each that is touched. `unresolved` has to be 0."""

    counts: dict[str, int]
    subjects: list[OutlookView]


class MigrationReport(BaseModel):
    """A migration with its plan, and what its next step would do: running it, or rolling it back."""

    migration: MigrationView
    plan: dict[str, Any]
    report: Report


@router.post("/migrations/preview", openapi_extra=asks(Permission.MIGRATION_PLAN))
def preview_migration(work: Reading, study: str, body: MigrationToLookAt) -> Report:
    """What a plan would do to each subject. Nothing is stored."""
    plan = plan_of(work.session, work.actor, study, body.plan, body.site)
    return _report(list(migrate.preview(work.session, work.actor, plan, body.site)), work.actor.language)


@router.post("/sites/{site}/migrations", status_code=201, openapi_extra=asks(Permission.MIGRATION_PLAN))
def plan_migration(work: Writing, study: str, site: str, body: MigrationToPlan) -> MigrationView:
    """Plan a migration of a site; the one that was planned there and not run gives way to it."""
    plan = plan_of(work.session, work.actor, study, body.plan, site)
    return _view(migrate.propose(work.session, work.actor, plan, site, approved_on=body.approved_on))


@router.get("/migrations", openapi_extra=asks(Permission.MIGRATION_READ))
def list_migrations(work: Reading, study: str) -> MigrationList:
    """The migrations of a study at the sites in sight, the newest first."""
    return MigrationList(items=[_view(row) for row in migrate.listed(work.session, work.actor, study)])


@router.get("/migrations/{migration_id}", openapi_extra=asks(Permission.MIGRATION_READ))
def get_migration(work: Reading, study: str, migration_id: UUID) -> MigrationReport:
    """A migration, and what running it, or rolling it back, would do now."""
    row, outlooks = migrate.look(work.session, work.actor, study, migration_id)
    return MigrationReport(migration=_view(row), plan=row["plan"], report=_report(outlooks, work.actor.language))


@router.post("/migrations/{migration_id}/run", openapi_extra=asks(Permission.MIGRATION_RUN))
def run_migration(work: Writing, study: str, migration_id: UUID, body: Why) -> MigrationView:
    """Carry a migration out: the site's version and every page, or nothing where something is left open."""
    return _view(migrate.run(work.session, work.actor, study, migration_id, reason=body.reason))


@router.post("/migrations/{migration_id}/roll-back", openapi_extra=asks(Permission.MIGRATION_RUN))
def roll_back_migration(work: Writing, study: str, migration_id: UUID, body: Why) -> MigrationView:
    """Take a migration back as a whole: every page as it was, the site under the version before, or nothing."""
    return _view(migrate.roll_back(work.session, work.actor, study, migration_id, reason=body.reason)[0])


def _view(row: dict[str, Any]) -> MigrationView:
    return MigrationView(**{name: row[name] for name in MigrationView.model_fields})


def _report(outlooks: list[Outlook], lang: Lang) -> Report:
    touched = [each for each in outlooks if each.steps or each.left or each.follows]
    return Report(counts=totals(outlooks), subjects=[OutlookView(**as_json(each, lang)) for each in touched])
