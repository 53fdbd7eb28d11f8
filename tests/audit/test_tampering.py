"""Any single change behind the application's back, by the superuser past every trigger, is found and named."""

from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, SmallInteger, Table, Text, Uuid, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app import models
from app.audit.report import Report
from app.audit.trail import change_digest, genesis
from app.audit.verify import COVERED, verify
from app.core import canonical
from tests.audit.conftest import STUDY, Trial

WATCHED = COVERED | {"change": models.change, "chain": models.chain}
COLUMNS = [(table, column) for table in WATCHED.values() for column in table.columns]

ANOTHER: dict[type, str] = {
    Text: "coalesce({c}, '') || 'x'",
    Integer: "coalesce({c}, 0) + 1000",
    SmallInteger: "coalesce({c}, 0) + 1000",
    BigInteger: "coalesce({c}, 0) + 1000",
    Uuid: "gen_random_uuid()",
    DateTime: "coalesce({c}, now()) + interval '1 microsecond'",
    JSONB: "CASE jsonb_typeof({c}) WHEN 'array' THEN {c} || '[1]' ELSE {c} || '{{\"x\": 1}}' END",
    LargeBinary: "{c} || '\\x00'",
}


def key_of(table: Table, row: Any) -> tuple[Any, ...]:
    return tuple(canonical.plain(row[column.name]) for column in table.primary_key.columns)


def first_row(session: Session, table: Table) -> Any:
    of = table.select().order_by(*table.primary_key.columns)
    if "study_id" in table.c:
        of = of.where(table.c.study_id == STUDY)
    return session.execute(of).mappings().first()


def alter(session: Session, table: Table, row: Any, assignment: str) -> None:
    for constraint in session.execute(
        text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:t AS regclass) AND contype = 'c'"),
        {"t": table.name},
    ).scalars():
        session.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {constraint}"))
    own = " AND ".join(f"{column.name} = :{column.name}" for column in table.primary_key.columns)
    done = session.connection().execute(
        text(f"UPDATE {table.name} SET {assignment} WHERE {own}"),  # noqa: S608 - the names are the schema's
        {column.name: row[column.name] for column in table.primary_key.columns},
    )
    assert done.rowcount == 1


def looked_at(session: Session, standing: Trial) -> Report:
    report = verify(session, standing.database.anchors)
    assert not report.ok
    return report


def named(report: Report) -> set[tuple[str | None, tuple[Any, ...]]]:
    return {(fault.table, fault.key) for fault in report}


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{t.name}.{c.name}" for t, c in COLUMNS])
def test_one_column_of_one_row(standing: Trial, back_door: Session, table: Table, column: "Column[Any]") -> None:
    row = first_row(back_door, table)
    other = ANOTHER[type(column.type)].format(c=f'"{column.name}"')
    alter(back_door, table, row, f'"{column.name}" = {other}')
    assert (table.name, key_of(table, row)) in named(looked_at(back_door, standing)) or (
        table is models.chain and column.name == "study_id"
    )


NULLABLE = [(t, c) for t, c in COLUMNS if c.nullable]


@pytest.mark.parametrize(("table", "column"), NULLABLE, ids=[f"{t.name}.{c.name}" for t, c in NULLABLE])
def test_a_null_made_something_or_something_null(standing, back_door, table: Table, column: "Column[Any]") -> None:
    row = first_row(back_door, table)
    empty = {Text: "''", Integer: "0", SmallInteger: "0", DateTime: "'epoch'", JSONB: "'{}'"}
    empty |= {Uuid: "'00000000-0000-0000-0000-000000000000'"}
    value = empty[type(column.type)] if row[column.name] is None else "NULL"
    alter(back_door, table, row, f'"{column.name}" = {value}')
    assert (table.name, key_of(table, row)) in named(looked_at(back_door, standing))


@pytest.mark.parametrize("table", COVERED.values(), ids=COVERED)
def test_a_row_deleted(standing: Trial, back_door: Session, table: Table) -> None:
    row = first_row(back_door, table)
    back_door.execute(table.delete().where(*(column == row[column.name] for column in table.primary_key.columns)))
    report = looked_at(back_door, standing)
    assert (table.name, key_of(table, row)) in named(report)
    assert all(fault.seq is not None for fault in report if fault.table == table.name)


