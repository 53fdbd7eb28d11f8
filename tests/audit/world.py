"""A small trial with a row in every table that the trail covers, written as the application writes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app import models
from app.audit import System, change, start_chain

SYSTEM_ACTS = System(source="test")
AT = datetime(2026, 3, 1, 8, 30, 0, 120, tzinfo=UTC)


def begin(session: Session, study_id: str, *, form: bool = True) -> None:
    """Account, form, study, version, two sites, a grant."""
    start_chain(session, study_id)
    account = uuid4()
    with change(session, study_id, by=SYSTEM_ACTS, action="study.publish", zone="Asia/Shanghai") as made:
        made.insert(
            models.study,
            {"study_id": study_id, "title": {"en": "Trial", "zh": "试验"}, "zone": "Asia/Shanghai", "created_at": AT},
        )
        version = {"study_id": study_id, "version": 1, "digest": "d", "definition": {"study": study_id, "n": 1}}
        made.insert(models.study_version, version | {"published_at": AT, "change_id": made.change_id})
        for site in ("HZ01", "HZ02"):
            where = {"study_id": study_id, "site_id": site, "name": {"en": site}, "zone": "Asia/Shanghai"}
            made.insert(models.site, where | {"version": 1, "last_number": 0})
    with change(session, models.SYSTEM, by=SYSTEM_ACTS, action="form.publish") as made:
        if form:
            released = {"form_id": "labs", "version": 1, "digest": "d", "definition": {"form": "labs"}}
            made.insert(models.form_version, released | {"published_at": AT, "change_id": made.change_id})
        made.insert(models.account, person(account, f"nurse-{study_id.lower()}"))
        made.insert(models.role_grant, grant(models.SYSTEM, account))
    with change(session, study_id, by=SYSTEM_ACTS, action="grant.give", reason="Site opened") as made:
        made.insert(models.study_form, {"study_id": study_id, "version": 1, "form_id": "labs", "form_version": 1})
        made.insert(models.role_grant, grant(study_id, account) | {"site_id": "HZ01"})


def person(account_id: UUID, username: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "username": username,
        "folded": username,
        "name": "A Nurse",
        "password": "$argon2id$secret",
        "status": "active",
        "failures": 0,
        "locked_until": None,
        "created_at": AT,
    }


def grant(study_id: str, account_id: UUID) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "grant_id": uuid4(),
        "account_id": account_id,
        "role": "administrator" if study_id == models.SYSTEM else "coordinator",
        "site_id": None,
        "valid_from": AT,
        "valid_to": None,
        "reason": "Delegation log",
        "granted_by": None,
    }


def enrol(session: Session, study_id: str, subject_id: str, *, site_id: str = "HZ01") -> dict[str, Any]:
    with change(session, study_id, by=SYSTEM_ACTS, action="subject.create", zone="Asia/Shanghai") as made:
        made.site_id, made.subject_id = site_id, subject_id
        subject = {
            "study_id": study_id,
            "subject_id": subject_id,
            "site_id": site_id,
            "status": "screening",
            "created_at": AT,
            "change_id": made.change_id,
        }
        made.insert(models.subject, subject)
    return subject


def save(
    session: Session, study_id: str, subject_id: str, *, repeat: int = 1, answers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A first save with all that follows: record, revision, computed values, endpoints, a finding, its query."""
    record_id, given = uuid4(), dict(answers or {"anc": "0.9", "ab": "c", "note": "", "n": 3, "list": ["A", "B"]})
    of = {"study_id": study_id, "record_id": record_id}
    with change(session, study_id, by=SYSTEM_ACTS, action="record.save", zone="Asia/Shanghai") as made:
        made.site_id, made.subject_id, made.record_id = "HZ01", subject_id, record_id
        by = {"at": AT, "change_id": made.change_id}
        record = of | {
            "subject_id": subject_id,
            "visit": "D30",
            "visit_repeat": 1,
            "form_id": "labs",
            "repeat": repeat,
            "form_version": 1,
            "study_version": 1,
            "revision": 1,
            "status": "complete",
            "instead_of": None,
            "change_id": made.change_id,
        }
        made.insert(models.record, record)
        page = {"number": 1, "form_version": 1, "status": "complete", "answers": given}
        made.insert(models.revision, of | page | by)
        made.insert(
            models.computed,
            of
            | {"number": 1, "revision": 1, "form_version": 1, "values": {"x": "1"}, "working": {"x": {}}}
            | {"beside": {"x": "2"}}
            | by,
        )
        results = {"number": repeat, "study_version": 1, "results": {"OS": {"cnsr": 1}}}
        made.insert(models.derivation, {"study_id": study_id, "subject_id": subject_id} | results | by)
        finding = of | {"finding_id": uuid4(), "subject_id": subject_id, "item": "anc", "row": None, "rule": "low"}
        state = {"detail": {}, "state": "open", "opened_at": AT, "closed_at": None, "change_id": made.change_id}
        made.insert(models.finding, finding | state)
        query = {name: finding[name] for name in ("study_id", "subject_id", "record_id", "item", "row", "rule")}
        query |= {"query_id": uuid4(), "finding_id": finding["finding_id"], "state": "open", "messages": 1}
        made.insert(models.query, query | {"opened_at": AT, "changed_at": AT, "change_id": made.change_id})
        said = {"study_id": study_id, "query_id": query["query_id"], "number": 1, "action": "raise", "state": "open"}
        made.insert(models.query_message, said | {"name": "Marrow", "role": "system"} | by)
    return record


