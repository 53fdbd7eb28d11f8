"""What people ask each other about the data: a query, and everything said in it."""

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from app.models.base import Key, Moment, key, metadata, one_of


class QueryState(StrEnum):
    """Whose turn it is: the site's while open or reopened, the reviewer's once answered, nobody's afterwards."""

    OPEN = "open"
    REOPENED = "reopened"
    ANSWERED = "answered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class QueryAction(StrEnum):
    """What can happen to a query: the first four by the system, the others by people."""

    RAISE = "raise"
    SPARE = "spare"
    SETTLE = "settle"
    STRIKE = "strike"
    OPEN = "open"
    ANSWER = "answer"
    CONFIRM = "confirm"
    CLOSE = "close"
    REOPEN = "reopen"
    CANCEL = "cancel"
    ASSIGN = "assign"


query = Table(
    "query",
    metadata,
    key("study_id", primary_key=True),
    Column("query_id", Uuid, primary_key=True),
    key("subject_id"),
    Column("record_id", Uuid, nullable=True),
    Column("item", Key, nullable=False),
    Column("row", Integer, nullable=True),
    Column("rule", Key, nullable=True),
    Column("finding_id", Uuid, nullable=True),
    Column("confirmed", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("assignee", Uuid, ForeignKey("account.account_id"), nullable=True),
    Column("messages", Integer, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("closed_at", Moment, nullable=True),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    ForeignKeyConstraint(["study_id", "record_id"], ["record.study_id", "record.record_id"]),
    ForeignKeyConstraint(
        ["study_id", "finding_id"],
        ["finding.study_id", "finding.finding_id"],
        deferrable=True,
        initially="DEFERRED",  # the finding waits to be stored with the rest of the act
    ),
    CheckConstraint("(rule IS NULL) = (finding_id IS NULL)", name="a_rule_has_found_something"),
    CheckConstraint("(closed_at IS NULL) <> (state = 'closed' OR state = 'cancelled')", name="closed_when_resolved"),
    Index(
        "uq_query_rule",
        "study_id",
        "subject_id",
        "record_id",
        "item",
        "row",
        "rule",
        unique=True,
        postgresql_where=text("rule IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_query_subject", "study_id", "subject_id"),
    Index("ix_query_opened", "study_id", "opened_at", "query_id"),
    one_of("state", QueryState),
    comment=(
        "One per rule and item for ever, and as many as people open. `confirmed` is the fingerprint of the value that "
        "somebody said is correct; `opened_at` and `closed_at` are of the last round."
    ),
)

query_message = Table(
    "query_message",
    metadata,
    key("study_id", primary_key=True),
    Column("query_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("account_id", Uuid, nullable=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=True),
    Column("finding_id", Uuid, nullable=True),
    Column("assignee", Uuid, ForeignKey("account.account_id"), nullable=True),
    Column("at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "query_id"], ["query.study_id", "query.query_id"]),
    ForeignKeyConstraint(["study_id", "finding_id"], ["finding.study_id", "finding.finding_id"]),
    one_of("action", QueryAction),
    one_of("state", QueryState),
    comment="Append-only: what was done in a query, by whom, and what was said, whole.",
)
