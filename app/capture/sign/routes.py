"""Signing over HTTP: ask what exactly is signed, then sign it with the password."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.access.entrance import Reading, Signed, database
from app.access.permissions import Permission, asks
from app.access.routes import REFUSED_FOR_A_WHILE
from app.capture.sign import act
from app.core.http import Router
from app.forms.definition import Form, Lang
from app.forms.shown import shown
from app.models.signatures import Meaning
from app.quality.locks.scope import Address
from app.quality.signatures.manifest import answered
from app.subjects.address import written
from app.subjects.locked import Which

router = Router(prefix="/api/v1/studies/{study}/subjects/{subject}/signatures", tags=["signatures"])


class ToSign(BaseModel):
    """What is signed, and as what: a page, a visit (no form), or the whole casebook (neither)."""

    model_config = ConfigDict(extra="forbid")
    meaning: Meaning
    visit: Annotated[str | None, Field(max_length=40)] = None
    form: Annotated[str | None, Field(max_length=40)] = None

    @model_validator(mode="after")
    def _narrowing(self) -> Self:
        """A form stands within a visit."""
        if self.form is not None and self.visit is None:
            raise ValueError
        return self

    def address(self, subject: str) -> Address:
        """The address in the terms of the schema. Raises NotFound for what is no visit or form."""
        return Address.of(None, subject, self.visit, self.form)


class Signing(ToSign):
    """The same, with the digest of what was shown, and one's password once more."""

    intent: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    password: Annotated[str | None, Field(max_length=1024, repr=False)] = None


class ItemToSign(BaseModel):
    """An answer as it is signed: `value` as it is stored, `text` as a person reads it."""

    item: str
    row: int | None
    label: str
    value: Any
    text: str


class PageToSign(BaseModel):
    """A page as it is signed: what was entered, and what is computed from it."""

    visit: str
    form: str
    title: str
    revision: int
    form_version: int
    items: list[ItemToSign]
    computed: list[ItemToSign]


class IntentView(BaseModel):
    """What would be signed, word for word; `intent` is the digest of all of it."""

    subject: str
    meaning: Meaning
    statement: str
    intent: str
    pages: list[PageToSign]


class SignedView(BaseModel):
    """The key of the signature; `GET …/signatures/{signature}` shows it."""

    signature: UUID
    intent: str


@router.post("/intent", openapi_extra=asks(Permission.RECORD_SIGN))
def intend_to_sign(work: Reading, study: str, subject: str, body: ToSign) -> IntentView:
    """What exactly would be signed: the statement and every answer. Nothing is stored."""
    found = act.intend(work.session, work.actor, study, body.address(subject), body.meaning)
    return IntentView(
        subject=subject,
        meaning=body.meaning,
        statement=found.said["statement"],
        intent=found.digest,
        pages=[_page(each, work.actor.language) for each in found.pages],
    )


@router.post("", status_code=201, openapi_extra=asks(Permission.RECORD_SIGN), responses=REFUSED_FOR_A_WHILE)
def sign(request: Request, actor: Signed, study: str, subject: str, body: Signing) -> SignedView:
    """Sign what the intent has shown. A wrong password is recorded and counts like a failed login."""
    key = act.sign(
        database(request), actor, study, body.address(subject), body.meaning,
        intent=body.intent, password=body.password,
    )  # fmt: skip
    return SignedView(signature=key, intent=body.intent)


def _page(shown_: act.Shown, language: Lang) -> PageToSign:
    form, page, computed = shown_
    return PageToSign(
        visit=written(page.place.visit, page.place.visit_repeat),
        form=written(page.place.form, page.place.repeat),
        title=form.title.of(language),
        revision=page.revision,
        form_version=page.form_version,
        items=[_item(form, *each, language) for each in answered(form, page.answers)],
        computed=[_item(form, *each, language) for each in answered(form, computed)],
    )


def _item(form: Form, which: Which, value: Any, language: Lang) -> ItemToSign:
    item, row = which
    known = form.item(item) if form.has(item) else None
    return ItemToSign(
        item=item,
        row=row,
        label=known.label.of(language) if known else item,
        value=value,
        text=shown(known, value, language) if known else str(value),
    )
