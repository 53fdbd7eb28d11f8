"""What an endpoint compiles to and what evaluating it returns, with the published codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from app.clinical.endpoints.definition import Endpoint, Words
from app.clinical.endpoints.milestones import Milestones
from app.clinical.endpoints.occurrence import Occurrence, Source


class Status(StrEnum):
    """What happened first."""

    CENSORED = "0"
    EVENT = "1"
    COMPETING = "2"
    NA = "NA"
    QUERY = "QUERY"


class Why(StrEnum):
    """Why there is no number (NA, QUERY), or why follow-up ended (censored)."""

    NOT_IN_POPULATION = "NOT_IN_POPULATION"
    NO_ORIGIN = "NO_ORIGIN"
    NOT_ENTERED = "NOT_ENTERED"
    BEFORE_ENTRY = "BEFORE_ENTRY"
    UNDATED = "UNDATED"
    UNDATED_ORIGIN = "UNDATED_ORIGIN"
    ONCE_BEFORE_ORIGIN = "ONCE_BEFORE_ORIGIN"
    LAST_FOLLOW_UP = "LAST_FOLLOW_UP"
    NO_FOLLOW_UP = "NO_FOLLOW_UP"
    AT_CUTOFF = "AT_CUTOFF"
    AT_HORIZON = "AT_HORIZON"
    EXTRA = "EXTRA"


# ADaM's CNSR. Statistical packages read 0/1/2 as event, censored, competing; why a subject was censored is `Why`.
CNSR: Mapping[Status, int | None] = {
    Status.EVENT: 0,
    Status.CENSORED: 1,
    Status.COMPETING: 2,
    Status.NA: None,
    Status.QUERY: None,
}


@dataclass(frozen=True, slots=True)
class Spec:
    """One variant of one endpoint, compiled against the milestones of its study version."""

    code: str
    variant: str
    label: Words
    variant_label: Words
    basis: Words | None
    suggested: bool
    report_day: int | None
    population: tuple[str, ...]
    origin: str
    outcomes: tuple[tuple[str, Status], ...]
    censor: tuple[str, ...]
    censors_alive: bool  # a fact after the cut-off proves the censoring state at the cut-off
    truncate_day: int | None
    redate_to_origin: tuple[str, ...]
    censor_at: tuple[tuple[str, str | None], ...]
    entry: str | None
    milestones: Milestones


def compile_specs(
    endpoints: Iterable[Endpoint], milestones: Milestones, *, report_day: int | None = None
) -> tuple[Spec, ...]:
    """Every variant of every endpoint, the primary one first, in the order of the study file.

    `report_day` is the study's: where the curve of an endpoint with neither a day nor a horizon is read.
    """
    return tuple(
        Spec(
            code=endpoint.code,
            variant=variant,
            label=endpoint.label,
            variant_label=words,
            basis=resolved.basis,
            suggested=endpoint.suggested,
            report_day=report_day
            if resolved.report_day is None and resolved.truncate_day is None
            else resolved.report_day,
            population=resolved.population,
            origin=resolved.origin,
            outcomes=tuple(
                (outcome.milestone, Status.EVENT if outcome.event is not None else Status.COMPETING)
                for outcome in resolved.outcomes
            ),
            censor=resolved.censor,
            censors_alive=not milestones.clamped.isdisjoint(resolved.censor),
            truncate_day=resolved.truncate_day,
            redate_to_origin=resolved.redate_to_origin,
            censor_at=tuple((rule.milestone, rule.at) for rule in resolved.censor_at),
            entry=resolved.entry,
            milestones=milestones,
        )
        for endpoint in endpoints
        for variant, words, resolved in endpoint.resolved()
    )


class Result(NamedTuple):
    """One subject's result: `adt` and `start` are None for NA and QUERY.

    `milestone` and `fact` decided: the outcome, the censoring fact, or for NA and QUERY what was missing or asks.
    `entry` is the first day at risk when the endpoint has delayed entry.
    """

    spec: Spec
    status: Status
    why: Why | None = None
    start: date | None = None
    adt: date | None = None
    milestone: str | None = None
    fact: Occurrence | None = None
    origin: Occurrence | None = None
    entry: date | None = None

    @property
    def days(self) -> int | None:
        """ADaM's AVAL: adt - start + 1, at least 1."""
        return None if self.start is None or self.adt is None else (self.adt - self.start).days + 1

    @property
    def cnsr(self) -> int | None:
        """ADaM's CNSR: 0 event, 1 censored, 2 competing event."""
        return CNSR[self.status]

    @property
    def flag(self) -> str:
        """ADaM's ADTF: how much of `adt` was imputed."""
        if self.adt is None:
            return ""
        if self.fact is not None and self.adt == self.fact.date:
            return self.fact.flag
        return self.start_flag if self.adt == self.start else ""

    @property
    def start_flag(self) -> str:
        """How much of `start` was imputed."""
        return "" if self.origin is None else self.origin.flag

    @property
    def sources(self) -> tuple[Source, ...]:
        """The items that decided, and before them those of the time zero."""
        return (*(self.origin.sources if self.origin else ()), *(self.fact.sources if self.fact else ()))
