"""Migrations of study versions: each as an object, and every page it touched; the day a site approved its version."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # null for the version a site began with: a default would change what the trail has sealed of the rows there are
    op.add_column("site", sa.Column("approved_on", sa.Text(), nullable=True))
    op.create_table(
        "study_migration",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("to_version", sa.Integer(), nullable=False),
        sa.Column("plan_digest", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("approved_on", sa.Text(), nullable=False),
        sa.Column("approved_before", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("planned_by", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_by", sa.Text(), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rolled_back_by", sa.Text(), nullable=True),
        sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'run', 'rolled_back')", name=op.f("ck_study_migration_state")),
        sa.ForeignKeyConstraint(
            ["study_id", "site_id"],
            ["site.study_id", "site.site_id"],
            name=op.f("fk_study_migration_study_id_site_id_site"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "from_version"],
            ["study_version.study_id", "study_version.version"],
            name=op.f("fk_study_migration_study_id_from_version_study_version"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "to_version"],
            ["study_version.study_id", "study_version.version"],
            name=op.f("fk_study_migration_study_id_to_version_study_version"),
        ),
        sa.PrimaryKeyConstraint("study_id", "migration_id", name=op.f("pk_study_migration")),
        comment="A plan at one site: who planned it, who ran it, and its plan word for word.",
    )
    op.create_index(
        "uq_study_migration_planned",
        "study_migration",
        ["study_id", "site_id"],
        unique=True,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_table(
        "migrated_page",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("orphans", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "migration_id"],
            ["study_migration.study_id", "study_migration.migration_id"],
            name=op.f("fk_migrated_page_study_id_migration_id_study_migration"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id", "revision"],
            ["revision.study_id", "revision.record_id", "revision.number"],
            name=op.f("fk_migrated_page_study_id_record_id_revision_revision"),
        ),
        sa.PrimaryKeyConstraint("study_id", "record_id", "revision", name=op.f("pk_migrated_page")),
        comment=(
            "Append-only: the revision a migration made of a page, the one before, and which answers it retired there."
        ),
    )
    op.create_index(
        op.f("ix_migrated_page_study_id_migration_id"), "migrated_page", ["study_id", "migration_id"], unique=False
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    for table, rewritable in (("study_migration", True), ("migrated_page", False)):
        op.execute(sa.text("CALL marrow_protect(:relation, :rewritable, :role)").bindparams(
            relation=table, rewritable=rewritable, role=role))  # fmt: skip


def downgrade() -> None:
    raise RuntimeError("The trail speaks of these tables; restore a backup instead")
