"""Requests that somebody careless or malicious might send. `CANARY` stands for what must never come back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

CANARY = "Canary 7f3a"
"""Not in the form of a name that Marrow gives: those are repeated, so that one learns which item is unknown."""

QUOTED = "Canary%207f3a"
"""The same in an address."""

_C = CANARY.encode()

UNREADABLE: dict[str, bytes] = {
    "cut short": b'{"a": "%s' % _C,
    "not json": b"<xml>%s</xml>" % _C,
    "a form": b"a=%s&b=2" % _C,
    "single quotes": b"{'%s': 1}" % _C,
    "two values": b'{} {"a":"%s"}' % _C,
    "trailing comma": b'{"a":"%s",}' % _C,
    "comment": b'{"a":1 /* %s */}' % _C,
    "NaN": b'{"%s": NaN}' % _C,
    "infinity": b'{"%s": -Infinity}' % _C,
    "1e400": b'{"%s": 1e400}' % _C,
    "absurd exponent": b'{"%s": 1E+999999999}' % _C,
    "2^63": b'{"%s": 9223372036854775808}' % _C,
    "5000 digits": b'{"%s": %s}' % (_C, b"9" * 5000),
    "5000 decimals": b'{"%s": 0.%s}' % (_C, b"3" * 5000),
    "half a pair": b'{"a": "\\ud800%s"}' % _C,
    "half a pair in a name": b'{"\\udfff%s": 1}' % _C,
    "escaped NUL": b'{"a": "%s\\u0000"}' % _C,
    "NUL in a name": b'{"%s\\u0000": 1}' % _C,
    "raw NUL": b'{"a": "%s\x00"}' % _C,
    "raw control": b'{"a": "%s\x1b"}' % _C,
    "not utf-8": b'{"a": "%s\xff"}' % _C,
    "overlong": b'{"a": "%s\xc0\xaf"}' % _C,
    "surrogate as utf-8": b'{"a": "%s\xed\xa0\x80"}' % _C,
    "byte order mark": b'\xef\xbb\xbf{"a": "%s"}' % _C,
    "utf-16": f'{{"a": "{CANARY}"}}'.encode("utf-16"),
    "utf-32": f'{{"a": "{CANARY}"}}'.encode("utf-32-le"),
    "a name twice": b'{"%s": 1, "%s": 2}' % (_C, _C),
    "deep lists": b"[" * 40 + b'"%s"' % _C + b"]" * 40,
    "deep objects": b'{"a":' * 40 + b'"%s"' % _C + b"}" * 40,
    "abyss": b"[" * 200_000,
    "abyss of objects": b'{"%s":' % _C * 50_000,
    "too large": b'{"a": "' + _C * 250_000 + b'"}',
    "null": b"null",
    "a number": b"7",
    "a text": b'"%s"' % _C,
    "a list": b'["%s"]' % _C,
    "unknown field": b'{"%s": "%s"}' % (_C, _C),
    "role and site": b'{"site_id": "%s", "role": "administrator", "is_admin": true}' % _C,
    "prototype": b'{"__proto__": {"%s": 1}, "constructor": 1}' % _C,
}
"""Bodies that no route can take: each is refused everywhere."""

PLANTED: dict[str, Any] = {
    "text": CANARY,
    "long text": CANARY * 20_000,
    "number": 7,
    "fraction": 1.5,
    "largest": 2**63 - 1,
    "lowest": -(2**63),
    "boolean": True,
    "null": None,
    "list": [CANARY],
    "object": {CANARY: CANARY},
    "nested": {"answers": [{"row": [{"value": {"value": CANARY}}]}]},
    "bidi": f"\u202e{CANARY}\u2066",
    "zero width": f"a\u200b{CANARY}\ufeff",
    "combining": "a" + "\u0302" * 500 + CANARY,
    "control": f"{CANARY}\x1b[31m\r\nINFO: forged",
    "unassigned": f"\U000e0001{CANARY}\uffff",
    "sql": f"'; DROP TABLE subject; -- {CANARY}",
    "template": f"${{7*7}} {{{{7*7}}}} {CANARY}",
    "date that is none": f"2026-02-30 {CANARY}",
    "year 0": "0000-00-00",
    "date far off": "+099999-01-01T00:00:00Z",
    "formula": f'=HYPERLINK("{CANARY}")',
    "path": f"../../../../etc/passwd {CANARY}",
    "many": [CANARY] * 2000,
    "names": {f"{CANARY}{number}": number for number in range(2000)},
}
"""Values put in the place of every field of a body, one field at a time."""

ADDRESSES = (
    "/api/v1/%00", "/api/v1/me?a=%00", f"/api/v1/me?{QUOTED}=1", f"/api/v1/{QUOTED}",
    "/api/v1/studies/%ff", "/api/v1/studies/%ed%a0%80", "/api/v1/studies/a%0d%0aINFO:%20" + QUOTED,
    "/api/v1/studies/" + QUOTED * 300, "/api/v1/accounts?cursor=" + QUOTED * 600,
    "/api/v1/accounts?cursor=" + QUOTED, "/api/v1/accounts?cursor=W10", "/api/v1/accounts?cursor=",
    "/api/v1/accounts?limit=1&limit=2",
    "/api/v1/accounts?limit=" + "9" * 3000, "/api/v1/accounts?limit=-1", "/api/v1/accounts?limit=NaN",
    "/api/v1/accounts?limit=%D9%A3", "/api/v1/accounts?limit[]=1", f"/api/v1/accounts?sort={QUOTED}",
    "/api/v1/%252e%252e/%252e%252e/etc/passwd", "/api/v1/..%2f..%2fetc/passwd", "/api/v1/%2569ndex",
    f"/api/v1/studies/{{study}}/subjects?sort={QUOTED}", f"/api/v1/studies/{{study}}/subjects?sort=-{QUOTED};--",
    f"/api/v1/studies/{{study}}/subjects?cursor={QUOTED}",
    "/api/v1/studies/{study}/subjects?status=%F0%9F%98%80%F0%9F%98",
    "/api/v1/studies/{study}/subjects?arm=BLINA", "/api/v1/studies/{study}/versions/" + "9" * 1500,
    "/api/v1/studies/{study}/versions/1e9", "/api/v1/studies/{study}/versions/-1",
    "/api/v1/studies/{study}/versions/%F0%9D%9F%8F",
    "/api/v1/studies/{study}/subjects/{subject}/visits/SCR.0/forms/demographics",
    "/api/v1/studies/{study}/subjects/{subject}/visits/SCR.99999999999999999999/forms/demographics",
    f"/api/v1/studies/{{study}}/subjects/{{subject}}/visits/SCR/forms/{QUOTED}.x",
    f"/api/v1/studies/{{study}}/subjects/{{subject}}/casebook?as_of={QUOTED}",
    "/api/v1/studies/{study}/subjects/{subject}/casebook?as_of=99999999999999999999",
)  # fmt: skip

ODD = (
    "/api/v1/studies/{study}/subjects/{subject}/casebook?as_of=0001-01-01T00:00:00%2B14:00",
    "/api/v1/studies/{study}/subjects/{subject}/casebook?as_of=9999-12-31T23:59:59-14:00",
    "/api/v1/studies?",
    "/api/v1/studies?&&&",
    "/api/v1//me",
    "/api/v1/me/",
    "/api/v1/studies/..",
    "/api/v1/studies/{study}/subjects?cursor",
)
"""Addresses at the edge of what is answered: any answer will do, a failure of the server will not."""

HEADERS = (
    ("If-Match", f'W/"{CANARY}"'), ("If-Match", '"' + "9" * 5000 + '"'), ("If-Match", "\xff"),
    ("If-None-Match", CANARY),
    ("Idempotency-Key", CANARY * 50), ("Idempotency-Key", "\xe4\xb8"), ("Accept-Language", ",;q=," * 3000 + CANARY),
    ("Authorization", f"Bearer {CANARY}"), ("Authorization", "Bearer \xff\xfe"), ("Authorization", "Basic " + CANARY),
    ("Authorization", ""), ("X-Request-ID", CANARY + "\t\r"[:1]), ("Content-Type", f"application/{CANARY}"),
    ("Content-Type", "application/json; charset=utf-16"), ("Content-Encoding", "gzip"), ("Content-Length", "1e3"),
    ("Host", f"{CANARY}.example"), ("Cookie", f"session={CANARY}"), ("Accept", CANARY), ("Range", "bytes=0-" + CANARY),
)  # fmt: skip


def planted(example: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """`example`, a body that a route takes, with each of its fields in turn replaced by each of `PLANTED`."""
    for field in example:
        for kind, value in PLANTED.items():
            yield f"{kind} as {field}", json.dumps(dict(example) | {field: value}).encode()


def answers(item: str, rest: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """A page whose answer to `item` is each of `PLANTED`, by itself, as a value with a unit, as a missing reason."""
    for kind, value in PLANTED.items():
        for shape, shaped in {
            "": value,
            "value of ": {"value": value, "unit": value},
            "reason ": {"missing": value},
        }.items():
            yield f"{shape}{kind}", json.dumps(dict(rest) | {"answers": {item: shaped}}).encode()
    yield "unknown item", json.dumps(dict(rest) | {"answers": {CANARY: CANARY}}).encode()
