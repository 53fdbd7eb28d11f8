"""JSON read strictly: nothing silently changed, nothing repeated in a refusal."""

import json
from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Refusal
from app.core.strict_json import DEPTH, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
WHOLE = st.integers(-(2**63), 2**63 - 1)
FRACTION = st.decimals(-1000000, 1000000, places=6)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)

REFUSED = {
    "nan": (b'{"a":NaN}', "not-a-number"),
    "infinity": (b"[-Infinity]", "not-a-number"),
    "huge exponent": (b'{"a":1e400}', "number-out-of-range"),
    "tiny exponent": (b'{"a":1e-400}', "number-out-of-range"),
    "zero of a huge exponent": (b"0e400", "number-out-of-range"),
    "absurd exponent": (b"1E+999999999999999999999", "number-out-of-range"),
    "2^63": (b"9223372036854775808", "number-out-of-range"),
    "-2^63-1": (b"-9223372036854775809", "number-out-of-range"),
    "5000 digits": (b"9" * 5000, "number-out-of-range"),
    "5000 decimals": (b"0." + b"3" * 5000, "number-out-of-range"),
    "a name twice": (b'{"a":1,"b":{"c":1,"c":1}}', "duplicate-name"),
    "a name twice, once escaped": (b'{"a":1,"\\u0061":2}', "duplicate-name"),
    "half a pair": (b'"\\ud800"', "not-text"),
    "half a pair in a name": (b'{"\\udfff":1}', "not-text"),
    "pair the wrong way round": (b'["\\ude00\\ud83d"]', "not-text"),
    "escaped NUL": (b'{"a":["\\u0000"]}', "not-text"),
    "raw NUL": (b'"a\0b"', "not-json"),
    "one level too many": (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), "too-deep"),
    "abyss": (b"[" * 100_000, "too-deep"),
    "abyss of objects": (b'{"a":' * 100_000, "too-deep"),
    "latin-1": ("é".encode("latin-1"), "not-utf-8"),
    "utf-16": ("{}".encode("utf-16"), "not-utf-8"),
    "utf-8 of half a pair": (b'"\xed\xa0\x80"', "not-utf-8"),
    "overlong": (b'"\xc0\xaf"', "not-utf-8"),
    "byte order mark": (b"\xef\xbb\xbf{}", "not-json"),
    "nothing": (b"", "not-json"),
    "two values": (b"1 2", "not-json"),
    "trailing comma": (b"[1,]", "not-json"),
    "single quotes": (b"{'a':1}", "not-json"),
    "leading zero": (b"01", "not-json"),
    "raw line end in a text": (b'"a\nb"', "not-json"),
    "cut short": (b'{"a":', "not-json"),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_as_written_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        loads(body)
    assert refused.value.errors[0].code == code
    assert refused.value.status in {400, 422}


@given(VALUES)
def test_everything_else_is_read_as_the_standard_library_reads_it(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(FRACTION)
def test_a_fraction_keeps_its_digits(number: Decimal) -> None:
    read = loads(b'{"a":%s}' % str(number).encode())["a"]
    assert isinstance(read, Decimal)
    assert str(read) == str(number)


@pytest.mark.parametrize(("written", "read"), [("1.0", "1.0"), ("1e2", "1E+2"), ("-0.10", "-0.10")])
def test_a_fraction_or_exponent_is_decimal_and_never_float(written: str, read: str) -> None:
    assert str(loads(written.encode())) == read


def test_a_whole_number_is_an_int_to_its_last_digit() -> None:
    assert loads(b"9007199254740993") == 9007199254740993
    assert type(loads(b"1")) is int


def test_the_deepest_that_is_allowed_is_read() -> None:
    assert loads(b"[" * DEPTH + b"]" * DEPTH)


def test_an_escaped_backslash_is_no_surrogate() -> None:
    assert loads(rb'"\\ud800 \\u0000"') == "\\ud800 \\u0000"
    assert loads(b'"\\ud83d\\ude00"') == "😀"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        loads(body)
    except Refusal as refused:
        assert refused.status in {400, 422}  # noqa: PT017 - either outcome is right


def test_a_page_costs_a_fraction_of_a_millisecond() -> None:
    answers = {f"item_{n}": "12.5" if n % 3 else n for n in range(100)}
    body = json.dumps({"answers": answers, "reason": "Übertragungsfehler 抄写错误"}).encode()
    assert 1_500 < len(body) < 3_000
    best = min(_seconds(body) for _ in range(200))
    assert best < 0.0005  # 0.04 ms where it was measured; the rest is for slow machines


def _seconds(body: bytes) -> float:
    began = perf_counter()
    loads(body)
    return perf_counter() - began
