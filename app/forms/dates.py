"""Calendar dates and partial dates as they are written on a page: 2024, 2024-05 or 2024-05-17."""

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1900, 2200

# [0-9] and not \d: the latter also takes Arabic-Indic and full-width digits
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


@lru_cache(maxsize=8192)
def bounds(text: str) -> tuple[date, date] | None:
    """First and last possible day of a full or partial date; None where it is no real date in 1900-2200."""
    found = _PARTIAL.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        if month is None:
            return date(year, 1, 1), date(year, 12, 31)
        if day is None:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return date(year, month, day), date(year, month, day)
    except ValueError:
        return None


def is_date(text: str) -> bool:
    """A real day written YYYY-MM-DD."""
    return len(text) == len("YYYY-MM-DD") and bounds(text) is not None


def is_partial_date(text: str) -> bool:
    """A real day, month or year: YYYY-MM-DD, YYYY-MM or YYYY."""
    return bounds(text) is not None


def is_time(text: str) -> bool:
    """A time of day HH:MM, 00:00 to 23:59."""
    return _TIME.fullmatch(text) is not None
