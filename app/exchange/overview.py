"""The tables of a study beside its forms: subjects, visits, records, what was asked about them, and the trail."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from app import models
from app.capture.visits import timeline
from app.derivations.derive import casebooks
from app.derivations.derive import subjects as listed
from app.exchange.archive import Member
from app.exchange.asked import TABLES
from app.exchange.cells import PLACE, SUBJECT, columns, subject_of, text_of
from app.exchange.tables import Scope, moment
from app.forms.answers import difference
from app.study.library import form_of
from app.subjects.facts import PLACED

_BLOCK = 500
Rows = Callable[[], Iterator[list[str]]]


def members(scope: Scope) -> Iterator[Member]:
    """Each table in the order of the archive."""
    for name, shown, rows in (
        ("subjects.csv", _SUBJECTS, _subjects),
        ("visits.csv", _VISITS, _visits),
        ("records.csv", _RECORDS, _records),
        *TABLES,
        ("audit.csv", _AUDIT, _audit),
        ("audit_items.csv", _ITEMS, _items),
    ):
        yield Member(name, shown, _bound(rows, scope))


def _bound(rows: Callable[[Scope], Iterator[list[str]]], scope: Scope) -> Rows:
    return lambda: rows(scope)


_SUBJECTS = columns(
    *SUBJECT,
    ("STATUS", "Status, moved by records", "text"),
    ("CREATED_AT", "When the number was given, UTC", "datetime"),
)
_VISITS = columns(
    *SUBJECT,
    *PLACE[:2],
    ("PLANNED", "Y: in this subject's schedule", "yes_no"),
    ("TARGET", "Target day", "date"),
    ("OPENS", "First day of the window", "date"),
    ("CLOSES", "Last day of the window", "date"),
    ("FORMS_DUE", "Forms due", "integer"),
    ("FORMS_COMPLETE", "Forms due and complete", "integer"),
    ("FORMS_STARTED", "Forms due and begun, not complete", "integer"),
)
_RECORDS = columns(
    *SUBJECT,
    *PLACE,
    ("STATUS", "incomplete, complete or void", "text"),
    ("FORM_VERSION", "Form version", "integer"),
    ("STUDY_VERSION", "Study version", "integer"),
    ("REVISION", "Newest revision", "integer"),
    ("RECORD_ID", "Key of the record", "text"),
    ("INSTEAD_OF", "Void record that this one replaces", "text"),
)
_AUDIT = columns(
    ("STUDYID", "Study", "text"),
    ("SEQ", "Place in the study's chain", "integer"),
    ("AT", "When, UTC", "datetime"),
    ("ZONE", "Time zone of the site", "text"),
    ("ACTOR", "Who", "free text"),
    ("ACTION", "What was done", "text"),
    ("REASON", "Why", "free text"),
    ("SOURCE", "Through what", "text"),
    ("SITEID", "Site", "text"),
    ("SUBJID", "Subject number", "text"),
    *PLACE,
    ("REVISION", "Revision made", "integer"),
    ("ITEMS", "Items changed", "text"),
    ("TABLES", "Rows written, by table", "text"),
    ("HASH", "Head of the chain after this change", "text"),
)
_ITEMS = columns(
    ("STUDYID", "Study", "text"),
    ("SUBJID", "Subject number", "text"),
    *PLACE,
    ("REVISION", "Revision", "integer"),
    ("ROW", "Row of a repeating section", "integer"),
    ("ITEM", "Item", "text"),
    ("BEFORE", "What stood before", "free text"),
    ("AFTER", "What stands now", "free text"),
    ("SEQ", "Place in the study's chain", "integer"),
)


def _subjects(scope: Scope) -> Iterator[list[str]]:
    for row in listed(scope.session, scope.study_id, scope.sites, None, None):
        yield [*subject_of(scope.study_id, row["site_id"], row["subject_id"]), row["status"], moment(row["created_at"])]


def _visits(scope: Scope) -> Iterator[list[str]]:
    for subject, pages in casebooks(scope.session, scope.study_id, within=scope.sites):
        for visit in timeline(scope.session, scope.study_id, subject, pages):
            due = [form["status"] for form in visit["forms"] if form["due"]]
            code, _, repeat = visit["visit"].partition(".")
            yield [
                *subject_of(scope.study_id, subject["site_id"], subject["subject_id"]),
                code,
                repeat or "1",
                "Y" if visit["planned"] else "N",
                *(visit[name].isoformat() if visit[name] else "" for name in ("target", "opens", "closes")),
                str(len(due)),
                str(due.count("complete")),
                str(due.count("incomplete")),
            ]


def _records(scope: Scope) -> Iterator[list[str]]:
    record, subject = models.record, models.subject
    statement = (
        select(record, subject.c.site_id)
        .order_by(record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat)
        .execution_options(yield_per=_BLOCK)
    )
    for row in scope.session.execute(scope.in_sight(statement, record)).mappings():
        yield [
            *subject_of(scope.study_id, row["site_id"], row["subject_id"]),
            *(str(row[name]) for name in ("visit", "visit_repeat", "form_id", "repeat", "status")),
            *(str(row[name]) for name in ("form_version", "study_version", "revision", "record_id")),
            str(row["instead_of"] or ""),
        ]


def _audit(scope: Scope) -> Iterator[list[str]]:
    """The trail of what is in sight: a subject's goes with the subject, to whichever site it is at now."""
    table, subject = models.change, models.subject
    statement = (
        select(table)
        .where(table.c.study_id == scope.study_id)
        .order_by(table.c.seq)
        .execution_options(yield_per=_BLOCK)
    )
    if scope.sites is not None:
        here = select(subject.c.subject_id).where(
            subject.c.study_id == scope.study_id, subject.c.site_id.in_(scope.sites)
        )
        own = table.c.subject_id.is_(None) & table.c.site_id.in_(scope.sites)
        statement = statement.where(table.c.subject_id.in_(here) | own)
    for row in scope.session.execute(statement).mappings():
        told = row["detail"]
        written_to: dict[str, int] = {}
        for each in row["rows"]:
            written_to[each["table"]] = written_to.get(each["table"], 0) + 1
        yield [
            row["study_id"],
            str(row["seq"]),
            moment(row["at"]),
            *(text_of(row[name]) for name in ("zone", "actor", "action", "reason", "source", "site_id", "subject_id")),
            *(text_of(told.get(name)) for name in ("visit", "visit_repeat", "form", "repeat", "revision")),
            "|".join(told.get("items", ())),
            "|".join(f"{name}:{count}" for name, count in sorted(written_to.items())),
            row["hash"].hex(),
        ]


