"""Locks over HTTP: close a scope, open it again, and see what is closed."""

from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, model_validator

from app.access.actor import Work
from app.access.entrance import Reading, Writing
from app.access.permissions import Permission, asks
from app.core.http import Cursor, Limit, Router, Sort
from app.core.page import Page
from app.core.words import Reason
from app.models.marks import LockState
from app.quality.locks import read
from app.quality.locks.act import Action, act
from app.quality.locks.scope import Address

router = Router(prefix="/api/v1/studies/{study}/locks", tags=["locks"])


class Scope(BaseModel):
    """A scope and why: nothing named is the whole study; else a site, or a subject and what lies in it."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason
    site: Annotated[str | None, Field(max_length=12)] = None
    subject: Annotated[str | None, Field(max_length=32)] = None
    visit: Annotated[str | None, Field(max_length=40)] = None
    form: Annotated[str | None, Field(max_length=40)] = None
    item: Annotated[str | None, Field(max_length=32)] = None
    row: Annotated[int | None, Field(ge=1, le=1_000_000, strict=True)] = None

    @model_validator(mode="after")
    def _narrowing(self) -> Self:
        """Each part of an address stands within the one before it, and a site stands by itself."""
        named = [part is not None for part in (self.subject, self.visit, self.form, self.item, self.row)]
        if named != sorted(named, reverse=True) or (self.site is not None and any(named)):
            raise ValueError
        return self

    def address(self) -> Address:
        """The address in the terms of the schema. Raises NotFound for what is no visit or form."""
        return Address.of(self.site, self.subject, self.visit, self.form, self.item, self.row)


class ScopeToClose(Scope):
    """How far a scope is to be closed; `despite_queries` that are open in it."""

    action: Literal["freeze", "unfreeze", "lock", "hard_lock"]
    despite_queries: StrictBool = False


class UnlockAsked(BaseModel):
    """Who asks for something to be unlocked, when and why."""

    at: AwareDatetime
    by: str
    reason: str


class LockView(BaseModel):
    """A scope that is or was closed: how far, since when, by whom and why; and whether somebody asks to unlock it."""

    scope: Literal["study", "site", "subject", "visit", "page", "item"]
    site: str | None
    subject: str | None
    visit: str | None
    form: str | None
    item: str | None
    row: int | None
    state: LockState
    since: AwareDatetime
    by: str
    reason: str
    unlock_asked: UnlockAsked | None


class LockPage(Page[LockView]):
    """One page of locks."""


@router.get("", openapi_extra=asks(Permission.LOCK_READ))
def list_locks(
    work: Reading,
    study: str,
    site: Annotated[str | None, Query(max_length=12)] = None,
    subject: Annotated[str | None, Query(max_length=32)] = None,
    state: LockState | None = None,
    asked: Annotated[bool | None, Query(description="Whether somebody asks for it to be unlocked")] = None,
    sort: Sort = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LockPage:
    """What is and was closed at your sites, newest first; the study's own lock is everybody's to see."""
    rows, following = read.list_locks(
        work.session, work.actor, study,
        site=site, subject_id=subject, state=state, asked=asked, sort=sort, cursor=cursor, limit=limit,
    )  # fmt: skip
    return LockPage(items=[LockView(**row) for row in rows], next_cursor=following)


@router.post("", openapi_extra=asks(Permission.LOCK_SET))
def close_scope(work: Writing, study: str, body: ScopeToClose) -> LockView:
    """Freeze, unfreeze, lock or hard-lock an item, a page, a visit, a subject, a site or the study."""
    return _done(work, study, body.address(), Action(body.action), body.reason, despite_queries=body.despite_queries)


@router.post("/ask", openapi_extra=asks(Permission.LOCK_ASK))
def ask_for_unlocking(work: Writing, study: str, body: Scope) -> LockView:
    """Ask for something to be unlocked. It stays locked until a second person grants it."""
    return _done(work, study, body.address(), Action.ASK, body.reason)


@router.post("/grant", openapi_extra=asks(Permission.LOCK_GRANT))
def grant_unlocking(work: Writing, study: str, body: Scope) -> LockView:
    """Unlock what somebody else asked to have unlocked."""
    return _done(work, study, body.address(), Action.GRANT, body.reason)


@router.post("/decline", openapi_extra=asks(Permission.LOCK_GRANT))
def decline_unlocking(work: Writing, study: str, body: Scope) -> LockView:
    """Leave locked what somebody asked to have unlocked; or take back what one asked oneself."""
    return _done(work, study, body.address(), Action.DECLINE, body.reason)


def _done(work: Work, study: str, at: Address, action: Action, reason: str, **more: Any) -> LockView:
    row, site = act(work.session, work.actor, study, at, action, reason=reason, **more)
    return LockView(**read.told(row, site))
