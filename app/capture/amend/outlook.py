"""What a migration plan would do to the pages of one subject, or what taking it back would: worked out, not stored."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.capture.amend.upon import Upon, upon
from app.capture.beside import CHANGED
from app.capture.consequences import Consequences, work_out
from app.core import clock
from app.derivations.readings import Readings, read_pages
from app.forms import answers as reading
from app.forms.answers import Difference, Problem
from app.forms.definition import Form, Phase
from app.models.capture import RecordStatus
from app.study.library import Build, form_of
from app.study.migration import Migrated, Orphan, Passage
from app.study.plan import Plan
from app.subjects import facts
from app.subjects.facts import Page, Place
from app.subjects.ranges import ranges_of

_TICK = timedelta(microseconds=1)
_COUNTED = (
    "subjects", "pages", "orphans", "reopened", "queries", "verified", "signatures", "left", "unresolved",
)  # fmt: skip


class Then(NamedTuple):
    """What a migration found on a page, and the revision it made of it."""

    before: Mapping[str, Any]
    status: str
    revision: int
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One page as it stands and as it would stand; `problems` are what keeps it from getting there."""

    page: Page
    after: Page
    form: Form
    orphans: tuple[Orphan, ...] = ()
    problems: tuple[Problem, ...] = ()
    queries: int = 0  # that are open upon the answers that change
    verified: int = 0  # answers that change and were verified against their source
    signatures: frozenset[UUID] = frozenset()  # that hold them, and break

    @property
    def changed(self) -> list[Difference]:
        """What changes, item by item."""
        return reading.difference(self.form, self.page.answers, self.after.answers)

    @property
    def items(self) -> list[str]:
        """The items whose answers change."""
        return sorted({each.item for each in self.changed})

    @property
    def reopened(self) -> bool:
        """Whether a page that was complete is no longer."""
        return self.page.status == RecordStatus.COMPLETE != self.after.status


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies ahead of one subject: each page in the order it was saved, and what follows from all of them."""

    subject: Mapping[str, Any]
    steps: tuple[Step, ...]
    left: int = 0  # pages that stay under a version this plan does not lead from
    follows: tuple[tuple[str, str], ...] = ()

    @property
    def problems(self) -> int:
        """How much keeps the plan from being carried out here."""
        return sum(len(step.problems) for step in self.steps)


def totals(outlooks: Iterable[Outlook]) -> dict[str, int]:
    """What several subjects come to."""
    found = dict.fromkeys(_COUNTED, 0)
    for each in outlooks:
        found["subjects"] += bool(each.steps)
        found["pages"] += len(each.steps)
        found["orphans"] += sum(len(step.orphans) for step in each.steps)
        found["reopened"] += sum(step.reopened for step in each.steps)
        found["queries"] += sum(step.queries for step in each.steps)
        found["verified"] += sum(step.verified for step in each.steps)
        found["signatures"] += len(frozenset().union(*(step.signatures for step in each.steps)))
        found["left"] += each.left
        found["unresolved"] += each.problems
    return found


@dataclass(frozen=True)
class Course:
    """A plan with the two versions of the study it leads between."""

    plan: Plan
    old: Build
    new: Build
    passages: dict[str, Passage] = field(init=False)

    def __post_init__(self) -> None:
        changed = {
            name: Passage(form, self.new.forms[name], self.plan.step(name))
            for name, form in self.old.forms.items()
            if name in self.new.forms and form.digest != self.new.forms[name].digest
        }
        object.__setattr__(self, "passages", changed)

    @cached_property
    def _places(self) -> set[tuple[str, str]]:
        """Every form at every visit of the old version."""
        return {(visit.code, form) for visit in self.old.study.visits for form in (*visit.forms, *visit.optional)}

    def ahead(self, session: Session, subject: Mapping[str, Any], pages: Mapping[Place, Page]) -> Outlook:
        """What the plan would do to a subject, with what would follow under the new version."""
        steps, left = [], 0
        for page in _standing(pages):
            passage = self.passages.get(page.place.form)
            if passage is None:
                continue
            if page.form_version == passage.old.version:
                steps.append(_step(page, passage.new, passage.forward(page.answers)))
            else:
                left += page.form_version != passage.new.version
        if any(self.passages[each.page.place.form].step.fills for each in steps):
            steps = list(self._filled(steps, self._readings(session, self.new, subject, _drawn(steps, pages))))
        at_new = {**subject, "version": self.new.study.version}
        worked = work_out(session, at_new, self.new, _drawn(steps, pages), phase=Phase.AMENDMENT)
        said = upon(session, subject)
        steps = [_marked(_completed(each, worked.readings), said) for each in steps]
        return Outlook(
            subject, tuple(steps), left, tuple(_follows(_opened(worked, steps, said, pages))) if pages else ()
        )

    def _filled(self, steps: list[Step], readings: Readings) -> Iterator[Step]:
        """Complete pages with the plan's reasons where an answer is owed."""
        for each in steps:
            if each.problems or each.page.status != RecordStatus.COMPLETE:
                yield each
                continue
            passage, owed = self.passages[each.page.place.form], readings.by_place[each.page.place].judged.complete
            yield replace(each, after=each.after._replace(answers=passage.filled(each.after.answers, owed)))

    def _readings(
        self, session: Session, build: Build, subject: Mapping[str, Any], pages: Mapping[Place, Page]
    ) -> Readings:
        """The pages as they would be read under a version of the study."""
        ranges = ranges_of(session, build.study.study, subject["site_id"], subject.get("ranges"))
        return read_pages(build, partial(form_of, session), facts.standing(pages), ranges, remember=False)

    def behind(
        self,
        session: Session,
        subject: Mapping[str, Any],
        pages: Mapping[Place, Page],
        moved: Mapping[UUID, Then],
    ) -> Outlook:
        """What taking the plan back would do to a subject; `moved` are the pages it had moved, by their records.

        A page that nobody has touched since is what it was. What people have entered since goes back by the same
        way; where there is none it is a problem, and so is a page that the old version has no place for.
        """
        steps = []
        for page in _standing(pages):
            passage, begun = self.passages.get(page.place.form), page.record_id not in moved
            known = (page.place.visit, page.place.form) in self._places
            if begun and page.study_version == self.new.study.version and not known:
                steps.append(Step(page, page, self.new.forms[page.place.form], problems=(_nowhere(page),)))
            elif passage is not None and page.form_version == passage.new.version:
                steps.append(_back(page, passage, moved.get(page.record_id)))
        readings = self._readings(session, self.old, subject, _drawn(steps, pages))
        back = (each if _untouched(each.page, moved) else _completed(each, readings) for each in steps)
        said = upon(session, subject)
        return Outlook(subject, tuple(_marked(each, said) for each in back))


