"""The only way to write audited rows.

    with change(session, study_id, by=actor, action="record.save", reason="…") as made:
        made.insert(revision, {...})
        made.update(record, before, revision=2)

Before the transaction commits, one row of `change` is stored that lists every row written, by table and key, with
the SHA-256 of the row's canonical bytes, and for rows that can change later with their whole image. It is sealed to
the one before it: hash = SHA-256(previous hash || SHA-256 of the row's own canonical bytes). That is the last
statement before the commit, so that writers of one study wait for each other only for so long.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    event,
    insert,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, SessionTransaction

from app import models
from app.audit.statements import SEALED_COLUMNS, SEALING, storing, updating
from app.core import canonical, clock
from app.core.transaction import SEALED

APPEND_ONLY = frozenset(
    table.name
    for table in (
        models.change,
        models.form_version,
        models.study_version,
        models.study_form,
        models.revision,
        models.computed,
        models.derivation,
        models.reference_range,
        models.cut,
        models.query_message,
        models.migrated_page,
        models.signature,
        models.signed_page,
        models.signature_break,
    )
)
"""Tables whose rows are never rewritten: the trail keeps their digest, the table itself keeps the row."""

EXEMPT = frozenset(table.name for table in (models.session_token, models.idempotency, models.chain, models.change))
"""Not listed in the trail: credentials that pass, answers kept for retries, and the chain itself."""

SECRET = {("account", "password")}
"""Columns that the trail holds only as a digest."""

TYPES: dict[type, tuple[type, ...]] = {
    Text: (str,),
    Integer: (int,),
    BigInteger: (int,),
    SmallInteger: (int,),
    Uuid: (UUID,),
    DateTime: (datetime,),
    LargeBinary: (bytes,),
    JSONB: (dict, list, str, int, bool),
}
"""What a column of each type takes. The driver would convert more, and the row would differ from its image."""

_UNSEALED, _WAITING, _BEFORE = "unsealed", "waiting", "before"
_AT_ONCE = 10  # rows in one statement, which is put together once for each list of tables


class By(Protocol):
    """Whoever acts: a person with a session, or the system itself."""

    @property
    def account_id(self) -> UUID | None:
        """Whose account, None for the system."""

    @property
    def name(self) -> str:
        """The name to be read in the trail, as it was at the time."""

    @property
    def source(self) -> str:
        """Through what: the API, a command and its user on the server, the system itself."""


@dataclass(frozen=True, slots=True)
class System:
    """The computer acting by itself, or a command run on the server."""

    source: str = "system"
    account_id: UUID | None = None
    name: str = "Marrow"


def image(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The whole row in canonical types, every column that holds something; what must stay secret as its digest.

    A column that is NULL is left out, so that a column added to the schema later changes no digest of today.
    Raises TypeError, naming the column and not the value, for a value that is not of the column's own type.
    """
    whole = {}
    for name, kind in _columns(table):
        value = row.get(name)
        if value is None:
            continue
        if not _fits(value, kind):
            raise TypeError(f"{table.name}.{name} does not take {type(value).__name__}")
        whole[name] = veil(value) if (table.name, name) in SECRET else canonical.plain(value)
    return whole


@cache
def _columns(table: Table) -> tuple[tuple[str, type], ...]:
    """Name and type of each column; SQLAlchemy's own kind of str is no key to orjson."""
    return tuple((str(column.name), type(column.type)) for column in table.columns)


def veil(secret: str) -> str:
    """What the trail keeps of a secret."""
    return "sha256:" + sha256(secret.encode()).hexdigest()


def _fits(value: Any, kind: type) -> bool:
    if isinstance(value, datetime):
        return kind is DateTime and value.tzinfo is not None
    return isinstance(value, TYPES[kind]) and (kind is JSONB or not isinstance(value, bool))


def row_digest(whole: Mapping[str, Any]) -> str:
    """SHA-256, hex, of a row image."""
    return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


