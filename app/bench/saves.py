"""Audited saves over HTTP beside the same rows by hand-written SQL, and the statements that a save takes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from sqlalchemy import event, text

from app.bench.drive import Timing, drive, listener, process, request
from app.bench.study import STUDY, panel_page, start_page
from app.bench.world import World
from app.core.provision import libpq
from app.core.transaction import see_all
from app.main import create_app
from app.settings import Settings

CLIENTS = 16
PAGES = 10
"""Pages of a subject beside its first: the casebook that a save has to take into account."""

_API = f"/api/v1/studies/{STUDY}/subjects"


@dataclass(frozen=True, slots=True)
class Saves:
    """The timings of Marrow and of the two ways by hand, and the statements of a save, beside BEGIN and COMMIT."""

    marrow: Timing
    bare: Timing
    single: Timing
    statements: int


def put(token: str, subject: str, visit: str, form: str, answers: dict[str, Any]) -> bytes:
    """The save of a page that is not there yet."""
    path = f"{_API}/{subject}/visits/{visit}/forms/{form}"
    return request("PUT", path, token, {"answers": answers}, If_None_Match="*")


def pages(token: str, subject: str) -> list[bytes]:
    """Every page of a subject but the first."""
    return [put(token, subject, f"V.{n}", "panel", panel_page(n)) for n in range(1, PAGES + 1)]


def _entered(token: str, subject: str) -> list[bytes]:
    return [put(token, subject, "START", "start", start_page()), *pages(token, subject)]


def _bare(way: str, subject: str) -> list[bytes]:
    return [request("PUT", f"/{way}/{subject}/{n}", body={"answers": panel_page(n)}) for n in range(1, PAGES + 1)]


def measure(world: World, *, subjects: int) -> Saves:
    """Enter so many subjects per client, once through Marrow and once by hand-written SQL."""
    given = [world.subjects(subjects) for _ in range(CLIENTS)]
    with process("app.bench.serving", world.server.app_url, world.database.anchors) as serving:
        drive(serving.port, [[put(world.token, s, "START", "start", start_page()) for s in of] for of in given])
        drive(serving.port, [_entered(world.token, subject) for subject in world.subjects(CLIENTS)])
        marrow = drive(serving.port, [[one for s in of for one in pages(world.token, s)] for of in given])
    rows = world.folder / "rows.json"
    rows.write_text(json.dumps(_stored(world)))
    with process("app.bench.bare", libpq(world.server.app_url), rows) as serving:
        bare, single = (_by_hand(world, serving.port, way, subjects) for way in ("plain", "single"))
    return Saves(marrow, bare, single, statements(world))


def _by_hand(world: World, port: int, way: str, subjects: int) -> Timing:
    given = [world.subjects(subjects) for _ in range(CLIENTS)]
    drive(port, [_bare(way, subject) for subject in world.subjects(CLIENTS)])  # to warm up, as above
    return drive(port, [[one for s in of for one in _bare(way, s)] for of in given])


def _stored(world: World) -> dict[str, Any]:
    """What the last save stored beside its answers."""
    asked = text("""
        SELECT c.detail, c.rows, v.values AS computed, d.results FROM change c
        JOIN computed v ON (v.study_id, v.change_id) = (c.study_id, c.change_id)
        JOIN derivation d ON (d.study_id, d.change_id) = (c.study_id, c.change_id)
        WHERE c.study_id = :study ORDER BY c.seq DESC LIMIT 1
    """)
    with world.database.reading() as session:
        see_all(session)
        return dict(session.execute(asked, {"study": STUDY}).mappings().one())


def statements(world: World) -> int:
    """The statements of one save of the last page of a casebook."""
    (subject,) = world.subjects(1)
    *most, last = _entered(world.token, subject)
    with served(world) as port:
        drive(port, [most])
        with counted(world) as seen:
            drive(port, [[last]])
    return len(seen)


@contextmanager
def served(world: World) -> Iterator[int]:
    """The application in a thread of this process, where its statements can be counted; its port."""
    with listener() as listening:
        app = create_app(Settings(), world.database)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """Every statement that goes to the database while the block runs."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(world.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(world.engine, "before_cursor_execute", note)


def fewest(world: World, port: int, one: bytes) -> int:
    """The statements of a request that reads: of two, as once a minute it is also noted that the token was used."""
    counts = []
    for _ in range(2):
        with counted(world) as seen:
            drive(port, [[one]])
        counts.append(len(seen))
    return min(counts)
