"""What a save would say, without a save: refused items, what is owed, findings here and elsewhere, computed items."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.capture.draft import Casebook, Draft, draft
from app.capture.moved import moved
from app.capture.read import find
from app.capture.refuse import faults
from app.capture.save import form_at
from app.core.errors import Fault
from app.models.capture import RecordStatus
from app.quality.findings import Observation, differing
from app.quality.read import told
from app.study.library import form_of
from app.subjects import facts
from app.subjects.address import written
from app.subjects.facts import Page, Place


def validate(
    session: Session, actor: Actor, study_id: str, subject_id: str, place: Place, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer to "what if": nothing is stored. Raises NotFound and Forbidden.

    `errors` keep the page from being stored, `owed` from being complete; `findings` would stand on it, and
    `elsewhere` are those that would be new on other pages and on endpoints; `visits_moved` would be planned otherwise.
    """
    subject, build = find(session, actor, Permission.RECORD_WRITE, study_id, subject_id)
    casebook = Casebook(subject, facts.pages(session, study_id, subject_id), build)
    form = form_at(session, build, place, casebook.pages.get(place))
    drafted = draft(session, casebook, place, form, answers, status=RecordStatus.COMPLETE)
    if drafted.unreadable:
        return {"errors": _told(faults(drafted.unreadable, form, actor.language)), **_NOTHING}
    judged = drafted.reading.judged
    new, _ = differing(drafted.consequences.findings, drafted.consequences.observed)
    here = [each for each in drafted.consequences.observed if each.record_id == drafted.page.record_id]
    return {
        "errors": _told(faults(drafted.refused, form, actor.language)),
        "owed": _told(faults(drafted.owed, form, actor.language)),
        "findings": [_finding(session, each, drafted.page, actor) for each in here],
        "elsewhere": [
            _finding(session, each, _page_of(drafted, each), actor)
            for each in new
            if each.record_id != drafted.page.record_id
        ],
        "computed": judged.computed,
        "visits_moved": moved(session, drafted.consequences, casebook.pages, drafted.page),
    }


_NOTHING: Mapping[str, Any] = {"owed": [], "findings": [], "elsewhere": [], "computed": {}, "visits_moved": []}


def _told(found: list[Fault]) -> list[dict[str, Any]]:
    return [fault.as_json() for fault in found]


def _page_of(drafted: Draft, each: Observation) -> Page | None:
    return next((page for page in drafted.casebook.pages.values() if page.record_id == each.record_id), None)


def _finding(session: Session, each: Observation, page: Page | None, actor: Actor) -> dict[str, Any]:
    """A finding that does not exist yet, in the words it would have."""
    form = form_of(session, page.place.form, page.form_version) if page else None
    message, remedy = told(each._asdict(), form, actor.language)
    return {
        "visit": written(page.place.visit, page.place.visit_repeat) if page else None,
        "form": written(page.place.form, page.place.repeat) if page else None,
        "item": each.item,
        "row": each.row,
        "rule": each.rule,
        "severity": str(each.severity),
        "message": message,
        "remedy": remedy,
    }
