"""Electronic signatures as an investigator gives them: shown first, proved by the password, refused when unready."""

from pathlib import Path
from typing import Any

import pytest

from tests.quality.signing import CONSENT, PAGE, WRONG, ask, audit, correct, proof, screened, sign, signed, system
from tests.quality.under import planned
from tests.trial import PASSWORD, Trial

# ---------------------------------------------------------------- what is signed


def test_an_intent_shows_every_answer_as_a_person_reads_it_and_stores_nothing(trial: Trial) -> None:
    subject = screened(trial)
    shown = ask(trial, subject, **PAGE).json()
    assert shown["statement"] == "I have reviewed these data and approve them as complete and correct."
    [page] = shown["pages"]
    assert (page["visit"], page["form"], page["title"], page["revision"]) == ("SCR", "labs", "Laboratory", 1)
    assert [(each["item"], each["row"], each["label"], each["text"]) for each in page["items"]] == [
        ("sample_date", None, "Date of sample", "2024-01-09"),
        ("hb", None, "Haemoglobin", "9.75 g/dL"),
        ("transfused", None, "Transfused?", "no"),
        ("drug", 1, "Drug", "A"),
        ("dose", 1, "Dose", "1 mg"),
        ("drug", 2, "Drug", "B"),
    ]
    assert [(each["item"], each["label"], each["text"]) for each in page["computed"]] == [
        ("hb_double", "Twice the haemoglobin", "195.0")
    ]
    assert trial.doctor.get("/signatures").json()["items"] == []
    assert ask(trial, subject, **PAGE).json() == shown
    path = f"/subjects/{subject}/signatures/intent"
    chinese = trial.doctor.post(path, {"meaning": "review"} | PAGE, headers={"Accept-Language": "zh"}).json()
    assert chinese["statement"] == "我已审阅这些数据。"
    assert [each["text"] for each in chinese["pages"][0]["items"]][2] == "否"
    assert chinese["intent"] != shown["intent"]
    given = sign(trial, subject, intent=chinese["intent"], meaning="review", **PAGE)
    told = trial.doctor.get(f"/signatures/{given.json()['signature']}").json()
    assert (told["meaning"], told["statement"]) == ("review", "我已审阅这些数据。")


def test_a_signature_carries_name_time_meaning_and_the_digest_of_every_answer(trial: Trial) -> None:
    subject = screened(trial)
    key = signed(trial, subject, **PAGE)
    told = trial.inspector.get(f"/signatures/{key}").json()
    assert (told["name"], told["username"], told["roles"]) == ("Doctor of the cast", "doctor", "investigator")
    assert (told["scope"], told["visit"], told["form"], told["state"]) == ("page", "SCR", "labs", "standing")
    assert (told["meaning"], told["zone"], told["at"][-1]) == ("approval", "Asia/Shanghai", "Z")
    [page] = told["pages"]
    assert len(page["items"]) == 6
    assert all(len(each["digest"]) == 64 for each in [page, *page["items"], told])
    listed = trial.inspector.get("/signatures", params={"subject": subject, "state": "standing"}).json()["items"]
    assert [each["signature"] for each in listed] == [key]
    assert trial.inspector.get("/signatures", params={"state": "broken"}).json()["items"] == []
    assert proof(trial, key) == {
        "signature": key, "state": "standing", "intact": True, "holds": True,
        "pages": [
            {
                "visit": "SCR", "form": "labs", "revision": 1, "now": 1, "form_version": 1, "form_version_now": 1,
                "status_now": "complete", "intact": True, "changed": [],
            }
        ],
    }  # fmt: skip
    [entry] = audit(trial, "signature.sign")
    assert (entry["actor"], entry["detail"]["meaning"], entry["subject_id"]) == (
        "Doctor of the cast",
        "approval",
        subject,
    )
    trial.verified()


