"""One way to write a stored row as bytes, so that a digest of it means the same today and in twenty years.

The encoding is JSON with sorted keys, UTF-8 and no spaces. The column's type in the schema says how to read a
text back, so that equal bytes mean equal rows: a timestamp is written in UTC with six decimals, bytes in hex,
a UUID in its usual form, a date in ISO form, NULL as null. Floating point numbers are refused: no column holds one.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

_JSON = frozenset({str, int, bool, type(None)})


def _map(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): inner if type(inner) in _JSON else plain(inner) for key, inner in value.items()}


def _list(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [inner if type(inner) in _JSON else plain(inner) for inner in value]


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _hex(value: bytes | memoryview) -> str:
    return bytes(value).hex()


_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str),
    (int, int),
    (dict, _map),
    (list, _list),
    (tuple, _list),
    (UUID, str),
    (datetime, _moment),
    (date, date.isoformat),
    (bytes, _hex),
    (memoryview, _hex),
    (Mapping, _map),
)
_BY_TYPE = dict(_WRITERS)


def plain(value: Any) -> Any:
    """`value` in types that JSON has; raises TypeError for a float, which has no one true text."""
    kind = type(value)
    if kind in _JSON:
        return value
    write = _BY_TYPE.get(kind) or next((write for of, write in _WRITERS if isinstance(value, of)), None)
    if write is None:
        raise TypeError(f"no canonical form for {kind.__name__}")
    return write(value)


def encode(value: Any) -> bytes:
    """The canonical bytes of a value or a row."""
    return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(encode(value)).hexdigest()
