"""What reading and judging a page can say. Codes and limits, never an entered value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """An answer that is stored and looks wrong. `rule` is stable, so a question can be told from the next one."""

    item: str
    row: int | None
    rule: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One item that two states of a page do not share: canonical answers, None where there was none."""

    item: str
    row: int | None
    before: Any
    after: Any
