"""A page as it would stand, with all that would follow: what a save stores, and a validation only tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.capture.consequences import Consequences, work_out
from app.core import clock
from app.derivations.readings import Reading
from app.forms import answers as reading
from app.forms.answers import Difference, Problem
from app.forms.definition import Form, Phase
from app.models.capture import RecordStatus
from app.study.library import Build
from app.subjects.facts import Page, Place


@dataclass(frozen=True, slots=True)
class Casebook:
    """A subject with every page it has and the build its site works under."""

    subject: Mapping[str, Any]
    pages: dict[Place, Page]
    build: Build


@dataclass(frozen=True)
class Draft:
    """What a page would be as its next revision. What follows from it is worked out when it is asked for."""

    session: Session
    casebook: Casebook
    before: Page | None
    page: Page
    form: Form
    unreadable: Sequence[Problem]
    phase: Phase

    @property
    def unchanged(self) -> bool:
        """Whether the page stands like this already."""
        held = self.before
        return held is not None and (held.answers, held.status) == (self.page.answers, self.page.status)

    @cached_property
    def differences(self) -> Sequence[Difference]:
        """Item by item what would change: on a void page, which counts for nothing, everything that is there again."""
        counts = self.before is not None and self.before.status != RecordStatus.VOID
        return reading.difference(self.form, self.before.answers if self.before and counts else {}, self.page.answers)

    @cached_property
    def consequences(self) -> Consequences:
        """What the casebook would amount to."""
        return follow(self.session, self.casebook, self.page, self.phase)

    @property
    def reading(self) -> Reading:
        """The page, read with what it knows of the others."""
        return self.consequences.readings.by_place[self.page.place]

    @property
    def owed(self) -> Sequence[Problem]:
        """What stands between the page and complete."""
        return self.reading.judged.complete

    @property
    def refused(self) -> Sequence[Problem]:
        """What hard edit checks forbid."""
        return reading.refused(self.reading.judged.questions, self.phase)


def draft(
    session: Session,
    casebook: Casebook,
    place: Place,
    form: Form,
    answers: Mapping[str, Any],
    *,
    status: RecordStatus,
    phase: Phase = Phase.ENTRY,
    instead_of: UUID | None = None,
) -> Draft:
    """The page at `place` as it would stand with these answers, which may be unreadable."""
    before = casebook.pages.get(place)
    read = reading.read(form, answers, previous=before.answers if before else {})
    page = Page(
        subject_id=casebook.subject["subject_id"],
        record_id=before.record_id if before else uuid4(),
        place=place,
        form_version=form.version,
        study_version=before.study_version if before else casebook.build.study.version,
        revision=before.revision + 1 if before else 1,
        status=status.value,
        answers=read.answers,
        at=clock.now(),
        instead_of=before.instead_of if before else instead_of,
    )
    return Draft(session, casebook, before, page, form, read.problems, phase)


def follow(session: Session, casebook: Casebook, page: Page, phase: Phase = Phase.ENTRY) -> Consequences:
    """What the casebook would amount to with this page in it."""
    pages = casebook.pages | {page.place: page}
    return work_out(session, casebook.subject, casebook.build, pages, before=casebook.pages, phase=phase)
