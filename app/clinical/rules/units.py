"""Units: one factor per unit, the exact multiplier to the quantity's own unit. An unknown unit is refused."""

import re
from collections.abc import Mapping
from decimal import Decimal

from app.clinical.rules.bounds import OTHERWISE
from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Input, Kind, decimal_of, plain
from app.clinical.rules.rule import Case, Result, Rule, Table

D = Decimal

FACTORS = Table(
    title="Factors",
    columns=("quantity", "unit", "multiplied by", "gives"),
    rows=(
        ("bilirubin", "umol/L", D(1), "umol/L"),
        ("bilirubin", "mg/dL", D("17.1"), "umol/L"),
        ("creatinine", "umol/L", D(1), "umol/L"),
        ("creatinine", "mg/dL", D("88.42"), "umol/L"),
        ("count", "10^9/L", D(1), "10^9/L"),
        ("count", "10^3/uL", D(1), "10^9/L"),
        ("count", "/uL", D("0.001"), "10^9/L"),
        ("count", "/mm3", D("0.001"), "10^9/L"),
        ("fibrinogen", "g/L", D(1), "g/L"),
        ("fibrinogen", "mg/dL", D("0.01"), "g/L"),
        ("haemoglobin", "g/L", D(1), "g/L"),
        ("haemoglobin", "g/dL", D(10), "g/L"),
        ("albumin", "g/L", D(1), "g/L"),
        ("albumin", "g/dL", D(10), "g/L"),
        ("potassium", "mmol/L", D(1), "mmol/L"),
        ("potassium", "mEq/L", D(1), "mmol/L"),
        ("sodium", "mmol/L", D(1), "mmol/L"),
        ("sodium", "mEq/L", D(1), "mmol/L"),
        ("enzyme", "U/L", D(1), "U/L"),
        ("enzyme", "IU/L", D(1), "U/L"),
        ("mrd", "fraction", D(1), "fraction"),
        ("mrd", "percent", D("0.01"), "fraction"),
        ("weight", "kg", D(1), "kg"),
        ("weight", "g", D("0.001"), "kg"),
        ("height", "cm", D(1), "cm"),
        ("height", "m", D(100), "cm"),
    ),
    source="Definitions, section 5; SI multiples",
    note="Creatinine 88.42 (88.4 is in use too); 1/uL = 1/mm3 = 0.001 x 10^9/L; fibrinogen 100 mg/dL = 1 g/L.",
)
SCALES = Table(
    title="Temperature",
    columns=("from", "to", "subtract", "multiply by", "divide by", "add"),
    rows=(
        ("F", "C", D(32), D(5), D(9), D(0)),
        ("C", "F", D(0), D(9), D(5), D(32)),
        ("C", "C", D(0), D(1), D(1), D(0)),
        ("F", "F", D(0), D(1), D(1), D(0)),
    ),
    source="Definition of the Fahrenheit scale",
)
ACCEPTED = Table(
    title="Accepted",
    columns=("quantity", "in", "from", "up to"),
    rows=(
        ("temperature", "C", D(25), D(46)),
        ("mrd", "fraction", D(0), D(1)),
        (OTHERWISE, "its own unit", D(0), None),
    ),
    source="Marrow: what lies outside is a slip of the pen",
    note="Asked of the calcium and of the albumin too.",
)
CORRECTION = Table(
    title="Calcium corrected for albumin",
    columns=("calcium in", "albumin in", "normal albumin", "calcium per unit of albumin"),
    rows=(("mg/dL", "g/dL", D("4.0"), D("0.8")), ("mmol/L", "g/L", D(40), D("0.02"))),
    source="Standard formula, Ca + 0.8 x (4.0 - albumin), SI Ca + 0.02 x (40 - albumin)",
)
SPELLINGS = {
    "10*9/L": "10^9/L",
    "x10^9/L": "10^9/L",
    "10e9/L": "10^9/L",
    "10*3/uL": "10^3/uL",
    "x10^3/uL": "10^3/uL",
    "/mm^3": "/mm3",
    "cells/uL": "/uL",
    "cells/mm3": "/mm3",
    "%": "percent",
    "degC": "C",
    "°C": "C",
    "degF": "F",
    "°F": "F",
    "hemoglobin": "haemoglobin",
}


def factors(quantity: str) -> Mapping[str, tuple[str, Decimal]]:
    """Of a quantity, each accepted unit: the unit it leads to, and the factor."""
    return {unit: (to, factor) for name, unit, factor, to in FACTORS.rows if name == quantity}


def unit_named(name: str, written: str, units: Mapping[str, object]) -> str:
    """The unit as the table spells it; raises RuleError, which lists the accepted ones, for input `name`."""
    known = {plain(unit): unit for unit in units}
    known |= {plain(other): unit for other, unit in SPELLINGS.items() if unit in units}
    if (unit := known.get(plain(written))) is None:
        raise RuleError(name, f"write one of {', '.join(units)}")
    return unit


def corrected(calcium: Decimal, unit: str, albumin: Decimal, albumin_unit: str) -> Decimal:
    """Calcium corrected for albumin, in calcium's unit (mg/dL or mmol/L); albumin in g/dL or g/L."""
    albumins = factors("albumin")
    for calcium_unit, per, normal, slope in CORRECTION.rows:
        if calcium_unit == unit:
            grams = albumin * albumins[albumin_unit][1] / albumins[per][1]
            return calcium + Decimal(slope * (normal - grams))
    raise RuleError("unit", f"write one of {', '.join(row[0] for row in CORRECTION.rows)}")