def _completed(step: Step, readings: Readings) -> Step:
    """The step as the version judges it: a page that owes an answer is incomplete; a hard check forbids it."""
    if step.problems or step.page.status != RecordStatus.COMPLETE:
        return step
    judged = readings.by_place[step.page.place].judged
    status = RecordStatus.INCOMPLETE if judged.complete else RecordStatus.COMPLETE
    forbidden = reading.refused(judged.questions, Phase.AMENDMENT)
    return replace(step, after=step.after._replace(status=status.value), problems=tuple(forbidden))


def _marked(step: Step, said: Upon) -> Step:
    """The step with what people have said of the page: a lock keeps it as it is."""
    page, changed = step.page, step.changed
    return replace(
        step,
        problems=(*step.problems, *said.closed(page, changed)),
        queries=said.asked(page, changed),
        verified=said.verified(page, changed),
        signatures=said.signed(page, changed),
    )


def _untouched(page: Page, moved: Mapping[UUID, Then]) -> bool:
    """Whether nobody has saved a page since it was moved."""
    then = moved.get(page.record_id)
    return then is not None and then.revision == page.revision


def _opened(worked: Consequences, steps: Iterable[Step], said: Upon, pages: Mapping[Place, Page]) -> Consequences:
    """The consequences once the steps have broken the signatures: what was signed is as open as any page."""
    broken = frozenset().union(*(step.signatures for step in steps))
    told = {record for record, made in worked.before.computed.items() if made.beside is not None}
    moved = {step.page.record_id for step in steps}
    free = {page.record_id for page in pages.values() if said.opened(page, broken)} - (told - moved)
    observed = [each for each in worked.observed if each.rule != CHANGED or each.record_id not in free]
    return replace(worked, observed=observed)


def _follows(worked: Consequences) -> Iterator[tuple[str, str]]:
    """What would come out differently. That a result was read from another revision is no difference to look at."""
    before, now = ((worked.before.results or {}).get("endpoints", {}), worked.results["endpoints"])
    for what, name in worked.differences():
        if what not in {*before, *now} or _bare(before, what, name) != _bare(now, what, name):
            yield what, name


def _bare(endpoints: Mapping[str, Any], code: str, variant: str) -> dict[str, Any]:
    result = endpoints.get(code, {}).get(variant, {})
    return {key: value for key, value in result.items() if not key.endswith("sources")}


def _standing(pages: Mapping[Place, Page]) -> list[Page]:
    """Pages that count, in the order they were saved: whoever reads the newest value reads the same one afterwards."""
    return sorted(facts.counting(pages), key=attrgetter("at", "place"))


def _step(page: Page, form: Form, made: Migrated, status: str | None = None) -> Step:
    after = page._replace(
        form_version=form.version,
        revision=page.revision + 1,
        answers=made.answers,
        status=status or page.status,
    )
    return Step(page, after, form, made.orphans, made.problems)


def _back(page: Page, passage: Passage, then: Then | None) -> Step:
    if then is not None and then.revision == page.revision:  # nobody has touched it since
        return _step(page, passage.old, Migrated(dict(then.before), (), ()), then.status)
    before, after = (then.before, then.after) if then else ({}, {})
    return _step(page, passage.old, passage.back(before, after, page.answers))


def _nowhere(page: Page) -> Problem:
    return Problem(page.place.form, None, "no-place")


def _drawn(steps: list[Step], pages: Mapping[Place, Page]) -> dict[Place, Page]:
    """The casebook as it would stand: each page saved a moment after the one before."""
    now = clock.now()
    ticks: Iterator[int] = iter(range(len(steps)))
    moved = {each.page.place: each.after._replace(at=now + next(ticks) * _TICK) for each in steps if not each.problems}
    return {**pages, **moved}
