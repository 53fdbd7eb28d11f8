"""Signing as an investigator of the cast does it."""

from typing import Any

import httpx2

from tests.trial import PASSWORD, Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
ARM = {"rand_date": "2024-01-11", "arm_code": "B"}
LABS = {
    "sample_date": "2024-01-09",
    "hb": {"value": "9.75", "unit": "g/dL"},
    "transfused": "N",
    "drugs": [{"row": 1, "drug": "A", "dose": "1"}, {"row": 2, "drug": "B"}],
}
RESPONSE = {"assess_date": "2024-02-09", "response": "CR"}
WRONG = "seven grey herons sleep"


def screened(trial: Trial, site: str = "HZ01") -> str:
    who = trial.nurse if site == "HZ01" else trial.nurse2
    subject = who.subject(site)
    who.enter(subject, "SCR", "consent", CONSENT)
    who.enter(subject, "SCR", "arm", ARM)
    who.enter(subject, "SCR", "labs", LABS)
    return subject


def whole(trial: Trial) -> str:
    """A subject of whom nothing is wanting."""
    subject = screened(trial)
    trial.nurse.enter(subject, "D30", "labs", LABS | {"sample_date": "2024-02-09"})
    trial.nurse.enter(subject, "D30", "response", RESPONSE)
    return subject


PAGE = {"visit": "SCR", "form": "labs"}


def proof(trial: Trial, key: str) -> dict[str, Any]:
    return dict(trial.inspector.get(f"/signatures/{key}/verify").json())


def state(trial: Trial, key: str) -> str:
    return str(trial.inspector.get(f"/signatures/{key}").json()["state"])


def correct(trial: Trial, subject: str, revision: int = 1, **more: Any) -> dict[str, Any]:
    return trial.nurse.enter(subject, "SCR", "labs", LABS | more, revision=revision, reason="Typing")


def audit(trial: Trial, action: str) -> list[dict[str, Any]]:
    return list(trial.manager.get("/audit", params={"action": action}).json()["items"])


def system(trial: Trial, action: str) -> list[dict[str, Any]]:
    return list(trial.administrator.get("/api/v1/studies/-/audit", params={"action": action}).json()["items"])


def ask(trial: Trial, subject: str, who: str = "doctor", **what: Any) -> httpx2.Response:
    return trial.cast[who].post(f"/subjects/{subject}/signatures/intent", {"meaning": "approval"} | what)


def sign(
    trial: Trial, subject: str, who: str = "doctor", *, password: str | None = PASSWORD, intent: str = "", **what: Any
) -> httpx2.Response:
    shown = intent or ask(trial, subject, who, **what).json()["intent"]
    body = {"meaning": "approval", "intent": shown, "password": password} | what
    return trial.cast[who].post(f"/subjects/{subject}/signatures", body)


def signed(trial: Trial, subject: str, **what: Any) -> str:
    """The key of a new signature."""
    given = sign(trial, subject, **what)
    assert given.status_code == 201, given.text
    return str(given.json()["signature"])
