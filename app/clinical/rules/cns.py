"""Central nervous system status at lumbar puncture, and CNS relapse."""

from decimal import Decimal

from app.clinical.rules.bounds import NONE, holds, limit, limits
from app.clinical.rules.inputs import Cuts, Input, Kind, Known
from app.clinical.rules.rule import Case, Result, Rule, Table

D = Decimal
BMJ = "BMJ Best Practice, acute lymphoblastic leukaemia, diagnostic criteria"

STATUS = Table(
    title="Status: the first row that fits decides",
    columns=("status", "clinical signs", "blasts in CSF", "CSF WBC, /uL", "CSF RBC, /uL", "ratio"),
    rows=(
        ("CNS3c", "yes", NONE, NONE, NONE, NONE),
        ("CNS1", NONE, "no", NONE, NONE, NONE),
        ("CNS2a", NONE, NONE, "<5", "<10", NONE),
        ("CNS2b", NONE, NONE, "<5", NONE, NONE),
        ("CNS3a", NONE, NONE, NONE, "<10", NONE),
        ("CNS3b", NONE, NONE, NONE, NONE, "positive"),
        ("CNS2c", NONE, NONE, NONE, NONE, NONE),
    ),
    source=BMJ,
)
RATIO = Table(
    title="Steinherz/Bleyer ratio",
    columns=("what", "CSF WBC/RBC as a multiple of blood WBC/RBC"),
    rows=(("positive", ">=2"),),
    source=BMJ,
)
CHANGE = Table(
    title="Relapse in the central nervous system",
    columns=("status before", "status now", "relapse", "flag"),
    rows=(("CNS1", "CNS3", "1", ""), ("CNS1", "CNS2", "0", "NEW_CNS2_QUERY")),
    source="Marrow",
    note="CNS3 includes clinical signs. Every other pair is no relapse.",
)
ORDER = ("CNS1", "CNS2a", "CNS2b", "CNS2c", "CNS3a", "CNS3b", "CNS3c")
AT_EQUALITY, CONTRADICTS = "RATIO_AT_EQUALITY", "RATIO_CONTRADICTS_COUNTS"


def _computed(case: Case) -> bool | None:
    white, red = case.peek("blood_wbc_uL"), case.peek("blood_rbc_uL")
    if not white or not red:
        return None
    multiple = case["csf_wbc_uL"] * red / (white * case["csf_rbc_uL"])
    if multiple == limit(RATIO.rows[0][1]):
        case.flag(AT_EQUALITY)
    return holds(RATIO.rows[0][1], multiple)


def _ratio(case: Case) -> str:
    computed, entered = _computed(case), case.peek("ratio_positive")
    if computed is None:
        return "positive" if case["ratio_positive"] else "negative"
    if entered is not None and entered != computed:
        case.flag(CONTRADICTS)
    return "positive" if computed or entered else "negative"


def _erythrocyte_cuts(known: Known) -> Cuts:
    printed = limits(row[4] for row in STATUS.rows)
    white, red, fluid = (known[name] for name in ("blood_wbc_uL", "blood_rbc_uL", "csf_wbc_uL"))
    if not white or not red or fluid is None:
        return printed
    return (*printed, fluid * red / (white * limit(RATIO.rows[0][1])))  # where the computed ratio turns


def _fits(case: Case, row: tuple[str, ...]) -> bool:
    _, signs, blasts, white, red, ratio = row
    return (
        (signs == NONE or bool(case["clinical_signs"]) is (signs == "yes"))
        and (blasts == NONE or bool(case["csf_blasts"]) is (blasts == "yes"))
        and (white == NONE or holds(white, case["csf_wbc_uL"]))
        and (red == NONE or holds(red, case["csf_rbc_uL"]))
        and (ratio == NONE or _ratio(case) == ratio)
    )


def _status(case: Case) -> str:
    return next(str(row[0]) for row in STATUS.rows if _fits(case, row))


def _relapse(case: Case) -> str | None:
    before = case.peek("previous")
    if before is None:
        return None
    now = _status(case)
    for was, becomes, relapse, flag in CHANGE.rows:
        if before == was and now.startswith(becomes):
            if flag:
                case.flag(flag)
            return str(relapse)
    return "0"


CNS = Rule(
    id="cns_status",
    version="1",
    title="Central nervous system status",
    sources=(BMJ,),
    inputs=(
        Input("csf_blasts", Kind.YES_NO, "blasts in the cerebrospinal fluid", worse="up"),
        Input("csf_wbc_uL", Kind.DECIMAL, "leucocytes in the cerebrospinal fluid", "/uL", low=D(0), worse="up"),
        Input(
            "csf_rbc_uL",
            Kind.DECIMAL,
            "erythrocytes in the cerebrospinal fluid",
            "/uL",
            low=D(0),
            cuts=_erythrocyte_cuts,
        ),
        Input("ratio_positive", Kind.YES_NO, "Steinherz/Bleyer ratio positive, when known", worse="up"),
        Input("blood_wbc_uL", Kind.DECIMAL, "leucocytes in the blood, for the ratio", "/uL", low=D(0)),
        Input("blood_rbc_uL", Kind.DECIMAL, "erythrocytes in the blood, for the ratio", "/uL", low=D(0)),
        Input("clinical_signs", Kind.YES_NO, "clinical signs of CNS leukaemia", worse="up"),
        Input("previous", Kind.CODE, "status before, to tell a relapse", codes=ORDER),
    ),
    results=(
        Result("value", "status", _status, ORDER),
        Result("relapse", "1: relapse in the CNS, 0: none; empty without a status before", _relapse),
    ),
    tables=(STATUS, RATIO, CHANGE),
    conventions=(
        "Clinical signs are CNS3c whatever the fluid shows.",
        (
            "The ratio is asked for in a traumatic puncture with 5 leucocytes or more; it is computed where the blood "
            "counts are given and above 0, and counts as positive when either the entry or the computation says so."
        ),
        "A new CNS2 after CNS1 is a question (NEW_CNS2_QUERY), not an event.",
    ),
    unverified=(
        "Whether a ratio exactly at twice the blood's is positive: taken as positive, with the flag RATIO_AT_EQUALITY.",
        "The NCCN wording of CNS relapse.",
    ),
)
