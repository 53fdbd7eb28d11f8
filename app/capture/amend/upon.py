"""What people have said of the pages that a migration touches: locks, which it obeys; queries, marks, signatures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, select
from sqlalchemy.orm import Session

from app.forms.answers import Difference, Problem
from app.models.marks import MarkState
from app.quality.marks import Marks, of_subject
from app.quality.queries.standing import standing
from app.quality.signatures.standing import BROKEN, broken_by
from app.quality.verification.marks import by_item
from app.subjects import locked
from app.subjects.facts import Page
from app.subjects.reviewed import reviewed

_STUDY, _SITE, _SUBJECT = (bindparam(name, type_=Text) for name in ("study", "site", "subject"))
_SAID = select(locked.covering(_STUDY, _SITE, _SUBJECT).label("locks"), reviewed(_STUDY, _SUBJECT).label("reviewed"))


@dataclass(frozen=True, slots=True)
class Upon:
    """The locks upon a subject, its queries that somebody has to do something about, what was verified and signed."""

    marks: Marks
    queries: Sequence[Mapping[str, Any]]

    def closed(self, page: Page, changed: Sequence[Difference]) -> list[Problem]:
        """The lock that keeps these answers as they are, as what stands in the way."""
        found = locked.strictest(self.marks.locks, page.place, [(each.item, each.row) for each in changed])
        if found is None:
            return []
        return [Problem(found["item"] or page.place.form, found["row"], "locked")]

    def asked(self, page: Page, changed: Sequence[Difference]) -> int:
        """How many queries are open upon these answers."""
        items = {(each.item, each.row) for each in changed}
        return sum(row["record_id"] == page.record_id and (row["item"], row["row"]) in items for row in self.queries)

    def verified(self, page: Page, changed: Sequence[Difference]) -> int:
        """How many of these answers were verified against their source, and are to be again."""
        items = {(each.item, each.row) for each in changed}
        held = by_item(self.marks.verified.get(page.record_id, ()))
        return sum(which in items and mark["state"] == MarkState.VERIFIED for which, mark in held.items())

    def signed(self, page: Page, changed: Sequence[Difference]) -> frozenset[UUID]:
        """The signatures that a change of these answers breaks."""
        return frozenset(broken_by(self.marks.signed.get(page.record_id, ()), changed))

    def opened(self, page: Page, broken: Collection[UUID]) -> bool:
        """Whether nothing holds a page any more as it was closed, once these signatures are broken."""
        if locked.strictest(self.marks.locks, page.place) is not None:
            return False
        return all(
            each["state"] == BROKEN or each["signature"] in broken for each in self.marks.signed.get(page.record_id, ())
        )


def upon(session: Session, subject: Mapping[str, Any]) -> Upon:
    """What has been said of a subject. One that is held brings its locks along."""
    of = {"study": subject["study_id"], "site": subject["site_id"], "subject": subject["subject_id"]}
    held = subject if "locks" in subject else {**subject, **session.execute(_SAID, of).mappings().one()}
    return Upon(of_subject(session, held), standing(session, subject["study_id"], subject["subject_id"]))
