"""What people have said of the data: where nothing is to be changed any more, what agrees with its source."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, SmallInteger, Table, Text, Uuid

from app.models.base import Json, Moment, key, metadata, one_of


class LockState(StrEnum):
    """How far a scope is closed: frozen for values, locked for everything but unlocking, hard-locked for good."""

    OPEN = "open"
    FROZEN = "frozen"
    LOCKED = "locked"
    HARD_LOCKED = "hard_locked"


class MarkState(StrEnum):
    """An item was found to agree with its source; or it was, and has been changed since."""

    VERIFIED = "verified"
    RESET = "reset"


lock = Table(
    "lock",
    metadata,
    key("study_id", ForeignKey("study.study_id"), primary_key=True),
    Column("lock_id", Uuid, primary_key=True),
    key("site_id", nullable=True),
    key("subject_id", nullable=True),
    key("visit", nullable=True),
    Column("visit_repeat", SmallInteger, nullable=True),
    key("form_id", nullable=True),
    Column("repeat", SmallInteger, nullable=True),
    key("item", nullable=True),
    Column("row", Integer, nullable=True),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("set_by", Uuid, nullable=True),
    Column("set_by_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Moment, nullable=True),
    Column("asked_by", Uuid, nullable=True),
    Column("asked_by_name", Text, nullable=True),
    Column("asked_reason", Text, nullable=True),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "site_id"], ["site.study_id", "site.site_id"]),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    Index(
        "uq_lock_scope",
        "study_id",
        "subject_id",
        "site_id",
        "visit",
        "visit_repeat",
        "form_id",
        "repeat",
        "item",
        "row",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    one_of("state", LockState),
    comment="One per scope that was ever closed: the study (no address), a site, or a subject and what lies in it.",
)

verification = Table(
    "verification",
    metadata,
    key("study_id", primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    key("subject_id"),
    Column("marks", Json, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "record_id"], ["record.study_id", "record.record_id"]),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    Index(None, "study_id", "subject_id"),
    comment="One per page that was verified: its items with who found each to agree with its source, when, at which "
    "revision; or that it was changed since.",
)
