"""CTCAE laboratory scales, versions 5.0 and 6.0: each limit once, the worst first, as the text prints it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.clinical.rules.units import factors

D = Decimal
ONE = Decimal(1)
V5 = "CTCAE v5.0, 2017-11-27"
V6 = "CTCAE v6.0"


@dataclass(frozen=True)
class Limit:
    """What has to be breached for a grade: a printed value per unit, or a multiple of LLN, ULN or the baseline."""

    grade: str
    at: tuple[tuple[str, Decimal], ...] = ()  # unit, printed value
    of: str = ""  # lln, uln or baseline
    factor: Decimal = ONE
    reached: bool = False  # the edge itself belongs to this grade
    symptoms: bool = False  # only with symptoms, or an intervention
    low_baseline: bool = False  # only when the baseline is below LLN

    def threshold(self, unit: str, read: Callable[[str], Any]) -> Decimal:
        """The value to compare with, in `unit`; reads LLN, ULN or baseline, in the same unit, when it needs it."""
        if self.of:
            return self.factor * Decimal(read(self.of))
        return dict(self.at)[unit]

    def breached(self, value: Decimal, threshold: Decimal, *, low: bool) -> bool:
        """Beyond the threshold in the scale's direction, or at it when the edge belongs to this grade."""
        return (value < threshold if low else value > threshold) or (self.reached and value == threshold)


@dataclass(frozen=True)
class Scale:
    """One term of one version."""

    term: str
    short: str
    low: bool  # low values are bad
    units: Mapping[str, tuple[str, Decimal]]  # accepted unit: the unit of a printed limit, and the factor to it
    limits: tuple[Limit, ...]
    raised: tuple[Limit, ...] = ()  # instead of `limits` when the baseline is above ULN
    grades: str = "1234"  # the grades that the term has
    unlisted: str = ""  # what the text adds and no laboratory value decides

    @property
    def uses_baseline(self) -> bool:
        """Whether the baseline can change the grade."""
        return bool(self.raised) or any(limit.of == "baseline" for limit in self.limits)

    def cuts(self, value: Decimal, baseline: Decimal | None) -> tuple[Decimal, ...]:
        """The upper limits of normal at which the grade of this value can change."""
        inner = tuple(value / limit.factor for limit in (*self.limits, *self.raised) if limit.of == "uln")
        return inner if baseline is None else (*inner, baseline)


def at(grade: str, unit: str, value: str, *others: tuple[str, str], symptoms: bool = False) -> Limit:
    """A printed value, with the same in other units when the text prints them."""
    return Limit(grade, ((unit, D(value)), *((other, D(number)) for other, number in others)), symptoms=symptoms)


def times(of: str, *steps: tuple[str, str]) -> tuple[Limit, ...]:
    """Multiples of a limit of normal or the baseline, the worst first."""
    return tuple(Limit(grade, of=of, factor=D(factor)) for grade, factor in steps)


def from_(grade: str, factor: str) -> Limit:
    """A multiple of the baseline that itself has the grade."""
    return Limit(grade, of="baseline", factor=D(factor), reached=True)


COUNTS = factors("count")
ENZYMES = factors("enzyme")
SALTS = factors("potassium")
BELOW_LLN, ABOVE_ULN = times("lln", ("1", "1")), times("uln", ("1", "1"))


def count(term: str, short: str, two: str, three: str, four: str) -> Scale:
    """A blood count that falls: grade 1 below LLN, then three printed limits in 10^9/L."""
    limits = (at("4", "10^9/L", four), at("3", "10^9/L", three), at("2", "10^9/L", two), *BELOW_LLN)
    return Scale(term, short, True, COUNTS, limits)  # noqa: FBT003 - the direction reads as the table's column


def enzyme(term: str, short: str, steps: tuple[str, ...], raised: tuple[Limit, ...], note: str = "") -> Scale:
    """A value that rises in multiples of ULN, or of a baseline that was above it."""
    limits = times("uln", *zip("4321", reversed(steps), strict=True))
    units = factors("bilirubin") if short == "BILI" else ENZYMES
    return Scale(term, short, False, units, limits, raised, unlisted=note)  # noqa: FBT003 - the direction


