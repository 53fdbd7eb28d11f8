"""Performance status, heart failure class, creatinine clearance and the comorbidity index."""

from decimal import Decimal

from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import Case, Result, Rule, Table

D = Decimal

ECOG = Table(
    title="ECOG",
    columns=("ecog", "meaning", "kps"),
    rows=(
        ("0", "fully active", ("100", "90")),
        ("1", "restricted in strenuous activity", ("80", "70")),
        ("2", "ambulatory, self-care, no work, up more than half the day", ("60", "50")),
        ("3", "limited self-care, in bed more than half the day", ("40", "30")),
        ("4", "disabled", ("20", "10")),
        ("5", "dead", ("0",)),
    ),
    source="ECOG performance status; Karnofsky performance status, 0-100 by 10",
    note="The Karnofsky status beside each grade is one of several maps in use and is unverified.",
)
_KPS = tuple(each for row in ECOG.rows for each in row[2])


def _agree(case: Case) -> str:
    return "1" if any(row[0] == case["ecog"] and case["kps"] in row[2] for row in ECOG.rows) else "0"


ECOG_KARNOFSKY = Rule(
    id="ecog_karnofsky",
    version="1",
    title="ECOG and Karnofsky performance status",
    sources=(ECOG.source,),
    inputs=(
        Input("ecog", Kind.CODE, "ECOG grade", codes=tuple(row[0] for row in ECOG.rows), worse="up"),
        Input("kps", Kind.CODE, "Karnofsky status", codes=_KPS, worse="up"),
    ),
    results=(
        Result("value", "the ECOG grade as recorded", lambda case: str(case["ecog"]), tuple(r[0] for r in ECOG.rows)),
        Result("agree", "1 when they fit the map, 0 when they do not", _agree),
    ),
    tables=(ECOG,),
    conventions=("Neither is derived from the other: both are captured, and a disagreement is a question.",),
    unverified=("The map between ECOG and Karnofsky varies between sources.",),
)

NYHA_CLASSES = Table(
    title="Classes",
    columns=("limitation", "class", "meaning"),
    rows=(
        ("none", "I", "no limitation"),
        ("slight", "II", "slight limitation: symptoms on ordinary activity"),
        ("marked", "III", "marked limitation: symptoms on less than ordinary activity"),
        ("rest", "IV", "symptoms at rest"),
    ),
    source="New York Heart Association functional classes",
)
_CLASSES = tuple(str(row[1]) for row in NYHA_CLASSES.rows)


def _nyha(case: Case) -> str:
    return next(str(row[1]) for row in NYHA_CLASSES.rows if row[0] == case["limitation"])


NYHA = Rule(
    id="nyha",
    version="1",
    title="NYHA class",
    sources=(NYHA_CLASSES.source,),
    inputs=(
        Input(
            "limitation",
            Kind.CODE,
            "limitation of physical activity by symptoms of heart failure",
            codes=tuple(str(row[0]) for row in NYHA_CLASSES.rows),
            aliases={**{row[1]: row[0] for row in NYHA_CLASSES.rows}, "at_rest": "rest"},
            worse="up",
        ),
    ),
    results=(Result("value", "class", _nyha, _CLASSES),),
    tables=(NYHA_CLASSES,),
)

FORMULA = Table(
    title="Formula",
    columns=("term", "number", "unit"),
    rows=(
        ("age is subtracted from", D(140), "years"),
        ("factor of women", D("0.85"), ""),
        ("divided by", D(72), ""),
        ("umol/L of 1 mg/dL creatinine", D("88.42"), "umol/L"),
        ("adult from", D(18), "years"),
    ),
    source="Cockcroft and Gault 1976: (140 - age) x kg x (0.85 if female) / (72 x creatinine mg/dL)",
)
ELIGIBLE = Table(
    title="Limits that trials ask for",
    columns=("result", "at least", "unit"),
    rows=(("ge60", D(60), "mL/min"), ("ge50", D(50), "mL/min")),
    source="Trial eligibility",
    note="Compared without rounding.",
)
CHILD = "AGE_BELOW_18"


def _clearance(case: Case) -> Decimal:
    span, women, constant, molar, adult = (row[1] for row in FORMULA.rows)
    age = case["age"]
    if age < adult:
        case.flag(CHILD)
    weighted = (span - age) * case["weight_kg"] * (women if case["sex"] == "F" else D(1))
    if case["unit"] == "umol/L":
        weighted *= molar
    return Decimal(weighted / (constant * case["creatinine"]))


