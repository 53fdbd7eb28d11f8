"""The visits of a subject as people see them: when, how far, held or not."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.derivations.read import latest
from app.forms.definition import Lang
from app.models.capture import RecordStatus
from app.study.library import Build, build_of, form_of
from app.study.progress import Progress, VisitState
from app.subjects.address import written
from app.subjects.facts import Page, Place
from app.subjects.visits import REASON, dates_of, entered, visits

FORMER_VISIT: Mapping[Lang, str] = {"en": "{} (no longer in the study)", "zh": "{}（研究已不再设此访视）"}
"""What a visit is called that was begun, and that this version of the study does not have."""


def timeline(
    session: Session, study_id: str, subject: Mapping[str, Any], pages: Mapping[Place, Page]
) -> Iterator[dict[str, Any]]:
    """The visits of a subject with their windows, and how far the forms of each are."""
    build = build_of(session, study_id, subject["version"])
    return visits_of(session, build, latest(session, study_id, subject["subject_id"]), pages, "en")


def visits_of(
    session: Session,
    build: Build,
    concluded: Mapping[str, Any],
    pages: Mapping[Place, Page],
    language: Lang,
    on: date | None = None,
) -> Iterator[dict[str, Any]]:
    """Each visit in the order of the study with its window and forms; on a day, also where it stands.

    The forms are those that the study asks for there, and those that were begun before it asked no longer.
    """
    there = sorted((place, page_) for place, page_ in pages.items() if page_.status != RecordStatus.VOID)
    progress = entered((place, page_.status) for place, page_ in there)
    for state in visits(build, dates_of(concluded), progress, pages, partial(form_of, session)):
        planned, visit = state.planned, build.study.by_code.get(state.visit)
        asked = (*visit.forms, *visit.optional) if visit else ()
        due = planned.forms if planned else ()
        addresses: dict[str, list[str]] = {}
        for place, _ in there:
            if (place.visit, place.visit_repeat) == (state.visit, state.repeat):
                addresses.setdefault(place.form, []).append(written(place.form, place.repeat))
        yield {
            "visit": written(state.visit, state.repeat),
            "label": visit.label.of(language) if visit else FORMER_VISIT[language].format(state.visit),
            "planned": planned is not None,
            "repeating": visit is not None and visit.repeating,
            "target": planned.target if planned else None,
            "opens": planned.opens if planned else None,
            "closes": planned.closes if planned else None,
            **({} if on is None else {"status": state.standing(on).value}),
            "held": state.held.held,
            "held_on": state.held.day,
            "days_out": state.days_out,
            "missed": missed(build, state, language),
            "forms": [
                {
                    "form": form,
                    "label": build.forms[form].title.of(language) if form in build.forms else form,
                    "due": form in due,
                    "status": state.progress.get(form, Progress.NOT_STARTED).value,
                    "pages": addresses.get(form, []),
                }
                for form in dict.fromkeys((*asked, *state.progress))
            ],
        }


def missed(build: Build, state: VisitState, language: Lang) -> dict[str, str | None] | None:
    """Why a visit was not held: the code of its page, and its words."""
    if state.held.held is not False:
        return None
    forms = (build.forms[form] for form in state.progress if form in build.forms)
    items = (item for form in forms for item in form.items if item.cdash == REASON)
    words = {code.code: code.label.of(language) for item in items for code in item.codes}
    return {"reason": state.held.reason, "label": words.get(str(state.held.reason))}
