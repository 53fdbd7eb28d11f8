"""The anchor file: what the chains were, written down where the database's own administrator does not reach."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson
from sqlalchemy import ARRAY, BigInteger, any_, literal, select
from sqlalchemy.orm import Session

from app import models
from app.audit.report import Faults, Head

_BATCH = 2000
_SEQ_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """One line: the chain of `study` had `hash` at `seq`."""

    line: int
    study: str
    seq: int
    hash: bytes


def size(path: Path) -> int:
    """How long the file is: what it says up to there was committed before now. 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def read(path: Path, upto: int | None = None) -> Iterator[Anchor | int]:
    """The lines of the file in their order, those that begin before byte `upto`; of an unreadable one, its number."""
    place = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if upto is not None and place >= upto:
                return
            place += len(line)
            yield _parsed(number, line) or number


def _parsed(number: int, line: bytes) -> Anchor | None:
    try:
        said = orjson.loads(line)
        found = Anchor(number, said["study"], said["seq"], bytes.fromhex(said["hash"]))
    except (ValueError, KeyError, TypeError):
        return None
    sound = isinstance(found.study, str) and type(found.seq) is int and 0 < found.seq <= _SEQ_MAX
    return found if sound and len(found.hash) == 32 else None  # noqa: PLR2004 - SHA-256


def check(session: Session, path: Path, upto: int, heads: Mapping[str, Head], faults: Faults, *, partial: bool) -> int:
    """Compare every anchor with the change it speaks of; how many there were.

    `upto` is the `size` of the file before the session's snapshot was taken: later lines speak of changes that the
    snapshot does not hold, and would look like a rollback. With `partial`, anchors of chains that are not among
    `heads` are left alone.
    """
    if not path.exists():
        for head in heads.values():
            if head.seq:
                faults.add(head.study, None, None, (), "the anchor file is missing")
        return 0
    lines, count = read(path, upto), 0
    beyond: dict[str, tuple[int, int]] = {}
    while batch := list(islice(lines, _BATCH)):
        asked = [anchor for anchor in _readable(batch, faults) if anchor.study in heads or not partial]
        count += len(asked)
        within: dict[str, list[Anchor]] = defaultdict(list)
        for anchor in asked:
            if anchor.study in heads and anchor.seq <= heads[anchor.study].seq:
                within[anchor.study].append(anchor)
            else:
                first, last = beyond.get(anchor.study, (anchor.seq, anchor.seq))
                beyond[anchor.study] = min(first, anchor.seq), max(last, anchor.seq)
        for study, anchors in within.items():
            _compare(session, study, anchors, faults)
    for study, (first, last) in beyond.items():
        found = f"the database was rolled back to {heads[study].seq}" if study in heads else "the chain is gone"
        faults.add(study, first, "chain", (study,), f"the anchor file goes on to {last}: {found}")
    return count


def _readable(batch: list[Anchor | int], faults: Faults) -> Iterator[Anchor]:
    """The anchors among these lines. A full disk tears a line, which says nothing about the data: that is a warning."""
    for line in batch:
        if isinstance(line, Anchor):
            yield line
        else:
            faults.warn(f"line {line} of the anchor file cannot be read")


def _compare(session: Session, study: str, anchors: list[Anchor], faults: Faults) -> None:
    stored = _stored(session, study, {anchor.seq for anchor in anchors})
    for anchor in anchors:
        if stored.get(anchor.seq) != anchor.hash:
            problem = f"is not what line {anchor.line} of the anchor file says"
            faults.add(study, anchor.seq, "change", (study, anchor.seq), problem)


def _stored(session: Session, study: str, seqs: set[int]) -> dict[int, bytes]:
    change = models.change
    among = any_(literal(sorted(seqs), ARRAY(BigInteger)))
    found = session.execute(
        select(change.c.seq, change.c.hash).where(change.c.study_id == study, change.c.seq == among)
    )
    return {seq: bytes(held) for seq, held in found}
