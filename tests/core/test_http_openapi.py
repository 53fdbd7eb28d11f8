"""The committed description of the API is the one this code gives, and a client can be generated from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from app.main import assemble, description
from app.settings import Settings

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
DESCRIBED: dict[str, Any] = assemble(Settings()).openapi()
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


EACH = pytest.mark.parametrize(("name", "operation"), list(operations()), ids=[name for name, _ in operations()])


def test_the_committed_description_is_current() -> None:
    said = "docs/openapi.json: write it anew, with what app.main.description() returns"
    assert COMMITTED.read_text(encoding="utf-8") == description(), said


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


@EACH
def test_every_operation_says_what_it_does_and_which_problems_it_answers(name: str, operation: dict[str, Any]) -> None:
    assert operation["description"], name
    assert len(operation["tags"]) == 1
    for status, answer in operation["responses"].items():
        if status[0] in "45":
            assert answer["content"] == {"application/problem+json": {"schema": PROBLEM}}, f"{name} {status}"


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DESCRIBED))
    assert found
    for reference in found:
        place: Any = DESCRIBED
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert not [
        name for name in DESCRIBED["components"]["schemas"] if name.endswith(("-Input", "-Output")) or "[" in name
    ]


def test_every_schema_is_one() -> None:
    for schema in DESCRIBED["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
