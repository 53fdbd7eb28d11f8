"""JSON read strictly: what a clinical value could be silently changed by is refused, not repaired.

RFC 8259 leaves open what a reader does with a repeated name, a huge number or half a surrogate pair, and the usual
readers each choose differently. Here each has one answer: a refusal that never repeats what was sent. A number with a
fraction or an exponent becomes a Decimal with exactly the digits written, a whole number an int.
"""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from app.core.errors import BadRequest, Fault, Refusal, Unreadable

DEPTH = 32
"""Objects and arrays within each other, at most."""

DIGITS = 64
"""Characters of one number, at most."""

LARGEST = 2**63 - 1
"""Whole numbers lie within what PostgreSQL calls bigint."""

EXPONENT = 308
"""Powers of ten of a number, at most: what an IEEE 754 double, and so every client, can hold."""

_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def loads(body: bytes) -> Any:
    """The value that `body` holds, in UTF-8.

    Raises BadRequest when it is not JSON, and Unreadable when it is but holds what cannot be stored as written:
    a repeated name, a number out of range, NUL, half a surrogate pair, too many levels.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable_bytes("not-utf-8", "The body is not valid UTF-8.") from None
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError:
        raise _unreadable_bytes("not-json", "The body is not valid JSON.") from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(found)
    if _SUSPICIOUS.search(text):
        _check_text(found)
    return found


def _unreadable_bytes(code: str, message: str) -> Refusal:
    remedy = "Send JSON in UTF-8 without a byte order mark."
    return BadRequest(message, errors=(Fault("", code, message, remedy),))


def _refused(code: str, message: str, remedy: str) -> Refusal:
    return Unreadable(message, errors=(Fault("", code, message, remedy),))


def _too_deep() -> Refusal:
    message = "The body has too many levels."
    return _refused("too-deep", message, f"Nest at most {DEPTH} objects and arrays.")


def _out_of_range() -> Refusal:
    message = "A number in the body is too large or too long."
    return _refused("number-out-of-range", message, "Send whole numbers below 2^63, and decimals of at most 64 digits.")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _refused("duplicate-name", "An object names the same thing twice.", "Send each name once.")
    return made


def _whole(digits: str) -> int:
    if len(digits) <= len(str(LARGEST)) + 1 and -LARGEST - 1 <= (number := int(digits)) <= LARGEST:
        return number
    raise _out_of_range()


def _decimal(digits: str) -> Decimal:
    if len(digits) > DIGITS:
        raise _out_of_range()
    try:
        number = Decimal(digits)
    except InvalidOperation:  # an exponent of its own 20 digits
        raise _out_of_range() from None
    # 0e400 is zero, and still nothing anybody writes: the exponent is judged, not the value.
    if not number.is_finite() or abs(number.adjusted()) > EXPONENT:
        raise _out_of_range()
    return number


def _constant(_: str) -> NoReturn:
    raise _refused(
        "not-a-number", "The body holds NaN or an infinity.", "Leave the item out, or give a missing reason."
    )


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _within(outer) if type(inner) in _CONTAINERS]
        if not level:
            return
    raise _too_deep()


def _check_text(value: Any) -> None:
    """Refuse NUL, which PostgreSQL cannot store, and half a surrogate pair, which no encoding can."""
    left: list[Any] = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if "\0" in one or _broken(one):
                message = "A text in the body holds NUL or half a character."
                raise _refused("not-text", message, "Send whole Unicode characters, without U+0000.")
        elif type(one) is dict:
            left.extend(one)
            left.extend(one.values())
        elif type(one) is list:
            left.extend(one)


def _broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _within(value: Any) -> Iterable[Any]:
    if type(value) is dict:
        return value.values()
    return value if type(value) is list else ()


_CONTAINERS: frozenset[type] = frozenset({dict, list})
_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_decimal, parse_int=_whole, parse_constant=_constant, strict=True
)
