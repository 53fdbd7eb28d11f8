"""What looks wrong, as those who look after the data see it."""

from typing import Any

import pytest

from tests.trial import Trial

LABS = {"sample_date": "2024-01-09", "hb": "97.5"}
CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


def findings(trial: Trial, who: str = "manager", **query: Any) -> list[dict[str, Any]]:
    answer = trial.cast[who].get("/findings", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_a_finding_says_where_which_rule_and_what_to_do_in_the_readers_language(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "UNS.2", "labs", LABS | {"hb": "21"})
    (found,) = findings(trial)
    told = {name: found[name] for name in ("subject", "site", "visit", "form", "item", "row", "rule", "state")}
    assert told == {
        "subject": subject, "site": "HZ01", "visit": "UNS.2", "form": "labs", "item": "hb", "row": None,
        "rule": "soft_min", "state": "open",
    }  # fmt: skip
    assert "Haemoglobin" in found["message"]
    assert found["remedy"]
    assert "21" not in found["message"]
    chinese = trial.manager.get("/findings", headers={"Accept-Language": "zh"}).json()["items"][0]
    assert "血红蛋白" in chinese["message"]


def test_a_question_is_open_once_for_a_value_and_asked_anew_for_another(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "21"})
    first = findings(trial)
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "21", "anc": "2"}, revision=1, reason="Left out")
    assert findings(trial) == first
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "122"}, revision=2, reason="Misread")
    assert findings(trial) == []
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "22"}, revision=3, reason="It was right")
    (again,) = findings(trial)
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "23"}, revision=4, reason="Misread")
    (last,) = findings(trial)
    assert len({first[0]["finding"], again["finding"], last["finding"]}) == 3
    closed = [each["finding"] for each in findings(trial, state="closed")]
    assert sorted(closed) == sorted([first[0]["finding"], again["finding"]])
    trial.verified()


def test_a_finding_is_seen_as_of_an_instant(trial: Trial) -> None:
    subject = trial.nurse.subject()
    page = f"/subjects/{subject}/visits/SCR/forms/labs"
    wrong = trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "21"})
    right = trial.nurse.enter(subject, "SCR", "labs", LABS, revision=1, reason="Misread")
    then = trial.nurse.get(page, params={"as_of": wrong["saved_at"]}).json()
    assert [each["rule"] for each in then["findings"]] == ["soft_min"]
    assert trial.nurse.get(page, params={"as_of": right["saved_at"]}).json()["findings"] == []


def test_the_list_is_narrowed_by_what_is_asked(trial: Trial) -> None:
    first, second = trial.nurse.subject(), trial.nurse.subject()
    there = trial.nurse2.subject("HZ02")
    trial.nurse.enter(first, "SCR", "labs", LABS | {"hb": "21"})
    trial.nurse.enter(second, "SCR", "labs", LABS | {"hb": "221"})
    trial.nurse.enter(second, "SCR", "consent", CONSENT)
    trial.nurse.enter(second, "LOG", "death", {"death_date": "2023"})
    trial.nurse2.enter(there, "SCR", "labs", LABS | {"hb": "21"})

    def seen(who: str = "manager", **query: Any) -> list[tuple[str, str]]:
        return [(each["subject"], each["rule"]) for each in findings(trial, who, **query)]

    contradiction, high = (second, "endpoint-contradiction"), (second, "soft_max")
    assert set(seen()) == {(first, "soft_min"), contradiction, high, (there, "soft_min")}
    assert set(seen("nurse")) == {(first, "soft_min"), contradiction, high}
    assert seen("nurse2") == [(there, "soft_min")]
    assert seen(rule="soft_max") == [high]
    assert seen(subject=first) == [(first, "soft_min")]
    assert seen(site="HZ02") == [(there, "soft_min")]
    assert seen(state="closed") == []
    assert seen(sort="-subject")[0] == (there, "soft_min")
    endpoint = next(each for each in findings(trial) if each["rule"] == "endpoint-contradiction")
    assert (endpoint["visit"], endpoint["form"], endpoint["item"]) == (None, None, "OS")
    assert trial.nurse.get("/findings", params={"site": "HZ02"}).status_code == 404
    for wrong in ({"sort": "detail"}, {"state": "both"}, {"limit": 0}, {"limit": 201}, {"colour": "red"}):
        assert trial.manager.get("/findings", params=wrong).status_code in {400, 422}, wrong


def test_findings_are_paged(trial: Trial) -> None:
    subject = trial.nurse.subject()
    for number in range(1, 6):
        trial.nurse.enter(subject, f"UNS.{number}", "labs", LABS | {"hb": "21"})
    collected, cursor = [], None
    while True:
        page = trial.manager.get("/findings", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        collected += [each["finding"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(collected) == len(set(collected)) == 5


@pytest.mark.parametrize(("who", "status"), [("sponsor", 200), ("statistician", 200), ("builder", 403),
                                             ("administrator", 403), ("stranger", 404)])  # fmt: skip
def test_who_sees_findings(trial: Trial, who: str, status: int) -> None:
    assert trial.cast[who].get("/findings").status_code == status
