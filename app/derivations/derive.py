"""Derive a whole study again from its pages: at any cut-off, as of any instant, and to prove what is stored."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app import models
from app.clinical.endpoints.milestones import History
from app.derivations.conclude import Conclusion, conclude
from app.derivations.looked_at import looked_at
from app.derivations.readings import read_pages
from app.study.library import Build, build_of, form_of
from app.subjects import facts
from app.subjects.facts import Page, Place
from app.subjects.ranges import ranges_of
from app.subjects.whereabouts import site_at


class Derived(NamedTuple):
    """A subject with what its pages amount to; `build` is the study version its site works under."""

    subject: Mapping[str, Any]
    build: Build
    conclusion: Conclusion
    begun: bool
    """Whether there is any page: a subject without one has nothing stored."""

    @property
    def history(self) -> History:
        """The dated facts that the conclusion rests on."""
        return self.conclusion.history


def derived(
    session: Session,
    study_id: str,
    *,
    within: frozenset[str] | None = None,
    subject_id: str | None = None,
    cutoff: date | None = None,
    as_of: datetime | None = None,
) -> Iterator[Derived]:
    """Every subject of the sites `within` (None: all), in the order of subject numbers, derived from its pages."""
    only = _looked_at(session, study_id, as_of) if subject_id is None else None
    for subject, pages in casebooks(session, study_id, within=within, subject_id=subject_id, as_of=as_of, only=only):
        yield of_pages(session, study_id, subject, pages, cutoff=cutoff)


def _looked_at(session: Session, study_id: str, as_of: datetime | None) -> dict[str, list[str]]:
    """What the versions in force, or any that may have been then, read of any version of a form of the study."""
    version = (models.site if as_of is None else models.study_version).c
    versions = session.execute(select(version.version).where(version.study_id == study_id).distinct()).scalars()
    builds = [build_of(session, study_id, each) for each in versions]
    of_study = models.study_form
    named = select(of_study.c.form_id, of_study.c.form_version).where(of_study.c.study_id == study_id).distinct()
    return looked_at(builds, [form_of(session, *each) for each in session.execute(named)])


def casebooks(
    session: Session,
    study_id: str,
    *,
    within: frozenset[str] | None = None,
    subject_id: str | None = None,
    as_of: datetime | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[tuple[dict[str, Any], dict[Place, Page]]]:
    """Every subject of the sites `within` (None: all) with its pages, also one that has none yet; two statements."""
    begun = facts.everybody(session, study_id, sites=within, subject_id=subject_id, as_of=as_of, only=only)
    ahead = next(begun, None)
    for subject in subjects(session, study_id, within, subject_id, as_of):
        pages: dict[Place, Page] = {}
        if ahead is not None and ahead[0] == subject["subject_id"]:
            pages, ahead = ahead[1], next(begun, None)
        yield subject, pages


def of_pages(
    session: Session,
    study_id: str,
    subject: Mapping[str, Any],
    pages: Mapping[Place, Page],
    *,
    cutoff: date | None = None,
) -> Derived:
    """What these pages of a subject amount to."""
    build = build_of(session, study_id, subject["version"])
    ranges = ranges_of(session, study_id, subject["site_id"], subject["ranges"])
    casebook = read_pages(build, partial(form_of, session), facts.counting(pages), ranges, remember=False)
    conclusion = conclude(build, casebook.captured(), casebook.values, cutoff=cutoff)
    return Derived(subject, build, conclusion, begun=bool(pages))


def subjects(
    session: Session, study_id: str, within: frozenset[str] | None, subject_id: str | None, as_of: datetime | None
) -> Iterator[dict[str, Any]]:
    """The subjects of a study in the order of their numbers, with the zone, version and limits of normal of their site.

    As of an instant: the site where they were, the version that they had been derived by, the limits that held there.
    In sight are those whose site now is `within`.
    """
    subject, site = models.subject, models.site
    own = [each for each in subject.c if each is not subject.c.site_id]
    version: ColumnElement[Any] = site.c.version
    ranges: ColumnElement[Any] = site.c.ranges
    if as_of is not None:
        version, ranges = func.coalesce(_derived_by(as_of), version), _held(as_of)
    statement = (
        select(*own, site.c.site_id, version.label("version"), site.c.zone, ranges.label("ranges"))
        .join_from(subject, site, (site.c.study_id == subject.c.study_id) & (site.c.site_id == site_at(as_of)))
        .where(subject.c.study_id == study_id)
        .order_by(subject.c.subject_id)
    )
    if within is not None:
        statement = statement.where(subject.c.site_id.in_(within))
    if subject_id is not None:
        statement = statement.where(subject.c.subject_id == subject_id)
    if as_of is not None:
        statement = statement.where(subject.c.created_at <= as_of)
    rows = session.execute(statement)
    names = tuple(rows.keys())
    yield from [dict(zip(names, row, strict=True)) for row in rows]


def _derived_by(as_of: datetime) -> ColumnElement[Any]:
    """The study version of the results of a subject that stood at an instant."""
    subject, derivation = models.subject.c, models.derivation.c
    return (
        select(derivation.study_version)
        .where(
            derivation.study_id == subject.study_id,
            derivation.subject_id == subject.subject_id,
            derivation.at <= as_of,
        )
        .order_by(derivation.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _held(as_of: datetime) -> ColumnElement[Any]:
    """The import of limits of normal that held at a site at an instant."""
    site, limits, change = models.site.c, models.reference_range.c, models.change.c
    return (
        select(func.max(limits.number))
        .join_from(
            models.reference_range,
            models.change,
            (change.study_id == limits.study_id) & (change.change_id == limits.change_id),
        )
        .where(limits.study_id == site.study_id, limits.site_id == site.site_id, change.at <= as_of)
        .scalar_subquery()
    )
