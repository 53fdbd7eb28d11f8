"""Tokens: 256 random bits, shown once, stored as their SHA-256, ended at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.orm import Session

from app import models
from app.access.actor import PREFIX, Actor, absent, require, token_hash
from app.access.permissions import Permission
from app.audit import change
from app.core import clock
from app.core.canonical import plain
from app.core.errors import Fault, Unreadable
from app.models.access import TokenKind

INVITATION = timedelta(days=7)
RESET = timedelta(hours=24)
"""How long a person has to set a password."""

_token = models.session_token
_OPEN = (TokenKind.SESSION, TokenKind.API)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token. `token` is nowhere else: it is given to its owner and forgotten."""

    token: str
    token_id: UUID
    expires_at: datetime


def issue(
    session: Session,
    account_id: UUID,
    kind: TokenKind,
    *,
    lasts: timedelta,
    label: str = "",
    scope: str | None = None,
) -> Issued:
    """Store a new token of this account. The caller records it in the trail by its id."""
    now = clock.now()
    made = Issued(PREFIX + token_urlsafe(32), uuid4(), now + lasts)
    row = {
        "token_hash": token_hash(made.token),
        "token_id": made.token_id,
        "account_id": account_id,
        "kind": kind,
        "label": label,
        "scope": scope,
        "created_at": now,
        "used_at": now,
        "expires_at": made.expires_at,
        "ended_at": None,
    }
    session.execute(insert(_token).values(row))
    return made


def end_all(session: Session, account_id: UUID, *, keep: UUID | None = None, kinds: tuple[str, ...] = ()) -> int:
    """End every token of an account, or those of some kinds; `keep` stays. How many were ended."""
    statement = update(_token).where(_token.c.account_id == account_id, _token.c.ended_at.is_(None))
    if keep is not None:
        statement = statement.where(_token.c.token_id != keep)
    if kinds:
        statement = statement.where(_token.c.kind.in_(kinds))
    ended = session.execute(statement.values(ended_at=clock.now()).returning(_token.c.token_id))
    return len(ended.all())


def of_account(session: Session, actor: Actor, idle: timedelta) -> list[Mapping[str, Any]]:
    """One's own sessions and API tokens that still hold, newest first."""
    require(actor, Permission.OWN_READ, None)
    columns = (_token.c[name] for name in ("token_id", "kind", "label", "scope", "created_at", "used_at", "expires_at"))
    found = session.execute(
        select(*columns)
        .where(_token.c.account_id == actor.account_id, _holds(clock.now(), idle))
        .order_by(_token.c.created_at.desc(), _token.c.token_id)
    )
    return [{**row, "current": row["token_id"] == actor.token_id} for row in found.mappings()]


def end(session: Session, actor: Actor, token_id: UUID, *, action: str = "session.end") -> None:
    """End one of one's own sessions or API tokens; NotFound for anybody else's and for one that has ended."""
    require(actor, Permission.OWN_SESSION_END, None)
    ended = session.execute(
        update(_token)
        .where(
            _token.c.token_id == token_id,
            _token.c.account_id == actor.account_id,
            _token.c.ended_at.is_(None),
            _token.c.kind.in_(_OPEN),
        )
        .values(ended_at=clock.now())
        .returning(_token.c.kind)
    ).scalar_one_or_none()
    if ended is None:
        raise absent()
    with change(session, models.SYSTEM, by=actor, action=action, detail=plain({"token_id": token_id, "kind": ended})):
        pass


def make_api_token(session: Session, actor: Actor, *, label: str, study_id: str, days: int) -> Issued:
    """A token for a program of one's own: in one study, with one's own roles there as they are at each use."""
    require(actor, Permission.OWN_TOKEN, None)
    if not any(grant.study_id == study_id for grant in actor.grants):
        remedy = "Name a study in which you have a role, as GET /api/v1/me lists them."
        raise Unreadable(
            "The token would open nothing.",
            errors=[Fault("/study", "no-role", "You have no role in a study of this name.", remedy)],
        )
    assert actor.account_id is not None  # noqa: S101 - a person: the system holds no tokens
    made = issue(session, actor.account_id, TokenKind.API, lasts=timedelta(days=days), label=label, scope=study_id)
    detail = plain({"token_id": made.token_id, "scope": study_id, "expires_at": made.expires_at})
    with change(session, models.SYSTEM, by=actor, action="token.create", detail=detail):
        pass
    return made


def _holds(now: datetime, idle: timedelta) -> ColumnElement[bool]:
    rested = or_(_token.c.kind == TokenKind.API, _token.c.used_at > now - idle)
    return _token.c.ended_at.is_(None) & (_token.c.expires_at > now) & _token.c.kind.in_(_OPEN) & rested