def row_key(table: Table, whole: Mapping[str, Any]) -> list[Any]:
    """The primary key of a row image, in the order of the schema."""
    return [whole[column.name] for column in table.primary_key.columns]


def change_digest(row: Mapping[str, Any]) -> bytes:
    """SHA-256 of everything a row of `change` says, its place in the chain aside; what is NULL is left out."""
    said = {name: row[name] for name in SEALED_COLUMNS if row[name] is not None}
    return sha256(canonical.encode(said)).digest()


@dataclass(slots=True)
class Change:
    """One act, while it is being carried out."""

    session: Session
    study_id: str
    at: datetime
    change_id: UUID = field(default_factory=uuid4)
    rows: list[dict[str, Any]] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    site_id: str | None = None
    subject_id: str | None = None
    record_id: UUID | None = None
    waiting: list[tuple[Table, dict[str, Any]]] = field(default_factory=list)

    def insert(self, table: Table, *rows: Mapping[str, Any]) -> None:
        """Store new rows; every column is given here, none is filled in by the database.

        They are sent when the block ends, in one statement, or before an update of their table.
        """
        if not rows:
            return
        names = [name for name, _ in _columns(table)]
        if strange := set().union(*rows) - set(names):
            raise TypeError(f"{table.name} has no column {', '.join(sorted(strange))}")
        whole = [{name: row.get(name) for name in names} for row in rows]
        for row in whole:
            self._list(table, "insert", row)
            self.waiting.append((table, row))

    def store(self) -> None:
        """Send the rows that wait: a few in one statement, many table by table in the order they came."""
        if len(self.waiting) > _AT_ONCE:
            for table, rows in groupby(self.waiting, key=itemgetter(0)):
                self.session.execute(insert(table), [row for _, row in rows])
        elif self.waiting:
            named = {f"{n}_{name}": v for n, (_, row) in enumerate(self.waiting) for name, v in row.items()}
            storing(tuple(table for table, _ in self.waiting)).run(self.session, named)
        self.waiting.clear()

    def update(self, table: Table, before: Mapping[str, Any], **values: Any) -> dict[str, Any]:
        """Change one row, given as it stands, and return it as it stands now."""
        self._rewritable(table)
        keys = {f"key_{column.name}": before[column.name] for column in table.primary_key.columns}
        given = {f"new_{name}": value for name, value in values.items()}
        now = updating(table, tuple(values)).one(self.session, keys | given)
        if now is None:
            raise LookupError(f"{table.name}: the row to change is not there")
        self._list(table, "update", now)
        return now

    def update_all(self, table: Table, before: Sequence[Mapping[str, Any]], **values: Any) -> None:
        """Give the same new values to several rows of a study whose key is `study_id` and one UUID."""
        if not before:
            return
        self._rewritable(table)
        own = next(column for column in table.primary_key.columns if column.name != "study_id")
        found = self.session.execute(
            update(table)
            .where(table.c.study_id == self.study_id, own.in_([row[own.name] for row in before]))
            .values(values)
            .returning(table)
        )
        after = found.mappings().all()
        if len(after) != len(before):
            raise LookupError(f"{table.name}: not all of the rows to change are there")
        for row in after:
            self._list(table, "update", {str(name): value for name, value in row.items()})

    def _rewritable(self, table: Table) -> None:
        """Refuse to rewrite history; have rows of this table stored that still wait."""
        if table.name in APPEND_ONLY:
            raise TypeError(f"{table.name} is history and is never rewritten")
        if any(other is table for other, _ in self.waiting):
            self.store()

    def _list(self, table: Table, act: str, row: Mapping[str, Any]) -> None:
        whole = image(table, row)
        if whole.get("study_id", models.SYSTEM) != self.study_id:
            raise ValueError(f"{table.name}: a row is sealed into the chain of its own study")
        entry: dict[str, Any] = {
            "table": table.name,
            "act": act,
            "key": row_key(table, whole),
            "digest": row_digest(whole),
        }
        if table.name not in APPEND_ONLY:
            entry["image"] = whole
        self.rows.append(entry)


