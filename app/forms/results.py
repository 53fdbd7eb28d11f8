"""From what a formula or a published rule gave to the answer of a computed item, and from answers to expressions."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from typing import Any

from app.forms.asking import FLOOR, NE, Outcome
from app.forms.dates import is_date
from app.forms.definition import DEFAULT_LENGTH, ComputedType, Item
from app.forms.expressions import INDETERMINATE
from app.forms.values import MAX_DIGITS, MAX_INTEGER, convert, value_of

_SHOWN_DECIMALS = 10  # of a computed decimal without `digits`
_YES_NO = {"1": "Y", "0": "N", "Y": "Y", "N": "N"}


def variable(item: Item, answer: Any) -> Any:
    """A stored answer as an expression sees it: numbers as doubles in the canonical unit."""
    if answer is None:
        return None
    return _number(item, answer) if item.is_number else value_of(answer)


def variable_of(item: Item) -> Callable[[Any], Any]:
    """`variable` of one item, for whoever asks for it on many pages."""
    return partial(_number, item) if item.is_number else value_of


def _number(item: Item, answer: Any) -> float | None:
    if type(answer) is str:
        return float(answer)
    number = convert(item, answer)
    return None if number is None else float(number)


def result_of(item: Item, value: Any) -> Any:
    """What a formula gave as a canonical answer; None where it gave nothing that fits."""
    if value is INDETERMINATE:
        return None
    if item.result in {ComputedType.DECIMAL, ComputedType.INTEGER}:
        return _rounded(item, value)
    if item.result is ComputedType.YES_NO:
        if isinstance(value, bool):
            return "Y" if value else "N"
        return value if value in ("Y", "N") else None
    if not isinstance(value, str) or (item.result is ComputedType.DATE and not is_date(value)):
        return None
    return value[:DEFAULT_LENGTH] or None


def _rounded(item: Item, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or abs(value) >= 10**MAX_DIGITS:
        return None
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if item.result is ComputedType.INTEGER:
        whole = int(number.to_integral_value(ROUND_HALF_EVEN))
        return whole if abs(whole) <= MAX_INTEGER else None
    places = _SHOWN_DECIMALS if item.digits is None else item.digits
    number = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if item.digits is None:
        number = number.normalize()
    return format(abs(number) if number.is_zero() else number, "f")


def output_of(item: Item, outcome: Outcome) -> Any:
    """The result of a published rule as the answer of the item it feeds: NE only where the item is a text."""
    if item.output == FLOOR:
        value = outcome.floor if outcome.value == NE else outcome.value
    else:
        value = outcome.value if item.output is None else outcome.results.get(item.output)
    if isinstance(value, datetime):
        value = value.isoformat(timespec="minutes")
    elif isinstance(value, date):
        value = value.isoformat()
    if value is None or (value == NE and item.result is not ComputedType.TEXT):
        return None
    if item.result is ComputedType.YES_NO:
        return _YES_NO.get(str(value))
    if item.result in {ComputedType.DECIMAL, ComputedType.INTEGER} and isinstance(value, str):
        value = Decimal(value)
    return result_of(item, value)
