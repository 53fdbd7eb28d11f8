"""The only way to write audited rows.

    with change(session, study_id, by=actor, action="record.save", reason="…") as made:
        made.insert(revision, {...})
        made.update(record, before, revision=2)

When the block ends, one row of `change` is stored that lists every row written, by table and key, with the SHA-256
of the row's canonical bytes, and for rows that can change later with their whole image. The row of `change` is
sealed to the one before it: hash = SHA-256(previous hash || SHA-256 of the row's own canonical bytes). The head of
the chain is taken last, so that writers of one study wait for each other only for the length of a commit.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from app import models
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
    )
)
"""Tables whose rows are never rewritten: the trail keeps their digest, the table itself keeps the row."""

EXEMPT = frozenset(table.name for table in (models.session_token, models.idempotency, models.chain, models.change))
"""Not listed in the trail: credentials that pass, answers kept for retries, and the chain itself."""

SECRET = {("account", "password")}
"""Columns that the trail holds only as a digest."""

_SEALED_COLUMNS = tuple(c.name for c in models.change.columns if c.name not in {"seq", "digest", "hash"})


class By(Protocol):
    """Whoever acts: a person with a session, or the system itself."""

    @property
    def account_id(self) -> UUID | None: ...
    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class System:
    """The computer acting by itself, or a command run on the server."""

    source: str = "system"
    account_id: UUID | None = None
    name: str = "Marrow"


def image(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The whole row in canonical types, every column named; what must stay secret as its digest."""
    whole = {column.name: canonical.plain(row.get(column.name)) for column in table.columns}
    for name in whole:
        if (table.name, name) in SECRET and whole[name] is not None:
            whole[name] = "sha256:" + sha256(whole[name].encode()).hexdigest()
    return whole


def row_digest(whole: Mapping[str, Any]) -> str:
    """SHA-256, hex, of a row image."""
    return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


def row_key(table: Table, whole: Mapping[str, Any]) -> list[Any]:
    """The primary key of a row image, in the order of the schema."""
    return [whole[column.name] for column in table.primary_key.columns]


def change_digest(row: Mapping[str, Any]) -> bytes:
    """SHA-256 of everything a row of `change` says, its place in the chain aside."""
    return sha256(canonical.encode({name: row[name] for name in _SEALED_COLUMNS})).digest()


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

    def insert(self, table: Table, *rows: Mapping[str, Any]) -> None:
        """Store new rows; every column is given here, none is filled in by the database."""
        if not rows:
            return
        self.session.execute(insert(table), [dict(row) for row in rows])
        for row in rows:
            self._list(table, "insert", row)

    def update(self, table: Table, before: Mapping[str, Any], **values: Any) -> dict[str, Any]:
        """Change one row, given as it stands, and return it as it stands now."""
        if table.name in APPEND_ONLY:
            raise TypeError(f"{table.name} is history and is never rewritten")
        keys = [column.name for column in table.primary_key.columns]
        statement = update(table).where(*(table.c[name] == bindparam(f"key_{name}") for name in keys)).values(values)
        found = self.session.connection().execute(statement, {f"key_{name}": before[name] for name in keys})
        if found.rowcount != 1:
            raise LookupError(f"{table.name}: the row to change is not there")
        after = {column.name: before[column.name] for column in table.columns} | values
        self._list(table, "update", after)
        return after

    def _list(self, table: Table, act: str, row: Mapping[str, Any]) -> None:
        whole = image(table, row)
        entry = {"table": table.name, "act": act, "key": row_key(table, whole), "digest": row_digest(whole)}
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
    raises. A transaction that moves a study's chain and the system's takes the system's last.
    """
    made = Change(session, study_id, at or clock.now(), detail=dict(detail or {}))
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
    _seal(session, row)


def _seal(session: Session, row: dict[str, Any]) -> None:
    digest = change_digest(row)
    chain, table = models.chain, models.change
    head = (
        update(chain)
        .where(chain.c.study_id == row["study_id"])
        .values(
            seq=chain.c.seq + 1, hash=func.sha256(chain.c.hash.concat(bindparam("digest_", type_=chain.c.hash.type)))
        )
        .returning(chain.c.seq, chain.c.hash)
        .cte("head")
    )
    named = {name: bindparam(f"row_{name}", type_=table.c[name].type) for name in _SEALED_COLUMNS}
    sealed = insert(table).from_select(
        [*_SEALED_COLUMNS, "digest", "seq", "hash"],
        select(*named.values(), bindparam("digest_", type_=chain.c.hash.type), head.c.seq, head.c.hash),
        include_defaults=False,
    )
    values = {f"row_{name}": row[name] for name in _SEALED_COLUMNS} | {"digest_": digest}
    seq, head_hash = session.execute(sealed.returning(table.c.seq, table.c.hash), values).one()
    session.info.setdefault(SEALED, []).append(anchor_line(row["study_id"], seq, head_hash, row["at"]))


def anchor_line(study_id: str, seq: int, head: bytes, at: datetime) -> bytes:
    """One line of the anchor file: which chain, how long, its head, when."""
    return canonical.encode({"study": study_id, "seq": seq, "hash": head, "at": at}) + b"\n"


def start_chain(session: Session, study_id: str) -> None:
    """Begin the chain of a new study; its first hash is that of its own name."""
    genesis = sha256(b"marrow:" + study_id.encode()).digest()
    session.execute(insert(models.chain), {"study_id": study_id, "seq": 0, "hash": genesis})
