"""How a computed item came about, and the limits of normal of a site's laboratories."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COMPUTED = "Append-only: the computed items of a page, each time they came out differently."
WORKING = (
    " `working` says by which rule and version, with which flags, from which inputs and pages; null where no rule was "
    "asked."
)
SITE = "`version` is the study version in force at the site; `last_number` counts its screening numbers"
RANGES = "; `ranges` is the import of limits of normal that holds there, null before the first."


def upgrade() -> None:
    # null in the rows there are: a default would change what the trail has sealed of them
    op.add_column("computed", sa.Column("working", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_table_comment("computed", COMPUTED + WORKING, existing_comment=COMPUTED)
    op.add_column("site", sa.Column("ranges", sa.Integer(), nullable=True))
    op.create_table_comment("site", SITE + RANGES, existing_comment=SITE + ".")
    op.create_table(
        "reference_range",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("analyte", sa.Text(collation="C"), nullable=False),
        sa.Column("laboratory", sa.Text(collation="C"), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("age_from", sa.Integer(), nullable=True),
        sa.Column("age_to", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Text(), nullable=True),
        sa.Column("low", sa.Text(), nullable=True),
        sa.Column("high", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "site_id"],
            ["site.study_id", "site.site_id"],
            name=op.f("fk_reference_range_study_id_site_id_site"),
        ),
        sa.PrimaryKeyConstraint("study_id", "site_id", "number", "line", name=op.f("pk_reference_range")),
        comment="Append-only: the limits of normal of a site's laboratories, each import as a whole under its number.",
    )
    role = context.config.attributes.get("app_role", "marrow_app")
    op.execute(f"CALL marrow_protect('reference_range', false, '{role}')")


def downgrade() -> None:
    raise RuntimeError("The trail speaks of these rows; restore a backup instead")
