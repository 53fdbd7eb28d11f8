"""An endpoint over many subjects: how often each outcome was first, and the curve where the study reads it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.clinical.endpoints.estimate import Estimate, cumulative_incidence, kaplan_meier, points
from app.clinical.endpoints.result import Result, Spec, Status


def competes(spec: Spec) -> bool:
    """Whether an endpoint has competing events: then it is read as an incidence, never as one minus Kaplan-Meier."""
    return any(kind is Status.COMPETING for _, kind in spec.outcomes)


def estimate(spec: Spec, results: Sequence[Result]) -> Estimate | None:
    """The curve at the reading day, or at the horizon of a truncated endpoint, whichever comes first."""
    days = [day for day in (spec.report_day, spec.truncate_day) if day is not None]
    if not days:
        return None
    day = min(days)
    data = points(results)
    return cumulative_incidence(data, day) if competes(spec) else kaplan_meier(data, day)


def estimate_of(spec: Spec, results: Sequence[Result]) -> dict[str, Any] | None:
    """The estimate as answers show it: figures as decimal texts with six digits."""
    found = estimate(spec, results)
    if found is None:
        return None
    method = "cumulative incidence" if competes(spec) else "Kaplan-Meier"
    shown = {name: format(value, ".6f") if isinstance(value, float) else value for name, value in asdict(found).items()}
    return {"method": method} | shown
