"""Every route is on the permission matrix or on the public list, and the matrix in the documentation is today's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.access import routes
from app.access.permissions import PUBLIC, Permission, as_markdown
from app.main import assemble
from app.settings import Settings

ACCESS_MD = Path(__file__).parents[2] / "docs" / "access.md"
APP = assemble(Settings())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every method and path the application answers, with what its route declares."""
    for found in iter_route_contexts(APP.routes):
        declared = getattr(found.original_route, "openapi_extra", None) or {}
        for method in sorted((found.methods or set()) - {"HEAD"}):
            yield method, found.path or "", declared


OPERATIONS = sorted(operations(), key=lambda operation: operation[:2])
GUARDED = [(method, path) for method, path, _ in OPERATIONS if (method, path) not in PUBLIC]


def test_every_route_is_on_the_matrix_or_on_the_public_list() -> None:
    undeclared = [
        f"{method} {path}"
        for method, path, declared in OPERATIONS
        if ((method, path) in PUBLIC) == ("x-permission" in declared)
    ]
    assert undeclared == []


def test_every_declared_permission_is_one_of_the_table() -> None:
    declared = {declared["x-permission"] for _, _, declared in OPERATIONS if "x-permission" in declared}
    assert declared <= {permission.value for permission in Permission}


def test_every_public_address_exists() -> None:
    assert {(method, path) for method, path, _ in OPERATIONS} >= PUBLIC


def test_the_application_serves_the_routes_of_access() -> None:
    served = {path for _, path, _ in OPERATIONS}
    assert served >= {found.path for router in routes.ROUTERS for found in iter_route_contexts(router.routes)}


@pytest.mark.parametrize(("method", "path"), GUARDED, ids=[" ".join(operation) for operation in GUARDED])
def test_whoever_has_not_signed_in_is_asked_to(method: str, path: str) -> None:
    """Before any body or parameter is looked at, and without a database: there is nothing to look up."""
    client = TestClient(APP, raise_server_exceptions=False)
    APP.state.database = NoDatabase()
    answer = client.request(method, re.sub(r"{[^}]*}", "1", path))
    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (401, "Bearer")


class NoDatabase:
    """A database that nobody reaches who has not signed in."""

    def reading(self) -> "NoDatabase":
        return self

    writing = reading

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def test_the_documented_matrix_is_the_one_in_force() -> None:
    text = ACCESS_MD.read_text(encoding="utf-8")
    shown = text.partition("<!-- matrix: begin -->\n")[2].partition("<!-- matrix: end -->")[0]
    assert shown == as_markdown(), "copy app.access.permissions.as_markdown() into docs/access.md"
