"""The first schema: access, study build, capture, the trail; history that cannot be rewritten; walls by study."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("change", "form_version", "study_version", "study_form", "revision", "computed", "derivation")
NEVER_DELETED = ("account", "chain", "role_grant", "study", "site", "subject", "record", "finding")
PASSING = ("session_token", "idempotency")
WALLED = (
    "chain",
    "change",
    "role_grant",
    "study",
    "study_version",
    "study_form",
    "site",
    "subject",
    "record",
    "revision",
    "computed",
    "derivation",
    "finding",
)

REFUSE = """
CREATE FUNCTION marrow_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % is refused, history is never rewritten', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$
"""

STUDIES = """
CREATE FUNCTION marrow_studies() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT string_agg(study_id, ',' ORDER BY study_id) FROM chain
$$
"""

# What hangs on no chain lies behind every wall; the verifier must see it all the same.
WALLED_KEYS = {
    "change": "study_id, seq",
    "role_grant": "study_id, grant_id",
    "study": "study_id",
    "study_version": "study_id, version",
    "study_form": "study_id, version, form_id",
    "site": "study_id, site_id",
    "subject": "study_id, subject_id",
    "record": "study_id, record_id",
    "revision": "study_id, record_id, number",
    "computed": "study_id, record_id, number",
    "derivation": "study_id, subject_id, number",
    "finding": "study_id, finding_id",
}
ASTRAY = """
CREATE FUNCTION marrow_astray() RETURNS TABLE (relation text, study_id text, key jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    {} LIMIT 1000
$$
""".format(
    " UNION ALL ".join(
        f"SELECT '{table}', t.study_id, (SELECT jsonb_build_array({key})) FROM {table} t "  # noqa: S608 - own words
        "WHERE NOT EXISTS (SELECT FROM chain c WHERE c.study_id = t.study_id)"
        for table, key in WALLED_KEYS.items()
    )
)

ENTER = """
CREATE FUNCTION marrow_enter(token bytea, moment timestamptz)
RETURNS TABLE (
    account_id uuid, username text, name text, token_id uuid, kind text, scope text,
    created_at timestamptz, used_at timestamptz, expires_at timestamptz, grants jsonb
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH here AS (
        SELECT a.account_id, a.username, a.name, t.token_id, t.kind, t.scope, t.created_at, t.used_at, t.expires_at
        FROM session_token t JOIN account a ON a.account_id = t.account_id
        WHERE t.token_hash = token AND t.ended_at IS NULL AND t.expires_at > moment
          AND t.kind IN ('session', 'api') AND a.status = 'active'
    ), held AS (
        SELECT g.study_id, g.role, g.site_id
        FROM role_grant g JOIN here ON g.account_id = here.account_id
        WHERE g.valid_from <= moment AND (g.valid_to IS NULL OR g.valid_to > moment)
          AND (here.scope IS NULL OR here.scope = g.study_id)
    ), wall AS (
        SELECT set_config('marrow.studies', coalesce(
            CASE WHEN bool_or(held.study_id = '-') THEN marrow_studies()
                 ELSE '-,' || string_agg(DISTINCT held.study_id, ',') END, '-'), true) AS opened
        FROM held
    )
    SELECT here.*, (SELECT coalesce(jsonb_agg(to_jsonb(held)), '[]'::jsonb) FROM held)
    FROM here, wall WHERE wall.opened IS NOT NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('invited', 'active', 'deactivated')", name=op.f("ck_account_status")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("folded", name=op.f("uq_account_folded")),
    )
    op.create_table(
        "chain",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_chain")),
        comment="The head of each chain of changes: one per study, and '-' for the system's own.",
    )
    op.create_table(
        "form_version",
        sa.Column("form_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("form_id", "version", name=op.f("pk_form_version")),
        comment="Append-only: a released form never changes.",
    )
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency")),
        comment="Answers kept so that a retried POST has one effect; not part of the trail.",
    )
    op.create_table(
        "change",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=True),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("detail", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("rows", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["chain.study_id"], name=op.f("fk_change_study_id_chain")),
        sa.PrimaryKeyConstraint("study_id", "seq", name=op.f("pk_change")),
        sa.UniqueConstraint("study_id", "change_id", name=op.f("uq_change_study_id_change_id")),
        comment=(
            "Append-only. `rows` lists each row written: its table, key, digest, and its image where it can change."
        ),
    )
    op.create_index(op.f("ix_change_study_id_record_id_seq"), "change", ["study_id", "record_id", "seq"], unique=False)
    op.create_index(
        op.f("ix_change_study_id_subject_id_seq"), "change", ["study_id", "subject_id", "seq"], unique=False
    )
    op.create_table(
        "session_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(collation="C"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('session', 'api', 'invitation', 'reset')", name=op.f("ck_session_token_kind")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_session_token_account_id_account")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session_token")),
        sa.UniqueConstraint("token_id", name=op.f("uq_session_token_token_id")),
    )
    op.create_index(op.f("ix_session_token_account_id"), "session_token", ["account_id"], unique=False)
    op.create_table(
        "study",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("title", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["chain.study_id"], name=op.f("fk_study_study_id_chain")),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_study")),
    )
    op.create_table(
        "study_version",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"], name=op.f("fk_study_version_study_id_study")),
        sa.PrimaryKeyConstraint("study_id", "version", name=op.f("pk_study_version")),
        comment="Append-only: a released study version never changes.",
    )
    op.create_table(
        "site",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "version"],
            ["study_version.study_id", "study_version.version"],
            name=op.f("fk_site_study_id_version_study_version"),
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.study_id"], name=op.f("fk_site_study_id_study")),
        sa.PrimaryKeyConstraint("study_id", "site_id", name=op.f("pk_site")),
        comment="`version` is the study version in force at the site; `last_number` counts its screening numbers.",
    )
    op.create_table(
        "study_form",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form_id", sa.Text(collation="C"), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["form_id", "form_version"],
            ["form_version.form_id", "form_version.version"],
            name=op.f("fk_study_form_form_id_form_version_form_version"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "version"],
            ["study_version.study_id", "study_version.version"],
            name=op.f("fk_study_form_study_id_version_study_version"),
        ),
        sa.PrimaryKeyConstraint("study_id", "version", "form_id", name=op.f("pk_study_form")),
        comment="Append-only: the exact form versions of a study version.",
    )
    op.create_table(
        "role_grant",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "role IN ('coordinator', 'investigator', 'monitor', 'data_manager', 'statistician', 'sponsor', "
            "'builder', 'administrator', 'inspector')",
            name=op.f("ck_role_grant_role"),
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_role_grant_ends_after_it_starts")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_role_grant_account_id_account")),
        sa.ForeignKeyConstraint(
            ["study_id", "site_id"], ["site.study_id", "site.site_id"], name=op.f("fk_role_grant_study_id_site_id_site")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["chain.study_id"], name=op.f("fk_role_grant_study_id_chain")),
        sa.PrimaryKeyConstraint("study_id", "grant_id", name=op.f("pk_role_grant")),
        comment="A grant on '-' holds in the whole system: administrators and builders only.",
    )
    op.create_index(op.f("ix_role_grant_account_id"), "role_grant", ["account_id"], unique=False)
    op.create_table(
        "subject",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False),
        sa.Column("site_id", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "site_id"], ["site.study_id", "site.site_id"], name=op.f("fk_subject_study_id_site_id_site")
        ),
        sa.PrimaryKeyConstraint("study_id", "subject_id", name=op.f("pk_subject")),
    )
    op.create_index(
        op.f("ix_subject_study_id_site_id_subject_id"), "subject", ["study_id", "site_id", "subject_id"], unique=False
    )
    op.create_table(
        "derivation",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("results", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_derivation_study_id_subject_id_subject"),
        ),
        sa.PrimaryKeyConstraint("study_id", "subject_id", "number", name=op.f("pk_derivation")),
        comment="Append-only: the endpoints of a subject with their sources, each time one came out differently.",
    )
    op.create_table(
        "record",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False),
        sa.Column("visit", sa.Text(collation="C"), nullable=False),
        sa.Column("visit_repeat", sa.SmallInteger(), nullable=False),
        sa.Column("form_id", sa.Text(collation="C"), nullable=False),
        sa.Column("repeat", sa.SmallInteger(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("study_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("instead_of", sa.Uuid(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('incomplete', 'complete', 'void')", name=op.f("ck_record_status")),
        sa.CheckConstraint(
            "revision >= 1 AND repeat >= 1 AND visit_repeat >= 1", name=op.f("ck_record_counts_from_one")
        ),
        sa.ForeignKeyConstraint(
            ["form_id", "form_version"],
            ["form_version.form_id", "form_version.version"],
            name=op.f("fk_record_form_id_form_version_form_version"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "instead_of"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_record_study_id_instead_of_record"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "study_version"],
            ["study_version.study_id", "study_version.version"],
            name=op.f("fk_record_study_id_study_version_study_version"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_record_study_id_subject_id_subject"),
        ),
        sa.PrimaryKeyConstraint("study_id", "record_id", name=op.f("pk_record")),
        sa.UniqueConstraint(
            "study_id",
            "subject_id",
            "visit",
            "visit_repeat",
            "form_id",
            "repeat",
            name=op.f("uq_record_study_id_subject_id_visit_visit_repeat_form_id_repeat"),
        ),
        comment="The page of one form at one visit: a pointer to its newest revision.",
    )
    op.create_table(
        "computed",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("values", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_computed_study_id_record_id_record"),
        ),
        sa.PrimaryKeyConstraint("study_id", "record_id", "number", name=op.f("pk_computed")),
        comment="Append-only: the computed items of a page, each time they came out differently.",
    )
    op.create_table(
        "finding",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("item", sa.Text(collation="C"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("rule", sa.Text(collation="C"), nullable=False),
        sa.Column("detail", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_finding_state")),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_finding_study_id_record_id_record"),
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "subject_id"],
            ["subject.study_id", "subject.subject_id"],
            name=op.f("fk_finding_study_id_subject_id_subject"),
        ),
        sa.PrimaryKeyConstraint("study_id", "finding_id", name=op.f("pk_finding")),
        comment="At most one open finding per rule and item.",
    )
    op.create_index(
        "uq_finding_open",
        "finding",
        ["study_id", "subject_id", "record_id", "item", "row", "rule"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "revision",
        sa.Column("study_id", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("answers", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('incomplete', 'complete', 'void')", name=op.f("ck_revision_status")),
        sa.ForeignKeyConstraint(
            ["study_id", "change_id"],
            ["change.study_id", "change.change_id"],
            name=op.f("fk_revision_study_id_change_id_change"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "record_id"],
            ["record.study_id", "record.record_id"],
            name=op.f("fk_revision_study_id_record_id_record"),
        ),
        sa.PrimaryKeyConstraint("study_id", "record_id", "number", name=op.f("pk_revision")),
        comment="Append-only: what a page held at each save.",
    )

    op.execute(REFUSE)
    op.execute(STUDIES)
    op.execute(ASTRAY)
    op.execute(ENTER)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER never_rewritten BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION marrow_refuse()"
        )
    for table in NEVER_DELETED:
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION marrow_refuse()"
        )
    for table in APPEND_ONLY + NEVER_DELETED:
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION marrow_refuse()"
        )
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY by_study ON {table} USING (study_id = ANY (ARRAY("
            "SELECT unnest(string_to_array(current_setting('marrow.studies', true), ',')))))"
        )
    # a new study has no chain yet when its first row is written: beginning one is open to all
    op.execute("CREATE POLICY begin ON chain FOR INSERT WITH CHECK (true)")
    op.execute("INSERT INTO chain (study_id, seq, hash) VALUES ('-', 0, sha256(convert_to('marrow:-', 'UTF8')))")
    role = context.config.attributes.get("app_role", "marrow_app")
    quoted = op.get_bind().dialect.identifier_preparer.quote(role)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
    op.execute(
        "REVOKE EXECUTE ON FUNCTION marrow_enter(bytea, timestamptz), marrow_studies(), marrow_astray() FROM PUBLIC"
    )
    op.execute(
        f"GRANT EXECUTE ON FUNCTION marrow_enter(bytea, timestamptz), marrow_studies(), marrow_astray() TO {quoted}"
    )
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {quoted}")
    for table in NEVER_DELETED:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {quoted}")
    for table in PASSING:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {quoted}")
    op.execute(f"GRANT SELECT ON alembic_version TO {quoted}")


def downgrade() -> None:
    raise RuntimeError("The first schema holds the trail; restore a backup instead")
