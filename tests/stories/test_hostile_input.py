"""Whatever is sent: an answer, never a failure of the server, and nothing of it comes back or is written down."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from starlette.testclient import TestClient

from app.access import accounts, grants
from app.access.actor import SystemActor
from app.access.permissions import Role
from app.core.db import make_engine
from app.core.http import media_type_taken
from app.core.logs import JsonLines
from app.core.transaction import Database, see_all
from app.main import assemble, create_app
from app.settings import Settings
from app.study.check import read_tree
from app.study.publish import publish
from app.subjects import enrol
from tests.servers import Server
from tests.stories.hostile import ADDRESSES, CANARY, HEADERS, ODD, UNREADABLE, answers, planted

STUDY, SITE = "NCT06125106", "HZ01"
PASSWORD = "seven grey herons wade"
EVERYTHING = {
    Role.COORDINATOR: STUDY, Role.INVESTIGATOR: STUDY, Role.DATA_MANAGER: STUDY, Role.MONITOR: STUDY,
    Role.BUILDER: "-", Role.ADMINISTRATOR: "-",
}  # fmt: skip


@dataclass
class Trial:
    """The application, a person who may do everything, and the places there are."""

    client: TestClient
    headers: dict[str, str]
    places: dict[str, str]

    def send(self, method: str, path: str, body: bytes | None, **headers: str) -> Any:
        given = self.headers | {"Content-Type": "application/json"} | headers
        return self.client.request(method, path.format(**self.places), content=body, headers=given)


@pytest.fixture(scope="module")
def trial(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    engine = make_engine(server.clone().app_url, pool_size=8)
    database = Database(engine, tmp_path_factory.mktemp("anchors") / "anchors.jsonl")
    with database.writing() as session:
        accounts.create_first_administrator(session, "admin", "Ada", PASSWORD)
    tree = read_tree(Path("forms"))
    study = next(study for study in tree.studies if study.study == STUDY)
    forms = {form: tree.forms[form, version] for form, version in study.forms.items()}
    with database.writing() as session:
        see_all(session)
        publish(session, SystemActor(), study, forms)
        subject = enrol.create(session, SystemActor(), STUDY, SITE)["subject_id"]
    with database.writing() as session:
        see_all(session)
        accounts.open_account(session, SystemActor(), "ev", "Ev Erything", PASSWORD)
    for role, where in EVERYTHING.items():
        with database.writing() as session:
            see_all(session)
            site = SITE if role in {Role.COORDINATOR, Role.INVESTIGATOR} else None
            grants.give(session, SystemActor(), where, username="ev", role=role, site_id=site, reason="Test")
    with TestClient(create_app(Settings(), database)) as client:
        token = client.post("/api/v1/session", json={"username": "ev", "password": PASSWORD}).json()["token"]
        places = {
            "study": STUDY, "site": SITE, "subject": subject, "visit": "SCR", "form": "demographics",
            "version": "1", "other": "1", "name": "interim", "rule": "ctcae_labs",
            "username": "admin", "endpoint": "EFS", "query": str(uuid4()), "token_id": str(uuid4()),
            "grant_id": str(uuid4()), "migration_id": str(uuid4()), "signature": str(uuid4()),
        }  # fmt: skip
        yield Trial(client, {"Authorization": f"Bearer {token}"}, places)
    engine.dispose()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that was logged, as the program writes it and as any handler might."""
    lines = JsonLines()

    def all_of_it() -> str:
        ours = [one for one in caplog.records if not one.name.startswith("httpx")]  # the test's own client
        return "\n".join(f"{lines.format(one)} {one.getMessage()} {vars(one)}" for one in ours)

    with caplog.at_level(logging.DEBUG):
        yield all_of_it


def routes(app: FastAPI) -> Iterator[tuple[str, str, APIRoute]]:
    for found in iter_route_contexts(app.routes):
        route = found.original_route
        if isinstance(route, APIRoute):
            for method in sorted(found.methods or ()):
                yield method, str(found.path), route


APP = assemble(Settings())
TAKING = [(method, path, route) for method, path, route in routes(APP) if media_type_taken(route) == "application/json"]
EACH = pytest.mark.parametrize(("method", "path", "route"), TAKING, ids=[f"{one[0]} {one[1]}" for one in TAKING])


