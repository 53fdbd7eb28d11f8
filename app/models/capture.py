"""What was collected: subjects, records, their revisions, and what was concluded from them."""

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from app.models.base import Json, Key, Moment, key, metadata, one_of


class RecordStatus(StrEnum):
    """A page is incomplete until somebody says it is complete; a void page counts for nothing and is kept."""

    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    VOID = "void"


class FindingState(StrEnum):
    """A finding is open while the data give rise to it."""

    OPEN = "open"
    CLOSED = "closed"


class Severity(StrEnum):
    """What a finding asks for: a query wants an answer of people, a note is only told."""

    QUERY = "query"
    NOTE = "note"


subject = Table(
    "subject",
    metadata,
    key("study_id", primary_key=True),
    key("subject_id", primary_key=True),
    key("site_id"),
    Column("status", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "site_id"], ["site.study_id", "site.site_id"]),
    Index(None, "study_id", "site_id", "subject_id"),
)

record = Table(
    "record",
    metadata,
    key("study_id", primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    key("subject_id"),
    key("visit"),
    Column("visit_repeat", SmallInteger, nullable=False),
    key("form_id"),
    Column("repeat", SmallInteger, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("study_version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("instead_of", Uuid, nullable=True),
    Column("change_id", Uuid, nullable=False),
    UniqueConstraint("study_id", "subject_id", "visit", "visit_repeat", "form_id", "repeat"),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    ForeignKeyConstraint(["form_id", "form_version"], ["form_version.form_id", "form_version.version"]),
    ForeignKeyConstraint(["study_id", "study_version"], ["study_version.study_id", "study_version.version"]),
    ForeignKeyConstraint(["study_id", "instead_of"], ["record.study_id", "record.record_id"]),
    CheckConstraint("revision >= 1 AND repeat >= 1 AND visit_repeat >= 1", name="counts_from_one"),
    one_of("status", RecordStatus),
    comment="The page of one form at one visit: a pointer to its newest revision.",
)

revision = Table(
    "revision",
    metadata,
    key("study_id", primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("form_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("answers", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "record_id"], ["record.study_id", "record.record_id"]),
    ForeignKeyConstraint(
        ["study_id", "change_id"],
        ["change.study_id", "change.change_id"],
        deferrable=True,
        initially="DEFERRED",
    ),
    one_of("status", RecordStatus),
    comment="Append-only: what a page held at each save.",
)

computed = Table(
    "computed",
    metadata,
    key("study_id", primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("values", Json, nullable=False),
    Column("working", Json, nullable=True),
    Column("beside", Json, nullable=True),
    Column("at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "record_id"], ["record.study_id", "record.record_id"]),
    comment=(
        "Append-only: the computed items of a page, each time they came out differently. `working` says by which rule "
        "and version, with which flags, from which inputs and pages; null where no rule was asked. `beside` are those "
        "that the page was closed or signed with; null where it was neither."
    ),
)

derivation = Table(
    "derivation",
    metadata,
    key("study_id", primary_key=True),
    key("subject_id", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("study_version", Integer, nullable=False),
    Column("results", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    comment="Append-only: the endpoints of a subject with their sources, each time one came out differently.",
)

finding = Table(
    "finding",
    metadata,
    key("study_id", primary_key=True),
    Column("finding_id", Uuid, primary_key=True),
    key("subject_id"),
    Column("record_id", Uuid, nullable=True),
    Column("item", Key, nullable=False),
    Column("row", Integer, nullable=True),
    Column("rule", Key, nullable=False),
    Column("detail", Json, nullable=False),
    Column("severity", Text, nullable=True),
    Column("fingerprint", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment, nullable=True),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    ForeignKeyConstraint(["study_id", "record_id"], ["record.study_id", "record.record_id"]),
    Index(
        "uq_finding_open",
        "study_id",
        "subject_id",
        "record_id",
        "item",
        "row",
        "rule",
        unique=True,
        postgresql_where=text("state = 'open'"),
        postgresql_nulls_not_distinct=True,
    ),
    one_of("state", FindingState),
    one_of("severity", Severity),
    comment=(
        "At most one open finding per rule and item. `fingerprint` is a digest of the values that gave rise to it; it "
        "and `severity` are null where the finding is older than they are."
    ),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("key", Key, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", Json, nullable=False),
    Column("at", Moment, nullable=False),
    comment="Answers kept so that a retried POST has one effect; not part of the trail.",
)
