"""What was verified, what has changed since, and what is still to be seen: of a page, of a subject, of each site."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.core.errors import NotFound
from app.core.page import page as one_page
from app.core.page import sorting
from app.forms.definition import Form, Lang
from app.models.capture import RecordStatus
from app.models.marks import MarkState
from app.quality.verification.marks import Mark, by_item, given
from app.study.library import build_of, form_of
from app.study.review import EVERYTHING
from app.subjects.address import written
from app.subjects.facts import Place
from app.subjects.locked import Which

_BLOCK = 1000
LEFT = "left"
"""The state of an item that is to be verified and was not."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A page with its items that have an answer: what was said of each, and which of them the plan asks for."""

    site_id: str
    subject_id: str
    place: Place
    revision: int
    form: Form
    given: Sequence[Which]
    required: frozenset[Which]
    marks: Mapping[Which, Mark]

    def state(self, which: Which) -> str | None:
        """verified, reset, left, or None for what nobody has verified nor needs to."""
        if which in self.marks:
            return str(self.marks[which]["state"])
        return LEFT if which in self.required else None

    @property
    def left(self) -> list[Which]:
        """What the plan asks for and is not verified, or no longer."""
        return [which for which in self.given if which in self.required and self.state(which) != MarkState.VERIFIED]


@dataclass(slots=True)
class Progress:
    """How far a site is: subjects with a page, items that the plan asks for, of these verified and reset."""

    site: str
    subjects: int = 0
    required: int = 0
    verified: int = 0
    reset: int = 0
    seen: set[str] = field(default_factory=set, repr=False)

    def add(self, checked: Checked) -> None:
        """Count a page."""
        self.seen.add(checked.subject_id)
        self.subjects = len(self.seen)
        self.required += len(checked.required)
        states = [mark["state"] for which, mark in checked.marks.items() if which in checked.required]
        self.verified += states.count(MarkState.VERIFIED)
        self.reset += states.count(MarkState.RESET)


def of_page(session: Session, actor: Actor, study_id: str, subject_id: str, place: Place) -> dict[str, Any]:
    """Each item of a page that has an answer, with what was said of it. Raises NotFound."""
    _visible(session, actor, study_id, subject_id)
    record = models.record
    here = (
        (record.c.subject_id == subject_id) & (record.c.visit == place.visit) & (record.c.form_id == place.form)
        & (record.c.visit_repeat == place.visit_repeat) & (record.c.repeat == place.repeat)
    )  # fmt: skip
    found = next(_checked(session, study_id, session.execute(_pages(study_id).where(here))), None)
    if found is None:
        raise NotFound("There is no such page")
    items = [_described(found, which, actor.language) for which in found.given]
    return {"revision": found.revision, "left": len(found.left), "items": items}


def left(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], str | None]:
    """What is still to be verified, page by page, for so many subjects at a time, and the cursor of the next ones."""
    require(actor, Permission.VERIFICATION_READ, study_id, site)
    subject = models.subject
    statement = select(subject.c.subject_id).where(subject.c.study_id == study_id)
    seen = sites(actor, study_id, Permission.VERIFICATION_READ)
    if seen is not None:
        statement = statement.where(subject.c.site_id.in_(seen))
    if site is not None:
        statement = statement.where(subject.c.site_id == site)
    order = sorting(None, {"subject": subject.c.subject_id}, default="subject", unique=(subject.c.subject_id,))
    numbers, following = one_page(session, statement, order, cursor=cursor, limit=limit, scope=(study_id, site))
    wanted = [row["subject_id"] for row in numbers]
    rows = session.execute(_pages(study_id).where(models.record.c.subject_id.in_(wanted)))
    pages = _checked(session, study_id, rows)
    found = [(each, each.left) for each in pages]
    return [
        {
            "subject": each.subject_id,
            "site": each.site_id,
            "visit": written(each.place.visit, each.place.visit_repeat),
            "form": written(each.place.form, each.place.repeat),
            "revision": each.revision,
            "items": [_described(each, which, actor.language) for which in items],
        }
        for each, items in found
        if items
    ], following


