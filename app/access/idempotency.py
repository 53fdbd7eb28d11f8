"""A request sent twice has one effect, and both times the same answer.

    return idempotent(work, retry, lambda: Answer(201, created(…)), allowed=lambda: require(work.actor, …))

The answer is stored in the transaction of the act itself, so there is never the one without the other. Somebody who
sends the same key while the first is still at work waits for it at the unique key. A refusal is undone with
everything else and leaves nothing: the next try is carried out. A stored answer is told only to who may still have it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from fastapi import Depends, Request
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.access.actor import Work
from app.core import clock
from app.core.errors import BadRequest, Fault, Unreadable
from app.core.http import Answer, Retry
from app.models import idempotency

KEPT = timedelta(hours=48)
"""How long an answer is kept at least."""


class KeyReused(Unreadable):
    """An Idempotency-Key that has been used for a request with another address or body."""

    code = "idempotency-key-reused"


class KeyNotTaken(BadRequest):
    """An Idempotency-Key sent to where answers hold a secret, which is told once and never kept."""

    code = "idempotency-key-not-taken"


def _untaken(request: Request) -> None:
    if "idempotency-key" in request.headers:
        message = "This answers with a secret, which is not kept. Send the request without an Idempotency-Key."
        raise KeyNotTaken(message, errors=(Fault("header:Idempotency-Key", "idempotency-key-not-taken", message),))


TOLD_ONCE = Depends(_untaken)
"""For a route that answers with a secret: an Idempotency-Key is refused there, not ignored."""


def idempotent(work: Work, retry: Retry, do: Callable[[], Answer], allowed: Callable[[], object]) -> Response:
    """What `do` answers, or what it answered when this account first sent this key.

    Without a key `do` is simply carried out, and asks for leave itself. Before a stored answer is given `allowed` is
    called, and raises when the right to it has ended since. Raises KeyReused when the key came with another address
    or body before.
    """
    account_id, key, fingerprint = work.actor.account_id, retry.key, retry.fingerprint
    if key is None or account_id is None:
        return do().response()
    now = clock.now()
    here = (idempotency.c.account_id == account_id) & (idempotency.c.key == key)
    _forget(work.session, account_id, fingerprint)
    mine = {"account_id": account_id, "key": key, "fingerprint": fingerprint, "at": now}
    claim = insert(idempotency).values(**mine, status=0, headers={}, body="").on_conflict_do_nothing()
    claimed: Any = work.session.execute(claim.returning(idempotency.c.key)).first()
    if claimed is None:
        stored = work.session.execute(select(idempotency).where(here)).mappings().one()
        if stored["fingerprint"] != fingerprint:
            message = "This Idempotency-Key was used for another request."
            raise KeyReused(message, errors=(Fault("header:Idempotency-Key", "idempotency-key-reused", message),))
        allowed()
        return Answer(stored["status"], orjson.loads(stored["body"]), stored["headers"]).response()
    answer = do()
    body = orjson.dumps(answer.body).decode()
    kept = {"status": answer.status, "headers": dict(answer.headers), "body": body}
    work.session.execute(update(idempotency).where(here).values(**kept))
    return answer.response()


def _forget(session: Session, account_id: UUID, fingerprint: str) -> None:
    """Delete this account's answers that are past keeping; one request in 64 deletes everybody's."""
    old = idempotency.c.at < clock.now() - KEPT
    if not fingerprint.startswith(("00", "40", "80", "c0")):
        old &= idempotency.c.account_id == account_id
    passed = select(idempotency.c.account_id, idempotency.c.key).where(old).limit(500).with_for_update(skip_locked=True)
    rows = passed.subquery()
    session.execute(
        delete(idempotency).where(idempotency.c.account_id == rows.c.account_id, idempotency.c.key == rows.c.key)
    )
