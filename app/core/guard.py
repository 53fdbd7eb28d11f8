"""The outermost gate: what every request must satisfy, and what every answer carries, whatever the route.

Plain ASGI, so that it costs no task of its own and streams stay streams. The gate also is where an error that nobody
expected ends: it is logged by its type, never by its words, since the words of an error may hold what somebody
entered, and the server underneath never gets to print them.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import BadRequest, Fault, Refusal, TooLarge, Unsupported
from app.core.logs import describe, log

LIMIT = 2_000_000
"""Bytes of one body, unless the address is given more."""

ADDRESS = 2_000
QUERY = 4_000
"""Bytes of a path and of a query, as sent."""

_LENGTH = 15  # digits of a Content-Length: int() is not asked about more
_PORT = re.compile(r":\d{1,5}$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

SECURITY = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
"""Set where the route has not said otherwise."""

Answer = Callable[[Request, Exception], Awaitable[Response]]


class Guard:
    """The gate before `app`. `larger` gives addresses that start so a body limit of their own, in bytes.

    `answer` turns whatever was raised into the response that is sent.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        answer: Answer,
        limit: int = LIMIT,
        larger: Mapping[str, int] | None = None,
        hosts: Sequence[str] = ("*",),
    ) -> None:
        self.app = app
        self.answer = answer
        self.limit = limit
        self.larger = dict(larger or {})
        self.hosts = tuple(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                answered = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    answered.setdefault(name, value)
            await send(message)

        try:
            check_address(scope)
            self._check_host(scope)
            await self.app(scope, self._limited(scope, receive), sending)
        except ClientDisconnect:
            log.info("client-left")  # nobody is there to answer
        except Exception as fault:  # noqa: BLE001 - this is where every fault ends
            if begun:
                log.warning("answer-cut-short", extra={"exception": describe(fault)})
                raise CutShortError from None
            response = await self.answer(Request(scope), fault)
            await response(scope, receive, sending)

    def _check_host(self, scope: Scope) -> None:
        """Refuse a Host that is not ours: links and caches would be made for it."""
        if "*" in self.hosts:
            return
        host = _PORT.sub("", Headers(scope=scope).get("host", "").lower())
        if not any(host == ours or (ours.startswith("*.") and host.endswith(ours[1:])) for ours in self.hosts):
            raise BadRequest("This server has another name.")

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        if "content-encoding" in headers:
            raise Unsupported("Send the body without a Content-Encoding.")
        limit = self.limit_of(scope["path"])
        length = headers.get("content-length")
        if length is not None and (not length.isascii() or not length.isdigit() or len(length) > _LENGTH):
            raise BadRequest("The Content-Length is not a number.", headers={"Connection": "close"})
        if length is not None and int(length) > limit:
            raise _too_large(limit)
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise _too_large(limit)
            return message

        return counted

    def limit_of(self, path: str) -> int:
        """Bytes that a body sent to `path` may have."""
        return max((limit for prefix, limit in self.larger.items() if _matches(prefix, path)), default=self.limit)


class CutShortError(RuntimeError):
    """An answer that had begun could not be finished, and must not pass for a whole one. The log says why."""


def _matches(pattern: str, path: str) -> bool:
    """Whether `path` starts with `pattern`, in which `*` stands for one step of an address."""
    wanted, steps = pattern.strip("/").split("/"), path.strip("/").split("/")
    return len(steps) >= len(wanted) and all(w in ("*", s) for w, s in zip(wanted, steps, strict=False))


def _too_large(limit: int) -> Refusal:
    # What is left of the body is not read: the connection cannot be used again.
    return TooLarge("Send less at a time.", headers={"Connection": "close"}, members={"limit": limit})


def check_address(scope: Scope) -> None:
    """Refuse a path or query that is over-long, or that decodes to anything but printable Unicode.

    The server has decoded the path once and nothing decodes it again; this looks at the bytes as they were sent.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    query: bytes = scope.get("query_string", b"")
    if len(raw) > ADDRESS or len(query) > QUERY:
        raise BadRequest(
            "The address is too long.", errors=(Fault("", "address-too-long", "The address is too long."),)
        )
    for part in (raw.split(b"?", 1)[0], query.replace(b"+", b" ")):
        try:
            text = unquote_to_bytes(part).decode("utf-8")
        except UnicodeDecodeError:
            raise _bad_address() from None
        if _CONTROL.search(text):
            raise _bad_address()


def _bad_address() -> Refusal:
    message = "The address holds a character that no address has."
    return BadRequest(message, errors=(Fault("", "address-character", message),))
