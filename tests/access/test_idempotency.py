"""One effect for a request sent twice, also at once."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Barrier, Event
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, insert, select
from starlette.responses import Response

from app.access.actor import Actor, SystemActor, Work
from app.access.idempotency import KEPT, KeyReused, idempotent
from app.core import clock
from app.core.errors import Conflict, Forbidden
from app.core.http import Answer, Retry
from app.core.transaction import Database
from app.models import idempotency

RETRY = Retry("k-1", "a" * 64)


def actor(account_id: UUID | None = None) -> Actor:
    return Actor(account_id or uuid4(), "nurse", "Nurse", "test")


@pytest.fixture
def database(engine: Engine, tmp_path: Path) -> Database:
    return Database(engine, tmp_path / "anchors.jsonl")


@pytest.fixture
def do() -> Callable[[], Answer]:
    numbers = count(1)
    return lambda: Answer(201, {"number": next(numbers), "name": "张三", "empty": None}, {"Location": "/x"})


def leave() -> None:
    """What is asked before a stored answer is given: here it is always granted."""


def send(
    database: Database, who: Actor, retry: Retry, do: Callable[[], Answer], allowed: Callable[[], None] = leave
) -> Response:
    with database.writing() as session:
        return idempotent(Work(session, who), retry, do, allowed)


def stored(database: Database) -> int:
    with database.reading() as session:
        return session.execute(select(func.count()).select_from(idempotency)).scalar_one()


def test_the_second_answer_is_the_first_one_byte_for_byte(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()
    first, second = (send(database, nurse, RETRY, do) for _ in range(2))
    assert first.body == second.body
    assert (second.status_code, second.headers["location"]) == (201, "/x")
    assert json.loads(bytes(second.body))["number"] == 1


def test_a_stored_answer_is_given_only_with_leave(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()

    def refuse() -> None:
        raise Forbidden("No longer")

    assert send(database, nurse, RETRY, do, refuse).status_code == 201
    with pytest.raises(Forbidden):
        send(database, nurse, RETRY, do, refuse)
    assert json.loads(bytes(send(database, nurse, RETRY, do).body))["number"] == 1


def test_a_key_belongs_to_one_account(database: Database, do: Callable[[], Answer]) -> None:
    first, second = (send(database, actor(), RETRY, do) for _ in range(2))
    assert first.body != second.body


def test_the_same_key_for_another_request_is_refused(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()
    send(database, nurse, RETRY, do)
    with pytest.raises(KeyReused):
        send(database, nurse, Retry("k-1", "b" * 64), do)


def test_without_a_key_everything_is_carried_out(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()
    bodies = {bytes(send(database, nurse, Retry(None, "a" * 64), do).body) for _ in range(2)}
    assert len(bodies) == 2
    assert send(database, SystemActor(), RETRY, do).status_code == 201
    assert stored(database) == 0


def test_a_refusal_is_not_kept_and_the_next_try_is_carried_out(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()

    def refuse() -> Answer:
        raise Conflict("Not now")

    with pytest.raises(Conflict):
        send(database, nurse, RETRY, refuse)
    assert stored(database) == 0
    assert send(database, nurse, RETRY, do).status_code == 201


def test_eight_at_once_have_one_effect_and_one_answer(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()
    ready = Barrier(8)

    def race(_: int) -> bytes:
        ready.wait(10)
        return bytes(send(database, nurse, RETRY, do).body)

    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(race, range(8)))
    assert len(set(bodies)) == 1
    assert json.loads(bodies[0])["number"] == 1


def test_who_waits_for_one_that_fails_goes_on_itself(database: Database, do: Callable[[], Answer]) -> None:
    nurse = actor()
    begun, go = Event(), Event()

    def fail() -> Answer:
        begun.set()
        go.wait(10)
        raise Conflict("Not now")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, database, nurse, RETRY, fail)
        begun.wait(10)
        second = pool.submit(send, database, nurse, RETRY, do)
        go.set()
        assert second.result(10).status_code == 201
        assert isinstance(first.exception(10), Conflict)


@pytest.mark.parametrize(("first", "left"), [("a", 2), ("0", 1)])
def test_old_answers_are_forgotten_in_passing(
    database: Database, do: Callable[[], Answer], first: str, left: int
) -> None:
    nurse = actor()
    past = clock.now() - KEPT - timedelta(minutes=1)
    old = {"key": "old", "fingerprint": "", "status": 201, "headers": {}, "body": "{}", "at": past}
    young = old | {"key": "young", "at": clock.now() - timedelta(hours=24), "account_id": nurse.account_id}
    with database.writing() as session:
        session.execute(insert(idempotency), [old | {"account_id": nurse.account_id}, old | {"account_id": uuid4()}])
        session.execute(insert(idempotency), [young])
    send(database, nurse, Retry("k-2", first * 64), do)
    assert stored(database) == left + 1
