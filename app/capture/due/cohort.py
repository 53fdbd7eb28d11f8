"""The visits of many subjects at once: five statements, however many subjects, visits and pages there are.

A form version that is no longer in force takes one more, the first time that the process comes upon it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.capture.due import read
from app.capture.due.read import NOT_ASKED, Asked, Row
from app.core import clock
from app.core.days import local_day
from app.forms.definition import Form
from app.models.capture import RecordStatus
from app.models.marks import LockState
from app.quality.signatures.standing import unbroken
from app.study.library import Build, build_of, form_of
from app.study.progress import VisitState
from app.study.review import STRICT
from app.subjects import locked
from app.subjects.facts import Page, Place
from app.subjects.visits import asked_of, dates_of, entered, visits


class There(NamedTuple):
    """A page that counts: where it is, how far, what is asked about it, and whether it waits for a signature."""

    place: Place
    status: str
    asked: Asked
    to_sign: bool


class Member(NamedTuple):
    """A subject with its visits, and the pages that count in the order of their places."""

    subject: Mapping[str, Any]
    build: Build
    states: Sequence[VisitState]
    pages: Sequence[There]
    queries: Mapping[UUID | None, Asked]
    """By page, void ones too; None for those of no page."""
    on: date


def cohort(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    on: date | None = None,
    cursor: str | None = None,
    limit: int,
    scope: tuple[str, ...],
) -> tuple[Iterator[Member], str | None]:
    """One page of the subjects in sight, each with its visits, and the cursor of the next.

    All but old form versions is read by then; each subject is laid out when it is asked for, so that no more is held
    than is told.
    `on` is the day that is looked at; by default today, at the site of each. `scope` is the list that asks: a cursor
    belongs to it and to the day. Raises NotFound and Forbidden.
    """
    require(actor, Permission.SUBJECT_READ, study_id, site)
    subjects, following = read.subjects(
        session, actor, study_id, site, cursor, limit, (*scope, None if on is None else on.isoformat())
    )
    numbers = [row["subject_id"] for row in subjects]
    builds = {version: build_of(session, study_id, version) for version in {row["version"] for row in subjects}}
    forms = frozenset().union(*(asked_of(build).forms for build in builds.values()))
    pages = read.pages(session, study_id, numbers, forms)
    queries = read.queries(session, study_id, numbers)
    signed = unbroken(session, study_id, numbers)
    now = clock.now()
    members = (
        _member(
            row,
            builds[row["version"]],
            pages[number],
            queries.get(number, {}),
            on or local_day(now, row["zone"]),
            signed,
            partial(form_of, session),
        )
        for row, number in zip(subjects, numbers, strict=True)
    )
    return members, following


def _member(
    subject: Mapping[str, Any],
    build: Build,
    rows: Sequence[Row],
    queries: Mapping[UUID | None, Asked],
    on: date,
    signed: Collection[UUID],
    forms: Callable[[str, int], Form],
) -> Member:
    """To be signed is what is complete and of a form that is signed, where nothing is asked and no lock stands."""
    rules = build.study.signing or STRICT
    locks = [lock for lock in subject["locks"] if lock["state"] != LockState.FROZEN]
    there = []
    for visit, visit_repeat, form, repeat, record_id, status, *_ in rows:
        place = Place(visit, visit_repeat, form, repeat)
        asked = queries.get(record_id, NOT_ASKED)
        waits = status == _COMPLETE and record_id not in signed and (asked is NOT_ASKED or rules.despite_queries)
        to_sign = waits and rules.asks(form) and not (locks and any(locked.covers(lock, place) for lock in locks))
        there.append(There(place, status, asked, to_sign))
    return Member(subject, build, _states(subject, build, rows, forms), there, queries, on)


_COMPLETE = RecordStatus.COMPLETE


def _states(
    subject: Mapping[str, Any], build: Build, rows: Sequence[Row], forms: Callable[[str, int], Form]
) -> Sequence[VisitState]:
    """The visits of a subject. They are remembered by the anchors and the revisions that they rest on."""
    number = subject["subject_id"]
    laid: dict[str, tuple[Any, Sequence[VisitState]]] = build.memo.setdefault("laid", {})
    resting = (
        subject["anchors"],
        [(record_id, status, revision, at) for *_, record_id, status, _, _, revision, _, at in rows],
    )
    known = laid.get(number)
    if known is not None and known[0] == resting:
        return known[1]
    pages: dict[Place, Page] = {}
    for *address, record_id, status, version, study_version, revision, answers, at in rows:
        if answers is not None:
            place = Place(*address)
            pages[place] = Page(number, record_id, place, version, study_version, revision, status, answers, at)
    progress = entered((Place(*row[:4]), row[5]) for row in rows)
    states = tuple(visits(build, dates_of(subject), progress, pages, forms))
    if len(laid) >= _REMEMBERED:
        laid.clear()
    laid[number] = resting, states
    return states


_REMEMBERED = 2000
"""Subjects of a study version whose visits a process remembers; those of one take some ten kilobytes."""
