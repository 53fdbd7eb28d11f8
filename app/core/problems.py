"""Whatever is raised becomes one answer, `application/problem+json`, that repeats nothing of what was sent."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any

import orjson
import psycopg
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import exc as sql
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from app.core.errors import BadRequest, Conflict, Fault, NotFound, Refusal, TooLarge, Unavailable, Unreadable
from app.core.language import language, say
from app.core.logs import describe, log
from app.core.openapi import MEDIA_TYPE

Record = Callable[[Mapping[str, Any]], None]
"""Stores the trace of a refusal, in a transaction of its own."""

RETRY_AFTER = {"Retry-After": "2"}


class MethodNotAllowed(Refusal):
    """An address that exists and does not take this method."""

    status, code, title = 405, "method-not-allowed", "This method is not taken here"


class Unexpected(Refusal):
    """A fault of Marrow's own. The log has it under the request id."""

    status, code, title = 500, "unexpected", "Something went wrong on the server"


class Answers:
    """Turns whatever a request raised into its answer. `record` stores what a refusal must leave behind."""

    def __init__(self, record: Record) -> None:
        self.record = record

    async def __call__(self, request: Request, fault: Exception) -> Response:
        """The answer to `request` for `fault`; also FastAPI's exception handler."""
        refusal = refusal_of(fault, request)
        if refusal.trace is not None:
            refusal = await run_in_threadpool(self._recorded, refusal)
        if refusal.status >= 500:  # noqa: PLR2004 - the class of statuses that are not the caller's doing
            log.error("failed", extra=_about(request) | {"code": refusal.code, "exception": describe(fault)})
        return answer(refusal, request)

    def _recorded(self, refusal: Refusal) -> Refusal:
        """`refusal` once its trace is stored. One that cannot be recorded is not answered as if it had been."""
        try:
            self.record(refusal.trace or {})
        except Exception as fault:  # noqa: BLE001 - whatever stopped it, the answer is chosen here
            log.error("refusal-not-recorded", extra={"code": refusal.code, "exception": describe(fault)})
            return refusal_of(fault)
        return refusal


def answer(refusal: Refusal, request: Request) -> Response:
    """The problem, in the caller's language."""
    wanted = language(request.headers.get("accept-language"))
    problem = refusal.as_problem()
    problem["title"] = say(problem["title"], wanted)
    problem["detail"] = say(problem["detail"], wanted)
    for fault in problem.get("errors", ()):
        fault["message"], fault["remedy"] = say(fault["message"], wanted), say(fault["remedy"], wanted)
    problem |= _about(request)
    headers = dict(refusal.headers) | {"Content-Language": wanted, "Vary": "Accept-Language"}
    return Response(orjson.dumps(problem, default=str), refusal.status, headers, MEDIA_TYPE)


def _about(request: Request) -> dict[str, Any]:
    found = request.scope.get("state", {}).get("request_id")
    return {} if found is None else {"request_id": found}


def refusal_of(fault: Exception, request: Request | None = None) -> Refusal:
    """What `fault` means to the caller."""
    if isinstance(fault, Refusal):
        return fault
    if isinstance(fault, RequestValidationError):
        return _invalid(fault, request)
    if isinstance(fault, HTTPException):
        return _http(fault, request)
    if isinstance(fault, sql.SQLAlchemyError | psycopg.Error):
        return _database(fault)
    if isinstance(fault, ExceptionGroup) and len(fault.exceptions) == 1:
        return refusal_of(fault.exceptions[0], request)
    answered = isinstance(fault, ResponseValidationError)  # the answer is looked at after the commit
    words = "Read again to see whether it was stored." if answered else "Nothing was stored."
    return Unexpected(f"The fault has been logged under the request id. {words}")


