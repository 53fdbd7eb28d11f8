"""What is due over HTTP: the work of a coordinator, and a site's subjects beside the visits of the study."""

from datetime import date
from typing import Annotated, Any

import orjson
from fastapi import Query, Response
from pydantic import BaseModel

from app.access.entrance import Reading
from app.access.permissions import Permission, asks
from app.capture.due import matrix, worklist
from app.core.days import Day
from app.core.http import Cursor, Limit, Router
from app.core.page import Page

router = Router(prefix="/api/v1/studies/{study}", tags=["due"])

On = Annotated[Day | None, Query(description="The day that is looked at; today at each site by default")]
Site = Annotated[str | None, Query(max_length=12)]


class TaskView(BaseModel):
    """A page to be done, and why: `days_late` counts from the last day of the visit's window."""

    task: worklist.Task
    visit: str | None
    form: str | None
    label: str | None
    target: date | None
    closes: date | None
    days_late: int
    queries: int


class SubjectTasks(BaseModel):
    """What is to be done of one subject."""

    subject: str
    site: str
    status: str
    on: date
    tasks: list[TaskView]


class Worklist(Page[SubjectTasks]):
    """One page of the work list."""


class VisitHead(BaseModel):
    """A visit of the study."""

    visit: str
    label: str


class Missed(BaseModel):
    """Why a visit was not held."""

    reason: str | None
    label: str | None


class Cell(BaseModel):
    """Where a visit stands: window, pages owed, unresolved queries, pages to sign, the day held, days outside."""

    status: str
    target: date | None
    opens: date | None
    closes: date | None
    owed: int
    queries: int
    to_sign: int
    held_on: date | None
    days_out: int
    missed: Missed | None = None


class MatrixRow(BaseModel):
    """A subject with its visits by code; one that is not planned has no cell."""

    subject: str
    site: str
    status: str
    on: date
    queries: int
    to_sign: int
    cells: dict[str, Cell]


class Matrix(Page[MatrixRow]):
    """Subjects beside visits."""

    visits: list[VisitHead]


@router.get("/worklist", openapi_extra=asks(Permission.SUBJECT_READ))
def get_worklist(
    work: Reading,
    study: str,
    site: Site = None,
    task: Annotated[list[worklist.Task] | None, Query(description="Only these; all by default")] = None,
    on: On = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Worklist:
    """What is due, overdue, incomplete, queried and to sign at your sites, subject by subject."""
    found = worklist.worklist(
        work.session, work.actor, study,
        site=site, tasks=frozenset(task or worklist.Task), on=on, cursor=cursor, limit=limit,
    )  # fmt: skip
    return Worklist(**found)


@router.get("/matrix", responses={200: {"model": Matrix}}, openapi_extra=asks(Permission.SUBJECT_READ))
def get_matrix(
    work: Reading,
    study: str,
    site: Site = None,
    on: On = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Subjects of one page")] = 500,
) -> Response:
    """The subjects of your sites beside the visits of the study: where each visit stands."""
    found: dict[str, Any] = matrix.matrix(work.session, work.actor, study, site=site, on=on, cursor=cursor, limit=limit)
    return Response(orjson.dumps(found), media_type="application/json")  # thousands of cells, of known shape
