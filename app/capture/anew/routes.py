"""Acts over HTTP after which subjects are derived anew: another study version, another site, or the wish to be sure."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from app.access.actor import require
from app.access.entrance import Reading, Writing
from app.access.idempotency import idempotent
from app.access.permissions import Permission, asks
from app.capture.anew.derive import derive, put_in_force, run_checks, transfer
from app.capture.anew.diff import as_json, diff
from app.capture.consequences import FINDINGS
from app.core.canonical import plain
from app.core.days import Day
from app.core.http import Answer, Retryable, Router
from app.core.words import Reason
from app.study.changes import Effect
from app.study.compare import worst
from app.subjects.routes import SubjectView

router = Router(prefix="/api/v1/studies/{study}", tags=["refresh"])

VersionNumber = Annotated[int, Path(ge=1, le=9999)]
Counts = Annotated[
    bool, Query(description="Count the subjects and answers that each difference touches, at your sites")
]


class VersionInForce(BaseModel):
    """The study version a site is to work under, the day the site approved it, and why."""

    model_config = ConfigDict(extra="forbid")
    version: Annotated[int, Field(strict=True, ge=1, le=9999)]
    approved_on: Day
    reason: Reason


class SubjectToTransfer(BaseModel):
    """Where a subject goes, and why."""

    model_config = ConfigDict(extra="forbid")
    site: Annotated[str, Field(min_length=1, max_length=12)]
    reason: Reason


class DeviationView(BaseModel):
    """A stored result that was not what the pages give."""

    subject: str
    endpoint: str
    variant: str
    kept: bool


class Deviations(BaseModel):
    """Stored results that were not what the pages give, by subject; they have been derived again, unless `kept`.

    A subject that is locked keeps the results it has.
    """

    subjects: int
    deviations: list[DeviationView]


class DifferenceView(BaseModel):
    """One difference between two versions: where, what it does to answers, in words, and what helps.

    `subjects` and `values` count what it touches at your sites; null where that was not asked for.
    """

    path: str
    kind: str
    effect: Effect
    words: str
    remedy: str
    subjects: int | None
    values: int | None


class DifferenceList(BaseModel):
    """Every difference between two versions, and the worst effect among them."""

    worst: Effect | None
    items: list[DifferenceView]


@router.get("/versions/{version}/diff/{other}", openapi_extra=asks(Permission.STUDY_READ))
def get_diff(
    work: Reading, study: str, version: VersionNumber, other: VersionNumber, counts: Counts = False
) -> DifferenceList:
    """What differs between two released versions of a study, with their forms, and what each difference does."""
    told = diff(work.session, work.actor, study, version, other, counts=counts)
    items = [DifferenceView(**each) for each in as_json(told, work.actor.language)]
    return DifferenceList(worst=worst([each for each, _ in told]), items=items)


@router.put("/sites/{site}/version", status_code=204, openapi_extra=asks(Permission.STUDY_SITE_CHANGE))
def put_site_version(work: Writing, study: str, site: str, body: VersionInForce) -> None:
    """Let a site work under another released study version from now on; its subjects are derived by it at once."""
    put_in_force(work.session, work.actor, study, site, body.version, approved_on=body.approved_on, reason=body.reason)


@router.post(
    "/subjects/{subject}/transfer",
    responses={200: {"model": SubjectView}},
    openapi_extra=asks(Permission.SUBJECT_TRANSFER),
)
def transfer_subject(work: Writing, study: str, subject: str, body: SubjectToTransfer, retry: Retryable) -> Response:
    """Move a subject to another site; number, pages and history stay."""

    def move() -> Answer:
        moved = transfer(work.session, work.actor, study, subject, body.site, reason=body.reason)
        return Answer(200, {name: plain(moved[name]) for name in SubjectView.model_fields})

    return idempotent(work, retry, move, lambda: require(work.actor, Permission.SUBJECT_TRANSFER, study))


class ChecksRun(BaseModel):
    """What a batch run of the edit checks did, by item and rule."""

    subjects: int
    opened: dict[str, int]
    closed: dict[str, int]


@router.post("/checks/run", openapi_extra=asks(Permission.CHECKS_RUN))
def run_the_checks(work: Writing, study: str) -> ChecksRun:
    """Ask every edit check of every page, those of the phase `batch` too."""
    count, told = run_checks(work.session, work.actor, study)
    opened, closed = ({what: number for (kind, what), number in told.items() if kind == each} for each in FINDINGS)
    return ChecksRun(subjects=count, opened=opened, closed=closed)


@router.post("/derive", openapi_extra=asks(Permission.DERIVE))
def derive_study(work: Writing, study: str) -> Deviations:
    """Derive every subject again and name everything stored that differed."""
    count, deviations = derive(work.session, work.actor, study)
    found = [
        DeviationView(subject=each.subject_id, endpoint=each.endpoint, variant=each.variant, kept=each.kept)
        for each in deviations
    ]
    return Deviations(subjects=count, deviations=found)
