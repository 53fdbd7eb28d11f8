"""What was given away: data cuts, each a position of the study's chain and what was cut out there."""

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, LargeBinary, Table, Text, Uuid

from app.models.base import Json, Key, Moment, key, metadata

cut = Table(
    "cut",
    metadata,
    key("study_id", ForeignKey("study.study_id"), primary_key=True),
    key("name", primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("cutoff", Key, nullable=True),
    Column("sites", Json, nullable=True),
    Column("versions", Json, nullable=False),
    Column("files", Json, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "seq"], ["change.study_id", "change.seq"]),
    comment=(
        "Append-only. `seq` and `hash` say where the chain stood; `versions` the study version in force at each site "
        "then; `files`, `bytes` and `sha256` what the archive held."
    ),
)
