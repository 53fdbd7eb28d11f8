"""What Marrow refuses, and how it says so: RFC 9457 problem details.

A refusal names what was wrong, by item where there are items, and what to do about it. It never holds a value that
somebody entered: refusals travel into logs, proxies and screenshots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at one place: `pointer` is a JSON pointer into what was sent."""

    pointer: str
    code: str
    message: str
    remedy: str = ""
    item: str | None = None
    row: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The fault as an element of a problem's `errors`."""
        named = {"pointer": self.pointer, "code": self.code, "message": self.message, "remedy": self.remedy}
        return named | {key: value for key, value in (("item", self.item), ("row", self.row)) if value is not None}


@dataclass
class Refusal(Exception):  # noqa: N818 - the house speaks of refusals
    """A request that is not carried out. Nothing of it has been stored when this is raised."""

    detail: str
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    trace: Mapping[str, Any] | None = None
    """What the system's own chain records of this refusal, in a transaction of its own; None records nothing."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def as_problem(self) -> dict[str, Any]:
        """The body of the answer, `application/problem+json`."""
        problem = {
            "type": f"urn:marrow:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            problem["errors"] = [fault.as_json() for fault in self.errors]
        return problem | dict(self.members)


class BadRequest(Refusal):
    """What was sent cannot be read at all: not JSON, a forged cursor, a missing header."""

    status, code, title = 400, "bad-request", "The request cannot be read"


class Unauthenticated(Refusal):
    """Nobody, or somebody whose credential no longer holds."""

    status, code, title = 401, "unauthenticated", "Sign in first"


class Forbidden(Refusal):
    """Somebody who may see the object but not do this with it."""

    status, code, title = 403, "forbidden", "Your role does not allow this"


class NotFound(Refusal):
    """No such object, or none that this person may know of: both are answered alike."""

    status, code, title = 404, "not-found", "Not found"


class Conflict(Refusal):
    """The object is in a state that does not allow this."""

    status, code, title = 409, "conflict", "The present state does not allow this"


class Stale(Refusal):
    """Somebody else has saved since this person last read."""

    status, code, title = 412, "stale", "The record has changed since you read it"


class TooLarge(Refusal):
    """More than one request may carry."""

    status, code, title = 413, "too-large", "The request is too large"


class Unsupported(Refusal):
    """A content type or encoding that is not taken."""

    status, code, title = 415, "unsupported-media-type", "This content type is not taken"


class Unreadable(Refusal):
    """Items that cannot be stored; every one of them is named."""

    status, code, title = 422, "unreadable", "Some items cannot be stored"


class PreconditionRequired(Refusal):
    """A write that does not say which revision it was made upon."""

    status, code, title = 428, "precondition-required", "Say which revision you changed"


class TooMany(Refusal):
    """Too many attempts."""

    status, code, title = 429, "too-many", "Too many attempts"


class Unavailable(Refusal):
    """The database cannot be reached or does not answer."""

    status, code, title = 503, "unavailable", "Try again in a moment"
