"""Proportions: how many of a population had a response, and which of its members are not counted yet."""

import datetime as dt
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from app.clinical.dates import shifted
from app.clinical.endpoints.definition import Rate
from app.clinical.endpoints.milestones import History
from app.clinical.endpoints.occurrence import Occurrence, may_precede


class Answer(StrEnum):
    """Whether one subject responded. NA: not in the population, or not followed to the day yet."""

    YES = "Y"
    NO = "N"
    NA = "NA"
    QUERY = "QUERY"


class RateResult(NamedTuple):
    """One subject's answer; `date`, `milestone` and `fact` are the first response, or what is asked about."""

    answer: Answer
    date: dt.date | None = None
    milestone: str | None = None
    fact: Occurrence | None = None


class Proportion(NamedTuple):
    """A rate over subjects: `n` in the population with an answer, `responders` among them."""

    n: int
    responders: int
    not_counted: int
    queries: int

    @property
    def value(self) -> float | None:
        """The proportion; None in an empty population."""
        return self.responders / self.n if self.n else None


def rate(definition: Rate, history: History) -> RateResult:
    """Whether a subject responded by the cut-off, and by `by_day` from the origin when the rate has one.

    Who was never evaluated is a non-responder. Whoever has not come to `by_day` at the cut-off, alive and without a
    response, is not counted yet.
    """
    limit = history.cutoff or date.max
    needed = (*definition.population, *((definition.origin,) if definition.origin is not None else ()))
    asks: RateResult | None = None
    for name in needed:
        dated, doubts = history.of(name)
        if not any((fact.date or limit) <= limit for fact in dated):
            if not doubts:
                return RateResult(Answer.NA, milestone=name)
            asks = asks or RateResult(Answer.QUERY, milestone=name, fact=doubts[0])
    if asks is not None:
        return asks
    start = None if definition.origin is None else history.of(definition.origin).dated[0].date
    last = limit
    if start is not None and definition.by_day is not None:
        last = shifted(start, definition.by_day)
    first = _first_response(definition, history, start, min(last, limit))
    if first.answer is Answer.NO and last > limit and not any(history.of(name).dated for name in _once(history)):
        return RateResult(Answer.NA)
    return first


def proportion(results: Iterable[RateResult]) -> Proportion:
    """Population counts over subjects."""
    answers = [result.answer for result in results]
    yes, no = answers.count(Answer.YES), answers.count(Answer.NO)
    return Proportion(yes + no, yes, answers.count(Answer.NA), answers.count(Answer.QUERY))


def _once(history: History) -> tuple[str, ...]:
    return history.definitions.once


def _first_response(definition: Rate, history: History, start: date | None, last: date) -> RateResult:
    best = RateResult(Answer.NO)
    asks: RateResult | None = None
    for name in definition.responder:
        dated, doubts = history.of(name, start)
        for fact in dated:
            day = fact.date
            if day is None or day > last or (start is not None and day < start):
                continue
            if best.date is None or day < best.date:
                best = RateResult(Answer.YES, day, name, fact)
            break
        for fact in doubts:
            in_time = may_precede(fact, shifted(last, 1)) and (
                start is None or fact.upper is None or fact.upper >= start
            )
            if in_time and asks is None:
                asks = RateResult(Answer.QUERY, milestone=name, fact=fact)
    return asks if asks is not None and best.answer is Answer.NO else best
