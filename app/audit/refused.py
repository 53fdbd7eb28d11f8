"""What was refused and must be remembered: a failed login, an act that was not allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.audit.trail import change
from app.core.transaction import Database, see
from app.models.base import SYSTEM


@dataclass(frozen=True, slots=True)
class Whoever:
    """The one who was refused, as far as it is known who that is."""

    account_id: UUID | None
    name: str
    source: str


def record(database: Database, trace: Mapping[str, Any]) -> None:
    """Store `trace` in the system's chain, in a transaction of its own: that of the request has been undone.

    `action` says what was refused; `actor_id`, `actor` and `source` who asked, `reason` why; the rest is its detail.
    """
    detail = dict(trace)
    action = detail.pop("action")
    by = Whoever(detail.pop("actor_id", None), detail.pop("actor", None) or "-", detail.pop("source", None) or "http")
    reason = detail.pop("reason", None)
    with database.writing() as session:
        see(session, SYSTEM)
        with change(session, SYSTEM, by=by, action=action, reason=reason, detail=detail):
            pass
