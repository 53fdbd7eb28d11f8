"""Subjects come in by their screening number at a site, and may be transferred to another."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, bindparam, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require
from app.access.permissions import Permission
from app.audit import change
from app.core.errors import Conflict
from app.core.prepared import Prepared
from app.models.marks import LockState
from app.study.sites import site_of
from app.subjects import locked
from app.subjects.reviewed import questioned, reviewed

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
"""A subject number: it stands in addresses and in files."""

FIRST_STATUS = "screening"
"""The status before any record has moved it."""


def create(
    session: Session, actor: Actor, study_id: str, site_id: str, *, number: str | None = None
) -> Mapping[str, Any]:
    """Give a new subject its number at a site: the one stated, or the site's next (`HZ01-001`).

    Raises NotFound for a site out of sight, Forbidden, and Conflict when the number is taken in the study.
    """
    require(actor, Permission.SUBJECT_CREATE, study_id, site_id)
    upon_it = locked.of_site(session, study_id, site_id)
    site = site_of(session, study_id, site_id, held=True)
    if site is None:
        raise absent(actor, Permission.SUBJECT_CREATE, study_id)
    locked.assert_open(upon_it, up_to=LockState.OPEN)
    last = site["last_number"]
    if number is None:
        last, number = _next(session, study_id, site_id, last)
    elif _taken(session, study_id, number):
        raise Conflict("This subject number is taken in the study; give another, or none to get the site's next")
    with change(session, study_id, by=actor, action="subject.create", zone=site["zone"]) as made:
        made.site_id, made.subject_id = site_id, number
        subject = {
            "study_id": study_id,
            "subject_id": number,
            "site_id": site_id,
            "status": FIRST_STATUS,
            "created_at": made.at,
            "change_id": made.change_id,
        }
        made.insert(models.subject, subject)
        if last != site["last_number"]:
            made.update(models.site, site, last_number=last)
    return subject


def _next(session: Session, study_id: str, site_id: str, last: int) -> tuple[int, str]:
    while True:
        last += 1
        number = f"{site_id}-{last:03d}"
        if not _taken(session, study_id, number):
            return last, number


def _taken(session: Session, study_id: str, number: str) -> bool:
    table = models.subject
    found = session.execute(
        select(table.c.subject_id).where(table.c.study_id == study_id, table.c.subject_id == number)
    ).scalar_one_or_none()
    return found is not None


def lock(session: Session, study_id: str, subject_id: str) -> dict[str, Any] | None:
    """The subject, its site's zone and study version, `locks`, `reviewed`, `questioned`; held to the transaction's end.

    Every write to a casebook holds its subject, so that what is derived from the whole casebook is derived from
    a state that nobody else is changing. The rest is read once the subject is held: who waited for a transfer, for
    another study version to come in force or for a lock sees it.
    """
    asked = {"study": study_id, "subject": subject_id, "gate": locked.gate(study_id)}
    found = _HELD.one(session, asked)
    if found is None:
        return None
    subject = {name: value for name, value in found.items() if name in models.subject.c}
    (site,) = _SITE.named(session, asked | {"site": subject["site_id"]})
    return subject | site


_HELD = Prepared(
    select(models.subject, locked.ENTERING)
    .where(
        models.subject.c.study_id == bindparam("study", type_=Text),
        models.subject.c.subject_id == bindparam("subject", type_=Text),
    )
    .with_for_update()
)
_STUDY, _AT, _SUBJECT = (bindparam(name, type_=Text) for name in ("study", "site", "subject"))
_SITE = Prepared(
    select(
        models.site.c.zone,
        models.site.c.version,
        models.site.c.ranges,
        locked.covering(_STUDY, _AT, _SUBJECT).label("locks"),
        reviewed(_STUDY, _SUBJECT).label("reviewed"),
        questioned(_STUDY, _SUBJECT).label("questioned"),
    ).where(models.site.c.study_id == _STUDY, models.site.c.site_id == _AT)
)


def transfer(
    session: Session, actor: Actor, study_id: str, subject_id: str, site_id: str, *, reason: str
) -> Mapping[str, Any]:
    """Move a subject to another site of the study; number, pages and history stay as they are."""
    subject = lock(session, study_id, subject_id)
    if subject is None:
        raise absent(actor, Permission.SUBJECT_TRANSFER, study_id)
    require(actor, Permission.SUBJECT_TRANSFER, study_id, subject["site_id"])
    if site_of(session, study_id, site_id) is None:
        raise absent(actor, Permission.SUBJECT_TRANSFER, study_id)
    if site_id == subject["site_id"]:
        raise Conflict("The subject is at this site already")
    locked.assert_open([*subject["locks"], *locked.of_site(session, study_id, site_id)], up_to=LockState.FROZEN)
    with change(session, study_id, by=actor, action="subject.transfer", reason=reason, zone=subject["zone"]) as made:
        made.site_id, made.subject_id = site_id, subject_id
        made.detail["from"] = subject["site_id"]
        return made.update(models.subject, subject, site_id=site_id, change_id=made.change_id)
