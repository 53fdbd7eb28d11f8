"""After the hard lock of a study nobody writes in it, whatever their role; everybody reads and takes their export."""

from typing import Any

import pytest

from tests.exchange.unzipped import export
from tests.stories.test_every_change import ACTS, CONSENT, OWN, counted
from tests.trial import CAST, Trial

UNLOCKING = {("POST", f"{OWN}/studies/{{study}}/locks/{step}") for step in ("ask", "grant", "decline")}
ACCESS = {
    ("POST", f"{OWN}/studies/{{study}}/grants"),
    ("POST", f"{OWN}/studies/{{study}}/grants/{{grant_id}}/end"),
}
"""Who may look at the data is still decided: an inspector comes, somebody leaves the hospital."""

KEEPING = {("POST", f"{OWN}/studies/{{study}}/cuts")}
"""A data cut changes nothing: it says which data an analysis is of, and the locked ones are what it is made for."""

STUDY = [key for key, told in ACTS.items() if told[2] == "TRIAL" and told[1] is not None]


def hard_locked(trial: Trial) -> None:
    for action in ("lock", "hard_lock"):
        body = {"action": action, "reason": "Database lock of 1 June", "despite_queries": True}
        answer = trial.manager.post("/locks", body)
        assert answer.status_code == 200, answer.text


def entered(trial: Trial) -> str:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    return subject


@pytest.mark.parametrize("route", sorted(set(STUDY) - UNLOCKING - ACCESS - KEEPING), ids=" ".join)
def test_an_act_that_was_possible_is_refused(trial: Trial, route: tuple[str, str]) -> None:
    first, act, *_ = ACTS[route]
    given = first(trial) if first else None
    hard_locked(trial)
    before = counted(trial)
    answer = act(trial, given)
    told = answer.json()
    codes = {told["code"], *(fault["code"] for fault in told.get("errors", ()))}  # an import names it line by line
    assert answer.status_code in {409, 422}
    assert "locked" in codes
    assert counted(trial) == before
    trial.verified()


@pytest.mark.parametrize("who", CAST)
def test_nobody_writes_whatever_their_role(trial: Trial, who: str) -> None:
    subject = entered(trial)
    hard_locked(trial)
    before = counted(trial)
    someone = trial.cast[who]
    page = f"/subjects/{subject}/visits/SCR/forms/consent"
    reason = {"reason": "One last thing"}
    answers = [
        someone.save(subject, "SCR", "consent", CONSENT | {"note": "x"}, revision=1, **reason),
        someone.save(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97"}),
        someone.post(page + "/void", reason, headers={"If-Match": '"1"'}),
        someone.post("/subjects", {"site": "HZ01"}),
        someone.post(f"/subjects/{subject}/transfer", {"site": "HZ02"} | reason),
        someone.post("/derive"),
        someone.call("PUT", "/sites/HZ01/version", json={"version": 1, "approved_on": "2024-01-01"} | reason),
        someone.post("/checks/run"),
        someone.call(
            "PUT", "/sites/HZ01/ranges?reason=New+method", content=RANGES, headers={"Content-Type": "text/csv"}
        ),
        someone.post("/locks", {"action": "freeze", "subject": subject} | reason),
        someone.call("POST", "/imports/labs", content=sheet(subject), headers={"Content-Type": "text/csv"}),
    ]
    assert {answer.status_code for answer in answers} <= {403, 404, 409, 422}
    assert counted(trial) == before


RANGES = b"laboratory,analyte,unit,sex,age_from,age_to,valid_from,valid_to,low,high\n"


def sheet(subject: str) -> bytes:
    return f"subject,visit,sample_date,hb\n{subject},SCR,2024-01-09,97\n".encode()


def test_sites_still_read_and_export_their_own_casebooks(trial: Trial) -> None:
    subject, theirs = entered(trial), trial.nurse2.subject("HZ02")
    hard_locked(trial)
    for path in (
        f"/subjects/{subject}/casebook", f"/subjects/{subject}/visits/SCR/forms/consent",
        f"/subjects/{subject}/visits/SCR/forms/consent/history", f"/subjects/{subject}/endpoints",
        "/subjects", "/findings", "/locks", "/endpoints/OS",
    ):  # fmt: skip
        for who in ("nurse", "doctor", "monitor", "inspector"):
            assert trial.cast[who].get(path).status_code == 200, path
    for who in ("nurse", "doctor"):
        taken = export(trial.cast[who])
        assert {row["SUBJID"] for row in taken.rows("subjects.csv")} == {subject}
        assert [row["STATE"] for row in taken.rows("locks.csv")] == ["hard_locked"]
        assert [row["SUBJID"] for row in taken.rows("forms/consent.csv")] == [subject]
    assert {row["SUBJID"] for row in export(trial.manager).rows("subjects.csv")} == {subject, theirs}


def test_two_persons_open_it_again(trial: Trial) -> None:
    subject = entered(trial)
    hard_locked(trial)
    reason = {"reason": "One date of birth"}
    assert trial.manager.post("/locks/ask", reason).status_code == 200
    assert trial.manager.post("/locks/grant", reason).status_code == 403
    still: Any = trial.nurse.save(subject, "SCR", "consent", CONSENT | {"note": "x"}, revision=1, **reason)
    assert still.status_code == 409
    assert trial.manager2.post("/locks/grant", reason).status_code == 200
    trial.nurse.enter(subject, "SCR", "consent", CONSENT | {"note": "x"}, revision=1, **reason)
    trial.verified()
