"""The visits of many subjects at once: five statements, however many subjects, visits and pages there are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select, true
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.core import clock
from app.core.days import local_day
from app.core.page import page, sorting
from app.models.capture import RecordStatus
from app.models.marks import LockState
from app.models.queries import QueryState
from app.quality.signatures.standing import unbroken
from app.study.library import Build, build_of
from app.study.progress import VisitState
from app.study.review import STRICT
from app.subjects import locked
from app.subjects.facts import Page, Place
from app.subjects.visits import asked_of, dates_of, entered, visits


class Asked(NamedTuple):
    """How many queries wait for an answer, and how many have one that somebody has to look at."""

    unanswered: int
    answered: int

    @property
    def unresolved(self) -> int:
        """All of them."""
        return self.unanswered + self.answered


NOT_ASKED = Asked(0, 0)


@dataclass(frozen=True)
class Member:
    """A subject with the pages it has: where they are, how far, how much is asked about them."""

    subject: Mapping[str, Any]
    build: Build
    states: Sequence[VisitState]
    pages: Mapping[Place, tuple[UUID, str]]
    """Key and status of each page that counts."""
    queries: Mapping[UUID | None, Asked]
    """By page; None for those of no page."""
    on: date
    signed: Collection[UUID]
    """Pages that a signature stands upon, of this subject and others."""

    @cached_property
    def to_sign(self) -> frozenset[UUID]:
        """The pages that wait for a signature: complete, open, of a form that is signed, and nothing is asked there."""
        rules = self.build.study.signing or STRICT
        locks = [lock for lock in self.subject["locks"] if lock["state"] != LockState.FROZEN]
        return frozenset(
            record_id
            for place, (record_id, status) in self.pages.items()
            if status == RecordStatus.COMPLETE and record_id not in self.signed and rules.asks(place.form)
            if (rules.despite_queries or record_id not in self.queries) and locked.strictest(locks, place) is None
        )


def cohort(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    on: date | None = None,
    cursor: str | None = None,
    limit: int,
) -> tuple[list[Member], str | None]:
    """One page of the subjects in sight, each with its visits, and the cursor of the next.

    `on` is the day that is looked at; by default today, at the site of each. Raises NotFound and Forbidden.
    """
    require(actor, Permission.SUBJECT_READ, study_id, site)
    subjects, following = _subjects(session, actor, study_id, site, cursor, limit)
    numbers = [row["subject_id"] for row in subjects]
    builds = {version: build_of(session, study_id, version) for version in {row["version"] for row in subjects}}
    forms = frozenset().union(*(asked_of(build).forms for build in builds.values()))
    pages = _pages(session, study_id, numbers, forms)
    queries = _queries(session, study_id, numbers)
    signed = unbroken(session, study_id, numbers)
    now = clock.now()
    return [
        _member(
            row,
            builds[row["version"]],
            pages.get(number, []),
            queries.get(number, {}),
            on or local_day(now, row["zone"]),
            signed,
        )
        for row, number in zip(subjects, numbers, strict=True)
    ], following


def _subjects(
    session: Session, actor: Actor, study_id: str, at: str | None, cursor: str | None, limit: int
) -> tuple[list[Mapping[str, Any]], str | None]:
    """The subjects with their site's zone and study version, the anchors last derived, and the locks upon them."""
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
    return page(session, statement, order, cursor=cursor, limit=limit, scope=(study_id, at))


def _pages(session: Session, study_id: str, numbers: Sequence[str], forms: frozenset[str]) -> dict[str, list[Any]]:
    """Every page that counts, by subject; what it holds only for these forms."""
    record, revision = models.record, models.revision
    wanted = record.c.form_id.in_(sorted(forms))
    same = (revision.c.study_id == record.c.study_id) & (revision.c.record_id == record.c.record_id)
    rows = session.execute(
        select(
            record.c.subject_id,
            record.c.visit,
            record.c.visit_repeat,
            record.c.form_id,
            record.c.repeat,
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
            record.c.study_id == study_id,
            record.c.subject_id.in_(numbers),
            record.c.status != RecordStatus.VOID.value,
        )
        .order_by(record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat)
    )
    found: dict[str, list[Any]] = {}
    for number, *rest in rows:
        found.setdefault(number, []).append(rest)
    return found


def _queries(session: Session, study_id: str, numbers: Sequence[str]) -> dict[str, dict[UUID | None, Asked]]:
    """How many queries are unresolved on each page, by subject."""
    query = models.query
    answered = query.c.state == QueryState.ANSWERED.value
    rows = session.execute(
        select(
            query.c.subject_id,
            query.c.record_id,
            func.count().filter(~answered),
            func.count().filter(answered),
        )
        .where(query.c.study_id == study_id, query.c.subject_id.in_(numbers), query.c.closed_at.is_(None))
        .group_by(query.c.subject_id, query.c.record_id)
    )
    found: dict[str, dict[UUID | None, Asked]] = {}
    for number, record_id, *counts in rows:
        found.setdefault(number, {})[record_id] = Asked(*counts)
    return found


def _member(
    subject: Mapping[str, Any],
    build: Build,
    rows: Sequence[Any],
    queries: Mapping[UUID | None, Asked],
    on: date,
    signed: Collection[UUID],
) -> Member:
    pages = {Place(*row[:4]): (row[4], row[5]) for row in rows}
    progress = entered((place, status) for place, (_, status) in pages.items())
    read = dict(_read(subject["subject_id"], rows))
    states = tuple(visits(build, dates_of(subject), progress, read))
    return Member(subject, build, states, pages, queries, on, signed)


def _read(number: str, rows: Sequence[Any]) -> Iterator[tuple[Place, Page]]:
    """The pages whose answers were read."""
    for *address, record_id, status, form_version, study_version, revision, answers, at in rows:
        if answers is not None:
            place = Place(*address)
            yield place, Page(number, record_id, place, form_version, study_version, revision, status, answers, at)