def test_a_page_shows_who_signed_it_and_so_does_the_casebook(trial: Trial) -> None:
    subject = screened(trial)
    key = signed(trial, subject, visit="SCR")
    page = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs").json()
    [mark] = page["marks"]["signatures"]
    assert (mark["signature"], mark["scope"], mark["state"], mark["by"]) == (
        key, "visit", "standing", "Doctor of the cast",
    )  # fmt: skip
    saved = correct(trial, subject, hb="98")
    [mark] = saved["marks"]["signatures"]
    assert (mark["state"], mark["broken_by"]) == ("broken", [{"item": "hb", "row": None}])
    book = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    found = {page["form"]: page["marks"]["signatures"][0] for page in book["pages"]}
    assert {form: (each["state"], each["broken_by"]) for form, each in found.items()} == {
        "consent": ("broken", []), "arm": ("broken", []), "labs": ("broken", [{"item": "hb", "row": None}]),
    }  # fmt: skip


# ---------------------------------------------------------------- who signs, and how


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nurse", 403), ("monitor", 403), ("manager", 403), ("statistician", 403), ("sponsor", 403),
        ("inspector", 403), ("administrator", 403), ("stranger", 404), ("nurse2", 404), ("doctor", 201),
    ],
)  # fmt: skip
def test_only_an_investigator_of_the_site_signs(trial: Trial, who: str, status: int) -> None:
    subject = screened(trial)
    intent = ask(trial, subject, **PAGE).json()["intent"]
    assert ask(trial, subject, who, **PAGE).status_code == (200 if status == 201 else status)
    assert sign(trial, subject, who, intent=intent, **PAGE).status_code == status


def test_another_sites_subject_and_signature_are_not_there(trial: Trial) -> None:
    theirs = screened(trial, "HZ02")
    assert ask(trial, theirs, **PAGE).status_code == 404
    assert sign(trial, theirs, intent="0" * 64, **PAGE).status_code == 404
    mine = signed(trial, screened(trial), **PAGE)
    assert trial.nurse2.get(f"/signatures/{mine}").status_code == 404
    assert trial.nurse2.get(f"/signatures/{mine}/verify").status_code == 404
    assert trial.nurse2.get("/signatures").json()["items"] == []
    assert trial.nurse2.get("/signatures", params={"site": "HZ01"}).status_code == 404


def test_a_wrong_password_signs_nothing_is_recorded_and_counts(trial: Trial) -> None:
    subject = screened(trial)
    refused = sign(trial, subject, password=WRONG, **PAGE)
    assert (refused.status_code, refused.json()["code"]) == (401, "reauth-required")
    assert WRONG not in refused.text
    none = sign(trial, subject, password=None, **PAGE)
    assert (none.status_code, none.json()["code"]) == (401, "reauth-required")
    [counted] = system(trial, "signature.failed")
    assert (counted["actor"], counted["detail"]["study"]) == ("Doctor of the cast", "TRIAL")
    assert subject not in str(counted), "who manages accounts reads no patient"
    [entry] = audit(trial, "signature.refused")
    assert (entry["actor"], entry["subject_id"]) == ("Doctor of the cast", subject)
    assert (entry["detail"]["refusal"], entry["detail"]["form_id"]) == ("reauth-required", "labs")
    for _ in range(4):
        sign(trial, subject, password=WRONG, **PAGE)
    shut = sign(trial, subject, **PAGE)
    assert (shut.status_code, "Retry-After" in shut.headers) == (429, True)
    assert [each["detail"]["refusal"] for each in audit(trial, "signature.refused")] == [
        *["reauth-required"] * 5, "too-many",
    ]  # fmt: skip
    login = {"username": "doctor", "password": PASSWORD}
    assert trial.client.post("/api/v1/session", json=login).status_code == 429
    assert trial.doctor.get("/signatures").json()["items"] == []
    trial.verified()


