"""Every table is in the trail, or one of the few named exceptions; and nothing writes around the trail."""

import ast
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, text
from sqlalchemy.dialects import postgresql

from app import models
from app.audit.stream import LOADERS
from app.audit.trail import APPEND_ONLY, EXEMPT, SECRET, TYPES
from app.audit.verify import COVERED

ROOT = Path(__file__).resolve().parents[2]
TABLES: dict[str, Table] = {str(name): table for name, table in models.metadata.tables.items()}
READ_BY_THE_DRIVER = {"TEXT", "INTEGER", "SMALLINT", "BIGINT"}
READ_BY_US = {"TIMESTAMP WITH TIME ZONE": "timestamptz", "UUID": "uuid", "JSONB": "jsonb", "BYTEA": "bytea"}
WRITES = {"insert", "update", "delete"}
WRITES_NOTHING = {
    ("app/access/login.py", "account"),  # an UPDATE that meets no row: an unknown name takes as long as a known one
}


def told_by(engine: Engine, question: str) -> set[tuple[Any, ...]]:
    """What the migrated database itself says: whatever migration it was that made it so."""
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(text(question))}


def test_only_these_tables_are_not_in_the_trail() -> None:
    assert set(EXEMPT) == {"session_token", "idempotency", "chain", "change"}
    assert set(COVERED) == set(TABLES) - EXEMPT


def test_every_column_that_is_covered_can_be_sealed_and_read_back() -> None:
    for table in [*COVERED.values(), models.change]:
        for column in table.columns:
            spoken = column.type.compile(postgresql.dialect()).partition(" COLLATE")[0]
            assert spoken in READ_BY_THE_DRIVER or READ_BY_US.get(spoken) in LOADERS, f"{table.name}.{column.name}"
            assert type(column.type) in TYPES, f"{table.name}.{column.name}"


def test_only_the_password_is_held_as_a_digest() -> None:
    assert {("account", "password")} == SECRET


PASSING = {"session_token", "idempotency"}
TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND t.tgfoid = 'marrow_refuse'::regproc
"""
GRANTS = """
SELECT table_name, privilege_type FROM information_schema.role_table_grants
WHERE grantee = current_user AND table_name <> 'alembic_version'
"""
WALLS = """
SELECT p.tablename, p.cmd, p.qual FROM pg_policies p JOIN pg_class c ON c.relname = p.tablename
WHERE c.relrowsecurity AND p.policyname = 'by_study'
"""


def test_the_database_protects_what_the_trail_calls_history(engine: Engine) -> None:
    kept = set(TABLES) - PASSING
    assert told_by(engine, TRIGGERS) == {(name, "never_emptied") for name in kept} | {
        (name, "never_rewritten" if name in APPEND_ONLY else "never_deleted") for name in kept
    }
    allowed = {name: {"SELECT", "INSERT"} for name in TABLES}
    for name in kept - APPEND_ONLY:
        allowed[name] |= {"UPDATE"}
    for name in PASSING:
        allowed[name] |= {"UPDATE", "DELETE"}
    assert told_by(engine, GRANTS) == {(name, right) for name, rights in allowed.items() for right in rights}


def test_every_table_of_a_study_stands_behind_its_wall(engine: Engine) -> None:
    of_a_study = {name for name, table in TABLES.items() if "study_id" in table.c}
    walls = told_by(engine, WALLS)
    assert {name for name, _, _ in walls} == of_a_study
    assert {(command, "marrow.studies" in said) for _, command, said in walls} == {("ALL", True)}


def test_every_row_of_a_study_begins_its_key_with_the_study() -> None:
    for name, table in TABLES.items():
        if "study_id" in table.c:
            assert table.primary_key.columns.keys()[0] == "study_id", name
            for foreign in table.foreign_key_constraints:
                if "study_id" in foreign.referred_table.c:
                    assert "study_id" in foreign.column_keys, f"{name}: {foreign.name}"


def test_nothing_writes_a_covered_table_around_the_trail() -> None:
    around = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        if path.is_relative_to(ROOT / "app" / "audit"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = names_of_tables(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            target = written_table(call, named)
            place = path.relative_to(ROOT).as_posix()
            if (target in COVERED or target in {"change", "chain"}) and (place, target) not in WRITES_NOTHING:
                around.append(f"{place}:{call.lineno} writes {target}")
    assert around == []


def names_of_tables(tree: ast.Module) -> dict[str, str]:
    """Local names of tables: `x = models.record`, `a, b = models.c, models.d`, `from app.models import record`."""
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("app.models"):
            named |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in TABLES}
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                for left, right in pairs:
                    if isinstance(left, ast.Name) and (table := of_models(right)):
                        named[left.id] = table
    return named


def of_models(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "models":
        return node.attr if node.attr in TABLES else None
    return None


def written_table(call: ast.Call, named: dict[str, str]) -> str | None:
    """The table of `insert(models.x)` or `models.x.insert()`; `made.insert(models.x)` is the trail's own way."""
    if isinstance(call.func, ast.Name) and call.func.id in WRITES and call.args:
        target: ast.expr = call.args[0]
    elif isinstance(call.func, ast.Attribute) and call.func.attr in WRITES:
        target = call.func.value
    else:
        return None
    return named.get(target.id) if isinstance(target, ast.Name) else of_models(target)
