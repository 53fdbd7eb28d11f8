"""The gate before every route: size, encoding, address, host, and where faults end."""

import logging
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.core.guard import SECURITY
from tests.core.toy import CANARY, toy

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(toy(max_body=10_000)) as made:
        yield made


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


def test_a_body_over_the_limit_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/api/v1/toy/measures", content=b" " * 10_001, headers=JSON)
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (413, "too-large", 10_000)
    assert answer.headers["connection"] == "close"


def test_a_body_without_a_length_is_counted_as_it_comes(client: TestClient) -> None:
    assert client.post("/api/v1/toy/measures", content=chunks(11_000), headers=JSON).status_code == 413
    assert client.post("/api/v1/toy/measures", content=chunks(9_000), headers=JSON).status_code == 400


def test_a_length_that_is_no_number_is_refused(client: TestClient) -> None:
    for length in ("9" * 5000, "-1", "1_0", "٣"):
        headers = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
        assert client.post("/api/v1/toy/measures", content=b"{}", headers=headers).status_code == 400


def test_imports_may_be_larger(client: TestClient) -> None:
    answer = client.post("/api/v1/studies/S1/imports", content=b" " * 20_000, headers=JSON)
    assert answer.status_code == 404
    assert client.post("/api/v1/studies/S1/subjects", content=b" " * 20_000, headers=JSON).status_code == 413


def test_a_compressed_body_is_not_taken(client: TestClient) -> None:
    answer = client.post("/api/v1/toy/measures", content=b"x", headers=JSON | {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


OTHERS = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "",
    "application/json-patch+json",
    "application/json; charset=utf-16",
    "application/json, text/plain",
)
SAME = ("application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8"')


@pytest.mark.parametrize("media_type", OTHERS)
def test_a_json_route_takes_json_only(client: TestClient, media_type: str) -> None:
    answer = client.post("/api/v1/toy/measures", content=b'{"value":1}', headers={"Content-Type": media_type})
    assert answer.status_code == 415


@pytest.mark.parametrize("media_type", SAME)
def test_json_may_be_said_in_several_ways(client: TestClient, media_type: str) -> None:
    answer = client.post("/api/v1/toy/measures", content=b'{"value":1}', headers={"Content-Type": media_type})
    assert answer.status_code == 200


ADDRESSES = {
    "/api/v1/toy/%00": 400,
    "/api/v1/toy/list?cursor=%00": 400,
    "/api/v1/toy/list?cursor=%ff": 400,
    "/api/v1/toy/list?cursor=%ed%a0%80": 400,
    "/api/v1/toy/%ed%a0%80": 400,
    "/api/v1/toy/a%0d%0aINFO:%20forged": 400,
    "/api/v1/toy/list?cursor=a%0db": 400,
    "/api/v1/toy/" + "a" * 3000: 400,
    "/api/v1/toy/list?cursor=" + "a" * 5000: 400,
    "/api/v1/toy/list?cursor=" + "a" * 1500: 422,
    "/api/v1/toy/list?limit=1&limit=2": 400,
    "/api/v1/toy/list?unheard=1": 422,
    "/api/v1/toy/list?limit=0": 422,
    "/api/v1/toy/list?limit=201": 422,
    "/api/v1/toy/list?limit=1e2": 422,
    "/api/v1/toy/list?limit=" + "9" * 3000: 422,
    "/api/v1/toy/by/1.5": 422,
    "/api/v1/toy/by/x": 422,
    "/api/v1/toy/%252e%252e/by/1": 404,
    "/api/v1/%2569ndex": 404,
    "/api/v1/toy/list/": 404,
    "/": 404,
}


@pytest.mark.parametrize(("address", "status"), ADDRESSES.items(), ids=lambda value: str(value)[:40])
def test_an_address_that_is_none_is_refused(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_list_may_be_repeated_and_chinese_be_asked_for(client: TestClient) -> None:
    answer = client.get("/api/v1/toy/list", params={"site": ["杭州", "HZ01"], "limit": 3})
    assert answer.json() == {"limit": 3, "cursor": None, "site": ["杭州", "HZ01"]}


def test_unknown_parameters_are_answered_with_those_there_are(client: TestClient) -> None:
    problem = client.get(f"/api/v1/toy/list?{CANARY}=1").json()
    assert (problem["code"], problem["allowed"]) == ("unknown-parameter", ["cursor", "limit", "site"])
    assert CANARY not in str(problem)


def test_another_host_is_refused_where_hosts_are_named() -> None:
    with TestClient(toy(trusted_hosts=("edc.example.org", "*.ward.example"))) as client:
        for host, status in {"edc.example.org:8443": 404, "EDC.example.org": 404, "a.ward.example": 404,
                             "evil.example": 400, "edc.example.org.evil.example": 400, "": 400}.items():  # fmt: skip
            assert client.get("/", headers={"Host": host}).status_code == status


def test_every_answer_carries_the_headers_that_protect_it(client: TestClient) -> None:
    for answer in (client.get("/api/v1/toy/list"), client.get("/nowhere"), client.get("/api/v1/toy/broken")):
        assert {name: answer.headers[name] for name in SECURITY} == SECURITY
        assert answer.headers["x-request-id"]


def test_a_fault_nobody_expected_is_logged_by_its_type_alone(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/api/v1/toy/broken", headers={"X-Request-ID": "0123456789abcdef"})
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert answer.json()["request_id"] == "0123456789abcdef"
    said = [vars(record) for record in caplog.records]
    assert any("ValueError" in str(record.get("exception")) for record in said)
    assert CANARY not in str(said)
    assert CANARY not in answer.text


def test_half_an_answer_does_not_pass_for_a_whole_one(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError) as broken:
        client.get("/api/v1/toy/broken-stream")
    assert CANARY not in str(broken.value)
    assert broken.value.__cause__ is None
    assert "answer-cut-short" in caplog.messages