def _http(fault: HTTPException, request: Request | None) -> Refusal:
    """What Starlette and FastAPI raise themselves; their words may hold the address, so they are not passed on."""
    headers = dict(fault.headers or {})
    match fault.status_code:
        case 404:
            return NotFound("Nothing is found at this address.")
        case 405:
            allowed = {} if request is None else {"Allow": ", ".join(_methods(request))}
            return MethodNotAllowed("This address does not take that method.", headers=allowed)
        case 413:
            return TooLarge("Send less at a time.", headers=headers)
        case status if status >= 500:  # noqa: PLR2004
            return Unexpected("The fault has been logged under the request id. Nothing was stored.")
        case _:
            return BadRequest("The request cannot be read", headers=headers)


def _methods(request: Request) -> list[str]:
    """What the address takes: it may belong to several routes, and the framework tells those of one."""
    path = request.scope["path"]
    found = (each for each in iter_route_contexts(request.app.routes) if compile_path(str(each.path))[0].match(path))
    return sorted({method for each in found for method in each.methods or ()})


def _database(fault: Exception) -> Refusal:
    original = fault.orig if isinstance(fault, sql.DBAPIError) else fault
    if isinstance(original, psycopg.DataError):
        return Unreadable("A value cannot be stored as it was sent.")
    if isinstance(original, psycopg.IntegrityError):
        return Conflict("Something else was stored in the meantime that excludes this.")
    if isinstance(original, psycopg.OperationalError | psycopg.InterfaceError | sql.TimeoutError):
        lost = isinstance(fault, sql.DBAPIError) and fault.connection_invalidated
        words = (
            "The database stopped answering. Read again to see whether it was stored."
            if lost
            else "The database does not answer. Nothing was stored; try again."
        )
        return Unavailable(words, headers=RETRY_AFTER)
    return Unexpected("The fault has been logged under the request id. Nothing was stored.")


_WORDS = {
    "missing": ("required", "This must be given."),
    "extra_forbidden": ("extra-field", "A field is not taken here."),
    "string_type": ("not-text", "This must be a text."),
    "int_type": ("not-whole", "This must be a whole number."),
    "int_parsing": ("not-whole", "This must be a whole number."),
    "int_from_float": ("not-whole", "This must be a whole number."),
    "decimal_type": ("not-number", "This must be a number."),
    "decimal_parsing": ("not-number", "This must be a number."),
    "float_type": ("not-number", "This must be a number."),
    "float_parsing": ("not-number", "This must be a number."),
    "bool_type": ("not-true-false", "This must be true or false."),
    "bool_parsing": ("not-true-false", "This must be true or false."),
    "model_attributes_type": ("not-object", "This must be an object."),
    "model_type": ("not-object", "This must be an object."),
    "dict_type": ("not-object", "This must be an object."),
    "list_type": ("not-list", "This must be a list."),
    "literal_error": ("not-allowed", "This must be one of the allowed words."),
    "enum": ("not-allowed", "This must be one of the allowed words."),
    "string_too_short": ("too-small", "This is too short or too small."),
    "too_short": ("too-small", "This is too short or too small."),
    "greater_than": ("too-small", "This is too short or too small."),
    "greater_than_equal": ("too-small", "This is too short or too small."),
    "string_too_long": ("too-large", "This is too long or too large."),
    "too_long": ("too-large", "This is too long or too large."),
    "less_than": ("too-large", "This is too long or too large."),
    "less_than_equal": ("too-large", "This is too long or too large."),
}
_SHAPES = {"not-object": "{{{}}}", "not-list": "[…]", "not-true-false": "true | false"}
"""What would be taken, in no language."""
_DATES = {"date": "This must be a date, as 2026-03-31."}
_MOMENT = "This must be a moment with its offset, as 2026-03-31T08:00:00Z."
_OTHER = ("invalid", "This does not have the right form.")


def _invalid(fault: RequestValidationError, request: Request | None) -> Refusal:
    body, names = _taken_by(request)
    faults = tuple(_fault(error, body, names) for error in fault.errors())
    return Unreadable("Correct what is listed and send it again.", errors=faults)


