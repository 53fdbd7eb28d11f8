"""What a route works in is opened and closed by its own thread, before the answer is sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Annotated

import pytest
from fastapi import Depends, Request
from starlette.testclient import TestClient

from app import main
from app.core.errors import Conflict, Unauthenticated
from app.core.http import IfMatch, Router
from app.core.opening import Opening
from app.settings import Settings


class Seen(list[tuple[str, int]]):
    """What happened, and in which thread."""

    refusing: str | None = None

    @contextmanager
    def work(self) -> Iterator[str]:
        self.note("open")
        if self.refusing == "open":
            raise Unauthenticated("Who are you?")
        try:
            yield "work"
        finally:
            self.note("close")
            if self.refusing == "close":
                raise Conflict("Somebody was faster")

    def note(self, what: str) -> None:
        self.append((what, get_ident()))

    @property
    def words(self) -> list[str]:
        return [word for word, _ in self]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def client(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    async def opening(request: Request) -> Opening[str]:
        return Opening(request, seen.work())

    router = Router(prefix="/opened", tags=["opened"])

    @router.put("/{number}")
    def put(work: Annotated[str, Depends(opening)], number: int, expected: IfMatch) -> str:
        seen.note("run")
        if number < 0:
            raise Conflict("Not below zero")
        return f"{work} {number} {expected}"

    monkeypatch.setattr(main, "ROUTERS", (router,))
    return TestClient(main.assemble(Settings()))


def test_one_thread_opens_runs_and_closes(client: TestClient, seen: Seen) -> None:
    assert client.put("/opened/1").json() == "work 1 None"
    assert seen.words == ["open", "run", "close"]
    assert len({thread for _, thread in seen}) == 1


def test_what_fails_on_closing_is_no_success(client: TestClient, seen: Seen) -> None:
    seen.refusing = "close"
    assert client.put("/opened/1").status_code == 409


def test_a_refusal_closes_what_was_opened(client: TestClient, seen: Seen) -> None:
    assert client.put("/opened/-1").status_code == 409
    assert seen.words == ["open", "run", "close"]


@pytest.mark.parametrize("wrong", [("/opened/one", {}), ("/opened/1", {"If-Match": "1"})])
def test_who_may_not_ask_is_told_that_and_not_what_is_wrong_with_the_question(
    client: TestClient, seen: Seen, wrong: tuple[str, dict[str, str]]
) -> None:
    path, headers = wrong
    assert client.put(path, headers=headers).status_code in {400, 422}
    assert seen.words == ["open", "close"]
    seen.refusing = "open"
    assert client.put(path, headers=headers).status_code == 401


def test_an_answer_that_is_none_after_the_commit_does_not_say_that_nothing_was_stored(
    monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    async def opening(request: Request) -> Opening[str]:
        return Opening(request, seen.work())

    router = Router(prefix="/opened", tags=["opened"])

    @router.put("")
    def put(work: Annotated[str, Depends(opening)]) -> int:
        return work  # type: ignore[return-value]  # what is answered is a mistake of the program

    monkeypatch.setattr(main, "ROUTERS", (router,))
    answer = TestClient(main.assemble(Settings()), raise_server_exceptions=False).put("/opened")
    assert (answer.status_code, seen.words) == (500, ["open", "close"])
    assert "Read again to see whether it was stored" in answer.json()["detail"]


def test_a_route_that_would_not_receive_what_is_opened_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async def opening(request: Request) -> Opening[str]:
        return Opening(request, Seen().work())

    def through(work: Annotated[str, Depends(opening)]) -> str:
        return work

    def get() -> str:
        return "nobody asked"

    def get_through(work: Annotated[str, Depends(through)]) -> str:
        return work

    for route, dependencies in ((get, [Depends(opening)]), (get_through, [])):
        router = Router(prefix="/aside", tags=["aside"])
        router.get("", dependencies=dependencies)(route)
        monkeypatch.setattr(main, "ROUTERS", (router,))
        with pytest.raises(main.StartRefusedError, match=r"/aside: .* opening"):
            main.assemble(Settings())


def test_a_route_is_a_plain_function() -> None:
    async def later() -> str:
        return "later"

    def slowly() -> Iterator[str]:
        yield "slowly"

    for route in (later, slowly):
        with pytest.raises(TypeError, match="plain function"):
            Router(prefix="/later", tags=["later"]).get("")(route)
