"""The one place that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC, with microseconds."""
    return datetime.now(UTC)
