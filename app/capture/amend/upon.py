"""What people have said of the pages that a migration touches: locks, which it obeys, and queries, which go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, bindparam, select
from sqlalchemy.orm import Session

from app.forms.answers import Difference, Problem
from app.quality.queries.standing import standing
from app.subjects import locked
from app.subjects.facts import Page

_LOCKS = select(
    locked.covering(
        bindparam("study", type_=Text), bindparam("site", type_=Text), bindparam("subject", type_=Text)
    ).label("locks")
)


@dataclass(frozen=True, slots=True)
class Upon:
    """The locks upon a subject, and the queries that somebody still has to do something about."""

    locks: Sequence[locked.Lock]
    queries: Sequence[Mapping[str, Any]]

    def closed(self, page: Page, changed: Sequence[Difference]) -> list[Problem]:
        """The lock that keeps these answers as they are, as what stands in the way."""
        found = locked.strictest(self.locks, page.place, [(each.item, each.row) for each in changed])
        if found is None:
            return []
        return [Problem(found["item"] or page.place.form, found["row"], "locked")]

    def asked(self, page: Page, changed: Sequence[Difference]) -> int:
        """How many queries are open upon these answers."""
        items = {(each.item, each.row) for each in changed}
        return sum(row["record_id"] == page.record_id and (row["item"], row["row"]) in items for row in self.queries)


def upon(session: Session, subject: Mapping[str, Any]) -> Upon:
    """What has been said of a subject. One that is held brings its locks along."""
    of = {"study": subject["study_id"], "site": subject["site_id"], "subject": subject["subject_id"]}
    locks = subject["locks"] if "locks" in subject else session.execute(_LOCKS, of).scalar_one()
    return Upon(locks, standing(session, subject["study_id"], subject["subject_id"]))
