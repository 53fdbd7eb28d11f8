"""Cytokine release syndrome and neurotoxicity, ASTCT 2019."""

from collections.abc import Iterable
from decimal import Decimal

from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import Case, Result, Rule, Table

D = Decimal
ASTCT = "Lee et al., ASTCT consensus grading, 2019"
GRADES = ("0", "1", "2", "3", "4", "5")

FEVER = Table(
    title="Fever",
    columns=("temperature from", "unit", "grade of fever alone"),
    rows=((D("38.0"), "C", "1"),),
    source=ASTCT,
    note="After an antipyretic, tocilizumab or steroids fever is no longer required: fever_waived.",
)
HYPOTENSION = Table(
    title="Hypotension",
    columns=("code", "grade", "meaning"),
    rows=(
        ("none", "0", "no hypotension"),
        ("fluids", "2", "no vasopressor needed"),
        ("one", "3", "one vasopressor"),
        ("one_plus_vasopressin", "3", "one vasopressor and vasopressin"),
        ("vasopressin", "3", "vasopressin alone"),
        ("multiple", "4", "several vasopressors, vasopressin not counted"),
    ),
    source=ASTCT,
)
HYPOXIA = Table(
    title="Hypoxia",
    columns=("code", "grade", "meaning"),
    rows=(
        ("none", "0", "no oxygen needed"),
        ("low_flow", "2", "low flow, 6 L/min or less"),
        ("blow_by", "2", "blow-by"),
        ("high_flow", "3", "high flow, more than 6 L/min"),
        ("facemask", "3", "facemask"),
        ("non_rebreather", "3", "non-rebreather mask"),
        ("venturi", "3", "Venturi mask"),
        ("positive_pressure", "4", "CPAP, BiPAP or mechanical ventilation"),
    ),
    source=ASTCT,
)
DEATH = Table(title="Death", columns=("death due to it", "grade"), rows=(("yes", "5"),), source=ASTCT)


def _grade(table: Table, code: str) -> str:
    return next(str(row[1]) for row in table.rows if row[0] == code)


def _codes(table: Table) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in table.rows)


def _worst(grades: Iterable[str]) -> str:
    return max(grades, key=GRADES.index)


def _crs(case: Case) -> str:
    if case["death_due_to_crs"]:
        return str(DEATH.rows[0][1])
    ((limit, _, alone),) = FEVER.rows
    axes = _worst((_grade(HYPOTENSION, case["hypotension"]), _grade(HYPOXIA, case["hypoxia"])))
    if case["temp_c"] >= limit:
        return _worst((str(alone), axes))
    return axes if axes == "0" or case["fever_waived"] else "0"


CRS = Rule(
    id="crs_astct",
    version="1",
    title="Cytokine release syndrome, ASTCT 2019",
    sources=(ASTCT,),
    inputs=(
        Input(
            "temp_c",
            Kind.DECIMAL,
            "highest temperature, not otherwise explained",
            "C",
            low=D(25),
            high=D(46),
            worse="up",
        ),
        Input("fever_waived", Kind.YES_NO, "antipyretic, tocilizumab or steroids were given after fever", worse="up"),
        Input(
            "hypotension",
            Kind.CODE,
            "what the blood pressure needs",
            codes=_codes(HYPOTENSION),
            aliases={
                "one_vasopressor": "one",
                "one_pressor": "one",
                "single": "one",
                "one_vasopressor_plus_vasopressin": "one_plus_vasopressin",
                "vasopressin_only": "vasopressin",
                "vasopressin_alone": "vasopressin",
                "multiple_vasopressors": "multiple",
            },
            worse="up",
        ),
        Input(
            "hypoxia",
            Kind.CODE,
            "what the oxygenation needs",
            codes=_codes(HYPOXIA),
            aliases={
                "mask": "facemask",
                "face_mask": "facemask",
                "nonrebreather": "non_rebreather",
                "blowby": "blow_by",
                "cpap": "positive_pressure",
                "bipap": "positive_pressure",
                "ventilation": "positive_pressure",
                "intubation": "positive_pressure",
            },
            worse="up",
        ),
        Input("death_due_to_crs", Kind.YES_NO, "death due to CRS", worse="up"),
    ),
    results=(Result("value", "grade; 0 is no CRS", _crs, GRADES),),
    tables=(FEVER, HYPOTENSION, HYPOXIA, DEATH),
    conventions=(
        "The worse of hypotension and hypoxia decides; organ toxicity does not enter.",
        "No fever and no waiver is no CRS. The height of the fever changes nothing.",
        "Vasopressin alone is grade 3.",
    ),
    unverified=("Whether intubation only to protect the airway in neurotoxicity is left out of grade 4.",),
)

