"""The limits of normal that a site's laboratories work with: which of them hold for one subject on one day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from app import models
from app.core.transaction import kept
from app.forms.asking import RangeTable
from app.forms.functions import age_years

KEPT_RANGES = "ranges"
"""What the process keeps the limits of normal under."""


class Range(NamedTuple):
    """Limits of normal of one analyte; "" and None hold for all laboratories, for both sexes, at any age and day.

    Ages are completed years, both ends inclusive, as are the days.
    """

    analyte: str
    laboratory: str
    unit: str
    sex: str | None
    age_from: int | None
    age_to: int | None
    valid_from: str | None
    valid_to: str | None
    low: Decimal | None
    high: Decimal | None

    def holds(self, sex: str | None, age: float | None, day: str) -> bool:
        """Whether it holds for a person on a day; what is not known of the person fits only what holds for all."""
        return (
            self.sex in {None, sex}
            and _within(self.age_from, age, self.age_to)
            and (self.valid_from or "") <= day
            and (self.valid_to is None or day <= self.valid_to)
        )

    def meets(self, other: "Range") -> bool:
        """Whether there is a person and a day for whom both would hold."""
        return (
            (self.analyte, self.laboratory) == (other.analyte, other.laboratory)
            and (self.sex is None or other.sex is None or self.sex == other.sex)
            and _overlap(self.age_from, self.age_to, other.age_from, other.age_to)
            and _overlap(self.valid_from, self.valid_to, other.valid_from, other.valid_to)
        )


@dataclass(frozen=True)
class Ranges:
    """All limits of normal of a site, by the act that stated them; None where nobody has.

    Numbers of imports are those of a site, and one that was undone gives its own to the next: no two acts are the same.
    """

    act: UUID | None = None
    by_analyte: Mapping[str, Sequence[Range]] = field(default_factory=dict)

    def of(self, facts: Mapping[str, Any]) -> RangeTable | None:
        """The table for a subject of whom the facts `sex` and `birth_date` are known, as far as they are."""
        if not self.by_analyte:
            return None
        sex, born = facts.get("sex"), facts.get("birth_date")

        def holding(analyte: str, laboratory: str, day: str) -> Range | None:
            age = age_years(str(born), day) if born and day else None
            fitting = [each for each in self.by_analyte.get(analyte, ()) if day and each.holds(sex, age, day)]
            for wanted in (laboratory, ""):
                for each in fitting:
                    if each.laboratory == wanted:
                        return each
            return None

        return holding


NO_RANGES = Ranges()


def gathered(act: UUID | None, ranges: Iterable[Range]) -> Ranges:
    """The ranges that an act stated, found by analyte."""
    by_analyte: dict[str, list[Range]] = {}
    for each in ranges:
        by_analyte.setdefault(each.analyte, []).append(each)
    return Ranges(act, by_analyte)


def ranges_of(session: Session, study_id: str, site_id: str, number: int | None) -> Ranges:
    """The limits that hold at a site: read once, for an import never changes."""
    if not number:
        return NO_RANGES
    known = kept(session, KEPT_RANGES)
    found: Ranges | None = known.get((study_id, site_id, number))
    if found is None:
        lines = list(lines_of_import(session, study_id, site_id, number))
        act = lines[0]["change_id"] if lines else None
        found = known[study_id, site_id, number] = gathered(act, map(_range, lines))
    return found


def lines_of_import(session: Session, study_id: str, site_id: str, number: int | None) -> Iterable[RowMapping]:
    """The limits of normal of an import as they are stored, in the order of its lines."""
    table = models.reference_range
    return session.execute(
        select(table)
        .where(table.c.study_id == study_id, table.c.site_id == site_id, table.c.number == number)
        .order_by(table.c.line)
    ).mappings()


def _range(row: RowMapping) -> Range:
    limits = {name: None if row[name] is None else Decimal(row[name]) for name in ("low", "high")}
    return Range(**{**{name: row[name] for name in Range._fields}, **limits})


def _within(low: int | None, value: float | None, high: int | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or low <= value) and (high is None or value <= high)


def _overlap(low: Any, high: Any, other_low: Any, other_high: Any) -> bool:
    """Whether two stretches, inclusive at both ends and open where None, share a value."""
    return (low is None or other_high is None or low <= other_high) and (
        other_low is None or high is None or other_low <= high
    )
