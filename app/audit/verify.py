"""Does the database hold what was done, all of it and nothing else?

Three questions, asked of one unchanging snapshot. Is each chain whole: numbered from 1 without a gap, each change
with its own digest, sealed to the one before it, up to the head? Is the state what the trail says: replayed, the last
digest of every row is that of the row in the database, with no row missing and none extra? And is it the same past as
the anchors outside the database say it was?
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from app import models
from app.audit import anchors
from app.audit.report import NAMED, Faults, Head, Report
from app.audit.statements import SEALED_COLUMNS
from app.audit.stream import batches
from app.audit.trail import APPEND_ONLY, EXEMPT, SECRET, genesis, veil
from app.core import canonical
from app.core.transaction import see, see_all

COVERED = {str(table.name): table for table in models.metadata.sorted_tables if table.name not in EXEMPT}
"""Every table whose rows the trail lists, in an order in which they could be filled."""


class Shape(NamedTuple):
    """What has to be known of a table for every row of it."""

    columns: tuple[str, ...]
    key: tuple[str, ...]
    of_study: bool
    secret: tuple[str, ...]


SHAPES = {
    name: Shape(
        columns=tuple(map(str, table.columns.keys())),
        key=tuple(map(str, table.primary_key.columns.keys())),
        of_study="study_id" in table.columns,
        secret=tuple(column for owner, column in SECRET if owner == name),
    )
    for name, table in COVERED.items()
}

Progress = Callable[[str, int], None]
"""Told what is being read, and how many rows more of it have been."""

_SHORT = 15  # bytes of a digest kept while replaying: 120 bits, and the object fits 48 bytes of memory


def verify(
    session: Session,
    anchors_path: Path | None,
    *,
    studies: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Verify the chains of `studies` (None: all, and the system's) and every row that they speak of.

    The session must be at REPEATABLE READ (`Database.reading`), or the trail and the tables would be read at
    different moments; raises RuntimeError if it is not. The wall is opened to the chains verified. About 150 bytes
    of memory are used per row of the largest study. `anchors_path` None leaves the anchors aside. While others write,
    this has to be the session's first use: its snapshot begins with its first statement, and must hold every change
    that the anchor file speaks of.
    """
    anchored = anchors.size(anchors_path) if anchors_path is not None else 0
    if session.execute(text("SHOW transaction_isolation")).scalar_one() not in {"repeatable read", "serializable"}:
        raise RuntimeError("A trail is verified in one snapshot: REPEATABLE READ")
    if studies is None:
        see_all(session)
    else:
        see(session, *sorted(studies))
    chain, faults = models.chain, Faults()
    heads = {
        study: Head(study, seq, bytes(held))
        for study, seq, held in session.execute(select(chain).order_by(chain.c.study_id))
        if studies is None or study in studies
    }
    for absent in sorted(set(studies or ()) - set(heads)):
        faults.add(absent, None, "chain", (absent,), "there is no such chain")
    replays = [_Replay(session, head, faults, progress or (lambda _what, _more: None)) for head in heads.values()]
    for replay in replays:
        replay.run()
    faults.begin()
    if studies is None:
        for table, study, key in session.execute(text("SELECT relation, study_id, key FROM marrow_astray()")):
            faults.add(study, None, table, key, "belongs to no chain")
    faults.begin()
    count = None
    if anchors_path is not None:
        count = anchors.check(session, anchors_path, anchored, heads, faults, partial=studies is not None)
    return Report(
        heads=tuple(heads.values()),
        faults=faults.in_order(),
        unnamed=faults.unnamed,
        changes=sum(replay.changes for replay in replays),
        rows=sum(replay.rows for replay in replays),
        anchors=count,
        warnings=tuple(faults.warnings),
        unnamed_warnings=faults.unnamed_warnings,
    )


