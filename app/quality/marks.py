"""What people have said of the pages of a subject, as a page shows it: how far it is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.models.marks import LockState
from app.subjects import locked
from app.subjects.facts import Place
from app.subjects.locked import Lock


@dataclass(frozen=True, slots=True)
class Marks:
    """The locks upon a subject and what lies in it."""

    locks: Sequence[Lock]

    @property
    def state(self) -> str:
        """How far the subject as a whole is closed."""
        return _state(locked.strictest(self.locks))

    def on(self, place: Place) -> dict[str, Any]:
        """What a page shows: how far it is closed, and each lock upon it or upon an item of it."""
        return {
            "lock": _state(locked.strictest(self.locks, place)),
            "locks": [locked.described(lock) for lock in locked.in_order(self.locks) if locked.touches(lock, place)],
        }


def _state(lock: Lock | None) -> str:
    return LockState.OPEN.value if lock is None else str(lock["state"])
