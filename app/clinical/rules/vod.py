"""Sinusoidal obstruction syndrome (VOD/SOS) in adults: diagnosis by EBMT 2016 and 2023, and severity."""

from collections.abc import Iterator
from decimal import Decimal

from app.clinical.rules.bounds import NONE, OTHERWISE, holds, limits
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import Case, Result, Rule, Table

D = Decimal
EBMT_2016 = "EBMT 2016 adult criteria (open transcription)"
EBMT_2023 = "EBMT 2023 criteria (defitelio.com)"

BILIRUBIN = Table(
    title="Bilirubin",
    columns=("item", "limit", "unit"),
    rows=(("bili_mgdl", ">=2", "mg/dL"), ("bili_umol", ">=34", "umol/L")),
    source=f"{EBMT_2016}; {EBMT_2023}",
    note="One item, in either unit. The classical picture requires it, in probable 2023 it counts.",
)
ITEMS = Table(
    title="Further items",
    columns=("item", "limit", "unit", "in the classical picture", "in probable 2023"),
    rows=(
        ("painful_hepatomegaly", "yes", "", "counts", "counts"),
        ("weight_gain_pct", ">5", "%", "counts", "counts"),
        ("ascites", "yes", "", "counts", "counts"),
        ("us_elasto", "yes", "", NONE, "counts"),
    ),
    source=f"{EBMT_2016}; {EBMT_2023}",
)
RULES_2016 = Table(
    title="EBMT 2016",
    columns=("result", "day", "picture", "items from"),
    rows=(
        ("Y", "<=21", "classical", 2),
        ("late", OTHERWISE, "classical", 2),
        ("late", OTHERWISE, "items and evidence", 2),
    ),
    source=EBMT_2016,
    note="Classical: bilirubin and so many of the items that count. Late also by histology. Items and "
    "evidence: so many "
    "of bilirubin and the classical items, with ultrasound, elastography or a raised pressure gradient. Otherwise N.",
)
RULES_2023 = Table(
    title="EBMT 2023: the first row that fits",
    columns=("result", "picture", "items from"),
    rows=(("proven", "histology or HVPG", 1), ("clinical", "classical", 2), ("probable", "items", 2)),
    source=EBMT_2023,
    note="HVPG: hepatic venous pressure gradient of 10 mmHg or more. Otherwise none.",
)
DIAGNOSES, PICTURES = ("none", "probable", "clinical", "proven"), ("N", "late", "Y")
BOTH_UNITS = ("bili_mgdl", "bili_umol")


def _jaundiced(case: Case, bounds: tuple[str, str]) -> bool:
    """Whether the bilirubin reaches its bound in mg/dL or in umol/L; either unit may be missing."""
    given = [(bound, case.peek(name)) for bound, name in zip(bounds, BOTH_UNITS, strict=True)]
    if all(value is None for _, value in given):
        return holds(bounds[0], case[BOTH_UNITS[0]])
    return any(value is not None and holds(bound, value) for bound, value in given)


def _present(case: Case, column: int) -> Iterator[bool]:
    """The items that count in a column, bilirubin apart."""
    for row in ITEMS.rows:
        if row[column] == "counts":
            given = case[row[0]]
            yield given is (row[1] == "yes") if isinstance(given, bool) else holds(row[1], given)


def _raised(case: Case) -> bool:
    return _jaundiced(case, (BILIRUBIN.rows[0][1], BILIRUBIN.rows[1][1]))


def _picture_2016(case: Case) -> str:
    early, late, evident = RULES_2016.rows
    raised, items = _raised(case), sum(_present(case, 3))
    if holds(early[1], case["day"]):
        return str(early[0]) if raised and items >= early[3] else PICTURES[0]
    if (raised and items >= late[3]) or case["histology"]:
        return str(late[0])
    evidence = raised + items >= evident[3] and (case["us_elasto"] or case["hvpg_ge10"])
    return str(evident[0]) if evidence else PICTURES[0]


