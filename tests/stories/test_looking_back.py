"""As of an instant, and item by item: what stood when, who wrote it and why."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from app.core import clock
from tests.stories.amendment import amended
from tests.stories.second import second
from tests.trial import FORMS, PASSWORD, Person, Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-01-09", "hb": "97.5"}


def of_the_data(book: dict[str, Any]) -> dict[str, Any]:
    """A casebook without what people have said of it, which is told as it is today and not of the past."""
    pages = [{name: value for name, value in page.items() if name != "marks"} for page in book["pages"]]
    return {name: value for name, value in book.items() if name != "lock"} | {"pages": pages}


def test_a_casebook_as_of_every_save_is_what_it_was_after_that_save(trial: Trial) -> None:
    """Each state is read at once and again at the end of the story: nothing that came later shows in it."""
    subject = trial.nurse.subject()
    path = f"/subjects/{subject}/casebook"
    states: list[tuple[str, dict[str, Any]]] = []

    def keep(at: str) -> None:
        states.append((at, trial.nurse.get(path).json()))

    def save(visit: str, form: str, answers: Any, **more: Any) -> None:
        keep(trial.nurse.enter(subject, visit, form, answers, **more)["saved_at"])

    save("SCR", "consent", {"consent_date": "2024-01-05"})
    save("SCR", "consent", CONSENT, revision=1, reason="Enrolled")
    save("SCR", "labs", LABS | {"hb": "21", "drugs": [{"drug": "A"}]})
    save("SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"})
    save("SCR", "labs", LABS | {"drugs": []}, revision=1, reason="Misread")
    save("LOG", "death", {"death_date": "2023"})
    void = trial.nurse.post(
        f"/subjects/{subject}/visits/LOG/forms/death/void", {"reason": "Other patient"}, headers={"If-Match": '"1"'}
    )
    keep(void.json()["saved_at"])
    for at, state in states:
        then = trial.nurse.get(path, params={"as_of": at}).json()
        assert (then["lock"], {each["marks"] for each in then["pages"]} - {None}) == (None, set())
        assert of_the_data(then) == of_the_data(state), at
    assert [state["status"] for _, state in states] == [
        "consented", "enrolled", "enrolled", "randomised", "randomised", "dead", "randomised",
    ]  # fmt: skip
    before = trial.nurse.get(path, params={"as_of": "2020-01-01T00:00:00Z"}).json()
    assert (before["status"], before["pages"], before["findings"], before["endpoints"]) == ("screening", [], [], {})


def test_before_a_transfer_a_casebook_stood_at_the_site_that_was_left(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its day is the day there, and what was asked had waited as long as it had then, whoever looks, and when."""
    shutil.copytree(FORMS, tmp_path / "forms")
    study = tmp_path / "forms" / "studies" / "TRIAL" / "v1.toml"
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace('id = "HZ02"\n', 'id = "HZ02"\nzone = "America/Los_Angeles"\n'), encoding="utf-8")
    monkeypatch.setattr("tests.trial.FORMS", tmp_path / "forms")
    trial, real = Trial.open(engine, tmp_path), clock.now
    begun = real()
    evening = (begun + timedelta(days=4)).replace(hour=20)  # the next day in Hangzhou, and not yet in Los Angeles
    opens = evening.date() + timedelta(days=1)

    def later(days: int, who: str = "manager") -> Person:
        monkeypatch.setattr(clock, "now", lambda: real() - begun + evening + timedelta(days=days))
        body = {"username": who, "password": PASSWORD}
        return Person(trial.client, trial.client.post("/api/v1/session", json=body).json()["token"])

    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT | {"enrol_date": str(opens - timedelta(days=23))})
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "21"})
    book, page = f"/subjects/{subject}/casebook", f"/subjects/{subject}/visits/SCR/forms/labs"
    manager = later(0)
    stood, shown, at = manager.get(book).json(), manager.get(page).json(), clock.now().isoformat()
    assert (stood["site"], [each["status"] for each in stood["visits"] if each["visit"] == "D30"]) == ("HZ01", ["due"])
    assert {each["age_days"] for each in shown["queries"]} <= {3, 4}
    body = {"site": "HZ02", "reason": "Moved house"}
    assert later(1).post(f"/subjects/{subject}/transfer", body).status_code == 200
    body = {"site": "HZ01", "reason": "Moved back"}
    assert later(2).post(f"/subjects/{subject}/transfer", body).status_code == 200
    body = {"site": "HZ02", "reason": "Moved again"}
    assert later(3).post(f"/subjects/{subject}/transfer", body).status_code == 200
    for days, who in ((20, "manager"), (21, "nurse2")):
        looking = later(days, who)
        assert of_the_data(looking.get(book, params={"as_of": at}).json()) == of_the_data(stood)
        assert looking.get(page, params={"as_of": at}).json() == shown | {"marks": None}
        assert looking.get(book).json()["site"] == "HZ02"


