"""Open findings, and the words in which a person reads one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, or_, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.core.page import page, sorting
from app.forms.answers import Question
from app.forms.definition import Form, Lang
from app.forms.words import say
from app.models.capture import FindingState
from app.quality.words import FORMER, WORDS
from app.study.library import form_of
from app.subjects.address import written


def open_findings(
    session: Session, study_id: str, subject_id: str, *, as_of: datetime | None = None
) -> list[Mapping[str, Any]]:
    """A subject's findings open now, or open at an instant; one statement."""
    asked = {"study": study_id, "subject": subject_id}
    if as_of is None:
        return [dict(row) for row in session.execute(_OPEN, asked).mappings()]
    table = models.finding
    statement = _FINDINGS.where(table.c.opened_at <= as_of, or_(table.c.closed_at.is_(None), table.c.closed_at > as_of))
    return [dict(row) for row in session.execute(statement, asked).mappings()]


_FINDINGS = (
    select(models.finding)
    .where(
        models.finding.c.study_id == bindparam("study", type_=Text),
        models.finding.c.subject_id == bindparam("subject", type_=Text),
    )
    .order_by(models.finding.c.opened_at, models.finding.c.finding_id)
)
_OPEN = _FINDINGS.where(models.finding.c.state == FindingState.OPEN.value)


def describe(row: Mapping[str, Any], form: Form | None, language: Lang) -> dict[str, Any]:
    """A finding as answers show it: where, which rule, what it means and what to do."""
    message, remedy = told(row, form, language)
    return {
        "finding": row["finding_id"],
        "item": row["item"],
        "row": row["row"],
        "rule": row["rule"],
        "message": message,
        "remedy": remedy,
        "opened_at": row["opened_at"],
    }


def told(row: Mapping[str, Any], form: Form | None, language: Lang) -> tuple[str, str]:
    """(message, remedy) of a rule at an item: by the form where it has the item, else by what is told of endpoints."""
    if form is not None and form.has(row["item"]):
        return say(Question(row["item"], row["row"], row["rule"], row["detail"]), form, language)
    return WORDS.get(row["rule"], FORMER)[language]


def list_findings(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    subject_id: str | None = None,
    rule: str | None = None,
    state: FindingState = FindingState.OPEN,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of a study's findings at the sites in sight, with the address of each, and the cursor of the next."""
    require(actor, Permission.FINDING_READ, study_id, site)
    finding, subject, record = models.finding, models.subject, models.record
    statement = (
        select(
            finding, subject.c.site_id, record.c.visit, record.c.visit_repeat,
            record.c.form_id, record.c.repeat, record.c.form_version,
        )
        .join_from(
            finding,
            subject,
            (subject.c.study_id == finding.c.study_id) & (subject.c.subject_id == finding.c.subject_id),
        )
        .outerjoin(record, (record.c.study_id == finding.c.study_id) & (record.c.record_id == finding.c.record_id))
        .where(finding.c.study_id == study_id, finding.c.state == state.value)
    )  # fmt: skip
    seen = sites(actor, study_id, Permission.FINDING_READ)
    if seen is not None:
        statement = statement.where(subject.c.site_id.in_(seen))
    for column, wanted in ((subject.c.site_id, site), (finding.c.subject_id, subject_id), (finding.c.rule, rule)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    order = sorting(
        sort,
        {"subject": finding.c.subject_id, "opened_at": finding.c.opened_at, "rule": finding.c.rule},
        default="subject",
        unique=(finding.c.finding_id,),
    )
    scope = (study_id, site, subject_id, rule, state.value)
    rows, following = page(session, statement, order, cursor=cursor, limit=limit, scope=scope)
    shown = []
    for row in rows:
        form = form_of(session, row["form_id"], row["form_version"]) if row["form_id"] else None
        place = {
            "visit": written(row["visit"], row["visit_repeat"]) if form else None,
            "form": written(row["form_id"], row["repeat"]) if form else None,
        }
        shown.append(
            {"subject": row["subject_id"], "site": row["site_id"], "state": row["state"]}
            | place
            | describe(row, form, actor.language)
        )
    return shown, following
