"""A study as a zip of CSV files: who takes it is recorded first, then it streams from one unchanging snapshot."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.audit import change
from app.core.files import replacing
from app.core.transaction import Database, see
from app.exchange import marks, orphans, outcomes, overview, tables, working
from app.exchange.archive import Flavour, Member, Written, stream
from app.exchange.columns import Column
from app.study.library import newest

_CODEBOOK = (
    Column("FILE", "File", "text"),
    Column("COLUMN", "Column", "text"),
    Column("LABEL", "What it holds", "text", text=True),
    Column("TYPE", "Type", "text"),
    Column("UNIT", "Unit", "text", text=True),
    Column("CODES", "Code=words, separated by |", "text", text=True),
    Column("RULE", "The published rule that decides it, as docs/clinical names it", "text"),
    Column("ITEM", "Item of the form", "text"),
    Column("QUESTION", "Question as it stands on the page", "text", text=True),
    Column("FORM_VERSIONS", "Form versions that have the item", "text"),
)
NOTES = {
    "files": "UTF-8, RFC 4180, one header line, lines end in CR LF; an empty cell is no value.",
    "dates": "As collected. A partial date has its raw text beside _lower, _upper and _precision; nothing is imputed.",
    "missing": "Why an item has no value stands in its _missing column.",
    "cut_off": "Applies to endpoints.csv and rates.csv; the pages are exported whole.",
    "cnsr": "0 event, 1 censored, 2 competing event; NA and QUERY have no number and say why in REASON.",
    "void": "Void pages are in records.csv and audit_items.csv, not in the form files.",
}
SPREADSHEET = (
    "Flavour spreadsheet: free text and words that begin like a formula have an apostrophe before them, and files "
    "begin with a byte order mark. For analysis take the machine flavour."
)


def begin(
    session: Session, actor: Actor, study_id: str, *, cutoff: date | None, flavour: Flavour, **more: Any
) -> frozenset[str] | None:
    """Check the right to export and record that it is used; the sites that may be exported, None for all.

    Raises NotFound and Forbidden. The record is in the system's own chain, so that the study's position stays; `more`
    stands in it too.
    """
    require(actor, Permission.EXPORT_CLINICAL, study_id)
    newest(session, study_id)
    within = sites(actor, study_id, Permission.EXPORT_CLINICAL)
    with change(session, models.SYSTEM, by=actor, action="export") as made:
        made.detail |= {
            "study": study_id,
            "cutoff": cutoff.isoformat() if cutoff else None,
            "flavour": flavour.value,
            "sites": sorted(within) if within is not None else None,
        } | more
    return within


def archive(
    database: Database,
    study_id: str,
    within: frozenset[str] | None,
    *,
    cutoff: date | None = None,
    flavour: Flavour = Flavour.MACHINE,
) -> Iterator[bytes]:
    """The zip, as a stream of bytes in flat memory, from a snapshot of its own."""
    with database.reading() as session:
        see(session, study_id)
        yield from contents(session, study_id, within, cutoff=cutoff, flavour=flavour)


def contents(
    session: Session,
    study_id: str,
    within: frozenset[str] | None,
    *,
    cutoff: date | None = None,
    flavour: Flavour = Flavour.MACHINE,
    told: list[Written] | None = None,
) -> Iterator[bytes]:
    """The zip of what this session sees; `told` is filled with what the manifest says of each file."""
    scope = tables.Scope(session, newest(session, study_id), within, cutoff)
    head = position(session, study_id)
    shown: list[Member] = []

    def all_members() -> Iterator[Member]:
        for members in (
            tables.form_members,
            working.members,
            orphans.members,
            overview.members,
            marks.members,
            outcomes.members,
        ):
            for member in members(scope):
                shown.append(member)
                yield member
        yield Member("codebook.csv", _CODEBOOK, lambda: _codebook(shown))

    def manifest(written: list[Written]) -> tuple[str, bytes]:
        if told is not None:
            told.extend(written)
        return "manifest.json", _manifest(scope, head, flavour, written)

    yield from stream(all_members(), manifest, flavour)


def position(session: Session, study_id: str) -> dict[str, Any]:
    """Where the study's chain stands in this snapshot."""
    table = models.chain
    row = session.execute(select(table.c.seq, table.c.hash).where(table.c.study_id == study_id)).one()
    return {"seq": row.seq, "hash": bytes(row.hash).hex()}


def _codebook(shown: list[Member]) -> Iterator[list[str]]:
    for member in shown:
        for column in member.columns:
            yield [
                member.name,
                column.name,
                column.label,
                column.type,
                column.unit,
                "|".join(f"{code}={words}" for code, words in column.codes),
                column.rule,
                column.item,
                column.question,
                "|".join(map(str, column.versions)),
            ]


def _manifest(scope: tables.Scope, head: dict[str, Any], flavour: Flavour, written: list[Written]) -> bytes:
    versions = models.study_version
    released = scope.session.execute(
        select(versions.c.version, versions.c.digest)
        .where(versions.c.study_id == scope.study_id)
        .order_by(versions.c.version)
    )
    told = {
        "study": scope.study_id,
        "study_versions": [{"version": row.version, "digest": row.digest} for row in released],
        "sites": sorted(scope.sites) if scope.sites is not None else "all",
        "cut_off": scope.cutoff.isoformat() if scope.cutoff else None,
        "chain": head,
        "flavour": flavour.value,
        "notes": NOTES | ({"flavour": SPREADSHEET} if flavour is Flavour.SPREADSHEET else {}),
        "files": [
            {"name": each.name, "rows": each.rows, "bytes": each.bytes, "sha256": each.sha256} for each in written
        ],
    }
    return (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode()


def export_to_file(
    database: Database,
    actor: Actor,
    study_id: str,
    path: Path,
    *,
    cutoff: date | None = None,
    flavour: Flavour = Flavour.MACHINE,
    opened: Callable[[Session], object] | None = None,
) -> int:
    """Export to a file on the server; the number of bytes. `opened` opens the row-level wall for a command.

    Raises CannotWriteError, before anything is recorded where it can be known.
    """
    with replacing(path) as out:
        with database.writing() as session:
            if opened is not None:
                opened(session)
            within = begin(session, actor, study_id, cutoff=cutoff, flavour=flavour)
        return sum(out.write(part) for part in archive(database, study_id, within, cutoff=cutoff, flavour=flavour))
