"""What every route shares: JSON read strictly, no parameter nobody asked for, tags of revisions.

    router = Router(prefix="/api/v1/studies", tags=["studies"])

A router made here declares the problems any route may answer with, and its routes read a JSON body with
`strict_json`: a number with a fraction reaches the handler as Decimal, in models and in plain dicts alike. A route that
takes a file declares `Annotated[bytes, Body(media_type="text/csv")]`.
"""

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, get_args, get_origin

import anyio
import orjson
from fastapi import APIRouter, Header, Query, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.core import strict_json
from app.core.errors import BadRequest, Fault, Unavailable, Unreadable, Unsupported
from app.core.openapi import PROBLEMS
from app.core.opening import open_first, opened

_ELSEWHERE = 65_536
"""Bytes of a JSON body from which it is read in a thread, so that other requests go on."""

_MANY = (list, set, tuple, frozenset)


class Route(APIRoute):
    """A route that takes JSON strictly and no query parameter but its own, each once unless it is a list."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **named: Any) -> None:
        super().__init__(path, opened(endpoint), **named)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI makes, behind the checks."""
        handle = super().get_route_handler()
        media_type = media_type_taken(self)
        single, many = query_parameters(self)

        async def checked(request: Request) -> Response:
            _check_query(request, single, many)
            if media_type is not None:
                body = await request.body()
                if body:
                    _check_media_type(request, media_type)
                    if media_type == "application/json":
                        given = _Given(request.scope, request.receive)
                        given.take(body, await _read(body))
                        request = given
            await _take_turn(request)
            try:
                return await handle(request)
            except Exception:
                await open_first(request)
                raise

        return checked


class Router(APIRouter):
    """An APIRouter whose routes are `Route`s and declare the problems they answer with."""

    def __init__(self, *, responses: dict[int | str, dict[str, Any]] | None = None, **named: Any) -> None:
        super().__init__(route_class=Route, responses=PROBLEMS | (responses or {}), **named)


PATIENCE = 10
"""Seconds that a request waits for its turn."""


async def _take_turn(request: Request) -> None:
    """Wait until fewer requests are at work than there are connections, and leave the place when this one is done.

    Every request that is let in can have a connection at once. Otherwise threads would wait for connections that are
    held by requests waiting for a thread. The place is given back after the commit and before the answer is sent, so
    a slow reader holds nobody up.
    """
    turns: anyio.Semaphore | None = getattr(request.app.state, "turns", None)
    if turns is None:
        return
    try:
        with anyio.fail_after(PATIENCE):
            await turns.acquire()
    except TimeoutError:
        words = "The database does not answer. Nothing was stored; try again."
        raise Unavailable(words, headers={"Retry-After": "2"}) from None
    # FastAPI closes what dependencies opened in the opposite order: this, being first, is last.
    request.scope["fastapi_function_astack"].callback(turns.release)


class _Given(Request):
    """A request whose body has been read, and understood, already."""

    def take(self, body: bytes, value: Any) -> None:
        self._body = body
        self._json = value


async def _read(body: bytes) -> Any:
    return await run_in_threadpool(strict_json.loads, body) if len(body) > _ELSEWHERE else strict_json.loads(body)


def media_type_taken(route: APIRoute) -> str | None:
    """The content type of the body that a route declares, or None when it declares no body."""
    if route.body_field is None:
        return None
    found = getattr(route.body_field.field_info, "media_type", None)
    return str(found or "application/json")


def _check_media_type(request: Request, wanted: str) -> None:
    given = request.headers.getlist("content-type")
    essence, _, rest = (given[0] if len(given) == 1 else "").partition(";")
    parameters = rest.strip().lower().replace(" ", "").replace('"', "")
    if essence.strip().lower() != wanted or parameters not in ("", "charset=utf-8"):
        raise Unsupported(f"Send the body as {wanted}.", headers={"Accept": wanted})


def query_parameters(route: APIRoute) -> tuple[frozenset[str], frozenset[str]]:
    """The names a route takes in its query: those given at most once, and those that may be repeated."""
    single: set[str] = set()
    many: set[str] = set()
    for name, info in _declared(route.dependant):
        (many if _repeats(info.annotation) else single).add(name)
    return frozenset(single), frozenset(many)


