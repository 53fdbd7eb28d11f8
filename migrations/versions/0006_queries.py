"""Queries: what people ask each other about the data, and everything said in them."""

import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATES = "state IN ('open', 'reopened', 'answered', 'closed', 'cancelled')"
ACTIONS = (
    "action IN ('raise', 'spare', 'settle', 'strike', "
    "'open', 'answer', 'confirm', 'close', 'reopen', 'cancel', 'assign')"
)


def upgrade() -> None:
    op.create_table(
        "query",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("item", sa.Text(collation="C"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("rule", sa.Text(collation="C"), nullable=True),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Uuid(), nullable=True),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_query_state")),
        sa.CheckConstraint("(rule IS NULL) = (finding_id IS NULL)", name=op.f("ck_query_a_rule_has_found_something")),
        sa.CheckConstraint(
            "(closed_at IS NULL) <> (state = 'closed' OR state = 'cancelled')",
            name=op.f("ck_query_closed_when_resolved"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_query_study_id_subject_id_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_query_study_id_record_id_record"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "finding_id"],
            ["finding.study_id", "finding.finding_id"],
            name=op.f("fk_query_study_id_finding_id_finding"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["assignee"], ["account.account_id"], name=op.f("fk_query_assignee_account")),
        sa.PrimaryKeyConstraint("study_id", "query_id", name=op.f("pk_query")),
        comment=(
            "One per rule and item for ever, and as many as people open. `confirmed` is the fingerprint of the value "
            "that somebody said is correct; `opened_at` and `closed_at` are of the last round."
        ),
    )
    op.create_index(
        "uq_query_rule",
        "query",
        ["study_id", "subject_id", "record_id", "item", "row", "rule"],
        unique=True,
        postgresql_where=sa.text("rule IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_query_subject", "query", ["study_id", "subject_id"])
    op.create_index(
        "ix_query_unresolved", "query", ["study_id", "opened_at"], postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_table(
        "query_message",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
        sa.Column("assignee", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(ACTIONS, name=op.f("ck_query_message_action")),
        sa.CheckConstraint(STATES, name=op.f("ck_query_message_state")),
        sa.ForeignKeyConstraint(
            ["study_id", "query_id"],
            ["query.study_id", "query.query_id"],
            name=op.f("fk_query_message_study_id_query_id_query"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "finding_id"],
            ["finding.study_id", "finding.finding_id"],
            name=op.f("fk_query_message_study_id_finding_id_finding"),
        ),
        sa.ForeignKeyConstraint(["assignee"], ["account.account_id"], name=op.f("fk_query_message_assignee_account")),
        sa.PrimaryKeyConstraint("study_id", "query_id", "number", name=op.f("pk_query_message")),
        comment="Append-only: what was done in a query, by whom, and what was said, whole.",
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    op.get_bind().execute(sa.text("CALL marrow_protect('query', true, :role)"), {"role": role})
    op.get_bind().execute(sa.text("CALL marrow_protect('query_message', false, :role)"), {"role": role})


def downgrade() -> None:
    raise RuntimeError("What people have said would be lost; restore a backup instead")
