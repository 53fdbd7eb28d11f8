"""A cut handed out again: the same bytes, whatever has been written since."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.audit.past import turn_back
from app.core.files import replacing
from app.core.logs import log
from app.core.transaction import Database, see
from app.exchange import export
from app.exchange.archive import Flavour
from app.exchange.cuts.cut import RELEASE, Cut, find
from app.models.base import SYSTEM


class CutDiffersError(RuntimeError):
    """What would be handed out is not what was cut: somebody wrote around the trail, or another program made it."""


def begin(session: Session, actor: Actor, study_id: str, name: str) -> tuple[Cut, frozenset[str] | None]:
    """Check the right to export and record that it is used; the cut, and the sites that may be seen, None for all.

    Raises NotFound and Forbidden.
    """
    cut = find(session, actor, study_id, name, Permission.EXPORT_CLINICAL)
    return cut, export.begin(session, actor, study_id, cutoff=cut.day, flavour=Flavour.MACHINE, cut=name)


def archive(database: Database, cut: Cut, seen: frozenset[str] | None) -> Iterator[bytes]:
    """The zip of the cut, of the sites in sight: where the subjects were then. In flat memory.

    Raises CutDiffersError before the last bytes when the whole of a cut is not what it was. A later release of the
    program may know more files and columns; then it is logged.
    """
    with database.supposing() as session:
        turn_back(session, cut.study_id, cut.seq)
        if export.position(session, cut.study_id)["hash"] != cut.hash.hex():
            raise CutDiffersError("The trail is not the one that was cut; run marrow audit verify")
        digest, held = sha256(), b""
        for part in export.contents(session, cut.study_id, cut.within(seen), cutoff=cut.day):
            yield held
            digest.update(part)
            held = part
        if cut.whole(seen) and digest.hexdigest() != cut.sha256:
            log.error("cut-differs", extra={"study": cut.study_id, "seq": cut.seq, "release": cut.release})
            if cut.release == RELEASE:
                raise CutDiffersError("The archive is not the one that was cut; run marrow audit verify")
        yield held


def to_file(database: Database, actor: Actor, study_id: str, name: str, path: Path) -> tuple[Cut, str]:
    """Write a cut to a file on the server; the cut, and the SHA-256 of what was written. Raises CannotWriteError."""
    digest = sha256()
    with replacing(path) as out:
        with database.writing() as session:
            see(session, study_id, SYSTEM)
            cut, seen = begin(session, actor, study_id, name)
        for part in archive(database, cut, seen):
            digest.update(part)
            out.write(part)
    return cut, digest.hexdigest()