def test_the_right_password_ends_the_count(trial: Trial) -> None:
    subject = screened(trial)
    for _ in range(4):
        sign(trial, subject, password=WRONG, **PAGE)
    signed(trial, subject, **PAGE)
    for _ in range(4):
        assert sign(trial, subject, password=WRONG, visit="SCR", form="arm").status_code == 401
    assert sign(trial, subject, visit="SCR", form="arm").status_code == 201


def test_a_token_of_a_program_does_not_sign(trial: Trial) -> None:
    subject = screened(trial)
    intent = ask(trial, subject, **PAGE).json()["intent"]
    made = trial.doctor.post("/api/v1/me/tokens", {"label": "reader", "study": "TRIAL", "days": 1}).json()["token"]
    body = {"meaning": "approval", "intent": intent, "password": PASSWORD} | PAGE
    path = f"/api/v1/studies/TRIAL/subjects/{subject}/signatures"
    answer = trial.client.post(path, json=body, headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 403


def test_what_was_changed_after_it_was_shown_is_not_signed(trial: Trial) -> None:
    subject = screened(trial)
    intent = ask(trial, subject, **PAGE).json()["intent"]
    correct(trial, subject, hb="98")
    stale = sign(trial, subject, intent=intent, **PAGE)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    [entry] = audit(trial, "signature.refused")
    assert (entry["detail"]["refusal"], entry["subject_id"]) == ("stale", subject)
    assert sign(trial, subject, intent=intent, meaning="review", **PAGE).status_code == 412


def test_what_was_shown_to_one_person_is_not_signed_by_another(trial: Trial) -> None:
    subject = screened(trial)
    intent = ask(trial, subject, **PAGE).json()["intent"]
    body = {"username": "nurse", "role": "investigator", "site": "HZ01", "reason": "Sub-investigator"}
    assert trial.administrator.post("/grants", body).status_code == 201
    assert sign(trial, subject, "nurse", intent=intent, **PAGE).status_code == 412
    assert sign(trial, subject, "nurse", **PAGE).status_code == 201


def test_signing_the_same_twice_is_one_signature(trial: Trial) -> None:
    subject = screened(trial)
    assert signed(trial, subject, **PAGE) == signed(trial, subject, **PAGE)
    assert len(audit(trial, "signature.sign")) == 1


# ---------------------------------------------------------------- when it may be signed


def test_a_visit_with_a_page_missing_or_incomplete_is_not_signed(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09"}, complete=False)
    for what in ({"visit": "SCR"}, {}):
        refused = ask(trial, subject, **what)
        assert (refused.status_code, refused.json()["code"]) == (409, "not-ready")
        missing = [(each["visit"], each["form"]) for each in refused.json()["missing"]]
        assert missing[:2] == [("SCR", "labs"), ("SCR", "arm")]
    assert missing[2:] == [("D30", "labs"), ("D30", "response")]
    assert ask(trial, subject, **PAGE).json()["missing"] == [{"visit": "SCR", "form": "labs"}]
    assert ask(trial, subject, visit="SCR", form="consent").status_code == 200
    refused = sign(trial, subject, intent="0" * 64, visit="SCR")
    assert refused.status_code == 409
    assert audit(trial, "signature.refused")[0]["detail"]["refusal"] == "not-ready"
    assert ask(trial, subject, visit="UNS").json()["code"] == "not-ready"


def test_open_queries_keep_a_page_from_being_signed_until_they_are_closed(trial: Trial) -> None:
    subject = screened(trial)
    body = {"subject": subject, "visit": "SCR", "form": "labs", "item": "hb", "text": "Please check"}
    query = trial.monitor.post("/queries", body).json()["query"]
    for what in (PAGE, {"visit": "SCR"}):
        refused = ask(trial, subject, **what)
        assert (refused.status_code, refused.json()["open_queries"]) == (409, 1)
    assert ask(trial, subject, visit="SCR", form="arm").status_code == 200
    assert trial.monitor.post(f"/queries/{query}/cancel", {"text": "Seen in the source"}).status_code == 200
    assert ask(trial, subject, **PAGE).status_code == 200


def test_a_study_may_let_it_be_signed_despite_both(trial: Trial, tmp_path: Path) -> None:
    planned(trial, tmp_path / "forms", "\n[signing]\ndespite_missing = true\ndespite_queries = true\n")
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09"}, complete=False)
    body = {"subject": subject, "visit": "SCR", "form": "labs", "item": "hb", "text": "Please check"}
    assert trial.monitor.post("/queries", body).status_code == 201
    key = signed(trial, subject, visit="SCR")
    assert proof(trial, key)["holds"]
    more = {"sample_date": "2024-01-09", "hb": "97"}
    unsaid = trial.nurse.save(subject, "SCR", "labs", more, revision=1, complete=False)
    assert unsaid.status_code == 422, "what somebody has signed is changed with a reason"
    trial.nurse.enter(subject, "SCR", "labs", more, revision=1, complete=False, reason="The result came late")
    assert trial.doctor.get(f"/signatures/{key}").json()["broken"]["reason"] == "The result came late"
    trial.nurse.enter(subject, "SCR", "labs", more | {"anc": "2"}, revision=2, complete=False)


def test_a_locked_page_is_signed_no_more_and_a_frozen_one_is(trial: Trial) -> None:
    subject = screened(trial)
    scope = {"subject": subject, "visit": "SCR", "form": "labs", "reason": "Clean"}
    trial.manager.post("/locks", scope | {"action": "freeze"})
    key = signed(trial, subject, **PAGE)
    trial.manager.post("/locks", scope | {"action": "lock"})
    for what in (PAGE, {"visit": "SCR"}):
        answer = ask(trial, subject, **what)
        assert (answer.status_code, answer.json()["code"]) == (409, "locked")
    assert proof(trial, key)["holds"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"meaning": "approval", "form": "labs"}, 422), ({"meaning": "love"}, 422), ({}, 422),
        ({"meaning": "approval", "visit": "SCR", "form": "none"}, 409), ({"meaning": "approval", "visit": "?"}, 404),
        ({"meaning": "approval", "visit": "SCR", "more": 1}, 422),
    ],
)  # fmt: skip
def test_an_address_is_whole(trial: Trial, body: dict[str, Any], status: int) -> None:
    subject = screened(trial)
    assert trial.doctor.post(f"/subjects/{subject}/signatures/intent", body).status_code == status


