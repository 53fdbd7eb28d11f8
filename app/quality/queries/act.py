"""What people do in a query: open it on an item, answer it, confirm the value, close, reopen, cancel, assign."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access import grants
from app.access.actor import Actor, absent, require, roles
from app.access.permissions import Permission
from app.audit import change
from app.core.errors import Conflict, Fault, NotFound, Unreadable
from app.forms.definition import Form
from app.models.capture import FindingState, RecordStatus
from app.models.queries import QueryAction, QueryState
from app.quality import locks
from app.quality.queries.record import Speaker, begin, carry_on
from app.quality.queries.states import ALLOWED, TRANSITIONS, possible
from app.study.library import form_of
from app.subjects import enrol, facts
from app.subjects.facts import Page, Place


def ask(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    place: Place,
    item: str,
    row: int | None,
    text: str,
    *,
    assignee: str | None = None,
) -> UUID:
    """Open a query on an item of a page, answered or empty; its key.

    Raises NotFound (no such subject or page), Forbidden, Locked, Conflict for a void page, Unreadable for an item or
    row that the page does not have and for somebody who cannot be asked.
    """
    subject = enrol.lock(session, study_id, subject_id)
    if subject is None:
        raise absent(actor, Permission.QUERY_OPEN, study_id)
    require(actor, Permission.QUERY_OPEN, study_id, subject["site_id"])
    locks.assert_open_for_queries(subject, place, [(item, row)])
    page = facts.pages(session, study_id, subject_id).get(place)
    if page is None:
        raise NotFound("There is no such page")
    if page.status == RecordStatus.VOID:
        raise Conflict("The page is void and counts for nothing; ask about the one entered instead")
    faults = _faults(form_of(session, place.form, page.form_version), page, item, row)
    if faults:
        raise Unreadable("Correct what is listed and send it again.", errors=faults)
    account_id = _asked(session, study_id, subject, assignee)
    with change(session, study_id, by=actor, action="query.open", zone=subject["zone"]) as made:
        made.site_id, made.subject_id, made.record_id = subject["site_id"], subject_id, page.record_id
        where = {"subject_id": subject_id, "record_id": page.record_id, "item": item, "row": row, "rule": None}
        by = _speaker(actor, Permission.QUERY_OPEN, subject)
        query = begin(made, QueryAction.OPEN, by, where, text=text, assignee=account_id)
        made.detail |= place._asdict() | {"item": item, "row": row, "query": str(query["query_id"])}
    return UUID(str(query["query_id"]))


def act(
    session: Session,
    actor: Actor,
    study_id: str,
    query_id: UUID,
    action: QueryAction,
    *,
    text: str | None = None,
    assignee: str | None = None,
    seen: int | None = None,
) -> None:
    """Do one of the other acts. `seen` is how many messages the caller has read; None if it does not matter.

    Raises NotFound, Forbidden, Locked, Conflict with the present state where it does not allow the act or somebody has
    spoken since, Unreadable for somebody who cannot be asked.
    """
    subject, query = hold(session, actor, ALLOWED[action], study_id, query_id)
    _assert_open(session, subject, query)
    state = QueryState(query["state"])
    if (state, action) not in TRANSITIONS or seen not in {None, query["messages"]}:
        raise Conflict(
            "The query has moved on, or this is not possible in its state; read it again",
            members={"state": state.value, "messages": query["messages"], "possible": possible(state)},
        )
    values: dict[str, Any] = {}
    if action is QueryAction.ASSIGN:
        values["assignee"] = _asked(session, study_id, subject, assignee)
    elif action is QueryAction.CONFIRM:
        values["confirmed"] = _standing(session, query)
    elif action is QueryAction.REOPEN:
        values["confirmed"] = None  # who asks again does not take the value for confirmed
    with change(session, study_id, by=actor, action=f"query.{action.value}", zone=subject["zone"]) as made:
        made.site_id, made.subject_id, made.record_id = subject["site_id"], subject["subject_id"], query["record_id"]
        made.detail |= {"item": query["item"], "row": query["row"], "query": str(query_id)}
        carry_on(made, action, _speaker(actor, ALLOWED[action], subject), query, text=text, **values)


def hold(
    session: Session, actor: Actor, permission: Permission, study_id: str, query_id: UUID
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """A query with its subject, both held: whoever saves a page of the subject waits, so the two follow each other."""
    table = models.query
    wanted = select(table).where(table.c.study_id == study_id, table.c.query_id == query_id)
    found = session.execute(wanted).mappings().one_or_none()
    subject = enrol.lock(session, study_id, found["subject_id"]) if found else None
    if subject is None:
        raise absent(actor, permission, study_id)
    require(actor, permission, study_id, subject["site_id"])
    return subject, dict(session.execute(wanted).mappings().one())


def _assert_open(session: Session, subject: Mapping[str, Any], query: Mapping[str, Any]) -> None:
    """Raise Locked where what the query is about is locked; a frozen page still takes answers."""
    if not subject["locks"]:
        return
    table = models.record
    found = session.execute(
        select(table.c.visit, table.c.visit_repeat, table.c.form_id, table.c.repeat).where(
            table.c.study_id == query["study_id"], table.c.record_id == query["record_id"]
        )
    ).one_or_none()
    locks.assert_open_for_queries(subject, Place(*found) if found else None, [(query["item"], query["row"])])


def _faults(form: Form, page: Page, item: str, row: int | None) -> list[Fault]:
    """An item that the page does not have, a row that it does not have, or the other way round."""
    if not form.has(item):
        message = "The form has no item of this name."
        return [Fault("/item", "unknown-item", message, "Name an item of the form.")]
    section = form.section_of(item)
    rows = {each["row"] for each in page.answers.get(section.id) or ()} if section.repeating else {None}
    if row in rows:
        return []
    message = "The page has no such row, or the item does not stand in rows."
    return [Fault("/row", "unknown-row", message, "Give the number of a row that is there, and none elsewhere.")]


def _asked(session: Session, study_id: str, subject: Mapping[str, Any], username: str | None) -> UUID | None:
    """The account of somebody who works on queries at the subject's site. Raises Unreadable."""
    if username is None:
        return None
    for each in _working_at(session, study_id, subject["site_id"]):
        if each["username"] == username:
            return UUID(str(each["account_id"]))
    message = "Nobody of this name works on queries at the site."
    raise Unreadable(message, errors=[Fault("/assignee", "not-assignable", message, "Choose one of queries/people.")])


def answerable(session: Session, actor: Actor, study_id: str, site_id: str) -> list[dict[str, Any]]:
    """Who works on the queries of a site: by user name, with the roles that allow it. Raises NotFound and Forbidden."""
    require(actor, Permission.QUERY_REVIEW, study_id, site_id)
    return _working_at(session, study_id, site_id)


def _working_at(session: Session, study_id: str, site_id: str) -> list[dict[str, Any]]:
    return grants.holders(session, study_id, site_id, {Permission.QUERY_ANSWER, Permission.QUERY_REVIEW})


def _standing(session: Session, query: Mapping[str, Any]) -> str | None:
    """The fingerprint of what the query asks about, as long as the data give rise to it."""
    finding = models.finding
    found = session.execute(
        select(finding.c.fingerprint).where(
            finding.c.study_id == query["study_id"],
            finding.c.finding_id == query["finding_id"],
            finding.c.state == FindingState.OPEN.value,
        )
    ).one_or_none()
    return None if found is None else found.fingerprint or ""


def _speaker(actor: Actor, permission: Permission, subject: Mapping[str, Any]) -> Speaker:
    return Speaker(actor.account_id, actor.name, roles(actor, permission, subject["study_id"], subject["site_id"]))
