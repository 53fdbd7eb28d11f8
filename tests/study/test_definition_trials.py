"""The four trials as they are released: complete, sound, and saying what the registry says."""

import csv
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from app.clinical.endpoints.definition import Endpoint
from app.clinical.endpoints.table import evaluate_rows
from app.forms.definition import Form
from app.forms.rules import rules
from app.study.check import read_tree
from app.study.schedule import plan

ROOT = Path(__file__).parents[2]
TREE = read_tree(ROOT / "forms")
STUDIES = {study.study: study for study in TREE.studies}
SHORT = {short: study for study in TREE.studies for short in study.short}
TRIALS = ("FULLCOURSE", "NCT06125106", "NCT07105579", "S1904")
REGISTERED = ("FULLCOURSE", "NCT06125106", "S1904")


def test_the_forms_folder_has_no_mistake():
    assert [str(mistake) for mistake in TREE.mistakes] == []
    assert sorted(STUDIES) == sorted(TRIALS)


def test_the_trials_answer_to_their_short_names():
    assert {short: study.study for short, study in SHORT.items()} == {
        "000": "FULLCOURSE",
        "001": "NCT06125106",
        "002": "NCT06125106",
        "003": "NCT07105579",
        "004": "S1904",
    }


# ------------------------------------------------------------------ eligibility: every criterion of the registry entry
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


def eligibility(trial: str) -> Form:
    return TREE.forms[f"{trial.lower()}_eligibility", 1]


@pytest.mark.parametrize("trial", TRIALS)
def test_every_criterion_has_an_item_of_its_own_in_the_order_of_the_registry(trial):
    form = eligibility(trial)
    for prefix, words in zip(("inc", "exc"), CRITERIA[trial], strict=True):
        items = [item for item in form.items if item.id.startswith(f"{prefix}_") and item.type == "yes_no"]
        assert [item.id for item in items] == [f"{prefix}_{number:02d}" for number in range(1, len(words) + 1)]
        for number, (item, word) in enumerate(zip(items, words, strict=True), 1):
            assert item.label.en.startswith(f"{number}. ")
            assert item.label.zh.startswith(f"{number}. ")
            assert word in item.label.en
            assert item.required


def value(trial: str, item: str, answers: Mapping[str, object]) -> object:
    return rules(eligibility(trial)).formulas[item].evaluate(answers)


FIT = {
    "age": 40, "weight": 60, "sex_cg": "F", "creatinine": 60, "creatinine_uln": 97, "ast": 30, "ast_uln": 40,
    "alt": 30, "alt_uln": 50, "bilirubin": 10, "bilirubin_uln": 17.1, "lvef": 65, "qtc": 420, "crcl24": 90,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({}, True),
        ({"lvef": 50}, True),
        ({"lvef": 49.9}, False),
        ({"ast": 120}, True),  # exactly 3 x ULN
        ({"ast": 121}, False),
        ({"ast": 51.3, "ast_uln": 17.1}, True),  # 3 x 17.1 is no 51.3 in binary
        ({"ast": 0.3, "ast_uln": 0.1}, True),
        ({"bilirubin": 34.2}, True),
        ({"bilirubin": 34.3}, False),
        ({"creatinine": 105.2}, False),  # clearance 59.5
        ({"lvef": 49.9, "ast": None}, False),  # one failed value decides
    ],
)
def test_inclusion_5_is_read_from_the_measured_values_and_the_limit_belongs_to_it(changed, met):
    assert value("NCT06125106", "inc_05_values", FIT | changed) is met


def test_a_missing_value_leaves_the_criterion_open():
    assert value("NCT06125106", "inc_05_values", FIT | {"lvef": None}) not in {True, False}


def test_where_the_criteria_contradict_each_other_both_are_shown():
    ventricle = FIT | {"lvef": 55}
    assert value("NCT07105579", "inc_08_values", ventricle) is True  # at least 50 %
    assert value("NCT07105579", "exc_03_values", ventricle) is True  # below 60 %
    bilirubin = FIT | {"bilirubin": 42.75}  # 2.5 x ULN
    assert value("NCT07105579", "inc_08_values", bilirubin) is False
    assert value("NCT07105579", "exc_05_values", bilirubin) is False
    kidney = FIT | {"creatinine": 110, "creatinine_uln": 50, "weight": 90}  # 2.2 x ULN, clearance above 50
    assert value("NCT07105579", "inc_08_values", kidney) is True
    assert value("NCT07105579", "exc_06_values", kidney) is True


