"""A computed item of a page that is closed or signed comes out differently: beside the old value, and as a finding."""

from operator import itemgetter
from typing import Any

import pytest

from tests.quality.signing import sign
from tests.trial import Trial

PARTIAL = {"assess_date": "2024-03-01", "bm": "20", "anc": "1.5", "plt": "120", "marrow": "ADEQUATE"}
BASELINE = {"assess_date": "2024-01-01", "bm": "60"}
BOTH = ["responder", "response_computed"]
D30 = {"visit": "D30", "form": "response"}


def page(trial: Trial, subject: str) -> dict[str, Any]:
    return dict(trial.coordinator.get(f"/subjects/{subject}/visits/D30/forms/response").json())


def changed(told: dict[str, Any]) -> list[str]:
    return sorted(each["item"] for each in told["findings"] if each["rule"] == "computed-changed")


def begun(trial: Trial) -> str:
    """A subject with a partial response by its baseline."""
    subject = trial.coordinator.subject()
    trial.coordinator.enter(subject, "SCR", "response", BASELINE)
    trial.coordinator.enter(subject, "D30", "response", PARTIAL)
    assert page(trial, subject)["computed"]["response_computed"] == "PR"
    return subject


def rebase(trial: Trial, subject: str, bm: str, revision: int = 1) -> None:
    trial.coordinator.enter(subject, "SCR", "response", BASELINE | {"bm": bm}, revision=revision, reason="Typing")


def close(trial: Trial, subject: str, how: str) -> None:
    if how == "sign":
        assert sign(trial, subject, "signer", **D30).status_code == 201
    else:
        body = {"action": how, "subject": subject, "reason": "Clean", **D30}
        assert trial.keeper.post("/locks", body).status_code in {200, 201}


def same(trial: Trial) -> None:
    """What is stored is what the pages give, and the trail holds."""
    assert trial.keeper.post("/derive").json()["deviations"] == []
    trial.verified()


@pytest.mark.parametrize("how", ["sign", "freeze", "lock"])
def test_the_new_value_stands_beside_the_old_one_and_is_a_finding(rules_trial: Trial, how: str) -> None:
    subject = begun(rules_trial)
    close(rules_trial, subject, how)
    before = page(rules_trial, subject)
    assert (changed(before), before["beside"]) == ([], {})
    rebase(rules_trial, subject, "30")
    after = page(rules_trial, subject)
    assert (after["computed"]["response_computed"], after["beside"]["response_computed"]) == ("NR", "PR")
    assert changed(after) == BOTH
    [_, finding] = sorted(
        (each for each in after["findings"] if each["rule"] == "computed-changed"), key=itemgetter("item")
    )
    assert "Response by the rule" in finding["message"]
    assert "PR" not in finding["message"]
    assert (after["revision"], after["saved_at"], after["answers"]) == (
        before["revision"], before["saved_at"], before["answers"],
    )  # fmt: skip
    assert [each["state"] for each in after["marks"]["signatures"]] == ["standing"] * (how == "sign")
    assert after["queries"] == []
    same(rules_trial)


def test_it_goes_when_the_value_comes_back(rules_trial: Trial) -> None:
    subject = begun(rules_trial)
    close(rules_trial, subject, "lock")
    rebase(rules_trial, subject, "30")
    rebase(rules_trial, subject, "60", 2)
    told = page(rules_trial, subject)
    assert (told["computed"]["response_computed"], changed(told), told["beside"]) == ("PR", [], {})
    same(rules_trial)


def test_it_stays_with_what_the_page_was_closed_with_through_further_changes(rules_trial: Trial) -> None:
    subject = begun(rules_trial)
    close(rules_trial, subject, "sign")
    rebase(rules_trial, subject, "30")
    close(rules_trial, subject, "lock")
    rebase(rules_trial, subject, "25", 2)
    told = page(rules_trial, subject)
    assert (changed(told), told["beside"]["response_computed"]) == (BOTH, "PR")
    same(rules_trial)


def test_whoever_signs_the_page_again_has_seen_it(rules_trial: Trial) -> None:
    subject = begun(rules_trial)
    close(rules_trial, subject, "sign")
    rebase(rules_trial, subject, "30")
    assert sign(rules_trial, subject, "signer", meaning="review", **D30).status_code == 201
    told = page(rules_trial, subject)
    assert (changed(told), told["beside"]) == ([], {})
    same(rules_trial)
    rebase(rules_trial, subject, "60", 2)
    told = page(rules_trial, subject)
    assert (changed(told), told["beside"]["response_computed"]) == (BOTH, "NR")
    same(rules_trial)


def test_the_same_signature_again_is_another_one_where_something_computed_has_changed(rules_trial: Trial) -> None:
    subject = begun(rules_trial)
    keys = {sign(rules_trial, subject, "signer", **D30).json()["signature"]}
    for bm, revision in (("30", 1), ("60", 2)):
        rebase(rules_trial, subject, bm, revision)
        assert changed(page(rules_trial, subject)) == BOTH
        keys.add(sign(rules_trial, subject, "signer", **D30).json()["signature"])
        assert changed(page(rules_trial, subject)) == []
    assert len(keys) == 3
    assert sign(rules_trial, subject, "signer", **D30).json()["signature"] in keys
    same(rules_trial)


@pytest.mark.parametrize("there_and_back", [["30", "60"], ["61"]])
def test_what_was_closed_once_is_forgotten_when_it_is_open_again(rules_trial: Trial, there_and_back: list[str]) -> None:
    subject = begun(rules_trial)
    close(rules_trial, subject, "freeze")
    for revision, bm in enumerate(there_and_back, 1):
        rebase(rules_trial, subject, bm, revision)
    assert changed(page(rules_trial, subject)) == []
    close(rules_trial, subject, "unfreeze")
    rebase(rules_trial, subject, "30", len(there_and_back) + 1)
    assert changed(page(rules_trial, subject)) == []
    same(rules_trial)


def test_whoever_saves_the_page_has_seen_it(rules_trial: Trial) -> None:
    subject = begun(rules_trial)
    close(rules_trial, subject, "sign")
    rebase(rules_trial, subject, "30")
    rules_trial.coordinator.enter(
        subject, "D30", "response", PARTIAL | {"anc": "1.6"}, revision=1, reason="As in the report"
    )
    told = page(rules_trial, subject)
    assert (changed(told), told["beside"]) == ([], {})
    same(rules_trial)


def test_a_page_that_is_open_and_unsigned_says_nothing(rules_trial: Trial) -> None:
    subject = begun(rules_trial)
    rebase(rules_trial, subject, "30")
    told = page(rules_trial, subject)
    assert (told["computed"]["response_computed"], changed(told), told["beside"]) == ("NR", [], {})
    same(rules_trial)
