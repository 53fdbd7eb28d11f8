"""Source data verification as a monitor does it: items and pages, what a change resets, plans, progress."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.study.review import SourceVerification
from tests.exchange.unzipped import export
from tests.quality.under import planned
from tests.trial import Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {
    "sample_date": "2024-01-09",
    "hb": "97.5",
    "drugs": [{"row": 1, "drug": "A", "dose": "1"}, {"row": 2, "drug": "B"}],
}
WHOLE = {("sample_date", None), ("hb", None), ("drug", 1), ("dose", 1), ("drug", 2)}


def entered(trial: Trial, site: str = "HZ01") -> str:
    who = trial.nurse if site == "HZ01" else trial.nurse2
    subject = who.subject(site)
    who.enter(subject, "SCR", "labs", LABS)
    return subject


def address(subject: str, visit: str = "SCR", form: str = "labs") -> str:
    return f"/subjects/{subject}/visits/{visit}/forms/{form}/verification"


def verify(
    trial: Trial, subject: str, *items: Any, who: str = "monitor", revision: int | None = 1, form: str = "labs"
) -> httpx2.Response:
    named = [{"item": each} if isinstance(each, str) else {"item": each[0], "row": each[1]} for each in items]
    seen = {} if revision is None else {"If-Match": f'"{revision}"'}
    return trial.cast[who].post(address(subject, form=form), {"items": named or None}, headers=seen)


def marks(trial: Trial, subject: str, **where: str) -> dict[tuple[str, int | None], str | None]:
    told = trial.monitor.get(address(subject, **where)).json()
    return {(each["item"], each["row"]): each["state"] for each in told["items"]}


def of(state: str, found: dict[tuple[str, int | None], str | None]) -> set[tuple[str, int | None]]:
    return {which for which, told in found.items() if told == state}


def correct(trial: Trial, subject: str, revision: int = 1, **changed: Any) -> None:
    trial.nurse.enter(subject, "SCR", "labs", LABS | changed, revision=revision, reason="Typing")


def test_a_whole_page_is_verified_at_its_revision(trial: Trial) -> None:
    subject = entered(trial)
    before = trial.monitor.get(address(subject)).json()
    assert {(each["item"], each["row"], each["state"]) for each in before["items"]} == {
        (item, row, "left") for item, row in WHOLE
    }
    assert before["left"] == 5
    told = verify(trial, subject).json()
    assert (told["revision"], told["left"]) == (1, 0)
    hb = next(each for each in told["items"] if each["item"] == "hb")
    assert (hb["state"], hb["by"], hb["revision"], hb["label"]) == (
        "verified", "Monitor of the cast", 1, "Haemoglobin",
    )  # fmt: skip
    assert of("verified", marks(trial, subject)) == WHOLE
    trial.verified()


def test_items_are_verified_one_by_one_and_once(trial: Trial) -> None:
    subject = entered(trial)
    verify(trial, subject, "hb", ("drug", 2))
    assert of("verified", marks(trial, subject)) == {("hb", None), ("drug", 2)}
    first = trial.monitor.get(address(subject)).json()["items"]
    entries = len(trial.manager.get("/audit", params={"action": "record.verify"}).json()["items"])
    assert verify(trial, subject, "hb").json()["items"] == first
    assert len(trial.manager.get("/audit", params={"action": "record.verify"}).json()["items"]) == entries == 1


def test_a_change_resets_the_marks_of_what_it_changed_and_no_others(trial: Trial) -> None:
    subject = entered(trial)
    verify(trial, subject)
    correct(trial, subject, hb="98")
    found = marks(trial, subject)
    assert (of("reset", found), of("verified", found)) == ({("hb", None)}, WHOLE - {("hb", None)})
    [entry] = trial.manager.get("/audit", params={"action": "record.save", "subject": subject}).json()["items"][-1:]
    assert entry["detail"]["reset"] == ["hb"]
    assert {"table": "verification", "act": "update", "count": 1} in entry["written"]
    assert verify(trial, subject, "hb", revision=2).json()["left"] == 0
    correct(trial, subject, 2, hb="98", anc="2")
    assert of("left", marks(trial, subject)) == {("anc", None)}
    assert of("reset", marks(trial, subject)) == set()
    trial.verified()


def test_a_row_that_is_changed_taken_away_or_added_is_seen_again_by_itself(trial: Trial) -> None:
    subject = entered(trial)
    verify(trial, subject)
    rows = [{"row": 1, "drug": "A", "dose": "2"}, {"row": 3, "drug": "C"}]
    correct(trial, subject, drugs=rows)
    found = marks(trial, subject)
    assert of("reset", found) == {("dose", 1)}
    assert of("left", found) == {("drug", 3)}
    assert ("drug", 2) not in found


def test_a_page_that_is_struck_has_nothing_to_verify_and_begins_anew(trial: Trial) -> None:
    subject = entered(trial)
    verify(trial, subject)
    path = f"/subjects/{subject}/visits/SCR/forms/labs/void"
    assert trial.nurse.post(path, {"reason": "Other patient"}, headers={"If-Match": '"1"'}).status_code == 200
    assert trial.monitor.get(address(subject)).status_code == 404
    assert verify(trial, subject, revision=2).status_code == 409
    correct(trial, subject, 2)
    assert of("left", marks(trial, subject)) == WHOLE
    trial.verified()


def test_a_page_that_was_saved_since_is_compared_again(trial: Trial) -> None:
    subject = entered(trial)
    correct(trial, subject, hb="98")
    stale = verify(trial, subject, "hb")
    assert (stale.status_code, stale.headers["ETag"], stale.json()["current_revision"]) == (412, '"2"', 2)
    assert verify(trial, subject, "hb", revision=None).status_code == 428
    assert verify(trial, subject, "hb", revision=2).status_code == 200


def test_what_has_no_answer_cannot_be_marked(trial: Trial) -> None:
    subject = entered(trial)
    answer = verify(trial, subject, "hb", "anc", "none", ("drug", 9), ("hb", 1), "hb_double")
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/items/{at}" for at in range(1, 6)]
    assert of("verified", marks(trial, subject)) == set()


def test_a_mark_is_taken_back_with_a_reason(trial: Trial) -> None:
    subject = entered(trial)
    verify(trial, subject)
    body = {"items": [{"item": "hb"}], "reason": "Wrong source"}
    path = address(subject) + "/withdraw"
    assert trial.monitor.post(path, {"items": [{"item": "hb"}]}, headers={"If-Match": '"1"'}).status_code == 422
    told = trial.monitor.post(path, body, headers={"If-Match": '"1"'}).json()
    assert told["left"] == 1
    assert of("left", marks(trial, subject)) == {("hb", None)}
    assert trial.monitor.post(path, body, headers={"If-Match": '"1"'}).status_code == 422
    [entry] = trial.manager.get("/audit", params={"action": "record.unverify"}).json()["items"]
    assert (entry["reason"], entry["detail"]["items"]) == ("Wrong source", ["hb"])
    trial.verified()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nurse", 403), ("doctor", 403), ("manager", 403), ("statistician", 403), ("sponsor", 403),
        ("inspector", 403), ("administrator", 403), ("stranger", 404), ("nurse2", 404), ("monitor", 200),
    ],
)  # fmt: skip
def test_only_a_monitor_of_the_site_verifies(trial: Trial, who: str, status: int) -> None:
    subject = entered(trial)
    assert verify(trial, subject, who=who).status_code == status


def test_a_monitor_sees_nothing_of_another_site(trial: Trial) -> None:
    theirs = entered(trial, "HZ02")
    assert verify(trial, theirs).status_code == 404
    assert trial.monitor.get(address(theirs)).status_code == 404
    assert [each["site"] for each in trial.monitor.get("/verification").json()["items"]] == ["HZ01"]
    assert trial.monitor.get("/verification/left").json()["items"] == []
    assert trial.monitor.get("/verification/left", params={"site": "HZ02"}).status_code == 404


def test_a_locked_page_is_verified_no_more_and_a_frozen_one_is(trial: Trial) -> None:
    subject = entered(trial)
    scope = {"subject": subject, "visit": "SCR", "form": "labs", "reason": "Clean"}
    trial.manager.post("/locks", scope | {"action": "freeze"})
    assert verify(trial, subject, "hb").status_code == 200
    trial.manager.post("/locks", scope | {"action": "lock"})
    answer = verify(trial, subject)
    assert (answer.status_code, answer.json()["code"]) == (409, "locked")


def test_progress_counts_each_site_in_a_constant_number_of_statements(trial: Trial) -> None:
    one, two = entered(trial), entered(trial)
    entered(trial, "HZ02")
    verify(trial, one)
    verify(trial, two, "hb", "sample_date")
    correct(trial, two, hb="98")
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

    def counted() -> tuple[dict[str, Any], int]:
        statements.clear()
        told = trial.manager.get("/verification").json()["items"]
        return {each.pop("site"): each for each in told}, len(statements)

    told, before = counted()
    assert told == {
        "HZ01": {"subjects": 2, "required": 10, "verified": 6, "reset": 1, "left": 4},
        "HZ02": {"subjects": 1, "required": 5, "verified": 0, "reset": 0, "left": 5},
    }
    for _ in range(4):
        verify(trial, entered(trial))
    assert counted()[1] == before <= 5
    left = trial.manager.get("/verification/left", params={"site": "HZ01"}).json()["items"]
    assert [(each["subject"], {item["item"] for item in each["items"]}) for each in left] == [
        (two, {"hb", "drug", "dose"})
    ]
    assert {item["state"] for item in left[0]["items"] if item["item"] == "hb"} == {"reset"}


def test_what_is_left_is_listed_for_some_subjects_at_a_time(trial: Trial) -> None:
    subjects = [entered(trial) for _ in range(3)]
    verify(trial, subjects[0])
    seen, cursor, turns = [], None, 0
    while turns == 0 or cursor:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        told = trial.monitor.get("/verification/left", params=query).json()
        seen += [each["subject"] for each in told["items"]]
        cursor, turns = told["next_cursor"], turns + 1
    assert (seen, turns) == (subjects[1:], 3)


def test_the_casebook_shows_what_was_verified_at_two_more_statements(trial: Trial) -> None:
    subject = entered(trial)
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

    def book() -> tuple[dict[str, Any], int]:
        statements.clear()
        return trial.nurse.get(f"/subjects/{subject}/casebook").json(), len(statements)

    _, none = book()
    verify(trial, subject, "hb")
    verify(trial, subject, form="consent")
    told, some = book()
    assert some == none + 2
    found = {
        page["form"]: {mark["item"]: mark["state"] for mark in page["marks"]["verification"]} for page in told["pages"]
    }
    assert found == {"labs": {"hb": "verified"}, "consent": {"consent_date": "verified", "enrol_date": "verified"}}
    page = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs").json()
    assert [(each["item"], each["by"]) for each in page["marks"]["verification"]] == [("hb", "Monitor of the cast")]
    saved = trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "98"}, revision=1, reason="Typing")
    assert [(each["item"], each["state"]) for each in saved["marks"]["verification"]] == [("hb", "reset")]


def test_an_export_holds_the_marks_of_the_sites_in_sight(trial: Trial) -> None:
    here, there = entered(trial), entered(trial, "HZ02")
    verify(trial, here, "hb", ("drug", 2))
    correct(trial, here, hb="98")
    body = {"username": "monitor", "role": "monitor", "site": "HZ02", "reason": "Also there"}
    assert trial.administrator.post("/grants", body).status_code == 201
    verify(trial, there, "hb")
    rows = [(row["SUBJID"], row["ITEM"], row["ROW"], row["STATE"]) for row in export(trial.manager).rows("sdv.csv")]
    assert rows == [(here, "drug", "2", "verified"), (here, "hb", "", "reset"), (there, "hb", "", "verified")]
    [mine] = export(trial.nurse2).rows("sdv.csv")
    assert (mine["SUBJID"], mine["REQUIRED"], mine["REVISION"], mine["VERIFIED_BY"]) == (
        there, "Y", "1", "Monitor of the cast",
    )  # fmt: skip


# ---------------------------------------------------------------- plans


CRITICAL = """
[[sdv.critical]]
form = "labs"
items = ["hb", "drug"]
"""


def test_a_critical_plan_asks_for_its_items_alone(trial: Trial, tmp_path: Path) -> None:
    planned(trial, tmp_path / "forms", '\n[sdv]\nplan = "critical"\n' + CRITICAL)
    subject = entered(trial)
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    found = marks(trial, subject)
    assert of("left", found) == {("hb", None), ("drug", 1), ("drug", 2)}
    assert found[("sample_date", None)] is None
    assert marks(trial, subject, form="consent") == {("consent_date", None): None, ("enrol_date", None): None}
    verify(trial, subject, "hb", "sample_date")
    [site, _] = trial.manager.get("/verification").json()["items"]
    assert (site["required"], site["verified"], site["left"]) == (3, 1, 2)


def test_a_sampled_plan_asks_for_everything_of_some_and_the_critical_items_of_all(trial: Trial, tmp_path: Path) -> None:
    plan = SourceVerification.model_validate({"plan": "sampled", "seed": "2026-03-01", "share": 50})
    planned(trial, tmp_path / "forms", '\n[sdv]\nplan = "sampled"\nseed = "2026-03-01"\nshare = 50\n' + CRITICAL)
    subjects = [entered(trial) for _ in range(6)]
    drawn = {subject for subject in subjects if plan.drawn("TRIAL", subject)}
    assert 0 < len(drawn) < 6
    for subject in subjects:
        assert of("left", marks(trial, subject)) == (
            WHOLE if subject in drawn else {("hb", None), ("drug", 1), ("drug", 2)}
        )


def test_a_study_that_says_nothing_asks_for_everything_and_keeps_its_digest() -> None:
    assert SourceVerification().drawn("TRIAL", "HZ01-001")


@given(st.text(min_size=1, max_size=64), st.integers(1, 98))
def test_a_larger_share_draws_whoever_a_smaller_one_drew(seed: str, share: int) -> None:
    smaller, larger = (
        SourceVerification.model_validate({"plan": "sampled", "seed": seed, "share": each})
        for each in (share, share + 1)
    )
    for number in range(200):
        subject = f"HZ01-{number:03d}"
        assert larger.drawn("TRIAL", subject) or not smaller.drawn("TRIAL", subject)


def test_a_share_is_about_as_large_as_it_says() -> None:
    plan = SourceVerification.model_validate({"plan": "sampled", "seed": "x", "share": 20})
    drawn = sum(plan.drawn("TRIAL", f"HZ01-{number:04d}") for number in range(5000))
    assert 900 < drawn < 1100


@pytest.mark.parametrize(
    "wrong",
    [
        {"plan": "sampled"}, {"plan": "sampled", "seed": "x"}, {"plan": "sampled", "share": 10},
        {"plan": "sampled", "seed": "x", "share": 0}, {"plan": "sampled", "seed": "x", "share": 100},
        {"plan": "critical"}, {"plan": "all", "seed": "x", "share": 10}, {"plan": "most"},
        {"plan": "all", "critical": [{"form": "labs", "items": ["hb"]}]},
        {"plan": "critical", "critical": [{"form": "labs", "items": []}]},
    ],
)  # fmt: skip
def test_a_plan_is_whole(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SourceVerification"):
        SourceVerification.model_validate(wrong)
