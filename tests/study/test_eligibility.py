"""Who may enter the four trials: every criterion of the registry entry, and what the measured values say of it."""

from collections.abc import Mapping

import pytest

from app.derivations.clinical.ask import calculate
from app.forms.answers import Context, judge, read
from app.forms.definition import Form
from tests.study.test_definition_trials import STUDIES, TREE, TRIALS

# a word of each criterion, in the order of the registry entry
CRITERIA = {
    "NCT06125106": (
        ["CD19+", "18 to 70", "ECOG", "pregnancy test", "creatinine clearance", "8 weeks", "informed consent"],
        [
            "extramedullary", "haematopoietic stem cell transplantation", "within 2 weeks", "blinatumomab",
            "central nervous system", "autoimmune", "NYHA", "pulmonary", "diabetes", "thrombosis", "HIV",
            "lactating", "monoclonal", "sign an informed consent",
        ],
    ),
    "NCT07105579": (
        [
            "14-65", "Newly diagnosed", "Ph-negative", "2 months", "MRD-negative", "Karnofsky", "GVHD", "LVEF",
            "3 months", "consent",
        ],
        [
            "hypersensitivity", "Pregnant", "QTc", "pulmonary", "hepatic", "renal", "bleeding", "embolism",
            "Psychiatric", "six weeks", "alcoholism", "organ transplantation", "investigator",
        ],
    ),
    "FULLCOURSE": (["B-ALL", "declines chemotherapy"], []),  # the entry lists no criteria; its text states two
    "S1904": (["Relapsed or refractory", "CD19-positive"], []),
}  # fmt: skip


def eligibility(trial: str, version: int | None = None) -> Form:
    """The page of the criteria in the newest version of the trial, or in an earlier one of its own."""
    form = f"{trial.lower()}_eligibility"
    return TREE.forms[form, version or STUDIES[trial].forms[form]]


VERSIONS = (None, 1)
"""Patients entered under the first version keep it: what the criteria say of measured values is the same there."""


def test_the_newest_version_of_a_trial_is_the_one_that_is_looked_at():
    assert {trial: STUDIES[trial].version for trial in TRIALS} == {
        trial: max(study.version for study in TREE.studies if study.study == trial) for trial in TRIALS
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("trial", TRIALS)
def test_every_criterion_has_an_item_of_its_own_in_the_order_of_the_registry(trial, version):
    form = eligibility(trial, version)
    for prefix, words in zip(("inc", "exc"), CRITERIA[trial], strict=True):
        items = [item for item in form.items if item.id.startswith(f"{prefix}_") and item.type == "yes_no"]
        assert [item.id for item in items] == [f"{prefix}_{number:02d}" for number in range(1, len(words) + 1)]
        for number, (item, word) in enumerate(zip(items, words, strict=True), 1):
            assert item.label.en.startswith(f"{number}. ")
            assert item.label.zh.startswith(f"{number}. ")
            assert word in item.label.en
            assert item.required


def said(trial: str, version: int | None, answers: Mapping[str, object]) -> Mapping[str, object]:
    """What the page works out from what was entered on it."""
    form = eligibility(trial, version)
    found = read(form, answers)
    assert found.problems == []
    return judge(form, found.answers, Context(calculate=calculate)).computed


FIT: dict[str, object] = {
    "age": 40, "weight": "60", "sex_cg": "F", "creatinine": "60", "ast": "30", "ast_uln": "40", "alt": "30",
    "alt_uln": "50", "bilirubin": "10", "bilirubin_uln": "17.1", "lvef": "65",
}  # fmt: skip
ALSO: dict[str, object] = {"creatinine_uln": "97", "qtc": "420", "crcl24": "90"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({}, "Y"),
        ({"lvef": "50"}, "Y"),
        ({"lvef": "49"}, "N"),
        ({"ast": "120"}, "Y"),  # exactly 3 x ULN
        ({"ast": "121"}, "N"),
        ({"ast": "51.3", "ast_uln": "17.1"}, "Y"),  # 3 x 17.1 is no 51.3 in binary
        ({"ast": "0.3", "ast_uln": "0.1"}, "Y"),
        ({"alt": "150"}, "Y"),
        ({"alt": "150.01"}, "N"),
        ({"bilirubin": "34.2"}, "Y"),
        ({"bilirubin": {"value": "2", "unit": "mg/dL"}}, "Y"),
        ({"bilirubin": "34.3"}, "N"),
        ({"creatinine": "104.3"}, "Y"),  # clearance 60.05
        ({"creatinine": "104.4"}, "N"),  # clearance 59.99
        ({"creatinine": {"value": "1.18", "unit": "mg/dL"}}, "Y"),  # 60.03
        ({"creatinine": {"value": "1.19", "unit": "mg/dL"}}, "N"),
        ({"lvef": "49", "ast": {"missing": "unknown"}}, "N"),  # one failed value decides
        ({"lvef": {"missing": "unknown"}}, None),  # and a missing one leaves it open
    ],
)
def test_inclusion_5_is_read_from_the_measured_values_and_the_limit_belongs_to_it(changed, met, version):
    assert said("NCT06125106", version, FIT | changed).get("inc_05_values") == met


