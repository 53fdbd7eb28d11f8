"""The trail: who did what, when and why, each entry sealed to the one before it."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid

from app.models.base import Json, Key, Moment, key, metadata

chain = Table(
    "chain",
    metadata,
    Column("study_id", Key, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    comment="The head of each chain of changes: one per study, and '-' for the system's own.",
)

change = Table(
    "change",
    metadata,
    key("study_id", ForeignKey("chain.study_id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("change_id", Uuid, nullable=False),
    Column("actor_id", Uuid, nullable=True),
    Column("actor", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("zone", Text, nullable=False),
    Column("action", Key, nullable=False),
    Column("reason", Text, nullable=True),
    Column("source", Text, nullable=False),
    Column("site_id", Key, nullable=True),
    Column("subject_id", Key, nullable=True),
    Column("record_id", Uuid, nullable=True),
    Column("detail", Json, nullable=False),
    Column("rows", Json, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("study_id", "change_id"),
    Index(None, "study_id", "subject_id", "seq"),
    Index(None, "study_id", "record_id", "seq"),
    comment="Append-only. `rows` lists each row written: its table, key, digest, and its image where it can change.",
)
