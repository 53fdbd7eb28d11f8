"""What a monitor and an investigator of the demonstration do with clean pages: compare with the source, and sign."""

from collections.abc import Mapping

from app.access.permissions import Role
from app.capture.due.worklist import Task, worklist
from app.capture.sign.act import intend, sign
from app.core.transaction import Database
from app.demo.people import PASSPHRASE, enter
from app.models.signatures import Meaning
from app.quality.locks.scope import Address
from app.quality.signatures.read import list_signatures
from app.quality.verification.act import verify
from app.quality.verification.read import of_page
from app.subjects.address import place

REVIEWED = 4
"""Patients of a trial of whom the first page that waits is verified and signed; the others wait."""


def review(database: Database, study_id: str, tokens: Mapping[Role, Mapping[str | None, str]]) -> int:
    """Verify and sign some pages, by sessions by role and site; how many signatures there are.

    Where there is one already, an earlier run has been through all of it.
    """
    monitor, investigator = (next(iter(tokens[role].values())) for role in (Role.MONITOR, Role.INVESTIGATOR))
    with database.reading() as session:
        reader = enter(session, investigator)
        signed, _ = list_signatures(session, reader, study_id)
        found = worklist(session, reader, study_id, tasks=frozenset({Task.TO_SIGN}), limit=REVIEWED)
    waiting = [] if signed else [(each["subject"], each["tasks"][0]) for each in found["items"]]
    for subject, page in waiting:
        at = place(page["visit"], page["form"])
        with database.writing() as session:
            actor = enter(session, monitor)
            revision = of_page(session, actor, study_id, subject, at)["revision"]
            verify(session, actor, study_id, subject, at, expected=revision)
        with database.reading() as session:
            actor = enter(session, investigator)
            what = Address(None, subject, *at)
            shown = intend(session, actor, study_id, what, Meaning.APPROVAL)
        sign(database, actor, study_id, what, Meaning.APPROVAL, intent=shown.digest, password=PASSPHRASE)
    return len(signed) or len(waiting)
