"""The edit checks that are asked last: whether a visit lies in its window, and what the endpoints came out as."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from app.clinical.endpoints.definition import PRIMARY
from app.derivations.conclude import Conclusion, Results
from app.derivations.readings import Readings
from app.forms.definition import Phase
from app.forms.findings import Question
from app.study.library import Build
from app.study.schedule import plan
from app.subjects.facts import Page


def late_questions(
    readings: Readings, build: Build, conclusion: Conclusion, phase: Phase
) -> Iterator[tuple[Page, Question]]:
    """What they find on every page of the casebook, whichever page was saved: a graft moves the windows of others."""
    asking = [each for each in readings.by_place.values() if each.asked.late]
    if not asking:
        return
    windows = {
        (visit.visit, visit.repeat): {
            "opens": _day(visit.opens),
            "target": _day(visit.target),
            "closes": _day(visit.closes),
        }
        for visit in plan(build.study, conclusion.anchors, readings.values)
    }
    endpoint = dict(_endpoint(conclusion.results))
    for each in asking:
        place = each.page.place
        window = windows.get((place.visit, place.visit_repeat), {})
        yield from ((each.page, found) for found in each.late(window, endpoint) if phase in found.phases)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _endpoint(results: Results) -> Iterator[tuple[str, Any]]:
    for result in results:
        if result.spec.variant == PRIMARY:
            told: Mapping[str, Any] = {"status": str(result.status), "date": _day(result.adt), "days": result.days}
            yield from ((f"{result.spec.code.lower()}_{part}", value) for part, value in told.items())
