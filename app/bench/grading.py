"""How fast laboratory values are graded, and every edit check of a study is asked."""

from dataclasses import dataclass
from decimal import Decimal
from time import perf_counter

from app.bench.fill import Filler
from app.bench.saves import counted
from app.bench.study import STUDY
from app.bench.world import BY, World
from app.capture.anew.derive import run_checks
from app.clinical.rules.ctcae_labs import grade_value
from app.clinical.rules.ctcae_scales import VERSIONS
from app.core.transaction import see_all

SUBJECTS, PAGES = 500, 20
_VALUES = 40_000


@dataclass(frozen=True, slots=True)
class Grading:
    """Values graded in a second, and a batch run: subjects, pages, seconds, statements for each subject."""

    values: float
    subjects: int
    pages: int
    seconds: float
    statements: float


def graded() -> float:
    """Laboratory values graded in a second by one process, over every term of both versions of CTCAE."""
    limits = {"lln": Decimal(2), "uln": Decimal(40), "baseline": Decimal(30)}
    terms = [(version, each.term, next(iter(each.units))) for version, scales in VERSIONS.items() for each in scales]
    values = [(*terms[n % len(terms)], Decimal(n % 997) / 7) for n in range(_VALUES)]
    began = perf_counter()
    for version, term, unit, value in values:
        grade_value(version, term, value, unit, symptomatic=True, **limits)
    return len(values) / (perf_counter() - began)


def measure(world: World, filler: Filler) -> Grading:
    """Grade, and run all checks over a study of so many subjects and pages."""
    filler.subjects(SUBJECTS, PAGES)
    with counted(world) as seen, world.database.writing() as session:
        see_all(session)
        began = perf_counter()
        subjects, _ = run_checks(session, BY, STUDY)
        seconds = perf_counter() - began
    return Grading(graded(), subjects, SUBJECTS * PAGES, seconds, len(seen) / subjects)
