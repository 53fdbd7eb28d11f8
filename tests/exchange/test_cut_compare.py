"""Two cuts beside each other: which values, which endpoints, and which changes did it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.db import make_engine
from tests.exchange.test_cuts import ACTS, CONSENT, DEATH, LABS, again, cut, story, void
from tests.exchange.unzipped import Unzipped
from tests.stories.amendment import amended
from tests.trial import Trial, publish


def compared(trial: Trial, one: str = "interim", other: str = "final", who: str = "manager") -> dict[str, Any]:
    answer = trial.cast[who].get(f"/cuts/{one}/compare/{other}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def seq(trial: Trial) -> int:
    return int(trial.manager.get("/audit", params={"limit": 200}).json()["items"][-1]["seq"])


def values(subject: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("visit", "form", "item", "row", "before", "after", "changes")
    return [tuple(each[name] for name in names) for each in subject["values"]]


def outcomes(subject: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        f"{each['endpoint']}/{each['variant']}": (
            each["before"] and (each["before"]["status"], each["before"].get("adt")),
            each["after"] and (each["after"]["status"], each["after"].get("adt")),
            each["changes"],
        )
        for each in subject["endpoints"]
    }


def test_what_was_corrected_voided_and_entered_is_told_item_by_item(trial: Trial) -> None:
    one, _ = story(trial)
    cut(trial)
    trial.nurse.enter(one, "SCR", "labs", LABS | {"drugs": [{"drug": "B"}]}, revision=1, reason="Typing")
    corrected = seq(trial)
    void(trial, one, "D30", "response", 1)
    voided = seq(trial)
    trial.nurse.enter(one, "LOG", "death", DEATH)
    died = seq(trial)
    cut(trial, "final")
    found = compared(trial)
    assert (found["before"]["name"], found["after"]["name"], found["next_cursor"]) == ("interim", "final", None)
    [subject] = found["items"]
    assert (subject["subject"], subject["values_shown"]) == (one, True)
    assert values(subject) == [
        ("D30", "response", "assess_date", None, "2024-02-09", None, [voided]),
        ("D30", "response", "response", None, "CR", None, [voided]),
        ("LOG", "death", "death_date", None, None, "2024-06-01", [died]),
        ("SCR", "labs", "hb", None, "10", "97.5", [corrected]),
        ("SCR", "labs", "drug", 1, "A", None, [corrected]),
        ("SCR", "labs", "drug", 2, None, "B", [corrected]),
        ("SCR", "labs", "hb_double", None, "20.0", "195.0", [corrected]),
    ]
    assert [each["item"] for each in subject["values"] if each["computed"]] == ["hb_double"]
    assert outcomes(subject) == {
        "OS/PRIMARY": (("0", "2024-02-09"), ("1", "2024-06-01"), [died]),
        "CIR/PRIMARY": (("0", "2024-02-09"), ("NA", None), [voided]),
        "CIR/LAST_ALIVE": (("0", "2024-02-09"), ("NA", None), [voided]),
    }
    told = {each["seq"]: (each["by"], each["reason"], each["visit"], each["form"]) for each in subject["changes"]}
    assert told == {
        corrected: ("Nurse of the cast", "Typing", "SCR", "labs"),
        voided: ("Nurse of the cast", "Wrong subject", "D30", "response"),
        died: ("Nurse of the cast", None, "LOG", "death"),
    }
    rows = {each["name"]: (each["before"], each["after"]) for each in found["files"]}
    assert rows["forms/death.csv"] == (0, 1)
    assert rows["forms/response.csv"] == (1, 0)
    assert "forms/consent.csv" not in rows


def test_the_earlier_cut_comes_first_however_they_are_asked_for(trial: Trial) -> None:
    one, _ = story(trial)
    cut(trial)
    trial.nurse.enter(one, "LOG", "death", DEATH)
    cut(trial, "final")
    assert compared(trial, "final", "interim") == compared(trial)
    assert compared(trial, "final", "final")["items"] == []


def test_a_page_that_changes_nothing_of_an_endpoint_is_no_reason_for_it(trial: Trial) -> None:
    one, _ = story(trial)
    cut(trial)
    trial.nurse.enter(one, "SCR", "consent", CONSENT | {"note": "Seen"}, revision=1, reason="Forgotten")
    trial.nurse.enter(one, "UNS.2", "response", {"assess_date": "2024-03-01", "response": "RELAPSE"})
    relapsed = seq(trial)
    cut(trial, "final")
    [subject] = compared(trial)["items"]
    assert outcomes(subject)["CIR/PRIMARY"] == (("0", "2024-02-09"), ("1", "2024-03-01"), [relapsed])
    assert outcomes(subject)["OS/PRIMARY"] == (("0", "2024-02-09"), ("0", "2024-03-01"), [relapsed])


def test_several_pages_that_it_takes_together_are_all_named(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS)
    cut(trial)
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    enrolled = seq(trial)
    trial.nurse.enter(subject, "LOG", "death", DEATH)
    died = seq(trial)
    cut(trial, "final")
    [told] = compared(trial)["items"]
    assert outcomes(told)["OS/PRIMARY"][1:] == (("1", "2024-06-01"), [enrolled, died])


def test_an_amendment_is_a_reason_of_its_own(trial: Trial, tmp_path: Path) -> None:
    one, two = story(trial)
    cut(trial)
    publish(trial.database, amended(tmp_path / "forms"))
    approved = {"version": 2, "approved_on": "2024-03-01", "reason": "Approved 2024-03-01"}
    trial.builder.call("PUT", "/sites/HZ01/version", json=approved)
    cut(trial, "final")
    [subject] = compared(trial)["items"]
    assert (subject["subject"], subject["study_version"]) == (one, {"before": 1, "after": 2})
    told = {each["endpoint"]: each for each in subject["endpoints"]}
    assert set(told) == {"EFS", "CRA"}
    for each in told.values():
        assert (each["before"], each["study_version"], each["cut_off"], each["changes"]) == (None, True, False, [])
    assert two not in str(compared(trial)["items"])


def test_the_cut_off_is_a_reason_of_its_own(trial: Trial) -> None:
    one, _ = story(trial)
    trial.nurse.enter(one, "LOG", "death", DEATH)
    cut(trial, cutoff="2024-03-31")
    cut(trial, "final", cutoff="2024-12-31")
    [subject] = compared(trial)["items"]
    [told] = [each for each in subject["endpoints"] if each["endpoint"] == "OS"]
    assert (told["before"]["status"], told["after"]["status"]) == ("0", "1")
    assert (told["cut_off"], told["study_version"], told["changes"]) == (True, False, [])
    assert subject["values"] == []


def test_a_subject_that_is_in_one_cut_only_is_told_with_what_was_done(trial: Trial) -> None:
    _, two = story(trial)
    cut(trial, sites=["HZ02"])
    new = trial.nurse2.subject("HZ02")
    trial.manager.post(f"/subjects/{two}/transfer", {"site": "HZ01", "reason": "Moved house"})
    cut(trial, "final", sites=["HZ02"])
    found = {each["subject"]: each for each in compared(trial)["items"]}
    assert {name: each["site"] for name, each in found.items()} == {
        two: {"before": "HZ02", "after": None},
        new: {"before": None, "after": "HZ02"},
    }
    assert [each["action"] for each in found[two]["changes"]] == ["subject.transfer"]
    assert [each["action"] for each in found[new]["changes"]] == ["subject.create"]
    cut(trial, "all")
    moved = {each["subject"]: each for each in compared(trial, "interim", "all")["items"]}[two]
    assert moved["site"] == {"before": "HZ02", "after": "HZ01"}
    assert moved["values"] == []


def test_values_and_reasons_are_for_those_who_may_read_them(trial: Trial) -> None:
    one, two = story(trial)
    cut(trial)
    trial.nurse.enter(one, "SCR", "consent", CONSENT | {"note": "CANARY-NOTE"}, revision=1, reason="CANARY-REASON")
    trial.nurse.enter(one, "LOG", "death", DEATH)
    trial.nurse2.enter(two, "LOG", "death", DEATH)
    cut(trial, "final")
    shown = compared(trial, who="sponsor")
    assert [each["subject"] for each in shown["items"]] == [one, two]
    assert "CANARY" not in str(shown)
    assert {(each["item"], each["before"], each["after"]) for each in shown["items"][0]["values"]} == {
        ("note", None, None),
        ("death_date", None, None),
    }
    assert shown["items"][0]["values_shown"] is False
    assert outcomes(shown["items"][0])["OS/PRIMARY"][1] == ("1", "2024-06-01")
    assert "CANARY-NOTE" in str(compared(trial, who="statistician"))
    at_one_site = compared(trial, who="nurse")
    assert [each["subject"] for each in at_one_site["items"]] == [one]
    assert (at_one_site["files"], at_one_site["before"]["files"]) == (None, None)
    assert two not in str(at_one_site)
    assert trial.builder.get("/cuts/interim/compare/final").status_code == 403
    assert trial.stranger.get("/cuts/interim/compare/final").status_code == 404
    assert trial.manager.get("/cuts/interim/compare/nothing").status_code == 404


def test_subjects_come_page_by_page(trial: Trial) -> None:
    numbers = [trial.nurse.subject(number=f"S-{number}") for number in range(5)]
    cut(trial)
    for number in numbers:
        trial.nurse.enter(number, "SCR", "consent", CONSENT)
    cut(trial, "final")
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = trial.manager.get("/cuts/interim/compare/final", params=query).json()
        seen += [each["subject"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == numbers
    assert trial.manager.get("/cuts/final/compare/final", params=query).status_code == 400


Cells = dict[tuple[str, str, str], str]


def cells(data: bytes) -> Cells:
    """What an archive holds of a page's haemoglobin."""
    return {
        (row["SUBJID"], row["VISIT_REPEAT"], name): row[name]
        for row in Unzipped.of(data).rows("forms/labs.csv")
        for name in ("hb", "sample_date", "hb_double")
        if row[name]
    }


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(1, 2)), min_size=2, max_size=8))
def test_the_values_that_are_told_are_those_in_which_the_archives_differ(
    server: Any, tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    engine = make_engine(server.clone().app_url, pool_size=3)
    trial = Trial.open(engine, tmp_path_factory.mktemp("law"))
    for number in ("S-1", "S-2"):
        trial.nurse.subject(number=number)
    pages: dict[str, int] = {}
    for at, (act, n) in enumerate(acts):
        if at == len(acts) // 2:
            cut(trial)
        ACTS[act](trial, pages, n)
    cut(trial, "final")
    one, other = cells(again(trial)), cells(again(trial, "final"))
    between = range(trial.manager.get("/cuts/interim").json()["seq"] + 1, seq(trial))
    told: dict[tuple[str, str, str], tuple[Any, Any]] = {}
    for subject in compared(trial)["items"]:
        for each in subject["values"]:
            told[subject["subject"], each["visit"].partition(".")[2] or "1", each["item"]] = (
                each["before"] or "",
                each["after"] or "",
            )
            assert each["changes"]
            assert set(each["changes"]) <= set(between)
    assert told == {
        key: (one.get(key, ""), other.get(key, ""))
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    }
    engine.dispose()
