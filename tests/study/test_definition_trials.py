"""The four trials as they are released: complete, sound, and saying what the registry says."""

import csv
import tomllib
from datetime import date
from pathlib import Path

import pytest

from app.clinical.endpoints.definition import Endpoint
from app.clinical.endpoints.table import evaluate_rows
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
