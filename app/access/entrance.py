"""Who asks over HTTP: the token of a request, and the transaction that a route works in.

A token travels in the Authorization header and nowhere else.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import func, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import models
from app.access.actor import PREFIX, Actor, Work, token_hash
from app.core import clock
from app.core.errors import Unauthenticated
from app.core.language import language
from app.core.logs import log
from app.core.opening import Opening
from app.core.prepared import Prepared
from app.core.transaction import Database
from app.models.access import TokenKind

TOUCH = timedelta(minutes=1)
"""How exactly `used_at` is kept."""

_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_ENTER = Prepared(text("SELECT * FROM marrow_enter(:token, :moment)"))
_bearer = HTTPBearer(auto_error=False, description="A token from POST /api/v1/session or POST /api/v1/me/tokens")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def unauthenticated() -> Unauthenticated:
    """The one answer to a missing, unknown, ended or expired token."""
    return Unauthenticated("Send a valid token: Authorization: Bearer marrow_…", headers={"WWW-Authenticate": "Bearer"})


@contextmanager
def entered(request: Request, session: Session, given: HTTPAuthorizationCredentials | None) -> Iterator[Actor]:
    """Find out who asks and open the wall to their studies, for this transaction."""
    token = given.credentials if given is not None else ""
    if not _TOKEN.fullmatch(token):
        raise unauthenticated()
    now = clock.now()
    row = _ENTER.one(session, {"token": token_hash(token), "moment": now})
    if row is None or (row["kind"] == TokenKind.SESSION and now - row["used_at"] >= idle(request)):
        raise unauthenticated()
    request.state.account_id = row["account_id"]
    if now - row["used_at"] >= TOUCH:
        request.state.touch = row["token_id"]
    yield Actor.from_row(row, speaks=language(request.headers.get("accept-language")))


def idle(request: Request) -> timedelta:
    """How long a session may rest before it ends."""
    settings = getattr(request.app.state, "settings", None)
    return timedelta(minutes=getattr(settings, "session_idle_minutes", 20))


def database(request: Request) -> Database:
    """The application's database."""
    found: Database = request.app.state.database
    return found


@contextmanager
def _touching(request: Request) -> Iterator[None]:
    """Note afterwards that the token was used, at most once a minute, whatever became of the request.

    The request's own connection is given back by then: a request never holds two. If it fails the request stands.
    """
    try:
        yield
    finally:
        token_id = getattr(request.state, "touch", None)
        if token_id is not None:
            try:
                with database(request).writing() as session:
                    used(session, token_id)
            except SQLAlchemyError as fault:
                log.warning("token-not-touched", extra={"token_id": str(token_id), "fault": type(fault).__name__})


def used(session: Session, token_id: UUID) -> None:
    """Set `used_at` forward to now."""
    token = models.session_token
    session.execute(
        update(token).where(token.c.token_id == token_id).values(used_at=func.greatest(token.c.used_at, clock.now()))
    )


@contextmanager
def _working(
    request: Request, given: HTTPAuthorizationCredentials | None, transaction: AbstractContextManager[Session]
) -> Iterator[Work]:
    with _touching(request), transaction as session, entered(request, session, given) as actor:
        yield Work(session, actor)


async def _reading(request: Request, given: Credentials) -> Opening[Work]:
    return Opening(request, _working(request, given, database(request).reading()))


async def _writing(request: Request, given: Credentials) -> Opening[Work]:
    return Opening(request, _working(request, given, database(request).writing()))


def _signed(request: Request, given: Credentials) -> Actor:
    with _touching(request), database(request).reading() as session, entered(request, session, given) as actor:
        return actor


Reading = Annotated[Work, Depends(_reading)]
"""A route that reads: one unchanging state, nothing can be written."""

Writing = Annotated[Work, Depends(_writing)]
"""A route that writes: committed before the answer is sent."""

Signed = Annotated[Actor, Depends(_signed)]
"""A route that opens transactions of its own, such as a stream: only who asks, no session is held."""
