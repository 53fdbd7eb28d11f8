"""Protect the tables to come in one way: `marrow_protect` for each, and the verifier finds them in the catalogue."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# CALL marrow_protect('lock', true, 'marrow_app'): a table whose key begins with study_id. With `rewritable` its rows
# may be updated, and are never deleted; without it they are history.
PROTECT = """
CREATE PROCEDURE marrow_protect(relation text, rewritable boolean, app_role text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER %s ON %I FOR EACH ROW EXECUTE FUNCTION marrow_refuse()',
        CASE WHEN rewritable THEN 'never_deleted BEFORE DELETE' ELSE 'never_rewritten BEFORE UPDATE OR DELETE' END,
        relation);
    EXECUTE format(
        'CREATE TRIGGER never_emptied BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION marrow_refuse()',
        relation);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format(
        'CREATE POLICY by_study ON %I USING (study_id = ANY (ARRAY('
        'SELECT unnest(string_to_array(current_setting(''marrow.studies'', true), '','')))))', relation);
    EXECUTE format(
        'GRANT %s ON %I TO %I',
        CASE WHEN rewritable THEN 'SELECT, INSERT, UPDATE' ELSE 'SELECT, INSERT' END, relation, app_role);
END $$
"""

# What hangs on no chain lies behind every wall; the verifier must see it all the same.
ASTRAY = """
CREATE OR REPLACE FUNCTION marrow_astray() RETURNS TABLE (relation text, study_id text, key jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE walled record;
BEGIN
    FOR walled IN
        SELECT c.relname, string_agg(format('t.%I', a.attname), ', ' ORDER BY k.place) AS columns
        FROM pg_policy p
        JOIN pg_class c ON c.oid = p.polrelid
        JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
        WHERE p.polname = 'by_study' AND c.relname <> 'chain'
        GROUP BY c.relname ORDER BY c.relname
    LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, t.study_id::text, jsonb_build_array(%s) FROM %I t '
            'WHERE NOT EXISTS (SELECT FROM chain c WHERE c.study_id = t.study_id) LIMIT 1000',
            walled.relname, walled.columns, walled.relname);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(PROTECT)
    op.execute(ASTRAY)
    op.execute("REVOKE EXECUTE ON PROCEDURE marrow_protect(text, boolean, text) FROM PUBLIC")


def downgrade() -> None:
    raise RuntimeError("The tables protected since would lose the verifier; restore a backup instead")
