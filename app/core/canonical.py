"""One way to write a stored row as bytes, so that a digest of it means the same today and in twenty years.

The encoding is JSON with sorted keys, UTF-8 and no spaces. The column's type in the schema says how to read a
text back, so that equal bytes mean equal rows: a timestamp is written in UTC with six decimals, bytes in hex,
a UUID in its usual form, a date in ISO form, NULL as null. Floating point numbers are refused: no column holds one.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson


def plain(value: Any) -> Any:
    """`value` in types that JSON has; raises TypeError for a float, which has no one true text."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    raise TypeError(f"no canonical form for {type(value).__name__}")


def encode(value: Any) -> bytes:
    """The canonical bytes of a value or a row."""
    return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(encode(value)).hexdigest()
