"""Logs: one line each, ids and places, never a value."""

import asyncio
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.testclient import TestClient

from app.core.logs import JsonLines, RequestLog, configuration, describe, log

CANARY = "CANARY-7f3a"


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler = Kept()
    root = logging.getLogger()
    root.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    log.setLevel(logging.NOTSET)


@pytest.fixture
def client() -> TestClient:
    inner = APIRouter(prefix="/studies/{study}")

    @inner.put("/subjects/{subject}")
    def put(study: str, subject: str, request: Request) -> dict[str, str]:
        request.state.account_id = "0190"
        return {"study": study, "subject": subject}

    @inner.get("/broken")
    def broken(study: str) -> None:
        raise ValueError(f"{CANARY} {study}")

    app = FastAPI()
    app.include_router(inner, prefix="/api/v1")
    app.add_middleware(RequestLog)
    return TestClient(app, raise_server_exceptions=False)


def requests(kept: Kept) -> list[dict[str, object]]:
    return [line for line in map(json.loads, kept.lines) if line.get("message") == "request"]


def test_a_request_is_one_line_of_ids(client: TestClient, kept: Kept) -> None:
    client.put(f"/api/v1/studies/S1/subjects/{CANARY}?note={CANARY}", json={"name": CANARY})
    (line,) = requests(kept)
    assert line["method"] == "PUT"
    assert line["route"] == "/api/v1/studies/{study}/subjects/{subject}"
    assert line["status"] == 200
    assert line["account_id"] == "0190"
    assert isinstance(line["ms"], float)
    assert CANARY not in "".join(kept.lines)


def test_the_answer_carries_the_id_of_its_line(client: TestClient, kept: Kept) -> None:
    answer = client.put("/api/v1/studies/S1/subjects/2")
    assert answer.headers["x-request-id"] == requests(kept)[0]["request_id"]


@pytest.mark.parametrize(
    ("given", "taken"), [("0190abcd-ef", True), ("x", False), ("a\tb" * 10, False), ("a" * 99, False)]
)
def test_a_proxys_id_is_kept_when_it_looks_like_one(client: TestClient, kept: Kept, given: str, *, taken: bool) -> None:
    client.put("/api/v1/studies/S1/subjects/2", headers={"X-Request-ID": given})
    assert (requests(kept)[0]["request_id"] == given) is taken


def test_a_forged_path_stays_one_line_and_is_not_repeated(client: TestClient, kept: Kept) -> None:
    client.get(f"/x/a%0d%0aINFO:%20forged%20{CANARY}")
    (line,) = requests(kept)
    assert line["status"] == 404
    assert line["route"] is None
    assert all("\n" not in raw and "\r" not in raw for raw in kept.lines)
    assert "forged" not in "".join(kept.lines)


def test_whoever_hangs_up_before_the_answer_is_no_fault_of_ours(kept: Kept) -> None:
    async def leaving(scope: dict[str, Any], receive: Any, send: Any) -> None:
        """What the guard does about a client that has left: nothing."""

    scope = {"type": "http", "method": "PUT", "path": "/", "headers": []}
    asyncio.run(RequestLog(leaving)(scope, dict, dict))
    [line] = requests(kept)
    assert line["status"] == 499


def test_a_failure_is_told_by_type_and_place(client: TestClient, kept: Kept) -> None:
    assert client.get(f"/api/v1/studies/{CANARY}/broken").status_code == 500
    (line,) = requests(kept)
    assert line["status"] == 500
    assert line["route"] == "/api/v1/studies/{study}/broken"
    assert CANARY not in "".join(kept.lines)


def test_an_exception_is_described_without_its_words(kept: Kept) -> None:
    try:
        try:
            int(CANARY)
        except ValueError as cause:
            raise KeyError(CANARY) from cause
    except KeyError as fault:
        told = describe(fault)
        log.exception("failed")
    assert [one["type"] for one in told] == ["builtins.KeyError", "builtins.ValueError"]
    assert told[0]["at"][-1].startswith("tests/core/test_logs.py:")
    assert CANARY not in json.dumps(told)
    assert CANARY not in "".join(kept.lines)


def test_what_other_libraries_say_is_reduced_to_its_place(kept: Kept) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved: %s", CANARY)
    logging.getLogger("asyncio").error(CANARY)
    assert len(kept.lines) == 2
    assert CANARY not in "".join(kept.lines)
    assert all(json.loads(line)["logger"] == "asyncio" for line in kept.lines)


def test_line_ends_cannot_be_smuggled_in(kept: Kept) -> None:
    log.info("a\r\nINFO forged\u2028x", extra={"who": "b\nc"})
    (line,) = kept.lines
    assert line.isprintable()
    assert json.loads(line)["who"] == "b\nc"


def test_the_configuration_is_one_that_logging_takes() -> None:
    logging.config.dictConfigClass(configuration("info"))
    handlers = configuration("debug")["handlers"]
    assert list(handlers) == ["stderr"]
