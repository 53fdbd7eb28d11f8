"""Whether the process lives, and whether it can do its work."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.durability import Level, durability
from app.core.errors import Unavailable
from app.core.http import Router
from app.core.logs import log
from app.core.openapi import problem
from app.core.transaction import Database

ROOM = 10_000_000
"""Bytes that must be free where the anchors are written."""

router: APIRouter = Router(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: str = "live"


class Ready(BaseModel):
    """What was looked at, each `ok`."""

    status: str = "ready"
    checks: dict[str, str]


class NotReady(Unavailable):
    """The process lives and cannot do its work; `checks` says what is wrong."""

    code, title = "not-ready", "Not ready"


@router.get("/live", responses={})
def live() -> Live:
    """Whether the process answers. The database is not asked: restarting this process would not mend it."""
    return Live()


def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


@router.get("/ready", responses={503: problem("Not ready: `checks` says why")})
def ready(request: Request, database: Annotated[Database, Depends(_database)]) -> Ready:
    """Whether requests can be served: database, schema, durable settings, room for the anchors."""
    unsafe = getattr(request.app.state.settings, "allow_unsafe_database", False)
    checks = look(database, request.app.state.schema_code, allow_unsafe=unsafe)
    if any(found != "ok" for found in checks.values()):
        log.error("not-ready", extra={"checks": checks})
        raise NotReady("See checks.", headers={"Retry-After": "2"}, members={"checks": checks})
    return Ready(checks=checks)


def look(database: Database, schema_code: str, *, allow_unsafe: bool = False) -> dict[str, str]:
    """Each thing a save needs, as `ok` or what is wrong with it in a few fixed words."""
    checks = {"database": "ok", "schema": "ok", "durability": "ok", "anchors": anchors(database.anchors)}
    try:
        with database.engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
            if found != schema_code:
                checks["schema"] = "not the one this release needs"
            unsafe = [danger.setting for danger in durability(connection) if danger.level is Level.REFUSE]
            if unsafe and not allow_unsafe:
                checks["durability"] = ", ".join(unsafe)
    except (SQLAlchemyError, psycopg.Error) as fault:
        reached = isinstance(getattr(fault, "orig", fault), psycopg.ProgrammingError)
        checks["schema" if reached else "database"] = "no schema" if reached else "does not answer"
    return checks


def anchors(path: Path) -> str:
    """`ok` if the anchor file can be written, without writing to it."""
    place = path if path.exists() else next((above for above in path.parents if above.exists()), path)
    if place.is_dir() == (place == path) or not os.access(place, os.W_OK):
        return "cannot be written"
    if shutil.disk_usage(place).free < ROOM:
        return "no room left"
    return "ok"