def test_the_page_lists_the_criteria_that_failed_and_ignores_those_not_yet_answered():
    answers = {"inc_01": "Y", "inc_03": "N", "inc_07": "N", "exc_02": "Y", "exc_14": "N"}
    assert str(value("NCT06125106", "inc_failed", answers)).split() == ["I3", "I7"]
    assert str(value("NCT06125106", "exc_present", answers)).split() == ["E2"]


@pytest.mark.parametrize("trial", TRIALS)
def test_an_implausible_patient_is_asked_about_and_not_refused(trial):
    """Limits of the criteria are soft: a patient outside them can be entered."""
    age = eligibility(trial).item("age").limits
    assert age["min"] == 0
    assert age["max"] >= 100
    assert age["soft_min"] > 0


# ------------------------------------------------------------------ visits, pages, statuses
@pytest.mark.parametrize("trial", TRIALS)
def test_the_pages_every_trial_needs_can_be_entered_somewhere(trial):
    study = STUDIES[trial]
    placed = {form for visit in study.visits for form in visit.forms + visit.optional}
    assert placed == set(study.forms)
    assert placed >= {
        "consent", "reconsent", "demographics", "enrolment", "diagnosis", "prior_therapy", "haematology", "chemistry",
        "response", "mrd", "adverse_event", "crs", "icans", "vod", "infection", "transfusion", "concomitant_therapy",
        "new_anticancer_therapy", "survival", "withdrawal", "death", "end_of_study", f"{trial.lower()}_eligibility",
    }  # fmt: skip


@pytest.mark.parametrize("trial", TRIALS)
def test_pages_that_repeat_stand_at_one_log_and_unscheduled_visits_repeat(trial):
    study = STUDIES[trial]
    log = study.visit("LOG")
    assert log.anchor is None
    assert all(TREE.forms[form, study.forms[form]].repeating for form in log.forms + log.optional)
    assert study.visit("UNS").repeating
    assert study.visit("FU").repeating
    assert {"death", "withdrawal"} <= set(study.visit("EOS").optional)


@pytest.mark.parametrize("trial", TRIALS)
def test_every_dated_visit_is_dated_once_everything_has_happened(trial):
    study = STUDIES[trial]
    anchors = {milestone.name: date(2024, 2, 29) for milestone in study.milestones}
    planned = plan(study, anchors, {"arm": "HSCT"})
    assert {visit.visit for visit in planned} == {visit.code for visit in study.visits}
    for visit in planned:
        assert visit.dated == (study.visit(visit.visit).anchor is not None)


def test_day_100_is_a_hundred_days_after_the_graft():
    planned = {visit.visit: visit for visit in plan(STUDIES["NCT06125106"], {"hsct": date(2024, 3, 1)}, {})}
    assert planned["D100"].target == date(2024, 6, 9)
    assert planned["D0"].target == date(2024, 3, 1)
    assert planned["SCR"].target is None


def test_only_those_assigned_to_transplantation_are_asked_for_its_visits():
    def codes(arm: str | None) -> set[str]:
        return {visit.visit for visit in plan(STUDIES["S1904"], {}, {"arm": arm})}

    assert codes("HSCT") - codes("NO_HSCT") == {"HSCT", "H30", "H60", "H100"}
    assert codes(None) == codes("NO_HSCT")


@pytest.mark.parametrize("trial", TRIALS)
def test_the_last_status_is_death(trial):
    codes = [status.code for status in STUDIES[trial].statuses]
    assert codes[0] == "consented"
    assert codes[-3:] == ["off_study", "withdrawn", "dead"]
    assert codes.index("eligible") < codes.index("enrolled") < codes.index("treated")


