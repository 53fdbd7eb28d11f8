"""Data cuts; and leave to make the temporary relations in which a study is read as it stood."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MAY_SUPPOSE = """
DO $$ BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), '{}');
END $$
"""


def upgrade() -> None:
    op.create_table(
        "cut",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("cutoff", sa.Text(collation="C"), nullable=True),
        sa.Column("sites", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("versions", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("files", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"], name=op.f("fk_cut_study_id_study")),
        sa.ForeignKeyConstraint(
            ["study_id", "seq"], ["change.study_id", "change.seq"], name=op.f("fk_cut_study_id_seq_change")
        ),
        sa.PrimaryKeyConstraint("study_id", "name", name=op.f("pk_cut")),
        comment=(
            "Append-only. `seq` and `hash` say where the chain stood; `versions` the study version in force at each "
            "site then; `files`, `bytes` and `sha256` what the archive held."
        ),
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    op.execute(sa.text("CALL marrow_protect('cut', false, :role)").bindparams(role=role))
    op.execute(MAY_SUPPOSE.format(role.replace("'", "''")))


def downgrade() -> None:
    raise RuntimeError("Cuts are history; restore a backup instead")
