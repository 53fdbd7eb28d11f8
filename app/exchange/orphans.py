"""Answers that a migration retired, as they were collected: out of the forms, and not out of the export.

A page that has come back to the form version before has them itself again. What counts is the version that the page is
of: its site may have gone another way, while it was void or after its subject had moved.
"""

from collections.abc import Iterator

from sqlalchemy import Subquery, func, select

from app import models
from app.exchange.archive import Member
from app.exchange.cells import ADDRESS, place_of, subject_of, text_of
from app.exchange.columns import Column, plain
from app.exchange.tables import Scope
from app.forms import answers as reading
from app.models.capture import RecordStatus
from app.study.library import form_of

_BLOCK = 2000
ORPHANS = (
    *ADDRESS,
    Column("ROW", "Row of a repeating section", "integer"),
    Column("ITEM", "Item, by its name in the form version it was collected with", "text"),
    Column("QUESTION", "Question as it stood on the page", "text", text=True),
    Column("VALUE", "What was collected", "text", text=True),
    Column("UNIT", "Unit it was collected in", "text", text=True),
    Column("MISSING", "Why there is no value", "text"),
    Column("FORM_VERSION", "Form version it was collected with", "integer"),
    Column("REVISION", "Revision of the page that holds it", "integer"),
    Column("MIGRATION", "Key of the migration that retired it", "text"),
)


def members(scope: Scope) -> Iterator[Member]:
    """orphans.csv; of pages that were taken back there are none."""
    yield Member("orphans.csv", ORPHANS, lambda: _rows(scope))


def _rows(scope: Scope) -> Iterator[list[str]]:
    page, record, subject, revision = models.migrated_page, models.record, models.subject, models.revision
    last = _last(scope.study_id)
    at_last = (last.c.record_id == page.c.record_id) & (last.c.revision == page.c.revision)
    of_page = (record.c.study_id == page.c.study_id) & (record.c.record_id == page.c.record_id)
    before = (
        (revision.c.study_id == page.c.study_id)
        & (revision.c.record_id == page.c.record_id)
        & (revision.c.number == page.c.before)
    )
    statement = (
        select(subject.c.site_id, record, page.c.orphans, page.c.migration_id, revision)
        .join_from(page, last, at_last)
        .join(record, of_page)
        .join(revision, before)
        .where(last.c.form_version <= record.c.form_version, record.c.status != RecordStatus.VOID.value)
        .order_by(
            record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat,
            page.c.revision,
        )
        .execution_options(yield_per=_BLOCK)
    )  # fmt: skip
    for row in scope.session.execute(scope.in_sight(statement, record)):
        found = row._mapping  # noqa: SLF001 - columns of several tables share their names
        form = form_of(scope.session, found[record.c.form_id], found[revision.c.form_version])
        at = subject_of(scope.study_id, found[subject.c.site_id], found[record.c.subject_id])
        at += place_of(found[record.c[name]] for name in ("visit", "visit_repeat", "form_id", "repeat"))
        for each in found[page.c.orphans]:
            item, place = form.item(each["item"]), each["row"]
            answer = _answer(found[revision.c.answers], form.section_of(item.id).id, item.id, place)
            value, unit, missing = reading.plain(answer)
            shown = [text_of(place), item.id, item.label.en, plain(value)]
            unit = (unit or item.unit or "") if value is not None else ""
            version = [str(form.version), str(found[revision.c.number]), str(found[page.c.migration_id])]
            yield [*at, *shown, unit, missing or "", *version]


def _last(study_id: str) -> Subquery:
    """The revision by which each page came to each form version last."""
    page, revision = models.migrated_page, models.revision
    made = (
        (revision.c.study_id == page.c.study_id)
        & (revision.c.record_id == page.c.record_id)
        & (revision.c.number == page.c.revision)
    )
    return (
        select(page.c.record_id, func.max(page.c.revision).label("revision"), revision.c.form_version)
        .join_from(page, revision, made)
        .where(page.c.study_id == study_id)
        .group_by(page.c.record_id, revision.c.form_version)
        .subquery()
    )


def _answer(answers: dict[str, object], section: str, item: str, row: int | None) -> object:
    if row is None:
        return answers.get(item)
    rows = answers.get(section)
    return next((each.get(item) for each in rows if each["row"] == row), None) if isinstance(rows, list) else None
