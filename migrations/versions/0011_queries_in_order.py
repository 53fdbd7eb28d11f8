"""Queries are listed in the order in which they were opened, all of them and those that wait alike."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_query_opened", "query", ["study_id", "opened_at", "query_id"])
    op.drop_index("ix_query_unresolved", "query")


def downgrade() -> None:
    op.create_index("ix_query_unresolved", "query", ["study_id", "opened_at"], postgresql_where="closed_at IS NULL")
    op.drop_index("ix_query_opened", "query")
