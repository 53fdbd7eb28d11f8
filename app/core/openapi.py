"""The description of the API that client generators read: OpenAPI 3.1, every problem declared, names short."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable and is what a program looks at; the words follow Accept-Language.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:marrow:problem:<code>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
}

FAULT = {
    "type": "object",
    "title": "Fault",
    "required": ["pointer", "code", "message", "remedy"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into what was sent; empty for the whole"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "remedy": {"type": "string"},
        "item": {"type": "string"},
        "row": {"type": "integer"},
    },
}

MEDIA_TYPE = "application/problem+json"


def problem(description: str) -> dict[str, Any]:
    """One entry of a route's `responses`."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: problem("The request cannot be read"),
    401: problem("Sign in first"),
    403: problem("Your role does not allow this"),
    404: problem("Not found, or not within your sites"),
    409: problem("The present state does not allow this"),
    422: problem("Something sent cannot be stored; every one is named"),
    503: problem("The database does not answer"),
}
"""What any route may answer. A route adds its own: 412 and 428 where it takes If-Match, 413 and 415 for a file."""


def operation_id(route: APIRoute) -> str:
    """`{tag}_{name}`, so that a generated client has `records_put` and not the whole address."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def describe_problems(app: FastAPI) -> None:
    """Have `app.openapi()` hold the schemas that the declared problems refer to, and FastAPI's own no more."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = original()
            schemas = described.setdefault("components", {}).setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas |= {"Problem": PROBLEM, "Fault": FAULT}
            described["components"]["schemas"] = dict(sorted(schemas.items()))
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
