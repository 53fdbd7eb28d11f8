"""What is read of many subjects at once: three statements, however many subjects, visits and pages there are."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, any_, bindparam, case, func, select, true
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, sites
from app.access.permissions import Permission
from app.core.page import page, sorting
from app.core.prepared import Prepared
from app.models.capture import RecordStatus
from app.models.queries import QueryState
from app.subjects import locked
from app.subjects.facts import PLACED


class Asked(NamedTuple):
    """How many queries wait for an answer, and how many have one that somebody has to look at."""

    unanswered: int
    answered: int

    @property
    def unresolved(self) -> int:
        """All of them."""
        return self.unanswered + self.answered


NOT_ASKED = Asked(0, 0)

Row = Sequence[Any]
_PLACE = itemgetter(0, 1, 2, 3)


def subjects(
    session: Session,
    actor: Actor,
    study_id: str,
    at: str | None,
    cursor: str | None,
    limit: int,
    scope: tuple[str | None, ...],
) -> tuple[list[Mapping[str, Any]], str | None]:
    """The subjects with their site's zone and study version, the anchors last derived, and the locks upon them.

    A cursor belongs to its `scope`.
    """
    subject, site, derivation = models.subject, models.site, models.derivation
    newest = (
        select(derivation.c.results["anchors"].label("anchors"))
        .where(derivation.c.study_id == subject.c.study_id, derivation.c.subject_id == subject.c.subject_id)
        .order_by(derivation.c.number.desc())
        .limit(1)
        .lateral("newest")
    )
    locks = locked.covering(subject.c.study_id, subject.c.site_id, subject.c.subject_id).label("locks")
    statement = (
        select(subject, site.c.version, site.c.zone, newest.c.anchors, locks)
        .join_from(subject, site, (site.c.study_id == subject.c.study_id) & (site.c.site_id == subject.c.site_id))
        .outerjoin(newest, true())
        .where(subject.c.study_id == study_id)
    )
    seen = sites(actor, study_id, Permission.SUBJECT_READ)
    if seen is not None:
        statement = statement.where(subject.c.site_id.in_(seen))
    if at is not None:
        statement = statement.where(subject.c.site_id == at)
    order = sorting(None, {"subject": subject.c.subject_id}, default="subject", unique=())
    return page(session, statement, order, cursor=cursor, limit=limit, scope=(*scope, study_id, at))


def pages(session: Session, study_id: str, numbers: Sequence[str], forms: frozenset[str]) -> dict[str, list[Row]]:
    """Every page that counts, by subject in the order of places; what it holds only for these forms, None for others.

    A row is place (four columns), record, status, versions of form and study, revision, answers, and when they came.
    """
    found: dict[str, list[Row]] = {number: [] for number in numbers}
    for number, *row in _PAGES.rows(session, {"study": study_id, "subjects": numbers, "forms": list(forms)}):
        found[number].append(row)
    for rows in found.values():
        rows.sort(key=_PLACE)
    return found


def queries(session: Session, study_id: str, numbers: Sequence[str]) -> dict[str, dict[UUID | None, Asked]]:
    """How many queries are unresolved on each page, by subject."""
    found: dict[str, dict[UUID | None, Asked]] = {}
    for number, record_id, *counts in _QUERIES.rows(session, {"study": study_id, "subjects": numbers}):
        found.setdefault(number, {})[record_id] = Asked(*counts)
    return found


def _asking_pages() -> Select[Any]:
    record, revision = models.record, models.revision
    wanted = record.c.form_id == any_(bindparam("forms", type_=ARRAY(Text)))
    same = (revision.c.study_id == record.c.study_id) & (revision.c.record_id == record.c.record_id)
    return (
        select(
            *PLACED,
            record.c.record_id,
            record.c.status,
            record.c.form_version,
            record.c.study_version,
            record.c.revision,
            case((wanted, revision.c.answers)),
            revision.c.at,
        )
        .join_from(record, revision, same & (revision.c.number == record.c.revision) & wanted, isouter=True)
        .where(
            record.c.study_id == bindparam("study"),
            record.c.subject_id == any_(bindparam("subjects", type_=ARRAY(Text))),
            record.c.status != RecordStatus.VOID.value,
        )
    )


def _asking_queries() -> Select[Any]:
    query = models.query
    answered = query.c.state == QueryState.ANSWERED.value
    return (
        select(query.c.subject_id, query.c.record_id, func.count().filter(~answered), func.count().filter(answered))
        .where(
            query.c.study_id == bindparam("study"),
            query.c.subject_id == any_(bindparam("subjects", type_=ARRAY(Text))),
            query.c.closed_at.is_(None),
        )
        .group_by(query.c.subject_id, query.c.record_id)
    )


_PAGES, _QUERIES = Prepared(_asking_pages(), lists=True), Prepared(_asking_queries(), lists=True)
