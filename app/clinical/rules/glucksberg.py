"""Acute GVHD by the modified Glucksberg (Keystone 1994) grade and the IBMTR index: secondary to MAGIC."""

from app.clinical.rules.bounds import NONE, reached
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import Case, Result, Rule, Table

KEYSTONE = "Przepiorka et al., Keystone consensus, 1994 (abstract); bloodref.com"

GLUCKSBERG = Table(
    title="Modified Glucksberg: the first row of which any organ reaches its stage",
    columns=("grade", "skin", "liver", "gut"),
    rows=(("III", NONE, "2", "2"), ("II", "3", "1", "1"), ("I", "1", NONE, NONE)),
    source=KEYSTONE,
    note="Above these stands grade IV.",
)
GRADE_IV = Table(
    title="Grade IV, as the sources read it",
    columns=("reading", "skin", "liver", "gut"),
    rows=(
        ("default: skin or liver", "4", "4", NONE),
        ("any organ", "4", "4", "4"),
        ("skin or gut", "4", NONE, "4"),
    ),
    source="the 1995 paper as remembered; NBK12966 table and open transcription; bloodref.com",
    note="Disputed: where liver 4 and gut 4 belong. The first reading is the result.",
)
PERFORMANCE = Table(
    title="Extreme loss of performance",
    columns=("ECOG 4 or Karnofsky below 30", "grade"),
    rows=(("yes, with any organ", "IV"),),
    source=KEYSTONE,
)
IBMTR = Table(
    title="IBMTR index: the first row of which any organ reaches its stage",
    columns=("index", "skin", "liver", "gut"),
    rows=(("D", "4", "4", "4"), ("C", "3", "3", "3"), ("B", "2", "1", "1"), ("A", "1", NONE, NONE)),
    source="bloodref.com",
    note="Performance status is ignored.",
)
GRADES = ("0", "I", "II", "III", "IV")
INDEX = ("0", "A", "B", "C", "D")
DISPUTED = "STAGE_4_DISPUTED"
ORGANS = ("skin", "liver", "gut")


def _glucksberg(case: Case) -> str:
    stages = [int(case[organ]) for organ in ORGANS]
    lost = PERFORMANCE.rows[0][1]
    if any(stages) and case["ecog4_or_kps_lt30"]:
        return str(lost)
    lower = reached(GLUCKSBERG.rows, stages, GRADES[0])
    readings = [reached(((GRADES[4], *row[1:]),), stages, lower) for row in GRADE_IV.rows]
    if len(set(readings)) > 1:
        case.flag(DISPUTED)
    return readings[0]


def _ibmtr(case: Case) -> str:
    return reached(IBMTR.rows, [int(case[organ]) for organ in ORGANS], INDEX[0])


AGVHD_SECONDARY = Rule(
    id="agvhd_glucksberg_ibmtr",
    version="1",
    title="Acute GVHD, modified Glucksberg and IBMTR index",
    sources=(KEYSTONE, "IBMTR severity index, bloodref.com"),
    inputs=(
        *(Input(organ, Kind.CODE, f"{organ} stage", codes=("0", "1", "2", "3", "4"), worse="up") for organ in ORGANS),
        Input("ecog4_or_kps_lt30", Kind.YES_NO, "extreme loss of performance", worse="up"),
    ),
    results=(
        Result("glucksberg_keystone", "modified Glucksberg grade", _glucksberg, GRADES),
        Result("ibmtr", "IBMTR index", _ibmtr, INDEX),
    ),
    tables=(GLUCKSBERG, GRADE_IV, PERFORMANCE, IBMTR),
    conventions=(
        "Secondary: for comparison with older reports. The grade of the trials is MAGIC.",
        "Persistent nausea with positive histology counts as gut 1.",
        "Stages are entered as graded; a stage lowered for another cause is lowered before it is entered.",
        "Without any organ the grade is 0, whatever the performance status.",
    ),
    unverified=(
        (
            f"Where liver 4 and gut 4 belong: three reproductions disagree. Where they do, the flag {DISPUTED} "
            f"stands beside "
            "the default reading (skin 4 or liver 4 is IV, gut 4 is III)."
        ),
    ),
)
