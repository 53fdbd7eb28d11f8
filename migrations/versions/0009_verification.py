"""Source data verification: which items of a page agree with their source, as whom found when."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False),
        sa.Column("marks", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_verification_study_id_record_id_record"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_verification_study_id_subject_id_subject"),
        ),
        sa.PrimaryKeyConstraint("study_id", "record_id", name=op.f("pk_verification")),
        comment=(
            "One per page that was verified: its items with who found each to agree with its source, when, at which "
            "revision; or that it was changed since."
        ),
    )
    op.create_index(
        op.f("ix_verification_study_id_subject_id"), "verification", ["study_id", "subject_id"], unique=False
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    op.execute(sa.text("CALL marrow_protect('verification', true, :role)").bindparams(role=role))


def downgrade() -> None:
    raise RuntimeError("The trail lists the marks; restore a backup instead")
