"""Chronic GVHD, NIH 2014: the tables of the eight organ scores."""

from decimal import Decimal

from app.clinical.rules.bounds import NONE
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import Table

D = Decimal
NIH = "NIH consensus 2014 (Jagasia et al., PMC4329079), organ scores by an open transcription of the form"
SCORES = ("0", "1", "2", "3")

SKIN_AREA = Table(
    title="Skin, extent",
    columns=("score", "body surface, %"),
    rows=(("3", ">50"), ("2", ">18"), ("1", ">0"), ("0", ">=0")),
    source=NIH,
    note="Worst first; bands read as continuous. The higher of extent and sclerosis is the score.",
)
SKIN_SCLEROSIS = Table(
    title="Skin, sclerosis",
    columns=("sclerosis", "score", "meaning"),
    rows=(
        ("none", "0", "none"),
        ("superficial", "2", "superficial, can pinch"),
        ("deep", "3", "deep or hidebound, impaired mobility, or ulcer"),
    ),
    source=NIH,
)
MOUTH = Table(
    title="Mouth: the higher of the two",
    columns=("input", "answer", "score"),
    rows=(
        ("mouth_signs", "none", "0"),
        ("mouth_signs", "mild", "1"),
        ("mouth_signs", "moderate", "2"),
        ("mouth_signs", "severe", "3"),
        ("intake", "not_limited", "0"),
        ("intake", "partial", "2"),
        ("intake", "major", "3"),
    ),
    source=NIH,
    note="Mild: intake not limited significantly; moderate: partial limitation; severe: major limitation.",
)
EYES = Table(
    title="Eyes: the highest",
    columns=("input", "answer", "score"),
    rows=(
        ("dry_eye", "yes", "1"),
        ("drops_per_day", ">3", "2"),
        ("drops_per_day", ">0", "1"),
        ("plugs", "yes", "2"),
        ("eye_adl", "none", "0"),
        ("eye_adl", "partial", "2"),
        ("eye_adl", "significant", "3"),
        ("unable_to_work", "yes", "3"),
        ("kcs_vision_loss", "yes", "3"),
    ),
    source=NIH,
    note="Any one answer suffices. Vision loss: new, from keratoconjunctivitis sicca.",
)
GI = Table(
    title="Gastrointestinal tract: the highest",
    columns=("input", "answer", "score"),
    rows=(
        ("symptoms", "yes", "1"),
        ("weight_loss_pct", ">15", "3"),
        ("weight_loss_pct", ">=5", "2"),
        ("diarrhea", "none", "0"),
        ("diarrhea", "mild", "1"),
        ("diarrhea", "moderate", "2"),
        ("diarrhea", "severe", "3"),
        ("support", "yes", "3"),
    ),
    source=NIH,
    note="Weight loss in 3 months; moderate diarrhoea does not interfere significantly with daily life, severe does; "
    "support: supplement for most calories, or oesophageal dilation.",
)
LIVER_BILIRUBIN = Table(
    title="Liver, bilirubin",
    columns=("score", "x ULN", "mg/dL", "umol/L"),
    rows=(("3", NONE, ">3", ">51.3"), ("2", ">1", NONE, NONE)),
    source=NIH,
    note="Worst first. The limit in umol/L by the factor 17.1.",
)
LIVER_ENZYMES = Table(
    title="Liver, enzymes",
    columns=("score", "ALT, x ULN", "AP, x ULN"),
    rows=(("2", ">5", NONE), ("1", ">=3", ">=3")),
    source=NIH,
    note="Worst first; below these bounds 0. A raised bilirubin scores at least 2 whatever the enzymes.",
)
LUNGS = Table(
    title="Lungs",
    columns=("score", "FEV1, % of predicted", "symptom score", "meaning"),
    rows=(
        ("0", ">=80", "0", "no dyspnoea"),
        ("1", ">=60", "1", "dyspnoea after one flight of stairs"),
        ("2", ">=40", "2", "dyspnoea on flat ground"),
        ("3", ">=0", "3", "dyspnoea at rest, or oxygen"),
    ),
    source=NIH,
    note="The first row that fits. FEV1 is used instead of the symptom score wherever it is known.",
)
JOINTS = Table(
    title="Joints and fascia: the first row of which every answer is reached",
    columns=("score", "findings", "loss of motion", "loss of daily activities"),
    rows=(
        ("3", NONE, "significant", "significant"),
        ("2", "contracture", NONE, NONE),
        ("2", NONE, "moderate", NONE),
        ("2", NONE, NONE, "mild"),
        ("1", "tightness", NONE, NONE),
        ("1", NONE, "mild", NONE),
        ("0", NONE, NONE, NONE),
    ),
    source=NIH,
    note="Findings: tightness is mild; contracture also stands for erythema taken for fasciitis.",
)
JOINT_ANSWERS = {
    "joint_findings": ("none", "tightness", "contracture"),
    "rom_loss": ("none", "mild", "moderate", "significant"),
    "joint_adl": ("none", "mild", "moderate", "significant"),
}
GENITAL = Table(
    title="Genital tract",
    columns=("input", "answer", "score"),
    rows=(
        ("genital_signs", "none", "0"),
        ("genital_signs", "mild", "1"),
        ("genital_signs", "moderate", "2"),
        ("genital_signs", "severe", "3"),
    ),
    source=NIH,
)
TABLES = (
    SKIN_AREA,
    SKIN_SCLEROSIS,
    MOUTH,
    EYES,
    GI,
    LIVER_BILIRUBIN,
    LIVER_ENZYMES,
    LUNGS,
    JOINTS,
    GENITAL,
)


