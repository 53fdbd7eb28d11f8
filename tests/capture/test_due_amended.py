"""Pages at a visit that the study version in force has no longer: every list shows them until they are finished."""

from pathlib import Path
from typing import Any

import pytest

from tests.capture.due import scheduled
from tests.exchange.unzipped import export
from tests.quality.signing import ask
from tests.trial import Trial, publish

LABS = {"sample_date": "2024-02-09", "hb": "10"}
FORMER = "UNS (no longer in the study)"


def put_in_force(trial: Trial, version: int, site: str = "HZ01") -> None:
    body = {"version": version, "approved_on": "2024-01-01", "reason": "Approved"}
    put = trial.builder.call("PUT", f"/sites/{site}/version", json=body)
    assert put.status_code == 204, put.text


@pytest.fixture
def amended(trial: Trial, tmp_path: Path) -> Trial:
    """Version 2 in force, and a version 3 released that has no unscheduled visits and asks for no events in the log."""
    forms = scheduled(tmp_path / "forms")
    study = forms / "studies" / "TRIAL"
    text = (study / "v2.toml").read_text(encoding="utf-8").replace("version = 2\n", "version = 3\n", 1)
    begins, ends = text.index('[[visit]]\ncode = "UNS"'), text.index('[[visit]]\ncode = "LOG"')
    text = (text[:begins] + text[ends:]).replace('optional = ["ae", "death"]', 'optional = ["death"]')
    (study / "v3.toml").write_text(text, encoding="utf-8")
    publish(trial.database, forms)
    put_in_force(trial, 2)
    return trial


def tasks(trial: Trial) -> list[tuple[Any, ...]]:
    found = trial.nurse.get("/worklist", params={"on": "2024-02-10"}).json()["items"]
    told = (task for each in found for task in each["tasks"] if task["task"] not in {"due", "overdue"})
    return [(each["visit"], each["form"], each["label"], each["task"], each["queries"]) for each in told]


def test_a_page_of_a_visit_that_the_study_has_no_longer_is_still_on_the_lists(amended: Trial) -> None:
    subject = amended.nurse.subject()
    amended.nurse.enter(subject, "UNS.2", "labs", LABS, complete=False)
    before = tasks(amended)
    assert before == [("UNS.2", "labs", "Laboratory", task, n) for task, n in (("incomplete", 0), ("queried", 1))]
    put_in_force(amended, 3)
    assert tasks(amended) == before
    matrix = amended.nurse.get("/matrix").json()
    [row] = matrix["items"]
    assert matrix["visits"][-1] == {"visit": "UNS", "label": FORMER}
    assert (row["queries"], row["cells"]["UNS.2"]["queries"]) == (1, 1)
    assert (row["cells"]["UNS.2"]["status"], row["cells"]["UNS.2"]["owed"]) == ("incomplete", 0)
    visit = amended.nurse.get(f"/subjects/{subject}/casebook").json()["visits"][-1]
    assert {name: visit[name] for name in ("visit", "label", "planned", "repeating", "status")} == {
        "visit": "UNS.2", "label": FORMER, "planned": False, "repeating": False, "status": "incomplete",
    }  # fmt: skip
    assert visit["forms"] == [
        {"form": "labs", "label": "Laboratory", "due": False, "status": "incomplete", "pages": ["labs"]}
    ]
    refused = ask(amended, subject)
    assert (refused.status_code, refused.json()["missing"]) == (409, [{"visit": "UNS.2", "form": "labs"}])
    exported = {(each["VISIT"], each["VISIT_REPEAT"]): each for each in export(amended.nurse).rows("visits.csv")}
    assert [exported["UNS", "2"][name] for name in ("PLANNED", "TARGET", "FORMS_DUE")] == ["N", "", "0"]


def test_it_is_finished_and_signed_as_any_other_and_told_in_both_languages(amended: Trial) -> None:
    subject = amended.nurse.subject()
    amended.nurse.enter(subject, "UNS", "labs", LABS | {"hb": "100"}, complete=False)
    put_in_force(amended, 3)
    amended.nurse.enter(subject, "UNS", "labs", LABS | {"hb": "100"}, revision=1)
    assert tasks(amended) == [("UNS", "labs", "Laboratory", "to_sign", 0)]
    shown = ask(amended, subject)
    assert shown.status_code == 200, shown.text
    chinese = {"Accept-Language": "zh"}
    assert amended.nurse.get("/matrix", headers=chinese).json()["visits"][-1]["label"] == "UNS（研究已不再设此访视）"
    void = amended.nurse.post(
        f"/subjects/{subject}/visits/UNS/forms/labs/void", {"reason": "Other patient"}, headers={"If-Match": '"2"'}
    )
    assert void.status_code == 200, void.text
    assert "UNS" not in {each["visit"] for each in amended.nurse.get("/matrix").json()["visits"]}


def test_where_a_site_works_under_a_version_that_has_the_visit_its_name_is_told(amended: Trial) -> None:
    put_in_force(amended, 2, "HZ02")
    amended.nurse2.subject("HZ02")
    amended.nurse.enter(amended.nurse.subject(), "UNS", "labs", LABS)
    put_in_force(amended, 3)
    heads = [each["label"] for each in amended.manager.get("/matrix").json()["visits"] if each["visit"] == "UNS"]
    assert heads == ["Unscheduled"]


def test_a_form_that_is_asked_at_a_visit_no_longer_is_told_there_where_it_was_begun(amended: Trial) -> None:
    subject = amended.nurse.subject()
    amended.nurse.enter(subject, "LOG", "ae", {"term": "Rash", "start": "2024"}, complete=False)
    put_in_force(amended, 3)
    [visit] = [
        each for each in amended.nurse.get(f"/subjects/{subject}/casebook").json()["visits"] if each["visit"] == "LOG"
    ]
    assert [(each["form"], each["status"]) for each in visit["forms"]] == [
        ("death", "not_started"), ("ae", "incomplete")
    ]  # fmt: skip
