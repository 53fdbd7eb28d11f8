"""What follows from the pages of a subject, the same for a save, an import, a void and a study version put in force.

computed items -> endpoints and status -> findings, which come last because all of the above give rise to them. It is
worked out first and stored then, so that who only asks what differs can do so without storing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app import models
from app.audit import Change
from app.capture.before import NEVER, Before, Values, read_before
from app.capture.beside import changed, closed_with
from app.derivations.conclude import conclude, contradictions
from app.derivations.late import late_questions
from app.derivations.readings import Reading, Readings, read_pages
from app.derivations.working import worked
from app.forms.definition import Form, Phase
from app.forms.findings import PageRule, Question
from app.models.capture import Severity
from app.quality.findings import Observation, differing, reconcile
from app.study.library import Build, form_of
from app.subjects import facts
from app.subjects.facts import Page, Place
from app.subjects.lookups import feeds
from app.subjects.ranges import Ranges, ranges_of

OPENED, CLOSED = FINDINGS = ("finding opened", "finding closed")
"""What `differences` calls a finding that was not there, and one that is there no longer."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What the pages of a subject amount to beside what is stored of it.

    `findings` are the open ones that this act could have changed, `observed` what of them is found now. `beside` are
    the computed items that a page was closed or signed with, where people have not looked at it since.
    """

    subject: Mapping[str, Any]
    build: Build
    before: Before
    readings: Readings
    results: Values
    status: str
    touched: Sequence[Reading]
    beside: Mapping[UUID, Values]
    findings: Sequence[Mapping[str, Any]]
    observed: Sequence[Observation]

    def store(self, made: Change) -> list[Mapping[str, Any]]:
        """Store whatever differs, as part of an act; the findings of the subject that are open afterwards."""
        made.insert(models.computed, *self._computed(made))
        subject_id = self.subject["subject_id"]
        if (self.results, self.build.study.version) != (self.before.results, self.before.version):
            made.insert(
                models.derivation,
                {
                    "study_id": made.study_id,
                    "subject_id": subject_id,
                    "number": self.before.number + 1,
                    "study_version": self.build.study.version,
                    "results": self.results,
                    "at": made.at,
                    "change_id": made.change_id,
                },
            )
        if self.status != self.subject["status"]:
            made.update(models.subject, self.subject, status=self.status, change_id=made.change_id)
        concerned = {row["finding_id"] for row in self.findings}
        others = (row for row in self.before.findings if row["finding_id"] not in concerned)
        return [*others, *reconcile(made, subject_id, self.findings, self.observed)]

    def differences(self) -> Iterator[tuple[str, str]]:
        """What is stored and is not what the pages give: endpoint and variant, or the kind of thing and its name."""
        old, new = self.before.results or {}, self.results
        if old.get("anchors") != new["anchors"]:
            yield "anchors", ""
        if self.status != self.subject["status"] or old.get("status") != new["status"]:
            yield "status", ""
        for code in sorted({*old.get("endpoints", {}), *new["endpoints"]}):
            before, now = old.get("endpoints", {}).get(code, {}), new["endpoints"].get(code, {})
            yield from ((code, each) for each in sorted({*before, *now}) if before.get(each) != now.get(each))
        for each in self.touched:
            if self.before.differs(each):
                yield "computed items", f"{each.page.place.visit} {each.page.place.form}"
        opening, closing = differing(self.findings, self.observed)
        yield from sorted((OPENED, f"{each.item} {each.rule}") for each in opening)
        yield from sorted((CLOSED, f"{row['item']} {row['rule']}") for row in closing)

    def _computed(self, made: Change) -> Iterator[dict[str, Any]]:
        for each in self.touched:
            if self.before.differs(each):
                yield {
                    "study_id": made.study_id,
                    "record_id": each.page.record_id,
                    "number": self.before.computed.get(each.page.record_id, NEVER).number + 1,
                    "revision": each.page.revision,
                    "form_version": each.page.form_version,
                    "values": dict(each.judged.computed),
                    "working": worked(each),
                    "beside": self.beside.get(each.page.record_id),
                    "at": made.at,
                    "change_id": made.change_id,
                }


def work_out(
    session: Session,
    subject: Mapping[str, Any],
    build: Build,
    pages: Mapping[Place, Page],
    *,
    before: Mapping[Place, Page] | None = None,
    phase: Phase = Phase.ENTRY,
) -> Consequences:
    """What the casebook amounts to.

    With the casebook as it was `before` an act, computed items and questions are worked out anew only for the pages
    that know something else now than then: the one just saved, and those that hang on a fact which it changed. Without
    it, for all of them.
    """
    forms = partial(form_of, session)
    ranges = ranges_of(session, build.study.study, subject["site_id"], subject.get("ranges"))
    now = read_pages(build, forms, facts.standing(pages), ranges)
    saved = [place for place, page in pages.items() if before is not None and before.get(place) is not page]
    touched, gone = _touched(build, forms, ranges, now, pages, before, saved)
    records = [each.page.record_id for each in touched] + gone
    conclusion = conclude(build, now.captured(), now.values)
    late = now.late_rules(phase)
    unasked = {found for each in touched for found in each.unasked(phase)}
    looked_at = {None, *records}
    standing = read_before(session, subject, records)
    kept = dict(closed_with(standing, subject, (each for each in touched if each.page.place not in saved)))
    return Consequences(
        subject=subject,
        build=build,
        before=standing,
        readings=now,
        results=conclusion.as_json(),
        status=conclusion.status,
        touched=touched,
        beside=kept,
        findings=[
            row
            for row in standing.findings
            if (rule := PageRule(row["record_id"], row["rule"])) in late
            or (rule.record_id in looked_at and rule not in unasked)
        ],
        observed=[
            *(_observation(each.page, question) for each in touched for question in each.questions(phase)),
            *(found for each in touched for found in changed(each, kept.get(each.page.record_id))),
            *(_observation(page, question) for page, question in late_questions(now, build, conclusion, phase)),
            *(
                Observation(None, each.item, None, each.rule, each.detail, fingerprint=each.fingerprint)
                for each in contradictions(conclusion.results)
            ),
        ],
    )


def _touched(
    build: Build,
    forms: Callable[[str, int], Form],
    ranges: Ranges,
    now: Readings,
    pages: Mapping[Place, Page],
    before: Mapping[Place, Page] | None,
    saved: Collection[Place],
) -> tuple[list[Reading], list[UUID]]:
    """The pages that know something else than before the act, and the records that count no longer.

    Where no fact is read from what was changed, nobody else can know something else.
    """
    if before is None:
        void = [page.record_id for place, page in pages.items() if place not in now.by_place]
        return list(now.by_place.values()), void
    if not any(feeds(build, place.form) for place in saved):
        told = [now.by_place[place] for place in saved if place in now.by_place]
        return told, [pages[place].record_id for place in saved if place not in now.by_place]
    then = read_pages(build, forms, facts.standing(before), ranges)
    told = [
        each
        for place, each in now.by_place.items()
        if place not in then.by_place or then.by_place[place].key != each.key
    ]
    return told, [each.page.record_id for place, each in then.by_place.items() if place not in now.by_place]


def _observation(page: Page, each: Question) -> Observation:
    severity = Severity.NOTE if each.severity == Severity.NOTE else Severity.QUERY
    return Observation(page.record_id, each.item, each.row, each.rule, dict(each.params), severity, each.fingerprint)
