"""Curves read at a day: Kaplan-Meier, and cumulative incidence with competing events.

Time is the plain difference in days between the time zero and the end of follow-up, so that day 100 and day 365 mean
the same as in the transplant day. Events on the day itself have happened by then.

Kaplan and Meier, JASA 1958;53:457 with Greenwood's variance; Aalen and Johansen, Scand J Statist 1978;5:141, with the
variance of Aalen, Ann Statist 1978;6:534. Limits are Wald limits, plain or on the log(-log) scale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import Literal, NamedTuple

from app.clinical.endpoints.result import Result, Status

Limits = Literal["log-log", "plain"]


class Point(NamedTuple):
    """One subject: how long followed, what ended it (0 censored, 1 event, 2 competing), at risk from `entry` on."""

    time: int
    status: int
    entry: int = -1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A curve read at `day`; None where there is no such number (limits before any event, error with nobody left)."""

    day: int
    at_risk: int
    value: float
    std_err: float | None
    lower: float | None
    upper: float | None


def points(results: Iterable[Result]) -> list[Point]:
    """The results that have a number, as points of a curve."""
    made = []
    for result in results:
        if result.start is not None and result.adt is not None and result.status is not Status.QUERY:
            entry = -1 if result.entry is None else (result.entry - result.start).days - 1
            made.append(Point((result.adt - result.start).days, int(result.status), entry))
    return made


def kaplan_meier(
    data: Sequence[Point], day: int, *, limits: Limits = "log-log", confidence: float = 0.95
) -> Estimate | None:
    """The share without event at `day`; None without data. A competing event counts as censored here."""
    data = _followed(data)
    if not data:
        return None
    survival, hazard = 1.0, 0.0
    for _, at_risk, events, _ in _steps(data, day):
        survival *= 1 - events / at_risk
        hazard += events / (at_risk * (at_risk - events)) if at_risk > events else inf
    std_err = survival * sqrt(hazard) if survival > 0 else None
    return _estimate(data, day, survival, std_err, limits, confidence)


def cumulative_incidence(
    data: Sequence[Point], day: int, *, cause: int = 1, limits: Limits = "log-log", confidence: float = 0.95
) -> Estimate | None:
    """The share that had `cause` first (1 event, 2 competing) by `day`; None without data."""
    data = _followed(data)
    if not data:
        return None
    survival, incidence = 1.0, 0.0
    steps: list[tuple[float, float, float, float, float]] = []  # before, after, incidence, variance of cause, of others
    for _, at_risk, one, two in _steps(data, day):
        mine, others = (one, two) if cause == 1 else (two, one)
        before = survival
        survival *= 1 - (mine + others) / at_risk
        incidence += before * mine / at_risk
        steps.append((before, survival, incidence, _variance(mine, at_risk), _variance(others, at_risk)))
    variance = 0.0
    for before, after, so_far, mine_variance, others_variance in steps:
        lost = before * (incidence - so_far) / after if after > 0 else 0.0
        variance += (before - lost) ** 2 * mine_variance + lost**2 * others_variance
    return _estimate(data, day, incidence, sqrt(variance), limits, confidence)


def _followed(data: Sequence[Point]) -> list[Point]:
    """Without those who left before they entered."""
    return [point for point in data if point.entry < point.time]


def _variance(events: int, at_risk: int) -> float:
    """Of the increment events / at_risk, with Aalen's correction for ties."""
    return events * (at_risk - events) / ((at_risk - 1) * at_risk**2) if events > 1 else events / at_risk**2


def _steps(data: Sequence[Point], day: int) -> list[tuple[int, int, int, int]]:
    """(time, at risk just before, events, competing events) at every time up to `day` at which something happened."""
    times = sorted({point.time for point in data if point.status and point.time <= day})
    return [
        (
            time,
            sum(point.entry < time <= point.time for point in data),
            sum(point.time == time and point.status == 1 for point in data),
            sum(point.time == time and point.status > 1 for point in data),
        )
        for time in times
    ]


def _estimate(
    data: Sequence[Point], day: int, value: float, std_err: float | None, limits: Limits, confidence: float
) -> Estimate:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    at_risk = sum(point.entry < day <= point.time for point in data)
    if std_err is None:
        return Estimate(day, at_risk, value, None, None, None)
    if limits == "plain":
        lower, upper = max(value - z * std_err, 0.0), min(value + z * std_err, 1.0)
        return Estimate(day, at_risk, value, std_err, lower, upper)
    if not 0 < value < 1:
        return Estimate(day, at_risk, value, std_err, None, None)
    wide = z * std_err / (value * log(value))
    one, other = value ** exp(wide), value ** exp(-wide)
    return Estimate(day, at_risk, value, std_err, min(one, other), max(one, other))
