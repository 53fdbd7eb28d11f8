"""Subjects over HTTP: who is in the trial, and where."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.actor import require
from app.access.entrance import Reading, Writing
from app.access.idempotency import idempotent
from app.access.permissions import Permission, asks
from app.core.canonical import plain
from app.core.http import Answer, Cursor, Limit, Retryable, Router, Sort
from app.core.page import Page
from app.subjects import enrol, read

router = Router(prefix="/api/v1/studies/{study}/subjects", tags=["subjects"])

Number = Annotated[str, Field(pattern=f"^{enrol.NUMBER.pattern}$")]


class SubjectToCreate(BaseModel):
    """The site of a new subject, and its screening number when it has one already."""

    model_config = ConfigDict(extra="forbid")
    site: Annotated[str, Field(min_length=1, max_length=12)]
    number: Number | None = None


class SubjectView(BaseModel):
    """A subject: its number, its site and its status, which only records move."""

    study_id: str
    subject_id: str
    site_id: str
    status: str
    created_at: AwareDatetime


class SubjectPage(Page[SubjectView]):
    """One page of subjects."""


@router.get("", openapi_extra=asks(Permission.SUBJECT_READ))
def list_subjects(
    work: Reading,
    study: str,
    site: Annotated[str | None, Query(max_length=12)] = None,
    status: Annotated[str | None, Query(max_length=32)] = None,
    sort: Sort = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SubjectPage:
    """The subjects of your sites."""
    rows, following = read.list_subjects(
        work.session, work.actor, study, site=site, status=status, sort=sort, cursor=cursor, limit=limit
    )
    return SubjectPage(items=[SubjectView(**row) for row in rows], next_cursor=following)


@router.post(
    "", status_code=201, responses={201: {"model": SubjectView}}, openapi_extra=asks(Permission.SUBJECT_CREATE)
)
def create_subject(work: Writing, study: str, body: SubjectToCreate, retry: Retryable) -> Response:
    """A new subject at a site, with the number stated or the site's next."""

    def create() -> Answer:
        made = enrol.create(work.session, work.actor, study, body.site, number=body.number)
        shown = {name: plain(made[name]) for name in SubjectView.model_fields}
        return Answer(201, shown, {"Location": f"/api/v1/studies/{study}/subjects/{made['subject_id']}/casebook"})

    return idempotent(work, retry, create, lambda: require(work.actor, Permission.SUBJECT_CREATE, study, body.site))