@dataclass(slots=True)
class _Replay:
    """One chain walked, and the rows that it speaks of compared."""

    session: Session
    head: Head
    faults: Faults
    progress: Progress
    changes: int = 0
    rows: int = 0
    expected: dict[bytes, bytes] = field(default_factory=dict)
    """What the trail last said of each row: digest by token, both shortened."""

    def run(self) -> None:
        self.faults.begin()
        self._walk()
        self.faults.begin()
        astray: dict[bytes, tuple[str, list[Any] | None, str]] = {}
        for table in COVERED.values():
            if SHAPES[table.name].of_study or self.head.study == models.SYSTEM:
                self._compare(table, astray)
        for token in self.expected:
            if len(astray) > NAMED:
                break
            astray[token] = ("", None, "is in the trail and not in the database")
        self._report(astray)
        self.faults.unnamed += max(0, len(self.expected) - NAMED)
        self.expected.clear()
        self._cite()

    def _walk(self) -> None:
        study = self.head.study
        place, previous = 0, genesis(study).hex()
        for *said, digest, seq, seal in self._read(models.change, [*SEALED_COLUMNS, "digest", "seq", "hash"], "seq"):
            if seq != place + 1:
                gap = f"change {place + 1} is missing" if seq > place else "a change before the first"
                self.faults.add(study, min(seq, place + 1), "change", (study, min(seq, place + 1)), gap)
            whole = _held(SEALED_COLUMNS, said)
            if _digest(whole) != digest:
                self.faults.add(study, seq, "change", (study, seq), "does not say what it said when it was sealed")
            elif sha256(bytes.fromhex(previous + digest)).hexdigest() != seal:
                self.faults.add(study, seq, "change", (study, seq), "is not sealed to the change before it")
            self._replay(seq, whole.get("rows"))
            place, previous = max(seq, place), seal
            self.changes += 1
        if (place, previous) != (self.head.seq, self.head.hash.hex()):
            self.faults.add(study, self.head.seq, "chain", (study,), "the head is not the last change")

    def _replay(self, seq: int, entries: Any) -> None:
        for entry in entries if isinstance(entries, list) else [{}]:
            try:
                token = _token(entry["table"], entry["key"])
                problem = self._contradiction(entry, known=token in self.expected)
                self.expected[token] = bytes.fromhex(entry["digest"])[:_SHORT]
            except (TypeError, LookupError, ValueError):
                self.faults.add(self.head.study, seq, "change", (self.head.study, seq), "lists a row unreadably")
            else:
                if problem:
                    self.faults.add(self.head.study, seq, entry["table"], entry["key"], problem)

    def _contradiction(self, entry: dict[str, Any], *, known: bool) -> str | None:
        """What is wrong with an entry by itself, or after those before it."""
        name, key, digest = entry["table"], entry["key"], entry["digest"]
        shape = SHAPES.get(name)
        if shape is None:
            return "is no table of the trail"
        if (key[0] if shape.of_study else models.SYSTEM) != self.head.study:
            return "is listed in the chain of another study"
        if entry["act"] != ("update" if known else "insert"):
            return "is inserted twice" if known else "is changed before it is inserted"
        if name in APPEND_ONLY:
            return "is history and was rewritten" if known else None
        image = entry["image"]
        own = [image[column] for column in shape.key] == key and _digest(image) == digest
        return None if own else "has an image that is not its own"

    def _compare(self, table: Table, astray: dict[bytes, tuple[str, list[Any] | None, str]]) -> None:
        shape, expected = SHAPES[table.name], self.expected
        for row in self._read(table, shape.columns):
            whole = _held(shape.columns, row)
            for secret in shape.secret:
                if secret in whole:
                    whole[secret] = veil(whole[secret])
            key = [whole[name] for name in shape.key]
            token = _token(table.name, key)
            said = expected.pop(token, None)
            self.rows += 1
            if said is None:
                problem = "is in the database and not in the trail"
            elif said.hex() != _digest(whole)[: 2 * _SHORT]:
                problem = "is not as the trail says"
            else:
                continue
            if len(astray) < NAMED:
                astray[token] = (table.name, key, problem)
            else:
                self.faults.unnamed += 1

    def _report(self, astray: dict[bytes, tuple[str, list[Any] | None, str]]) -> None:
        """Name the rows by what the trail last said of them; one more walk, for a chain with faults only."""
        if not astray:
            return
        places: dict[bytes, tuple[int, str, list[Any]]] = {}
        for seq, entries in self._read(models.change, ["seq", "rows"], "seq"):
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict) and (token := _token(entry.get("table"), entry.get("key"))) in astray:
                    places[token] = (seq, entry["table"], entry["key"])
        for token, (table, key, problem) in astray.items():
            seq, named, listed = places.get(token, (None, table, key or []))
            self.faults.add(self.head.study, seq, named, listed, problem)

    def _cite(self) -> None:
        """Every `change_id` names a change of this chain."""
        change, study = models.change, self.head.study
        for table in COVERED.values():
            if "change_id" not in table.c or ("study_id" not in table.c and study != models.SYSTEM):
                continue
            own = [table.c.study_id == study] if "study_id" in table.c else []
            cited = select(change.c.seq).where(change.c.study_id == study, change.c.change_id == table.c.change_id)
            strays = select(*table.primary_key.columns).where(*own, ~cited.exists()).limit(NAMED)
            for row in self.session.execute(strays):
                key = tuple(canonical.plain(value) for value in row)
                if (table.name, key) not in self.faults:
                    self.faults.add(study, None, table.name, key, "cites a change that does not exist")

    def _read(self, table: Table, columns: Sequence[str], order: str | None = None) -> Iterator[tuple[Any, ...]]:
        study = self.head.study if "study_id" in table.c else None
        for batch in batches(self.session, table, columns, study, order=order):
            yield from batch
            self.progress(f"{self.head.study}: {table.name}", len(batch))


def _held(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """A row by its columns, those that hold something."""
    return {name: value for name, value in zip(columns, row, strict=True) if value is not None}


def _digest(whole: Any) -> str:
    try:
        return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError:  # nested deeper than anything that was ever stored here
        return ""


def _token(table: Any, key: Any) -> bytes:
    try:
        return blake2b(orjson.dumps((table, key)), digest_size=_SHORT).digest()
    except TypeError:
        return b""
