"""What happens to one made-up patient, as a clinician would tell it: dates and grades, no pages. Pure.

A course is a value: the same seed gives the same course, on every machine and on every day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

CUT = date(2026, 6, 30)
"""The day the demonstration ends: nothing is known of anybody beyond it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who enters: birth date, sex, body, ECOG status at entry."""

    sex: str
    birth: date
    height: int
    weight: int
    ecog: int

    def age(self, at: date) -> int:
        """Completed years."""
        return at.year - self.birth.year - ((at.month, at.day) < (self.birth.month, self.birth.day))


@dataclass(frozen=True, slots=True)
class Dose:
    """One cycle of a drug, or one infusion of cells (start and end are the same day)."""

    drug: str
    cycle: int
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that comes, has a grade and mostly goes: CRS, ICANS, VOD, GVHD, an adverse event, an infection."""

    kind: str
    onset: date
    end: date | None
    grade: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Therapy that the protocol did not plan."""

    start: date
    kind: str
    regimen: str
    reason: str


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one subject. A date is None where the thing has not happened (by the end of the demonstration)."""

    trial: str
    number: int
    site: str
    person: Person
    fate: str
    consent: date
    enrol: date | None
    anchors: Mapping[str, date] = field(default_factory=dict)
    arm: str | None = None
    entered: str = "CR"  # the disease at entry: CR, or NR for active leukaemia
    doses: tuple[Dose, ...] = ()
    graft: date | None = None
    graft_planned: bool = True
    neutrophils: date | None = None
    platelets: date | None = None
    partial: date | None = None  # first response short of CR
    remission: date | None = None
    failure: date | None = None
    mrd_cleared: date | None = None
    mrd_back: date | None = None
    mrd_again: date | None = None
    relapse: date | None = None
    relapse_site: str = "MARROW"
    acute: Trouble | None = None
    chronic: Trouble | None = None
    chronic_treated: date | None = None
    troubles: tuple[Trouble, ...] = ()
    later: tuple[Later, ...] = ()
    death: date | None = None
    cause: str = ""
    lost: date | None = None
    withdrawn: date | None = None
    missed: frozenset[str] = frozenset()
    flaws: frozenset[str] = frozenset()

    @property
    def known_until(self) -> date:
        """The last day anything can be known of: death, loss, withdrawal, or the end of the demonstration."""
        ends = (self.death, self.lost, self.withdrawn, CUT)
        return min(day for day in ends if day is not None)

    @property
    def visits_until(self) -> date:
        """The last day of visits by the protocol: they end with relapse or failure too."""
        ends = (self.relapse, self.failure, self.known_until)
        return min(day for day in ends if day is not None)

    def dose(self, drug: str, cycle: int) -> Dose | None:
        """The cycle of a drug, if it was given."""
        return next((dose for dose in self.doses if (dose.drug, dose.cycle) == (drug, cycle)), None)

    def last_dose(self, day: date) -> Dose | None:
        """The cycle most recently begun on or before a day."""
        begun = [dose for dose in self.doses if dose.start <= day]
        return max(begun, key=lambda dose: dose.start, default=None)

    def disease(self, day: date) -> str:
        """What an assessment on this day finds: NR, CRi, CR or RELAPSE."""
        if self.relapse is not None and day >= self.relapse:
            return "RELAPSE"
        if self.entered == "CR" or (self.remission is not None and day >= self.remission):
            return "CR"
        return "CRi" if self.partial is not None and day >= self.partial else "NR"

    def mrd_positive(self, day: date) -> bool:
        """Whether a marrow of this day is MRD positive."""
        if self.mrd_back is not None and day >= self.mrd_back:
            return self.mrd_again is None or day < self.mrd_again
        return self.mrd_cleared is None or day < self.mrd_cleared


def after(day: date, days: int) -> date:
    """So many days later."""
    return day + timedelta(days=days)


def person(rng: Random, at: date, ages: tuple[int, int]) -> Person:
    """Somebody of an age between these, at this day."""
    sex = rng.choice("MF")
    years = rng.randint(*ages)
    birth = after(at.replace(year=at.year - years, day=min(at.day, 28)), -rng.randint(1, 360))
    grown = min(1.0, 0.55 + years / 36)  # children are smaller
    height = int(grown * rng.gauss(171 if sex == "M" else 160, 5))
    return Person(
        sex, birth, height, max(14, int(height * height / 10_000 * rng.gauss(22, 2.4))), rng.choice((0, 1, 1))
    )


def dealt(rng: Random, shares: Mapping[str, int], count: int) -> list[str]:
    """`count` fates, shuffled, as near to these shares as whole patients allow; each fate occurs at least once."""
    total = sum(shares.values())
    deck = [fate for fate, share in shares.items() for _ in range(max(1, round(count * share / total)))]
    common = max(shares, key=lambda fate: shares[fate])
    while len(deck) > count:
        deck.remove(common if common in deck else deck[-1])
    deck += [common] * (count - len(deck))
    rng.shuffle(deck)
    return deck


def cut_off(course: Course) -> Course:
    """The course as far as it is known at the end of the demonstration; what lies beyond has not happened."""
    end = course.known_until

    def kept(day: date | None) -> date | None:
        return day if day is not None and day <= end else None

    return replace(
        course,
        anchors={name: day for name, day in course.anchors.items() if day <= end},
        doses=tuple(replace(dose, end=min(dose.end, end)) for dose in course.doses if dose.start <= end),
        graft=kept(course.graft),
        neutrophils=kept(course.neutrophils),
        platelets=kept(course.platelets),
        partial=kept(course.partial),
        remission=kept(course.remission),
        failure=kept(course.failure),
        mrd_back=kept(course.mrd_back),
        mrd_again=kept(course.mrd_again),
        relapse=kept(course.relapse),
        acute=_begun(course.acute, end),
        chronic=_begun(course.chronic, end),
        chronic_treated=kept(course.chronic_treated),
        troubles=tuple(known for trouble in course.troubles if (known := _begun(trouble, end))),
        later=tuple(therapy for therapy in course.later if therapy.start < end),
        death=kept(course.death),
        lost=kept(course.lost),
        withdrawn=kept(course.withdrawn),
    )


def _begun(trouble: Trouble | None, end: date) -> Trouble | None:
    if trouble is None or trouble.onset >= end:
        return None
    return replace(trouble, end=None) if trouble.end is not None and trouble.end > end else trouble
