"""The functions forms and studies may call in an expression, beside the ones CEL brings.

Each takes and gives plain values. Whatever cannot be answered raises, and the engine turns that into "indeterminate".
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Any, Literal

from cel_expr_python import cel

from app.forms.dates import bounds

DAYS_PER_MONTH = 30.4375  # 365.25 / 12, the month of the published scales


_EXACT = Context(prec=40)


def _exact(number: float) -> Decimal:
    """The decimal that was written: a double holds up to 15 digits of it, and its shortest text gives them back."""
    return Decimal(repr(number))


def times(factor: float, limit: float) -> float:
    """A multiple of a limit, worked out in decimals: 1.5 times 1.2 is 1.8."""
    return float(_EXACT.multiply(_exact(factor), _exact(limit)))


def ratio(value: float, to: float) -> float:
    """How many times `to` a value is, worked out in decimals; nothing can be said of a ratio to zero."""
    return float(_EXACT.divide(_exact(value), _exact(to)))


def change_pct(before: float, after: float) -> float:
    """The change from `before` to `after` in percent of `before`, worked out in decimals; a fall is negative."""
    rise = _EXACT.subtract(_exact(after), _exact(before))
    return float(_EXACT.divide(_EXACT.multiply(rise, Decimal(100)), _exact(before)))


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


Taken = Literal["text", "number"]


@dataclass(frozen=True, slots=True)
class Published:
    """A function of the expression language: its Python body, how many values it takes, and of which kind."""

    body: Callable[..., Any]
    arguments: int
    result: Taken
    takes: Taken = "text"


PUBLISHED = {
    "days_between": Published(days_between, 2, "number"),
    "months_between": Published(months_between, 2, "number"),
    "age_years": Published(age_years, 2, "number"),
    "lower_bound": Published(lower_bound, 1, "text"),
    "upper_bound": Published(upper_bound, 1, "text"),
    "times": Published(times, 2, "number", takes="number"),
    "ratio": Published(ratio, 2, "number", takes="number"),
    "change_pct": Published(change_pct, 2, "number", takes="number"),
}


def declarations(text: cel.Type, number: cel.Type) -> list[cel.FunctionDecl]:
    """The functions as CEL declarations whose parameters are of the types given for texts and for numbers."""
    results = {"number": cel.Type.DOUBLE, "text": cel.Type.STRING}
    parameters = {"number": number, "text": text}
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"{name}_{f.takes}",
                    results[f.result],
                    [parameters[f.takes]] * f.arguments,
                    is_member=False,
                    impl=f.body,
                )
            ],
        )
        for name, f in PUBLISHED.items()
    ]
