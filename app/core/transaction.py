"""One request is one transaction, and it ends before the answer is sent.

`commit` is called nowhere else in the application: whoever holds a session got it here, and leaving the block
without an exception is the commit.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.core.logs import log

KEPT = "kept"
SEALED = "sealed"
"""Where a session keeps the heads of the chains it has moved, as lines for the anchor file."""


@dataclass(frozen=True)
class Database:
    """The application's way to the database: its engine, and the file outside it that the chains are anchored in."""

    engine: Engine
    anchors: Path
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose work is stored as a whole when the block ends, or not at all."""
        with Session(self.engine, expire_on_commit=False, info={KEPT: self.kept}) as session:
            with session.begin():
                yield session
            anchor(self.anchors, session.info.pop(SEALED, ()))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one unchanging state of the database and cannot write."""
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with Session(engine, expire_on_commit=False, info={KEPT: self.kept}) as session, session.begin():
            yield session

    @contextmanager
    def supposing(self) -> Iterator[Session]:
        """A session that can do what it likes: all of it is undone when the block ends, and nothing ever stored."""
        with Session(self.engine, expire_on_commit=False, info={KEPT: self.kept}) as session:
            session.begin()
            try:
                yield session
            finally:
                session.rollback()


def kept(session: Session, what: str) -> dict[Any, Any]:
    """What the process keeps of this database because it never changes there, such as released forms."""
    found: dict[Any, Any] = session.info.setdefault(KEPT, {}).setdefault(what, {})
    return found


def keep_apart(session: Session, what: str) -> None:
    """From here on the session keeps this for itself: what it has written may yet be undone."""
    session.info[KEPT] = {**session.info.get(KEPT, {}), what: {}}


def see(session: Session, *study_ids: str) -> None:
    """Open the row-level wall to these studies, for this transaction only."""
    session.execute(text("SELECT set_config('marrow.studies', :studies, true)"), {"studies": ",".join(study_ids)})


def see_all(session: Session) -> list[str]:
    """Open the wall to every study and the system's chain, for commands run on the server itself; their keys."""
    found = session.execute(text("SELECT set_config('marrow.studies', marrow_studies(), true)")).scalar_one()
    return str(found).split(",")


def anchor(path: Path, lines: tuple[bytes, ...] | list[bytes]) -> None:
    """Append lines to the anchor file in one write. The data are stored by now: a full disk is logged, not raised."""
    if not lines:
        return
    try:
        handle = _opened(path)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # a write that a full disk cut short
            whole = (b"\n" if torn else b"") + b"".join(lines)
            if os.write(handle, whole) < len(whole):  # the next append begins on a line of its own
                log.error("anchor-cut-short", extra={"size": size})
        finally:
            os.close(handle)
    except OSError as fault:
        log.error("anchor-not-written", extra={"errno": fault.errno})


def _opened(path: Path) -> int:
    how = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        return os.open(path, how, 0o640)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, how, 0o640)