def _declared(dependant: Dependant) -> Iterator[tuple[str, FieldInfo]]:
    for parameter in dependant.query_params:
        yield parameter.alias, parameter.field_info
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _repeats(annotation: Any) -> bool:
    if get_origin(annotation) in _MANY or annotation in _MANY:
        return True
    return any(_repeats(inner) for inner in get_args(annotation) if get_origin(inner) is not None or inner in _MANY)


def _check_query(request: Request, single: frozenset[str], many: frozenset[str]) -> None:
    if not request.scope["query_string"]:
        return
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in single and name not in many:
            message = "A query parameter is not known here."
            known = ", ".join(sorted(single | many)) or "-"
            fault = Fault("", "unknown-parameter", message, known)
            raise UnknownParameter(message, errors=(fault,), members={"allowed": sorted(single | many)})
        if name in seen and name in single:
            message = "A parameter is given more than once."
            raise BadRequest(message, errors=(Fault("", "duplicate-parameter", message, "Give it once."),))
        seen.add(name)


class UnknownParameter(Unreadable):
    """A query parameter that the address does not have: a filter that is silently ignored would show other rows."""

    code = "unknown-parameter"


def etag(revision: int) -> str:
    """The strong tag of a revision."""
    return f'"{revision}"'


_TAG = re.compile(r'"([1-9][0-9]{0,17})"')


def if_match(header: str | None) -> int | None:
    """The revision that `If-Match` names, None without the header.

    One strong tag as `etag` writes it. A weak tag, a list and `*` are refused: a write is made upon one revision that
    its author has seen. Raises BadRequest.
    """
    if header is None:
        return None
    found = _TAG.fullmatch(header.strip())
    if found is None:
        message = 'If-Match takes one tag as ETag gave it, such as "3".'
        raise BadRequest(message, errors=(Fault("", "if-match", message),))
    return int(found[1])


def if_none_match(header: str | None) -> bool:
    """Whether `If-None-Match: *` was sent: write only if nothing is there yet. Raises BadRequest for anything else."""
    if header is None:
        return False
    if header.strip() != "*":
        message = "If-None-Match takes * only."
        raise BadRequest(message, errors=(Fault("", "if-none-match", message),))
    return True


async def _matched(
    if_match_: Annotated[
        str | None, Header(alias="If-Match", max_length=100, description='The ETag read, as `"3"`')
    ] = None,
) -> int | None:
    return if_match(if_match_)


async def _unmatched(
    if_none_match_: Annotated[
        str | None, Header(alias="If-None-Match", max_length=100, description="`*`: only if nothing is there yet")
    ] = None,
) -> bool:
    return if_none_match(if_none_match_)


IfMatch = Annotated[int | None, params.Depends(_matched)]
"""In a route: the revision that the caller changed, or None."""

IfNoneMatch = Annotated[bool, params.Depends(_unmatched)]
"""In a route: whether the caller wants to write only what is not there yet."""


@dataclass(frozen=True)
class Answer:
    """What a use-case answers a POST with, in a form that can be kept for a retry: `body` is made of JSON types."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as it is sent."""
        return Response(orjson.dumps(self.body), self.status, dict(self.headers), "application/json")


@dataclass(frozen=True)
class Retry:
    """What makes a repeated request known: the caller's key, and a digest of method, address and body."""

    key: str | None
    fingerprint: str


_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


async def _retry(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="Sent again with the same key, the request has one effect"),
    ] = None,
) -> Retry:
    # draft-ietf-httpapi-idempotency-key-header writes the key as a quoted string; most clients write it bare.
    key = idempotency_key
    if key is not None and len(key) > 1 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    if key is not None and not _KEY.fullmatch(key):
        message = "The Idempotency-Key is 1 to 128 letters, digits or any of _ - . : and no other characters."
        raise BadRequest(message, errors=(Fault("header:Idempotency-Key", "idempotency-key", message),))
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return Retry(key, sha256(target + await request.body()).hexdigest())


Retryable = Annotated[Retry, params.Depends(_retry)]
"""In a route that creates: the Idempotency-Key, to hand to `app.access.idempotency.idempotent`."""

Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of one page")]
Sort = Annotated[
    str | None, Query(max_length=64, description="A field to sort by; `-` before it for the other way round")
]