def pancreas(term: str, short: str, split: str, note: str = "") -> Scale:
    """Lipase and amylase: symptoms move a value beyond the split, and beyond 5 x ULN, one grade up."""
    limits = (
        Limit("4", of="uln", factor=D(5), symptoms=True),
        Limit("3", of="uln", factor=D(5)),
        Limit("3", of="uln", factor=D(split), symptoms=True),
        *times("uln", ("2", "1.5"), ("1", "1")),
    )
    return Scale(term, short, False, ENZYMES, limits, unlisted=note)  # noqa: FBT003 - the direction


ANEMIA = Scale(
    "Anemia",
    "HGB",
    low=True,
    units={**factors("haemoglobin"), "mmol/L": ("mmol/L", ONE)},
    limits=(at("3", "g/L", "80", ("mmol/L", "4.9")), at("2", "g/L", "100", ("mmol/L", "6.2")), *BELOW_LLN),
    grades="12345",
    unlisted="Grade 4 is clinical: life-threatening consequences.",
)
WBC = count("White blood cell decreased", "WBC", "3.0", "2.0", "1.0")
ALBUMIN = Scale(
    "Hypoalbuminemia",
    "ALB",
    low=True,
    units=factors("albumin"),
    limits=(at("3", "g/L", "20"), at("2", "g/L", "30"), *BELOW_LLN),
    grades="12345",
    unlisted="Grade 4 is clinical: life-threatening consequences.",
)
POTASSIUM_LOW = Scale(
    "Hypokalemia",
    "K_LOW",
    low=True,
    units=SALTS,
    limits=(
        at("4", "mmol/L", "2.5"),
        at("3", "mmol/L", "3.0"),
        Limit("2", of="lln", symptoms=True),
        *BELOW_LLN,
    ),
    grades="12345",
)
SODIUM_LOW = Scale(
    "Hyponatremia",
    "NA_LOW",
    low=True,
    units=factors("sodium"),
    limits=(
        at("4", "mmol/L", "120"),
        at("3", "mmol/L", "125"),
        at("3", "mmol/L", "130", symptoms=True),
        at("2", "mmol/L", "130"),
        *BELOW_LLN,
    ),
    grades="12345",
    unlisted="v5.0 prints 125-129 and 120-124 and leaves gaps; v6.0 prints 125 to <130 and 120 to <125, used for both.",
)
CALCIUM_LOW = Scale(
    "Hypocalcemia",
    "CA_LOW",
    low=True,
    units={"mmol/L": ("mmol/L", ONE), "mg/dL": ("mg/dL", ONE)},
    limits=(
        at("4", "mmol/L", "1.5", ("mg/dL", "6.0")),
        at("3", "mmol/L", "1.75", ("mg/dL", "7.0")),
        at("2", "mmol/L", "2.0", ("mg/dL", "8.0")),
        *BELOW_LLN,
    ),
    grades="12345",
    unlisted="Of calcium corrected for albumin (rule corrected_calcium); ionised calcium is not graded here.",
)
MAGNESIUM_LOW = Scale(
    "Hypomagnesemia",
    "MG_LOW",
    low=True,
    units={"mmol/L": ("mmol/L", ONE), "mg/dL": ("mg/dL", ONE)},
    limits=(
        at("4", "mmol/L", "0.3", ("mg/dL", "0.7")),
        at("3", "mmol/L", "0.4", ("mg/dL", "0.9")),
        at("2", "mmol/L", "0.5", ("mg/dL", "1.2")),
        *BELOW_LLN,
    ),
    grades="12345",
)
FIBRINOGEN = Scale(
    "Fibrinogen decreased",
    "FIB",
    low=True,
    units=factors("fibrinogen"),
    limits=(at("4", "g/L", "0.5"), *times("lln", ("4", "0.25"), ("3", "0.5"), ("2", "0.75"), ("1", "1"))),
    unlisted="The text's percentages of decrease from an abnormal baseline are not computed; see the conventions.",
)
POTASSIUM_HIGH = Scale(
    "Hyperkalemia",
    "K_HIGH",
    low=False,
    units=SALTS,
    limits=(at("4", "mmol/L", "7.0"), at("3", "mmol/L", "6.0"), at("2", "mmol/L", "5.5"), *ABOVE_ULN),
    grades="12345",
)


