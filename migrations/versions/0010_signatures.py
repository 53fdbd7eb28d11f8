"""Electronic signatures: what was signed by whom as what, each page as it was signed, and what broke a signature."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text(collation="C")
    json = postgresql.JSONB(none_as_null=True)
    op.create_table(
        "signature",
        sa.Column("study_id", key, nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", key, nullable=False),
        sa.Column("visit", key, nullable=True),
        sa.Column("visit_repeat", sa.SmallInteger(), nullable=True),
        sa.Column("form_id", key, nullable=True),
        sa.Column("repeat", sa.SmallInteger(), nullable=True),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "meaning IN ('authorship', 'review', 'approval', 'responsibility')", name=op.f("ck_signature_meaning")
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_signature_study_id_subject_id_subject"),
        ),
        sa.PrimaryKeyConstraint("study_id", "signature_id", name=op.f("pk_signature")),
        comment="Append-only: a page, a visit or (no visit) a casebook signed, with the words that were signed.",
    )
    op.create_index(op.f("ix_signature_study_id_subject_id"), "signature", ["study_id", "subject_id"], unique=False)
    op.create_table(
        "signed_page",
        sa.Column("study_id", key, nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("form_digest", sa.Text(), nullable=False),
        sa.Column("items", json, nullable=False),
        sa.Column("computed", json, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id", "revision"],
            ["revision.study_id", "revision.record_id", "revision.number"],
            name=op.f("fk_signed_page_study_id_record_id_revision_revision"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "signature_id"],
            ["signature.study_id", "signature.signature_id"],
            name=op.f("fk_signed_page_study_id_signature_id_signature"),
        ),
        sa.PrimaryKeyConstraint("study_id", "signature_id", "record_id", name=op.f("pk_signed_page")),
        comment="Append-only: a page as it was signed: its revision, the digest of every answer and computed item.",
    )
    op.create_index(op.f("ix_signed_page_study_id_record_id"), "signed_page", ["study_id", "record_id"], unique=False)
    op.create_table(
        "signature_break",
        sa.Column("study_id", key, nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("items", json, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_signature_break_study_id_record_id_record"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "signature_id"],
            ["signature.study_id", "signature.signature_id"],
            name=op.f("fk_signature_break_study_id_signature_id_signature"),
        ),
        sa.PrimaryKeyConstraint("study_id", "signature_id", name=op.f("pk_signature_break")),
        comment="Append-only: the first change since of something that a signature holds; one without a row stands.",
    )
    op.add_column("computed", sa.Column("beside", json, nullable=True))
    told = (
        "Append-only: the computed items of a page, each time they came out differently. `working` says by which rule "
        "and version, with which flags, from which inputs and pages; null where no rule was asked."
    )
    op.create_table_comment(
        "computed",
        told + " `beside` are those that the page was closed or signed with; null where it was neither.",
        existing_comment=told,
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    for table in ("signature", "signed_page", "signature_break"):
        op.execute(sa.text("CALL marrow_protect(:relation, false, :role)").bindparams(relation=table, role=role))


def downgrade() -> None:
    raise RuntimeError("The trail lists the signatures; restore a backup instead")