@contextmanager
def change(
    session: Session,
    study_id: str,
    *,
    by: By,
    action: str,
    reason: str | None = None,
    zone: str = "UTC",
    at: datetime | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Iterator[Change]:
    """Carry out one act and seal it into the chain of its study, or of the system (`models.SYSTEM`).

    `zone` is the time zone of the site where it happened; `at` is stored in UTC. Nothing is stored if the block
    raises: a transaction that holds rows of an unsealed change cannot be committed, whoever caught the exception.
    The block's rows are there when it has ended, the change itself when the transaction is committed.
    A row belongs to the chain of its study, what has no study to the system's. A transaction that moves a study's
    chain and the system's takes the system's last.
    """
    made = Change(session, study_id, at or clock.now(), detail=dict(detail or {}))
    session.info.setdefault(_UNSEALED, []).append(made.change_id)
    yield made
    row = {
        "study_id": study_id,
        "change_id": made.change_id,
        "actor_id": by.account_id,
        "actor": by.name,
        "at": made.at,
        "zone": zone,
        "action": action,
        "reason": reason,
        "source": by.source,
        "site_id": made.site_id,
        "subject_id": made.subject_id,
        "record_id": made.record_id,
        "detail": made.detail,
        "rows": made.rows,
    }
    made.store()
    session.info[_UNSEALED].remove(made.change_id)
    if session.in_nested_transaction():
        _seal(session, row, change_digest(row))
    else:
        session.info.setdefault(_WAITING, []).append((row, change_digest(row)))


@event.listens_for(Session, "before_commit")
def _seal_all(session: Session) -> None:
    """Seal what was done: the last thing before the commit, for who holds the head of a chain keeps others waiting."""
    if session.in_nested_transaction():
        return
    if session.info.get(_UNSEALED):
        raise RuntimeError("A change was begun and not carried through: nothing of this transaction is stored")
    for row, digest in sorted(session.info.pop(_WAITING, ()), key=lambda each: each[0]["study_id"] == models.SYSTEM):
        _seal(session, row, digest)


@event.listens_for(Session, "after_transaction_create")
def _remember(session: Session, begun: SessionTransaction) -> None:
    """Keep what was under way when a transaction or a savepoint in it begins."""
    held = {name: list(session.info.get(name, ())) for name in (_UNSEALED, _WAITING, SEALED)}
    session.info.setdefault(_BEFORE, WeakKeyDictionary())[begun] = held


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, rolled_back: SessionTransaction) -> None:
    """What was rolled back is neither to be sealed nor to be anchored; what was under way before it still is."""
    session.info.update(session.info.get(_BEFORE, {}).get(rolled_back, {}))


def _seal(session: Session, row: dict[str, Any], digest: bytes) -> None:
    values = {f"row_{name}": row[name] for name in SEALED_COLUMNS} | {"digest_": digest}
    ((seq, head),) = SEALING.rows(session, values)
    session.info.setdefault(SEALED, []).append(anchor_line(row["study_id"], seq, head, row["at"]))


def anchor_line(study_id: str, seq: int, head: bytes, at: datetime) -> bytes:
    """One line of the anchor file: which chain, how long, its head, when."""
    return canonical.encode({"study": study_id, "seq": seq, "hash": head, "at": at}) + b"\n"


def genesis(study_id: str) -> bytes:
    """The hash that a chain begins with: that of its own name."""
    return sha256(b"marrow:" + study_id.encode()).digest()


def start_chain(session: Session, study_id: str) -> None:
    """Begin the chain of a new study."""
    session.execute(insert(models.chain), {"study_id": study_id, "seq": 0, "hash": genesis(study_id)})
