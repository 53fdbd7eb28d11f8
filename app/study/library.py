"""Released forms and study versions, read from the database once and kept: they never change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.core.errors import NotFound
from app.core.transaction import kept
from app.forms.definition import Form
from app.study.definition import Study


@dataclass(frozen=True)
class Build:
    """A study version together with the exact forms it names. `memo` is for what others work out from it once.

    `beside` is by form version what the newest study version, up to this one, that names it names beside it.
    """

    study: Study
    forms: Mapping[str, Form]
    beside: Mapping[tuple[str, int], Mapping[str, int]] = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


def form_of(session: Session, form_id: str, version: int) -> Form:
    """A released form. Raises NotFound."""
    forms = kept(session, "forms")
    found: Form | None = forms.get((form_id, version))
    if found is None:
        table = models.form_version
        definition = session.execute(
            select(table.c.definition).where(table.c.form_id == form_id, table.c.version == version)
        ).scalar_one_or_none()
        if definition is None:
            raise NotFound("There is no such form version")
        found = forms[form_id, version] = Form.of(definition)
    return found


def build_of(session: Session, study_id: str, version: int) -> Build:
    """A released study version with its forms. Raises NotFound."""
    builds = kept(session, "builds")
    found: Build | None = builds.get((study_id, version))
    if found is None:
        table = models.study_version
        definition = session.execute(
            select(table.c.definition).where(table.c.study_id == study_id, table.c.version == version)
        ).scalar_one_or_none()
        if definition is None:
            raise NotFound("There is no such study version")
        study = Study.of(definition)
        forms = {form_id: form_of(session, form_id, number) for form_id, number in study.forms.items()}
        found = builds[study_id, version] = Build(study, forms, _beside(session, study_id, version))
    return found


def _beside(session: Session, study_id: str, upto: int) -> dict[tuple[str, int], Mapping[str, int]]:
    named = models.study_form.c
    rows = session.execute(
        select(named.version, named.form_id, named.form_version)
        .where(named.study_id == study_id, named.version <= upto)
        .order_by(named.version)
    )
    versions: dict[int, dict[str, int]] = {}
    found: dict[tuple[str, int], Mapping[str, int]] = {}
    for version, form_id, form_version in rows:
        forms = found[form_id, form_version] = versions.setdefault(version, {})
        forms[form_id] = form_version
    return found


def newest(session: Session, study_id: str) -> Build:
    """The newest released version of a study. Raises NotFound."""
    table = models.study_version
    version = session.execute(
        select(table.c.version).where(table.c.study_id == study_id).order_by(table.c.version.desc()).limit(1)
    ).scalar_one_or_none()
    if version is None:
        raise NotFound("There is no such study")
    return build_of(session, study_id, version)
