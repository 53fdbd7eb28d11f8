"""What was asked about the data: findings of rules, queries, and every message in them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, Table, select

from app import models
from app.exchange.cells import PLACE, SUBJECT, columns, subject_of, text_of
from app.exchange.tables import Scope, moment

_BLOCK = 500
_FEW = 50  # messages at a time: each may be as long as a request

_FINDINGS = columns(
    *SUBJECT,
    *PLACE,
    ("ITEM", "Item, or endpoint", "text"),
    ("ROW", "Row of a repeating section", "integer"),
    ("RULE", "Rule that found it", "text"),
    ("SEVERITY", "query: asks people; note: tells them", "text"),
    ("STATE", "open or closed", "text"),
    ("OPENED_AT", "Opened, UTC", "datetime"),
    ("CLOSED_AT", "Closed, UTC", "datetime"),
)
_QUERIES = columns(
    *SUBJECT,
    *PLACE,
    ("ITEM", "Item, or endpoint", "text"),
    ("ROW", "Row of a repeating section", "integer"),
    ("RULE", "Rule that asks; empty: a person asked", "text"),
    ("QUERY_ID", "Key of the query", "text"),
    ("STATE", "open, reopened, answered, closed or cancelled", "text"),
    ("ASSIGNEE", "User name of who is to see to it", "text"),
    ("MESSAGES", "Messages in the thread", "integer"),
    ("OPENED_AT", "Last opened, UTC", "datetime"),
    ("CHANGED_AT", "When the state last changed, UTC", "datetime"),
    ("CLOSED_AT", "Closed or cancelled, UTC", "datetime"),
)
_MESSAGES = columns(
    ("STUDYID", "Study", "text"),
    ("SUBJID", "Subject number", "text"),
    ("QUERY_ID", "Key of the query", "text"),
    ("NUMBER", "Place in the thread", "integer"),
    ("AT", "When, UTC", "datetime"),
    ("ACTION", "What was done", "text"),
    ("STATE", "State of the query after it", "text"),
    ("NAME", "Who, as named at the time", "free text"),
    ("ROLE", "In which role; system: a rule", "text"),
    ("ASSIGNEE", "User name of who was assigned", "text"),
    ("TEXT", "What was said, whole", "free text"),
)
_account, _subject, _record = models.account, models.subject, models.record


def _findings(scope: Scope) -> Iterator[list[str]]:
    finding = models.finding
    statement = _placed(finding, _subject.c.site_id).order_by(
        finding.c.subject_id, finding.c.opened_at, finding.c.finding_id
    )
    for row in _rows(scope, statement, finding):
        yield [
            *subject_of(scope.study_id, row["site_id"], row["subject_id"]),
            *(text_of(row[name]) for name in (*_ADDRESS, "severity", "state")),
            *(moment(row[name]) for name in ("opened_at", "closed_at")),
        ]


def _queries(scope: Scope) -> Iterator[list[str]]:
    query = models.query
    statement = (
        _placed(query, _subject.c.site_id, _account.c.username)
        .outerjoin(_account, _account.c.account_id == query.c.assignee)
        .order_by(query.c.subject_id, query.c.opened_at, query.c.query_id)
    )
    for row in _rows(scope, statement, query):
        yield [
            *subject_of(scope.study_id, row["site_id"], row["subject_id"]),
            *(text_of(row[name]) for name in (*_ADDRESS, "query_id", "state", "username", "messages")),
            *(moment(row[name]) for name in ("opened_at", "changed_at", "closed_at")),
        ]


def _messages(scope: Scope) -> Iterator[list[str]]:
    query, message = models.query, models.query_message
    statement = (
        select(message, query.c.subject_id, _account.c.username)
        .join_from(message, query, (query.c.study_id == message.c.study_id) & (query.c.query_id == message.c.query_id))
        .outerjoin(_account, _account.c.account_id == message.c.assignee)
        .order_by(query.c.subject_id, message.c.query_id, message.c.number)
    )
    for row in _rows(scope, statement, query, at_once=_FEW):
        yield [
            scope.study_id,
            *(text_of(row[name]) for name in ("subject_id", "query_id", "number")),
            moment(row["at"]),
            *(text_of(row[name]) for name in ("action", "state", "name", "role", "username", "text")),
        ]


_ADDRESS = ("visit", "visit_repeat", "form_id", "repeat", "item", "row", "rule")


def _placed(table: Table, *more: Any) -> Select[Any]:
    """Rows that speak of an item, with their pages where they have one."""
    record = _record.c
    own = (record.study_id == table.c.study_id) & (record.record_id == table.c.record_id)
    place = (record.visit, record.visit_repeat, record.form_id, record.repeat)
    return select(table, *more, *place).join_from(table, _record, own, isouter=True)


def _rows(scope: Scope, statement: Select[Any], of: Table, *, at_once: int = _BLOCK) -> Iterator[Any]:
    streamed = scope.in_sight(statement, of).execution_options(yield_per=at_once)
    yield from scope.session.execute(streamed).mappings()


TABLES = (
    ("findings.csv", _FINDINGS, _findings),
    ("queries.csv", _QUERIES, _queries),
    ("query_messages.csv", _MESSAGES, _messages),
)
