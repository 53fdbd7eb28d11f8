"""A finding says how much it asks for, and of which values it speaks."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NOW = (
    "At most one open finding per rule and item. `fingerprint` is a digest of the values that gave rise to it; it "
    "and `severity` are null where the finding is older than they are."
)


def upgrade() -> None:
    # null in the rows there are: a default would change what the trail has sealed of them
    op.add_column("finding", sa.Column("severity", sa.Text(), nullable=True))
    op.add_column("finding", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_finding_severity"), "finding", "severity IN ('query', 'note')")
    op.create_table_comment("finding", NOW, existing_comment="At most one open finding per rule and item.")


def downgrade() -> None:
    raise RuntimeError("The trail speaks of these columns; restore a backup instead")
