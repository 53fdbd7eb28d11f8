"""Electronic signatures: who signed what, when and as what; each page as it was signed; and what broke a signature."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, SmallInteger, Table, Text, Uuid

from app.models.base import Json, Moment, key, metadata, one_of


class Meaning(StrEnum):
    """As what somebody signs (21 CFR 11.50)."""

    AUTHORSHIP = "authorship"
    REVIEW = "review"
    APPROVAL = "approval"
    RESPONSIBILITY = "responsibility"


signature = Table(
    "signature",
    metadata,
    key("study_id", primary_key=True),
    Column("signature_id", Uuid, primary_key=True),
    key("subject_id"),
    key("visit", nullable=True),
    Column("visit_repeat", SmallInteger, nullable=True),
    key("form_id", nullable=True),
    Column("repeat", SmallInteger, nullable=True),
    Column("study_version", Integer, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("username", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("zone", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "subject_id"], ["subject.study_id", "subject.subject_id"]),
    Index(None, "study_id", "subject_id"),
    one_of("meaning", Meaning),
    comment="Append-only: a page, a visit or (no visit) a casebook signed, with the words that were signed.",
)

signed_page = Table(
    "signed_page",
    metadata,
    key("study_id", primary_key=True),
    Column("signature_id", Uuid, primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("form_digest", Text, nullable=False),
    Column("items", Json, nullable=False),
    Column("computed", Json, nullable=False),
    Column("digest", Text, nullable=False),
    ForeignKeyConstraint(["study_id", "signature_id"], ["signature.study_id", "signature.signature_id"]),
    ForeignKeyConstraint(
        ["study_id", "record_id", "revision"], ["revision.study_id", "revision.record_id", "revision.number"]
    ),
    Index(None, "study_id", "record_id"),
    comment="Append-only: a page as it was signed: its revision, the digest of every answer and computed item.",
)

signature_break = Table(
    "signature_break",
    metadata,
    key("study_id", primary_key=True),
    Column("signature_id", Uuid, primary_key=True),
    Column("record_id", Uuid, nullable=False),
    Column("items", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "signature_id"], ["signature.study_id", "signature.signature_id"]),
    ForeignKeyConstraint(["study_id", "record_id"], ["record.study_id", "record.record_id"]),
    comment="Append-only: the first change since of something that a signature holds; one without a row stands.",
)
