"""The cases of every rule: RULE.csv and RULE_more.csv beside each other in the folder of vectors."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import Rule
from app.clinical.rules.table import columns, grade_rows

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
REPEATING = 25  # digits: a quotient that does not end; a file gives as many of them as it likes
PRIMARY = ("expected", "expected_ml_min")


@dataclass(frozen=True)
class Case:
    rule: str
    row: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.rule} {self.row['id']}"

    @property
    def inputs(self) -> dict[str, str]:
        return {name: self.row[name] for name in RULES[self.rule].named if name in self.row}

    @property
    def expected(self) -> dict[str, str]:
        """What the result columns have to hold. A file may ask for fewer of them than there are."""
        rule = RULES[self.rule]
        asked = {name: self.row[name] for name in columns(rule) if name in self.row and name not in rule.named}
        primary = [self.row[name] for name in PRIMARY if name in self.row]
        return asked | ({"value": primary[0]} if primary else {})

    def misses(self, rule: Rule | None = None) -> list[str]:
        """The result columns that are not as expected."""
        (found,) = grade_rows(rule or RULES[self.rule], [self.inputs])
        return [
            f"{name}: {found[name]} for {cell}"
            for name, cell in self.expected.items()
            if not self.fits(cell, found[name])
        ]

    def fits(self, expected: str, found: str) -> bool:
        if expected == found or not number(expected) or not number(found):
            return expected == found
        wanted, got = Decimal(expected), Decimal(found)
        if len(got.as_tuple().digits) >= REPEATING:
            got = got.quantize(Decimal(1).scaleb(int(wanted.as_tuple().exponent)))
        return abs(got - wanted) <= Decimal(self.row.get("tolerance") or 0)


def number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit()


def read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def cases(rule: str) -> Iterator[Case]:
    for name in (f"{rule}.csv", f"{rule}_more.csv"):
        if (VECTORS / name).exists():
            yield from (Case(rule, row) for row in read(VECTORS / name))


CASES = [case for rule in RULES for case in cases(rule)]
