"""Endpoints as they follow from what is saved: at once, with the exact items, and as they were before."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from app.access.actor import SystemActor
from app.capture.anew.derive import derive
from app.core import clock
from app.core.transaction import see_all
from tests.quality.under import planned
from tests.stories.amendment import amended
from tests.trial import API, Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


def remission(day: str, response: str = "CR") -> dict[str, str]:
    return {"assess_date": day, "response": response}


def book(trial: Trial, subject: str, **query: Any) -> dict[str, Any]:
    found = trial.nurse.get(f"/subjects/{subject}/casebook", params=query)
    assert found.status_code == 200, found.text
    return dict(found.json())


@pytest.fixture
def subject(trial: Trial) -> str:
    number = trial.nurse.subject()
    trial.nurse.enter(number, "SCR", "consent", CONSENT)
    return number


def test_a_result_names_form_visit_repeat_item_and_revision(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "UNS.2", "response", remission("2024-02-12"))
    trial.nurse.enter(subject, "UNS.2", "response", remission("2024-02-10"), revision=1, reason="Misread")
    trial.nurse.enter(subject, "UNS.4", "response", remission("2024-06-01", "RELAPSE"))
    told = trial.nurse.endpoint(subject, "CIR")
    assert told["origin_sources"] == [
        {"form": "response", "visit": "UNS.2", "repeat": 1, "item": "assess_date", "revision": 2}
    ]
    assert told["sources"] == [
        {"form": "response", "visit": "UNS.4", "repeat": 1, "item": "assess_date", "revision": 1}
    ]
    assert (told["status"], told["start"], told["adt"], told["days"]) == ("1", "2024-02-10", "2024-06-01", 113)


def test_the_casebook_and_the_endpoint_route_say_the_same(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "D30", "response", remission("2024-02-10"))
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023"})
    routed = trial.nurse.get(f"/subjects/{subject}/endpoints").json()
    assert book(trial, subject)["endpoints"] == routed["endpoints"]
    assert book(trial, subject)["status"] == routed["status"] == "dead"


def test_a_correction_changes_the_result_in_the_same_transaction(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05-03"})
    assert book(trial, subject)["endpoints"]["OS"]["PRIMARY"]["adt"] == "2024-05-03"
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-03-05"}, revision=1, reason="Day and month swapped")
    after = book(trial, subject)["endpoints"]["OS"]["PRIMARY"]
    assert (after["adt"], after["days"], after["sources"][0]["revision"]) == ("2024-03-05", 56, 2)
    last = trial.manager.get("/audit", params={"subject": subject}).json()["items"][-1]
    assert {each["table"]: each["count"] for each in last["written"]} == {"derivation": 1, "record": 1, "revision": 1}


def test_a_refused_save_changes_no_result(trial: Trial, subject: str) -> None:
    before = book(trial, subject)
    assert trial.nurse.save(subject, "LOG", "death", {"death_date": "2024-13"}).status_code == 422
    assert book(trial, subject) == before


def test_as_of_an_instant_the_result_is_the_one_that_stood(trial: Trial, subject: str) -> None:
    first = trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05-03"})
    second = trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-03-05"}, revision=1, reason="Swapped")
    for at, day in ((first["saved_at"], "2024-05-03"), (second["saved_at"], "2024-03-05")):
        assert trial.nurse.endpoint(subject, "OS", as_of=at)["adt"] == day
        assert book(trial, subject, as_of=at)["endpoints"]["OS"]["PRIMARY"]["adt"] == day
    over = trial.nurse.get("/endpoints/OS", params={"as_of": first["saved_at"]}).json()
    assert over["subjects"][0]["adt"] == "2024-05-03"
    assert (
        trial.nurse.get(f"/subjects/{subject}/endpoints", params={"as_of": "2020-01-01T00:00:00Z"}).status_code == 404
    )
    assert trial.nurse.get(f"/subjects/{subject}/endpoints", params={"as_of": "2024-01-01T00:00:00"}).status_code == 422


def test_at_a_cut_off_nothing_later_counts(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "UNS", "labs", {"sample_date": "2024-04-01", "hb": "100"})
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05-03"})
    assert trial.nurse.endpoint(subject, "OS", cutoff="2024-05-03")["status"] == "1"
    before = trial.nurse.endpoint(subject, "OS", cutoff="2024-05-02")
    assert (before["status"], before["adt"], before["why"]) == ("0", "2024-05-02", "AT_CUTOFF")  # died later: was alive
    assert trial.nurse.endpoint(subject, "OS", cutoff="2024-01-09")["status"] == "NA"


def test_a_death_known_to_the_month_is_dated_with_a_flag(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05"})
    told = trial.nurse.endpoint(subject, "OS")
    assert (told["adt"], told["flag"]) == ("2024-05-15", "D")
    trial.nurse.enter(subject, "UNS", "labs", {"sample_date": "2024-05-20", "hb": "100"})
    assert trial.nurse.endpoint(subject, "OS")["adt"] == "2024-05-20"
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024"}, revision=1, reason="Month not documented")
    assert (trial.nurse.endpoint(subject, "OS")["adt"], trial.nurse.endpoint(subject, "OS")["flag"]) == (
        "2024-06-30",
        "M",
    )
    assert "推定" in trial.nurse.get(
        f"/subjects/{subject}/endpoints", headers={"Accept-Language": "zh"}
    ).json()["endpoints"]["OS"]["PRIMARY"]["sentence"]  # fmt: skip


def rules(trial: Trial, subject: str, state: str = "open") -> list[tuple[str, str]]:
    listed = trial.manager.get("/findings", params={"subject": subject, "state": state}).json()["items"]
    return sorted((each["item"], each["rule"]) for each in listed)


def test_a_death_before_the_time_zero_is_a_finding_until_it_is_corrected(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023-12-31"})
    told = trial.nurse.endpoint(subject, "OS")
    assert (told["status"], told["why"], "days" in told) == ("QUERY", "ONCE_BEFORE_ORIGIN", False)
    assert "2024-01-10" in told["sentence"]
    assert rules(trial, subject) == [("OS", "endpoint-contradiction")]
    (finding,) = book(trial, subject)["findings"]
    assert finding["message"]
    assert finding["remedy"]
    chinese = trial.nurse.get(f"/subjects/{subject}/casebook", headers={"Accept-Language": "zh"}).json()
    assert "矛盾" in chinese["findings"][0]["message"]
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-12-31"}, revision=1, reason="Wrong year")
    assert rules(trial, subject) == []
    assert rules(trial, subject, "closed") == [("OS", "endpoint-contradiction")]
    assert trial.nurse.endpoint(subject, "OS")["status"] == "1"
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023-12-31"}, revision=2, reason="It was right")
    assert rules(trial, subject) == [("OS", "endpoint-contradiction")]
    trial.verified()


def test_a_contradiction_is_found_whichever_page_comes_first(trial: Trial) -> None:
    number = trial.nurse.subject()
    trial.nurse.enter(number, "LOG", "death", {"death_date": "2023-12-31"})
    assert rules(trial, number) == []
    trial.nurse.enter(number, "SCR", "consent", CONSENT)
    assert rules(trial, number) == [("OS", "endpoint-contradiction")]
    path = f"/subjects/{number}/visits/LOG/forms/death/void"
    assert trial.nurse.post(path, {"reason": "Other patient"}, headers={"If-Match": '"1"'}).status_code == 200
    assert rules(trial, number) == []


FROM_RANDOMISATION = """
[[endpoint]]
code = "{code}"
label = {{ en = "Survival from randomisation", zh = "自随机起生存期" }}
origin = "rand"
outcomes = [{{ event = "death" }}]
censor = ["last_alive"]
suggested = {suggested}
[[endpoint.variant]]
code = "ITT"
label = {{ en = "From enrolment", zh = "自入组起" }}
origin = "enrol"
[[endpoint.variant]]
code = "YEAR"
label = {{ en = "From enrolment, one year", zh = "自入组起一年" }}
origin = "enrol"
truncate_day = 365
"""


def test_what_only_a_variant_cannot_tell_is_asked_once(trial: Trial, subject: str, tmp_path: Path) -> None:
    written = [FROM_RANDOMISATION.format(code=code, suggested=said) for code, said in (("RS", "false"), ("SU", "true"))]
    planned(trial, tmp_path / "forms", "".join(written))
    trial.nurse.enter(subject, "UNS", "labs", {"sample_date": "2024-06-20", "hb": "100"})
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05"})
    told = {variant: trial.nurse.endpoint(subject, "RS", variant)["status"] for variant in ("PRIMARY", "ITT", "YEAR")}
    assert told == {"PRIMARY": "NA", "ITT": "QUERY", "YEAR": "QUERY"}
    asked = [("OS", "endpoint-undated"), ("RS", "endpoint-undated")]
    assert rules(trial, subject) == asked
    queries = trial.manager.get("/queries", params={"subject": subject}).json()["items"]
    trial.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-20", "arm_code": "A"})
    assert trial.nurse.endpoint(subject, "RS")["status"] == "QUERY"
    assert rules(trial, subject) == asked  # PRIMARY asks the same about the same death: the question stands
    assert trial.manager.get("/queries", params={"subject": subject}).json()["items"] == queries
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-07-01"}, revision=1, reason="Month misread")
    assert rules(trial, subject) == []
    trial.verified()


def test_a_void_page_decides_nothing(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "D30", "response", remission("2024-02-10"))
    trial.nurse.enter(subject, "UNS", "response", remission("2024-06-01", "RELAPSE"))
    trial.nurse.enter(subject, "UNS.2", "response", remission("2024-07-01", "RELAPSE"))
    path = f"/subjects/{subject}/visits/UNS/forms/response/void"
    assert trial.nurse.post(path, {"reason": "Other patient"}, headers={"If-Match": '"1"'}).status_code == 200
    told = trial.nurse.endpoint(subject, "CIR")
    assert (told["status"], told["adt"], told["sources"][0]["visit"]) == ("1", "2024-07-01", "UNS.2")
    trial.nurse.enter(
        subject, "UNS", "response", remission("2024-06-01", "RELAPSE"), revision=2, reason="It was theirs"
    )
    told = trial.nurse.endpoint(subject, "CIR")
    assert (told["adt"], told["sources"][0]["revision"]) == ("2024-06-01", 3)


def test_an_incomplete_page_counts_for_what_it_holds(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "D30", "response", {"assess_date": "2024-02-10"}, complete=False)
    assert trial.nurse.endpoint(subject, "CIR")["status"] == "NA"
    assert trial.nurse.endpoint(subject, "OS")["adt"] == "2024-02-10"
    trial.nurse.enter(subject, "D30", "response", remission("2024-02-10"), revision=1)
    assert trial.nurse.endpoint(subject, "CIR")["start"] == "2024-02-10"


def test_a_sentence_is_in_the_readers_language(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "D30", "response", remission("2024-02-10"))
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05-03"})
    english = trial.nurse.endpoint(subject, "CIR")
    assert english["sentence"] == (
        "Competing event: death on 2024-05-03, day 84 from complete remission 2024-02-10"
        " (source: Death, LOG visit, Date of death, revision 1)."
    )
    chinese = trial.nurse.get(
        f"/subjects/{subject}/endpoints", headers={"Accept-Language": "zh-CN,en;q=0.5"}
    ).json()["endpoints"]["CIR"]["PRIMARY"]  # fmt: skip
    assert chinese["sentence"].startswith("竞争事件：死亡，2024-05-03，自完全缓解（2024-02-10）起第84天")
    assert chinese["label"] == "累积复发率"


def test_an_endpoint_over_the_study_has_counts_and_an_estimate(trial: Trial) -> None:
    days = {"A1": "2024-02-10", "A2": "2024-03-10", "A3": None, "A4": None}
    for number, death in days.items():
        trial.nurse.subject(number=number)
        trial.nurse.enter(number, "SCR", "consent", CONSENT)
        trial.nurse.enter(number, "UNS", "labs", {"sample_date": "2025-06-01" if death is None else "2024-01-20",
                                                  "hb": "100"})  # fmt: skip
        if death is not None:
            trial.nurse.enter(number, "LOG", "death", {"death_date": death})
    other = trial.nurse2.subject("HZ02")
    trial.nurse2.enter(other, "SCR", "consent", CONSENT)
    told = trial.nurse.get("/endpoints/OS").json()
    assert told["counts"] == {"censored": 2, "event": 2, "competing": 0, "na": 0, "query": 0}
    assert [each["subject"] for each in told["subjects"]] == list(days)
    assert told["estimate"]["method"] == "Kaplan-Meier"
    assert told["estimate"]["value"] == "0.500000"
    whole = trial.sponsor.get("/endpoints/OS").json()
    assert [each["subject"] for each in whole["subjects"]] == [*days, other]
    relapse = trial.nurse.get("/endpoints/CIR", params={"variant": "LAST_ALIVE"}).json()
    assert relapse["counts"]["na"] == 4
    missing = trial.nurse.get("/endpoints/PFS")
    assert (missing.status_code, missing.json()["endpoints"]) == (404, ["CIR/LAST_ALIVE", "CIR/PRIMARY", "OS/PRIMARY"])
    assert trial.nurse.get("/endpoints/OS", params={"variant": "OTHER"}).status_code == 404
    assert trial.stranger.get("/endpoints/OS").status_code == 404
    assert trial.builder.get(f"{API}/endpoints/OS").status_code == 403


def test_a_fact_of_another_page_decides_whether_a_date_counts(trial: Trial, subject: str, tmp_path: Path) -> None:
    """Remission counts for CRA in arm A alone; the arm stands on the page of the randomisation."""
    publish(trial.database, amended(tmp_path / "forms"))
    trial.builder.call(
        "PUT", "/sites/HZ01/version", json={"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    )
    trial.nurse.enter(subject, "D30", "response", remission("2024-02-10"))
    assert trial.nurse.endpoint(subject, "CRA")["status"] == "0"
    trial.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "A"})
    assert book(trial, subject)["endpoints"]["CRA"]["PRIMARY"]["adt"] == "2024-02-10"
    trial.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "B"}, revision=1, reason="Misread")
    assert book(trial, subject)["endpoints"]["CRA"]["PRIMARY"]["status"] == "0"


def test_contact_after_a_documented_death_is_a_finding_and_changes_no_number(trial: Trial, subject: str) -> None:
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-05-01"})
    trial.nurse.enter(subject, "D30", "response", remission("2024-05-01"))
    before = trial.nurse.endpoint(subject, "OS")
    assert rules(trial, subject) == []
    trial.nurse.enter(subject, "UNS.2", "response", remission("2024-09-01"))
    assert rules(trial, subject) == [("death", "contact-after-death")]
    assert trial.nurse.endpoint(subject, "OS") == before
    (finding,) = book(trial, subject)["findings"]
    assert "after the documented day of death" in finding["message"]
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-10-01"}, revision=1, reason="Wrong month")
    assert rules(trial, subject) == []
    trial.verified()


def test_a_day_that_has_not_come_is_a_question_and_stands_as_it_was_entered(trial: Trial, subject: str) -> None:
    now = clock.now()
    ahead, today = ((now + timedelta(days=days)).date() for days in (40, 0))
    saved = trial.nurse.enter(subject, "UNS", "response", remission(ahead.isoformat()))
    (finding,) = saved["findings"]
    assert (finding["item"], finding["rule"]) == ("assess_date", "in_future")
    assert "lay in the future when the page was saved" in finding["message"]
    assert saved["answers"]["assess_date"] == ahead.isoformat()
    died = trial.nurse.enter(subject, "LOG", "death", {"death_date": f"{ahead.year + 1}-03"})
    assert [each["rule"] for each in died["findings"]] == ["in_future"]
    # the days have come: what was entered was entered too early all the same
    with patch.object(clock, "now", lambda: now + timedelta(days=999)), trial.database.reading() as session:
        see_all(session)
        assert derive(session, SystemActor(source="test"), "TRIAL", store=False) == (1, [])
    trial.nurse.enter(subject, "UNS", "response", remission(today.isoformat()), revision=1, reason="Misread")
    trial.nurse.enter(subject, "LOG", "death", {"death_date": str(today.year)}, revision=1, reason="Only the year")
    assert rules(trial, subject) == []
    trial.verified()
