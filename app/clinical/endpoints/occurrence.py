"""The values the engine works on: one dated fact, where it was read, and the visits that were planned."""

import datetime as dt
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from app.clinical.dates import Partial, Precision, Query, parse


class Source(NamedTuple):
    """The exact item a fact was read from; `show`: (item, value) pairs the study file wants beside it."""

    form: str
    visit: str
    repeat: int
    item: str
    revision: int
    row: int | None = None
    show: tuple[tuple[str, str], ...] = ()


class Occurrence(NamedTuple):
    """One time something happened, between `lower` and `upper` (None: not known).

    `date` is the day used. It is None while a partial date awaits its policy, and for good when there is a `problem`
    (a `Reason` code): the fact is known, its day is not. `until` closes an interval such as a gap (`date.max` while
    it is open).
    """

    lower: dt.date | None
    upper: dt.date | None
    raw: str = ""
    date: dt.date | None = None
    flag: str = ""
    sources: tuple[Source, ...] = ()
    problem: str | None = None
    until: dt.date | None = None


class Planned(NamedTuple):
    """One planned visit of this subject: its code, target day and window, both ends inclusive."""

    visit: str
    target: date
    opens: date
    closes: date


class Track(NamedTuple):
    """All occurrences of one milestone: those with a day, earliest first, and those without."""

    dated: tuple[Occurrence, ...] = ()
    doubts: tuple[Occurrence, ...] = ()


NOTHING = Track()


def occurrence(raw: str | None, *sources: Source) -> Occurrence:
    """A fact as written on the page: "2024-03-07", "2024-03", "2024", or nothing (it happened, nobody knows when)."""
    lower, upper, text, day, problem = _read(raw)
    return Occurrence(lower, upper, text, day, "", sources, problem)


@lru_cache(maxsize=8192)  # a study has far more dates than days
def _read(raw: str | None) -> tuple[date | None, date | None, str, date | None, str | None]:
    known = parse(raw)
    if isinstance(known, Query):
        return None, None, (raw or "").strip(), None, known.reason
    return known.lower, known.upper, known.raw, known.lower if known.precision is Precision.DAY else None, None


def on(day: date, *sources: Source) -> Occurrence:
    """A fact whose day is known."""
    return Occurrence(day, day, "", day, "", sources)


def partial(fact: Occurrence) -> Partial | None:
    """The stated period of an occurrence whose day is still to be chosen."""
    if fact.lower is None or fact.upper is None:
        return None
    month = (fact.lower.year, fact.lower.month) == (fact.upper.year, fact.upper.month)
    return Partial(fact.raw, fact.lower, fact.upper, Precision.MONTH if month else Precision.YEAR)


def doubt(lower: date | None, upper: date | None, problem: str, sources: tuple[Source, ...] = ()) -> Occurrence:
    """Something that happened, or may have happened, on no certain day."""
    return Occurrence(lower, upper, "", None, "", sources, problem)


def may_be_from(fact: Occurrence, day: date) -> bool:
    """Whether an imputed day lies before `day`, and its stated period goes on until then: it may have been either."""
    return (
        bool(fact.flag) and fact.date is not None and fact.date < day and fact.upper is not None and day <= fact.upper
    )


def may_precede(fact: Occurrence, day: date) -> bool:
    """Whether an undatable fact can lie before `day`."""
    return fact.lower is None or fact.lower < day


def may_follow(fact: Occurrence, day: date) -> bool:
    """Whether an undatable fact can lie after `day`."""
    return fact.upper is None or fact.upper > day
