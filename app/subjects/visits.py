"""The visits of a subject: what the study plans for it, laid beside what has been entered."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from app.forms.answers import value_of
from app.forms.carried import counted
from app.forms.definition import Form
from app.forms.tokens import members
from app.models.capture import RecordStatus
from app.study.library import Build
from app.study.progress import UNTOLD, Held, Progress, VisitState
from app.study.schedule import items_here, lay
from app.subjects.facts import Page, Place, standing
from app.subjects.lookups import Lookups, fact_value, kept_in

OCCURRED, DAY, REASON = "SVOCCUR", "VISDAT", "SVREASOC"
"""What the items of a form are in CDASH that tell of the visit itself."""

Entered = Mapping[str, Mapping[int, Mapping[str, Progress]]]
"""How far each form is at each visit that was begun: by visit, repeat and form."""


class _Report(NamedTuple):
    """The items of a form that tell of the visit itself; "" where it has none, which no item is called."""

    occurred: str
    day: str
    reason: str


_HAPPENED = {"Y": True, "N": False}


@dataclass(frozen=True)
class Asked:
    """What of a casebook has to be read to lay out its visits: everything else is where it is and how far."""

    facts: frozenset[str]
    here: Mapping[str, Mapping[str, tuple[str, str]]]
    """By visit, the names that the conditions of its pages use: form and item."""
    forms: frozenset[str]
    """The forms whose answers are needed."""


def asked_of(build: Build) -> Asked:
    """Worked out once for a study version."""
    found: Asked | None = build.memo.get("visits")
    if found is None:
        found = build.memo["visits"] = _asked(build)
    return found


def _asked(build: Build) -> Asked:
    study = build.study
    conditions = [text for visit in study.visits for text in (visit.when, *(due.when for due in visit.due)) if text]
    facts = frozenset().union(*(members(text, "subject") for text in conditions))
    facts |= {fact.until for fact in study.facts if fact.name in facts and fact.until is not None}
    here = {}
    for visit in study.visits:
        used = frozenset().union(*(members(due.when, "here") for due in visit.due))
        here[visit.code] = {name: item for name, item in items_here(visit, build.forms).items() if name in used}
    forms = {fact.form for fact in study.facts if fact.name in facts}
    forms |= {name for name, form in build.forms.items() if _report(form) is not None}
    forms |= {form for names in here.values() for form, _ in names.values()}
    return Asked(facts, {code: names for code, names in here.items() if names}, frozenset(forms))


def _report(form: Form) -> _Report | None:
    """Found once for a version of a form."""
    if _Report not in form.memo:
        form.memo[_Report] = _told_by(form)
    found: _Report | None = form.memo[_Report]
    return found


def _told_by(form: Form) -> _Report | None:
    names = {item.cdash: item.id for part in form.sections if not part.repeating for item in part.items if item.cdash}
    occurred = names.get(OCCURRED)
    return None if occurred is None else _Report(occurred, names.get(DAY, ""), names.get(REASON, ""))


def entered(pages: Iterable[tuple[Place, str]]) -> Entered:
    """How far each form is, from the places of pages and their status; void pages count for nothing."""
    found: dict[str, dict[int, dict[str, Progress]]] = {}
    void, complete, whole, begun = RecordStatus.VOID, RecordStatus.COMPLETE, Progress.COMPLETE, Progress.INCOMPLETE
    for (visit, repeat, form, _), status in pages:
        if status != void:
            at = found.setdefault(visit, {}).setdefault(repeat, {})
            at[form] = whole if status == complete and at.get(form) is not begun else begun
    return found


def visits(
    build: Build,
    anchors: Mapping[str, date],
    progress: Entered,
    pages: Mapping[Place, Page],
    forms: Callable[[str, int], Form],
) -> Iterator[VisitState]:
    """Each visit in the order of the study, as planned and as begun; one that is neither is left out.

    `pages` holds at least those of the forms that `asked_of` names; `forms` hands out released versions of forms. Of a
    visit that may be held again and again those that were begun are told, and the plan of the first while none was.
    Last come those that were begun and that this version of the study has no longer.
    """
    asked = asked_of(build)
    asked_for = standing({place: page for place, page in pages.items() if place.form in asked.forms})
    told = [(page, kept_in(build, page, forms)) for page in asked_for]
    facts = Lookups(build, told).values if asked.facts else {}
    held = dict(_held(told))
    for visit, planned in lay(build.study, anchors, facts, _here(build, asked, told), progress):
        begun = progress.get(visit.code)
        if begun is None:
            for each in planned:
                yield VisitState(visit.code, each.repeat, each, _NOTHING, UNTOLD)
            continue
        plans = {each.repeat: each for each in planned}
        again = visit.repeating and visit.occurrence != "each"
        for repeat in sorted(begun if again else {*plans, *begun}):
            told_of_it = held.get((visit.code, repeat), UNTOLD)
            yield VisitState(visit.code, repeat, plans.get(repeat), begun.get(repeat, _NOTHING), told_of_it)
    for code in sorted(progress.keys() - build.study.by_code.keys()):
        for repeat, there in sorted(progress[code].items()):
            yield VisitState(code, repeat, None, there, held.get((code, repeat), UNTOLD))


_NOTHING: Mapping[str, Progress] = {}


def _held(pages: Iterable[tuple[Page, Form]]) -> Iterator[tuple[tuple[str, int], Held]]:
    for page, form in pages:
        report = _report(form)
        if report is None or page.place.repeat > 1:
            continue
        said = value_of(page.answers.get(report.occurred))
        day, reason = value_of(page.answers.get(report.day)), value_of(page.answers.get(report.reason))
        held = _HAPPENED.get(str(said))
        yield page.place[:2], Held(held, None if held is False else _date(day), reason)


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _here(build: Build, asked: Asked, pages: Iterable[tuple[Page, Form]]) -> dict[tuple[str, int], dict[str, Any]]:
    """The values that the conditions of a visit's pages ask for, numbers in the canonical unit in force."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for page, form in pages:
        current = build.forms[page.place.form]
        answers = counted(form, current, page.answers)
        for name, (form_id, item) in asked.here.get(page.place.visit, {}).items():
            if form_id == page.place.form and page.place.repeat == 1:
                at = found.setdefault((page.place.visit, page.place.visit_repeat), {})
                at[name] = fact_value(current, item, answers.get(item))
    return found


def dates_of(results: Mapping[str, Any] | None) -> dict[str, date]:
    """The anchors of a stored derivation."""
    return {name: date.fromisoformat(day) for name, day in ((results or {}).get("anchors") or {}).items()}
