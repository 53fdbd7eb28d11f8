"""How often a password may be tried. Failures are read from the trail, so they are counted alike for every name.

Whether an account of that name exists plays no part: the failures of a name that nobody has are recorded, counted
and refused in the same way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

FEW, WINDOW = 5, timedelta(minutes=15)
"""So many failures in so long a time, and the name is refused until the first of them is as old."""

MANY, LOCK = 10, timedelta(hours=24)
"""So many failures without a success between them and with less than `LOCK` between two, and it is locked."""

_NAMES = UUID("6f7c3d0e-5b0a-5a55-9c53-2f6d6a8f7d11")


def key(folded: str) -> UUID:
    """How the trail names a user name, whether or not somebody has it."""
    return uuid5(_NAMES, folded)


def refused_until(failures: Sequence[datetime], now: datetime) -> datetime | None:
    """Until when a name is refused after these failures since its last success, newest first; None if it is not.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 31, 12, tzinfo=UTC)
    >>> refused_until([noon - timedelta(minutes=m) for m in (1, 2, 3, 4, 10)], noon)
    datetime.datetime(2026, 3, 31, 12, 5, tzinfo=datetime.timezone.utc)
    """
    until = None
    if len(failures) >= FEW:
        until = failures[FEW - 1] + WINDOW
    if len(failures) >= MANY and all(later - earlier < LOCK for later, earlier in pairwise(failures[:MANY])):
        until = failures[0] + LOCK
    return until if until is not None and until > now else None
