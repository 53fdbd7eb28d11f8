"""CTCAE grades of laboratory values, and a prepared grader for many values of one term."""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.clinical.rules.ctcae_scales import SOURCES, VERSIONS, Limit, Scale
from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Cuts, Input, Kind, Known
from app.clinical.rules.rule import Case, Profile, Result, Rule, Table
from app.clinical.rules.units import unit_named

GRADES = ("0", "1", "2", "3", "4")
TERMS = tuple(dict.fromkeys(scale.term for scales in VERSIONS.values() for scale in scales))
_SCALES = {(version, scale.term): scale for version, scales in VERSIONS.items() for scale in scales}
_SHORT = {(version, scale.short): scale.term for version, scales in VERSIONS.items() for scale in scales}
_ALIASES = {scale.short: scale.short for scales in VERSIONS.values() for scale in scales}
NORMAL_ASSUMED = "BASELINE_ASSUMED_NORMAL"
PERCENTAGES = "BASELINE_DECREASE_NOT_COMPUTED"


def scale_of(version: str, term: str) -> Scale:
    """The scale of a term (or its short name) in a version; raises RuleError when the version has no such term."""
    scale = _SCALES.get((version, _SHORT.get((version, term), term)))
    if scale is None:
        raise RuleError("term", f"CTCAE {version} grades {', '.join(one.term for one in VERSIONS[version])}")
    return scale


def _unit(scale: Scale, written: str) -> tuple[str, Decimal]:
    return scale.units[unit_named("unit", written, scale.units)]


def _decide(case: Case) -> str:
    version, term = case["version"], case["term"]
    scale = scale_of(version, term)
    unit, factor = _unit(scale, case["unit"])
    value = case["value"] * factor
    lowest, highest = case.peek("lln"), case.peek("uln")
    if lowest is not None and highest is not None and lowest > highest:
        raise RuleError(
            "lln", "write the lower limit of normal here and the upper one in uln: they are the wrong way round"
        )
    baseline = case.assume("baseline", None, NORMAL_ASSUMED) if scale.uses_baseline else None
    if baseline == 0 and any(limit.of == "baseline" for limit in scale.limits):
        raise RuleError("baseline", "write a number above 0")
    if scale.short == "FIB":
        _flag_percentages(case)

    def read(name: str) -> Decimal:
        known: Decimal = case[name]
        return known * factor

    raised = scale.raised and baseline is not None and baseline > case["uln"]
    for limit in scale.raised if raised else scale.limits:
        if limit.of == "baseline" and (baseline is None or (limit.low_baseline and baseline >= case["lln"])):
            continue
        if limit.breached(value, limit.threshold(unit, read), low=scale.low) and not (
            limit.symptoms and not case["symptomatic"]
        ):
            return limit.grade
    return "0"


def _flag_percentages(case: Case) -> None:
    baseline, lowest = case.peek("baseline"), case.peek("lln")
    if baseline is not None and lowest is not None and baseline < lowest:
        case.flag(PERCENTAGES)


def _upper_limits(known: Known) -> Cuts:
    scale = scale_of(known["version"], known["term"])
    return scale.cuts(known["value"], known["baseline"])


def _tables() -> Iterator[Table]:
    for version, scales in VERSIONS.items():
        yield Table(
            title=f"Version {version}",
            columns=("term", "short", "grade", "value", "only", "units"),
            rows=tuple(row for scale in scales for row in _rows(scale)),
            source=SOURCES[version],
            note="Worst first: the first line that a value fits is its grade; no line is grade 0.",
        )
        yield Table(
            title=f"Version {version}: what the text adds",
            columns=("term", "remark"),
            rows=tuple((scale.term, scale.unlisted) for scale in scales if scale.unlisted),
            source=SOURCES[version],
        )


def _rows(scale: Scale) -> Iterator[tuple[str, ...]]:
    for column, limits in (("", scale.limits), ("baseline above ULN", scale.raised)):
        for limit in limits:
            only = [column, "symptoms or intervention" if limit.symptoms else ""]
            only.append("baseline below LLN" if limit.low_baseline else "")
            words = ", ".join(filter(None, only))
            yield scale.term, scale.short, limit.grade, _words(scale, limit), words, ", ".join(scale.units)


def _words(scale: Scale, limit: Limit) -> str:
    sign = ("<" if scale.low else ">") + ("=" if limit.reached else "")
    if limit.of:
        of = limit.of if limit.of == "baseline" else limit.of.upper()
        return f"{sign} {of}" if limit.factor == 1 else f"{sign} {limit.factor} x {of}"
    return "; ".join(f"{sign} {value} {unit}" for unit, value in limit.at)


