"""The one door: every answer in Marrow came through `save`, whether typed, imported or simulated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require
from app.access.permissions import Permission
from app.audit import change
from app.capture.consequences import Consequences
from app.capture.draft import Casebook, draft, follow
from app.capture.moved import moved
from app.capture.refuse import faults, reason_missing
from app.core import clock
from app.core.errors import Conflict, NotFound, PreconditionRequired, Stale, Unreadable
from app.core.http import etag
from app.core.problems import taken
from app.core.words import Reason
from app.derivations.readings import Reading
from app.forms import answers as reading
from app.forms.definition import Form, Phase
from app.models.capture import RecordStatus
from app.quality import locks, marks
from app.quality.queries.follow import strike
from app.quality.signatures.standing import last_signed
from app.study.library import Build, build_of, form_of
from app.subjects import enrol, facts
from app.subjects.facts import Page, Place

_SHORTEST_REASON = 2  # characters


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save left behind: the page, the subject as it was held, whether anything was stored, visits that moved."""

    page: Page
    form: Form
    held: Mapping[str, Any]
    stored: bool
    created: bool
    reading: Reading | None = None
    """The page as it was judged, None where nothing was stored or the page counts for nothing."""
    findings: Sequence[Mapping[str, Any]] = ()
    """Those of the subject that are open, where something was stored."""
    moved: Sequence[Mapping[str, Any]] = ()
    """Visits that are planned otherwise now."""


class Elsewhere(NamedTuple):
    """A page of a subject of the same study, such as the void one that another is entered instead of."""

    subject_id: str
    place: Place


def hold(session: Session, actor: Actor, permission: Permission, study_id: str, subject_id: str) -> Casebook:
    """Find the subject, check the permission, and keep others from writing until this transaction ends."""
    subject = enrol.lock(session, study_id, subject_id)
    if subject is None:
        raise absent(actor, permission, study_id)
    require(actor, permission, study_id, subject["site_id"])
    build = build_of(session, study_id, subject["version"])
    return Casebook(subject, facts.pages(session, study_id, subject_id), build)


def save(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    place: Place,
    answers: Mapping[str, Any],
    *,
    expected: int | None,
    complete: bool = True,
    reason: str | None = None,
    instead_of: Elsewhere | None = None,
    origin: Mapping[str, Any] | None = None,
    permission: Permission = Permission.RECORD_WRITE,
    phase: Phase = Phase.ENTRY,
) -> Saved:
    """Store `answers` as the next revision of the page at `place`; a save that changes nothing stores nothing.

    `expected` is the revision the caller has seen, 0 for a page that is not there yet, None when it did not say.
    `instead_of` names a void page that this one replaces; `origin` goes into the trail (an import's file and row);
    an import writes by a `permission` of its own.

    Raises, in this order: NotFound (out of sight, or no such page at the visit), Forbidden, Locked,
    PreconditionRequired and Stale with what is there now, Conflict for a page that replaces none, Unreadable with
    every item that cannot be stored, that is required and empty on a page called complete, that a hard edit check
    forbids, or with the reason that is missing.
    """
    if instead_of is not None:  # whoever swaps two pages holds both subjects in one order
        for number in sorted({subject_id, instead_of.subject_id}):
            enrol.lock(session, study_id, number)
    casebook = hold(session, actor, permission, study_id, subject_id)
    locks.assert_writable(casebook.subject, place)
    reason = _stated(reason)
    page = casebook.pages.get(place)
    form = form_at(session, casebook.build, place, page)
    assert_expected(page, expected)
    replaced = _replaced(session, actor, study_id, place, page, instead_of) if instead_of else None
    status = RecordStatus.COMPLETE if complete else RecordStatus.INCOMPLETE
    drafted = draft(session, casebook, place, form, answers, status=status, phase=phase, instead_of=replaced)
    if drafted.unreadable:
        raise Unreadable("Correct these items", errors=faults(drafted.unreadable, form, actor.language))
    if page and drafted.unchanged:
        return Saved(page, form, casebook.subject, stored=False, created=False)
    if complete and (owed := drafted.owed):
        raise Unreadable(
            "Answer these items, or save the page as incomplete", errors=faults(owed, form, actor.language)
        )
    if forbidden := drafted.refused:
        raise Unreadable("Correct these items", errors=faults(forbidden, form, actor.language))
    if page and reason is None and _needs_reason(session, casebook, page, drafted.differences):
        raise Unreadable("Say why these items change", errors=[reason_missing(actor.language)])
    findings = _store(
        session, actor, casebook, page, drafted.page, drafted.differences, drafted.consequences,
        action="record.save", reason=reason,
        detail={"items": sorted({each.item for each in drafted.differences})} | dict(origin or {}),
    )  # fmt: skip
    visits = moved(session, drafted.consequences, casebook.pages, drafted.page)
    return Saved(
        drafted.page, form, casebook.subject,
        stored=True, created=page is None, reading=drafted.reading, findings=findings, moved=visits,
    )  # fmt: skip


