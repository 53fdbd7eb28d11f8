"""Acute graft-versus-host disease: MAGIC organ stages and grade."""

from decimal import Decimal

from app.clinical.rules.bounds import NONE, OTHERWISE, category, holds, limit, limits, reached
from app.clinical.rules.errors import ImpossibleError, RuleError
from app.clinical.rules.inputs import Cuts, Input, Kind, Known
from app.clinical.rules.rule import Case, Result, Rule, Table

D = Decimal
MAGIC = "MAGIC criteria (Harris et al. 2016), as reprinted in PDQ NBK577669 table 4"

SKIN = Table(
    title="Skin",
    columns=("stage", "active erythema, % of body surface", "with bullae and desquamation > 5 %"),
    rows=(("4", ">50", "yes"), ("3", ">50", NONE), ("2", ">=25", NONE), ("1", ">0", NONE), ("0", ">=0", NONE)),
    source=MAGIC,
    note="Worst first: the first row that fits is the stage.",
)
LIVER = Table(
    title="Liver",
    columns=("stage", "bilirubin, mg/dL", "bilirubin, umol/L"),
    rows=(
        ("4", ">15", ">256.5"),
        ("3", ">6", ">102.6"),
        ("2", ">3", ">51.3"),
        ("1", ">=2", ">=34"),
        ("0", ">=0", ">=0"),
    ),
    source=f"{MAGIC}; read as continuous bands",
    note="Factor 17.1. Published tables round 2 mg/dL (34.2) to 34 umol/L, and so does this one.",
)
LOWER_GI = Table(
    title="Lower gut",
    columns=("stage", "adult, mL/day", "adult, episodes/day", "child, mL/kg/day", "child, episodes/day"),
    rows=(
        ("3", ">1500", ">7", ">30", ">10"),
        ("2", ">=1000", ">=5", ">=20", ">=7"),
        ("1", ">=500", ">=3", ">=10", ">=4"),
        ("0", ">=0", ">=0", ">=0", ">=0"),
    ),
    source=f"{MAGIC}; read as continuous bands",
    note="Worst first, below stage 4.",
)
SEVERE = Table(
    title="Lower gut, whatever the volume",
    columns=("stage", "sign"),
    rows=(("4", "severe abdominal pain with or without ileus, or gross blood"),),
    source=MAGIC,
)
UPPER_GI = Table(
    title="Upper gut",
    columns=("stage", "persistent nausea, vomiting or anorexia"),
    rows=(("1", "yes"), ("0", "no")),
    source=MAGIC,
    note="Upper gut has no further stage.",
)
WEIGHT = Table(
    title="Whose volumes",
    columns=("group", "body weight, kg"),
    rows=(("adult", ">50"), ("child", OTHERWISE)),
    source="PDQ NBK577669",
)
GRADE = Table(
    title="Grade: the first row of which any organ reaches its stage",
    columns=("grade", "skin", "liver", "upper gut", "lower gut"),
    rows=(
        ("IV", "4", "4", NONE, "4"),
        ("III", NONE, "2", NONE, "2"),
        ("II", "3", "1", "1", "1"),
        ("I", "1", NONE, NONE, NONE),
    ),
    source="MAGIC criteria (Harris et al. 2016), open transcription",
    note="Not the highest stage: skin 3 alone is II, lower gut 2 alone is III. No organ is grade 0.",
)
STAGES = ("0", "1", "2", "3", "4")
GRADES = ("0", "I", "II", "III", "IV")
DAILY, PER_KG = "mL/day", "mL/kg/day"
ORGANS = ("skin", "liver", "upper_gi", "lower_gi")
BULLAE_ALONE = "BULLAE_WITHOUT_ERYTHRODERMA"


def _excluded(case: Case, organ: str) -> bool:
    if not case.peek(f"{organ}_not_gvhd"):
        return False
    case.flag(f"{organ.upper()}_NOT_GVHD")
    return True


def _skin(case: Case) -> str:
    if _excluded(case, "skin"):
        return STAGES[0]
    examined, area = case.peek("skin_bsa") is not None, case["skin_bsa"]
    stage = next(str(row[0]) for row in SKIN.rows if holds(row[1], area) and _peeling(case, row[2], examined))
    if examined and stage < SKIN.rows[1][0] and case.peek("bullae_desq_gt5"):
        case.flag(BULLAE_ALONE)
    return stage


def _peeling(case: Case, cell: str, examined: bool) -> bool:
    return cell == NONE or not examined or bool(case["bullae_desq_gt5"]) is (cell == "yes")


def _liver(case: Case) -> str:
    if _excluded(case, "liver"):
        return STAGES[0]
    return category(LIVER.rows, case["bili"], 1 if case["bili_unit"] == "mg/dL" else 2)


def _upper_gi(case: Case) -> str:
    if _excluded(case, "upper_gi"):
        return STAGES[0]
    found = "yes" if case["ugi"] else "no"
    return next(str(stage) for stage, answer in UPPER_GI.rows if answer == found)


def _group(case: Case) -> str:
    weight, named = case.peek("weight_kg"), case.peek("group")
    if weight is None:
        return str(case["group"])
    found = category(WEIGHT.rows, weight)
    if named not in {None, found}:
        raise RuleError("group", f"leave it empty or write {found}: the weight decides whose volumes are read")
    return found


