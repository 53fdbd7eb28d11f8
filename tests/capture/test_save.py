"""The one door, as a coordinator meets it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.trial import Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-01-09", "hb": "97.5"}


def codes(answer) -> dict[str, str]:
    return {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}


def test_a_first_save_makes_revision_one(trial: Trial):
    subject = trial.nurse.subject()
    saved = trial.nurse.save(subject, "SCR", "labs", LABS)
    assert saved.status_code == 201
    assert saved.headers["ETag"] == '"1"'
    told = saved.json()
    assert told["answers"] == LABS
    assert told["computed"] == {"hb_double": "195.0"}
    assert told["status"] == "complete"
    assert trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs").headers["ETag"] == '"1"'


def test_a_correction_becomes_the_next_revision_with_its_reason(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    refused = trial.nurse.save(subject, "SCR", "labs", LABS | {"hb": "79.5"}, revision=1)
    assert refused.status_code == 422
    assert codes(refused) == {"/reason": "reason-required"}
    saved = trial.nurse.save(subject, "SCR", "labs", LABS | {"hb": "79.5"}, revision=1, reason="Digits swapped")
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"2"')
    history = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs/history").json()["revisions"]
    assert [(each["revision"], each["reason"], each["by"]) for each in history] == [
        (1, None, "Nurse of the cast"),
        (2, "Digits swapped", "Nurse of the cast"),
    ]
    assert history[1]["items"] == [
        {"item": "hb", "row": None, "label": "Haemoglobin", "before": "97.5", "after": "79.5"}
    ]
    trial.verified()


def test_a_value_added_to_an_unfinished_page_needs_no_reason(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09"}, complete=False)
    assert trial.nurse.save(subject, "SCR", "labs", LABS, revision=1).status_code == 200


def test_taking_a_value_away_needs_a_reason_and_is_told_in_the_history(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"anc": "1"}, complete=False)
    assert trial.nurse.save(subject, "SCR", "labs", LABS, revision=1, complete=False).status_code == 422
    trial.nurse.enter(subject, "SCR", "labs", LABS, revision=1, complete=False, reason="Other patient's value")
    last = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs/history").json()["revisions"][-1]
    assert [(each["item"], each["before"], each["after"]) for each in last["items"]] == [("anc", "1", None)]


def test_a_save_that_changes_nothing_stores_nothing(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    before = trial.manager.get("/audit", params={"subject": subject}).json()["items"]
    again = trial.nurse.save(subject, "SCR", "labs", {"hb": 97.5, "sample_date": "2024-01-09", "anc": None}, revision=1)
    assert (again.status_code, again.headers["ETag"]) == (200, '"1"')
    assert trial.manager.get("/audit", params={"subject": subject}).json()["items"] == before


def test_a_save_says_upon_which_revision_it_was_made(trial: Trial):
    subject = trial.nurse.subject()
    missing = trial.nurse.save(subject, "SCR", "labs", LABS, headers={})
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required")
    early = trial.nurse.save(subject, "SCR", "labs", LABS, revision=1)
    assert (early.status_code, early.json()["code"]) == (412, "stale")
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    again = trial.nurse.save(subject, "SCR", "labs", LABS)
    assert (again.status_code, again.headers["ETag"], again.json()["current_revision"]) == (412, '"1"', 1)


def test_of_twenty_who_save_at_once_one_is_first(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS)

    def save(number: int) -> int:
        changed = LABS | {"hb": str(60 + number)}
        return trial.nurse.save(subject, "SCR", "labs", changed, revision=1, reason="Race").status_code

    with ThreadPoolExecutor(20) as pool:
        answers = sorted(pool.map(save, range(20)))
    assert answers == [200, *([412] * 19)]
    assert len(trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs/history").json()["revisions"]) == 2
    trial.verified()


def test_of_twenty_who_begin_a_page_at_once_one_is_first(trial: Trial):
    subject = trial.nurse.subject()
    with ThreadPoolExecutor(20) as pool:
        answers = sorted(
            pool.map(
                lambda n: trial.nurse.save(subject, "SCR", "labs", LABS | {"hb": str(60 + n)}).status_code, range(20)
            )
        )
    assert answers == [201, *([412] * 19)]


def test_every_item_that_cannot_be_stored_is_named_and_nothing_is(trial: Trial):
    subject = trial.nurse.subject()
    refused = trial.nurse.save(
        subject,
        "SCR",
        "labs",
        {
            "sample_date": "2024-02-30",
            "hb": {"value": "9.7", "unit": "g/hl"},
            "anc": "-1",
            "units_given": {"unit": "g/hl"},
            "transfused": True,
            "hb_double": "1",
            "nonsense": "x",
            "drugs": [{"drug": "A"}, {"dose": "much"}],
        },
    )
    assert refused.status_code == 422
    found = codes(refused)
    assert set(found) == {
        "/answers/sample_date",
        "/answers/hb",
        "/answers/anc",
        "/answers/units_given",
        "/answers/transfused",
        "/answers/hb_double",
        "/answers/nonsense",
        "/answers/drugs/2/dose",
    }
    assert all(fault["message"] and fault["remedy"] for fault in refused.json()["errors"])
    assert "g/hl" not in refused.text
    assert "2024-02-30" not in refused.text
    assert trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs").status_code == 404


def test_refusals_speak_chinese_to_those_who_read_it(trial: Trial):
    subject = trial.nurse.subject()
    refused = trial.nurse.call(
        "PUT",
        f"/subjects/{subject}/visits/SCR/forms/labs",
        json={"answers": {"sample_date": "2024-01-09", "hb": "-5"}},
        headers={"If-None-Match": "*", "Accept-Language": "zh-CN"},
    )
    assert "血红蛋白" in refused.json()["errors"][0]["message"]


def test_a_complete_page_has_its_required_items_or_a_reason_why_not(trial: Trial):
    subject = trial.nurse.subject()
    refused = trial.nurse.save(subject, "SCR", "labs", {"sample_date": "2024-01-09"})
    assert codes(refused) == {"/answers/hb": "required"}
    saved = trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": {"missing": "not_done"}})
    assert saved["answers"]["hb"] == {"missing": "not_done"}


def test_an_implausible_value_is_stored_and_asked_about_until_it_is_corrected(trial: Trial):
    subject = trial.nurse.subject()
    saved = trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": {"value": "2.1", "unit": "g/dL"}})
    assert saved["answers"]["hb"] == {"value": "2.1", "unit": "g/dL"}
    assert [(each["item"], each["rule"]) for each in saved["findings"]] == [("hb", "soft_min")]
    assert len(trial.manager.get("/findings").json()["items"]) == 1
    saved = trial.nurse.enter(
        subject, "SCR", "labs", LABS | {"hb": {"value": "12.1", "unit": "g/dL"}}, revision=1, reason="Typing"
    )
    assert saved["findings"] == []
    assert trial.manager.get("/findings").json()["items"] == []
    assert len(trial.manager.get("/findings", params={"state": "closed"}).json()["items"]) == 1
    trial.verified()


def test_a_value_left_behind_an_answer_that_hides_it_is_a_finding(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"transfused": "Y", "units_given": 2})
    saved = trial.nurse.enter(
        subject, "SCR", "labs", LABS | {"transfused": "N", "units_given": 2}, revision=1, reason="Not transfused"
    )
    assert saved["answers"]["units_given"] == 2
    assert [(each["item"], each["rule"]) for each in saved["findings"]] == [("units_given", "left_behind")]


def test_rows_keep_their_numbers(trial: Trial):
    subject = trial.nurse.subject()
    rows = [{"drug": "Blinatumomab", "dose": "28"}, {"drug": "Dexamethasone"}]
    saved = trial.nurse.enter(subject, "SCR", "labs", LABS | {"drugs": rows})
    assert [row["row"] for row in saved["answers"]["drugs"]] == [1, 2]
    kept = [saved["answers"]["drugs"][1], {"drug": "Inotuzumab"}]
    saved = trial.nurse.enter(subject, "SCR", "labs", LABS | {"drugs": kept}, revision=1, reason="First one not given")
    assert [(row["row"], row["drug"]) for row in saved["answers"]["drugs"]] == [(2, "Dexamethasone"), (3, "Inotuzumab")]
    last = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs/history").json()["revisions"][-1]
    assert {(each["row"], each["item"]) for each in last["items"]} == {(1, "drug"), (1, "dose"), (3, "drug")}


@pytest.mark.parametrize(
    "address",
    [
        "NONE/forms/labs",
        "SCR/forms/none",
        "SCR/forms/response",
        "SCR.2/forms/labs",
        "SCR/forms/labs.2",
        "SCR/forms/x-y",
    ],
)
def test_a_page_the_study_does_not_ask_for_is_not_found(trial: Trial, address: str):
    subject = trial.nurse.subject()
    visit, _, form = address.partition("/forms/")
    assert trial.nurse.save(subject, visit, form, LABS).status_code == 404


def test_visits_and_pages_that_repeat_are_numbered(trial: Trial):
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "UNS.2", "labs", LABS)
    saved = trial.nurse.enter(subject, "LOG", "ae.3", {"term": "Fever", "start": "2024-03", "signs": ["R", "F"]})
    assert (saved["visit"], saved["form"]) == ("LOG", "ae.3")
    assert trial.nurse.get(f"/subjects/{subject}/visits/UNS.2/forms/labs").json()["visit"] == "UNS.2"


def test_a_page_can_be_read_as_it_stood(trial: Trial):
    subject = trial.nurse.subject()
    first = trial.nurse.enter(subject, "SCR", "labs", LABS)
    second = trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "80"}, revision=1, reason="Typing")
    page = f"/subjects/{subject}/visits/SCR/forms/labs"
    then = trial.nurse.get(page, params={"as_of": first["saved_at"]}).json()
    assert (then["revision"], then["answers"]["hb"], then["computed"]) == (1, "97.5", {"hb_double": "195.0"})
    now = trial.nurse.get(page, params={"as_of": second["saved_at"]}).json()
    assert (now["revision"], now["answers"]["hb"], now["computed"]) == (2, "80", {"hb_double": "160.0"})
    assert trial.nurse.get(page, params={"as_of": "2020-01-01T00:00:00Z"}).status_code == 404


def test_one_of_several_pages_is_replaced_by_its_whole_address(trial: Trial):
    wrong, right = trial.nurse.subject(), trial.nurse.subject()
    trial.nurse.enter(wrong, "LOG", "ae.2", {"term": "Fever"}, complete=False)
    page = f"/subjects/{wrong}/visits/LOG/forms/ae.2"
    struck = trial.nurse.post(page + "/void", {"reason": "Wrong subject"}, headers={"If-Match": '"1"'}).json()
    link = {"subject": wrong, "visit": "LOG", "form": "ae.2"}
    for given, code, remedy in (
        (link | {"repeat": 2}, "extra-field", "form, subject, visit"),
        (wrong, "not-object", "{form, subject, visit}"),
    ):
        refused = trial.nurse.save(right, "LOG", "ae", {"term": "Fever"}, complete=False, instead_of=given)
        (fault,) = refused.json()["errors"]
        assert (fault["pointer"], fault["code"], fault["remedy"]) == ("/instead_of", code, remedy)
    entered = trial.nurse.enter(right, "LOG", "ae", {"term": "Fever"}, complete=False, instead_of=link)
    assert entered["instead_of"] == struck["record_id"]


def test_a_page_of_the_wrong_subject_is_struck_there_and_entered_here(trial: Trial):
    wrong, right = trial.nurse.subject(), trial.nurse.subject()
    trial.nurse.enter(wrong, "SCR", "consent", CONSENT)
    page = f"/subjects/{wrong}/visits/SCR/forms/consent"
    link = {"subject": wrong, "visit": "SCR", "form": "consent"}
    assert trial.nurse.save(right, "SCR", "consent", CONSENT, instead_of=link).status_code == 409
    assert trial.nurse.post(page + "/void", {"reason": "Wrong subject"}).status_code == 428
    struck = trial.nurse.post(page + "/void", {"reason": "Wrong subject"}, headers={"If-Match": '"1"'})
    assert (struck.status_code, struck.json()["status"], struck.headers["ETag"]) == (200, "void", '"2"')
    again = trial.nurse.post(page + "/void", {"reason": "Wrong subject"}, headers={"If-Match": '"2"'})
    assert again.status_code == 409
    entered = trial.nurse.enter(right, "SCR", "consent", CONSENT, instead_of=link, reason="Entered under " + wrong)
    assert entered["instead_of"] == struck.json()["record_id"]
    assert trial.nurse.get(page).json()["answers"] == CONSENT
    statuses = {each["subject_id"]: each["status"] for each in trial.nurse.get("/subjects").json()["items"]}
    assert statuses == {wrong: "screening", right: "enrolled"}
    trial.nurse.enter(wrong, "SCR", "consent", CONSENT, revision=2, reason="It was right after all")
    assert trial.nurse.get(page).json()["status"] == "complete"
    trial.verified()


@pytest.mark.parametrize("said", ["no", "yes", "0", 0, 1, "", None])
def test_whether_a_page_is_complete_is_said_and_not_guessed(trial: Trial, said: Any) -> None:
    subject = trial.nurse.subject()
    body = {"answers": {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}, "complete": said}
    path = f"/subjects/{subject}/visits/SCR/forms/consent"
    answer = trial.nurse.call("PUT", path, json=body, headers={"If-None-Match": "*"})
    assert answer.status_code == 422
    assert [each["code"] for each in answer.json()["errors"]] == ["not-true-false"]
    assert trial.nurse.get(path).status_code == 404
