"""Data entry over HTTP: one page at a time, at the address a coordinator says."""

from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, StrictBool
from sqlalchemy.orm import Session

from app.access.entrance import Reading, Writing
from app.access.idempotency import idempotent
from app.access.permissions import Permission, asks
from app.capture import read, save, validate
from app.core.days import Day, Instant
from app.core.http import Answer, IfMatch, IfNoneMatch, Retryable, Router, etag
from app.core.words import Reason
from app.forms.definition import Lang
from app.models.marks import LockState
from app.subjects.address import FormStep, VisitStep, place

router = Router(prefix="/api/v1/studies/{study}/subjects/{subject}", tags=["records"])

PAGE = "/visits/{visit}/forms/{form}"
AsOf = Annotated[Instant | None, Query(description="What stood at this instant, ISO 8601 with an offset")]

On = Annotated[Day | None, Query(description="The day that visits are looked at; today at the site by default")]


class WrongPage(BaseModel):
    """A void page of the same study that this one is entered instead of."""

    model_config = ConfigDict(extra="forbid")
    subject: str
    visit: VisitStep
    form: FormStep


class PageToSave(BaseModel):
    """The whole page as it should stand: an item left out is an item left empty."""

    model_config = ConfigDict(extra="forbid")
    answers: dict[str, Any]
    complete: StrictBool = True
    reason: Reason | None = None
    instead_of: WrongPage | None = None


class PageToVoid(BaseModel):
    """Why a page is struck."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


class PageToValidate(BaseModel):
    """The whole page as it might be saved."""

    model_config = ConfigDict(extra="forbid")
    answers: dict[str, Any]


class MarksView(BaseModel):
    """What people have said of a page: how far it is closed, by which locks, what was verified, who signed it."""

    lock: LockState
    locks: list[dict[str, Any]]
    verification: list[dict[str, Any]]
    signatures: list[dict[str, Any]]


class RecordView(BaseModel):
    """A page: its address, its revision, what it holds, what is made of it, and what people have said of it.

    `marks` are those of today: null for a page as it stood at an instant. `beside`: the computed items that the page
    was closed or signed with, where one has come out differently since.
    """

    study: str
    subject: str
    visit: str
    form: str
    form_version: int
    study_version: int
    revision: int
    status: str
    answers: dict[str, Any]
    computed: dict[str, Any]
    working: dict[str, Any]
    beside: dict[str, Any]
    findings: list[dict[str, Any]]
    queries: list[dict[str, Any]]
    saved_at: AwareDatetime
    instead_of: UUID | None
    record_id: UUID
    marks: MarksView | None


class Window(BaseModel):
    """The days of a visit, both ends of its window included."""

    target: date
    opens: date
    closes: date


class VisitMoved(BaseModel):
    """A visit that is planned otherwise than before, null where it has no days; pages that are due or no longer."""

    visit: str
    before: Window | None
    after: Window | None
    due: list[str]
    no_longer_due: list[str]


class SavedView(RecordView):
    """The page as the save left it, and the visits that it moved."""

    visits_moved: list[VisitMoved]


class Validation(BaseModel):
    """What a save would say: `errors` refuse it, `owed` keeps the page incomplete, findings would stand."""

    errors: list[dict[str, Any]]
    owed: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    elsewhere: list[dict[str, Any]]
    computed: dict[str, Any]
    visits_moved: list[VisitMoved]


class ItemChange(BaseModel):
    """What one revision did to one item; `before` is null where nothing stood."""

    item: str
    row: int | None
    label: str
    before: Any
    after: Any


class RevisionView(BaseModel):
    """One revision: who saved it, when, why, and what it did to each item."""

    revision: int
    form_version: int
    status: str
    by: str
    at: AwareDatetime
    zone: str
    action: str
    reason: str | None
    source: str
    change: int
    items: list[ItemChange]


class History(BaseModel):
    """Every revision of a page, oldest first."""

    revisions: list[RevisionView]


class CasebookView(BaseModel):
    """Everything of a subject in one answer. `lock`: how far the whole of it is closed today."""

    study: str
    subject: str
    site: str
    status: str
    study_version: int
    lock: LockState | None
    visits: list[dict[str, Any]]
    pages: list[RecordView]
    findings: list[dict[str, Any]]
    queries: list[dict[str, Any]]
    endpoints: dict[str, Any]


@router.get("/casebook", openapi_extra=asks(Permission.RECORD_READ))
def get_casebook(work: Reading, study: str, subject: str, as_of: AsOf = None, on: On = None) -> CasebookView:
    """A subject's whole casebook: visits, pages due, started and complete, values, findings, endpoints."""
    return CasebookView(**read.casebook(work.session, work.actor, study, subject, as_of=as_of, on=on))


