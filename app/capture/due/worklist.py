"""What is to be done, subject by subject: pages due, overdue, unfinished, queried, to be signed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.capture.due.cohort import Member, There, cohort
from app.capture.due.read import NOT_ASKED, Asked
from app.study.progress import Progress, VisitState
from app.subjects.address import written


class Task(StrEnum):
    """Why a page is on the list.

    due: its visit is open, or was begun. overdue: its visit has closed, and it is not begun. queried: somebody waits
    for an answer. answered: somebody has one, and has to close the query or ask again. to_sign: an investigator has not
    signed it, or it was changed since.
    """

    DUE = "due"
    OVERDUE = "overdue"
    INCOMPLETE = "incomplete"
    QUERIED = "queried"
    ANSWERED = "answered"
    TO_SIGN = "to_sign"


def worklist(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    tasks: frozenset[Task] = frozenset(Task),
    on: date | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """The subjects in sight with what is to be done, page by page of `limit` subjects looked at.

    Subjects with nothing to do are left out. Raises NotFound and Forbidden.
    """
    scope = ("worklist", *sorted(tasks))
    members, following = cohort(session, actor, study_id, site=site, on=on, cursor=cursor, limit=limit, scope=scope)
    items = []
    for member in members:
        found = [each for each in _tasks(member, actor) if each["task"] in tasks]
        if found:
            items.append(
                {
                    "subject": member.subject["subject_id"],
                    "site": member.subject["site_id"],
                    "status": member.subject["status"],
                    "on": member.on,
                    "tasks": found,
                }
            )
    return {"items": items, "next_cursor": following}


def _tasks(member: Member, actor: Actor) -> Iterator[dict[str, Any]]:
    """Visit by visit, page by page; queries about no page come last."""
    labels = {form_id: form.title.of(actor.language) for form_id, form in member.build.forms.items()}
    pages: dict[tuple[str, int], list[There]] = {}
    for page in member.pages:
        pages.setdefault(page.place[:2], []).append(page)
    for state in member.states:
        yield from _of_visit(state, pages.get((state.visit, state.repeat), ()), labels, member.on)
    yield from _asked(member.queries.get(None, NOT_ASKED), None, None, None)


def _of_visit(
    state: VisitState, pages: Iterable[There], labels: Mapping[str, str], on: date
) -> Iterator[dict[str, Any]]:
    for form in state.owed:
        if form not in state.progress and (task := _when(state, on)) is not None:
            yield _task(task, state, form, labels.get(form), on=on)
    for page in pages:
        form, label = written(page.place.form, page.place.repeat), labels.get(page.place.form, page.place.form)
        if page.status == Progress.INCOMPLETE:
            yield _task(Task.INCOMPLETE, state, form, label, on=on)
        yield from _asked(page.asked, state, form, label)
        if page.to_sign:
            yield _task(Task.TO_SIGN, state, form, label)


def _asked(asked: Asked, state: VisitState | None, form: str | None, label: str | None) -> Iterator[dict[str, Any]]:
    for task, count in ((Task.QUERIED, asked.unanswered), (Task.ANSWERED, asked.answered)):
        if count:
            yield _task(task, state, form, label, queries=count)


def _when(state: VisitState, on: date) -> Task | None:
    """Whether a page that is due and not begun is to be entered now: its visit is open, has closed, or was begun."""
    planned = state.planned
    if planned is None or planned.opens is None or planned.closes is None:
        return Task.DUE if state.progress else None
    if on > planned.closes:
        return Task.OVERDUE
    return Task.DUE if on >= planned.opens or state.progress else None


def _task(
    task: Task, state: VisitState | None, form: str | None, label: str | None, *, on: date | None = None,
    queries: int = 0,
) -> dict[str, Any]:  # fmt: skip
    planned = state.planned if state else None
    late = (on - planned.closes).days if on and planned and planned.closes else 0
    return {
        "task": task.value,
        "visit": written(state.visit, state.repeat) if state else None,
        "form": form,
        "label": label,
        "target": planned.target if planned else None,
        "closes": planned.closes if planned else None,
        "days_late": max(late, 0) if task is Task.OVERDUE else 0,
        "queries": queries,
    }
