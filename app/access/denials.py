"""What a refusal leaves behind: who was denied what, in the system's chain, without any of what was sent."""

from collections.abc import Mapping
from typing import Any

from app import models
from app.audit import System, change
from app.core.canonical import plain
from app.core.transaction import Database, see


def record(database: Database, trace: Mapping[str, Any]) -> None:
    """Store the `trace` of a Refusal in a transaction of its own; the request's has been rolled back by then."""
    by = System(source=trace["source"], account_id=trace["actor_id"], name=trace["actor"])
    detail = plain({name: trace[name] for name in ("permission", "study", "site")})
    with database.writing() as session:
        see(session, models.SYSTEM)
        with change(session, models.SYSTEM, by=by, action=trace["action"], detail=detail):
            pass
