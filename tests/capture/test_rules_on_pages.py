"""Published rules asked by pages: computed within the save, with their working, and again whenever an input changes."""

from typing import Any

from tests.trial import Trial

RECOVERED = {"assess_date": "2024-03-01", "bm": "2", "anc": "1.5", "plt": "120", "marrow": "ADEQUATE"}
ALT = {"sample_date": "2024-02-01", "laboratory": "LOCAL", "alt": "190"}


def page(trial: Trial, subject: str, visit: str, form: str) -> dict[str, Any]:
    found = trial.coordinator.get(f"/subjects/{subject}/visits/{visit}/forms/{form}")
    assert found.status_code == 200, found.text
    return dict(found.json())


def rules_of(told: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in told["findings"]}


def test_a_category_is_computed_with_its_rule_version_flags_and_inputs(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    saved = rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"response": "CR"})
    assert saved["computed"] == {"response_computed": "CR", "responder": "Y"}
    assert saved["answers"] == RECOVERED | {"response": "CR"}
    working = saved["working"]["by_rule"]
    assert (working["rule"], working["version"]) == ("response", "1")
    assert "AUER_ASSUMED_ABSENT" in working["flags"]
    assert working["inputs"]["bm"] == "2"
    rules_trial.verified()


def test_what_is_missing_is_never_normal(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    saved = rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"plt": None})
    assert saved["computed"]["response_computed"] == "NE"
    assert saved["working"]["by_rule"]["floor"] == "CRi"
    without = rules_trial.coordinator.enter(subject, "UNS", "response", {"assess_date": "2024-03-02"})
    assert without["computed"] == {}
    assert without["working"] == {}


def test_another_assessment_of_the_investigator_is_a_finding_and_nothing_is_overwritten(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    saved = rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"response": "PR"})
    (found,) = [each for each in saved["findings"] if each["rule"] == "derived-differs"]
    assert found["item"] == "response"
    assert "Response by the rule" in found["message"]
    assert saved["answers"]["response"] == "PR"
    agreed = rules_trial.coordinator.enter(
        subject, "D30", "response", RECOVERED | {"response": "CR"}, revision=1, reason="Misread"
    )
    assert agreed["findings"] == []


def test_a_rule_that_cannot_tell_contradicts_nobody(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    saved = rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"plt": None, "response": "PR"})
    assert "derived-differs" not in rules_of(saved)


def test_a_baseline_entered_later_computes_other_pages_and_leaves_them_as_they_are(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    partial = RECOVERED | {"bm": "20"}
    before = rules_trial.coordinator.enter(subject, "D30", "response", partial)
    assert before["computed"]["response_computed"] == "NE"
    assert "BASELINE_MISSING" in before["working"]["by_rule"]["flags"]
    rules_trial.coordinator.enter(subject, "SCR", "response", {"assess_date": "2024-01-01", "bm": "60"})
    after = page(rules_trial, subject, "D30", "response")
    assert after["computed"]["response_computed"] == "PR"
    assert after["working"]["by_rule"]["facts"]["baseline_bm"] == ["SCR/response#1"]
    assert (after["revision"], after["saved_at"]) == (before["revision"], before["saved_at"])
    rules_trial.verified()


def test_what_was_computed_before_is_there_for_later_days_however_late_it_is_entered(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    relapse = {"assess_date": "2024-06-01", "bm": "30", "anc": "1", "plt": "100", "marrow": "ADEQUATE"}
    rules_trial.coordinator.enter(subject, "UNS.2", "response", relapse)
    assert page(rules_trial, subject, "UNS.2", "response")["computed"]["response_computed"] == "NR"
    rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED)
    assert page(rules_trial, subject, "UNS.2", "response")["computed"]["response_computed"] == "RELAPSE"
    rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"bm": "50"}, revision=1, reason="Misread")
    assert page(rules_trial, subject, "UNS.2", "response")["computed"]["response_computed"] == "NR"


def test_endpoints_take_what_is_measured_and_the_investigators_word_where_nothing_can_be_told(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"response": "NR"})
    measured = rules_trial.coordinator.endpoint(subject, "TTCR")
    assert (measured["status"], measured["adt"]) == ("1", "2024-03-01")
    assert measured["sources"][0]["show"] == [{"item": "response_computed", "value": "CR"}]
    unknown = RECOVERED | {"plt": None, "response": "CR"}
    rules_trial.coordinator.enter(subject, "D30", "response", unknown, revision=1, reason="Not measured")
    assert rules_trial.coordinator.endpoint(subject, "TTCR")["status"] == "1"
    said = unknown | {"response": "NR"}
    rules_trial.coordinator.enter(subject, "D30", "response", said, revision=2, reason="Misread")
    assert rules_trial.coordinator.endpoint(subject, "TTCR")["status"] == "0"


def test_rows_are_asked_one_by_one_in_either_unit(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    rows = [
        {"bsa": "30", "bili": "10", "volume": "100"},
        {"bsa": "0", "bili": {"value": "7", "unit": "mg/dL"}, "volume": "100"},
        {"bsa": "0", "bili": "10"},
    ]
    saved = rules_trial.coordinator.enter(subject, "D30", "agvhd", {"assess_date": "2024-03-01", "organ": rows})
    assert saved["computed"]["organ"] == [
        {"row": 1, "grade": "I", "skin": "2"},
        {"row": 2, "grade": "III", "skin": "0"},
        {"row": 3, "grade": "NE", "skin": "0"},
    ]
    assert saved["working"]["magic"]["3"]["floor"] == "0"
    assert rules_trial.coordinator.endpoint(subject, "AGVHD")["adt"] == "2024-03-01"


def test_deriving_again_finds_everything_as_it_is_stored(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    rules_trial.coordinator.enter(subject, "SCR", "labs", ALT)
    rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"response": "PR"})
    again = rules_trial.keeper.post("/derive").json()
    assert again == {"subjects": 1, "deviations": []}


def test_a_void_page_is_no_baseline(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "response", {"assess_date": "2024-01-01", "bm": "60"})
    rules_trial.coordinator.enter(subject, "D30", "response", RECOVERED | {"bm": "20"})
    assert page(rules_trial, subject, "D30", "response")["computed"]["response_computed"] == "PR"
    struck = rules_trial.coordinator.post(
        f"/subjects/{subject}/visits/SCR/forms/response/void", {"reason": "Other patient"}, headers={"If-Match": '"1"'}
    )
    assert struck.status_code == 200, struck.text
    assert page(rules_trial, subject, "D30", "response")["computed"]["response_computed"] == "NE"
    rules_trial.verified()