@pytest.mark.parametrize("table", COVERED.values(), ids=COVERED)
def test_a_foreign_row_inserted(standing: Trial, back_door: Session, table: Table) -> None:
    foreign = dict(first_row(back_door, table))
    for column in table.columns:
        if (column.primary_key and column.name != "study_id") or (table.name, column.name) == ("account", "folded"):
            of = type(column.type)
            foreign[column.name] = {Text: "other", Integer: 77, Uuid: "00000000-0000-0000-0000-000000000001"}[of]
    foreign |= {"repeat": 77} if "repeat" in foreign else {"item": "other"} if "item" in foreign else {}
    if table.name == "study":
        foreign["study_id"] = "NOWHERE"
    whole = f"jsonb_populate_record(NULL::public.{table.name}, CAST(:row AS jsonb))"
    given = {"row": canonical.encode(foreign).decode()}
    back_door.connection().execute(text(f"INSERT INTO {table.name} SELECT * FROM {whole}"), given)  # noqa: S608 - own
    assert (table.name, key_of(table, foreign)) in named(looked_at(back_door, standing))


def test_a_row_moved_into_no_study(standing: Trial, back_door: Session) -> None:
    row = first_row(back_door, models.subject)
    alter(back_door, models.subject, row, "study_id = 'A,B'")
    assert {("subject", key_of(models.subject, row)), ("subject", ("A,B", row["subject_id"]))} <= named(
        looked_at(back_door, standing)
    )


@pytest.mark.parametrize(
    "assignment",
    [
        "answers = answers - 'anc' || '{\"ancx\": \"0.9\"}'",
        "answers = answers || '{\"n\": 3.0}'",
        "answers = answers || '{\"n\": 3e400}'",
        "answers = answers || '{\"note\": null}'",
        "answers = answers - 'note'",
        "answers = answers || '{\"anc\": 0.9}'",
        'answers = answers || \'{"list": ["B", "A"]}\'',
        'answers = answers || \'{"list": "AB"}\'',
        "answers = CAST(repeat('[', 3000) || repeat(']', 3000) AS jsonb)",
        "answers = 'null'",
        "at = 'infinity'",
        "at = '20000-01-01'",
        "at = '4000-01-01 BC'",
        "at = at - interval '1 microsecond'",
        "form_version = 11, number = number",
        "status = 'complete '",
        "change_id = (SELECT change_id FROM change WHERE study_id = 'S1904' AND seq = 1)",
    ],
)
def test_an_edit_that_looks_like_nothing(standing: Trial, back_door: Session, assignment: str) -> None:
    row = first_row(back_door, models.revision)
    alter(back_door, models.revision, row, assignment)
    report = looked_at(back_door, standing)
    assert ("revision", key_of(models.revision, row)) in named(report)
    assert report.faults[0].table == "revision"
    assert report.faults[0].seq is not None


def test_a_boundary_between_two_columns_shifted(standing: Trial, back_door: Session) -> None:
    row = first_row(back_door, models.record)
    alter(back_door, models.record, row, "visit = visit || left(form_id, 1), form_id = substr(form_id, 2)")
    assert ("record", key_of(models.record, row)) in named(looked_at(back_door, standing))


def test_two_values_exchanged_between_rows(standing: Trial, back_door: Session) -> None:
    back_door.execute(
        text(
            "UPDATE revision r SET answers = o.answers FROM revision o WHERE r.study_id = o.study_id "
            "AND r.record_id = o.record_id AND r.number <> o.number"
        )
    )
    assert len([fault for fault in looked_at(back_door, standing) if fault.table == "revision"]) == 8


@pytest.mark.parametrize(
    "rows",
    ["'{}'", "'[1]'", "'[{\"table\": []}]'",
     "'[{\"table\": \"x\", \"key\": [], \"digest\": 5}]'", "'[null]'", "'\"x\"'",
     "jsonb_set(rows, '{0,digest}', '\"zz\"')", "jsonb_set(rows, '{0,key}', '{}')", "rows || rows",
     "rows #- '{0,image}'", "'[]'", "jsonb_set(rows, '{0,table}', '\"chain\"')",
     "jsonb_set(rows, '{0,act}', '\"delete\"')"],
)  # fmt: skip
def test_a_list_of_rows_that_makes_no_sense(standing: Trial, back_door: Session, rows: str) -> None:
    back_door.execute(text(f"UPDATE change SET rows = {rows} WHERE study_id = :s AND seq = 3"), {"s": STUDY})  # noqa: S608
    first = looked_at(back_door, standing).faults[0]
    assert (first.table, first.key) == ("change", (STUDY, 3))