def form_at(session: Session, build: Build, place: Place, page: Page | None) -> Form:
    """The form version of a page: that of the page itself, else what the study asks for there. Raises NotFound."""
    if page is not None:
        return form_of(session, place.form, page.form_version)
    try:
        visit = build.study.visit(place.visit)
    except KeyError:
        known = [each.code for each in build.study.visits]
        raise NotFound("The study has no such visit", members={"visits": known}) from None
    if place.form not in {*visit.forms, *visit.optional}:
        raise NotFound("This visit has no such form", members={"forms": [*visit.forms, *visit.optional]})
    if place.visit_repeat > 1 and not visit.repeats:
        raise NotFound("This visit does not repeat; leave the number out")
    form = build.forms[place.form]
    if place.repeat > 1 and not form.repeating:
        raise NotFound("This form does not repeat; leave the number out")
    return form


def assert_expected(page: Page | None, expected: int | None) -> None:
    """Refuse a write that does not say, or wrongly says, which revision it was made upon."""
    current = page.revision if page else 0
    if expected is None:
        raise PreconditionRequired(
            "Send If-Match with the ETag you read, or If-None-Match: * for a page that is not there yet",
            headers={"ETag": etag(current)} if page else {},
            members={"current_revision": current},
        )
    if expected != current:
        raise Stale(
            "Somebody saved this page after you read it; reload it and make your change again"
            if page
            else "There is no such page yet; send If-None-Match: *",
            headers={"ETag": etag(current)} if page else {},
            members={"current_revision": current},
        )


def void(
    session: Session, actor: Actor, study_id: str, subject_id: str, place: Place, *, expected: int | None, reason: str
) -> Saved:
    """Strike a page: it stays readable with its history and counts for nothing from now on.

    A page entered under the wrong subject is struck there, and entered here with `instead_of` naming it. Saving at
    the same place again brings the page back as its next revision.
    """
    said = _stated(reason)
    if said is None:
        raise Unreadable("Say why the page is struck", errors=[reason_missing(actor.language)])
    casebook = hold(session, actor, Permission.RECORD_VOID, study_id, subject_id)
    locks.assert_writable(casebook.subject, place)
    page = casebook.pages.get(place)
    if page is None:
        raise NotFound("There is no such page")
    assert_expected(page, expected)
    form = form_of(session, place.form, page.form_version)
    if page.status == RecordStatus.VOID:
        raise Conflict("This page is void already")
    struck = page._replace(revision=page.revision + 1, status=RecordStatus.VOID.value, at=clock.now())
    worked = follow(session, casebook, struck)
    gone = reading.difference(form, page.answers, {})
    findings = _store(session, actor, casebook, page, struck, gone, worked, action="record.void", reason=said)
    visits = moved(session, worked, casebook.pages, struck)
    return Saved(struck, form, casebook.subject, stored=True, created=False, findings=findings, moved=visits)


def rewrite(
    session: Session,
    actor: Actor,
    casebook: Casebook,
    page: Page,
    stored: Page,
    changed: Sequence[reading.Difference],
    *,
    action: str,
    reason: str,
    detail: Mapping[str, Any],
) -> None:
    """A page as its next revision under another version of its form, for who has asked for leave already.

    What follows is left for when every page of the subject is there. Raises Locked.
    """
    _store(session, actor, casebook, page, stored, changed, None, action=action, reason=reason, detail=detail)


