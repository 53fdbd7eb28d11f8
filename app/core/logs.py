"""One JSON object per line: ids, codes and places in the code; never a value that somebody entered.

Bodies, query strings, paths with their parameters and the texts of exceptions hold such values, so none of them is
written. An exception is named by its type and where it was raised, a database error also by its SQLSTATE.
"""

import json
import logging
import re
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

log = logging.getLogger("marrow")

_OURS = ("marrow", "alembic.runtime.migration", "uvicorn.error")
"""Whose messages are written; other libraries put values into theirs, so only their place and level is."""

_LEFT = 499
"""The status of a request whose sender hung up before it was answered: no fault of ours."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_ROOT = str(Path(__file__).resolve().parents[2])
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. Line ends and other control characters in it are escaped by JSON itself."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.split(".")[0] == "marrow" or record.name in _OURS:
            line["message"] = record.getMessage()
        else:
            line["place"] = f"{_short(record.pathname)}:{record.lineno}"
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=lambda value: type(value).__name__)


def describe(fault: BaseException) -> list[dict[str, Any]]:
    """An exception and what caused it, outermost first: types and places, no texts."""
    told = []
    seen: set[int] = set()
    while fault is not None and id(fault) not in seen:
        seen.add(id(fault))
        frames = traceback.extract_tb(fault.__traceback__)
        one: dict[str, Any] = {"type": f"{type(fault).__module__}.{type(fault).__qualname__}"}
        if sqlstate := getattr(fault, "sqlstate", None):
            one["sqlstate"] = sqlstate
        one["at"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
        told.append(one)
        fault = fault.__cause__ or fault.__context__  # type: ignore[assignment]
    return told


def _short(path: str) -> str:
    return path.removeprefix(_ROOT).rpartition("site-packages/")[2].lstrip("/")


def configuration(level: str = "INFO") -> dict[str, Any]:
    """For `logging.config.dictConfig`, and for uvicorn as `log_config`: JSON lines on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "app.core.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "marrow": {"level": level.upper()},
            "uvicorn": {"level": level.upper()},
            "uvicorn.access": {"level": "CRITICAL", "propagate": False},  # RequestLog writes that line, without paths
        },
    }


Scope = MutableMapping[str, Any]


class RequestLog:
    """ASGI middleware: a line per request, and an `X-Request-ID` in every answer that leads back to it.

    `request.state.account_id`, where a dependency has set it, names who it was. A request id sent by a proxy is kept
    when it looks like one.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Answer a request and write its line, also when the answer fails."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = perf_counter()
        status = _LEFT
        sent = 0

        async def answer(message: Scope) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except BaseException:
            status = 500 if status == _LEFT else status
            raise
        finally:
            told = {
                "request_id": request_id,
                "method": scope["method"] if scope["method"] in _METHODS else "other",
                "route": _template(scope),
                "status": status,
                "ms": round((perf_counter() - began) * 1000, 1),
                "bytes": sent,
                "account_id": _text(scope["state"].get("account_id")),
            }
            log.info("request", extra=told)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return str(given)
    return uuid4().hex


def _template(scope: Scope) -> str | None:
    """The path of the route as it is declared, with its parameters' names; None when no route was met."""
    whole = scope.get("fastapi", {}).get("effective_route_context")
    found = getattr(whole, "path", None) or getattr(scope.get("route"), "path", None)
    return _text(found)