def test_a_change_deleted(standing: Trial, back_door: Session) -> None:
    back_door.execute(text("DELETE FROM change WHERE study_id = :s AND seq = 3"), {"s": STUDY})
    first = looked_at(back_door, standing).faults[0]
    assert (first.chain, first.seq, first.table) == (STUDY, 3, "change")


def test_two_changes_exchanged(standing: Trial, back_door: Session) -> None:
    for old, new in ((3, -1), (4, 3), (-1, 4)):
        back_door.execute(
            text("UPDATE change SET seq = :new WHERE study_id = :s AND seq = :old"),
            {"s": STUDY, "old": old, "new": new},
        )
    first = looked_at(back_door, standing).faults[0]
    assert (first.table, first.key) == ("change", (STUDY, 3))


@pytest.mark.parametrize("seq", [0, -5])
def test_a_change_put_before_the_first(standing: Trial, back_door: Session, seq: int) -> None:
    back_door.execute(text("UPDATE change SET seq = :new WHERE study_id = :s AND seq = 3"), {"s": STUDY, "new": seq})
    assert looked_at(back_door, standing).faults[0].seq == seq


def reseal(session: Session, *, renumber: bool = True) -> None:
    """What a clever administrator would do: compute every hash of the chain and its head anew."""
    seal, last = genesis(STUDY), 0
    of = select(models.change).where(models.change.c.study_id == STUDY).order_by(models.change.c.seq)
    for place, row in enumerate(session.execute(of).mappings().all(), start=1):
        last = place if renumber else row["seq"]
        digest = change_digest({str(name): value for name, value in row.items()})
        seal = sha256(seal + digest).digest()
        session.execute(
            models.change.update()
            .where(models.change.c.study_id == STUDY, models.change.c.seq == row["seq"])
            .values(digest=digest, hash=seal, seq=last)
        )
    session.execute(models.chain.update().where(models.chain.c.study_id == STUDY).values(seq=last, hash=seal))


def test_a_change_resealed_by_itself_no_longer_follows_the_one_before(back_door: Session) -> None:
    back_door.execute(text("UPDATE change SET reason = 'Other' WHERE study_id = :s AND seq = 3"), {"s": STUDY})
    of = select(models.change).where(models.change.c.study_id == STUDY, models.change.c.seq == 3)
    digest = change_digest(dict(back_door.execute(of).mappings().one()))
    back_door.execute(
        text("UPDATE change SET digest = :digest WHERE study_id = :s AND seq = 3"), {"s": STUDY, "digest": digest}
    )
    assert [(fault.table, fault.key) for fault in verify(back_door, None)] == [("change", (STUDY, 3))]


def test_a_gap_in_a_chain_resealed_around_it(back_door: Session) -> None:
    back_door.execute(text("UPDATE change SET seq = seq + 100 WHERE study_id = :s AND seq > 5"), {"s": STUDY})
    reseal(back_door, renumber=False)
    assert [(fault.seq, fault.table) for fault in verify(back_door, None)] == [(6, "change")]


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        ("rows || jsonb_build_array(rows->1)", "revision"),
        ("jsonb_set(rows, '{0,act}', '\"update\"')", "record"),
        ("jsonb_set(rows, '{1,act}', '\"update\"')", "revision"),
        ("jsonb_set(rows, '{0,image,visit}', '\"D60\"')", "record"),
        ("jsonb_set(rows, '{2,table}', '\"idempotency\"')", "idempotency"),
        ("jsonb_set(rows, '{1,key,0}', '\"S1904\"')", "revision"),
    ],
)
def test_a_list_of_rows_that_contradicts_itself_in_a_chain_resealed(back_door: Session, rows: str, table: str) -> None:
    seq = back_door.execute(
        text("SELECT min(seq) FROM change WHERE study_id = :s AND action = 'record.save'"), {"s": STUDY}
    ).scalar_one()
    where = {"s": STUDY, "seq": seq}
    back_door.execute(text(f"UPDATE change SET rows = {rows} WHERE study_id = :s AND seq = :seq"), where)  # noqa: S608
    reseal(back_door)
    assert (table, seq) in {(fault.table, fault.seq) for fault in verify(back_door, None)}