ICE = Table(
    title="ICE (12 years and over)",
    columns=("points from", "grade"),
    rows=((10, "0"), (7, "1"), (3, "2"), (0, "3")),
    source=ASTCT,
    note="Orientation 4, naming 3, command 1, writing 1, attention 1. Unarousable is grade 4 by consciousness.",
)
CAPD = Table(
    title="CAPD (under 12, or developmental delay)",
    columns=("points from", "grade"),
    rows=((9, "3"), (0, "1")),
    source=ASTCT,
)
CONSCIOUSNESS = Table(
    title="Depressed consciousness",
    columns=("code", "grade", "meaning"),
    rows=(
        ("awake", "0", "awakens spontaneously"),
        ("voice", "2", "awakens to voice"),
        ("tactile", "3", "awakens to touch only"),
        ("unarousable", "4", "unarousable, or only by vigorous or repetitive stimuli"),
        ("stupor", "4", "stupor"),
        ("coma", "4", "coma"),
    ),
    source=ASTCT,
    note="Awakening spontaneously adds nothing: grade 1 needs an ICE of 7-9, or a CAPD below 9.",
)
SEIZURE = Table(
    title="Seizure",
    columns=("code", "grade", "meaning"),
    rows=(
        ("none", "0", "none"),
        ("brief", "3", "resolves rapidly"),
        ("ncse", "3", "non-convulsive on EEG, resolves with treatment"),
        ("prolonged_gt5min", "4", "longer than 5 minutes"),
        ("repetitive", "4", "repetitive without return to baseline"),
    ),
    source=ASTCT,
)
MOTOR = Table(
    title="Motor weakness",
    columns=("deep focal weakness", "grade", "meaning"),
    rows=((False, "0", "none"), (True, "4", "hemiparesis or paraparesis")),
    source=ASTCT,
)
PRESSURE = Table(
    title="Intracranial pressure and oedema",
    columns=("code", "grade", "meaning"),
    rows=(
        ("none", "0", "none"),
        ("haemorrhage", "0", "intracranial haemorrhage: does not count"),
        ("focal_edema", "3", "focal oedema on imaging"),
        ("diffuse_edema", "4", "diffuse oedema on imaging"),
        ("posturing", "4", "decerebrate or decorticate posturing"),
        ("cn_vi_palsy", "4", "sixth nerve palsy"),
        ("papilloedema", "4", "papilloedema"),
        ("cushing", "4", "Cushing triad"),
    ),
    source=ASTCT,
)
TOOL = Table(
    title="Which tool",
    columns=("ICE from", "unit"),
    rows=((D(12), "years"),),
    source=ASTCT,
)
ZERO_CAPD = "CAPD_0_QUERY"
NO_DELAY = "DELAY_ASSUMED_ABSENT"


def _tool(case: Case) -> str:
    table, name = ICE, "ice"
    if case["age"] < TOOL.rows[0][0] or case.assume("developmental_delay", False, NO_DELAY):  # noqa: FBT003
        table, name = CAPD, "capd"
    score = case[name]
    if name == "capd" and score == 0:
        case.flag(ZERO_CAPD)
    return next(str(grade) for least, grade in table.rows if score >= least)


def _icans(case: Case) -> str:
    if case["death_due_to_icans"]:
        return str(DEATH.rows[0][1])
    worst = _worst(
        (
            _grade(CONSCIOUSNESS, case["consciousness"]),
            _grade(SEIZURE, case["seizure"]),
            _grade(MOTOR, case["motor"]),
            _grade(PRESSURE, case["icp"]),
        )
    )
    return worst if worst == GRADES[4] else _worst((worst, _tool(case)))


ICANS = Rule(
    id="icans_astct",
    version="1",
    title="Immune effector cell-associated neurotoxicity, ASTCT 2019",
    sources=(ASTCT, "CAPD for children: ASTCT 2019, paediatric part"),
    inputs=(
        Input("age", Kind.DECIMAL, "age", "years", low=D(0), high=D(130), cuts=(TOOL.rows[0][0],)),
        Input("ice", Kind.INTEGER, "ICE score", "points", low=D(0), high=D(10), worse="down"),
        Input("capd", Kind.INTEGER, "CAPD score", "points", low=D(0), high=D(32), worse="up"),
        Input("developmental_delay", Kind.YES_NO, "developmental delay at 12 years or over: CAPD instead of ICE"),
        Input(
            "consciousness",
            Kind.CODE,
            "what awakens the patient",
            codes=_codes(CONSCIOUSNESS),
            aliases={"touch": "tactile", "spontaneous": "awake", "vigorous": "unarousable"},
            worse="up",
        ),
        Input(
            "seizure",
            Kind.CODE,
            "seizures",
            codes=_codes(SEIZURE),
            aliases={
                "ncse_resolves": "ncse",
                "nonconvulsive": "ncse",
                "prolonged": "prolonged_gt5min",
                "repetitive_no_return": "repetitive",
            },
            worse="up",
        ),
        Input("motor", Kind.YES_NO, "deep focal motor weakness", worse="up"),
        Input(
            "icp",
            Kind.CODE,
            "raised intracranial pressure or cerebral oedema",
            codes=_codes(PRESSURE),
            aliases={
                "hemorrhage": "haemorrhage",
                "focal_oedema": "focal_edema",
                "diffuse_oedema": "diffuse_edema",
                "papilledema": "papilloedema",
                "cn6_palsy": "cn_vi_palsy",
                "cushing_triad": "cushing",
            },
            worse="up",
        ),
        Input("death_due_to_icans", Kind.YES_NO, "death due to ICANS", worse="up"),
    ),
    results=(Result("value", "grade; 0 is no ICANS", _icans, GRADES),),
    tables=(TOOL, ICE, CAPD, CONSCIOUSNESS, SEIZURE, MOTOR, PRESSURE, DEATH),
    conventions=(
        "The worst domain decides, and only findings without another cause are entered.",
        "ICE 0 in an awake patient is grade 3; unarousable is grade 4.",
        f"Without an answer about developmental delay there is none, with the flag {NO_DELAY}.",
    ),
    unverified=(f"CAPD 0 is inside the printed below 9 and gives grade 1, with the flag {ZERO_CAPD}.",),
)
