"""Edit checks: the same answer at entry, in a trial run, on import and in a batch."""

from typing import Any

from tests.trial import Trial

LABS = {"sample_date": "2024-02-02", "alt": "100", "alt_uln": "40"}


def findings(trial: Trial, **query: Any) -> list[tuple[str, str, str]]:
    answer = trial.coordinator.get("/findings", params=query)
    return [(each["visit"], each["item"], each["rule"]) for each in answer.json()["items"]]


def validated(trial: Trial, subject: str, visit: str, form: str, answers: Any) -> dict[str, Any]:
    told = trial.coordinator.post(f"/subjects/{subject}/visits/{visit}/forms/{form}/validate", {"answers": answers})
    assert told.status_code == 200, told.text
    return dict(told.json())


def test_a_check_fires_closes_itself_and_fires_again(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "labs", LABS | {"alt": "900"})
    assert findings(rules_trial) == [("SCR", "alt", "check:far_above")]
    rules_trial.coordinator.enter(subject, "SCR", "labs", LABS, revision=1, reason="Misread")
    assert findings(rules_trial) == []
    rules_trial.coordinator.enter(subject, "SCR", "labs", LABS | {"alt": "801"}, revision=2, reason="Misread")
    assert findings(rules_trial) == [("SCR", "alt", "check:far_above")]
    told = rules_trial.coordinator.get("/findings", headers={"Accept-Language": "zh"}).json()["items"][0]
    assert (told["message"], told["remedy"]) == ("谷丙转氨酶超过上限20倍", "请与报告核对数值和上限")
    rules_trial.verified()


def test_a_hard_check_refuses_the_page_by_its_item_in_words(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    refused = rules_trial.coordinator.save(subject, "SCR", "labs", LABS | {"received": "2024-02-01"})
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/answers/received", "check:received_before")
    assert fault["message"] == "Received before it was taken"
    assert rules_trial.coordinator.get(f"/subjects/{subject}/visits/SCR/forms/labs").status_code == 404


def test_an_item_that_is_not_shown_is_never_asked(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    saved = rules_trial.coordinator.enter(subject, "SCR", "visit", {"held": "Y", "why": "x"})
    assert [each["rule"] for each in saved["findings"]] == ["left_behind"]
    asked = rules_trial.coordinator.enter(subject, "D30", "visit", {"held": "N", "why": "x"})
    assert [each["rule"] for each in asked["findings"]] == ["check:short_reason"]


def test_a_graft_moved_by_a_page_moves_the_windows_of_others(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "D30", "visit", {"visit_date": "2024-03-20"})
    assert findings(rules_trial) == []  # no graft, no window
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    assert findings(rules_trial) == [("D30", "visit_date", "check:outside_window")]
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-15"}, revision=1, reason="Misread")
    assert findings(rules_trial) == []
    rules_trial.verified()


def test_a_check_may_ask_for_facts_of_other_pages_and_for_endpoints(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "UNS", "agvhd", {"assess_date": "2024-01-20"})
    rules_trial.coordinator.enter(subject, "UNS", "response", {"assess_date": "2024-02-20", "response": "PR"})
    assert findings(rules_trial) == []
    rules_trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    assert set(findings(rules_trial)) == {
        ("UNS", "assess_date", "check:before_graft"),
        ("UNS", "response", "check:never_in_remission"),
    }


def test_a_validation_says_what_a_save_would_and_stores_nothing(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "D30", "visit", {"visit_date": "2024-03-20"})
    far = validated(rules_trial, subject, "SCR", "labs", LABS | {"alt": "900"})
    assert [each["rule"] for each in far["findings"]] == ["check:far_above"]
    assert far["computed"] == {"alt_grade": "4"}
    assert (far["errors"], far["owed"]) == ([], [])
    hard = validated(rules_trial, subject, "SCR", "labs", LABS | {"received": "2024-02-01"})
    assert [each["code"] for each in hard["errors"]] == ["check:received_before"]
    unread = validated(rules_trial, subject, "SCR", "labs", LABS | {"alt": "much"})
    assert [each["pointer"] for each in unread["errors"]] == ["/answers/alt"]
    moved = validated(rules_trial, subject, "D0", "graft", {"infusion_date": "2024-02-01"})
    (elsewhere,) = moved["elsewhere"]
    assert (elsewhere["visit"], elsewhere["form"], elsewhere["rule"]) == ("D30", "visit", "check:outside_window")
    casebook = rules_trial.coordinator.get(f"/subjects/{subject}/casebook").json()
    assert [(each["form"], each["findings"]) for each in casebook["pages"]] == [("visit", [])]
    assert rules_trial.keeper.post(
        f"/subjects/{subject}/visits/SCR/forms/labs/validate", {"answers": LABS}
    ).status_code == 403  # fmt: skip


def test_a_batch_asks_what_entry_does_not_and_entry_leaves_it_standing(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    rules_trial.coordinator.enter(subject, "SCR", "labs", LABS | {"anc": "40"})
    assert findings(rules_trial) == []
    run = rules_trial.keeper.post("/checks/run").json()
    assert run == {"subjects": 1, "opened": {"anc check:batch_only": 1}, "closed": {}}
    rules_trial.coordinator.enter(subject, "SCR", "labs", LABS | {"anc": "40", "laboratory": "OTHER"}, revision=1,
                                  reason="Left out")  # fmt: skip
    assert findings(rules_trial) == [("SCR", "anc", "check:batch_only")]
    rules_trial.coordinator.enter(subject, "SCR", "labs", LABS | {"anc": "4"}, revision=2, reason="Misread")
    assert rules_trial.keeper.post("/checks/run").json()["closed"] == {"anc check:batch_only": 1}
    assert rules_trial.keeper.post("/checks/run").json() == {"subjects": 1, "opened": {}, "closed": {}}
    assert rules_trial.keeper.post("/derive").json()["deviations"] == []
    rules_trial.verified()


def test_an_import_meets_the_same_checks(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    lines = f"subject,visit,sample_date,received,alt,alt_uln\n{subject},SCR,2024-02-02,2024-02-01,900,40\n"
    refused = rules_trial.coordinator.call(
        "POST", "/imports/labs", content=lines.encode(), headers={"Content-Type": "text/csv"}
    )
    assert refused.status_code == 422
    assert [each["code"] for each in refused.json()["errors"]] == ["check:received_before"]
    stored = rules_trial.coordinator.call(
        "POST", "/imports/labs", content=lines.replace("2024-02-01", "2024-02-03").encode(),
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    assert stored.status_code == 201, stored.text
    assert findings(rules_trial) == [("SCR", "alt", "check:far_above")]
