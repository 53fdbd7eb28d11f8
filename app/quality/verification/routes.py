"""Source data verification over HTTP: mark what agrees with its source, and see what is left."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.entrance import Reading, Writing
from app.access.permissions import Permission, asks
from app.core.http import Cursor, IfMatch, Limit, Router
from app.core.page import Page
from app.core.words import Reason
from app.quality.verification import act, read
from app.subjects.address import FormStep, VisitStep, place

of_a_page = Router(prefix="/api/v1/studies/{study}/subjects/{subject}", tags=["verification"])
of_a_study = Router(prefix="/api/v1/studies/{study}/verification", tags=["verification"])

ROUTERS = (of_a_page, of_a_study)

PAGE = "/visits/{visit}/forms/{form}/verification"


class ItemOfPage(BaseModel):
    """An item of the page, with its row where it stands in one."""

    model_config = ConfigDict(extra="forbid")
    item: Annotated[str, Field(max_length=32)]
    row: Annotated[int | None, Field(ge=1, le=1_000_000, strict=True)] = None


class ItemsToVerify(BaseModel):
    """Which items agree with the source; null is every item of the page that has an answer."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[ItemOfPage] | None, Field(min_length=1, max_length=5000)] = None


class MarksToWithdraw(BaseModel):
    """Which marks are taken back, and why."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[ItemOfPage], Field(min_length=1, max_length=5000)]
    reason: Reason


class ItemMark(BaseModel):
    """An item that has an answer: verified, reset by a change, left to be verified, or null where nobody needs to.

    `revision`, `by` and `at` say who verified it last; of a mark that was reset too.
    """

    item: str
    row: int | None
    label: str
    state: str | None
    revision: int | None
    by: str | None
    at: AwareDatetime | None


class PageMarks(BaseModel):
    """The items of a page at its present revision, and how many are left to be verified."""

    revision: int
    left: int
    items: list[ItemMark]


class PageLeft(BaseModel):
    """A page of which something is to be verified, and what."""

    subject: str
    site: str
    visit: str
    form: str
    revision: int
    items: list[ItemMark]


class LeftPage(Page[PageLeft]):
    """What is left, for so many subjects; go on with `next_cursor` although nothing is shown."""


class SiteProgress(BaseModel):
    """How far a site is: subjects with a page, items that the plan asks for, of these verified, reset and left."""

    site: str
    subjects: int
    required: int
    verified: int
    reset: int
    left: int


class ProgressList(BaseModel):
    """How far the sites are."""

    items: list[SiteProgress]


@of_a_page.get(PAGE, openapi_extra=asks(Permission.VERIFICATION_READ))
def get_marks(work: Reading, study: str, subject: str, visit: VisitStep, form: FormStep) -> PageMarks:
    """Each item of a page that has an answer, and whether it was verified."""
    return _marks(work, study, subject, visit, form)


@of_a_page.post(PAGE, openapi_extra=asks(Permission.RECORD_VERIFY))
def verify_page(
    work: Writing, study: str, subject: str, visit: VisitStep, form: FormStep, body: ItemsToVerify, if_match: IfMatch
) -> PageMarks:
    """Mark items, or the whole page, as found to agree with the source, at the revision that was compared."""
    items = None if body.items is None else [(each.item, each.row) for each in body.items]
    act.verify(work.session, work.actor, study, subject, place(visit, form), expected=if_match, items=items)
    return _marks(work, study, subject, visit, form)


@of_a_page.post(PAGE + "/withdraw", openapi_extra=asks(Permission.RECORD_VERIFY))
def withdraw_marks(
    work: Writing, study: str, subject: str, visit: VisitStep, form: FormStep, body: MarksToWithdraw, if_match: IfMatch
) -> PageMarks:
    """Take marks back, with a reason."""
    items = [(each.item, each.row) for each in body.items]
    act.withdraw(
        work.session, work.actor, study, subject, place(visit, form), expected=if_match, items=items, reason=body.reason
    )
    return _marks(work, study, subject, visit, form)


@of_a_study.get("", openapi_extra=asks(Permission.VERIFICATION_READ))
def get_progress(work: Reading, study: str) -> ProgressList:
    """How far verification is at each of your sites."""
    found = read.progress(work.session, work.actor, study)
    return ProgressList(
        items=[
            SiteProgress(
                site=each.site, subjects=each.subjects, required=each.required, verified=each.verified,
                reset=each.reset, left=each.required - each.verified,
            )
            for each in found
        ]
    )  # fmt: skip


@of_a_study.get("/left", openapi_extra=asks(Permission.VERIFICATION_READ))
def list_left(
    work: Reading,
    study: str,
    site: Annotated[str | None, Query(max_length=12)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LeftPage:
    """What is left to be verified, page by page, for `limit` subjects at a time."""
    rows, following = read.left(work.session, work.actor, study, site=site, cursor=cursor, limit=limit)
    return LeftPage(items=[PageLeft(**row) for row in rows], next_cursor=following)


def _marks(work: Any, study: str, subject: str, visit: str, form: str) -> PageMarks:
    return PageMarks(**read.of_page(work.session, work.actor, study, subject, place(visit, form)))