def test_a_whole_chain_resealed_is_found_by_the_anchors_alone(standing: Trial, back_door: Session) -> None:
    back_door.execute(text("UPDATE change SET reason = 'Other' WHERE study_id = :s AND seq = 3"), {"s": STUDY})
    reseal(back_door)
    assert verify(back_door, None).ok
    faults = looked_at(back_door, standing).faults
    assert {fault.chain for fault in faults} == {STUDY}
    assert [fault.seq for fault in faults[:2]] == [3, 4]


def test_a_tail_cut_off_with_its_rows_is_found_by_the_anchors_alone(standing: Trial, back_door: Session) -> None:
    last = back_door.execute(
        select(models.change).where(models.change.c.study_id == STUDY).order_by(models.change.c.seq.desc())
    ).mappings().first()  # fmt: skip
    assert last is not None
    assert last["action"] == "record.save"
    own = {"change": last["change_id"], "record": last["record_id"]}
    back_door.execute(text("DELETE FROM revision WHERE change_id = :change"), {"change": own["change"]})
    back_door.execute(text("DELETE FROM change WHERE change_id = :change"), {"change": own["change"]})
    before = back_door.execute(
        text(
            "SELECT e->'image' FROM change, jsonb_array_elements(rows) e WHERE record_id = :record "
            "AND e->>'table' = 'record'"
        ),
        {"record": own["record"]},
    ).scalar_one()
    back_door.execute(
        text("UPDATE record SET revision = 1, change_id = :change WHERE record_id = :record"),
        {"record": own["record"], "change": before["change_id"]},
    )
    reseal(back_door)
    assert [str(fault) for fault in verify(back_door, None)] == []
    faults = looked_at(back_door, standing).faults
    assert [(fault.chain, fault.seq, fault.table) for fault in faults] == [(STUDY, last["seq"], "chain")]


def test_a_chain_gone_with_all_its_rows_is_found_by_the_anchors_alone(standing: Trial, back_door: Session) -> None:
    for table in WATCHED.values():
        if "study_id" in table.c:
            back_door.execute(table.delete().where(table.c.study_id == STUDY))
    assert verify(back_door, None).ok
    assert [(fault.chain, fault.seq) for fault in looked_at(back_door, standing)] == [(STUDY, 1)]


def test_a_chain_gone_without_its_rows(back_door: Session) -> None:
    back_door.execute(models.chain.delete().where(models.chain.c.study_id == STUDY))
    found = named(verify(back_door, None))
    assert {table for table, _ in found} >= {"subject", "revision", "change"}


def test_a_citation_of_a_change_that_is_not_there(back_door: Session) -> None:
    row = first_row(back_door, models.subject)
    alter(back_door, models.subject, row, "change_id = gen_random_uuid()")
    now = first_row(back_door, models.subject)
    image = canonical.plain({name: now[name] for name in now})
    digest = sha256(canonical.encode(image)).hexdigest()
    back_door.execute(
        text(
            "UPDATE change SET rows = jsonb_build_array(jsonb_build_object('table', 'subject', 'act', 'insert', "
            "'key', CAST(:key AS jsonb), 'image', CAST(:image AS jsonb), 'digest', CAST(:digest AS text))) "
            "WHERE study_id = :s AND subject_id = :subject AND action = 'subject.create'"
        ),
        {
            "s": STUDY,
            "subject": row["subject_id"],
            "key": canonical.encode(list(key_of(models.subject, row))).decode(),
            "image": canonical.encode(image).decode(),
            "digest": digest,
        },
    )
    reseal(back_door)
    faults = verify(back_door, None).faults
    assert [(fault.table, fault.key) for fault in faults] == [("subject", key_of(models.subject, row))]


def test_no_fault_holds_a_value(standing: Trial, back_door: Session) -> None:
    back_door.execute(text('UPDATE revision SET answers = \'{"secret": "canary"}\''))
    back_door.execute(text("UPDATE change SET reason = 'canary'"))
    assert not any("canary" in str(fault) for fault in looked_at(back_door, standing))
