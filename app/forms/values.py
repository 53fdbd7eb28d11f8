"""One answer to one item: from what arrived to what is stored, or the code of what is wrong with it."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Context as DecimalContext
from decimal import Decimal
from typing import Any, NamedTuple

from app.forms.dates import bounds, is_date, is_partial_date, is_time
from app.forms.definition import DEFAULT_LENGTH, Item, ItemType

MAX_INTEGER = 2**53  # beyond it a JavaScript client cannot tell two integers apart
MAX_DIGITS = 15  # before and after the decimal point
_FLOAT_DIGITS = 15  # a JSON number with more significant digits is not what was typed

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # all but tab and newline; and lone surrogates
_EXACT = DecimalContext(prec=80)


class Unreadable(Exception):  # noqa: N818 (a sentence about the answer, caught in `reading`, not an error of the program)
    """An answer that cannot be stored; what it was is not kept."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Plain(NamedTuple):
    """A stored answer taken apart; all three are None where there is none."""

    value: Any
    unit: str | None
    missing: str | None


def plain(answer: Any) -> Plain:
    """Value, unit (None: the canonical one) and missing reason of a stored answer."""
    if isinstance(answer, dict):
        return Plain(answer.get("value"), answer.get("unit"), answer.get("missing"))
    return Plain(answer, None, None)


def value_of(answer: Any) -> Any:
    """The value of a stored answer, as it was entered."""
    return answer.get("value") if type(answer) is dict else answer


def convert(item: Item, answer: Any) -> Decimal | None:
    """A stored number in the item's canonical unit, exactly; None where there is no number."""
    if type(answer) is str and item.is_number:  # as most are stored
        return Decimal(answer)
    value, unit, _ = plain(answer)
    if isinstance(value, bool) or not isinstance(value, int | str) or not item.is_number:
        return None
    number = Decimal(value)
    return number if unit is None else _EXACT.multiply(number, item.factors[unit])


def in_unit_of(other: Item, item: Item, answer: Any) -> Decimal | None:
    """A stored number of `item` in the canonical unit of another version of it, exactly.

    From the unit that it was collected in, where that version takes it, else from the canonical one of its own. None
    where there is no number, and where that version takes neither.
    """
    number = convert(item, answer)
    if number is None or not other.is_number:
        return None
    value, unit, _ = plain(answer)
    if unit is None and item.unit == other.unit:
        return number
    for amount, stated in ((Decimal(value), unit), (number, item.unit)):
        factor = None if stated is None else other.factor(stated)
        if factor is not None:
            return _EXACT.multiply(amount, factor)
    return None


def read_answer(item: Item, raw: Any) -> Any:
    """The canonical answer, or None where there is none. Raises Unreadable."""
    if raw is None or raw == "":
        return None
    if item.type is ItemType.COMPUTED:
        raise Unreadable("computed")
    if type(raw) is str or not isinstance(raw, Mapping):
        return _READERS[item.type](item, raw, None)
    given = {key: value for key, value in raw.items() if value is not None and value != ""}
    unit = given.get("unit")
    if unit is not None and (not isinstance(unit, str) or unit not in {item.unit, *item.units}):
        raise Unreadable("unit", allowed=[known for known in (item.unit, *item.units) if known is not None])
    if "missing" in given:
        if len(given) > 1:
            raise Unreadable("value_and_missing")
        reason = given["missing"]
        if not isinstance(reason, str) or reason not in set(item.missing):
            raise Unreadable("missing_not_allowed", allowed=[str(reason) for reason in item.missing])
        return {"missing": str(reason)}
    if given.keys() - {"value", "unit"}:
        raise Unreadable("unknown_key", allowed=["value", "unit", "missing"])
    if "value" not in given:
        return None
    unit = None if unit == item.unit else unit
    value = _READERS[item.type](item, given["value"], unit)
    return value if unit is None or value is None else {"value": value, "unit": unit}


def _text(item: Item, raw: Any, _unit: str | None) -> str | None:
    limit = item.max_length or DEFAULT_LENGTH
    if not isinstance(raw, str):
        raise Unreadable("not_text")
    if len(raw) > 4 * limit:  # before the work of normalising it
        raise Unreadable("too_long", limit=limit)
    text = raw.replace("\r\n", "\n")
    if _CONTROL.search(text):
        raise Unreadable("control_characters")
    text = unicodedata.normalize("NFC", text)
    if len(text) > limit:
        raise Unreadable("too_long", limit=limit)
    return text if text.strip() else None


def _integer(item: Item, raw: Any, unit: str | None) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str | Decimal):
        raise Unreadable("not_integer")
    if isinstance(raw, int):
        number = raw
    else:
        text = _written(raw, "not_integer") if isinstance(raw, Decimal) else raw
        if not _INTEGER.fullmatch(text):
            raise Unreadable("not_integer")
        number = int(text)
    if abs(number) > MAX_INTEGER:
        raise Unreadable("too_many_digits", limit=MAX_DIGITS)
    _within(item, Decimal(number), unit)
    return number


