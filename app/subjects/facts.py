"""What is known of a subject, now or as of an instant: read in this one place by capture, derivations and exports."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, Text, bindparam, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.core.ahead import ahead
from app.core.db import loads
from app.core.prepared import Prepared
from app.models.capture import RecordStatus


class Place(NamedTuple):
    """Where a page stands in a casebook; repeats count from 1."""

    visit: str
    visit_repeat: int
    form: str
    repeat: int


class Page(NamedTuple):
    """A record as it stood: its address, its revision and what it held. A void one is a page, not among `counting`."""

    subject_id: str
    record_id: UUID
    place: Place
    form_version: int
    study_version: int
    revision: int
    status: str
    answers: Mapping[str, Any]
    at: datetime
    instead_of: UUID | None = None


def pages(session: Session, study_id: str, subject_id: str, *, as_of: datetime | None = None) -> dict[Place, Page]:
    """Every page of a subject by its place, void ones included; one statement."""
    if as_of is None:
        return _placed(_PAGES.rows(session, {"study": study_id, "subject": subject_id}))
    statement = _statement(study_id, as_of).where(models.record.c.subject_id == subject_id)
    return _placed(session.execute(statement))


def everybody(
    session: Session,
    study_id: str,
    *,
    sites: frozenset[str] | None = None,
    subject_id: str | None = None,
    as_of: datetime | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[tuple[str, dict[Place, Page]]]:
    """Every subject that has a page, with all pages, in the order of subject numbers; one statement, streamed.

    `sites` and `subject_id` narrow it. `only` names the answers by form that somebody is going to look at, where that
    is not all of them: reading the others is most of the time that a whole study takes.
    """
    statement = _statement(study_id, as_of, only)
    if sites is not None:
        statement = statement.join(
            models.subject,
            (models.subject.c.study_id == models.record.c.study_id)
            & (models.subject.c.subject_id == models.record.c.subject_id),
        ).where(models.subject.c.site_id.in_(sites))
    if subject_id is not None:
        statement = statement.where(models.record.c.subject_id == subject_id)
    rows = chain.from_iterable(ahead(session, statement, at_once=_AT_ONCE if only is None else 4 * _AT_ONCE))
    for subject, found in groupby(rows, key=itemgetter(0)):
        yield subject, _placed(found)


def counting(pages_: Mapping[Place, Page]) -> Iterator[Page]:
    """The pages that count: those not void."""
    return (page for page in pages_.values() if page.status != RecordStatus.VOID)


def standing(pages_: Mapping[Place, Page]) -> list[Page]:
    """The pages that count, those not void, in the order of their places: what comes of them depends on no other."""
    return sorted(counting(pages_), key=attrgetter("place"))


def _statement(
    study_id: str | BindParameter[str], as_of: datetime | None, only: Mapping[str, Sequence[str]] | None = None
) -> Select[Any]:
    record, revision = models.record, models.revision
    answers: ColumnElement[Any] = revision.c.answers
    if few := {form: _these(some) for form, some in (only or {}).items() if len(some) <= _NAMED}:
        answers = case(few, value=record.c.form_id, else_=answers)
    wanted = (
        record.c.subject_id,
        record.c.record_id,
        record.c.visit,
        record.c.visit_repeat,
        record.c.form_id,
        record.c.repeat,
        revision.c.form_version,
        record.c.study_version,
        revision.c.number,
        revision.c.status,
        cast(answers, Text),  # read by `_placed`: the driver's own way to a reader takes as long as the reading
        revision.c.at,
        record.c.instead_of,
    )
    same = (revision.c.study_id == record.c.study_id) & (revision.c.record_id == record.c.record_id)
    if as_of is None:
        same &= revision.c.number == record.c.revision
        return select(*wanted).join_from(record, revision, same).where(record.c.study_id == study_id).order_by(*PLACED)
    return (
        select(*wanted)
        .join_from(record, revision, same)
        .where(record.c.study_id == study_id, revision.c.at <= as_of)
        .order_by(*PLACED, revision.c.number.desc())
        .ext(distinct_on(*PLACED))
    )


_AT_ONCE = 500
"""So many whole pages are read at a time, and four times as many of which little is looked at."""

_NAMED = 50
"""Of so many members the server builds a JSON object; a page of which more is looked at comes whole."""


def _these(names: Sequence[str]) -> ColumnElement[Any]:
    """The answers of these names, as far as there are any: no stored answer is null."""
    found = (part for name in names for part in (literal(name, Text), models.revision.c.answers[name]))
    return func.jsonb_strip_nulls(func.jsonb_build_object(*found))


PLACED = tuple(models.record.c[name] for name in ("subject_id", "visit", "visit_repeat", "form_id", "repeat"))
"""The columns of a page's subject and place, in the order of casebooks."""


def _placed(rows: Iterable[Sequence[Any]]) -> dict[Place, Page]:
    """The pages in rows of `_statement`."""
    found = {}
    for subject, record, visit, visit_repeat, form, repeat, version, of_study, number, status, held, at, before in rows:
        place = Place(visit, visit_repeat, form, repeat)
        found[place] = Page(subject, record, place, version, of_study, number, status, loads(held), at, before)
    return found


_PAGES = Prepared(
    _statement(bindparam("study", type_=Text), None).where(models.record.c.subject_id == bindparam("subject"))
)
"""The pages of one subject as they stand: what every save and every look at a page begins with, put together once."""
