"""What a verification found: faults by place and never by value, and the heads of the chains."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

NAMED = 1000
"""So many faults of one pass are named; beyond that they are counted."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: how many changes, and the hash of the last one."""

    study: str
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where: chain, change, table, key. `seq` is None where no change speaks of it."""

    chain: str
    seq: int | None
    table: str | None
    key: tuple[Any, ...]
    problem: str

    def __str__(self) -> str:
        place = [f"chain {self.chain}"] if self.chain else []
        place += [f"change {self.seq}"] if self.seq is not None else []
        place += [f"{self.table} {orjson.dumps(self.key).decode()}"] if self.table else []
        return f"{', '.join(place)}: {self.problem}" if place else self.problem


@dataclass(slots=True)
class Faults:
    """Faults as they are found. A database that is wrong throughout must not fill the memory."""

    named: list[Fault] = field(default_factory=list)
    unnamed: int = 0
    warnings: list[str] = field(default_factory=list)
    unnamed_warnings: int = 0
    _of_pass: int = 0

    def add(self, chain: str, seq: int | None, table: str | None, key: Any, problem: str) -> None:
        """Name one more, or count it."""
        self._of_pass += 1
        if self._of_pass > NAMED:
            self.unnamed += 1
        else:
            self.named.append(Fault(chain, seq, table, tuple(key), problem))

    def warn(self, what: str) -> None:
        """Note what somebody should look at and what proves nothing wrong, or count it."""
        if len(self.warnings) < NAMED:
            self.warnings.append(what)
        else:
            self.unnamed_warnings += 1

    def begin(self) -> None:
        """A new pass over something else, with its own allowance."""
        self._of_pass = 0

    def __contains__(self, place: tuple[str, tuple[Any, ...]]) -> bool:
        return any((fault.table, fault.key) == place for fault in self.named)

    def in_order(self) -> tuple[Fault, ...]:
        """Chain by chain, the earliest change first; what no change speaks of comes last."""
        order = {chain: place for place, chain in enumerate(dict.fromkeys(fault.chain for fault in self.named))}
        last = (1 << 63,)
        return tuple(
            sorted(self.named, key=lambda f: (not f.chain, order[f.chain], (f.seq,) if f.seq is not None else last))
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome: `ok`, or the faults with the first bad row first. `anchors` is None when none were looked at.

    `warnings` want looking at, and leave the trail whole.
    """

    heads: tuple[Head, ...]
    faults: tuple[Fault, ...]
    unnamed: int
    changes: int
    rows: int
    anchors: int | None
    warnings: tuple[str, ...] = ()
    unnamed_warnings: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    def as_json(self) -> dict[str, Any]:
        """The report in JSON types."""
        return {
            "ok": self.ok,
            "changes": self.changes,
            "rows": self.rows,
            "anchors": self.anchors,
            "heads": [{"study": head.study, "seq": head.seq, "hash": head.hash.hex()} for head in self.heads],
            "faults": [str(fault) for fault in self.faults],
            "more_faults": self.unnamed,
            "warnings": list(self.warnings),
            "more_warnings": self.unnamed_warnings,
        }

    def __str__(self) -> str:
        """The report as people read it: each fault on a line, then the verdict."""
        lines = [str(fault) for fault in self.faults]
        if self.unnamed:
            lines.append(f"and {self.unnamed} more")
        lines += [f"warning: {warning}" for warning in self.warnings]
        if self.unnamed_warnings:
            lines.append(f"and {self.unnamed_warnings} more warnings")
        anchored = "" if self.anchors is None else f", {self.anchors} anchors"
        verdict = "the trail holds" if self.ok else "THE TRAIL DOES NOT HOLD"
        chains = f"{len(self.heads)} chain{'s' * (len(self.heads) != 1)}"
        return "\n".join([*lines, f"{chains}, {self.changes} changes, {self.rows} rows{anchored}: {verdict}."])
