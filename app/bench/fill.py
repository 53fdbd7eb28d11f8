"""A study of any size in seconds, by COPY as the owner of the tables.

A fixture of the benchmark and nothing else: such rows went through no door, and the trail does not verify with them.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.bench.study import ITEMS, SITE, STUDY, panel_page, start_page
from app.bench.world import World
from app.core.clock import now
from app.core.provision import libpq

VALUES = ITEMS - 2
"""Values that are entered on a page; two of its items are computed."""

COMPUTED = 'study_id, record_id, number, revision, form_version, "values", at, change_id'
"""The columns that are filled; the pages ask no published rule."""

_KINDS = 400  # different pages
_FIRST = 1_000_000  # where the numbers of these changes begin, far above those of real saves


class Filler:
    """Adds subjects with pages, and changes, to the world's study."""

    def __init__(self, world: World) -> None:
        self.url = libpq(world.server.owner_url)
        self.seq = _FIRST
        self.made = 0
        self.pages = [[json.dumps(panel_page(n, seed)) for seed in range(_KINDS // 10)] for n in range(1, 11)]

    def subjects(self, count: int, pages: int = 10) -> list[str]:
        """So many subjects with a first page and `pages` more; their numbers."""
        numbers = [f"X{self.made + place:06d}" for place in range(count)]
        self.made += count
        at, change = now(), uuid4()
        records = [(uuid4(), uuid4(), number, visit) for number in numbers for visit in range(pages + 1)]
        with psycopg.connect(self.url) as owner:
            self._changes(owner, [(change, None, None), *((c, number, r) for r, c, number, _ in records)])
            copy(owner, "subject", [(STUDY, number, SITE, "enrolled", at, change) for number in numbers])
            copy(
                owner,
                "record",
                [
                    (STUDY, r, number, *_place(visit), 1, 1, 1, 1, "complete", None, c)
                    for r, c, number, visit in records
                ],
            )
            copy(
                owner,
                "revision",
                [
                    (STUDY, r, 1, 1, "complete", self._answers(visit, place), at, c)
                    for place, (r, c, _, visit) in enumerate(records)
                ],
            )
            values = json.dumps({"bmi": "22.1", "ratio": "1.234"})
            made = [(STUDY, r, 1, 1, 1, values, at, c) for r, c, _, visit in records if visit]
            copy(owner, f"computed ({COMPUTED})", made)
        self._settle()
        return numbers

    def changes(self, count: int) -> None:
        """So many changes more, of nobody's pages."""
        with psycopg.connect(self.url) as owner:
            self._changes(owner, ((uuid4(), "X999999", uuid4()) for _ in range(count)))
        self._settle()

    def _answers(self, visit: int, place: int) -> str:
        if visit == 0:
            return json.dumps(start_page())
        of = self.pages[(visit - 1) % 10]
        return of[place % len(of)]

    def _changes(self, owner: "psycopg.Connection[Any]", of: Any) -> None:
        at, digest = now(), b"\0" * 32
        detail = json.dumps({"visit": "V", "form": "panel", "items": ["test01", "test02"]})
        rows = json.dumps([{"table": "revision", "act": "insert", "key": [STUDY], "digest": "0" * 64}])

        def listed() -> Iterator[tuple[Any, ...]]:
            for change, subject, record in of:
                self.seq += 1
                yield (
                    STUDY, self.seq, change, None, "Fixture", at, "UTC", "record.save", None, "bench", SITE, subject,
                    record, detail, rows, digest, digest,
                )  # fmt: skip

        copy(owner, "change", listed())

    def _settle(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")


def _place(visit: int) -> tuple[str, int, str]:
    return ("V", visit, "panel") if visit else ("START", 1, "start")


def copy(owner: "psycopg.Connection[Any]", table: str, rows: Any) -> None:
    """Store rows as the owner."""
    with owner.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row([str(value) if isinstance(value, UUID) else value for value in row])
