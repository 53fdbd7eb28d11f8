"""What follows from the pages of a subject, the same for a save, an import, a void and a study version put in force.

computed items -> endpoints and status -> findings, which come last because all of the above give rise to them. It is
worked out first and stored then, so that who only asks what differs can do so without storing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, Uuid, and_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.audit import Change
from app.derivations.conclude import conclude, contradictions
from app.derivations.late import late_questions
from app.derivations.readings import Reading, Readings, read_pages
from app.derivations.working import worked
from app.forms.definition import Form, Phase
from app.forms.findings import Question
from app.models.capture import FindingState, Severity
from app.quality.findings import Observation, differing, reconcile
from app.study.library import Build, form_of
from app.subjects import facts
from app.subjects.facts import Page, Place
from app.subjects.lookups import feeds
from app.subjects.ranges import Ranges, ranges_of

Values = Mapping[str, Any]
OPENED, CLOSED = FINDINGS = ("finding opened", "finding closed")
"""What `differences` calls a finding that was not there, and one that is there no longer."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What was derived before: the newest derivation, the computed items of pages, the open findings."""

    number: int
    results: Values | None
    computed: Mapping[UUID, tuple[int, Values, Values | None]]
    findings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Consequences:
    """What the pages of a subject amount to beside what is stored of it.

    `findings` are the open ones that this act could have changed, `observed` what of them is found now.
    """

    subject: Mapping[str, Any]
    build: Build
    before: _Standing
    readings: Readings
    results: Values
    status: str
    touched: Sequence[Reading]
    findings: Sequence[Mapping[str, Any]]
    observed: Sequence[Observation]

    def store(self, made: Change) -> list[Mapping[str, Any]]:
        """Store whatever differs, as part of an act; the findings of the subject that are open afterwards."""
        made.insert(models.computed, *self._computed(made))
        subject_id = self.subject["subject_id"]
        if self.results != self.before.results:
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
            if self._differs(each):
                yield "computed items", f"{each.page.place.visit} {each.page.place.form}"
        opening, closing = differing(self.findings, self.observed)
        yield from sorted((OPENED, f"{each.item} {each.rule}") for each in opening)
        yield from sorted((CLOSED, f"{row['item']} {row['rule']}") for row in closing)

    def _differs(self, each: Reading) -> bool:
        _, values, working = self.before.computed.get(each.page.record_id, (0, {}, None))
        return (dict(each.judged.computed), worked(each)) != (dict(values), working)

    def _computed(self, made: Change) -> Iterator[dict[str, Any]]:
        for each in self.touched:
            if self._differs(each):
                yield {
                    "study_id": made.study_id,
                    "record_id": each.page.record_id,
                    "number": self.before.computed.get(each.page.record_id, (0,))[0] + 1,
                    "revision": each.page.revision,
                    "form_version": each.page.form_version,
                    "values": dict(each.judged.computed),
                    "working": worked(each),
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
    touched, gone = _touched(build, forms, ranges, now, pages, before)
    records = [each.page.record_id for each in touched] + gone
    conclusion = conclude(build, now.captured(), now.values)
    late = now.late_rules(build)
    unasked = {name for each in touched for name in each.unasked(phase)}
    standing = _standing(session, build.study.study, subject["subject_id"], records)
    everything = before is None
    return Consequences(
        subject=subject,
        build=build,
        before=standing,
        readings=now,
        results=conclusion.as_json(),
        status=conclusion.status,
        touched=touched,
        findings=[
            row
            for row in standing.findings
            if (everything or row["record_id"] is None or row["record_id"] in records or row["rule"] in late)
            and row["rule"] not in unasked
        ],
        observed=[
            *(_observation(each.page, question) for each in touched for question in each.questions(phase)),
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
) -> tuple[list[Reading], list[UUID]]:
    """The pages that know something else than before the act, and the records that count no longer.

    Where no fact is read from what was changed, nobody else can know something else.
    """
    if before is None:
        return list(now.by_place.values()), []
    changed = [place for place, page in pages.items() if before.get(place) is not page]
    if not any(feeds(build, place.form) for place in changed):
        told = [now.by_place[place] for place in changed if place in now.by_place]
        return told, [pages[place].record_id for place in changed if place not in now.by_place]
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


def _standing(session: Session, study_id: str, subject_id: str, records: Sequence[UUID]) -> _Standing:
    """What stood before for the subject and these records: one statement for one record, two for more."""
    asked = {"study": study_id, "subject": subject_id, "record": records[0] if records else None}
    rows = session.execute(_STANDING, asked).mappings().all()
    first = rows[0]
    computed = {}
    if first["computed"] is not None:
        computed[records[0]] = (first["computed_number"], first["computed"], first["working"])
    if len(records) > 1:
        table = models.computed
        more = session.execute(
            select(table.c.record_id, table.c.number, table.c["values"], table.c.working)
            .where(table.c.study_id == study_id, table.c.record_id.in_(records[1:]))
            .ext(distinct_on(table.c.record_id))
            .order_by(table.c.record_id, table.c.number.desc())
        )
        computed |= {record_id: tuple(rest) for record_id, *rest in more}
    columns = models.finding.columns
    found = [{column.name: row[column] for column in columns} for row in rows if row[columns.finding_id]]
    return _Standing(
        number=first["number"],
        results=first["results"],
        computed=computed,
        findings=found,
    )


def _asking() -> Select[Any]:
    derivation, computed, finding = models.derivation, models.computed, models.finding
    study: BindParameter[str] = bindparam("study")
    subject: BindParameter[str] = bindparam("subject")
    record = bindparam("record", type_=Uuid)
    newest = (
        select(derivation.c.number, derivation.c.results)
        .where(derivation.c.study_id == study, derivation.c.subject_id == subject)
        .order_by(derivation.c.number.desc())
        .limit(1)
        .subquery("newest")
    )
    values = (
        select(computed.c.number, computed.c["values"], computed.c.working)
        .where(computed.c.study_id == study, computed.c.record_id == record)
        .order_by(computed.c.number.desc())
        .limit(1)
        .subquery("made")
    )
    standing = and_(
        finding.c.study_id == study,
        finding.c.subject_id == subject,
        finding.c.state == FindingState.OPEN.value,
    )
    one = select(literal_column("1").label("one")).subquery("one")
    return (
        select(
            func.coalesce(newest.c.number, 0).label("number"),
            newest.c.results,
            func.coalesce(values.c.number, 0).label("computed_number"),
            values.c["values"].label("computed"),
            values.c.working,
            finding,
        )
        .select_from(one)
        .outerjoin(newest, literal_column("true"))
        .outerjoin(values, literal_column("true"))
        .outerjoin(finding, standing)
    )


_STANDING = _asking()
