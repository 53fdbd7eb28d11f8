"""Findings and the trail over HTTP, for those who ask whether the data are right."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import AwareDatetime, BaseModel

from app.access.entrance import Reading, Signed, database
from app.access.permissions import Permission, asks
from app.core.days import Instant
from app.core.http import Cursor, Limit, Router, Sort
from app.core.page import Page
from app.models.capture import FindingState
from app.quality import read, trail

router = Router(prefix="/api/v1/studies/{study}", tags=["quality"])


class FindingView(BaseModel):
    """Something that looks wrong: where, by which rule, and what to do. `visit` and `form` are null for an endpoint."""

    finding: UUID
    subject: str
    site: str
    visit: str | None
    form: str | None
    item: str
    row: int | None
    rule: str
    state: str
    message: str
    remedy: str
    opened_at: AwareDatetime


class FindingPage(Page[FindingView]):
    """One page of findings."""


class WrittenRows(BaseModel):
    """So many rows of one table."""

    table: str
    act: str
    count: int


class TrailEntry(BaseModel):
    """One change: who, when (UTC) and where, why, through what, and which rows were written."""

    seq: int
    change_id: UUID
    at: datetime
    zone: str
    actor_id: UUID | None
    actor: str
    source: str
    action: str
    reason: str | None
    site_id: str | None
    subject_id: str | None
    record_id: UUID | None
    detail: dict[str, Any]
    hash: str
    written: list[WrittenRows]


class TrailPage(BaseModel):
    """Changes in the order they were sealed; go on with `after` = `next_after`."""

    items: list[TrailEntry]
    next_after: int | None


class Verification(BaseModel):
    """Whether the trail reproduces every row there is, the chain holds and the anchors match.

    `warnings` want looking at, such as a torn line of the anchor file, and prove nothing wrong.
    """

    ok: bool
    changes: int
    rows: int
    anchors: int | None
    heads: list[dict[str, Any]]
    faults: list[str]
    more_faults: int
    warnings: list[str]
    more_warnings: int


@router.get("/findings", openapi_extra=asks(Permission.FINDING_READ))
def list_findings(
    work: Reading,
    study: str,
    site: Annotated[str | None, Query(max_length=12)] = None,
    subject: Annotated[str | None, Query(max_length=32)] = None,
    rule: Annotated[str | None, Query(max_length=64)] = None,
    state: FindingState = FindingState.OPEN,
    sort: Sort = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> FindingPage:
    """What looks wrong at your sites."""
    rows, following = read.list_findings(
        work.session, work.actor, study,
        site=site, subject_id=subject, rule=rule, state=state, sort=sort, cursor=cursor, limit=limit,
    )  # fmt: skip
    return FindingPage(items=[FindingView(**row) for row in rows], next_cursor=following)


@router.get("/audit", openapi_extra=asks(Permission.AUDIT_READ))
def read_trail(
    work: Reading,
    study: str,
    subject: Annotated[str | None, Query(max_length=32)] = None,
    actor: Annotated[str | None, Query(max_length=200)] = None,
    action: Annotated[str | None, Query(max_length=64, description="`record.` means all that begin so")] = None,
    since: Instant | None = None,
    until: Instant | None = None,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Limit = 100,
) -> TrailPage:
    """The trail of a study, in the order it was sealed."""
    rows, following = trail.trail(
        work.session, work.actor, study,
        subject_id=subject, by=actor, action=action, since=since, until=until, after=after, limit=limit,
    )  # fmt: skip
    return TrailPage(items=[TrailEntry(**row) for row in rows], next_after=following)


@router.get("/audit/verification", openapi_extra=asks(Permission.AUDIT_VERIFY))
def verify_trail(request: Request, actor: Signed, study: str) -> Verification:
    """Replay the trail of a study now."""
    return Verification(**trail.check(database(request), actor, study))