def _decimal(item: Item, raw: Any, unit: str | None) -> str:
    if type(raw) is str:
        text = raw
    elif isinstance(raw, bool) or not isinstance(raw, int | str | Decimal | float):
        raise Unreadable("not_decimal")
    elif isinstance(raw, int):
        if abs(raw) >= 10**MAX_DIGITS:
            raise Unreadable("too_many_digits", limit=MAX_DIGITS)
        text = str(raw)
    elif isinstance(raw, float):
        text = _of_float(raw)
    else:
        text = _written(raw) if isinstance(raw, Decimal) else str(raw)
    if not _DECIMAL.fullmatch(text):
        raise Unreadable("not_decimal")
    number = Decimal(text)
    text = format(abs(number) if number.is_zero() else number, "f")
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(whole) > MAX_DIGITS or len(fraction) > MAX_DIGITS:
        raise Unreadable("too_many_digits", limit=MAX_DIGITS)
    if item.digits is not None and len(fraction.rstrip("0")) > item.digits:
        raise Unreadable("too_many_decimals", limit=item.digits)
    _within(item, number, unit)
    return text


def _written(number: Decimal, code: str = "not_decimal") -> str:
    """A Decimal as it would be typed; refuses what is no number and what would be endlessly long."""
    if not number.is_finite():
        raise Unreadable(code)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > 2 * MAX_DIGITS or number.adjusted() > 2 * MAX_DIGITS:
        raise Unreadable("too_many_digits", limit=MAX_DIGITS)
    return format(number, "f")


def _of_float(raw: float) -> str:
    """A JSON number that came as a double: its shortest text is what was typed, if it has no more digits than that."""
    number = Decimal(repr(raw))
    if number.is_finite() and len(number.normalize(_EXACT).as_tuple().digits) > _FLOAT_DIGITS:
        raise Unreadable("too_many_digits", limit=MAX_DIGITS)
    text = _written(number)
    return text.removesuffix(".0")


def _within(item: Item, number: Decimal, unit: str | None) -> None:
    """Refuse a number beyond the hard limits, in the canonical unit."""
    limits = item.limits
    if not limits:
        return
    if unit is not None:
        number = _EXACT.multiply(number, item.factors[unit])
    if (low := limits.get("min")) is not None and number < low:
        raise Unreadable("below_min", limit=item.min, unit=item.unit)
    if (high := limits.get("max")) is not None and number > high:
        raise Unreadable("above_max", limit=item.max, unit=item.unit)


def _yes_no(_item: Item, raw: Any, _unit: str | None) -> str:
    if not isinstance(raw, str) or raw not in {"Y", "N"}:
        raise Unreadable("not_yes_no")
    return raw


def _single(item: Item, raw: Any, _unit: str | None) -> str:
    if not isinstance(raw, str) or raw not in item.codeset:
        raise Unreadable("not_a_code", allowed=[code.code for code in item.codes])
    return raw


def _multiple(item: Item, raw: Any, _unit: str | None) -> list[str] | None:
    if not isinstance(raw, list):
        raise Unreadable("not_a_list")
    if len(raw) > len(item.codes) or not all(isinstance(code, str) and code in item.codeset for code in raw):
        raise Unreadable("not_codes", allowed=[code.code for code in item.codes])
    chosen = set(raw)
    if len(chosen) < len(raw):
        raise Unreadable("chosen_twice")
    return [code.code for code in item.codes if code.code in chosen] or None


def _day(item: Item, raw: Any, _unit: str | None) -> str:
    if not isinstance(raw, str) or not is_date(raw):
        raise Unreadable("not_date")
    return _between(item, raw)


def _partial(item: Item, raw: Any, _unit: str | None) -> str:
    if not isinstance(raw, str) or not is_partial_date(raw):
        raise Unreadable("not_partial_date")
    return _between(item, raw)


def _between(item: Item, text: str) -> str:
    if beyond := outside(text, item.min, item.max):
        raise Unreadable("before_min" if beyond < 0 else "after_max", limit=item.min if beyond < 0 else item.max)
    return text


def outside(text: str, low: str | None, high: str | None) -> int:
    """-1 where every day a date can mean lies before `low`, 1 where every one lies after `high`, else 0."""
    days = bounds(text)
    if days is None:
        return 0
    if low is not None and days[1].isoformat() < low:
        return -1
    return 1 if high is not None and days[0].isoformat() > high else 0


def _time(_item: Item, raw: Any, _unit: str | None) -> str:
    if not isinstance(raw, str) or not is_time(raw):
        raise Unreadable("not_time")
    return raw


_READERS: Mapping[ItemType, Callable[[Item, Any, str | None], Any]] = {
    ItemType.TEXT: _text,
    ItemType.INTEGER: _integer,
    ItemType.DECIMAL: _decimal,
    ItemType.YES_NO: _yes_no,
    ItemType.SINGLE: _single,
    ItemType.MULTIPLE: _multiple,
    ItemType.DATE: _day,
    ItemType.PARTIAL_DATE: _partial,
    ItemType.TIME: _time,
}