def _lower_gi(case: Case) -> str:
    if _excluded(case, "lower_gi"):
        return STAGES[0]
    if case["severe_pain_or_blood"]:
        return str(SEVERE.rows[0][0])
    group = _group(case)
    volume = case.peek("lgi_vol")
    if volume is not None:
        return category(LOWER_GI.rows, _volume(case, volume, group), 1 if group == "adult" else 3)
    counted = case.peek("lgi_episodes") is not None
    stage = category(LOWER_GI.rows, case["lgi_episodes"], 2 if group == "adult" else 4)
    return stage if counted or stage != LOWER_GI.rows[0][0] else str(SEVERE.rows[0][0])


def _volume(case: Case, volume: Decimal, group: str) -> Decimal:
    unit = case["lgi_unit"]
    if not volume or unit == (DAILY if group == "adult" else PER_KG):
        return volume
    weight = case["weight_kg"]
    if category(WEIGHT.rows, weight) != group:
        raise ImpossibleError
    return Decimal(volume * weight if group == "adult" else volume / weight)


def _grade(case: Case) -> str:
    stages = [int(stage(case)) for stage in (_skin, _liver, _upper_gi, _lower_gi)]
    return reached(GRADE.rows, stages, GRADES[0])


def _weight_cuts(known: Known) -> Cuts:
    volume = known["lgi_vol"]
    adult = (limit(row[1]) / volume for row in LOWER_GI.rows[:-1])
    child = (volume / limit(row[3]) for row in LOWER_GI.rows[:-1])
    return (*limits(row[1] for row in WEIGHT.rows), *adult, *child)


AGVHD = Rule(
    id="magic_agvhd",
    version="1",
    title="Acute GVHD, MAGIC",
    sources=(MAGIC, "Data rules: Blood 2015;126(23):3154 (abstract); PDQ"),
    inputs=(
        Input("group", Kind.CODE, "whose volumes: adult above 50 kg, whatever the age", codes=("adult", "child")),
        Input("weight_kg", Kind.DECIMAL, "body weight", "kg", above=D(0), high=D(500), cuts=_weight_cuts),
        Input(
            "skin_bsa",
            Kind.DECIMAL,
            "active erythema, of the body surface",
            "%",
            low=D(0),
            high=D(100),
            worse="up",
            missing="SKIN_MISSING",
        ),
        Input("bullae_desq_gt5", Kind.YES_NO, "bullae, and desquamation of more than 5 %", worse="up"),
        Input(
            "bili", Kind.DECIMAL, "total bilirubin", unit_in="bili_unit", low=D(0), worse="up", missing="LIVER_MISSING"
        ),
        Input("bili_unit", Kind.CODE, "the unit of the bilirubin", codes=("mg/dL", "umol/L")),
        Input("ugi", Kind.YES_NO, "persistent nausea, vomiting or anorexia", worse="up", missing="UPPER_GI_MISSING"),
        Input("lgi_vol", Kind.DECIMAL, "diarrhoea, mean of 3 days", unit_in="lgi_unit", low=D(0), worse="up"),
        Input("lgi_unit", Kind.CODE, "the unit of the volume", codes=(DAILY, PER_KG)),
        Input(
            "lgi_episodes",
            Kind.DECIMAL,
            "episodes of diarrhoea per day, mean of 3 days",
            low=D(0),
            worse="up",
            missing="LOWER_GI_MISSING",
        ),
        Input("severe_pain_or_blood", Kind.YES_NO, "severe pain with or without ileus, or gross blood", worse="up"),
        *(Input(f"{organ}_not_gvhd", Kind.YES_NO, f"{organ}: judged not to be GVHD") for organ in ORGANS),
    ),
    results=(
        Result("grade", "grade", _grade, GRADES),
        Result("skin", "stage", _skin, STAGES),
        Result("liver", "stage", _liver, STAGES),
        Result("upper_gi", "stage", _upper_gi, STAGES[:2]),
        Result("lower_gi", "stage", _lower_gi, STAGES),
    ),
    tables=(SKIN, LIVER, UPPER_GI, LOWER_GI, SEVERE, WEIGHT, GRADE),
    conventions=(
        "An organ that was not measured may have any stage, also where a single sign of it was answered with no.",
        "The volume decides where volume and episodes are known.",
        (
            "An organ judged not to be GVHD is stage 0, with a flag; the reason is captured beside it. Without that "
            "judgement what was measured is staged in full."
        ),
        "Bullae without erythroderma do not make stage 4: flag BULLAE_WITHOUT_ERYTHRODERMA.",
        (
            "Bilirubin between the printed bands (3.0-3.1 mg/dL) belongs to the higher one. The limits in "
            "umol/L are those "
            "of the table: one secondary table ends stage 3 at 255 and begins stage 2 at 51. Report mg/dL "
            "where possible."
        ),
        (
            "Volumes: the mean of 3 days for staging, at onset the highest of the 3 days before; an episode "
            "that was not "
            "measured counts 200 mL (3 mL/kg under 50 kg), stool mixed with urine half, formed stool nothing."
        ),
        "Upper gut: anorexia with weight loss, or nausea or 2 vomits a day or more, for at least 3 days.",
        (
            "Severe pain: need of opioids and an effect on performance. Streaks of blood from elsewhere do not count. "
            "A positive biopsy with less than 500 mL a day stays stage 0."
        ),
    ),
    unverified=(
        "The confidence per organ (confirmed, probable, possible, negative): its list was not read.",
        "Whether volume outranks episodes: the source has no tie-break.",
    ),
)
