"""Dated series in one cell: "2024-01-14=0.5|2024-01-15=0.4"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import NE

_DAY = Input("day", Kind.DATE, "a day")
_NUMBER = Input("number", Kind.DECIMAL, "a count", low=Decimal(0))


@dataclass(frozen=True, order=True)
class Dated:
    """One assessment: its day, its category (or NE), and what it is at least when it is NE."""

    day: date
    value: str
    floor: str = ""

    @property
    def least(self) -> str:
        """The category it certainly has; NE when nothing is certain."""
        return (self.floor or NE) if self.value == NE else self.value


def entries(name: str, written: str) -> list[tuple[date, str]]:
    """The entries of a series by day, in the order of time; raises RuleError for input `name` when it is no series."""
    found = []
    for part in filter(None, (each.strip() for each in written.split("|"))):
        day, equals, value = part.partition("=")
        if not equals or not value.strip():
            raise RuleError(name, "write day=value|day=value")
        found.append((_read(name, _DAY, day), value.strip()))
    if not found:
        raise RuleError(name, "write day=value|day=value")
    return sorted(found, key=lambda entry: entry[0])


def assessed(name: str, written: str, codes: Sequence[str], aliases: Mapping[str, str]) -> list[Dated]:
    """Assessments as categories: a code, NE, or NE(code) with what it is at least, in the order of time.

    Of several of one day the one that is certainly highest in `codes` stands first, whatever order they are written in.
    """
    known = {code.casefold(): code for code in (*codes, NE)} | {
        other.casefold(): code for other, code in aliases.items()
    }
    found = []
    for day, text in entries(name, written):
        value, opened, rest = text.partition("(")
        floor = rest.removesuffix(")").strip() if opened else ""
        parts = [known.get(part.strip().casefold()) for part in (value, floor or NE)]
        if parts[0] is None or parts[1] is None or (floor and parts[0] != NE):
            raise RuleError(
                name, f"write for each day one of {', '.join(codes)}, NE, or NE(code) when it is at least that"
            )
        found.append(Dated(day, parts[0], parts[1] if floor else ""))
    rank = {code: -at for at, code in enumerate(codes)} | {NE: 1}
    return sorted(found, key=lambda one: (one.day, rank[one.least], one))


def counts(name: str, written: str, kinds: Sequence[str]) -> dict[str, list[tuple[date, Decimal]]]:
    """Counts by kind, such as "ANC:day=value|day=value;PLT:…": one per day, the lowest, in the order of time."""
    found: dict[str, dict[date, Decimal]] = {kind: {} for kind in kinds}
    for part in filter(None, (each.strip() for each in written.split(";"))):
        kind, colon, rest = part.partition(":")
        if not colon or kind.strip().upper() not in found:
            raise RuleError(name, f"write {':day=value|day=value;'.join(kinds)}:day=value|day=value")
        by_day = found[kind.strip().upper()]
        for day, text in entries(name, rest):
            number = _read(name, _NUMBER, text)
            by_day[day] = min(number, by_day.get(day, number))
    return {kind: sorted(by_day.items()) for kind, by_day in found.items()}


def _read(name: str, one: Input, text: str) -> Any:
    try:
        return one.read(text)
    except RuleError as fault:
        raise RuleError(name, fault.message) from None
