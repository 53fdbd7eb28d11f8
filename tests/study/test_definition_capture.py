"""What the released trials read from a page: which page makes which milestone happen, and on which day."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import occurrence
from app.forms.answers import Context, read, variables
from app.forms.expressions import compile_expression
from app.forms.rules import kinds
from app.study.check import read_tree

TREE = read_tree(Path(__file__).parents[2] / "forms")
STUDIES = {study.study: study for study in TREE.studies}


def dates(
    trial: str,
    milestone: str,
    form_id: str,
    answers: Mapping[str, Any],
    facts: Mapping[str, Any] | None = None,
    visit: str = "UNS",
) -> list[str]:
    """The dates a page gives to a milestone; an item without a value, where the condition holds, gives 'undated'."""
    study = STUDIES[trial]
    form = TREE.forms[form_id, study.forms[form_id]]
    reading = read(form, answers)
    assert not reading.problems
    context = Context({fact.name: (facts or {}).get(fact.name) for fact in study.facts}, visit)
    found = []
    for source in next(each for each in study.milestones if each.name == milestone).from_:
        if source.form != form_id:
            continue
        section = form.section(source.rows) if source.rows else None
        names = kinds(form, section)
        places = [(section.id, row["row"]) for row in reading.answers.get(section.id, ())] if section else [None]
        for place in places:
            row = {} if place is None else next(r for r in reading.answers[place[0]] if r["row"] == place[1])
            day = (row or reading.answers).get(source.date)
            if source.when is None:
                found += [day] if day else []
            elif compile_expression(source.when, names).holds(variables(form, reading.answers, context, place)):
                found.append(day or "undated")
    return found


RESPONSE = {"assess_date": "2024-05-10", "evaluable": "Y", "progression": "N", "treatment_failure": "N"}
ALL = sorted(STUDIES)


@pytest.mark.parametrize("trial", ALL)
@pytest.mark.parametrize(
    ("counted", "expected"),
    [(None, "2024-05-10"), ("2024-05-08", "2024-05-10"), ("2024-05-10", "2024-05-10"), ("2024-05-13", "2024-05-13")],
)
def test_a_remission_is_dated_on_the_later_of_marrow_and_counts(trial, counted, expected):
    page = RESPONSE | {"response": "CR", "count_date": counted}
    any_time = "_any" if trial == "FULLCOURSE" else ""  # there only those after entry count
    assert dates(trial, f"cr{any_time}", "response", page) == [expected]
    assert dates(trial, f"cri{any_time}", "response", page) == [expected]


@pytest.mark.parametrize("response", ["CRh", "CRi", "CRp"])
def test_a_remission_without_full_recovery_is_no_cr(response):
    page = RESPONSE | {"response": response}
    assert dates("FULLCOURSE", "cr_any", "response", page) == []
    assert dates("FULLCOURSE", "cri_any", "response", page) == ["2024-05-10"]
    assert dates("FULLCOURSE", "orr_any", "response", page) == ["2024-05-10"]


@pytest.mark.parametrize("response", ["PR", "MLFS"])
def test_a_partial_response_is_objective_and_no_remission(response):
    page = RESPONSE | {"response": response}
    assert dates("FULLCOURSE", "orr_any", "response", page) == ["2024-05-10"]
    assert dates("FULLCOURSE", "cri_any", "response", page) == []


@pytest.mark.parametrize("response", ["NR", "SD", "PD", "NE", "RELAPSE"])
def test_no_response_is_none(response):
    assert dates("FULLCOURSE", "orr_any", "response", RESPONSE | {"response": response}) == []


@pytest.mark.parametrize("trial", ALL)
def test_a_relapse_has_its_own_date_or_that_of_the_day_it_was_seen(trial):
    page = RESPONSE | {"response": "RELAPSE"}
    assert dates(trial, "heme_relapse", "response", page | {"relapse_date": "2024-05-02"}) == ["2024-05-02"]
    assert dates(trial, "heme_relapse", "response", page | {"relapse_date": "2024-05"}) == ["2024-05"]
    assert dates(trial, "heme_relapse", "response", page | {"relapse_date": {"missing": "unknown"}}) == ["2024-05-10"]
    assert dates(trial, "heme_relapse", "response", RESPONSE | {"response": "CR", "relapse_date": "2024-05-02"}) == []


@pytest.mark.parametrize("trial", ALL)
def test_only_evaluable_assessments_are_disease_assessments(trial):
    page = RESPONSE | {"response": "NE"}
    assert dates(trial, "last_da", "response", page) == ["2024-05-10"]
    assert dates(trial, "last_da", "response", page | {"evaluable": "N"}) == []


@pytest.mark.parametrize("trial", ALL)
def test_progressive_disease_is_a_progression_whatever_the_box_says(trial):
    page = RESPONSE | {"response": "PD"}
    assert dates(trial, "progression", "response", page) == ["2024-05-10"]
    ticked = page | {"progression": "Y", "progression_date": "2024-05-03"}
    assert dates(trial, "progression", "response", ticked) == ["2024-05-03"]


def test_a_failure_counts_when_the_investigator_records_it():
    page = RESPONSE | {"response": "NR"}
    assert dates("FULLCOURSE", "failure", "response", page) == []
    recorded = page | {"treatment_failure": "Y", "failure_date": "2024-05-12"}
    assert dates("FULLCOURSE", "failure", "response", recorded) == ["2024-05-12"]


@pytest.mark.parametrize("trial", ["NCT06125106", "NCT07105579", "S1904"])
@pytest.mark.parametrize(
    ("grade", "two", "three"), [("0", 0, 0), ("I", 0, 0), ("II", 1, 0), ("III", 1, 1), ("IV", 1, 1)]
)
def test_each_grade_of_acute_gvhd_is_dated_when_it_was_reached(trial, grade, two, three):
    page = {"assess_date": "2024-04-05", "overall_grade": grade, "present": "Y", "onset_date": "2024-04-02"}
    assert dates(trial, "agvhd2_4", "agvhd", page) == ["2024-04-02"] * two
    assert dates(trial, "agvhd3_4", "agvhd", page) == ["2024-04-02"] * three
    unknown = page | {"onset_date": {"missing": "unknown"}}
    assert dates(trial, "agvhd2_4", "agvhd", unknown) == ["2024-04-05"] * two


@pytest.mark.parametrize("trial", ["NCT06125106", "NCT07105579", "S1904"])
def test_chronic_gvhd_counts_from_its_diagnosis_and_from_its_systemic_treatment(trial):
    page = {"assess_date": "2024-09-05", "diagnosed": "Y", "onset_date": "2024-09", "systemic_therapy": "N"}
    assert dates(trial, "cgvhd", "cgvhd", page) == ["2024-09"]
    assert dates(trial, "cgvhd_systemic", "cgvhd", page) == []
    treated = page | {"systemic_therapy": "Y", "systemic_start": "2024-09-20"}
    assert dates(trial, "cgvhd_systemic", "cgvhd", treated) == ["2024-09-20"]
    assert dates(trial, "cgvhd", "cgvhd", {"assess_date": "2024-09-05", "diagnosed": "N"}) == []


SAMPLE = {"sample_date": "2024-04-01", "specimen": "MARROW", "method": "FLOW", "molecular_relapse": "N"}


@pytest.mark.parametrize(
    ("page", "positive", "any_method"),
    [
        ({"status": "POS"}, 1, 1),
        ({"status": "POS", "specimen": "BLOOD"}, 1, 1),
        ({"status": "POS", "specimen": "CSF"}, 0, 0),
        ({"status": "POS", "method": "NGS"}, 0, 1),
        ({"status": "POS_LOW"}, 0, 0),
        ({"status": "NEG"}, 0, 0),
        ({"status": "UNDET"}, 0, 0),
        ({"status": "NE"}, 0, 0),
    ],
)
def test_after_car_t_cells_mrd_is_positive_by_flow_cytometry(page, positive, any_method):
    assert dates("S1904", "mrd_pos", "mrd", SAMPLE | page) == ["2024-04-01"] * positive
    assert dates("S1904", "mrd_pos_any", "mrd", SAMPLE | page) == ["2024-04-01"] * any_method


def test_a_molecular_relapse_is_the_investigators_word():
    page = SAMPLE | {"status": "POS"}
    assert dates("FULLCOURSE", "mol_relapse", "mrd", page) == []
    assert dates("FULLCOURSE", "mol_relapse", "mrd", page | {"molecular_relapse": "Y"}) == ["2024-04-01"]


def test_mrd_at_day_30_is_the_sample_of_that_visit():
    page = SAMPLE | {"status": "NEG"}
    assert dates("NCT06125106", "mrd_done_d30", "mrd", page, visit="D30") == ["2024-04-01"]
    assert dates("NCT06125106", "mrd_done_d30", "mrd", page, visit="UNS") == []
    assert dates("NCT06125106", "mrd_done_d30", "mrd", SAMPLE | {"status": "NE"}, visit="D30") == []
    assert dates("NCT06125106", "mrd_done_d30", "mrd", SAMPLE | {"status": "POS"}, visit="D30") == ["2024-04-01"]


def test_a_graft_the_protocol_did_not_plan_is_another_milestone():
    planned = {"infusion_date": "2024-03-01", "on_study": "Y", "transplant_type": "HAPLO"}
    other = planned | {"on_study": "N"}
    assert dates("NCT06125106", "hsct", "graft", planned) == ["2024-03-01"]
    assert dates("NCT06125106", "hsct", "graft", other) == []
    assert dates("NCT06125106", "later_graft", "graft", other) == ["2024-03-01"]
    assert dates("S1904", "hsct", "graft", other) == ["2024-03-01"]  # in either arm, planned or not
    assert dates("S1904", "hsct", "graft", other | {"transplant_type": "AUTO"}) == []


def test_the_arm_decides_what_is_off_it():
    page = {"rand_date": "2024-03-15", "arm": "HSCT"}
    assert dates("S1904", "rand_to_hsct", "randomisation", page) == ["2024-03-15"]
    assert dates("S1904", "rand_to_hsct", "randomisation", page | {"arm": "NO_HSCT"}) == []


def test_the_first_dose_is_that_of_either_drug():
    rows = [{"dose_date": "2024-01-12", "cycle_day": 1}, {"dose_date": "2024-01-19", "cycle_day": 8}]
    page = {"start_date": "2024-01-12", "cycle": 1, "doses": rows}
    assert dates("FULLCOURSE", "tx_start", "inotuzumab", page) == ["2024-01-12", "2024-01-12", "2024-01-19"]
    assert dates("FULLCOURSE", "ino1", "inotuzumab", page) == ["2024-01-12"]
    assert dates("FULLCOURSE", "ino2", "inotuzumab", page) == []
    assert dates("FULLCOURSE", "blin2", "blinatumomab", {"start_date": "2024-05-01", "cycle": 2}) == ["2024-05-01"]


@pytest.mark.parametrize(
    ("trial", "therapy", "counts"),
    [
        ("FULLCOURSE", "HSCT", 1),
        ("S1904", "HSCT", 0),  # the randomised strategy
        ("S1904", "CHEMOTHERAPY", 1),
        ("NCT06125106", "CHEMOTHERAPY", 1),
        ("NCT06125106", "INTRATHECAL", 0),  # prophylaxis
    ],
)
def test_new_anticancer_therapy_is_what_the_protocol_did_not_plan(trial, therapy, counts):
    page = {"start_date": "2024-08-01", "therapy_type": therapy}
    assert dates(trial, "nact", "new_anticancer_therapy", page) == ["2024-08-01"] * counts


def test_donor_lymphocytes_are_new_therapy_unless_they_are_the_trial():
    page = {"infusion_date": "2024-08-01", "infusion_number": 1, "purpose": "THERAPEUTIC"}
    assert dates("NCT06125106", "nact", "dli", page) == ["2024-08-01"]
    assert dates("NCT06125106", "nact", "dli", page | {"purpose": "GRAFT"}) == []
    assert dates("NCT07105579", "nact", "dli", page) == []
    assert dates("NCT07105579", "dli1", "dli", page) == ["2024-08-01"]


@pytest.mark.parametrize("trial", ALL)
def test_who_takes_back_only_stored_samples_stays_in_the_trial(trial):
    page = {"withdrawal_date": "2024-08-01", "withdrawn_by": "SUBJECT", "withdrawn_from": ["SAMPLES"]}
    assert dates(trial, "withdrawn", "withdrawal", page) == []
    assert dates(trial, "withdrawn", "withdrawal", page | {"withdrawn_from": ["SAMPLES", "FOLLOW_UP"]}) == [
        "2024-08-01"
    ]


@pytest.mark.parametrize("trial", ALL)
def test_eligible_is_who_the_investigator_found_eligible_whatever_the_criteria_say(trial):
    page = {"inc_01": "N", "eligible": "Y", "elig_date": "2024-01-08", "age": 93}
    form = f"{trial.lower()}_eligibility"
    assert dates(trial, "eligible", form, page) == ["2024-01-08"]
    assert dates(trial, "eligible", form, page | {"eligible": "N"}) == []


@pytest.mark.parametrize("trial", ALL)
def test_entry_and_its_refusal_are_told_apart(trial):
    page = {"eligible_confirmed": "Y", "eligible_date": "2024-01-09", "enrolled": "Y", "enrol_date": "2024-01-10"}
    assert dates(trial, "enrol", "enrolment", page) == ["2024-01-10"]
    assert dates(trial, "screen_failure", "enrolment", page) == []
    refused = page | {"enrolled": "N", "enrol_date": None}
    assert dates(trial, "enrol", "enrolment", refused) == []
    assert dates(trial, "screen_failure", "enrolment", refused) == ["2024-01-09"]


def mrd(trial: str, milestone: str, *samples: tuple[str, str, str]) -> list[str]:
    """The days of a milestone of the visit D30, from samples given as (day, status, specimen)."""
    study = STUDIES[trial]
    captured: dict[str, list[Any]] = {}
    for day, status, specimen in samples:
        page = {"sample_date": day, "status": status, "specimen": specimen}
        for name in ("mrd_pos_d30", "mrd_done_d30"):
            found = dates(trial, name, "mrd", page, visit="D30")
            captured.setdefault(name, []).extend(occurrence(each) for each in found)
    history = History(Milestones(study.milestones, study.endpoints), captured)
    return [str(fact.date) for fact in history.of(milestone).dated]


@pytest.mark.parametrize("seen", ["POS", "POS_LOW"])
@pytest.mark.parametrize("day", ["2024-02-08", "2024-02-10", "2024-02-12"])
def test_a_sample_with_mrd_outweighs_a_negative_one_of_the_same_visit(day: str, seen: str) -> None:
    negative = ("2024-02-10", "NEG", "BLOOD")
    assert mrd("NCT06125106", "mrd_neg_d30", negative) == ["2024-02-10"]
    assert mrd("NCT06125106", "mrd_neg_d30", negative, (day, seen, "MARROW")) == []
    assert mrd("NCT06125106", "mrd_neg_d30", negative, (day, seen, "CSF")) == ["2024-02-10"]


@pytest.mark.parametrize("status", ["NEG", "POS"])
def test_mrd_of_a_visit_is_that_of_marrow_or_blood(status: str) -> None:
    assert mrd("NCT06125106", "mrd_done_d30", ("2024-02-10", status, "CSF")) == []
    assert mrd("NCT06125106", "mrd_done_d30", ("2024-02-10", status, "MARROW")) == ["2024-02-10"]
    assert mrd("NCT06125106", "mrd_neg_d30", ("2024-02-10", "UNDET", "MARROW")) == []


@pytest.mark.parametrize("name", ["cr", "cri", "orr", "cr_marrow"])
def test_a_remission_before_entry_counts_from_the_first_assessment_after_it(name: str) -> None:
    study = STUDIES["FULLCOURSE"]
    milestones = Milestones(study.milestones, study.endpoints)
    seen = [occurrence(day) for day in ("2024-01-01", "2024-01-10", "2024-02-10")]
    history = History(milestones, {"enrol": [occurrence("2024-01-10")], f"{name}_any": seen})
    assert [str(fact.date) for fact in history.of(name).dated] == ["2024-01-10", "2024-02-10"]
    assert not History(milestones, {f"{name}_any": seen}).of(name).dated


@pytest.mark.parametrize("trial", ["NCT06125106", "NCT07105579", "S1904"])
def test_systemic_therapy_left_behind_without_a_diagnosis_is_no_chronic_gvhd(trial: str) -> None:
    page = {"assess_date": "2024-09-01", "systemic_therapy": "Y", "systemic_start": "2024-08-20"}
    assert dates(trial, "cgvhd_systemic", "cgvhd", page | {"diagnosed": "N"}) == []
    assert dates(trial, "cgvhd_systemic", "cgvhd", page | {"diagnosed": "Y"}) == ["2024-08-20"]
