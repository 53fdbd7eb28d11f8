"""Days and instants as an address gives them: written out, never a number that could be read as one."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(_DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}.*")


def _day(value: Any) -> Any:
    """Pydantic reads 86400 as the second of January 1970: a count of seconds is no day."""
    if type(value) is not date and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise PydanticCustomError("date_parsing", "not a date")
    return value


def _instant(value: Any) -> Any:
    if not isinstance(value, datetime) and not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise PydanticCustomError("datetime_parsing", "not a moment")
    return value


def local_day(at: datetime, zone: str) -> date:
    """The day of an instant in a time zone; at the very ends of the calendar that of the instant as it is written."""
    try:
        return at.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return at.date()


Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