@pytest.mark.parametrize("version", VERSIONS)
def test_where_the_criteria_contradict_each_other_both_are_shown(version):
    def told(**changed):
        found = said("NCT07105579", version, FIT | ALSO | changed)
        return {name: found.get(f"{name}_values") for name in ("inc_08", "exc_03", "exc_05", "exc_06")}

    assert told() == {"inc_08": "Y", "exc_03": "N", "exc_05": "N", "exc_06": "N"}
    assert told(lvef="55") == told() | {"exc_03": "Y"}  # at least 50 %, and below 60 %
    assert told(bilirubin="42.75") == told() | {"inc_08": "N"}  # 2.5 x ULN
    kidney = {"creatinine": "110", "creatinine_uln": "50", "weight": "90"}  # 2.2 x ULN, clearance above 50
    assert told(**kidney) == told() | {"exc_06": "Y"}
    assert told(qtc="470") == told()
    assert told(qtc="471") == told() | {"exc_03": "Y"}
    assert told(qtc="451", sex_cg="M")["exc_03"] == "Y"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_lists_the_criteria_that_failed_and_ignores_those_not_yet_answered(version):
    answers = {"inc_01": "Y", "inc_03": "N", "inc_07": "N", "exc_02": "Y", "exc_14": "N"}
    told = said("NCT06125106", version, answers)
    assert (str(told["inc_failed"]).split(), str(told["exc_present"]).split()) == (["I3", "I7"], ["E2"])


def right(trial: str) -> dict[str, object]:
    """Every criterion answered as it has to be."""
    included, excluded = CRITERIA[trial]
    met: dict[str, object] = {f"inc_{number:02d}": "Y" for number in range(1, len(included) + 1)}
    return met | {f"exc_{number:02d}": "N" for number in range(1, len(excluded) + 1)}


@pytest.mark.parametrize("trial", TRIALS)
def test_who_meets_every_criterion_is_eligible_and_each_one_alone_decides(trial):
    answers = right(trial)
    assert said(trial, None, answers)["eligible_computed"] == "Y"
    for item, answer in answers.items():
        told = said(trial, None, answers | {item: "N" if answer == "Y" else "Y"})
        assert told["eligible_computed"] == "N", item
        kind, number = item.split("_")
        assert str(told["criteria_failed"]).split() == [f"{kind[0].upper()}{int(number)}"]
        assert "eligible_computed" not in said(trial, None, {name: answers[name] for name in answers if name != item})


@pytest.mark.parametrize("trial", ["NCT06125106", "NCT07105579"])
def test_what_was_measured_decides_against_what_was_answered(trial):
    answers = right(trial) | FIT | (ALSO if trial == "NCT07105579" else {})
    assert said(trial, None, answers)["eligible_computed"] == "Y"
    told = said(trial, None, answers | {"lvef": "49"})
    assert told["eligible_computed"] == "N"
    assert "*" in str(told["criteria_failed"])


@pytest.mark.parametrize(
    ("trial", "changed", "failed"),
    [
        ("NCT06125106", {"age": 17}, ["I2*"]),
        ("NCT06125106", {"age": 18}, []),
        ("NCT06125106", {"age": 70}, []),
        ("NCT06125106", {"age": 71}, ["I2*"]),
        ("NCT06125106", {"ecog": "2"}, []),
        ("NCT06125106", {"ecog": "3"}, ["I3*"]),
        ("NCT07105579", {"age": 13}, ["I1*"]),
        ("NCT07105579", {"age": 14}, []),
        ("NCT07105579", {"age": 65}, []),
        ("NCT07105579", {"age": 66}, ["I1*"]),
        ("NCT07105579", {"ecog": "2", "kps": "70"}, []),
        ("NCT07105579", {"ecog": "3", "kps": "70"}, ["I6*"]),
        ("NCT07105579", {"ecog": "2", "kps": "60"}, ["I6*"]),
        ("NCT07105579", {"lvef": "60"}, []),
        ("NCT07105579", {"lvef": "59"}, ["E3*"]),
        ("NCT07105579", {"crcl24": "50"}, []),
        ("NCT07105579", {"crcl24": "49"}, ["E6*"]),
        ("NCT07105579", {"bilirubin": "51.3"}, ["I8*"]),
        ("NCT07105579", {"bilirubin": "51.4"}, ["I8*", "E5*"]),
    ],
)
def test_a_measured_value_at_a_limit_belongs_to_the_milder_side(trial, changed, failed):
    answers = FIT | (ALSO if trial == "NCT07105579" else {}) | changed
    assert str(said(trial, None, answers).get("criteria_failed", "")).split() == failed


@pytest.mark.parametrize("trial", TRIALS)
def test_an_implausible_patient_is_asked_about_and_not_refused(trial):
    """Limits of the criteria are soft: a patient outside them can be entered."""
    age = eligibility(trial).item("age").limits
    assert age["min"] == 0
    assert age["max"] >= 100
    assert age["soft_min"] > 0
