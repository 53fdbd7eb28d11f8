"""What follows from the pages of a subject, the same for a save, an import, a void and a study version put in force.

computed items -> endpoints and status -> findings, which come last because all of the above give rise to them. It is
worked out first and stored then, so that who only asks what differs can do so without storing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, Uuid, and_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.audit import Change
from app.derivations.conclude import conclude, contradictions
from app.derivations.gather import gather
from app.forms import answers as reading
from app.forms.answers import Context
from app.forms.rules import rules
from app.models.capture import FindingState, RecordStatus
from app.quality.findings import Observation, differing, reconcile
from app.study.library import Build, form_of
from app.subjects import facts
from app.subjects.facts import Page, Place

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What was derived before: the newest derivation, the computed items of pages, the open findings."""

    number: int
    results: Values | None
    computed: Mapping[UUID, tuple[int, Values]]
    findings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Consequences:
    """What the pages of a subject amount to beside what is stored of it."""

    subject: Mapping[str, Any]
    build: Build
    before: _Standing
    results: Values
    status: str
    computed: Sequence[tuple[Page, Values]]
    observed: Sequence[Observation]

    def store(self, made: Change) -> None:
        """Store whatever differs, as part of an act."""
        _store_computed(made, self.computed, self.before)
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
        reconcile(made, subject_id, self.before.findings, self.observed)
        if self.status != self.subject["status"]:
            made.update(models.subject, self.subject, status=self.status, change_id=made.change_id)

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
        for page, values in self.computed:
            if dict(values) != dict(self.before.computed.get(page.record_id, (0, {}))[1]):
                yield "computed items", f"{page.place.visit} {page.place.form}"
        opening, closing = differing(self.before.findings, self.observed)
        found = {(each.item, each.rule) for each in opening} | {(row["item"], row["rule"]) for row in closing}
        yield from (("findings", f"{item} {rule}") for item, rule in sorted(found))


def context_of(build: Build, pages: Mapping[Place, Page], place: Place) -> Context:
    """What a page at `place` knows of the rest of the casebook."""
    return Context(facts.known(build, pages), place.visit)


def follow(
    made: Change, subject: Mapping[str, Any], build: Build, before: Mapping[Place, Page], pages: Mapping[Place, Page],
    page: Page,
) -> None:  # fmt: skip
    """Store what follows from `page`, the revision just made; `before` and `pages` are the casebook without, with it.

    Pages that hang on a fact which it changed, such as the arm, are worked out anew with it.
    """
    touched = [page]
    if facts.known(build, before) != facts.known(build, pages):
        others = (each for each in facts.standing(pages) if each.record_id != page.record_id)
        touched += [each for each in others if rules(_form(made.session, each)).asks_subject]
    work_out(made.session, subject, build, pages, touched).store(made)


def work_out(
    session: Session, subject: Mapping[str, Any], build: Build, pages: Mapping[Place, Page], touched: Sequence[Page]
) -> Consequences:
    """What the casebook amounts to; computed items and questions are worked out anew for the pages `touched`."""
    known = facts.known(build, pages)
    before = _standing(session, build.study.study, subject["subject_id"], [page.record_id for page in touched])
    computed: list[tuple[Page, Values]] = []
    observed: list[Observation] = []
    for page in touched:
        if page.status == RecordStatus.VOID:
            continue
        judged = reading.judge(_form(session, page), page.answers, Context(known, page.place.visit))
        computed.append((page, judged.computed))
        observed += [
            Observation(page.record_id, each.item, each.row, each.rule, dict(each.params)) for each in judged.questions
        ]
    counted = facts.standing(pages)
    forms = {(each.place.form, each.form_version) for each in counted}
    captured = gather(build, {key: form_of(session, *key) for key in forms}, counted, known)
    conclusion = conclude(build, captured, known)
    observed += [
        Observation(None, item, None, rule, detail) for item, rule, detail in contradictions(conclusion.results)
    ]
    return Consequences(subject, build, before, conclusion.as_json(), conclusion.status, computed, observed)


def _form(session: Session, page: Page) -> Any:
    return form_of(session, page.place.form, page.form_version)


def _standing(session: Session, study_id: str, subject_id: str, records: Sequence[UUID]) -> _Standing:
    """What stood before for the subject and these records: one statement for one record, two for more."""
    asked = {"study": study_id, "subject": subject_id, "record": records[0] if records else None}
    rows = session.execute(_STANDING, asked).mappings().all()
    first = rows[0]
    computed = {} if first["computed"] is None else {records[0]: (first["computed_number"], first["computed"])}
    if len(records) > 1:
        table = models.computed
        more = session.execute(
            select(table.c.record_id, table.c.number, table.c["values"])
            .where(table.c.study_id == study_id, table.c.record_id.in_(records[1:]))
            .ext(distinct_on(table.c.record_id))
            .order_by(table.c.record_id, table.c.number.desc())
        )
        computed |= {record_id: (number, values) for record_id, number, values in more}
    columns = models.finding.columns
    found = ({column.name: row[column] for column in columns} for row in rows if row[columns.finding_id])
    touched = {*records, None}
    return _Standing(
        number=first["number"],
        results=first["results"],
        computed=computed,
        findings=[row for row in found if row["record_id"] in touched],
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
        select(computed.c.number, computed.c["values"])
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
            finding,
        )
        .select_from(one)
        .outerjoin(newest, literal_column("true"))
        .outerjoin(values, literal_column("true"))
        .outerjoin(finding, standing)
    )


_STANDING = _asking()


def _store_computed(made: Change, computed: Sequence[tuple[Page, Values]], before: _Standing) -> None:
    rows = []
    for page, values in computed:
        number, stored = before.computed.get(page.record_id, (0, {}))
        if dict(values) != dict(stored):
            rows.append(
                {
                    "study_id": made.study_id,
                    "record_id": page.record_id,
                    "number": number + 1,
                    "revision": page.revision,
                    "form_version": page.form_version,
                    "values": dict(values),
                    "at": made.at,
                    "change_id": made.change_id,
                }
            )
    made.insert(models.computed, *rows)