_WITH_ALBUMIN = re.compile(r"(\S+)\s*@\s*albumin\s+(\S+)\s+(\S+)", re.IGNORECASE)
QUANTITIES = (*dict.fromkeys(row[0] for row in FACTORS.rows), "temperature", "calcium_corrected")
CORRECTIONS = tuple(f"calcium_corrected_{system}" for system in ("mgdl", "mmol", "mmoll", "si"))


def _accepted(quantity: str, number: Decimal) -> None:
    _, _, least, most = next(row for row in ACCEPTED.rows if row[0] in {quantity, OTHERWISE})
    if number < least or (most is not None and number > most):
        raise RuleError("value", "write a number that can be measured: the page of the rule lists what is accepted")


def _degrees(number: Decimal, given: str, wanted: str) -> Decimal:
    ((minus, times, per, plus),) = [row[2:] for row in SCALES.rows if row[:2] == (given, wanted)]
    return Decimal((number - minus) * times / per + plus)


def _convert(case: Case) -> Decimal:
    quantity, written = case["quantity"], case["value"]
    source, target = case["from_unit"], case["to_unit"]
    if quantity == "calcium_corrected":
        return _corrected(written, source, target)
    number = decimal_of(written)
    if number is None:
        raise RuleError("value", "write a plain number, such as 1.5")
    units = factors(quantity)  # temperature has none: its scales begin at different points
    names = units or dict.fromkeys(row[0] for row in SCALES.rows)
    given, wanted = unit_named("from_unit", source, names), unit_named("to_unit", target, names)
    if not units:
        _accepted(quantity, _degrees(number, given, "C"))
        return _degrees(number, given, wanted)
    _accepted(quantity, number * units[given][1])
    return number * units[given][1] / units[wanted][1]


def _corrected(written: str, source: str, target: str) -> Decimal:
    read = _WITH_ALBUMIN.fullmatch(written)
    calcium, albumin = (decimal_of(read[1]), decimal_of(read[2])) if read else (None, None)
    if read is None or calcium is None or albumin is None:
        raise RuleError("value", "write calcium and albumin, such as 8.0 @ albumin 2.0 g/dL")
    for each in (calcium, albumin):
        _accepted("calcium_corrected", each)
    systems = [row[0] for row in CORRECTION.rows]
    unit = unit_named("from_unit", source, dict.fromkeys(systems))
    if unit_named("to_unit", target, dict.fromkeys(systems)) != unit:
        raise RuleError("to_unit", "write the unit of the calcium: a correction converts nothing")
    return corrected(calcium, unit, albumin, unit_named("value", read[3], factors("albumin")))


UNIT_CONVERSIONS = Rule(
    id="unit_conversions",
    version="1",
    title="Unit conversion",
    sources=("Factors as listed; calcium corrected for albumin by the standard formula",),
    inputs=(
        Input(
            "quantity",
            Kind.CODE,
            "what was measured: molar factors differ from one substance to the next",
            codes=QUANTITIES,
            aliases={"hemoglobin": "haemoglobin", **dict.fromkeys(CORRECTIONS, "calcium_corrected")},
            open=True,
        ),
        Input("value", Kind.TEXT, "the number; for calcium_corrected such as 8.0 @ albumin 2.0 g/dL"),
        Input("from_unit", Kind.TEXT, "the unit it is in"),
        Input("to_unit", Kind.TEXT, "the unit it is wanted in"),
    ),
    results=(Result("value", "the number in the wanted unit, not rounded", _convert),),
    tables=(FACTORS, SCALES, CORRECTION, ACCEPTED),
    conventions=("A unit that is not listed for the quantity is refused, never guessed.", "Results are not rounded."),
    unverified=("The calcium correction is the standard formula; no source was opened.",),
)


def _correct(case: Case) -> Decimal:
    return corrected(case["calcium"], case["unit"], case["albumin"], case["albumin_unit"])


CORRECTED_CALCIUM = Rule(
    id="corrected_calcium",
    version="1",
    title="Calcium corrected for albumin",
    sources=("Ca + 0.8 x (4.0 - albumin g/dL); in SI units Ca + 0.02 x (40 - albumin g/L)",),
    inputs=(
        Input("calcium", Kind.DECIMAL, "total serum calcium", unit_in="unit", low=D(0)),
        Input("unit", Kind.CODE, "the unit of the calcium and of the result", codes=("mg/dL", "mmol/L"), open=True),
        Input("albumin", Kind.DECIMAL, "serum albumin of the same sample", unit_in="albumin_unit", low=D(0)),
        Input("albumin_unit", Kind.CODE, "the unit of the albumin", codes=("g/dL", "g/L"), open=True),
    ),
    results=(Result("value", "corrected calcium in the unit of the calcium, not rounded", _correct),),
    tables=(CORRECTION,),
    conventions=("Corrected in the system that the calcium is reported in; the two published forms differ slightly.",),
    unverified=("The formula is the standard one; no source was opened.",),
)
