"""Every act that a route can carry out leaves its entry: who, when and in which zone, what, why, through what."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import models
from app.audit.trail import EXEMPT
from app.core.transaction import see_all
from tests.trial import PASSWORD, Person, Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
CHOSEN = "nine slow barges drift"
OWN = "/api/v1"
COVERED = [table for table in models.metadata.sorted_tables if table.name not in EXEMPT]


def study(trial: Trial, key: str = "TRIAL") -> list[dict[str, Any]]:
    who = trial.administrator if key == "-" else trial.manager
    seen: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = who.get(f"{OWN}/studies/{key}/audit", params={"limit": 200, "after": after}).json()
        seen += page["items"]
        after = page["next_after"]
    return seen


def invited(trial: Trial) -> str:
    made = trial.administrator.post(f"{OWN}/accounts", {"username": "newcomer", "name": "New Comer"})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def consented(trial: Trial) -> str:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    return subject


def of_token(trial: Trial, who: str) -> str:
    held = trial.cast[who].get(f"{OWN}/me/sessions").json()["items"]
    return str(next(each["token_id"] for each in held if each["current"]))


def reset(trial: Trial) -> str:
    made = trial.administrator.post(f"{OWN}/accounts/nurse/reset", {"reason": "Forgot it"})
    assert made.status_code in {200, 201}, made.text
    return str(made.json()["token"])


def granted(trial: Trial) -> str:
    body = {"username": "stranger", "role": "monitor", "site": "HZ01", "reason": "Delegation log"}
    made = trial.administrator.post("/grants", body)
    assert made.status_code == 201, made.text
    return str(made.json()["grant_id"])


def deactivated(trial: Trial) -> None:
    done = trial.administrator.post(f"{OWN}/accounts/nurse2/deactivate", {"reason": "Left the site"})
    assert done.status_code == 200, done.text


def questioned(trial: Trial) -> str:
    """A query that a rule has opened."""
    saved = trial.nurse.enter(consented(trial), "SCR", "labs", {"sample_date": "2024-01-09", "hb": "21"})
    return str(saved["queries"][0]["query"])


def answered(trial: Trial) -> str:
    query = questioned(trial)
    done = trial.nurse.post(f"/queries/{query}/answer", {"text": "Corrected"})
    assert done.status_code == 200, done.text
    return query


HERE = {"site": "HZ01"}


def locked(trial: Trial) -> None:
    made = trial.manager.post("/locks", {"action": "lock", "reason": "Clean"} | HERE)
    assert made.status_code == 200, made.text


def asked(trial: Trial) -> None:
    locked(trial)
    assert trial.monitor.post("/locks/ask", {"reason": "Wrong value"} | HERE).status_code == 200


SOURCE = "visits/SCR/forms/consent/verification"


def compared(trial: Trial) -> str:
    subject = consented(trial)
    done = trial.monitor.post(f"/subjects/{subject}/{SOURCE}", {}, headers={"If-Match": '"1"'})
    assert done.status_code == 200, done.text
    return subject


SIGNED = {"meaning": "review", "visit": "SCR", "form": "consent"}


def shown(trial: Trial) -> tuple[str, str]:
    subject = consented(trial)
    intent = trial.doctor.post(f"/subjects/{subject}/signatures/intent", SIGNED)
    assert intent.status_code == 200, intent.text
    return subject, intent.json()["intent"]


Act = Callable[[Trial, Any], Any]
REASON = {"reason": "As the log says"}
CALCULATES = {
    ("POST", f"{OWN}/clinical/{{rule}}"),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/visits/{{visit}}/forms/{{form}}/validate"),
    ("POST", f"{OWN}/studies/{{study}}/migrations/preview"),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/signatures/intent"),
}
"""Routes that take a body, answer, and store nothing."""

# method and path of the route: what has to be there first, the act, the chain, the action, who, and the reason
ACTS: dict[tuple[str, str], tuple[Callable[[Trial], Any] | None, Act, str, str, str, str | None]] = {
    ("POST", f"{OWN}/session"): (
        None, lambda t, _: t.client.post(f"{OWN}/session", json={"username": "nurse", "password": PASSWORD}),
        "-", "login", "Nurse of the cast", None,
    ),
    ("DELETE", f"{OWN}/session"): (
        None, lambda t, _: t.nurse.call("DELETE", f"{OWN}/session"), "-", "logout", "Nurse of the cast", None,
    ),
    ("POST", f"{OWN}/invitations/accept"): (
        invited,
        lambda t, token: t.client.post(f"{OWN}/invitations/accept", json={"token": token, "password": CHOSEN}),
        "-", "account.password", "New Comer", None,
    ),
    ("POST", f"{OWN}/password-resets/accept"): (
        reset,
        lambda t, token: t.client.post(f"{OWN}/password-resets/accept", json={"token": token, "password": CHOSEN}),
        "-", "account.password", "Nurse of the cast", None,
    ),
    ("DELETE", f"{OWN}/me/sessions/{{token_id}}"): (
        lambda t: of_token(t, "doctor"), lambda t, token: t.doctor.call("DELETE", f"{OWN}/me/sessions/{token}"),
        "-", "session.end", "Doctor of the cast", None,
    ),
    ("POST", f"{OWN}/me/tokens"): (
        None, lambda t, _: t.nurse.post(f"{OWN}/me/tokens", {"label": "Script", "study": "TRIAL", "days": 9}),
        "-", "token.create", "Nurse of the cast", None,
    ),
    ("POST", f"{OWN}/me/password"): (
        None,
        lambda t, _: t.nurse.post(f"{OWN}/me/password", {"old_password": PASSWORD, "new_password": CHOSEN}),
        "-", "account.password", "Nurse of the cast", None,
    ),
    ("POST", f"{OWN}/accounts"): (
        None, lambda t, _: t.administrator.post(f"{OWN}/accounts", {"username": "newcomer", "name": "New Comer"}),
        "-", "account.invite", "Administrator of the cast", None,
    ),
    ("POST", f"{OWN}/accounts/{{username}}/reset"): (
        None, lambda t, _: t.administrator.post(f"{OWN}/accounts/nurse/reset", REASON),
        "-", "account.reset", "Administrator of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/accounts/{{username}}/deactivate"): (
        None, lambda t, _: t.administrator.post(f"{OWN}/accounts/nurse2/deactivate", REASON),
        "-", "account.deactivate", "Administrator of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/accounts/{{username}}/reactivate"): (
        deactivated, lambda t, _: t.administrator.post(f"{OWN}/accounts/nurse2/reactivate", REASON),
        "-", "account.reactivate", "Administrator of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/grants"): (
        None,
        lambda t, _: t.administrator.post("/grants", {"username": "stranger", "role": "monitor"} | REASON),
        "TRIAL", "grant.give", "Administrator of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/grants/{{grant_id}}/end"): (
        granted, lambda t, key: t.administrator.post(f"/grants/{key}/end", REASON),
        "TRIAL", "grant.end", "Administrator of the cast", REASON["reason"],
    ),
    ("PUT", f"{OWN}/studies/{{study}}/sites/{{site}}/version"): (
        None, None,  # type: ignore[dict-item] # told in tests/study/test_publish.py: it needs a second version
        "TRIAL", "site.activate", "Builder of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/sites/{{site}}/migrations"): (
        None, None,  # type: ignore[dict-item] # these three are told in tests/capture/test_amend.py: they need a plan
        "TRIAL", "migration.plan", "Builder of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/migrations/{{migration_id}}/run"): (
        None, None,  # type: ignore[dict-item]
        "TRIAL", "migration.run", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/migrations/{{migration_id}}/roll-back"): (
        None, None,  # type: ignore[dict-item]
        "TRIAL", "migration.roll_back", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/subjects"): (
        None, lambda t, _: t.nurse.post("/subjects", {"site": "HZ01"}),
        "TRIAL", "subject.create", "Nurse of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/transfer"): (
        consented, lambda t, who: t.manager.post(f"/subjects/{who}/transfer", {"site": "HZ02"} | REASON),
        "TRIAL", "subject.transfer", "Manager of the cast", REASON["reason"],
    ),
    ("PUT", f"{OWN}/studies/{{study}}/subjects/{{subject}}/visits/{{visit}}/forms/{{form}}"): (
        consented,
        lambda t, who: t.nurse.save(who, "SCR", "consent", CONSENT | {"note": "x"}, revision=1, **REASON),
        "TRIAL", "record.save", "Nurse of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/visits/{{visit}}/forms/{{form}}/void"): (
        consented,
        lambda t, who: t.nurse.post(
            f"/subjects/{who}/visits/SCR/forms/consent/void", REASON, headers={"If-Match": '"1"'}
        ),
        "TRIAL", "record.void", "Nurse of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries"): (
        consented,
        lambda t, who: t.monitor.post(
            "/queries",
            {"subject": who, "visit": "SCR", "form": "consent", "item": "consent_date", "text": "Please check"},
        ),
        "TRIAL", "query.open", "Monitor of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries/{{query}}/answer"): (
        questioned, lambda t, query: t.nurse.post(f"/queries/{query}/answer", {"text": "Corrected"}),
        "TRIAL", "query.answer", "Nurse of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries/{{query}}/confirm"): (
        questioned, lambda t, query: t.doctor.post(f"/queries/{query}/confirm", {"text": "Measured twice"}),
        "TRIAL", "query.confirm", "Doctor of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries/{{query}}/close"): (
        answered, lambda t, query: t.monitor.post(f"/queries/{query}/close", {}),
        "TRIAL", "query.close", "Monitor of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries/{{query}}/reopen"): (
        answered, lambda t, query: t.manager.post(f"/queries/{query}/reopen", {"text": "Which source?"}),
        "TRIAL", "query.reopen", "Manager of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries/{{query}}/cancel"): (
        questioned, lambda t, query: t.manager.post(f"/queries/{query}/cancel", {"text": "Asked in error"}),
        "TRIAL", "query.cancel", "Manager of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/queries/{{query}}/assign"): (
        questioned, lambda t, query: t.monitor.post(f"/queries/{query}/assign", {"assignee": "doctor"}),
        "TRIAL", "query.assign", "Monitor of the cast", None,
    ),
    ("PUT", f"{OWN}/studies/{{study}}/sites/{{site}}/ranges"): (
        None,
        lambda t, _: t.manager.call(
            "PUT", "/sites/HZ01/ranges?reason=As+the+log+says", headers={"Content-Type": "text/csv"},
            content=b"laboratory,analyte,unit,sex,age_from,age_to,valid_from,valid_to,low,high\n",
        ),
        "TRIAL", "ranges.import", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/checks/run"): (
        None, None,  # type: ignore[dict-item] # it leaves entries of subjects only where a check says something else
        "TRIAL", "checks.run", "Manager of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/derive"): (
        None, None,  # type: ignore[dict-item] # told in tests/derivations/test_derive.py: it needs a tampered row
        "TRIAL", "derive", "Manager of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/visits/{{visit}}/forms/{{form}}/verification"): (
        consented, lambda t, who: t.monitor.post(f"/subjects/{who}/{SOURCE}", {}, headers={"If-Match": '"1"'}),
        "TRIAL", "record.verify", "Monitor of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/visits/{{visit}}/forms/{{form}}/verification/withdraw"): (
        compared,
        lambda t, who: t.monitor.post(
            f"/subjects/{who}/{SOURCE}/withdraw", {"items": [{"item": "consent_date"}]} | REASON,
            headers={"If-Match": '"1"'},
        ),
        "TRIAL", "record.unverify", "Monitor of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/subjects/{{subject}}/signatures"): (
        shown,
        lambda t, seen: t.doctor.post(
            f"/subjects/{seen[0]}/signatures", SIGNED | {"intent": seen[1], "password": PASSWORD}
        ),
        "TRIAL", "signature.sign", "Doctor of the cast", None,
    ),
    ("POST", f"{OWN}/studies/{{study}}/locks"): (
        None, lambda t, _: t.manager.post("/locks", {"action": "freeze"} | HERE | REASON),
        "TRIAL", "lock.freeze", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/locks/ask"): (
        locked, lambda t, _: t.monitor.post("/locks/ask", HERE | REASON),
        "TRIAL", "lock.ask", "Monitor of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/locks/grant"): (
        asked, lambda t, _: t.manager.post("/locks/grant", HERE | REASON),
        "TRIAL", "lock.grant", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/locks/decline"): (
        asked, lambda t, _: t.manager.post("/locks/decline", HERE | REASON),
        "TRIAL", "lock.decline", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/cuts"): (
        consented, lambda t, _: t.manager.post("/cuts", {"name": "interim"} | REASON),
        "TRIAL", "cut.create", "Manager of the cast", REASON["reason"],
    ),
    ("POST", f"{OWN}/studies/{{study}}/imports/{{form}}"): (
        consented,
        lambda t, who: t.nurse.call(
            "POST", "/imports/labs?visit=SCR", content=f"subject,sample_date,hb\n{who},2024-01-09,97\n".encode(),
            headers={"Content-Type": "text/csv"},
        ),
        "TRIAL", "record.save", "Nurse of the cast", None,
    ),
}  # fmt: skip


def test_every_route_that_writes_is_told_here(trial: Trial) -> None:
    writes = {
        (method, str(found.path))
        for found in iter_route_contexts(trial.client.app.routes)  # type: ignore[attr-defined]
        for method in found.methods or ()
        if method not in {"GET", "HEAD", "OPTIONS"}
    }
    assert set(ACTS) == writes - CALCULATES


@pytest.mark.parametrize("route", [key for key, told in ACTS.items() if told[1] is not None], ids=" ".join)
def test_an_act_leaves_its_entry(trial: Trial, route: tuple[str, str]) -> None:
    first, act, chain, action, actor, reason = ACTS[route]
    given = first(trial) if first else None
    before = {key: len(study(trial, key)) for key in ("TRIAL", "-")}
    rows = counted(trial)
    began = datetime.now(UTC)
    answer = act(trial, given)
    assert answer.status_code in {200, 201, 204}, answer.text
    entries = study(trial, chain)[before[chain] :]
    entry = next(each for each in entries if each["action"] == action)
    assert (entry["actor"], entry["reason"]) == (actor, reason)
    at = datetime.fromisoformat(entry["at"])
    assert at.utcoffset() is not None
    assert began <= at <= datetime.now(UTC)
    assert entry["zone"] == ("Asia/Shanghai" if chain == "TRIAL" else "UTC")
    assert entry["source"]
    assert entry["actor_id"]
    added = {name: count - rows[name] for name, count in counted(trial).items() if count != rows[name]}
    listed: dict[str, int] = {}
    for key in ("TRIAL", "-"):
        for each in study(trial, key)[before[key] :]:
            for written in each["written"]:
                if written["act"] == "insert":
                    listed[written["table"]] = listed.get(written["table"], 0) + written["count"]
    assert listed == added
    trial.verified()


def counted(trial: Trial) -> dict[str, int]:
    with trial.database.reading() as session:
        see_all(session)
        return {table.name: rows_of(session, table) for table in COVERED}


def rows_of(session: Session, table: Any) -> int:
    return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_request_that_only_reads_leaves_no_entry(trial: Trial) -> None:
    subject = consented(trial)
    before = len(study(trial)), len(study(trial, "-"))
    reader: Person = trial.manager
    for path in ("/subjects", f"/subjects/{subject}/casebook", f"/subjects/{subject}/endpoints", "/findings",
                 "/endpoints/OS", f"/subjects/{subject}/visits/SCR/forms/consent/history"):  # fmt: skip
        assert reader.get(path).status_code == 200
    assert (len(study(trial)), len(study(trial, "-"))) == before
