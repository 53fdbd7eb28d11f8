"""Locks: which scope is closed to changes, how far, since when; and whether somebody asks for it to be unlocked."""

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lock",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("lock_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=True),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=True),
        sa.Column("visit", sa.Text(collation="C"), nullable=True),
        sa.Column("visit_repeat", sa.SmallInteger(), nullable=True),
        sa.Column("form_id", sa.Text(collation="C"), nullable=True),
        sa.Column("repeat", sa.SmallInteger(), nullable=True),
        sa.Column("item", sa.Text(collation="C"), nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_by_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_by_name", sa.Text(), nullable=True),
        sa.Column("asked_reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'frozen', 'locked', 'hard_locked')", name=op.f("ck_lock_state")),
        sa.ForeignKeyConstraint(
            ["study_id", "site_id"], ["site.study_id", "site.site_id"], name=op.f("fk_lock_study_id_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_lock_study_id_subject_id_subject"),
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"], name=op.f("fk_lock_study_id_study")),
        sa.PrimaryKeyConstraint("study_id", "lock_id", name=op.f("pk_lock")),
        comment="One per scope that was ever closed: the study (no address), a site, or a subject and what lies in it.",
    )
    op.create_index(
        "uq_lock_scope",
        "lock",
        ["study_id", "subject_id", "site_id", "visit", "visit_repeat", "form_id", "repeat", "item", "row"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    op.execute(sa.text("CALL marrow_protect('lock', true, :role)").bindparams(role=role))


def downgrade() -> None:
    raise RuntimeError("The trail lists the locks; restore a backup instead")
