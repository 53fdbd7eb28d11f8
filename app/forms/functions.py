"""The functions forms and studies may call in an expression, beside the ones CEL brings.

Each takes and gives plain values. Whatever cannot be answered raises, and the engine turns that into "indeterminate".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from cel_expr_python import cel

from app.forms.dates import bounds

DAYS_PER_MONTH = 30.4375  # 365.25 / 12, the month of the published scales


def _first(text: str) -> date:
    found = bounds(text)
    if found is None:
        raise ValueError("not a date")
    return found[0]


def days_between(start: str, end: str) -> float:
    """Days from `start` to `end`, `end` - `start`; a partial date counts as its first possible day."""
    return float((_first(end) - _first(start)).days)


def months_between(start: str, end: str) -> float:
    """Months of 30.4375 days from `start` to `end`."""
    return (_first(end) - _first(start)).days / DAYS_PER_MONTH


def age_years(birth: str, at: str) -> float:
    """Completed years of age on the day `at`; born on 29 February, one is a year older on 1 March."""
    born, day = _first(birth), _first(at)
    return float(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


def lower_bound(partial: str) -> str:
    """The first day a partial date can mean, YYYY-MM-DD."""
    return _first(partial).isoformat()


def upper_bound(partial: str) -> str:
    """The last day a partial date can mean, YYYY-MM-DD."""
    found = bounds(partial)
    if found is None:
        raise ValueError("not a date")
    return found[1].isoformat()


@dataclass(frozen=True, slots=True)
class Published:
    """A function of the expression language: its Python body and how many texts it takes."""

    body: Callable[..., Any]
    arguments: int
    result: str  # "number" | "text"


PUBLISHED = {
    "days_between": Published(days_between, 2, "number"),
    "months_between": Published(months_between, 2, "number"),
    "age_years": Published(age_years, 2, "number"),
    "lower_bound": Published(lower_bound, 1, "text"),
    "upper_bound": Published(upper_bound, 1, "text"),
}


def declarations(parameter: cel.Type) -> list[cel.FunctionDecl]:
    """The functions as CEL declarations whose parameters are all of the type `parameter`."""
    results = {"number": cel.Type.DOUBLE, "text": cel.Type.STRING}
    return [
        cel.FunctionDecl(
            name,
            [cel.Overload(f"{name}_text", results[f.result], [parameter] * f.arguments, is_member=False, impl=f.body)],
        )
        for name, f in PUBLISHED.items()
    ]
