"""What reading and judging a page can say. Codes and limits, never an entered value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import orjson


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that cannot be stored, or a page that cannot be complete.

    `row` is the number of the row, or its position (from 1) where the row has none yet. An answer under a name that is
    no possible id has the item "".
    """

    item: str
    row: int | None
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """An answer that is stored and looks wrong. `rule` is stable, so a question can be told from the next one.

    `fingerprint` stands for the values that gave rise to it: another value asks another question. `phases` says when
    an edit check is asked, empty: always.
    """

    item: str
    row: int | None
    rule: str
    params: Mapping[str, Any] = field(default_factory=dict)
    severity: str = "query"
    fingerprint: str = ""
    phases: tuple[str, ...] = ()


class PageRule(NamedTuple):
    """A rule upon one page, None for the casebook as a whole: two forms may have checks of one name."""

    record_id: UUID | None
    rule: str


def fingerprint(*values: Any) -> str:
    """A short digest that stands for some values: equal values, equal digests."""
    return blake2b(orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """One item that two states of a page do not share: canonical answers, None where there was none."""

    item: str
    row: int | None
    before: Any
    after: Any