def example(annotation: Any) -> Any:
    """A value that the body of a route might have: every field there, each of about the right kind."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {field.alias or name: example(field.annotation) for name, field in annotation.model_fields.items()}
    kinds = {str: "text enough", int: 1, bool: True, dict: {}, list: []}
    inner = [found for found in get_args(annotation) if found is not type(None)]
    if annotation in kinds:
        return kinds[annotation]
    return example(inner[0]) if inner and getattr(annotation, "__origin__", None) is not dict else {}


def refused_well(answer: Any, what: str) -> None:
    assert 400 <= answer.status_code < 500, what
    assert answer.headers["content-type"] == "application/problem+json", what
    assert answer.json()["status"] == answer.status_code
    silent(answer, what)


def silent(answer: Any, what: str) -> None:
    assert CANARY not in answer.text, what
    assert CANARY not in str(answer.headers), what


def test_there_are_routes_to_try() -> None:
    assert len(TAKING) >= 10
    assert len(UNREADABLE) >= 35
    assert {path for _, path, _ in TAKING} >= {"/api/v1/session", "/api/v1/studies/{study}/subjects"}


@EACH
def test_a_body_that_cannot_be_read_is_refused_and_not_repeated(
    trial: Trial, logged: Callable[[], str], method: str, path: str, route: APIRoute
) -> None:
    assert route.body_field is not None
    for kind, body in UNREADABLE.items():
        refused_well(trial.send(method, path, body, **{"If-Match": '"1"'}), kind)
    assert CANARY not in logged()


@EACH
def test_a_body_of_another_kind_is_refused(
    trial: Trial, logged: Callable[[], str], method: str, path: str, route: APIRoute
) -> None:
    body = json.dumps(example(route.body_field and route.body_field.field_info.annotation)).encode()
    for header in ({"Content-Type": "text/plain"}, {"Content-Type": f"text/{CANARY}"}, {"Content-Encoding": "gzip"}):
        answer = trial.send(method, path, body, **header)
        refused_well(answer, str(header))
        assert answer.status_code == 415
    assert CANARY not in logged()


@EACH
def test_a_hostile_value_in_any_field_never_breaks_the_server(
    trial: Trial, logged: Callable[[], str], method: str, path: str, route: APIRoute
) -> None:
    good = example(route.body_field and route.body_field.field_info.annotation)
    assert isinstance(good, Mapping)
    for kind, body in planted(good):
        answer = trial.send(method, path, body, **{"If-Match": '"1"'})
        assert answer.status_code < 500, kind
        if answer.status_code >= 400:
            refused_well(answer, kind)
    assert CANARY not in logged()


ANSWERED = (
    ("SCR", "demographics", "birth_date"),
    ("SCR", "demographics", "sex"),
    ("SCR", "demographics", "ethnicity_other"),
    ("SCR", "demographics", CANARY),
    ("SCR", "demographics", ""),
    ("UNS.7", "haematology", "wbc"),
    ("UNS.7", "haematology", "sample_time"),
    ("LOG", "adverse_event.7", "aesi"),
    ("UNS.7", "agvhd", "ugi_days"),
    ("LOG", "adverse_event.7", "grades"),
)


@pytest.mark.parametrize(("visit", "form", "item"), ANSWERED)
def test_a_hostile_answer_never_breaks_the_server(
    trial: Trial, logged: Callable[[], str], visit: str, form: str, item: str
) -> None:
    path = f"/api/v1/studies/{{study}}/subjects/{{subject}}/visits/{visit}/forms/{form}"
    for kind, body in answers(item, {"complete": False}):
        answer = trial.send("PUT", path, body, **{"If-None-Match": "*"})
        assert answer.status_code < 500, kind
        if answer.status_code >= 400:
            refused_well(answer, kind)
    assert CANARY not in logged()


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address[:60])
def test_a_hostile_address_is_refused(trial: Trial, logged: Callable[[], str], address: str) -> None:
    refused_well(trial.send("GET", address, None), address)
    assert CANARY not in logged()


@pytest.mark.parametrize("address", ODD)
def test_an_odd_address_never_breaks_the_server(trial: Trial, address: str) -> None:
    assert trial.send("GET", address, None).status_code < 500


@pytest.mark.parametrize(("name", "value"), HEADERS, ids=lambda value: value[:30])
def test_a_hostile_header_never_breaks_the_server(
    trial: Trial, logged: Callable[[], str], name: str, value: str
) -> None:
    paths = {"PUT": "/api/v1/studies/{study}/subjects/{subject}/visits/SCR/forms/demographics",
             "POST": "/api/v1/studies/{study}/subjects", "GET": "/api/v1/me"}  # fmt: skip
    for method, path in paths.items():
        headers = trial.headers | {"Content-Type": "application/json"} | {name: value}
        raw = [(one.encode(), other.encode("latin-1")) for one, other in headers.items()]
        body = None if method == "GET" else b'{"answers": {}}'
        answer = trial.client.request(method, path.format(**trial.places), content=body, headers=raw)
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        if name != "X-Request-ID":
            silent(answer, name)
    if name != "X-Request-ID":
        assert CANARY not in logged()


def test_every_address_answers_every_method_without_breaking(trial: Trial) -> None:
    for _, path, _ in routes(APP):
        for method in ("GET", "PUT", "POST", "PATCH", "DELETE", "TRACE", "BREW"):
            if (method, path) != ("DELETE", "/api/v1/session"):
                assert trial.send(method, path, b"").status_code < 500, f"{method} {path}"