def correct(session: Session, record: Mapping[str, Any], *, answers: Mapping[str, Any]) -> dict[str, Any]:
    with change(session, record["study_id"], by=SYSTEM_ACTS, action="record.save", reason="Transcription") as made:
        made.site_id, made.subject_id, made.record_id = "HZ01", record["subject_id"], record["record_id"]
        number = record["revision"] + 1
        page = {"number": number, "form_version": 1, "status": "complete", "answers": dict(answers), "at": AT}
        of = {"study_id": record["study_id"], "record_id": record["record_id"], "change_id": made.change_id}
        made.insert(models.revision, of | page)
        return made.update(models.record, record, revision=number, change_id=made.change_id)


def cut(session: Session, study_id: str) -> None:
    with change(session, study_id, by=SYSTEM_ACTS, action="cut.create", reason="Interim analysis") as made:
        at = {"seq": 1, "hash": b"\1" * 32, "cutoff": "2026-03-01", "sites": ["HZ01"], "versions": {"HZ01": 1}}
        held = {"files": [{"name": "subjects.csv", "rows": 2}], "bytes": 100, "sha256": "d", "release": "0.1.0"}
        by = {"at": AT, "change_id": made.change_id}
        made.insert(models.cut, {"study_id": study_id, "name": "interim"} | at | held | by)


def migrate(session: Session, record: Mapping[str, Any]) -> None:
    """A migration of the study that made the second revision of a page."""
    of, migration_id = {"study_id": record["study_id"]}, uuid4()
    with change(session, record["study_id"], by=SYSTEM_ACTS, action="migration.run", reason="Amendment 1") as made:
        versions = {"from_version": 1, "to_version": 1, "plan_digest": "d", "plan": {"study": record["study_id"]}}
        state = {"state": "run", "counts": {"pages": 1}, "approved_on": "2026-02-01", "site_id": "HZ01"}
        acts = {"planned_by": "Marrow", "planned_at": AT, "run_by": "Marrow", "run_at": AT}
        key = {"migration_id": migration_id, "change_id": made.change_id}
        made.insert(models.study_migration, of | versions | state | acts | key)
        page = {"record_id": record["record_id"], "revision": 2, "before": 1, "orphans": [{"item": "anc", "row": None}]}
        made.insert(models.migrated_page, of | page | key)


def limits(session: Session, study_id: str) -> None:
    """Limits of normal of a laboratory."""
    with change(session, study_id, by=SYSTEM_ACTS, action="ranges.import", reason="New analyser") as made:
        key = {"study_id": study_id, "site_id": "HZ01", "number": 1, "line": 2, "change_id": made.change_id}
        made.insert(models.reference_range, key | {"analyte": "ALT", "laboratory": "", "unit": "U/L", "high": "40"})


def verify(session: Session, record: Mapping[str, Any]) -> None:
    """A mark upon an item of a page."""
    with change(session, record["study_id"], by=SYSTEM_ACTS, action="verification") as made:
        key = {name: record[name] for name in ("study_id", "record_id", "subject_id")}
        mark = {"item": "anc", "row": None, "state": "verified", "revision": 1, "by": "Marrow", "at": "2026-03-01"}
        made.insert(models.verification, key | {"marks": [mark], "change_id": made.change_id})


def sign(session: Session, record: Mapping[str, Any]) -> None:
    """Two signatures upon a page, and what broke one of them."""
    study_id, key = record["study_id"], uuid4()
    with change(session, study_id, by=SYSTEM_ACTS, action="signature.sign") as made:
        said = {"study_id": study_id, "subject_id": record["subject_id"], "study_version": 1}
        who = {"account_id": uuid4(), "username": "doctor", "name": "A Doctor", "roles": "investigator"}
        meant = {"meaning": "review", "statement": "Seen.", "at": AT, "zone": "Asia/Shanghai", "digest": "d"}
        for each in (key, uuid4()):
            by = {"signature_id": each, "change_id": made.change_id}
            made.insert(models.signature, said | who | meant | by)
        page = {"study_id": study_id, "signature_id": key, "record_id": record["record_id"]}
        held = {"revision": 1, "form_version": 1, "form_digest": "d", "items": [], "computed": [], "digest": "d"}
        made.insert(models.signed_page, page | held)
    with change(session, study_id, by=SYSTEM_ACTS, action="record.save", reason="Typing") as made:
        made.insert(models.signature_break, page | {"items": [], "at": AT, "change_id": made.change_id})


def close(session: Session, study_id: str, subject_id: str) -> None:
    """A lock upon a subject of a site."""
    with change(session, study_id, by=SYSTEM_ACTS, action="lock.lock", reason="Clean") as made:
        key = {"study_id": study_id, "lock_id": uuid4(), "site_id": "HZ01", "subject_id": subject_id}
        said = {"state": "locked", "since": AT, "set_by_name": "Marrow", "reason": "Clean"}
        made.insert(models.lock, key | said | {"change_id": made.change_id})