def _store(
    session: Session,
    actor: Actor,
    casebook: Casebook,
    page: Page | None,
    stored: Page,
    changed: Sequence[reading.Difference],
    worked: Consequences | None,
    *,
    action: str,
    reason: str | None,
    detail: Mapping[str, Any] | None = None,
) -> list[Mapping[str, Any]]:
    """`stored` as the next revision of `page`, with its trail and what follows from it; None leaves that for later.

    The findings of the subject that are open afterwards.
    """
    findings: list[Mapping[str, Any]] = []
    subject = casebook.subject
    locks.assert_writable(subject, stored.place, [(each.item, each.row) for each in changed])
    with change(
        session, subject["study_id"], by=actor, action=action, reason=reason, zone=subject["zone"], at=stored.at
    ) as made:
        made.site_id, made.subject_id, made.record_id = subject["site_id"], stored.subject_id, stored.record_id
        made.detail |= stored.place._asdict() | {"revision": stored.revision} | dict(detail or {})
        pointer = {"revision": stored.revision, "status": stored.status, "change_id": made.change_id}
        if page and page.form_version != stored.form_version:
            pointer["form_version"] = stored.form_version
        record = {
            "study_id": made.study_id,
            "record_id": stored.record_id,
            "subject_id": stored.subject_id,
            "visit": stored.place.visit,
            "visit_repeat": stored.place.visit_repeat,
            "form_id": stored.place.form,
            "repeat": stored.place.repeat,
            "form_version": stored.form_version,
            "study_version": stored.study_version,
            "instead_of": stored.instead_of,
        }
        if page:
            made.update(models.record, record, **pointer)
        else:
            made.insert(models.record, record | pointer)
        made.insert(
            models.revision,
            {
                "study_id": made.study_id,
                "record_id": stored.record_id,
                "number": stored.revision,
                "form_version": stored.form_version,
                "status": stored.status,
                "answers": stored.answers,
                "at": made.at,
                "change_id": made.change_id,
            },
        )
        marks.follow(made, subject, page, changed, struck=stored.status == RecordStatus.VOID)
        if worked is not None:
            findings = worked.store(made)
        if stored.status == RecordStatus.VOID:
            strike(made, stored.record_id)
    return findings


def _needs_reason(session: Session, casebook: Casebook, page: Page, differences: Sequence[reading.Difference]) -> bool:
    """A value that is changed or taken away needs a reason; so does anything on a page that was complete, or signed."""
    if page.status != RecordStatus.INCOMPLETE or any(each.before is not None for each in differences):
        return True
    subject = casebook.subject
    signed = last_signed(session, subject["study_id"], [page.record_id]) if subject["reviewed"] else {}
    return any(each.stands for each in signed.values())


def _stated(reason: str | None) -> str | None:
    """A reason that says something; blanks and a single letter do not. Raises Unreadable for one that is not taken."""
    said = (reason or "").strip()
    return str(taken(Reason, said, "reason")) if len(said) >= _SHORTEST_REASON else None


def _replaced(session: Session, actor: Actor, study_id: str, place: Place, page: Page | None, wrong: Elsewhere) -> UUID:
    """The void page of the same form that a new one is entered instead of. Raises NotFound, or Conflict saying why."""
    if page is not None:
        raise Conflict("The page is there already; `instead_of` belongs to the save that begins a page")
    found = hold(session, actor, Permission.RECORD_WRITE, study_id, wrong.subject_id).pages.get(wrong.place)
    if found is None:
        raise NotFound("There is no such page to replace")
    if found.status != RecordStatus.VOID:
        raise Conflict("Void the wrong page first; then enter the right one with `instead_of`")
    if wrong.place.form != place.form:
        raise Conflict("A page replaces a page of the same form")
    table = models.record
    taken = select(table.c.record_id).where(table.c.study_id == study_id, table.c.instead_of == found.record_id)
    if session.execute(taken).first() is not None:
        raise Conflict("Another page was entered instead of this one already")
    return found.record_id
