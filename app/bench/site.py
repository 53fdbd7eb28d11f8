"""A site of many subjects: its matrix, its work list, how far the verification of its data is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.bench.drive import drive, process, request
from app.bench.fill import copy
from app.bench.reading import Asked
from app.bench.saves import fewest, served
from app.bench.study import FORMS, ROUNDS, SITE, panel_page, start_page
from app.bench.world import World
from app.core.clock import now
from app.core.provision import libpq
from app.quality.verification.marks import given, verified
from app.study.check import read_tree

SUBJECTS, PAGES = 500, 20
LISTED = 200
"""Subjects of one page of the work list, the most there may be."""

_HELD = 10  # rounds so far, all but the last with a page that says so
_ON = "2026-06-01"
_QUERIED, _VERIFIED = 5, 2  # every fifth page has a query, every second one of those with values was verified


@dataclass(frozen=True, slots=True)
class _Entered:
    """A page of the fixture."""

    subject: str
    visit: str
    form: str
    status: str
    answers: Mapping[str, Any]
    record: UUID


def fill(world: World) -> None:
    """The subjects with their pages, queries and marks, by COPY as the owner; the trail does not verify with them."""
    at, change, begun = now(), uuid4(), str(start_page()["enrol_date"])
    numbers = [f"R{place:04d}" for place in range(SUBJECTS)]
    pages = [page for number in numbers for page in _pages(number, begun)]
    results = json.dumps({"status": "enrolled", "anchors": {"enrol": begun}, "endpoints": {}})
    form, digest = read_tree(FORMS).forms["panel", 1], b"\0" * 32
    said = [
        (each, verified([], given(form, each.answers), revision=1, by="Fixture", at=at))
        for each in [page for page in pages if page.form == form.form][::_VERIFIED]
    ]
    rows: dict[str, list[tuple[Any, ...]]] = {
        "change": [
            (ROUNDS, 1_000_000, change, None, "Fixture", at, "UTC", "record.save", None, "bench", SITE, None, None,
             "{}", "[]", digest, digest),
        ],
        "subject": [(ROUNDS, number, SITE, "enrolled", at, change) for number in numbers],
        "record": [
            (ROUNDS, each.record, each.subject, each.visit, 1, each.form, 1, 1, 1, 1, each.status, None, change)
            for each in pages
        ],
        "revision": [
            (ROUNDS, each.record, 1, 1, each.status, json.dumps(each.answers), at, change) for each in pages
        ],
        "derivation": [(ROUNDS, number, 1, 1, results, at, change) for number in numbers],
        "query": [
            (ROUNDS, uuid4(), each.subject, each.record, "done", None, None, None, None, "open", None, 1, at, at, None,
             change)
            for each in pages[::_QUERIED]
        ],
        "verification": [(ROUNDS, each.record, each.subject, json.dumps(marks), change) for each, marks in said],
    }  # fmt: skip
    with psycopg.connect(libpq(world.server.owner_url)) as owner:
        for table, of in rows.items():
            copy(owner, table, of)
    with psycopg.connect(libpq(world.server.owner_url), autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")


def _pages(number: str, enrolled: str) -> Iterator[_Entered]:
    """The pages of one subject: the last round is begun and no more."""
    yield _Entered(number, "START", "start", "complete", start_page(), uuid4())
    for place in range(1, _HELD + 1):
        visit, last = f"R{place:02d}", place == _HELD
        yield _Entered(number, visit, "panel", "incomplete" if last else "complete", panel_page(place), uuid4())
        if not last:
            day = date.fromisoformat(enrolled) + timedelta(days=14 * place + place % 5)
            yield _Entered(number, visit, "attended", "complete", {"done": "Y", "done_on": day.isoformat()}, uuid4())


def paths() -> dict[str, str]:
    """The matrix of all subjects, the longest page of the work list, and the progress of verification."""
    api = f"/api/v1/studies/{ROUNDS}"
    return {
        "matrix": f"{api}/matrix?site={SITE}&on={_ON}&limit={SUBJECTS}",
        "worklist": f"{api}/worklist?site={SITE}&on={_ON}&limit={LISTED}",
        "verification": f"{api}/verification",
    }


def measure(world: World, *, times: int) -> dict[str, Asked]:
    """One client asking for each of them again and again."""
    asking = {what: request("GET", path, world.token) for what, path in paths().items()}
    with process("app.bench.serving", world.server.app_url, world.database.anchors) as serving:
        drive(serving.port, [[*asking.values()] * 3])
        timings = {what: drive(serving.port, [[one] * times]) for what, one in asking.items()}
    with served(world) as port:
        drive(port, [[*asking.values()]])
        return {what: Asked(timings[what], fewest(world, port, one)) for what, one in asking.items()}
