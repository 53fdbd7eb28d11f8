"""What follows from a revision, the same for a save, an import and a void: all of it in the same transaction.

computed items -> endpoints and status -> findings, which come last because all of the above give rise to them.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, Select, Uuid, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app import models
from app.audit import Change
from app.derivations.conclude import conclude, contradictions
from app.derivations.gather import gather
from app.forms import answers as reading
from app.forms.answers import Context
from app.forms.definition import Form
from app.models.capture import FindingState, RecordStatus
from app.quality.findings import Observation, reconcile
from app.study.library import Build, form_of
from app.subjects import facts
from app.subjects.facts import Page, Place


def context_of(build: Build, pages: Mapping[Place, Page], place: Place) -> Context:
    """What a page at `place` knows of the rest of the casebook."""
    return Context(facts.known(build, pages), place.visit)


def follow(
    made: Change, subject: Mapping[str, Any], build: Build, pages: Mapping[Place, Page], page: Page, form: Form
) -> None:
    """Store what follows from `page`, the revision just made; `pages` is the casebook with it in place."""
    session, study_id, subject_id = made.session, made.study_id, subject["subject_id"]
    before = _standing(session, study_id, subject_id, page)
    known = facts.known(build, pages)
    observed: list[Observation] = []
    if page.status != RecordStatus.VOID:
        judged = reading.judge(form, page.answers, Context(known, page.place.visit))
        _store_computed(made, page, judged.computed, before)
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
    results = conclusion.as_json()
    if results != before["results"]:
        made.insert(
            models.derivation,
            {
                "study_id": study_id,
                "subject_id": subject_id,
                "number": before["number"] + 1,
                "study_version": build.study.version,
                "results": results,
                "at": made.at,
                "change_id": made.change_id,
            },
        )
    reconcile(made, subject_id, before["findings"], observed)
    if conclusion.status != subject["status"]:
        made.update(models.subject, subject, status=conclusion.status, change_id=made.change_id)


def _standing(session: Session, study_id: str, subject_id: str, page: Page) -> dict[str, Any]:
    """What stood before: the newest derivation, the page's computed items, the open findings. One statement."""
    asked = {"study": study_id, "subject": subject_id, "record": page.record_id}
    rows = session.execute(_STANDING, asked).mappings().all()
    first = rows[0]
    return {
        "number": first["number"],
        "results": first["results"],
        "computed_number": first["computed_number"],
        "computed": first["computed"],
        "findings": [
            {column.name: row[column] for column in models.finding.columns}
            for row in rows
            if row[models.finding.c.finding_id]
        ],
    }


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
    touched = and_(
        finding.c.study_id == study,
        finding.c.subject_id == subject,
        finding.c.state == FindingState.OPEN.value,
        or_(finding.c.record_id == record, finding.c.record_id.is_(None)),
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
        .outerjoin(finding, touched)
    )


_STANDING = _asking()


def _store_computed(made: Change, page: Page, values: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    if dict(values) == (before["computed"] or {}):
        return
    made.insert(
        models.computed,
        {
            "study_id": made.study_id,
            "record_id": page.record_id,
            "number": before["computed_number"] + 1,
            "revision": page.revision,
            "form_version": page.form_version,
            "values": dict(values),
            "at": made.at,
            "change_id": made.change_id,
        },
    )