def _items(scope: Scope) -> Iterator[list[str]]:
    record, revision, change = models.record, models.revision, models.change
    statement = (
        select(
            *PLACED,
            record.c.record_id,
            revision.c.number,
            revision.c.form_version,
            revision.c.answers,
            change.c.seq,
        )
        .join_from(
            record,
            revision,
            (revision.c.study_id == record.c.study_id) & (revision.c.record_id == record.c.record_id),
        )
        .join(change, (change.c.study_id == revision.c.study_id) & (change.c.change_id == revision.c.change_id))
        .order_by(
            *PLACED,
            revision.c.number,
        )
        .execution_options(yield_per=_BLOCK)
    )
    before: Mapping[str, Any] = {}
    of = None
    for row in scope.session.execute(scope.in_sight(statement, record)).mappings():
        before = before if of == row["record_id"] else {}
        of = row["record_id"]
        form = form_of(scope.session, row["form_id"], row["form_version"])
        for each in difference(form, before, row["answers"]):
            yield [
                scope.study_id,
                row["subject_id"],
                *(str(row[name]) for name in ("visit", "visit_repeat", "form_id", "repeat", "number")),
                text_of(each.row),
                each.item,
                _told(each.before),
                _told(each.after),
                str(row["seq"]),
            ]
        before = row["answers"]


def _told(answer: Any) -> str:
    """An answer in one cell: the value with its unit, or its missing reason in brackets."""
    if isinstance(answer, Mapping):
        if "missing" in answer:
            return f"[{answer['missing']}]"
        return " ".join(text_of(answer[name]) for name in ("value", "unit") if name in answer)
    return "|".join(answer) if isinstance(answer, list) else text_of(answer)
