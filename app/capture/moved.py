"""What a save does to the schedule: visits on other days, visits that come in or fall away, pages due or no longer.

Nothing of this is stored: a visit has no row, and lies where its anchor says whenever somebody looks.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.capture.consequences import Consequences
from app.study.library import form_of
from app.study.schedule import PlannedVisit
from app.subjects.address import written
from app.subjects.facts import Page, Place
from app.subjects.visits import asked_of, dates_of, entered, visits

Pages = Mapping[Place, Page]


def moved(session: Session, worked: Consequences, before: Pages, stored: Page) -> list[dict[str, Any]]:
    """Each visit of the subject that is planned otherwise with `stored` than it was `before`."""
    old, new = dates_of(worked.before.results), dates_of(worked.results)
    if old == new and stored.place.form not in asked_of(worked.build).forms:
        return []
    after = {**before, stored.place: stored}
    return list(_differing(_plan(session, worked, old, before), _plan(session, worked, new, after)))


def _plan(
    session: Session, worked: Consequences, anchors: Mapping[str, date], pages: Pages
) -> dict[tuple[str, int], PlannedVisit]:
    progress = entered((place, page.status) for place, page in pages.items())
    states = visits(worked.build, anchors, progress, pages, partial(form_of, session))
    return {(each.visit, each.repeat): each.planned for each in states if each.planned is not None}


def _differing(
    old: Mapping[tuple[str, int], PlannedVisit], new: Mapping[tuple[str, int], PlannedVisit]
) -> Iterator[dict[str, Any]]:
    for at in dict.fromkeys((*new, *old)):
        before, after = old.get(at), new.get(at)
        had, has = (set(each.forms) if each else set() for each in (before, after))
        due = bool(before and after and had != has)
        if due or _window(before) != _window(after):
            yield {
                "visit": written(*at),
                "before": _window(before),
                "after": _window(after),
                "due": [form for form in after.forms if form not in had] if due and after else [],
                "no_longer_due": [form for form in before.forms if form not in has] if due and before else [],
            }


def _window(visit: PlannedVisit | None) -> dict[str, date | None] | None:
    if visit is None or not visit.dated:
        return None
    return {"target": visit.target, "opens": visit.opens, "closes": visit.closes}
