"""What was derived of a subject, as stored with every save."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.clinical.endpoints.result import Status
from app.clinical.endpoints.words import sentence
from app.core.errors import NotFound
from app.derivations.conclude import result_json, result_of, specs_of
from app.derivations.derive import derived
from app.derivations.summary import estimate_of
from app.derivations.titles import titles
from app.forms.definition import Lang
from app.study.library import Build, newest


def latest(session: Session, study_id: str, subject_id: str, *, as_of: datetime | None = None) -> dict[str, Any]:
    """The newest derivation, or the one that stood at an instant, with the study version it was made by.

    Empty before the first. One statement.
    """
    table = models.derivation
    statement = (
        select(table.c.results, table.c.study_version)
        .where(table.c.study_id == study_id, table.c.subject_id == subject_id)
        .order_by(table.c.number.desc())
        .limit(1)
    )
    if as_of is not None:
        statement = statement.where(table.c.at <= as_of)
    found = session.execute(statement).one_or_none()
    return {} if found is None else {**found.results, "study_version": found.study_version}


def told(build: Build, endpoints: Mapping[str, Any], language: Lang) -> dict[str, Any]:
    """Stored results with the words a physician reads: the endpoint's name, and a sentence with dates and sources."""
    words = titles(build, language)
    by_spec = {(spec.code, spec.variant): spec for spec in specs_of(build)}
    return {
        code: {
            variant: {
                "label": getattr(by_spec[code, variant].label, language),
                **stored,
                "sentence": sentence(result_of(by_spec[code, variant], stored), language, words),
            }
            for variant, stored in variants.items()
            if (code, variant) in by_spec
        }
        for code, variants in endpoints.items()
    }


def of_subject(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    *,
    cutoff: date | None = None,
    as_of: datetime | None = None,
) -> dict[str, Any]:
    """One subject's endpoints, derived from the pages as they stood. Raises NotFound and Forbidden."""
    require(actor, Permission.ENDPOINT_READ, study_id)
    within = sites(actor, study_id, Permission.ENDPOINT_READ)
    found = next(derived(session, study_id, within=within, subject_id=subject_id, cutoff=cutoff, as_of=as_of), None)
    if found is None:
        raise absent(actor, Permission.ENDPOINT_READ, study_id)
    concluded = found.conclusion.as_json()
    return {
        "subject": subject_id,
        "site": found.subject["site_id"],
        "status": concluded["status"],
        "endpoints": told(found.build, concluded["endpoints"], actor.language),
    }


def of_study(
    session: Session,
    actor: Actor,
    study_id: str,
    endpoint: str,
    variant: str,
    *,
    cutoff: date | None = None,
    as_of: datetime | None = None,
) -> dict[str, Any]:
    """One endpoint over the subjects in sight, with counts and the estimate where the study reads its curve.

    Raises NotFound for an endpoint or variant that the study does not have.
    """
    require(actor, Permission.ENDPOINT_READ, study_id)
    specs = {(spec.code, spec.variant): spec for spec in specs_of(newest(session, study_id))}
    if (endpoint, variant) not in specs:
        raise NotFound("The study has no such endpoint or variant", members={"endpoints": sorted(map("/".join, specs))})
    within = sites(actor, study_id, Permission.ENDPOINT_READ)
    rows, results = [], []
    for each in derived(session, study_id, within=within, cutoff=cutoff, as_of=as_of):
        for result in each.conclusion.results:
            if (result.spec.code, result.spec.variant) == (endpoint, variant):
                results.append(result)
                stored = result_json(result)
                words = sentence(result, actor.language, titles(each.build, actor.language))
                rows.append({"subject": each.subject["subject_id"], **stored, "sentence": words})
    return {
        "endpoint": endpoint,
        "variant": variant,
        "counts": {status.name.lower(): sum(result.status is status for result in results) for status in Status},
        "estimate": estimate_of(specs[endpoint, variant], results),
        "subjects": rows,
    }