def _at_least(at: int) -> Result:
    def decide(case: Case) -> str:
        return "1" if _clearance(case) >= ELIGIBLE.rows[at][1] else "0"

    name, limit, unit = ELIGIBLE.rows[at]
    return Result(name, f"1 when at least {limit} {unit}, else 0", decide)


COCKCROFT_GAULT = Rule(
    id="cockcroft_gault",
    version="1",
    title="Creatinine clearance by Cockcroft and Gault",
    sources=(FORMULA.source,),
    inputs=(
        Input("age", Kind.DECIMAL, "age", unit="years", low=D(0), high=D(130)),
        Input("sex", Kind.CODE, "sex", codes=("M", "F"), aliases={"male": "M", "female": "F"}, open=True),
        Input("weight_kg", Kind.DECIMAL, "actual body weight, unless the protocol says otherwise", "kg", above=D(0)),
        Input("creatinine", Kind.DECIMAL, "serum creatinine", unit_in="unit", above=D(0)),
        Input("unit", Kind.CODE, "the unit of the creatinine", codes=("mg/dL", "umol/L"), open=True),
    ),
    results=(
        Result("value", "clearance in mL/min, not rounded", _clearance),
        *(_at_least(at) for at in range(len(ELIGIBLE.rows))),
    ),
    tables=(FORMULA, ELIGIBLE),
    conventions=(
        "Micromoles are converted (88.42) and one formula is used; the common constants 1.23 and 1.04 differ slightly.",
        "Anything missing makes every result NE, also where either sex would reach the limit.",
        f"Below 18 years the formula is not validated: computed, with the flag {CHILD}.",
    ),
)

POINTS = Table(
    title="Comorbidities",
    columns=("comorbidity", "severity", "points"),
    rows=(
        *((name, "yes", 1) for name in ("arrhythmia", "cardiac", "ibd", "diabetes", "cerebrovascular", "psychiatric")),
        *((name, "yes", 1) for name in ("obesity", "infection")),
        *((name, "yes", 2) for name in ("rheumatologic", "peptic_ulcer", "renal")),
        *((name, "yes", 3) for name in ("solid_tumour", "valve")),
        ("hepatic", "mild", 1),
        ("hepatic", "severe", 3),
        ("pulmonary", "moderate", 2),
        ("pulmonary", "severe", 3),
    ),
    source="Sorror, HCT-CI; obesity is a body mass index above 35",
    note="hepatic severe: moderate or severe; pulmonary none: none or mild.",
)
RISK = Table(
    title="Risk groups",
    columns=("group", "points from"),
    rows=(("high", 3), ("intermediate", 1), ("low", 0)),
    source="Sorror, HCT-CI",
)
_YES_NO = tuple(name for name, severity, _ in POINTS.rows if severity == "yes")
_GRADED = {"hepatic": ("none", "mild", "severe"), "pulmonary": ("none", "moderate", "severe")}
_MOST = sum(max(points for one, _, points in POINTS.rows if one == name) for name in (*_YES_NO, *_GRADED))


def _score(case: Case) -> int:
    answers = {**{name: "yes" if case[name] else "no" for name in _YES_NO}, **{name: case[name] for name in _GRADED}}
    return sum(points for name, severity, points in POINTS.rows if answers[name] == severity)


def _group(case: Case) -> str:
    score = _score(case)
    return next(str(name) for name, least in RISK.rows if score >= least)


HCT_CI = Rule(
    id="hct_ci",
    version="1",
    title="HCT comorbidity index",
    sources=(POINTS.source,),
    inputs=(
        *(Input(name, Kind.YES_NO, name.replace("_", " "), worse="up") for name in _YES_NO),
        *(Input(name, Kind.CODE, f"{name} impairment", codes=codes, worse="up") for name, codes in _GRADED.items()),
    ),
    results=(
        Result("value", "points", lambda case: str(_score(case)), tuple(str(each) for each in range(_MOST + 1))),
        Result("risk_group", "risk group", _group, tuple(str(row[0]) for row in reversed(RISK.rows))),
    ),
    tables=(POINTS, RISK),
    conventions=("A comorbidity that nobody answered for is missing, not absent: the floor is the sum of the others.",),
    unverified=("The laboratory definitions of the single comorbidities (2005 paper) were not read.",),
)
