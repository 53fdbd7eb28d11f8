"""Response of acute lymphoblastic leukaemia at one visit."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from app.clinical.rules.bounds import NONE, holds, limits
from app.clinical.rules.inputs import Cuts, Input, Kind, Known
from app.clinical.rules.response_tables import (
    CRI,
    CRITERIA,
    CRP,
    DATES,
    DECISION,
    FACTS,
    NO_RESPONSE,
    ORDER,
    PROFILES,
    READINGS,
)
from app.clinical.rules.rule import NE, Case, Result, Rule

D = Decimal
Asked = Mapping[str, str]  # what the chosen profile asks for, by criterion
AUER, PB, EMD = "AUER_ASSUMED_ABSENT", "PB_ASSUMED_ABSENT", "EMD_ASSUMED_ABSENT"
NO_RESPONSE_CELL = "no response"  # in the decision table
FOREIGN, DURABILITY = "NOT_IN_PROFILE", "DURABILITY_NOT_ASSESSED"
OUTSIDE, ONE_DATE = "DATES_OUTSIDE_WINDOW", "RESPONSE_DATE_UNKNOWN"
CR_TYPE = ("CRi", "CRp", "CRh", "CR")


def _prior(case: Case, _: Asked) -> str:
    return "CR-type" if case["prior"] in CR_TYPE else str(case["prior"])


def _emd_seen(case: Case, _: Asked) -> str:
    seen = case.peek("emd")
    return "unknown" if seen in {None, "not_assessed"} else str(seen)


def _emd(case: Case, asked: Asked) -> str:
    if (seen := _emd_seen(case, asked)) != "unknown":
        return seen
    if case["baseline_emd"]:
        return "unknown"
    case.flag(EMD)
    return "absent"


def _blood_seen(case: Case, _: Asked) -> str:
    return {None: "unknown", True: "present", False: "absent"}[case.peek("pb")]


def _blood(case: Case, asked: Asked) -> str:
    assumed = asked["blood blasts when missing"] == "absent"
    return "present" if (case.assume("pb", False, PB) if assumed else case["pb"]) else "absent"  # noqa: FBT003


def _relapse_marrow(case: Case, asked: Asked) -> str:
    blasts = case.peek("bm")
    return "yes" if blasts is not None and holds(asked["marrow of a relapse after CR, % blasts"], blasts) else "no"


def _marrow(case: Case, asked: Asked) -> str:
    blasts = case.peek("bm")
    if blasts is None:
        return "missing"
    if holds(asked["marrow of a remission, % blasts"], blasts):
        return "remission"
    return "partial" if holds(asked["marrow of a partial remission, % blasts"], blasts) else "high"


def _rise(case: Case, asked: Asked) -> str:
    baseline, cell = case.peek("baseline_bm"), asked["marrow of progression, multiple of baseline"]
    return "yes" if baseline is not None and holds(cell, case["bm"], baseline) else "no"


def _decrease(case: Case, asked: Asked) -> str:
    baseline, cell = case["baseline_bm"], asked["decrease for a partial remission, % of baseline"]
    return "yes" if holds(cell, (baseline - case["bm"]) * 100, baseline) else "no"


def _auer(case: Case, _: Asked) -> str:
    return "present" if case.assume("auer", False, AUER) else "absent"  # noqa: FBT003 - the assumed answer


def _mrd(case: Case, asked: Asked) -> str:
    known = case.peek("mrd_pct")
    return "failure" if known is not None and holds(asked["MRD of a failure, %"], known) else "no failure"


def _adequacy(case: Case, _: Asked) -> str:
    return str(case["marrow"])


def _neutrophils(case: Case, asked: Asked) -> str:
    return "recovered" if holds(asked["neutrophils recovered, 10^9/L"], case["anc"]) else "low"


def _platelets(case: Case, asked: Asked) -> str:
    return "recovered" if holds(asked["platelets recovered, 10^9/L"], case["plt"]) else "low"


def _transfusion(case: Case, asked: Asked) -> str:
    free = asked["RBC transfusion independence"] == NONE or case["rbc_indep"]
    return "independent" if free else "dependent"


def _crh(case: Case, asked: Asked) -> str:
    neutrophils, platelets = asked["neutrophils of CRh, 10^9/L"], asked["platelets of CRh, 10^9/L"]
    return "yes" if holds(neutrophils, case["anc"]) and holds(platelets, case["plt"]) else "no"


def _counts(case: Case, asked: Asked) -> str:
    if case.peek("anc") is None or case.peek("plt") is None:
        return "not recovered"
    return "recovered" if _neutrophils(case, asked) == _platelets(case, asked) == "recovered" else "not recovered"


_FACTS: Mapping[str, Callable[[Case, Asked], str]] = {
    "prior": _prior,
    "EMD seen": _emd_seen,
    "EMD": _emd,
    "blood seen": _blood_seen,
    "blood": _blood,
    "relapse marrow": _relapse_marrow,
    "marrow": _marrow,
    "rise": _rise,
    "decrease": _decrease,
    "Auer rods": _auer,
    "MRD": _mrd,
    "adequacy": _adequacy,
    "neutrophils": _neutrophils,
    "platelets": _platelets,
    "transfusion": _transfusion,
    "CRh counts": _crh,
    "counts": _counts,
}


@cache
def _clauses(when: str) -> tuple[tuple[str, frozenset[str]], ...]:
    split = (clause.split("=") for clause in when.split(", ") if clause)
    return tuple((fact, frozenset(answers.split("|"))) for fact, answers in split)


def _category(case: Case) -> str:
    column = 1 + tuple(READINGS).index(case["profile"])
    asked = {row[0]: str(row[column]) for row in CRITERIA.rows}
    _, _, result, flags = next(
        row for row in DECISION.rows if all(_FACTS[fact](case, asked) in fits for fact, fits in _clauses(row[1]))
    )
    for flag in flags.split():
        case.flag(flag)
    found = str(asked.get(result, result))
    if result == NO_RESPONSE_CELL and _emd_seen(case, asked) == "unknown":
        case.flag(EMD)  # new disease elsewhere would be progression
    if found == CRP and case.peek("plt") is None:
        found = CRI  # the platelet subtype is named when the platelets are known
    if found in ORDER and found not in NO_RESPONSE:
        if found not in asked["responses it defines"].split():
            case.flag(FOREIGN)
        if found in CR_TYPE and asked["weeks without recurrence"] != NONE:
            case.flag(DURABILITY)
    return found


def _responder(case: Case) -> str:
    found = _category(case)
    return NE if found == NE else str(int(found not in NO_RESPONSE))


def _response_date(case: Case) -> date | str | None:
    marrow, counts = case.peek("marrow_date"), case.peek("count_date")
    if marrow is None and counts is None:
        return None
    if marrow is None or counts is None:
        case.flag(ONE_DATE)
        return NE
    window = case.peek("window_days")
    if abs((counts - marrow).days) > (DATES.rows[0][1] if window is None else window):
        case.flag(OUTSIDE)
        return NE
    later: date = max(marrow, counts)
    return later


def _cells(criterion: str) -> Cuts:
    return limits(next(row[1:] for row in CRITERIA.rows if row[0].startswith(criterion)))


def _baseline_cuts(known: Known) -> Cuts:
    return tuple(known["bm"] * 100 / (100 - cut) for cut in _cells("decrease"))


def _count_cuts(name: str) -> Cuts:
    return (*_cells(f"{name} recovered"), *_cells(f"{name} of CRh"))


RESPONSE = Rule(
    id="response",
    version="1",
    title="Response in acute lymphoblastic leukaemia",
    ranked="from the floor upwards",
    sources=tuple(READINGS.values()),
    inputs=(
        Input("profile", Kind.CODE, "whose criteria", codes=tuple(READINGS), open=True),
        Input(
            "prior",
            Kind.CODE,
            "best state before this visit",
            codes=("none", "PR", "MLFS", *CR_TYPE),
            aliases={"NR": "none", "SD": "none", "PD": "none"},
        ),
        Input(
            "baseline_bm",
            Kind.DECIMAL,
            "marrow blasts before treatment",
            "%",
            low=D(0),
            high=D(100),
            cuts=_baseline_cuts,
            missing="BASELINE_MISSING",
        ),
        Input("bm", Kind.DECIMAL, "marrow blasts now", "%", low=D(0), high=D(100)),
        Input("auer", Kind.YES_NO, "Auer rods"),
        Input("pb", Kind.YES_NO, "blasts in the blood"),
        Input(
            "emd",
            Kind.CODE,
            "extramedullary disease; new: not there at baseline, or again there after a remission",
            codes=("absent", "present", "new", "not_assessed"),
            aliases={"recurrent": "new"},
        ),
        Input("baseline_emd", Kind.YES_NO, "extramedullary disease at baseline"),
        Input("anc", Kind.DECIMAL, "neutrophils", "10^9/L", low=D(0), cuts=_count_cuts("neutrophils")),
        Input("plt", Kind.DECIMAL, "platelets", "10^9/L", low=D(0), cuts=_count_cuts("platelets")),
        Input(
            "rbc_indep", Kind.YES_NO, "no red-cell transfusion in the look-back of the protocol", missing="RBC_UNKNOWN"
        ),
        Input(
            "marrow",
            Kind.CODE,
            "whether the marrow can be judged",
            codes=("adequate", "aplastic"),
            missing="MARROW_ADEQUACY_MISSING",
        ),
        Input("mrd_pct", Kind.DECIMAL, "measurable residual disease, if available", "%", low=D(0), high=D(100)),
        Input("marrow_date", Kind.DATE, "day of the marrow"),
        Input("count_date", Kind.DATE, "day of the counts that complete the criteria"),
        Input("window_days", Kind.INTEGER, "most days between the two", "days", low=D(0)),
    ),
    results=(
        Result("value", "category at this visit", _category, ORDER, NO_RESPONSE),
        Result("responder", "1: CR, CRh, CRi, CRp, MLFS or PR; 0: none of them", _responder, ("0", "1")),
        Result("response_date", "the later of marrow and counts; empty without dates", _response_date),
    ),
    tables=(CRITERIA, DECISION, FACTS, DATES),
    conventions=(
        "The profiles are not merged: each limit is the one its own source prints.",
        "Where a profile defines no such category, the default row is still given, with the flag NOT_IN_PROFILE.",
        "A count exactly at a limit printed as > (ELN2024, BLINA) is not recovered, though CRi is printed as <.",
        "BLINA: 5 % is still remission, and so a relapse after CR is above 5 %.",
        "Loss of MLFS, and of PR, is PD; the NCI workshop calls the second relapse.",
        "Recovered counts with red-cell transfusion dependence are CRi, with the flag RBC_DEPENDENT.",
        "A floor names CRi, not its subtype CRp, while the platelets are missing.",
        (
            "Assumed absent when missing, each with its flag: Auer rods, blood blasts (not in INOVATE), extramedullary "
            "disease when there was none at baseline. MRD counts when it is available."
        ),
        "No response while extramedullary disease was not assessed takes it that none is new, with the same flag.",
        "A marrow whose adequacy nobody answered for is neither adequate nor aplastic.",
        "A marrow that was not examined is not evaluable, except that blasts in the blood are no response.",
        "Extramedullary disease not assessed, present at baseline: neither remission nor PR can be told.",
        "Progression is asserted only from a known baseline; with missing counts a marrow of 5-25 % is no response.",
        "MRD at the limit of a failure (ELN2024) rules out every remission, also in an aplastic marrow.",
        (
            "The response date is the later of marrow and counts, when both lie within the window; sensitivity: "
            "marrow date."
        ),
        "Refractory is a status of the subject at a landmark, not a result of a visit.",
        "NCI2010: 5 % to below 25 % after CR has no category there and is NE, with the flag CATEGORY_UNDEFINED.",
        "NCI2010: CR lasts 4 weeks, which one visit cannot show: flag DURABILITY_NOT_ASSESSED.",
    ),
    unverified=(
        "The limits of CRh: at least 0.5 and 50 is the form for AML; blinatumomab uses above.",
        "CRi of the TOWER trial (BLINA).",
        "CIBMTR is not offered: its CRi and its relapse were not read.",
        "NCI2010: the halving of blood blasts and of extramedullary disease for PR, and trilineage, are not computed.",
        "The NCCN wording was not read.",
        "The look-back for red-cell transfusions, 7 days unless the protocol says otherwise.",
    ),
    profiles=PROFILES,
)