def progress(session: Session, actor: Actor, study_id: str) -> list[Progress]:
    """How far each site in sight is; the number of statements is the same however much there is."""
    require(actor, Permission.VERIFICATION_READ, study_id)
    table = models.site
    statement = select(table.c.site_id).where(table.c.study_id == study_id)
    seen = sites(actor, study_id, Permission.VERIFICATION_READ)
    if seen is not None:
        statement = statement.where(table.c.site_id.in_(seen))
    found = {site: Progress(site) for site in session.execute(statement.order_by(table.c.site_id)).scalars()}
    for checked in everything(session, study_id, seen):
        found[checked.site_id].add(checked)
    return list(found.values())


def everything(session: Session, study_id: str, within: frozenset[str] | None) -> Iterator[Checked]:
    """Every page that counts at these sites (None: all), with its marks, in the order of an export; one statement."""
    statement = _pages(study_id).execution_options(yield_per=_BLOCK)
    narrowed = statement if within is None else statement.where(models.subject.c.site_id.in_(within))
    return _checked(session, study_id, session.execute(narrowed))


def _visible(session: Session, actor: Actor, study_id: str, subject_id: str) -> None:
    table = models.subject
    site = session.execute(
        select(table.c.site_id).where(table.c.study_id == study_id, table.c.subject_id == subject_id)
    ).scalar_one_or_none()
    if site is None:
        raise absent(actor, Permission.VERIFICATION_READ, study_id)
    require(actor, Permission.VERIFICATION_READ, study_id, site)


def _pages(study_id: str) -> Select[Any]:
    """The pages that count, as they stand, with their marks and the study version in force at the site."""
    record, revision, subject, site, marks = (
        models.record, models.revision, models.subject, models.site, models.verification,
    )  # fmt: skip
    return (
        select(
            record.c.subject_id, subject.c.site_id, site.c.version, record.c.visit, record.c.visit_repeat,
            record.c.form_id, record.c.repeat, record.c.revision, revision.c.form_version, revision.c.answers,
            marks.c.marks,
        )
        .join_from(record, revision, (revision.c.study_id == record.c.study_id)
                   & (revision.c.record_id == record.c.record_id) & (revision.c.number == record.c.revision))
        .join(subject, (subject.c.study_id == record.c.study_id) & (subject.c.subject_id == record.c.subject_id))
        .join(site, (site.c.study_id == subject.c.study_id) & (site.c.site_id == subject.c.site_id))
        .outerjoin(marks, (marks.c.study_id == record.c.study_id) & (marks.c.record_id == record.c.record_id))
        .where(record.c.study_id == study_id, record.c.status != RecordStatus.VOID.value)
        .order_by(record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat)
    )  # fmt: skip


def _checked(session: Session, study_id: str, rows: Iterable[Sequence[Any]]) -> Iterator[Checked]:
    """The pages in rows of `_pages`."""
    for subject_id, pages in groupby(rows, key=itemgetter(0)):
        plan, drawn = EVERYTHING, None
        for _, site_id, version, visit, visit_repeat, form_id, repeat, revision, form_version, answers, marks in pages:
            if drawn is None:
                plan = build_of(session, study_id, version).study.sdv or EVERYTHING
                drawn = plan.drawn(study_id, subject_id)
            form = form_of(session, form_id, form_version)
            items = given(form, answers)
            asked = items if drawn else [which for which in items if plan.critical_here(form_id, which[0])]
            place = Place(visit, visit_repeat, form_id, repeat)
            yield Checked(site_id, subject_id, place, revision, form, items, frozenset(asked), by_item(marks or ()))


def _described(checked: Checked, which: Which, language: Lang) -> dict[str, Any]:
    item, row = which
    mark = checked.marks.get(which, {})
    return {
        "item": item,
        "row": row,
        "label": checked.form.item(item).label.of(language),
        "state": checked.state(which),
        "revision": mark.get("revision"),
        "by": mark.get("by"),
        "at": mark.get("at"),
    }
