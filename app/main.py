"""The application, put together: `uvicorn --factory app.main:create_app`, or `marrow serve`."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from app.access import routes as access_routes
from app.audit import refused
from app.capture import routes as capture_routes
from app.capture.amend import routes as amend_routes
from app.capture.anew import routes as anew_routes
from app.capture.due import routes as due_routes
from app.capture.sign import routes as sign_routes
from app.core import health, reference
from app.core.db import SchemaError, make_engine, schema_state
from app.core.durability import Level, durability
from app.core.errors import Refusal
from app.core.guard import Guard
from app.core.http import Route
from app.core.logs import RequestLog, log
from app.core.openapi import describe_problems, operation_id
from app.core.opening import unopened
from app.core.problems import Answers
from app.core.transaction import Database
from app.derivations import routes as derivation_routes
from app.derivations.clinical import routes as clinical_routes
from app.exchange import routes as exchange_routes
from app.exchange.cuts import routes as cut_routes
from app.quality import routes as quality_routes
from app.quality.locks import routes as lock_routes
from app.quality.queries import routes as query_routes
from app.quality.signatures import routes as signature_routes
from app.quality.verification import routes as verification_routes
from app.settings import Settings
from app.study import routes as study_routes
from app.subjects import routes as subject_routes

VERSION = "0.1.0"
"""The same as in pyproject.toml."""

ROUTERS: tuple[APIRouter, ...] = (
    capture_routes.router,  # a request tries them one after the other, and most are about a page
    health.router,
    reference.router,
    *access_routes.ROUTERS,
    study_routes.router,
    subject_routes.router,
    anew_routes.router,
    amend_routes.router,
    due_routes.router,
    derivation_routes.router,
    clinical_routes.router,
    exchange_routes.router,
    cut_routes.router,
    quality_routes.router,
    lock_routes.router,
    *verification_routes.ROUTERS,
    sign_routes.router,
    signature_routes.router,
    query_routes.router,
)

IMPORTS = {"/api/v1/studies/*/imports": 64_000_000}
"""Addresses that take a larger body than MARROW_MAX_BODY, in bytes."""

RESERVED = 2
"""Connections that requests leave to streams, traces of refusals and health checks."""

DESCRIPTION = """Electronic case report forms for leukaemia and transplant trials.

Errors are `application/problem+json` with a stable `code`. A write upon a record names the revision it was made upon
in `If-Match`. Lists are paged by `cursor`. Labels and messages follow `Accept-Language` (en, zh).
"""


class StartRefusedError(RuntimeError):
    """The application does not start. The message says why, and what to do."""


def create_app(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """The application on `database`, or on the one that `settings` name; both come from the environment by default.

    Raises:
        StartRefusedError: the database cannot be reached, has another schema, or does not keep what it acknowledges.
    """
    settings = settings or Settings.from_environment()
    app = assemble(settings)
    app.state.database = database or _connected(settings, app)
    app.state.schema_code = check(app.state.database, settings)
    return app


def assemble(settings: Settings) -> FastAPI:
    """Routes, errors and gates, without a database: enough to describe the API."""
    app = FastAPI(
        title="Marrow",
        version=VERSION,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        separate_input_output_schemas=False,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.settings = settings
    for router in ROUTERS:
        app.include_router(router)
    _check_routes(app)
    describe_problems(app)

    def record(trace: Mapping[str, Any]) -> None:
        refused.record(app.state.database, trace)

    answers = Answers(record)
    for kind in (Refusal, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answers)
    hosts = settings.trusted_hosts
    app.add_middleware(partial(Guard, answer=answers, limit=settings.max_body, larger=IMPORTS, hosts=hosts))
    app.add_middleware(RequestLog)
    return app


def description() -> str:
    """The text of `docs/openapi.json`."""
    return json.dumps(assemble(Settings()).openapi(), ensure_ascii=False, indent=2) + "\n"


def check(database: Database, settings: Settings) -> str:
    """Look at the database before anything is entrusted to it; the revision of its schema.

    Raises StartRefusedError.
    """
    try:
        state = schema_state(database.engine)
        state.require_current()
        with database.engine.connect() as connection:
            dangers = durability(connection)
    except SchemaError as fault:
        raise StartRefusedError(str(fault)) from None
    except SQLAlchemyError as fault:
        log.error("database-unreachable", extra={"fault": type(fault).__name__})
        words = "The database cannot be reached. Is it running, and is MARROW_DATABASE_URL right (docs/deployment.md)?"
        raise StartRefusedError(words) from None
    for danger in dangers:
        log.warning("database-setting", extra={"setting": danger.setting, "remedy": danger.remedy})
    refused_for = [str(danger) for danger in dangers if danger.level is Level.REFUSE]
    if refused_for and not settings.allow_unsafe_database:
        raise StartRefusedError("The database is not safe to use.\n" + "\n".join(refused_for))
    return state.code


def _connected(settings: Settings, app: FastAPI) -> Database:
    url = settings.database_url
    if url is None:
        from app.core import embedded  # noqa: PLC0415 - a server of one's own needs none of it

        server = embedded.start(settings.data_dir)
        server.watch()
        app.state.server = server
        url = server.app_url
    return Database(make_engine(url, pool_size=settings.pool_size), settings.anchors)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
    app.state.turns = anyio.Semaphore(max(1, min(settings.threads, settings.pool_size - RESERVED)))
    yield
    app.state.turns = None
    server = getattr(app.state, "server", None)
    if server is not None:
        app.state.database.engine.dispose()
        server.stop()


def _check_routes(app: FastAPI) -> None:
    """Every route reads strictly and asks who asks, whoever wrote it; an APIRouter of FastAPI's own would not."""
    for found in iter_route_contexts(app.routes):
        route = found.original_route
        if not isinstance(route, APIRoute):
            continue
        if not isinstance(route, Route):
            raise StartRefusedError(f"{found.path}: make its router with app.core.http.Router")
        for name in unopened(route.dependant):
            raise StartRefusedError(f"{found.path}: the route has to take what {name} opens as a parameter of its own")
