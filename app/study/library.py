"""Released forms and study versions, read from the database once and kept: they never change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.core.errors import NotFound
from app.forms.definition import Form
from app.study.definition import Study


class Build(NamedTuple):
    """A study version together with the exact forms it names."""

    study: Study
    forms: Mapping[str, Form]


@dataclass
class Library:
    """Definitions by key and version. One per process; a released version never changes, so nothing expires."""

    _forms: dict[tuple[str, int], Form] = field(default_factory=dict)
    _builds: dict[tuple[str, int], Build] = field(default_factory=dict)

    def form(self, session: Session, form_id: str, version: int) -> Form:
        """A released form. Raises NotFound."""
        found = self._forms.get((form_id, version))
        if found is None:
            table = models.form_version
            definition = session.execute(
                select(table.c.definition).where(table.c.form_id == form_id, table.c.version == version)
            ).scalar_one_or_none()
            if definition is None:
                raise NotFound("There is no such form version")
            found = self._forms[form_id, version] = Form.of(definition)
        return found

    def build(self, session: Session, study_id: str, version: int) -> Build:
        """A released study version with its forms. Raises NotFound."""
        found = self._builds.get((study_id, version))
        if found is None:
            table = models.study_version
            definition = session.execute(
                select(table.c.definition).where(table.c.study_id == study_id, table.c.version == version)
            ).scalar_one_or_none()
            if definition is None:
                raise NotFound("There is no such study version")
            study = Study.of(definition)
            forms = {form_id: self.form(session, form_id, number) for form_id, number in study.forms.items()}
            found = self._builds[study_id, version] = Build(study, forms)
        return found


LIBRARY = Library()
"""The process's own."""


def newest(session: Session, study_id: str) -> Build:
    """The newest released version of a study. Raises NotFound."""
    table = models.study_version
    version = session.execute(
        select(table.c.version).where(table.c.study_id == study_id).order_by(table.c.version.desc()).limit(1)
    ).scalar_one_or_none()
    if version is None:
        raise NotFound("There is no such study")
    return LIBRARY.build(session, study_id, version)