def _picture_2023(case: Case) -> str:
    proven, clinical, probable = RULES_2023.rows
    if case["histology"] + case["hvpg_ge10"] >= proven[2]:
        return str(proven[0])
    raised = _raised(case)
    if raised and sum(_present(case, 3)) >= clinical[2]:
        return str(clinical[0])
    counted = raised + sum(_present(case, 4))
    return str(probable[0]) if counted >= probable[2] else DIAGNOSES[0]


VOD_DIAGNOSIS = Rule(
    id="vod_diagnosis",
    version="1",
    title="VOD/SOS in adults: diagnosis",
    ranked="from the floor upwards",
    sources=(EBMT_2016, EBMT_2023),
    inputs=(
        Input(
            "day",
            Kind.INTEGER,
            "day after the graft infusion",
            "days",
            low=D(0),
            cuts=limits(row[1] for row in RULES_2016.rows),
        ),
        Input("bili_mgdl", Kind.DECIMAL, "total bilirubin", "mg/dL", low=D(0), worse="up"),
        Input("bili_umol", Kind.DECIMAL, "total bilirubin, instead of mg/dL", "umol/L", low=D(0), worse="up"),
        Input("painful_hepatomegaly", Kind.YES_NO, "painful hepatomegaly", worse="up"),
        Input("weight_gain_pct", Kind.DECIMAL, "weight gain", "%", low=D(-100), worse="up"),
        Input("ascites", Kind.YES_NO, "ascites", worse="up"),
        Input("us_elasto", Kind.YES_NO, "ultrasound or elastography suggestive", worse="up"),
        Input("hvpg_ge10", Kind.YES_NO, "hepatic venous pressure gradient of 10 mmHg or more", worse="up"),
        Input("histology", Kind.YES_NO, "proven by histology", worse="up"),
    ),
    results=(
        Result("dx2023", "EBMT 2023", _picture_2023, DIAGNOSES),
        Result("dx2016_classical", "EBMT 2016: Y, late, or N", _picture_2016, PICTURES, frozenset(PICTURES)),
    ),
    tables=(BILIRUBIN, ITEMS, RULES_2016, RULES_2023),
    conventions=(
        "Day 21 is early.",
        "Clinical 2023 counts the items of the classical picture; ultrasound and elastography count for probable only.",
        "Before or without a transplant the split at day 21 means nothing: use the 2023 result.",
        "With bilirubin in both units the higher of the two readings counts.",
    ),
    unverified=("Children have a table of their own, which is not here.",),
)

SEVERITIES = ("none", "mild", "moderate", "severe", "very_severe")
PARAMETERS = Table(
    title="Parameters: the highest category whose cell fits",
    columns=("parameter", "mild", "moderate", "severe", "very severe", "unit"),
    rows=(
        ("days_since_first_symptom", OTHERWISE, "<=7", "<=4", NONE, "days"),
        ("bili_mgdl", ">=2", ">=3", ">=5", ">=8", "mg/dL"),
        ("bili_umol", ">=34", ">=51", ">=85", ">=136", "umol/L"),
        ("bili_doubling_48h", NONE, NONE, "yes", NONE, ""),
        ("transaminase_xn", OTHERWISE, ">2", ">5", ">8", "x normal"),
        ("weight_gain_pct", OTHERWISE, ">=5", NONE, ">=10", "%"),
        ("creat_x_baseline", OTHERWISE, ">=1.2", ">=1.5", ">=2", "x baseline"),
    ),
    source="EBMT 2016 severity (view-large/4463002)",
    note="Two parameters at a category or above make it. The weight gain of moderate becomes severe beside another "
    "severe parameter.",
)
COUNT = Table(
    title="How many parameters",
    columns=("what", "number"),
    rows=(("parameters at a category or above", 2), ("severe parameters beside a weight gain of moderate", 1)),
    source="EBMT 2016 severity; counting rule of Marrow",
)
RISK = Table(
    title="What two or more risk factors, and organ failure, change",
    columns=("from", "risk factors", "organ failure"),
    rows=(
        ("mild", "moderate", "very_severe"),
        ("moderate", "severe", "very_severe"),
        ("severe", "severe", "very_severe"),
        ("very_severe", "very_severe", "very_severe"),
    ),
    source="EBMT 2016 severity",
    note="Organ failure: multiple organ dysfunction or failure.",
)
FOOTNOTE, LOW_BILIRUBIN = "WEIGHT_FOOTNOTE", "BILIRUBIN_BELOW_DIAGNOSTIC"


