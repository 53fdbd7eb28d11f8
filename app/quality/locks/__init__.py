"""Freeze, lock, hard lock and unlock, from one item to the whole study: what it refuses, and to whom.

    locks.assert_writable(held, place)                    before the page at `place` is looked at further
    locks.assert_writable(held, place, [("hb", None)])    once it is known what changes
    locks.assert_open_for_queries(held, place, [("hb", None)])

`held` is the subject as `app.subjects.enrol.lock` gives it: its locks were read in the same statement.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.models.marks import LockState
from app.subjects import locked
from app.subjects.facts import Place
from app.subjects.locked import Locked, Which

__all__ = [
    "Locked",
    "Which",
    "assert_open_for_queries",
    "assert_open_for_review",
    "assert_site_open",
    "assert_writable",
    "holds_still",
]

Held = Mapping[str, Any]


def assert_writable(held: Held, place: Place, items: Iterable[Which] = ()) -> None:
    """Raise Locked where values of the page, or of these items on it, may not be changed: from frozen onwards."""
    locked.assert_open(held["locks"], place, items, up_to=LockState.OPEN)


def assert_open_for_queries(held: Held, place: Place | None = None, items: Iterable[Which] = ()) -> None:
    """Raise Locked where queries may not be asked, answered or closed; a frozen page still takes them."""
    locked.assert_open(held["locks"], place, items, up_to=LockState.FROZEN)


def assert_open_for_review(held: Held, place: Place | None = None, items: Iterable[Which] = ()) -> None:
    """Raise Locked where nothing may be verified or signed; a frozen page still may."""
    locked.assert_open(held["locks"], place, items, up_to=LockState.FROZEN)


def assert_site_open(session: Session, study_id: str, site_id: str = "") -> None:
    """Raise Locked where the study, or the site, is locked: no study version is put in force, nothing derived anew."""
    locked.assert_open(locked.of_site(session, study_id, site_id), up_to=LockState.FROZEN)


def holds_still(held: Held) -> bool:
    """Whether the subject as a whole is locked, so that even what is derived from it stays as it was."""
    found = locked.strictest(held["locks"])
    return found is not None and found["state"] in {LockState.LOCKED, LockState.HARD_LOCKED}