def taken(kind: Any, value: Any, name: str) -> Any:
    """A value as the API would take it in a field `name` of this kind: a use-case is called by commands as well.

    Raises Unreadable as the API does.
    """
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as fault:
        faults = tuple(_fault({**error, "loc": ("body", name)}, None, {name}) for error in fault.errors())
    raise Unreadable("Correct what is listed and send it again.", errors=faults)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _fault(error: Mapping[str, Any], body: Any, names: Collection[str]) -> Fault:
    """A field's fault by its kind, in a `body` of this type; no name but these `names` is shown.

    The library's own words and the value it looked at stay here.
    """
    kind = str(error["type"])
    code, message = _WORDS.get(kind, _OTHER)
    if kind.startswith(("date_", "time_")) and not kind.startswith("datetime_"):
        code, message = ("not-date", _DATES["date"]) if kind.startswith("date_") else _OTHER
    if kind.startswith(("datetime_", "timezone_")):
        code, message = "not-moment", _MOMENT
    place, *steps = error["loc"]
    if kind == "extra_forbidden":
        steps = steps[:-1]
    fields = ", ".join(_fields(body, steps))
    if kind == "extra_forbidden" and fields:
        remedy = fields
    elif code in _SHAPES:
        remedy = _SHAPES[code].format(fields or "…")
    else:
        remedy = _bound(error.get("ctx") or {})
    return Fault(_pointer(str(place), steps, names), code, message, remedy)


def _bound(limits: Mapping[str, Any]) -> str:
    """What would be taken, as the rule itself says it and in no language: words, pattern, least, most."""
    if "pattern" in limits:
        return str(limits["pattern"])
    if "expected" in limits:
        return " | ".join(re.findall(r"'([^']*)'", str(limits["expected"])))
    signs = {"min_length": ">=", "max_length": "<=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return ", ".join(f"{sign} {limits[name]}" for name, sign in signs.items() if name in limits)


def _pointer(place: str, steps: list[Any], names: Collection[str]) -> str:
    """The way to the field, as far as it is made of names that Marrow gave; a name the caller made up ends it."""
    shown = []
    for step in steps:
        if not isinstance(step, int) and step not in names:
            break
        shown.append(str(step).replace("~", "~0").replace("/", "~1"))
    inside = "".join(f"/{step}" for step in shown)
    return inside if place == "body" else f"{place}:{'/'.join(shown)}"


def _taken_by(request: Request | None) -> tuple[Any, set[str]]:
    """The type of a route's body, and the names that it and the parameters have, so that no other is ever shown."""
    route = request.scope.get("route") if request is not None else None
    field = getattr(route, "body_field", None)
    body = getattr(getattr(field, "field_info", None), "annotation", None)
    names: set[str] = set()
    left, seen = [body], list[Any]()
    while left:
        one = left.pop()
        if not any(one is other for other in seen):
            seen.append(one)
            inside = _inside(one)
            names |= inside.keys()
            left.extend(inside.values())
    dependants = [route.dependant] if isinstance(route, APIRoute) else []
    while dependants:
        one = dependants.pop()
        dependants.extend(one.dependencies)
        for parameter in (*one.path_params, *one.query_params, *one.header_params, *one.cookie_params):
            names |= {parameter.alias, parameter.name}
    return body, names


def _fields(body: Any, steps: Iterable[Any]) -> list[str]:
    """The fields there are at a place in a body."""
    for step in steps:
        if not isinstance(step, int):  # lists hold alike things
            body = _inside(body).get(step)
    return sorted(_inside(body))


def _inside(annotation: Any) -> dict[str, Any]:
    """The fields of the models that a type names, whatever they stand in, each with its own type."""
    found: dict[str, Any] = {}
    left = [annotation]
    while left:
        one = left.pop()
        left.extend(getattr(one, "__args__", ()))
        if isinstance(one, type) and issubclass(one, BaseModel):
            found |= {field.alias or name: field.annotation for name, field in one.model_fields.items()}
    return found