_ZERO = Decimal(0)
CTCAE_LABS = Rule(
    id="ctcae_labs",
    version="1",
    title="CTCAE grade of a laboratory value",
    sources=tuple(SOURCES.values()),
    inputs=(
        Input("version", Kind.CODE, "the CTCAE version the study is pinned to", codes=tuple(VERSIONS), open=True),
        Input("term", Kind.CODE, "the CTCAE term, or its short name", codes=TERMS, aliases=_ALIASES, open=True),
        Input("value", Kind.DECIMAL, "the laboratory value", unit_in="unit", low=_ZERO, open=True),
        Input("unit", Kind.TEXT, "the unit of value, LLN, ULN and baseline", open=True),
        Input("lln", Kind.DECIMAL, "lower limit of normal", unit_in="unit", low=_ZERO, worse="up"),
        Input("uln", Kind.DECIMAL, "upper limit of normal", unit_in="unit", above=_ZERO, cuts=_upper_limits),
        Input("baseline", Kind.DECIMAL, "the value at baseline", unit_in="unit", low=_ZERO),
        Input("symptomatic", Kind.YES_NO, "symptoms, or an intervention was needed", worse="up"),
    ),
    results=(Result("value", "grade 0-4", _decide, GRADES),),
    tables=tuple(_tables()),
    conventions=(
        "The edge of a band belongs to the milder grade: the lower edge when low values are bad, else the upper one.",
        f"A baseline above ULN is abnormal. A missing one is taken as normal, with the flag {NORMAL_ASSUMED}.",
        "Creatinine without a baseline is graded by ULN alone, with the same flag.",
        "Whether symptoms are present is never assumed: without it the grade is NE, with its floor.",
        "Sodium of version 5.0 is read with the bands of 6.0, which close the gaps between whole numbers.",
        "Where the text prints a limit in several units, the one in the unit of the value is used: they are rounded.",
        "A printed value decides also when LLN is missing.",
        "For fibrinogen with a baseline below LLN the text adds percentages of decrease from the baseline.",
        f"They are not computed: the grade follows the multiples of LLN, with the flag {PERCENTAGES}.",
    ),
    unverified=(
        "Lymphocyte count decreased is absent from the metadata of 6.0 that was read; its removal is to be confirmed.",
        "GGT grade 1 includes 2.0 x baseline (5.0), as the text says; one open implementation excludes it.",
    ),
    profiles=tuple(Profile(version, "version", source) for version, source in SOURCES.items()),
)


class Grader:
    """Grades many values of one term against the same limits of normal and the same baseline."""

    __slots__ = ("_factor", "_inputs", "_low", "_rungs")

    def __init__(self, inputs: dict[str, Any]) -> None:
        given = CTCAE_LABS.read(inputs)
        for name in ("version", "term", "unit"):
            if given[name] is None:
                raise RuleError(name, "is needed to prepare a grader")
        CTCAE_LABS.compute({**inputs, "value": 0})  # refuses what the rule refuses
        scale = scale_of(given["version"], given["term"])
        unit, self._factor = _unit(scale, given["unit"])
        self._inputs, self._low = inputs, scale.low
        self._rungs = tuple(_rungs(scale, unit, self._factor, given))

    def __call__(self, value: Decimal | None, symptomatic: bool | None = None) -> str:
        """The grade, "0" to "4" or "NE": the rule's value for the same inputs. Raises RuleError below 0."""
        if value is None or value < 0:
            return self._slowly(value, symptomatic)
        scaled = value * self._factor
        low = self._low
        for threshold, reached, symptoms, grade in self._rungs:
            if threshold is None:
                return self._slowly(value, symptomatic)
            if (scaled < threshold if low else scaled > threshold) or (reached and scaled == threshold):
                if not symptoms or symptomatic:
                    return grade
                if symptomatic is None:
                    return self._slowly(value, symptomatic)
        return "0"

    def _slowly(self, value: Decimal | None, symptomatic: bool | None) -> str:
        return str(CTCAE_LABS.compute({**self._inputs, "value": value, "symptomatic": symptomatic}).value)


Rung = tuple[Decimal | None, bool, bool, str]


def _rungs(scale: Scale, unit: str, factor: Decimal, given: Known) -> Iterator[Rung]:
    """The limits as numbers in the printed unit; None where what they need is missing."""
    baseline, lln, uln = given["baseline"], given["lln"], given["uln"]
    if scale.raised and baseline is not None and uln is None:
        yield None, False, False, ""
        return
    raised = scale.raised and baseline is not None and baseline > uln
    for limit in scale.raised if raised else scale.limits:
        if limit.of == "baseline" and baseline is None:
            continue
        if limit.low_baseline and (lln is None or baseline >= lln):
            if lln is None:
                yield None, False, False, ""
            continue
        known = not limit.of or given[limit.of] is not None
        threshold = limit.threshold(unit, lambda name: given[name] * factor) if known else None
        yield threshold, limit.reached, limit.symptoms, limit.grade


@lru_cache(maxsize=4096)
def prepare(
    version: str,
    term: str,
    unit: str,
    lln: Decimal | None = None,
    uln: Decimal | None = None,
    baseline: Decimal | None = None,
) -> Grader:
    """A grader for one term, version, unit, range and baseline; raises RuleError for what cannot be read."""
    return Grader({"version": version, "term": term, "unit": unit, "lln": lln, "uln": uln, "baseline": baseline})


def grade_value(
    version: str,
    term: str,
    value: Decimal | None,
    unit: str,
    *,
    lln: Decimal | None = None,
    uln: Decimal | None = None,
    baseline: Decimal | None = None,
    symptomatic: bool | None = None,
) -> str:
    """The CTCAE grade of one value, "0" to "4" or "NE"; limits and baseline in the unit of the value."""
    return prepare(version, term, unit, lln, uln, baseline)(value, symptomatic)