def test_what_would_be_taken_is_named(trial: Trial) -> None:
    subject = screened(trial)
    [fault] = trial.doctor.post(f"/subjects/{subject}/signatures/intent", {"meaning": "love"}).json()["errors"]
    assert (fault["pointer"], fault["remedy"]) == ("/meaning", "authorship | review | approval | responsibility")
    scope = {"subject": subject, "action": "freeze", "reason": "x"}
    [fault] = trial.manager.post("/locks", scope).json()["errors"]
    assert (fault["pointer"], fault["remedy"]) == ("/reason", ">= 2")


def test_whoever_cannot_sign_is_told_so_in_chinese(trial: Trial) -> None:
    subject = screened(trial)
    path, zh = f"/subjects/{subject}/signatures", {"Accept-Language": "zh"}
    body = {"meaning": "approval", "intent": "0" * 64} | PAGE
    for more, code in (({}, "reauth-required"), ({"password": PASSWORD}, "stale")):
        answer = trial.doctor.post(path, body | more, headers=zh).json()
        assert answer["code"] == code
        assert not (answer["title"] + answer["detail"]).isascii()
    for what in ({"visit": "D30"}, {"visit": "UNS"}):
        answer = trial.doctor.post(path + "/intent", {"meaning": "review"} | what, headers=zh).json()
        assert (answer["code"], (answer["title"] + answer["detail"]).isascii()) == ("not-ready", False)