def _level(case: Case, row: tuple[str, ...]) -> int:
    for level in range(4, 0, -1):
        cell = row[level]
        if cell != NONE and (bool(case[row[0]]) if cell == "yes" else holds(cell, case[row[0]])):
            return level
    return 0


def _severity(case: Case) -> str:
    days, mgdl, umol, *others = PARAMETERS.rows
    bilirubin = next(level for level in range(4, -1, -1) if not level or _jaundiced(case, (mgdl[level], umol[level])))
    if not bilirubin:
        case.flag(LOW_BILIRUBIN)
    levels = {row[0]: _level(case, row) for row in (days, *others)}
    levels[mgdl[0]] = bilirubin
    severe, weight = SEVERITIES.index("severe"), "weight_gain_pct"
    beside = sum(level >= severe for name, level in levels.items() if name != weight)
    if levels[weight] == severe - 1 and beside >= COUNT.rows[1][1]:
        levels[weight] = severe
        case.flag(FOOTNOTE)
    ranked = sorted(levels.values(), reverse=True)
    found = SEVERITIES[ranked[COUNT.rows[0][1] - 1]]
    _, by_risk, by_failure = next(row for row in RISK.rows if row[0] == found)
    return str(by_failure if case["mod_mof"] else by_risk if case["risk_factors_ge2"] else found)


VOD_SEVERITY = Rule(
    id="vod_severity_adult",
    version="1",
    title="VOD/SOS in adults: severity",
    sources=("EBMT 2016 severity (view-large/4463002)",),
    inputs=(
        Input("days_since_first_symptom", Kind.INTEGER, "days since the first symptom", "days", low=D(0), worse="down"),
        Input("bili_mgdl", Kind.DECIMAL, "total bilirubin", "mg/dL", low=D(0), worse="up"),
        Input("bili_umol", Kind.DECIMAL, "total bilirubin, instead of mg/dL", "umol/L", low=D(0), worse="up"),
        Input("bili_doubling_48h", Kind.YES_NO, "bilirubin doubled within 48 hours", worse="up"),
        Input("transaminase_xn", Kind.DECIMAL, "transaminases", "x normal", low=D(0), worse="up"),
        Input("weight_gain_pct", Kind.DECIMAL, "weight gain", "%", low=D(-100), worse="up"),
        Input("creat_x_baseline", Kind.DECIMAL, "creatinine", "x baseline", low=D(0), worse="up"),
        Input("mod_mof", Kind.YES_NO, "multiple organ dysfunction or failure", worse="up"),
        Input("risk_factors_ge2", Kind.YES_NO, "two or more risk factors", worse="up"),
    ),
    results=(Result("value", "severity", _severity, SEVERITIES[1:]),),
    tables=(PARAMETERS, COUNT, RISK),
    conventions=(
        "The highest category with at least two parameters at it or above.",
        (
            "Severity is of a diagnosed VOD: with a bilirubin below the mild band it is still given, with the flag "
            f"{LOW_BILIRUBIN}."
        ),
        "With bilirubin in both units the higher of the two readings counts.",
    ),
    unverified=(
        f"That a weight gain of 5 to below 10 % counts as severe beside another severe parameter: flag {FOOTNOTE}.",
        "The printed cells of weight, mild above 5 % and severe above 10 %, are read as printing errors.",
        "Children have a table of their own, which is not here.",
    ),
)
