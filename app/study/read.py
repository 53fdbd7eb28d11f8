"""What a study is made of, for frontends: versions, sites, forms, and how a form is to be shown."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites, studies
from app.access.permissions import Permission
from app.forms.definition import Form
from app.study.library import Build, build_of, form_of


def list_studies(session: Session, actor: Actor) -> list[Mapping[str, Any]]:
    """The studies this person has a role in, by key."""
    table = models.study
    statement = select(table).order_by(table.c.study_id)
    seen = studies(actor, Permission.STUDY_READ)
    if seen is not None:
        statement = statement.where(table.c.study_id.in_(seen))
    return [dict(row) for row in session.execute(statement).mappings()]


def describe(session: Session, actor: Actor, study_id: str) -> dict[str, Any]:
    """A study with its released versions, and the sites within sight with the version each works under."""
    require(actor, Permission.STUDY_READ, study_id)
    study = session.execute(select(models.study).where(models.study.c.study_id == study_id)).mappings().one_or_none()
    if study is None:
        raise absent(actor, Permission.STUDY_READ, study_id)
    version, site = models.study_version, models.site
    released = session.execute(
        select(version.c.version, version.c.digest, version.c.published_at)
        .where(version.c.study_id == study_id)
        .order_by(version.c.version)
    ).mappings()
    seen = sites(actor, study_id, Permission.STUDY_READ)
    places = select(site).where(site.c.study_id == study_id).order_by(site.c.site_id)
    if seen is not None:
        places = places.where(site.c.site_id.in_(seen))
    return {
        **study,
        "versions": [dict(row) for row in released],
        "sites": [dict(row) for row in session.execute(places).mappings()],
    }


def build(session: Session, actor: Actor, study_id: str, version: int) -> Build:
    """A released study version with its forms. Raises NotFound."""
    require(actor, Permission.STUDY_READ, study_id)
    return build_of(session, study_id, version)


def form(session: Session, actor: Actor, form_id: str, version: int) -> Form:
    """A released form version. Raises NotFound."""
    require(actor, Permission.FORM_READ, None)
    return form_of(session, form_id, version)