@router.get(PAGE, openapi_extra=asks(Permission.RECORD_READ))
def get_page(
    work: Reading, response: Response, study: str, subject: str, visit: VisitStep, form: FormStep, as_of: AsOf = None
) -> RecordView:
    """One page as it stands, or as it stood at an instant; its ETag is what a save has to send back."""
    found = read.page(work.session, work.actor, study, subject, place(visit, form), as_of=as_of)
    if as_of is None:
        response.headers["ETag"] = etag(found["revision"])
    return RecordView(**found)


@router.put(
    PAGE, responses={status: {"model": SavedView} for status in (200, 201)}, openapi_extra=asks(Permission.RECORD_WRITE)
)
def put_page(
    work: Writing,
    study: str,
    subject: str,
    visit: VisitStep,
    form: FormStep,
    body: PageToSave,
    if_match: IfMatch,
    if_none_match: IfNoneMatch,
) -> Response:
    """Save a page. Send `If-Match` with the ETag that was read, or `If-None-Match: *` for a page not there yet."""
    session, actor = work.session, work.actor
    at = place(visit, form)
    wrong = body.instead_of
    saved = save.save(
        session,
        actor,
        study,
        subject,
        at,
        body.answers,
        expected=0 if if_none_match else if_match,
        complete=body.complete,
        reason=body.reason,
        instead_of=save.Elsewhere(wrong.subject, place(wrong.visit, wrong.form)) if wrong else None,
    )
    return _answer(session, study, saved, actor.language).response()


@router.post(PAGE + "/validate", openapi_extra=asks(Permission.RECORD_WRITE))
def validate_page(
    work: Reading, study: str, subject: str, visit: VisitStep, form: FormStep, body: PageToValidate
) -> Validation:
    """The findings that a save would give, storing nothing."""
    return Validation(**validate.validate(work.session, work.actor, study, subject, place(visit, form), body.answers))


@router.post(PAGE + "/void", responses={200: {"model": SavedView}}, openapi_extra=asks(Permission.RECORD_VOID))
def void_page(
    work: Writing,
    study: str,
    subject: str,
    visit: VisitStep,
    form: FormStep,
    body: PageToVoid,
    if_match: IfMatch,
    retry: Retryable,
) -> Response:
    """Strike a page with its reason. It stays readable, and counts for nothing from now on."""

    def strike() -> Answer:
        saved = save.void(
            work.session, work.actor, study, subject, place(visit, form), expected=if_match, reason=body.reason
        )
        return _answer(work.session, study, saved, work.actor.language)

    held = partial(save.hold, work.session, work.actor, Permission.RECORD_VOID, study, subject)
    return idempotent(work, retry, strike, held)


def _answer(session: Session, study: str, saved: save.Saved, language: Lang) -> Answer:
    """The page as the save left it, written out by the thread that has the save's connection."""
    shown = SavedView(**read.after(session, study, saved, language), visits_moved=saved.moved)
    status = 201 if saved.created else 200
    return Answer(status, shown.model_dump(mode="json"), {"ETag": etag(saved.page.revision)})


@router.get(PAGE + "/history", openapi_extra=asks(Permission.HISTORY_READ))
def get_history(work: Reading, study: str, subject: str, visit: VisitStep, form: FormStep) -> History:
    """Every revision of a page, item by item: who, when, why, and what stood before."""
    return History(revisions=read.history(work.session, work.actor, study, subject, place(visit, form)))
