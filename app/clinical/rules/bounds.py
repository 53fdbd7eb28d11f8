"""Cells of published tables that a value is compared with: "<5", ">=1.0", and the stage that a grade begins at.

Code reads the very cells that the page prints, so that a limit stands in one place, with its inequality sign.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

NONE = "-"  # a cell that asks for nothing, or that nothing reaches
OTHERWISE = "otherwise"  # a cell that whatever no row above fits keeps
_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_BOUND = re.compile(r"(<=|>=|<|>)(\d+(?:\.\d+)?)", re.ASCII)

Rows = Iterable[tuple[Any, ...]]


@cache
def _parsed(cell: str) -> tuple[Callable[[Decimal, Decimal], bool], Decimal]:
    sign, number = _BOUND.fullmatch(cell).groups()  # type: ignore[union-attr]  # a table that is no table fails at once
    return _COMPARE[sign], Decimal(number)


def holds(cell: str, value: Decimal, of: Decimal = Decimal(1)) -> bool:
    """Whether a value keeps a bound such as ">=1.0", times `of`; every value keeps "otherwise", none keeps "-"."""
    if cell in {NONE, OTHERWISE}:
        return cell == OTHERWISE
    compare, limit = _parsed(cell)
    return compare(value, limit * of)


def limit(cell: str) -> Decimal:
    """The number of a bound."""
    return _parsed(cell)[1]


def limits(cells: Iterable[Any]) -> tuple[Decimal, ...]:
    """The numbers of those cells that are bounds, each once: where a result can change."""
    found: Iterator[Decimal] = (limit(cell) for cell in cells if isinstance(cell, str) and _BOUND.fullmatch(cell))
    return tuple(dict.fromkeys(found))


def category(rows: Rows, value: Decimal, column: int = 1) -> str:
    """The first cell of the first row whose bound in `column` the value keeps: rows stand worst first."""
    return str(next(row[0] for row in rows if holds(row[column], value)))


def reached(rows: Rows, stages: Sequence[int], otherwise: str) -> str:
    """The first cell of the first row, worst first, of which any stage reaches its own column; "-" is never reached."""
    for grade, *needed in rows:
        if any(least != NONE and stage >= int(least) for stage, least in zip(stages, needed, strict=True)):
            return str(grade)
    return otherwise
