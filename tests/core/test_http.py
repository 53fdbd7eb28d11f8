"""What every route shares: decimals, tags, problems, languages, the description of the API."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from sqlalchemy import exc
from starlette.testclient import TestClient

from app import main
from app.core.errors import BadRequest, Refusal
from app.core.http import Router, etag, if_match, if_none_match
from app.core.language import language
from app.core.problems import refusal_of
from app.core.reference import _page
from app.settings import Settings
from tests.core.toy import CANARY, toy


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(toy()) as made:
        yield made


def test_a_fraction_reaches_a_model_and_a_plain_dict_as_decimal(client: TestClient) -> None:
    body = b'{"value": 0.1000}'
    headers = {"Content-Type": "application/json"}
    assert client.post("/api/v1/toy/measures", content=body, headers=headers).json() == {
        "type": "Decimal",
        "value": "0.1000",
    }
    saved = client.put("/api/v1/toy/answers", content=b'{"answers":{"a":1.10,"b":2,"c":"3"}}', headers=headers)
    assert saved.json() == {"a": "Decimal 1.10", "b": "int 2", "c": "str 3"}


def test_a_large_body_is_read_alike(client: TestClient) -> None:
    answers = {f"item_{number}": number for number in range(10_000)}
    assert client.put("/api/v1/toy/answers", json={"answers": answers}).json()["item_9999"] == "int 9999"


def test_fields_are_named_and_values_are_not(client: TestClient) -> None:
    body = {"value": CANARY, "count": 1.5, CANARY: CANARY}
    answer = client.post("/api/v1/toy/measures", json=body)
    faults = {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}
    assert answer.status_code == 422
    assert faults == {"/value": "not-number", "/count": "not-whole", "": "extra-field"}
    assert CANARY not in answer.text
    assert "count, value" in answer.text


def test_a_table_reaches_its_route_untouched(client: TestClient) -> None:
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    assert client.post("/api/v1/toy/tables", content=b"a\xff\0", headers=headers).json() == 3
    assert client.post("/api/v1/toy/tables", json=[1]).status_code == 415


def test_a_refusal_becomes_its_problem(client: TestClient) -> None:
    answer = client.get("/api/v1/toy/refused")
    assert answer.status_code == 422
    assert answer.headers["x-more"] == "1"
    problem = answer.json()
    assert problem.pop("request_id") == answer.headers["x-request-id"]
    assert problem["type"] == "urn:marrow:problem:unreadable"
    assert problem["errors"][0] | {"message": ""} == {
        "pointer": "/answers/hb", "code": "out-of-range", "message": "", "remedy": "", "item": "hb", "row": 2,
    }  # fmt: skip


def test_problems_are_told_in_chinese_to_who_reads_chinese(client: TestClient) -> None:
    chinese = client.get("/api/v1/toy/refused", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert chinese.json()["title"] == "部分项目无法保存"
    assert chinese.json()["detail"] == "请更正所列内容后重新发送。"
    assert chinese.headers["content-language"] == "zh"
    assert client.get("/api/v1/toy/refused").headers["content-language"] == "en"


def test_an_address_and_a_method_that_are_not_there(client: TestClient) -> None:
    assert client.get("/api/v1/toy/nowhere").json()["code"] == "not-found"
    answer = client.delete("/api/v1/toy/list")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method-not-allowed", "GET")


def test_what_an_address_takes_is_told_of_all_its_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    routers = [Router(prefix="/shared", tags=["shared"]) for _ in range(2)]
    routers[0].get("/{number}")(lambda number: number)
    routers[1].put("/{number}")(lambda number: number)
    monkeypatch.setattr(main, "ROUTERS", routers)
    answer = TestClient(main.assemble(Settings())).patch("/shared/1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT")


@pytest.mark.parametrize(
    ("header", "expected"),
    {
        None: "en", "": "en", "zh": "zh", "zh-Hans-CN": "zh", "en;q=0.8, zh;q=0.9": "zh", "zh;q=0.1, en;q=0.2": "en",
        "de, zh;q=0.5": "zh", "zh;q=0": "en", "*": "en", "fr": "en", "ZH": "zh", "zh;q=2": "en", ";;;,,,": "en",
        "," * 10000 + "zh": "en", "zh;q=x, en": "en",
    }.items(),
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_the_language_is_the_best_of_two(header: str | None, expected: str) -> None:
    assert language(header) == expected


def test_a_tag_names_one_revision() -> None:
    assert etag(3) == '"3"'
    assert if_match(etag(17)) == 17
    assert if_match(None) is None


@pytest.mark.parametrize(
    "header", ["3", 'W/"3"', '"3", "4"', "*", '"0"', '"03"', '"-1"', '"x"', '""', '"' + "9" * 19 + '"']
)
def test_a_tag_that_names_none_is_refused(client: TestClient, header: str) -> None:
    with pytest.raises(BadRequest):
        if_match(header)
    assert client.put("/api/v1/toy/tagged", headers={"If-Match": header}).status_code == 400


def test_tags_reach_the_route(client: TestClient) -> None:
    assert client.put("/api/v1/toy/tagged", headers={"If-Match": '"3"'}).json() == {"expected": 3, "absent": False}
    answer = client.put("/api/v1/toy/tagged", headers={"If-None-Match": "*"})
    assert answer.json() == {"expected": None, "absent": True}
    with pytest.raises(BadRequest):
        if_none_match('"3"')


def retried(client: TestClient, key: str, body: Mapping[str, Any]) -> Any:
    return client.post("/api/v1/toy/retried", json=body, headers={"Idempotency-Key": key})


def test_a_retry_is_known_by_its_key_and_its_request(client: TestClient) -> None:
    first, same = (retried(client, "k-1", {"value": 1}).json() for _ in range(2))
    other = retried(client, '"k-1"', {"value": 2}).json()
    assert first == same
    assert other["key"] == "k-1"
    assert other["fingerprint"] != first["fingerprint"]


@pytest.mark.parametrize("key", ["", "a b", "a" * 129, "é".encode().decode("latin-1"), '"', "a\tb"])
def test_a_key_is_plain_and_short(client: TestClient, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    assert client.post("/api/v1/toy/retried", json={"value": 1}, headers=headers).status_code == 400


FAULTS: dict[str, tuple[Exception, int, str]] = {
    "lost": (exc.OperationalError("SELECT", {}, psycopg.OperationalError(CANARY)), 503, "unavailable"),
    "no connection left": (exc.TimeoutError(CANARY), 503, "unavailable"),
    "raw": (psycopg.OperationalError(CANARY), 503, "unavailable"),
    "broken interface": (exc.InterfaceError("", {}, psycopg.InterfaceError(CANARY)), 503, "unavailable"),
    "too long": (exc.DataError("", {}, psycopg.DataError(CANARY)), 422, "unreadable"),
    "taken": (exc.IntegrityError("", {}, psycopg.errors.UniqueViolation(CANARY)), 409, "conflict"),
    "deadlock": (exc.OperationalError("", {}, psycopg.errors.DeadlockDetected(CANARY)), 503, "unavailable"),
    "programming": (exc.ProgrammingError("", {}, psycopg.ProgrammingError(CANARY)), 500, "unexpected"),
    "anything": (KeyError(CANARY), 500, "unexpected"),
    "grouped": (ExceptionGroup("", [psycopg.OperationalError(CANARY)]), 503, "unavailable"),
}


@pytest.mark.parametrize(("fault", "status", "code"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_database_is_answered_without_its_words(fault: Exception, status: int, code: str) -> None:
    refusal: Refusal = refusal_of(fault)
    assert (refusal.status, refusal.code) == (status, code)
    assert CANARY not in str(refusal.as_problem())
    assert ("Retry-After" in refusal.headers) == (status == 503)


def test_the_reference_page_needs_no_script_and_no_other_server(client: TestClient) -> None:
    made = "\n".join(_page(client.get("/api/v1/openapi.json").json()))
    assert "POST /api/v1/toy/measures" in made
    assert "<code>Measure</code>" in made
    assert "<script" not in made
    assert "src=" not in made


def test_the_description_names_operations_shortly_and_declares_problems(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    operation = described["paths"]["/api/v1/toy/measures"]["post"]
    assert operation["operationId"] == "toy_measure"
    problem = operation["responses"]["422"]["content"]
    assert problem == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert {"Problem", "Fault", "Measure"} <= set(described["components"]["schemas"])
    assert "HTTPValidationError" not in described["components"]["schemas"]