def _answers(table: Table, name: str) -> tuple[str, ...]:
    return tuple(str(row[1]) for row in table.rows if row[0] == name)


def _number(name: str, meaning: str, unit: str, high: int | None = None) -> Input:
    return Input(name, Kind.DECIMAL, meaning, unit, low=D(0), high=None if high is None else D(high), worse="up")


def _yes(name: str, meaning: str) -> Input:
    return Input(name, Kind.YES_NO, meaning, worse="up")


def _code(name: str, meaning: str, codes: tuple[str, ...]) -> Input:
    return Input(name, Kind.CODE, meaning, codes=codes, worse="up")


INPUTS = (
    _number("bsa", "skin: body surface with any sign", "%", 100),
    _code("sclerosis", "skin: sclerosis", tuple(row[0] for row in SKIN_SCLEROSIS.rows)),
    _code("mouth_signs", "mouth: signs and symptoms", _answers(MOUTH, "mouth_signs")),
    _code("intake", "mouth: limitation of oral intake", _answers(MOUTH, "intake")),
    _yes("dry_eye", "eyes: dry eye symptoms"),
    _number("drops_per_day", "eyes: lubricant drops", "per day"),
    _yes("plugs", "eyes: punctal plugs"),
    _code("eye_adl", "eyes: effect on daily activities", _answers(EYES, "eye_adl")),
    _yes("unable_to_work", "eyes: unable to work because of them"),
    _yes("kcs_vision_loss", "eyes: new vision loss from keratoconjunctivitis sicca"),
    _yes("symptoms", "gut: symptoms"),
    _number("weight_loss_pct", "gut: weight loss in 3 months", "%", 100),
    _code("diarrhea", "gut: diarrhoea", _answers(GI, "diarrhea")),
    _yes("support", "gut: supplement for most calories, or oesophageal dilation"),
    _number("bili_uln", "liver: bilirubin", "x ULN"),
    _number("bili_mgdl", "liver: bilirubin", "mg/dL"),
    _number("bili_umol", "liver: bilirubin, instead of mg/dL", "umol/L"),
    _number("alt_uln", "liver: ALT", "x ULN"),
    _number("ap_uln", "liver: alkaline phosphatase", "x ULN"),
    Input("fev1", Kind.DECIMAL, "lungs: FEV1", "% of predicted", low=D(0), high=D(300), worse="down"),
    _code("symptom", "lungs: symptom score", tuple(str(row[2]) for row in LUNGS.rows)),
    _code("joint_findings", "joints: findings", JOINT_ANSWERS["joint_findings"]),
    _code("rom_loss", "joints: loss of the range of motion", JOINT_ANSWERS["rom_loss"]),
    _code("joint_adl", "joints: effect on daily activities", JOINT_ANSWERS["joint_adl"]),
    _code("genital_signs", "genital tract: signs", _answers(GENITAL, "genital_signs")),
)
