"""Study versions brought to pages that are there: each migration as an object, and every page it touched."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Table, Text, Uuid, text

from app.models.base import Json, Moment, key, metadata, one_of


class MigrationState(StrEnum):
    """A migration is planned, then run, and may be rolled back as a whole."""

    PLANNED = "planned"
    RUN = "run"
    ROLLED_BACK = "rolled_back"


study_migration = Table(
    "study_migration",
    metadata,
    key("study_id", primary_key=True),
    Column("migration_id", Uuid, primary_key=True),
    key("site_id"),
    Column("from_version", Integer, nullable=False),
    Column("to_version", Integer, nullable=False),
    Column("plan_digest", Text, nullable=False),
    Column("plan", Json, nullable=False),
    Column("approved_on", Text, nullable=False),
    Column("approved_before", Text, nullable=True),
    Column("state", Text, nullable=False),
    Column("counts", Json, nullable=False),
    Column("planned_by", Text, nullable=False),
    Column("planned_at", Moment, nullable=False),
    Column("run_by", Text, nullable=True),
    Column("run_at", Moment, nullable=True),
    Column("rolled_back_by", Text, nullable=True),
    Column("rolled_back_at", Moment, nullable=True),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "site_id"], ["site.study_id", "site.site_id"]),
    ForeignKeyConstraint(["study_id", "from_version"], ["study_version.study_id", "study_version.version"]),
    ForeignKeyConstraint(["study_id", "to_version"], ["study_version.study_id", "study_version.version"]),
    Index(
        "uq_study_migration_planned",
        "study_id",
        "site_id",
        unique=True,
        postgresql_where=text("state = 'planned'"),
    ),
    one_of("state", MigrationState),
    comment="A plan at one site: who planned it, who ran it, and its plan word for word.",
)

migrated_page = Table(
    "migrated_page",
    metadata,
    key("study_id", primary_key=True),
    Column("record_id", Uuid, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("migration_id", Uuid, nullable=False),
    Column("before", Integer, nullable=False),
    Column("orphans", Json, nullable=False),
    Column("change_id", Uuid, nullable=False),
    ForeignKeyConstraint(["study_id", "migration_id"], ["study_migration.study_id", "study_migration.migration_id"]),
    ForeignKeyConstraint(
        ["study_id", "record_id", "revision"], ["revision.study_id", "revision.record_id", "revision.number"]
    ),
    Index(None, "study_id", "migration_id"),
    comment="Append-only: the revision a migration made of a page, the one before, and which answers it retired there.",
)
