"""Chronic GVHD, NIH 2014: organ score, diagnosis and global severity."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.clinical.rules.bounds import NONE, category, holds
from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.nih_organs import (
    EYES,
    GENITAL,
    GI,
    INPUTS,
    JOINT_ANSWERS,
    JOINTS,
    LIVER_BILIRUBIN,
    LIVER_ENZYMES,
    LUNGS,
    MOUTH,
    NIH,
    SCORES,
    SKIN_AREA,
    SKIN_SCLEROSIS,
    TABLES,
)
from app.clinical.rules.rule import Case, Result, Rule, Table

NO_FEV1, ALONE = "FEV1_MISSING", "WEIGHT_LOSS_WITHOUT_SYMPTOMS"
ORGANS = ("skin", "mouth", "eyes", "gi", "liver", "lungs", "joints", "genital")
LUNG = "lungs"


def _highest(scores: Iterable[str]) -> str:
    return max(scores, key=SCORES.index)


def _points(rows: list[tuple[str, str]], given: Any) -> str:
    """The score of one answer: a code has a row of its own; yes, or a number beyond a bound, may have none."""
    if isinstance(given, str):
        return next(score for answer, score in rows if answer == given)
    if isinstance(given, bool):
        return next((score for answer, score in rows if given is (answer == "yes")), SCORES[0])
    return next((score for answer, score in rows if holds(answer, given)), SCORES[0])


def _by_answers(table: Table) -> Callable[[Case], str]:
    def score(case: Case) -> str:
        names = dict.fromkeys(row[0] for row in table.rows)
        return _highest(
            _points([(answer, points) for of, answer, points in table.rows if of == name], case[name]) for name in names
        )

    return score


def _skin(case: Case) -> str:
    area = category(SKIN_AREA.rows, case["bsa"])
    return _highest((area, next(row[1] for row in SKIN_SCLEROSIS.rows if row[0] == case["sclerosis"])))


def _gi(case: Case) -> str:
    score = _by_answers(GI)(case)
    if score != SCORES[0] and not case["symptoms"] and case["diarrhea"] == "none" and not case["support"]:
        case.flag(ALONE)
    return score


def _lungs(case: Case) -> str:
    symptom = case.peek("symptom")
    if case.peek("fev1") is None and symptom is not None:
        case.flag(NO_FEV1)
        return next(str(row[0]) for row in LUNGS.rows if row[2] == symptom)
    return category(LUNGS.rows, case["fev1"])


def _beyond(case: Case, row: tuple[str, ...]) -> bool:
    """Whether the bilirubin in either unit is beyond; neither need be known where it is within the normal range."""
    known = {name: case.peek(name) for name in ("bili_mgdl", "bili_umol")}
    _, _, mgdl, umol = row
    if all(value is None for value in known.values()):
        raised, normal = LIVER_BILIRUBIN.rows[1], case.peek("bili_uln")
        return (normal is None or holds(raised[1], normal)) and holds(mgdl, case["bili_mgdl"])
    bounds = zip((mgdl, umol), known.values(), strict=True)
    return any(value is not None and holds(bound, value) for bound, value in bounds)


def _liver(case: Case) -> str:
    high, raised = LIVER_BILIRUBIN.rows
    if _beyond(case, high):
        return str(high[0])
    if holds(raised[1], case["bili_uln"]):
        return str(raised[0])
    for score, alt, ap in LIVER_ENZYMES.rows:
        if holds(alt, case["alt_uln"]) or (ap != NONE and holds(ap, case["ap_uln"])):
            return str(score)
    return SCORES[0]


def _joints(case: Case) -> str:
    given = [codes.index(case[name]) for name, codes in JOINT_ANSWERS.items()]
    return next(str(score) for score, *needed in JOINTS.rows if all(map(_joint_reached, JOINT_ANSWERS, needed, given)))


def _joint_reached(name: str, least: str, given: int) -> bool:
    return least == NONE or given >= JOINT_ANSWERS[name].index(least)


_SCORED: Mapping[str, Callable[[Case], str]] = {
    "skin": _skin,
    "mouth": _by_answers(MOUTH),
    "eyes": _by_answers(EYES),
    "gi": _gi,
    "liver": _liver,
    LUNG: _lungs,
    "joints": _joints,
    "genital": _by_answers(GENITAL),
}


def _organ(case: Case) -> str:
    return _SCORED[case["organ"]](case)


@dataclass(frozen=True)
class OrganRule(Rule):
    """A rule whose inputs may also come packed into one cell."""

    def read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """As of any rule; a cell `inputs` such as "bsa=5;sclerosis=deep" stands for those inputs."""
        given = super().read(inputs)
        for part in filter(None, (each.strip() for each in (given["inputs"] or "").split(";"))):
            name, equals, value = (each.strip() for each in part.partition("="))
            if not equals or name not in self.named or name == "inputs":
                raise RuleError("inputs", "write input=value;input=value, with the inputs of this rule")
            if given[name] is not None:
                raise RuleError(name, "is given twice: as an input, and among inputs")
            given[name] = self.named[name].read(value)
        return given


CGVHD_ORGAN = OrganRule(
    id="nih_cgvhd_organ",
    version="1",
    title="Chronic GVHD, NIH 2014: organ score",
    sources=(NIH,),
    inputs=(
        Input("organ", Kind.CODE, "which organ", codes=ORGANS, open=True),
        Input("inputs", Kind.TEXT, "the inputs of the organ in one cell, such as bsa=5;sclerosis=deep"),
        *INPUTS,
    ),
    results=(Result("value", "score of the organ", _organ, SCORES),),
    tables=TABLES,
    conventions=(
        "Only the inputs of the organ are read. Not examined is missing, never 0.",
        f"Lungs: FEV1 is used; without it the symptom score, with the flag {NO_FEV1}.",
        "Bands are read as continuous: 18.5 % of the body surface is above 18, FEV1 79.5 is below 80.",
        "Any body surface above 0 scores 1.",
        (
            "Mouth, eyes, gut: the highest score that a single answer has. Joints: score 3 needs significant "
            "loss of motion "
            "and of daily activities; either of them alone is 2."
        ),
        f"Weight loss scores also without other gut symptoms, with the flag {ALONE}.",
        (
            "Liver: without bilirubin in mg/dL or umol/L, one within its upper limit of normal is taken to be at "
            "most 3 mg/dL."
        ),
        "A cause other than GVHD is said at the global severity, not here.",
    ),
    unverified=("The inequality signs of the transcription were repaired by hand: a clinician checks <= and >=.",),
)

GLOBAL = Table(
    title="Global severity: the first row that fits",
    columns=("severity", "an organ other than the lungs from", "lungs from", "organs with a score, from"),
    rows=(("severe", 3, 2, NONE), ("moderate", 2, 1, 3), ("mild", NONE, NONE, 1)),
    source="NCIt C225388; NIH 2014 figure legend",
    note="Otherwise none: not diagnosed, or every score 0 at this visit.",
)
SEVERITIES = ("none", "mild", "moderate", "severe")
OTHER = "_not_gvhd"


def _global(case: Case) -> str:
    if not case["diagnosed"]:
        return SEVERITIES[0]
    scores = {organ: 0 if _left_out(case, organ) else int(case[organ]) for organ in ORGANS}
    lung = scores.pop(LUNG)
    involved = sum(score > 0 for score in (*scores.values(), lung))
    measured = (max(scores.values()), lung, involved)
    for severity, *needed in GLOBAL.rows:
        if any(least != NONE and number >= least for number, least in zip(measured, needed, strict=True)):
            return str(severity)
    return SEVERITIES[0]


def _left_out(case: Case, organ: str) -> bool:
    if not case.peek(organ + OTHER):
        return False
    case.flag(f"{organ.upper()}_NOT_GVHD")
    return True


CGVHD_GLOBAL = Rule(
    id="nih_cgvhd_global",
    version="1",
    title="Chronic GVHD, NIH 2014: global severity",
    sources=(NIH, GLOBAL.source),
    inputs=(
        Input("diagnosed", Kind.YES_NO, "the NIH diagnosis of chronic GVHD has been made", worse="up"),
        *(Input(organ, Kind.CODE, f"{organ} score", codes=SCORES, worse="up") for organ in ORGANS),
        *(
            Input(organ + OTHER, Kind.YES_NO, f"{organ}: wholly explained by another, documented cause")
            for organ in ORGANS
        ),
    ),
    results=(Result("value", "severity", _global, SEVERITIES),),
    tables=(GLOBAL,),
    conventions=(
        "Eight organs count; the performance score does not.",
        (
            "An organ wholly explained by another cause is left out, with a flag; a mixed cause is scored in "
            "full, and so is "
            "an organ about whose cause nobody said anything."
        ),
        "Not examined is missing, never 0.",
        "Scores without the diagnosis are no chronic GVHD.",
    ),
)

SIGNS = Table(
    title="Diagnosis: the first row that fits",
    columns=("diagnostic sign", "distinctive sign", "confirmed", "diagnosis"),
    rows=(("yes", NONE, NONE, "Y"), (NONE, "yes", "yes", "Y"), (NONE, NONE, NONE, "N")),
    source="NIH consensus 2014 (abstract)",
    note="Confirmed: by biopsy, laboratory, lung function or a specialist, in the same or another organ.",
)


def _diagnosis(case: Case) -> str:
    names = ("diagnostic_sign", "distinctive_sign", "confirmed")
    rows = (
        row
        for row in SIGNS.rows
        if all(cell == NONE or case[name] is (cell == "yes") for name, cell in zip(names, row[:3], strict=True))
    )
    found = next(row[3] for row in rows)
    return str(found if found == "N" or not case["other_cause"] else "N")


CGVHD_DIAGNOSIS = Rule(
    id="nih_cgvhd_diagnosis",
    version="1",
    title="Chronic GVHD, NIH 2014: diagnosis",
    ranked="from the floor upwards",
    sources=(SIGNS.source,),
    inputs=(
        Input("diagnostic_sign", Kind.YES_NO, "at least one diagnostic sign", worse="up"),
        Input("distinctive_sign", Kind.YES_NO, "at least one distinctive sign", worse="up"),
        Input("confirmed", Kind.YES_NO, "confirmed by biopsy, laboratory, lung function or specialist", worse="up"),
        Input("other_cause", Kind.YES_NO, "another cause explains the signs"),
    ),
    results=(Result("value", "Y or N", _diagnosis, ("N", "Y")),),
    tables=(SIGNS,),
    conventions=(
        "Onset is the day on which the diagnosis is first met, not the first symptom; its day is captured separately.",
        "That other causes were excluded has to be answered.",
    ),
    unverified=("The lists of diagnostic and distinctive signs: captured as a coded checklist.",),
)
