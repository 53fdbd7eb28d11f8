"""What people have said of the pages of a subject, as a page shows it, and what a later change does to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, or_, select
from sqlalchemy.orm import Session

from app import models
from app.audit import Change
from app.forms.answers import Difference
from app.models.marks import LockState
from app.quality.signatures import standing as signatures
from app.quality.verification.marks import Mark, by_item, reset
from app.subjects import locked
from app.subjects.facts import Page, Place
from app.subjects.locked import Lock


@dataclass(frozen=True, slots=True)
class Marks:
    """The locks upon a subject and what lies in it; what was verified, and the signatures, by record."""

    locks: Sequence[Lock]
    verified: Mapping[UUID, Sequence[Mark]] = field(default_factory=dict)
    signed: Mapping[UUID, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """How far the subject as a whole is closed."""
        return _state(locked.strictest(self.locks))

    def on(self, page: Page) -> dict[str, Any]:
        """What a page shows: how far it is closed, the locks upon it or an item, what was verified, who signed it."""
        return {
            "lock": _state(locked.strictest(self.locks, page.place)),
            "locks": self._described(page.place),
            "verification": self.verified.get(page.record_id, ()),
            "signatures": self.signed.get(page.record_id, ()),
        }

    def _described(self, place: Place) -> list[dict[str, Any]]:
        return [locked.described(lock) for lock in locked.in_order(self.locks) if locked.touches(lock, place)]


def _state(lock: Lock | None) -> str:
    return LockState.OPEN.value if lock is None else str(lock["state"])


def of_subject(session: Session, held: Mapping[str, Any], record_id: UUID | None = None) -> Marks:
    """The marks of a subject as it was read or held, or of one record of it; no statement where there are none."""
    if not held["reviewed"]:
        return Marks(held["locks"])
    asked = {"study": held["study_id"], "subject": held["subject_id"], "record": record_id}
    return Marks(
        held["locks"],
        {row.record_id: row.marks for row in session.execute(_MARKS, asked)},
        signatures.on_pages(session, held["study_id"], held["subject_id"], record_id),
    )


_RECORD = bindparam("record", type_=Uuid)
_MARKS = select(models.verification.c.record_id, models.verification.c.marks).where(
    models.verification.c.study_id == bindparam("study", type_=Text),
    models.verification.c.subject_id == bindparam("subject", type_=Text),
    or_(_RECORD.is_(None), models.verification.c.record_id == _RECORD),
)


def follow(
    made: Change, held: Mapping[str, Any], page: Page | None, changed: Sequence[Difference], *, struck: bool = False
) -> None:
    """What a change of a page does to what was said of it, as part of the change itself.

    The items that changed are to be verified again, and all else of the page stays verified. The signatures that hold
    the page break, and name these items. A page that is `struck` is no longer what anybody signed.
    """
    if page is None or not held["reviewed"]:
        return
    if changed or struck:
        signatures.follow(made, page.record_id, changed)
    if changed:
        _reset(made, page, changed)


def _reset(made: Change, page: Page, changed: Sequence[Difference]) -> None:
    table = models.verification
    found = made.session.execute(
        select(table).where(table.c.study_id == made.study_id, table.c.record_id == page.record_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        return
    marks = reset(row["marks"], changed)
    if marks != row["marks"]:
        before, after = by_item(row["marks"]), by_item(marks)
        made.detail["reset"] = sorted(
            {item for (item, number) in before if before[item, number] != after.get((item, number))}
        )
        made.update(table, dict(row), marks=marks, change_id=made.change_id)