# ------------------------------------------------------------------ endpoints
def test_the_vectors_hold_for_the_trials_as_released():
    with (ROOT / "tests/clinical/vectors/endpoints.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    studies = {short: (study.milestones, study.endpoints, study.rates) for short, study in SHORT.items()}
    assert len(rows) > 40
    for row, got in zip(rows, evaluate_rows(studies, rows), strict=True):
        assert (got["status"], got["adt"], str(got["days"])) == (row["exp_status"], row["exp_adt"], row["exp_days"]), (
            row
        )


@pytest.mark.parametrize("short", ["000", "001", "004"])
def test_the_endpoints_are_those_the_engine_is_tested_with(short):
    """Everything that is tested about these definitions is tested about the trial; the trial may add variants."""
    text = (ROOT / f"tests/clinical/definitions/{short}.toml").read_text(encoding="utf-8")
    mine = {endpoint.code: endpoint for endpoint in SHORT[short].endpoints}
    for given in tomllib.loads(text)["endpoint"]:
        tested = Endpoint.model_validate(given)
        assert mine[tested.code].model_copy(update={"variant": ()}) == tested.model_copy(update={"variant": ()})
        assert set(tested.variant) <= set(mine[tested.code].variant)


# each decision of the protocol documents that has an alternative: the alternative is a variant
ALTERNATIVES = {
    "FULLCOURSE": {
        "OS": {"ORIGIN_CONSENT", "ORIGIN_DOSE"},
        "EFS": {"DAY1", "LANDMARK", "LANDMARK_DAY1", "MOL", "CENSOR_NACT", "GAP", "CENSOR_HSCT"},
        "RFS": {"CENSOR_DEATH", "MOL", "CRI", "LAST_ALIVE", "CENSOR_NACT", "GAP", "CENSOR_HSCT", "MARROW_DATE"},
        "CIR": {"CRI", "CONFIRMED", "MARROW_DATE"},
        "NRM": {"ORIGIN_CR", "CRI"},
    },
    "NCT06125106": {
        "PFS": {"MOL", "ITT", "CENSOR_NACT", "GAP"},
        "OS": {"ITT"},
        "CIR": {"MOL", "ITT"},
        "NRM": {"ITT"},
        "AG24D100": {"DEATH_ONLY", "SECOND_GRAFT", "EVER"},
        "AG34D100": {"DEATH_ONLY", "SECOND_GRAFT", "EVER"},
        "CG1Y": {"DEATH_ONLY", "SECOND_GRAFT", "EVER"},
        "GRFS": set(),
        "MRDPOS": set(),
    },
    "S1904": {
        "EFS": {"CENSOR_HSCT", "CONFIRMED", "ANY_METHOD", "EXCLUDE", "CENSOR_NACT", "GAP"},
        "RFS": {"CENSOR_HSCT", "LAST_ALIVE", "CENSOR_NACT", "GAP"},
        "CIR": {"CENSOR_HSCT"},
        "OS": {"CENSOR_HSCT"},
    },
}


@pytest.mark.parametrize("trial", REGISTERED)
def test_every_decision_that_has_an_alternative_has_it_as_a_variant(trial):
    endpoints = {endpoint.code: {variant.code for variant in endpoint.variant} for endpoint in STUDIES[trial].endpoints}
    for code, variants in ALTERNATIVES[trial].items():
        assert endpoints[code] >= variants, code


def test_a_trial_without_registered_endpoints_has_suggestions_only():
    study = STUDIES["NCT07105579"]
    assert {"RFS", "CIR", "NRM", "OS"} <= {endpoint.code for endpoint in study.endpoints}
    assert all(endpoint.suggested for endpoint in study.endpoints)
    assert not study.rates


def test_from_the_transplantation_patients_are_at_risk_only_once_they_have_entered():
    endpoints = {endpoint.code: endpoint for endpoint in STUDIES["NCT07105579"].endpoints}
    assert (endpoints["OSTX"].origin, endpoints["OSTX"].entry) == ("hsct", "enrol")


@pytest.mark.parametrize("trial", REGISTERED)
def test_every_endpoint_says_in_both_languages_what_it_rests_on(trial):
    for endpoint in STUDIES[trial].endpoints:
        assert endpoint.basis is not None, endpoint.code


@pytest.mark.parametrize(
    ("trial", "rates"),
    [
        ("FULLCOURSE", {"CRRATE", "ORR"}),
        ("NCT06125106", {f"MRD{kind}{day}" for kind in "NA" for day in (30, 90, 180, 365)}),
    ],
)
def test_the_proportions_are_there(trial, rates):
    assert {rate.code for rate in STUDIES[trial].rates} >= rates


@pytest.mark.parametrize("trial", TRIALS)
def test_the_protocol_document_names_every_endpoint_variant_and_visit(trial):
    text = (ROOT / f"docs/protocols/{trial}.md").read_text(encoding="utf-8")
    study = STUDIES[trial]
    for endpoint in study.endpoints:
        assert endpoint.code in text
        for variant in endpoint.variant:
            assert variant.code in text, (endpoint.code, variant.code)
    for rate in study.rates:
        assert rate.code in text
    for visit in study.visits:
        assert visit.code in text, visit.code
