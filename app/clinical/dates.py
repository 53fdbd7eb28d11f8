"""Dates as they are known: to the day, to the month, to the year, or not at all.

A date that cannot be used is a `Query`, a question to the site, and never an exception or a guess.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

DAYS_PER_MONTH = Decimal("30.4375")  # 365.25 / 12
MID_DAY = 15  # a death known to the month is put on the 15th
MID_YEAR = (6, 30)  # a death known to the year is put on 30 June
_SHAPE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class Precision(StrEnum):
    """How much of a date is known."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


class Reason(StrEnum):
    """Why a date cannot be used."""

    UNKNOWN = "DATE_UNKNOWN"
    INVALID = "DATE_INVALID"
    ALIVE_LATER = "ALIVE_AFTER_DEATH"
    NO_DAY_LEFT = "NO_DAY_LEFT"
    ENDS_BEFORE_START = "ENDS_BEFORE_START"
    CONFLICT = "DATES_DISAGREE"


@dataclass(frozen=True, slots=True)
class Query:
    """A question instead of a value: which rule asks, and what to do. Never carries what was entered."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Partial:
    """A date at the precision collected: every day from `lower` to `upper` is possible."""

    raw: str
    lower: date
    upper: date
    precision: Precision


@dataclass(frozen=True, slots=True)
class Imputed:
    """One day, with ADaM's imputation flag: "" complete, "D" day imputed, "M" month and day imputed."""

    date: date
    flag: str


class Policy(StrEnum):
    """Which day a partial date stands for."""

    DEATH = "death"
    RELAPSE = "relapse"
    AE_START = "ae_start"
    AE_END = "ae_end"
    FIRST = "first"


_FLAG = {Precision.DAY: "", Precision.MONTH: "D", Precision.YEAR: "M"}


@lru_cache(maxsize=8192)  # a study has far more dates than days
def parse(raw: str | None) -> Partial | Query:
    """Read "2024", "2024-03" or "2024-03-07"; nothing at all is unknown, anything else invalid."""
    text = (raw or "").strip()
    if not text:
        return Query(Reason.UNKNOWN, "The date is not known: find out at least its year and month")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return Query(Reason.INVALID, "Write the date as YYYY-MM-DD, or YYYY-MM or YYYY when no more is known")
    year, month, day = shape.groups()
    try:
        lower = date(int(year), int(month or "1"), int(day or "1"))
    except ValueError:
        return Query(Reason.INVALID, "There is no such day in the calendar: correct the date")
    if day is not None:
        return Partial(text, lower, lower, Precision.DAY)
    last = 12 if month is None else lower.month
    upper = date(lower.year, last, calendar.monthrange(lower.year, last)[1])
    return Partial(text, lower, upper, Precision.YEAR if month is None else Precision.MONTH)


def impute(
    policy: Policy,
    partial: Partial | Query,
    *,
    alive: date | None = None,
    last_negative: date | None = None,
    first_dose: date | None = None,
    start: date | None = None,
    cutoff: date | None = None,
) -> Imputed | Query:
    """The one day a date stands for under `policy`, always within the stated period, or a Query.

    - death: the 15th, or 30 June; not before `alive` (last known alive), not after `cutoff` when the period
      contains it. Known alive after the stated period is a contradiction, for a complete date too.
    - relapse: the earliest possible day after `last_negative`.
    - ae_start: the first day, or `first_dose` when the period contains it.
    - ae_end: the last day, the longest the event can have lasted; not cut at the cut-off (after it, the event was
      still going on). A period that ends before `start` is a contradiction.
    - first: the first day. Someone seen in a month was alive on its first day.

    A complete date is never moved.
    """
    if isinstance(partial, Query):
        return partial
    if policy is Policy.DEATH:
        return _death(partial, alive, cutoff)
    day = partial.lower
    if partial.precision is Precision.DAY:
        pass
    elif policy is Policy.RELAPSE and last_negative is not None:
        day = max(day, shifted(last_negative, 1))
        if day > partial.upper:
            return Query(Reason.NO_DAY_LEFT, "No day is left after the last negative assessment: check both dates")
    elif policy is Policy.AE_START and first_dose is not None and partial.lower <= first_dose <= partial.upper:
        day = first_dose
    elif policy is Policy.AE_END:
        day = partial.upper
    if policy is Policy.AE_END and start is not None and day < start:
        return Query(Reason.ENDS_BEFORE_START, "The end lies before the start: check both dates")
    return Imputed(day, _FLAG[partial.precision])


def _death(partial: Partial, alive: date | None, cutoff: date | None) -> Imputed | Query:
    earliest, latest, day = partial.lower, partial.upper, partial.lower
    if partial.precision is Precision.MONTH:
        day = day.replace(day=MID_DAY)
    elif partial.precision is Precision.YEAR:
        day = date(day.year, *MID_YEAR)
    if cutoff is not None and earliest <= cutoff <= latest:
        latest = cutoff
    if alive is not None:
        earliest = max(earliest, alive)
    if earliest > latest:
        return Query(Reason.ALIVE_LATER, "The subject was known alive after this date: check death and last contact")
    return Imputed(min(max(day, earliest), latest), _FLAG[partial.precision])


def shifted(day: date, by: int) -> date:
    """`day` moved by so many days, at most to the ends of the calendar: no entered date can break the arithmetic."""
    return date.fromordinal(min(max(day.toordinal() + by, 1), date.max.toordinal()))


def days(start: date, end: date) -> int:
    """Days as ADaM counts them, end - start + 1: the same day is 1. Before the start no 1 is added: never 0."""
    difference = (end - start).days
    return difference + 1 if difference >= 0 else difference


def months(start: date, end: date) -> Decimal:
    """`days` divided by 30.4375, not rounded. Calendar months would give other values."""
    return Decimal(days(start, end)) / DAYS_PER_MONTH