def creatinine(*, always: bool) -> Scale:
    """Multiples of ULN or of the baseline, whichever is worse; v6.0 counts the baseline only when below LLN."""
    base = {"of": "baseline", "low_baseline": not always}
    limits = (
        *times("uln", ("4", "6"), ("3", "3")),
        Limit("3", factor=D(3), **base),  # type: ignore[arg-type]
        *times("uln", ("2", "1.5")),
        Limit("2", factor=D("1.5"), **base),  # type: ignore[arg-type]
        *ABOVE_ULN,
    )
    return Scale("Creatinine increased", "CREAT", low=False, units=factors("creatinine"), limits=limits)


UP_TO_5 = "Grade 3 is printed for a baseline up to 5 x ULN; a higher baseline is read in the same column."
TRANSAMINASE = ("1", "3", "5", "20")
CHOLESTASIS = ("1", "2.5", "5", "20")
BILIRUBIN = ("1", "1.5", "3", "10")
TRANSAMINASE_5 = (*times("baseline", ("4", "20"), ("3", "5"), ("2", "3")), from_("1", "1.5"))
TRANSAMINASE_6 = (*times("baseline", ("4", "4"), ("3", "2"), ("2", "1.5")), from_("1", "1"))
CHOLESTASIS_5 = (*times("baseline", ("4", "20"), ("3", "5"), ("2", "2.5")), from_("1", "2"))
SHARED = (
    ANEMIA,
    WBC,
    ALBUMIN,
    POTASSIUM_LOW,
    SODIUM_LOW,
    CALCIUM_LOW,
    MAGNESIUM_LOW,
    FIBRINOGEN,
    POTASSIUM_HIGH,
)
VERSIONS: Mapping[str, tuple[Scale, ...]] = {
    "5.0": (
        *SHARED,
        count("Neutrophil count decreased", "ANC", "1.5", "1.0", "0.5"),
        count("Platelet count decreased", "PLT", "75", "50", "25"),
        count("Lymphocyte count decreased", "LYMPH", "0.8", "0.5", "0.2"),
        enzyme("Alanine aminotransferase increased", "ALT", TRANSAMINASE, TRANSAMINASE_5),
        enzyme("Aspartate aminotransferase increased", "AST", TRANSAMINASE, TRANSAMINASE_5),
        enzyme(
            "Blood bilirubin increased",
            "BILI",
            BILIRUBIN,
            times("baseline", ("4", "10"), ("3", "3"), ("2", "1.5"), ("1", "1")),
        ),
        enzyme("GGT increased", "GGT", CHOLESTASIS, CHOLESTASIS_5),
        enzyme("Alkaline phosphatase increased", "ALP", CHOLESTASIS, CHOLESTASIS_5),
        creatinine(always=True),
        pancreas("Lipase increased", "LIPASE", "2"),
        pancreas("Serum amylase increased", "AMYLASE", "2"),
    ),
    "6.0": (
        *SHARED,
        Scale(
            "Neutrophil count decreased",
            "ANC",
            low=True,
            units=COUNTS,
            limits=(
                at("4", "10^9/L", "0.1"),
                at("3", "10^9/L", "0.5"),
                at("2", "10^9/L", "1.0"),
                at("1", "10^9/L", "1.5"),
            ),
        ),
        count("Thrombocytopenia", "PLT", "75", "50", "10"),
        enzyme("Alanine aminotransferase increased", "ALT", TRANSAMINASE, TRANSAMINASE_6, UP_TO_5),
        enzyme("Aspartate aminotransferase increased", "AST", TRANSAMINASE, TRANSAMINASE_6, UP_TO_5),
        enzyme(
            "Blood bilirubin increased",
            "BILI",
            BILIRUBIN,
            (*times("baseline", ("4", "10"), ("3", "2.5"), ("2", "1.5")), from_("1", "1")),
        ),
        enzyme(
            "GGT increased",
            "GGT",
            CHOLESTASIS,
            (*times("baseline", ("4", "10"), ("3", "3"), ("2", "1.5")), from_("1", "1")),
        ),
        Scale(
            "Alkaline phosphatase increased",
            "ALP",
            low=False,
            units=ENZYMES,
            limits=ABOVE_ULN,
            raised=times("baseline", ("1", "1")),
            grades="1",
            unlisted="v6.0 has grade 1 only: above the baseline and above ULN.",
        ),
        creatinine(always=False),
        pancreas("Lipase increased", "LIPASE", "3"),
        pancreas("Serum amylase increased", "AMYLASE", "2", "Mild symptoms count as none up to 5 x ULN."),
    ),
}
SOURCES = {"5.0": V5, "6.0": V6}
