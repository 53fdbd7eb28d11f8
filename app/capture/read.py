"""Reading what was captured: a page, its history item by item, a subject's whole casebook; now or as of an instant."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Text, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require
from app.access.permissions import Permission
from app.capture.beside import CHANGED
from app.capture.save import Saved
from app.capture.visits import visits_of
from app.core import clock
from app.core.days import local_day
from app.core.errors import NotFound
from app.derivations.read import latest, told
from app.derivations.working import worked
from app.forms import answers as reading
from app.forms.definition import Lang
from app.quality.marks import Marks, of_subject
from app.quality.queries.standing import brief, standing
from app.quality.read import describe, open_findings
from app.study.library import Build, build_of, form_of
from app.subjects import enrol, facts, locked
from app.subjects.address import written
from app.subjects.facts import Page, Place
from app.subjects.reviewed import reviewed
from app.subjects.whereabouts import site_at


class Computed(NamedTuple):
    """The computed items of a page, and by which rules, from what, those came about that a rule decides.

    `beside` are those that the page was closed or signed with.
    """

    items: Mapping[str, Any]
    working: Mapping[str, Any] | None
    beside: Mapping[str, Any] | None = None


NOT_COMPUTED = Computed({}, None)


def find(
    session: Session,
    actor: Actor,
    permission: Permission,
    study_id: str,
    subject_id: str,
    *,
    as_of: datetime | None = None,
) -> tuple[Mapping[str, Any], Build]:
    """A subject within sight with its locks, and the build its site works under. Raises NotFound and Forbidden.

    `was_at` and `zone` are those of an instant; who may see the subject is asked of the site where it is now.
    """
    statement = _FOUND if as_of is None else _finding(as_of)
    found = session.execute(statement, {"study": study_id, "subject": subject_id}).mappings().one_or_none()
    if found is None:
        raise absent(actor, permission, study_id)
    require(actor, permission, study_id, found["site_id"])
    return dict(found), build_of(session, study_id, found["version"])


def _finding(as_of: datetime | None = None) -> Select[Any]:
    study, subject_id = bindparam("study", type_=Text), bindparam("subject", type_=Text)
    subject, site = models.subject, models.site
    then = site if as_of is None else site.alias("site_then")
    found = (
        select(
            subject,
            then.c.site_id.label("was_at"),
            then.c.zone,
            site.c.version,
            site.c.ranges,
            locked.covering(study, site.c.site_id, subject_id).label("locks"),
            reviewed(study, subject_id).label("reviewed"),
        )
        .join_from(subject, site, (site.c.study_id == subject.c.study_id) & (site.c.site_id == subject.c.site_id))
        .where(subject.c.study_id == study, subject.c.subject_id == subject_id)
    )
    if as_of is None:
        return found
    return found.join(then, (then.c.study_id == subject.c.study_id) & (then.c.site_id == site_at(as_of)))


_FOUND = _finding()


def page(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    place: Place,
    *,
    as_of: datetime | None = None,
) -> dict[str, Any]:
    """One page as it stands or stood, with its computed items, open findings and locks. Raises NotFound."""
    subject, _ = find(session, actor, Permission.RECORD_READ, study_id, subject_id)
    found = facts.pages(session, study_id, subject_id, as_of=as_of).get(place)
    if found is None:
        raise NotFound("There is no such page" if as_of is None else "There was no such page then")
    values = computed(session, study_id, [found.record_id], as_of=as_of)
    findings = open_findings(session, study_id, subject_id, as_of=as_of)
    queries = standing(session, study_id, subject_id, as_of=as_of)
    marks = of_subject(session, subject, found.record_id) if as_of is None else None
    return view(session, study_id, found, values, findings, queries, marks, actor.language, as_of=as_of)


def after(session: Session, study_id: str, saved: Saved, language: Lang) -> dict[str, Any]:
    """The page that a save has just left behind; what the save has worked out is not read again."""
    page, marks = saved.page, of_subject(session, saved.held, saved.page.record_id)
    asked = saved.held["questioned"] or saved.findings  # a rule asks only where it has found something
    queries = standing(session, study_id, page.subject_id) if asked else []
    if saved.reading is not None:
        values = {page.record_id: Computed(saved.reading.judged.computed, worked(saved.reading))}
        return view(session, study_id, page, values, saved.findings, queries, marks, language)
    values = computed(session, study_id, [page.record_id])
    findings = open_findings(session, study_id, page.subject_id)
    return view(session, study_id, page, values, findings, queries, marks, language)


def view(
    session: Session,
    study_id: str,
    found: Page,
    values: Mapping[UUID, Computed],
    findings: Sequence[Mapping[str, Any]],
    queries: list[Mapping[str, Any]],
    marks: Marks | None,
    language: Lang,
    *,
    as_of: datetime | None = None,
) -> dict[str, Any]:
    """A page as answers show it: its address as people write it, then what it holds, and what was said of it.

    `marks` are those of today, None for a page of the past.
    """
    form = form_of(session, found.place.form, found.form_version)
    made = values.get(found.record_id, NOT_COMPUTED)
    of_page = [row for row in findings if row["record_id"] == found.record_id]
    changed = any(row["rule"] == CHANGED for row in of_page)
    return {
        "study": study_id,
        "subject": found.subject_id,
        "visit": written(found.place.visit, found.place.visit_repeat),
        "form": written(found.place.form, found.place.repeat),
        "form_version": found.form_version,
        "study_version": found.study_version,
        "revision": found.revision,
        "status": found.status,
        "answers": found.answers,
        "computed": made.items,
        "working": made.working or {},
        "beside": (made.beside or {}) if changed else {},
        "findings": [describe(row, form, language) for row in of_page],
        "queries": [brief(row, form, language, as_of) for row in queries if row["record_id"] == found.record_id],
        "saved_at": found.at,
        "instead_of": found.instead_of,
        "record_id": found.record_id,
        "marks": marks.on(found) if marks else None,
    }


def computed(
    session: Session, study_id: str, record_ids: list[UUID], *, as_of: datetime | None = None
) -> dict[UUID, Computed]:
    """The computed items of pages, as they last came out; one statement."""
    statement = _COMPUTED if as_of is None else _COMPUTED.where(models.computed.c.at <= as_of)
    found = session.execute(statement, {"study": study_id, "records": record_ids})
    return {row.record_id: Computed(row[1], row.working, row.beside) for row in found}


_COMPUTED = (
    select(
        models.computed.c.record_id, models.computed.c["values"], models.computed.c.working, models.computed.c.beside
    )
    .where(
        models.computed.c.study_id == bindparam("study", type_=Text),
        models.computed.c.record_id.in_(bindparam("records", expanding=True)),
    )
    .ext(distinct_on(models.computed.c.record_id))
    .order_by(models.computed.c.record_id, models.computed.c.number.desc())
)


def history(session: Session, actor: Actor, study_id: str, subject_id: str, place: Place) -> list[dict[str, Any]]:
    """Every revision of a page, oldest first: who, when, why, and what it did to each item, from nothing onwards."""
    find(session, actor, Permission.HISTORY_READ, study_id, subject_id)
    record, revision, change = models.record, models.revision, models.change
    rows = session.execute(
        select(
            revision.c.number,
            revision.c.form_version,
            revision.c.status,
            revision.c.answers,
            change.c.actor,
            change.c.at,
            change.c.zone,
            change.c.action,
            change.c.reason,
            change.c.source,
            change.c.seq,
        )
        .join_from(
            record,
            revision,
            (revision.c.study_id == record.c.study_id) & (revision.c.record_id == record.c.record_id),
        )
        .join(
            change,
            (change.c.study_id == revision.c.study_id) & (change.c.change_id == revision.c.change_id),
        )
        .where(
            record.c.study_id == study_id,
            record.c.subject_id == subject_id,
            record.c.visit == place.visit,
            record.c.visit_repeat == place.visit_repeat,
            record.c.form_id == place.form,
            record.c.repeat == place.repeat,
        )
        .order_by(revision.c.number)
    ).mappings()
    told = list(_told(session, place, rows, actor.language))
    if not told:
        raise NotFound("There is no such page")
    return told


def _told(session: Session, place: Place, rows: Any, language: Lang) -> Iterator[dict[str, Any]]:
    before: Mapping[str, Any] = {}
    for row in rows:
        form = form_of(session, place.form, row["form_version"])
        yield {
            "revision": row["number"],
            "form_version": row["form_version"],
            "status": row["status"],
            "by": row["actor"],
            "at": row["at"],
            "zone": row["zone"],
            "action": row["action"],
            "reason": row["reason"],
            "source": row["source"],
            "change": row["seq"],
            "items": [
                {
                    "item": each.item,
                    "row": each.row,
                    "label": form.item(each.item).label.of(language) if form.has(each.item) else each.item,
                    "before": each.before,
                    "after": each.after,
                }
                for each in reading.difference(form, before, row["answers"])
            ],
        }
        before = row["answers"]


def casebook(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    *,
    as_of: datetime | None = None,
    on: date | None = None,
) -> dict[str, Any]:
    """Everything of a subject: visits with their windows and forms, values, findings, endpoints.

    Where the visits stand is told for the day `on`; by default that of the instant, or today, at the subject's site.
    The number of statements is the same however much there is.
    """
    subject, build = find(session, actor, Permission.RECORD_READ, study_id, subject_id, as_of=as_of)
    on = on or local_day(as_of or clock.now(), subject["zone"])
    pages = facts.pages(session, study_id, subject_id, as_of=as_of)
    values = computed(session, study_id, [each.record_id for each in pages.values()], as_of=as_of)
    findings = open_findings(session, study_id, subject_id, as_of=as_of)
    queries = standing(session, study_id, subject_id, as_of=as_of)
    concluded = latest(session, study_id, subject_id, as_of=as_of)
    marks = of_subject(session, subject) if as_of is None else None
    derived_by = build_of(session, study_id, concluded.get("study_version", build.study.version))
    build = build if as_of is None else derived_by
    return {
        "study": study_id,
        "subject": subject_id,
        "site": subject["was_at"],
        "status": subject["status"] if as_of is None else concluded.get("status", enrol.FIRST_STATUS),
        "study_version": build.study.version,
        "lock": marks.state if marks else None,
        "visits": list(visits_of(session, build, concluded, pages, actor.language, on)),
        "pages": [
            view(session, study_id, each, values, findings, queries, marks, actor.language, as_of=as_of)
            for each in pages.values()
        ],
        "findings": [describe(row, None, actor.language) for row in findings if row["record_id"] is None],
        "queries": [brief(row, None, actor.language, as_of) for row in queries if row["record_id"] is None],
        "endpoints": told(derived_by, concluded.get("endpoints", {}), actor.language),
    }