def test_as_of_takes_an_instant_with_its_offset_and_nothing_else(trial: Trial) -> None:
    subject = trial.nurse.subject()
    saved = trial.nurse.enter(subject, "SCR", "labs", LABS)
    path = f"/subjects/{subject}/visits/SCR/forms/labs"
    hours = saved["saved_at"].replace("Z", "+00:00")
    assert trial.nurse.get(path, params={"as_of": hours}).status_code == 200
    for wrong in ("2024-01-01", "2024-01-01T00:00:00", "yesterday", "", "86400"):
        assert trial.nurse.get(path, params={"as_of": wrong}).status_code == 422, wrong


def test_the_history_of_a_page_goes_item_by_item_from_nothing(trial: Trial) -> None:
    subject = trial.nurse.subject()
    first = {"hb": {"value": "9.7", "unit": "g/dL"}, "drugs": [{"drug": "A", "dose": "1"}, {"drug": "B"}]}
    trial.nurse.enter(subject, "SCR", "labs", LABS | first, complete=False)
    second = {"hb": {"missing": "unknown"}, "drugs": [{"row": 1, "drug": "A", "dose": "2"}]}
    trial.doctor.enter(subject, "SCR", "labs", LABS | second, revision=1, reason="Other patient's")
    path = f"/subjects/{subject}/visits/SCR/forms/labs"
    trial.nurse.post(path + "/void", {"reason": "Not this subject"}, headers={"If-Match": '"2"'})
    told = trial.monitor.get(path + "/history", headers={"Accept-Language": "zh"}).json()["revisions"]
    assert [(each["revision"], each["by"], each["status"], each["action"], each["reason"]) for each in told] == [
        (1, "Nurse of the cast", "incomplete", "record.save", None),
        (2, "Doctor of the cast", "complete", "record.save", "Other patient's"),
        (3, "Nurse of the cast", "void", "record.void", "Not this subject"),
    ]
    steps = [(each["item"], each["row"], each["before"], each["after"]) for each in told[1]["items"]]
    assert sorted(steps, key=str) == sorted(
        [
            ("hb", None, {"value": "9.7", "unit": "g/dL"}, {"missing": "unknown"}),
            ("dose", 1, "1", "2"),
            ("drug", 2, "B", None),
        ],
        key=str,
    )
    assert {each["item"]: each["label"] for each in told[1]["items"]}["hb"] == "血红蛋白"
    assert told[2]["items"] == []
    assert all(each["zone"] == "Asia/Shanghai" and each["source"].startswith("session:") for each in told)
    seqs = [each["seq"] for each in trial.manager.get("/audit", params={"action": "record."}).json()["items"]]
    assert [each["change"] for each in told] == seqs


def test_a_sponsor_and_a_statistician_read_no_history(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    for who in ("sponsor", "statistician", "builder"):
        assert trial.cast[who].get(f"/subjects/{subject}/visits/SCR/forms/labs/history").status_code == 403


def test_a_study_version_that_came_later_does_not_show_in_the_past(trial: Trial, tmp_path: Path) -> None:
    subject = trial.nurse.subject()
    at = trial.nurse.enter(subject, "SCR", "consent", CONSENT)["saved_at"]
    path = f"/subjects/{subject}/casebook"
    before = trial.nurse.get(path).json()
    endpoints = trial.nurse.get(f"/subjects/{subject}/endpoints").json()
    publish(trial.database, amended(tmp_path / "forms"))
    trial.builder.call(
        "PUT", "/sites/HZ01/version", json={"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    )
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    now = trial.nurse.get(path).json()
    assert (now["study_version"], "EFS" in now["endpoints"]) == (2, True)
    assert of_the_data(trial.nurse.get(path, params={"as_of": at}).json()) == of_the_data(before)
    assert "EFS" in trial.nurse.get(f"/subjects/{subject}/endpoints").json()["endpoints"]
    assert trial.nurse.get(f"/subjects/{subject}/endpoints", params={"as_of": at}).json() == endpoints


def test_the_version_that_results_came_from_is_kept_also_where_they_are_the_same(trial: Trial, tmp_path: Path) -> None:
    subject = trial.nurse.subject()
    first = trial.nurse.enter(subject, "SCR", "consent", CONSENT)["saved_at"]
    results = trial.nurse.get(f"/subjects/{subject}/endpoints").json()
    publish(trial.database, second(tmp_path / "forms"))
    coming = {"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=coming).is_success
    then = trial.nurse.enter(subject, "UNS", "labs", {"units_given": 2}, complete=False)["saved_at"]
    path = f"/subjects/{subject}/casebook"
    versions = [trial.nurse.get(path, params={"as_of": at}).json()["study_version"] for at in (first, then)]
    assert versions == [1, 2]
    assert trial.nurse.get(f"/subjects/{subject}/endpoints", params={"as_of": first}).json() == results
    assert trial.manager.post("/derive").json()["deviations"] == []
    trial.verified()
