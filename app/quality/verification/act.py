"""A monitor verifies items of a page at the revision that was looked at, and takes a mark back with a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require
from app.access.permissions import Permission
from app.audit import Change, change
from app.core.errors import Conflict, Fault, NotFound, PreconditionRequired, Stale, Unreadable
from app.core.http import etag
from app.models.capture import RecordStatus
from app.models.marks import MarkState
from app.quality import locks
from app.quality.verification.marks import Mark, by_item, given, verified, withdrawn
from app.study.library import form_of
from app.subjects import enrol, facts
from app.subjects.facts import Page, Place
from app.subjects.locked import Which


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it is held for a monitor: its subject, the items that have an answer, the marks there are."""

    subject: Mapping[str, Any]
    page: Page
    given: Sequence[Which]
    row: Mapping[str, Any] | None

    @property
    def marks(self) -> Sequence[Mark]:
        """The marks on the page."""
        return self.row["marks"] if self.row else []


def verify(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    place: Place,
    *,
    expected: int | None,
    items: Sequence[Which] | None = None,
) -> None:
    """Mark these items, or with None all that have an answer, as found to agree with the source.

    What is verified stays as it was; if all of it is, nothing is stored. Raises NotFound, Forbidden, Locked,
    PreconditionRequired, Stale, Conflict for a void page, and Unreadable for items that have no answer.
    """
    seen = _hold(session, actor, study_id, subject_id, place, expected)
    wanted = seen.given if items is None else items
    _assert_given(wanted, seen.given)
    locks.assert_open_for_review(seen.subject, place, wanted)
    held = by_item(seen.marks)
    fresh = [which for which in wanted if which not in held or held[which]["state"] != MarkState.VERIFIED]
    if not fresh:
        return
    with change(session, study_id, by=actor, action="record.verify", zone=seen.subject["zone"]) as made:
        marks = verified(seen.marks, fresh, revision=seen.page.revision, by=actor.name, at=made.at)
        _store(made, seen, place, marks, fresh)


def withdraw(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    place: Place,
    *,
    expected: int | None,
    items: Sequence[Which],
    reason: str,
) -> None:
    """Take back the marks of these items. Raises what `verify` raises, and Unreadable for items without a mark."""
    seen = _hold(session, actor, study_id, subject_id, place, expected)
    _assert_given(items, by_item(seen.marks))
    locks.assert_open_for_review(seen.subject, place, items)
    with change(
        session, study_id, by=actor, action="record.unverify", reason=reason, zone=seen.subject["zone"]
    ) as made:
        _store(made, seen, place, withdrawn(seen.marks, items), items)


def _hold(session: Session, actor: Actor, study_id: str, subject_id: str, place: Place, expected: int | None) -> Seen:
    subject = enrol.lock(session, study_id, subject_id)
    if subject is None:
        raise absent(actor, Permission.RECORD_VERIFY, study_id)
    require(actor, Permission.RECORD_VERIFY, study_id, subject["site_id"])
    page = facts.pages(session, study_id, subject_id).get(place)
    if page is None:
        raise NotFound("There is no such page")
    if page.status == RecordStatus.VOID:
        raise Conflict("The page is void and counts for nothing")
    _assert_seen(page, expected)
    form = form_of(session, place.form, page.form_version)
    return Seen(subject, page, given(form, page.answers), standing(session, study_id, page.record_id))


def standing(session: Session, study_id: str, record_id: UUID) -> Mapping[str, Any] | None:
    """The row of marks of a page, None where nobody has looked at it."""
    table = models.verification
    found = session.execute(select(table).where(table.c.study_id == study_id, table.c.record_id == record_id))
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


def _assert_seen(page: Page, expected: int | None) -> None:
    current: dict[str, Any] = {
        "headers": {"ETag": etag(page.revision)},
        "members": {"current_revision": page.revision},
    }
    if expected is None:
        raise PreconditionRequired("Send If-Match with the ETag of the page that you compared.", **current)
    if expected != page.revision:
        raise Stale("The page was saved after you read it; compare it with its source again.", **current)


def _assert_given(wanted: Iterable[Which], known: Iterable[Which]) -> None:
    there = set(known)
    faults = [
        Fault(f"/items/{at}", "nothing-there", "There is nothing to mark here.", item=item, row=row)
        for at, (item, row) in enumerate(wanted)
        if (item, row) not in there
    ]
    if faults:
        raise Unreadable("Correct what is listed and send it again.", errors=faults)


def _store(made: Change, seen: Seen, place: Place, marks: Sequence[Mark], items: Iterable[Which]) -> None:
    page = seen.page
    made.site_id, made.subject_id, made.record_id = seen.subject["site_id"], page.subject_id, page.record_id
    made.detail |= place._asdict() | {"revision": page.revision, "items": sorted({item for item, _ in items})}
    if seen.row is not None:
        made.update(models.verification, seen.row, marks=list(marks), change_id=made.change_id)
        return
    key = {"study_id": made.study_id, "record_id": page.record_id, "subject_id": page.subject_id}
    made.insert(models.verification, key | {"marks": list(marks), "change_id": made.change_id})
