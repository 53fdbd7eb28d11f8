"""What keeps a page, a visit or a casebook from being signed: pages that are due and wanting, and open queries."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.capture.draft import Casebook
from app.core import clock
from app.core.days import local_day
from app.core.errors import Conflict
from app.derivations.read import latest
from app.models.capture import RecordStatus
from app.quality.locks.scope import Address, open_queries
from app.study.library import form_of
from app.study.progress import Standing, VisitState
from app.study.review import STRICT
from app.subjects.address import written
from app.subjects.facts import Page
from app.subjects.locked import covers
from app.subjects.visits import dates_of, entered, visits

_WANTING = frozenset({Standing.DUE, Standing.OVERDUE, Standing.INCOMPLETE})


class NotReady(Conflict):
    """Something to be signed that is not all there yet, or is still asked about."""

    code = "not-ready"
    title = "This cannot be signed yet"


def assert_ready(session: Session, casebook: Casebook, at: Address, pages: Sequence[Page]) -> None:
    """Raise NotReady, naming the pages that are missing and how many queries are open; unless the study lets it be."""
    rules = casebook.build.study.signing or STRICT
    missing = [] if rules.despite_missing else list(_missing(session, casebook, at, pages))
    queries = 0 if rules.despite_queries else open_queries(session, casebook.subject["study_id"], at)
    why = {
        "There is nothing here to sign.": not pages,
        "Pages that are due here are missing or incomplete. Have them completed, then sign.": bool(missing),
        "Queries are open here. Have them answered and closed, then sign.": bool(queries),
    }
    for words, holds in why.items():
        if holds:
            raise NotReady(words, members={"missing": missing, "open_queries": queries})


def _missing(session: Session, casebook: Casebook, at: Address, pages: Sequence[Page]) -> Iterator[dict[str, str]]:
    for page in pages:
        if page.status != RecordStatus.COMPLETE:
            yield _told(page.place.visit, page.place.visit_repeat, written(page.place.form, page.place.repeat))
    if at.form_id is not None:
        return
    subject = casebook.subject
    on = local_day(clock.now(), subject["zone"])
    dates = dates_of(latest(session, subject["study_id"], subject["subject_id"]))
    progress = entered((place, page.status) for place, page in casebook.pages.items())
    for state in visits(casebook.build, dates, progress, casebook.pages, partial(form_of, session)):
        if _asked(at, state) and (at.visit is not None or state.standing(on) in _WANTING):
            for form in state.owed:
                if form not in state.progress:
                    yield _told(state.visit, state.repeat, form)


def _asked(at: Address, state: VisitState) -> bool:
    return at.visit is None or (at.visit, at.visit_repeat) == (state.visit, state.repeat)


def _told(visit: str, repeat: int, form: str) -> dict[str, str]:
    return {"visit": written(visit, repeat), "form": form}


def pages_of(casebook: Casebook, at: Mapping[str, Any]) -> list[Page]:
    """The pages that are signed with an address, in their order; void ones are not."""
    return [
        casebook.pages[place]
        for place in sorted(casebook.pages)
        if covers(at, place) and casebook.pages[place].status != RecordStatus.VOID
    ]
