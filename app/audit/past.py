"""A study as it stood: its tables at an earlier position of its chain, for the rest of one transaction.

Whatever reads them need not know. Relations of this transaction alone bear the tables' own names and come first on the
search path: of history a view without what came later, of rows that can change the last image that the trail held by
then. A table that comes into the schema is among them without being named here.
"""

from collections.abc import Collection, Iterator

from sqlalchemy import LargeBinary, Table, text
from sqlalchemy.orm import Session

from app import models
from app.audit.trail import APPEND_ONLY, EXEMPT
from app.core.transaction import see


def turn_back(session: Session, study_id: str, seq: int, *, subjects: Collection[str] | None = None) -> None:
    """Have this transaction see one study, as it stood when its chain was `seq` changes long.

    `subjects` leaves out what changes about other subjects wrote. The session must never commit (`Database.supposing`):
    what is made here would stay on its connection.
    """
    see(session, study_id)
    narrowed = "" if subjects is None else "AND (c.subject_id IS NULL OR c.subject_id = ANY(:subjects))"
    asked = {"study": study_id, "seq": seq}
    if subjects is not None:
        asked |= {"subjects": sorted(subjects)}
    for statement in _MADE:
        session.execute(text(statement))
    session.execute(text(_HEAD), {"study": study_id, "seq": seq})
    session.execute(text(_THEN.format(narrowed)), asked)
    session.execute(text(_LISTED.format(narrowed)), asked | {"tables": _LISTED_TABLES})
    for statement in _STANDING:
        session.execute(text(statement))


OF_A_STUDY = tuple(
    table
    for table in models.metadata.sorted_tables
    if "study_id" in table.columns and (table.name not in EXEMPT or table is models.change)
)
"""What is seen as it stood; the head of the chain besides."""


def _goes_by_change(table: Table) -> bool:
    """History that says itself which change wrote it; of all else the trail says so."""
    return table.name in APPEND_ONLY and "change_id" in table.columns


_LISTED_TABLES = [str(table.name) for table in OF_A_STUDY if not _goes_by_change(table)]

_MADE = (
    "SET LOCAL statement_timeout = '15min'",  # one pass over a long trail is a long statement
    "CREATE TEMPORARY TABLE chain (LIKE public.chain) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE marrow_then (change_id uuid PRIMARY KEY) ON COMMIT DROP",
    "CREATE TEMPORARY TABLE marrow_listed (relation text, key jsonb, image jsonb) ON COMMIT DROP",
)
_HEAD = """
INSERT INTO pg_temp.chain SELECT study_id, seq, hash FROM public.change WHERE study_id = :study AND seq = :seq
"""
_THEN = """
INSERT INTO marrow_then SELECT c.change_id FROM public.change c WHERE c.study_id = :study AND c.seq <= :seq {}
"""
_LISTED = """
INSERT INTO marrow_listed
SELECT DISTINCT ON (e.row ->> 'table', e.row -> 'key') e.row ->> 'table', e.row -> 'key', e.row -> 'image'
FROM public.change c CROSS JOIN jsonb_array_elements(c.rows) WITH ORDINALITY AS e (row, place)
WHERE c.study_id = :study AND c.seq <= :seq AND e.row ->> 'table' = ANY(:tables) {}
ORDER BY e.row ->> 'table', e.row -> 'key', c.seq DESC, e.place DESC
"""


def _standing() -> Iterator[str]:
    yield "ANALYZE marrow_then"
    yield "ANALYZE marrow_listed (relation)"
    for table in OF_A_STUDY:
        if _goes_by_change(table):
            yield (
                f'CREATE TEMPORARY VIEW "{table.name}" AS SELECT t.* FROM public."{table.name}" t '  # noqa: S608 - own words
                "WHERE EXISTS (SELECT FROM marrow_then s WHERE s.change_id = t.change_id)"
            )
        elif table.name in APPEND_ONLY:
            key = ", ".join(f't."{column.name}"' for column in table.primary_key.columns)
            yield (
                f'CREATE TEMPORARY VIEW "{table.name}" AS SELECT t.* FROM public."{table.name}" t WHERE EXISTS ('  # noqa: S608
                f"SELECT FROM marrow_listed s WHERE s.relation = '{table.name}' AND s.key = jsonb_build_array({key}))"
            )
        else:
            yield f'CREATE TEMPORARY TABLE "{table.name}" (LIKE public."{table.name}" INCLUDING INDEXES) ON COMMIT DROP'
            yield (
                f'INSERT INTO pg_temp."{table.name}" SELECT r.* FROM marrow_listed s '  # noqa: S608
                f'CROSS JOIN LATERAL jsonb_populate_record(NULL::public."{table.name}", {_image(table)}) r '
                f"WHERE s.relation = '{table.name}'"
            )
            yield f'ANALYZE pg_temp."{table.name}"'
    # Said outright, although it is where names are looked up anyway: a statement that was prepared on this connection
    # before is read again only when the path is another one.
    yield "SET LOCAL search_path = pg_temp, public"


def _image(table: Table) -> str:
    """The image in the types of the columns: the trail writes bytes as hexadecimal digits."""
    image = "s.image"
    for column in table.columns:
        if isinstance(column.type, LargeBinary):
            image += rf" || jsonb_build_object('{column.name}', '\x' || (s.image ->> '{column.name}'))"
    return image


_STANDING = tuple(_standing())
