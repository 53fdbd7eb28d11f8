"""What may be written where. Locks are read together with the subject they cover; the strictest of them counts.

Everything that writes within a study passes its gate: many at a time, and nobody while the study or a site is being
locked. So a lock is either seen by a save, or set after it. The gate is passed before any row is held: who sets a lock
upon a site waits for that site's row with the gate closed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, Text, bindparam, func, null, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app import models
from app.core.canonical import plain
from app.core.errors import Conflict, Fault
from app.models.marks import LockState
from app.subjects.address import stated
from app.subjects.facts import Place

Said = ColumnElement[str]
Lock = Mapping[str, Any]
Which = tuple[str, int | None]
"""An item of a page, and its row where it stands in one."""


def by_row(which: Which) -> tuple[str, int]:
    """The order of items: by name, rows by their numbers."""
    return which[0], which[1] or 0


ADDRESS = ("site_id", "subject_id", "visit", "visit_repeat", "form_id", "repeat", "item", "row")
"""The columns that say what a lock covers; all of them empty is the whole study."""

STRICTER = tuple(LockState)
"""The states, each stricter than the one before."""

SCOPES = ("study", "site", "subject", "visit", "page", "item")

_WORDS = {
    LockState.FROZEN: "This is frozen: its values stay as they are. A data manager can unfreeze it.",
    LockState.LOCKED: "This is locked until one person asks for it to be unlocked and a second grants it.",
    LockState.HARD_LOCKED: (
        "This is hard-locked: nobody writes here until one person asks for it to be unlocked and a second grants it."
    ),
}


class Locked(Conflict):
    """A write to what somebody has closed. It names the scope that is closed, how far, and since when."""

    code = "locked"
    title = "This is closed to changes"


def gate(study_id: str) -> int:
    """The key of the advisory lock that a study's writers share."""
    return int.from_bytes(sha256(b"marrow.gate:" + study_id.encode()).digest()[:8], "big", signed=True)


ENTERING = func.pg_advisory_xact_lock_shared(bindparam("gate", type_=BigInteger))
"""To be waited for in a statement before the one that reads the locks."""


def enter_gate(session: Session, study_id: str) -> None:
    """Wait until nobody is locking the study or a site of it, and keep them out until this transaction ends."""
    session.execute(select(ENTERING), {"gate": gate(study_id)})


def close_gate(session: Session, study_id: str) -> None:
    """Wait until everybody who writes in the study has finished, and keep others out until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(gate(study_id))))


def covering(study: Said, site: Said, subject: Said | None) -> ScalarSelect[Any]:
    """The locks of the study, the site, and the subject with all that lies in it, as a column of another statement."""
    lock = models.lock
    told = [part for name in ("lock_id", "state", "since", *ADDRESS) for part in (name, lock.c[name])]
    above = lock.c.subject_id.is_(None) & or_(lock.c.site_id.is_(None), lock.c.site_id == site)
    within = null() if subject is None else lock.c.subject_id == subject
    return (
        select(
            type_coerce(func.coalesce(func.jsonb_agg(func.jsonb_build_object(*told)), func.jsonb_build_array()), JSONB)
        )
        .where(lock.c.study_id == study, lock.c.state != LockState.OPEN.value, or_(above, within))
        .scalar_subquery()
    )


def of_site(session: Session, study_id: str, site_id: str) -> Sequence[Lock]:
    """The locks of a site and of its study; whoever is going to write enters the gate first."""
    enter_gate(session, study_id)
    found: Sequence[Lock] = session.execute(_OF_SITE, {"study": study_id, "site": site_id}).scalar_one()
    return found


_OF_SITE = select(covering(bindparam("study", type_=Text), bindparam("site", type_=Text), None))


def scope_of(lock: Lock) -> str:
    """Which of `SCOPES` a lock is of."""
    columns = ("site_id", "subject_id", "visit", "form_id", "item")
    named = [scope for scope, column in zip(SCOPES[1:], columns, strict=True) if lock[column] is not None]
    return named[-1] if named else SCOPES[0]


def strictest(locks: Iterable[Lock], place: Place | None = None, items: Iterable[Which] = ()) -> Lock | None:
    """The strictest lock upon a subject, upon a page of it, or upon these items of the page; None if all is open."""
    asked = set(items)
    return next((lock for lock in in_order(locks) if covers(lock, place, asked)), None)


def in_order(locks: Iterable[Lock]) -> list[Lock]:
    """The strictest first, and of equally strict ones the widest."""
    return sorted(
        locks,
        key=lambda lock: (
            -STRICTER.index(lock["state"]),
            SCOPES.index(scope_of(lock)),
            *(str(lock[name] or "") for name in ADDRESS),
        ),
    )


def touches(lock: Lock, place: Place) -> bool:
    """Whether a lock covers the page at `place`, or an item of it."""
    return covers(lock, place, {(lock["item"], lock["row"])})


def covers(lock: Mapping[str, Any], place: Place | None, items: Collection[Which] = ()) -> bool:
    """Whether what an address names (the columns of ADDRESS) holds a subject, a page of it, or one of these items."""
    if lock["visit"] is None:
        return True
    if place is None or (lock["visit"], lock["visit_repeat"]) != place[:2]:
        return False
    if lock["form_id"] is None:
        return True
    if (lock["form_id"], lock["repeat"]) != place[2:]:
        return False
    return lock["item"] is None or any(item == lock["item"] and lock["row"] in {None, row} for item, row in items)


def assert_open(
    locks: Iterable[Lock], place: Place | None = None, items: Iterable[Which] = (), *, up_to: LockState
) -> None:
    """Raise Locked where something covers the subject, page or items that is stricter than `up_to`."""
    found = strictest(locks, place, items)
    if found is not None and STRICTER.index(found["state"]) > STRICTER.index(up_to):
        raise refusal(found)


def refusal(lock: Lock) -> Locked:
    """What is answered to whoever would write where `lock` is."""
    words = _WORDS[LockState(lock["state"])]
    fault = Fault("", "locked", words, item=lock["item"], row=lock["row"])
    return Locked(words, errors=[fault], members={"locked": described(lock)})


def described(lock: Lock) -> dict[str, Any]:
    """A lock as answers show it: its scope with the address as people write it, its state and since when."""
    return {
        "scope": scope_of(lock),
        "site": lock["site_id"],
        "subject": lock["subject_id"],
        **stated(lock),
        "item": lock["item"],
        "row": lock["row"],
        "state": lock["state"],
        "since": plain(datetime.fromisoformat(lock["since"])),
    }
