"""Febrile neutropenia, and which grades a CTCAE term has at all."""

from decimal import Decimal

from app.clinical.rules.ctcae_scales import V5, V6, VERSIONS
from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import Case, Profile, Result, Rule, Table

D = Decimal
BOTH = f"{V5}; {V6}"

FEVER = Table(
    title="Limits",
    columns=("what", "limit", "unit"),
    rows=(
        ("neutrophils below", D("1.0"), "10^9/L"),
        ("a single temperature above", D("38.3"), "C"),
        ("a temperature of at least, for more than one hour", D("38.0"), "C"),
    ),
    source=BOTH,
)
CONSEQUENCE = Table(
    title="Grades",
    columns=("fever with neutropenia", "life-threatening consequences", "grade"),
    rows=(("no", "either", "0"), ("yes", "no", "3"), ("yes", "yes", "4")),
    source=BOTH,
    note="There is no grade 1 or 2. Grade 5 is death and is recorded, not computed.",
)
CONTRADICT = "TEMPERATURES_CONTRADICT"


def _febrile(case: Case) -> str:
    (_, neutrophils, _), (_, single, _), (_, sustained, _) = FEVER.rows
    afebrile, grade_3, grade_4 = (row[2] for row in CONSEQUENCE.rows)
    if case["anc"] >= neutrophils or not _fever(case, single, sustained):
        return str(afebrile)
    return str(grade_4 if case["life_threatening"] else grade_3)


def _fever(case: Case, single: Decimal, sustained: Decimal) -> bool:
    highest, long = case.peek("temp_single_max"), case.peek("temp38_sustained_gt1h")
    if long and highest is not None and highest < sustained:
        case.flag(CONTRADICT)
    return bool(long or case["temp_single_max"] > single or case["temp38_sustained_gt1h"])


FEBRILE_NEUTROPENIA = Rule(
    id="ctcae_febrile_neutropenia",
    version="1",
    title="CTCAE febrile neutropenia",
    sources=(V5, V6),
    inputs=(
        Input("anc", Kind.DECIMAL, "absolute neutrophil count", unit="10^9/L", low=D(0), worse="down"),
        Input("temp_single_max", Kind.DECIMAL, "highest single temperature", "C", low=D(25), high=D(46), worse="up"),
        Input("temp38_sustained_gt1h", Kind.YES_NO, "38.0 C or more for more than one hour", worse="up"),
        Input("life_threatening", Kind.YES_NO, "life-threatening consequences, urgent intervention", worse="up"),
    ),
    results=(Result("value", "grade 0, 3 or 4; 0 is none", _febrile, ("0", "3", "4")),),
    tables=(FEVER, CONSEQUENCE),
    conventions=(
        "The same in 5.0 and 6.0.",
        "Either criterion suffices, so without an answer about a sustained 38.0 C a lower highest temperature is NE.",
        f"A sustained 38.0 C with a lower highest temperature counts as fever, with the flag {CONTRADICT}.",
    ),
)

_CLINICAL = (
    ("Febrile neutropenia", "345", "345"),
    ("Cytokine release syndrome", "12345", ""),
    ("Alopecia", "12", ""),
    ("Nausea", "123", ""),
    ("Vomiting", "12345", ""),
    ("Diarrhea", "12345", ""),
    ("Constipation", "12345", ""),
    ("Mucositis oral", "12345", ""),
    ("Fatigue", "123", ""),
    ("Fever", "12345", ""),
    ("Headache", "123", ""),
    ("Rash maculo-papular", "123", ""),
    ("Sepsis", "345", ""),
    ("Lung infection", "2345", ""),
    ("Tumor lysis syndrome", "345", ""),
)
GENERAL = Table(
    title="Grades in general",
    columns=("grade", "meaning"),
    rows=(
        ("1", "mild or asymptomatic; observation"),
        ("2", "moderate; minimal or local intervention; limits instrumental activities of daily living"),
        ("3", "severe, not immediately life-threatening; hospitalisation; limits self-care"),
        ("4", "life-threatening; urgent intervention"),
        ("5", "death related to the event"),
    ),
    source=BOTH,
)
AVAILABLE = Table(
    title="Grades that a term has",
    columns=("version", "term", "grades"),
    rows=(
        *((version, scale.term, scale.grades) for version, scales in VERSIONS.items() for scale in scales),
        *((V, row[0], row[at]) for row in _CLINICAL for at, V in ((1, "5.0"), (2, "6.0")) if row[at]),
    ),
    source=BOTH,
    note="Grade 0 is no event. Each digit is one grade.",
)


def _valid(case: Case) -> str:
    asked = case["version"], case["term"]
    grades = next((row[2] for row in AVAILABLE.rows if row[:2] == asked), None)
    if grades is None:
        raise RuleError("term", f"the grades of this term in CTCAE {asked[0]} are not listed here")
    return "1" if case["grade"] in grades else "0"


CTCAE_GRADE = Rule(
    id="ctcae_grade",
    version="1",
    title="Whether a CTCAE term has a grade",
    sources=(V5, V6),
    inputs=(
        Input("version", Kind.CODE, "the CTCAE version the study is pinned to", codes=tuple(VERSIONS), open=True),
        Input(
            "term",
            Kind.CODE,
            "the CTCAE term",
            codes=tuple(dict.fromkeys(row[1] for row in AVAILABLE.rows)),
            open=True,
        ),
        Input("grade", Kind.CODE, "the grade that was given", codes=tuple(row[0] for row in GENERAL.rows), open=True),
    ),
    results=(Result("value", "1: the term has this grade; 0: it has not", _valid),),
    tables=(GENERAL, AVAILABLE),
    conventions=("Terms that are not listed are refused, neither valid nor invalid.",),
    unverified=(
        "The grades of the terms without a laboratory scale are written from knowledge of 5.0, not from its text.",
        "Cytokine release syndrome and others are listed for 5.0 only until the text of 6.0 was read for them.",
    ),
    profiles=(Profile("5.0", "version", V5), Profile("6.0", "version", V6)),
)
