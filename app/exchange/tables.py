"""A study as tables of text, each streamed in a fixed order: the same position of the chain gives the same bytes.

Form tables hold one row per page that counts; void pages are in `records` and in the trail. Dates stay as collected.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import Select, Table, select
from sqlalchemy.orm import Session

from app import models
from app.core.ahead import ahead
from app.exchange.archive import Member
from app.exchange.cells import ADDRESS, place_of, subject_of
from app.exchange.columns import Column, Columns, columns, repeating_sections
from app.forms.definition import Form
from app.models.capture import RecordStatus
from app.study.library import Build, form_of


@dataclass(frozen=True, slots=True)
class Scope:
    """What is exported: a study, the sites somebody may see (None: all), the cut-off of its endpoints."""

    session: Session
    build: Build
    sites: frozenset[str] | None
    cutoff: date | None

    @property
    def study_id(self) -> str:
        """The key of the study."""
        return self.build.study.study

    def in_sight(self, statement: Select[Any], of: Table) -> Select[Any]:
        """The statement with the subject that each row of a table is of, for the sites in sight."""
        subject = models.subject
        own = (subject.c.study_id == of.c.study_id) & (subject.c.subject_id == of.c.subject_id)
        found = statement.join_from(of, subject, own).where(of.c.study_id == self.study_id)
        return found if self.sites is None else found.where(subject.c.site_id.in_(self.sites))


PAGE = (
    *ADDRESS,
    Column("PAGE_STATUS", "incomplete or complete", "text"),
    Column("FORM_VERSION", "Form version the page was entered under", "integer"),
    Column("STUDY_VERSION", "Study version the page was begun under", "integer"),
    Column("REVISION", "Revision of the page", "integer"),
    Column("SAVED_AT", "When this revision was saved, UTC", "datetime"),
)
ROW = Column("ROW", "Which row of the section", "integer")


def moment(at: datetime | None) -> str:
    """An instant in UTC, ISO 8601 with microseconds."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def form_members(scope: Scope) -> Iterator[Member]:
    """One file per form, and one per repeating section of it, over every version that was ever used."""
    for form_id, forms in sorted(_versions(scope).items()):
        once = columns(forms, None)
        yield Member(f"forms/{form_id}.csv", (*PAGE, *once.shown), _pages_of(scope, form_id, once))
        for section in repeating_sections(forms):
            several = columns(forms, section)
            shown = (*PAGE, ROW, *several.shown)
            yield Member(f"forms/{form_id}__{section}.csv", shown, _rows_of(scope, form_id, section, several))


def _versions(scope: Scope) -> dict[str, list[Form]]:
    """Each form of the study with the versions that any study version names."""
    table = models.study_form
    found: dict[str, list[Form]] = {}
    for form_id, version in scope.session.execute(
        select(table.c.form_id, table.c.form_version).where(table.c.study_id == scope.study_id).distinct()
    ):
        found.setdefault(form_id, []).append(form_of(scope.session, form_id, version))
    return found


def _pages_of(scope: Scope, form_id: str, taken: Columns) -> Callable[[], Iterator[list[str]]]:
    def rows() -> Iterator[list[str]]:
        for page, version, answers, values in _stream(scope, form_id):
            row = page
            for item, take, is_computed in taken.cells[version]:
                row.append(take((values if is_computed else answers).get(item)))
            yield row

    return rows


def _rows_of(scope: Scope, form_id: str, section: str, taken: Columns) -> Callable[[], Iterator[list[str]]]:
    def rows() -> Iterator[list[str]]:
        for page, version, answers, values in _stream(scope, form_id):
            cells = taken.cells[version]
            made = {row["row"]: row for row in values.get(section, ())}
            for row in answers.get(section, ()):
                other: Mapping[str, Any] = made.get(row["row"], {})
                yield [
                    *page,
                    str(row["row"]),
                    *(take((other if is_computed else row).get(item)) for item, take, is_computed in cells),
                ]

    return rows


def _stream(scope: Scope, form_id: str) -> Iterator[tuple[list[str], int, Mapping[str, Any], Mapping[str, Any]]]:
    """The pages of a form that count: the cells of their address, form version, answers, computed items."""
    record, revision, subject, computed = models.record, models.revision, models.subject, models.computed
    newest = (
        select(computed.c["values"])
        .where(computed.c.study_id == record.c.study_id, computed.c.record_id == record.c.record_id)
        .order_by(computed.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            subject.c.site_id,
            record.c.subject_id,
            record.c.visit,
            record.c.visit_repeat,
            record.c.repeat,
            record.c.status,
            revision.c.form_version,
            record.c.study_version,
            record.c.revision,
            revision.c.at,
            revision.c.answers,
            newest,
        )
        .join_from(
            record,
            revision,
            (revision.c.study_id == record.c.study_id)
            & (revision.c.record_id == record.c.record_id)
            & (revision.c.number == record.c.revision),
        )
        .where(record.c.form_id == form_id, record.c.status != RecordStatus.VOID.value)
        .order_by(record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.repeat)
    )
    for row in chain.from_iterable(ahead(scope.session, scope.in_sight(statement, record))):
        site, number, visit, visit_repeat, repeat, status, form_version, version, revised, at, answers, values = row
        page = subject_of(scope.study_id, site, number) + place_of((visit, visit_repeat, form_id, repeat))
        page += [status, str(form_version), str(version), str(revised), moment(at)]
        yield page, form_version, answers, values or {}
