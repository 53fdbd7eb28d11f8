"""Signatures over HTTP, for whoever reads and verifies them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel

from app.access.entrance import Reading
from app.access.permissions import Permission, asks
from app.core.http import Cursor, Limit, Router, Sort
from app.core.page import Page
from app.models.signatures import Meaning
from app.quality.signatures import prove, read

router = Router(prefix="/api/v1/studies/{study}/signatures", tags=["signatures"])

State = Literal["standing", "broken"]


class BrokenItem(BaseModel):
    """An item that was changed."""

    item: str
    row: int | None


class SignedItem(BrokenItem):
    """An item as it was signed: the SHA-256 of its value."""

    digest: str


class Break(BaseModel):
    """The first change of something that was signed: of which page and items, when, by whom and why."""

    visit: str
    form: str
    items: list[BrokenItem]
    at: AwareDatetime
    by: str
    reason: str | None
    change: int


class SignatureView(BaseModel):
    """Who signed what, when (UTC, and the time zone of the site) and as what; and what has broken the signature.

    A page is named by visit and form, a visit by itself; neither is the whole casebook.
    """

    signature: UUID
    subject: str
    site: str
    scope: Literal["page", "visit", "casebook"]
    visit: str | None
    form: str | None
    state: State
    broken: Break | None
    study_version: int
    meaning: Meaning
    statement: str
    username: str
    name: str
    roles: str
    at: AwareDatetime
    zone: str
    digest: str


class SignaturePage(Page[SignatureView]):
    """One page of signatures."""


class SignedPage(BaseModel):
    """A page as it was signed: its revision and form version, every answer, and what was computed, by SHA-256."""

    visit: str
    form: str
    revision: int
    form_version: int
    form_digest: str
    items: list[SignedItem]
    computed: list[SignedItem]
    digest: str


class SignatureWithPages(SignatureView):
    """A signature with all that it holds."""

    pages: list[SignedPage]


class ChangedItem(BrokenItem):
    """An item that is not what was signed."""

    label: str


class PageProof(BaseModel):
    """A signed page worked out again: whether the revision is what was signed, and what is other by revision `now`."""

    visit: str
    form: str
    revision: int
    now: int
    form_version: int
    form_version_now: int
    status_now: str
    intact: bool
    changed: list[ChangedItem]


class Proof(BaseModel):
    """`intact`: what was signed is still there as it was signed. `holds`: and nothing of it was changed since."""

    signature: UUID
    state: State
    intact: bool
    holds: bool
    pages: list[PageProof]


@router.get("", openapi_extra=asks(Permission.SIGNATURE_READ))
def list_signatures(
    work: Reading,
    study: str,
    site: Annotated[str | None, Query(max_length=12)] = None,
    subject: Annotated[str | None, Query(max_length=32)] = None,
    state: State | None = None,
    sort: Sort = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SignaturePage:
    """The signatures at your sites, standing and broken, newest first."""
    rows, following = read.list_signatures(
        work.session, work.actor, study,
        site=site, subject_id=subject, state=state, sort=sort, cursor=cursor, limit=limit,
    )  # fmt: skip
    return SignaturePage(items=[SignatureView(**row) for row in rows], next_cursor=following)


@router.get("/{signature}", openapi_extra=asks(Permission.SIGNATURE_READ))
def get_signature(work: Reading, study: str, signature: UUID) -> SignatureWithPages:
    """One signature with the pages that it holds and the digest of every answer."""
    return SignatureWithPages(**read.one(work.session, work.actor, study, signature))


@router.get("/{signature}/verify", openapi_extra=asks(Permission.SIGNATURE_READ))
def verify_signature(work: Reading, study: str, signature: UUID) -> Proof:
    """Work a signature out again from the pages themselves, and name every item that is not what was signed."""
    return Proof(**prove.verify(work.session, work.actor, study, signature))
