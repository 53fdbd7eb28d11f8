"""Release a form or a study version: from then on it never changes, and records may be entered under it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.audit import change, start_chain
from app.core import clock
from app.core.errors import Conflict, NotFound
from app.core.transaction import see_all
from app.forms.definition import Form
from app.study.check import Tree
from app.study.definition import Study
from app.study.sites import site_of


def publish(session: Session, actor: Actor, study: Study, forms: Mapping[str, Form]) -> bool:
    """Release a study version with the forms it names; False when exactly this is released already.

    A new study starts its chain here. Sites of the study file are created; a site that exists keeps the study
    version it works under until it is moved (`activate`). Raises Conflict when the same version number of the study
    or of one of the forms was released with another content.
    """
    require(actor, Permission.STUDY_PUBLISH, study.study)
    see_all(session)
    table = models.study_version
    released = session.execute(
        select(table.c.digest).where(table.c.study_id == study.study, table.c.version == study.version)
    ).scalar_one_or_none()
    if released is not None:
        if released != study.digest:
            raise Conflict(f"{study.study} version {study.version} is released; give the change a new version number")
        _fresh(session, forms.values())
        return False
    exists = session.execute(
        select(models.study.c.study_id).where(models.study.c.study_id == study.study)
    ).scalar_one_or_none()
    if exists is None:
        start_chain(session, study.study)
        see_all(session)
    _release_study(session, actor, study, forms.values(), new=exists is None)
    return True


def publish_tree(
    session: Session, actor: Actor, tree: Tree, *, only: Sequence[str] | None = None
) -> Iterator[tuple[str, int, bool]]:
    """Release every study version of a folder that is not released yet: key, version, whether it is new."""
    for study in sorted(tree.studies, key=lambda each: (each.study, each.version)):
        if not only or study.study in only:
            forms = {form_id: tree.forms[form_id, version] for form_id, version in study.forms.items()}
            yield study.study, study.version, publish(session, actor, study, forms)


def _fresh(session: Session, forms: Iterable[Form]) -> list[Form]:
    """Those of these forms that are not released. Raises Conflict for one that was, with another content."""
    table = models.form_version
    released = {
        (row.form_id, row.version): row.digest
        for row in session.execute(select(table.c.form_id, table.c.version, table.c.digest))
    }
    fresh = []
    for form in forms:
        digest = released.get((form.form, form.version))
        if digest is None:
            fresh.append(form)
        elif digest != form.digest:
            raise Conflict(f"Form {form.form} version {form.version} is released; give the change a new version number")
    return fresh


def _release_forms(session: Session, actor: Actor, forms: Iterable[Form]) -> None:
    fresh = _fresh(session, forms)
    if not fresh:
        return
    with change(session, models.SYSTEM, by=actor, action="form.publish") as made:
        made.detail["forms"] = [{"form": form.form, "version": form.version, "digest": form.digest} for form in fresh]
        made.insert(
            models.form_version,
            *(
                {
                    "form_id": form.form,
                    "version": form.version,
                    "digest": form.digest,
                    "definition": form.canonical(),
                    "published_at": made.at,
                    "change_id": made.change_id,
                }
                for form in fresh
            ),
        )


def _release_study(session: Session, actor: Actor, study: Study, forms: Iterable[Form], *, new: bool) -> None:
    _release_forms(session, actor, forms)
    key = {"study_id": study.study}
    present = set(session.execute(select(models.site.c.site_id).where(models.site.c.study_id == study.study)).scalars())
    with change(session, study.study, by=actor, action="study.publish", zone=study.zone) as made:
        made.detail |= {"version": study.version, "digest": study.digest}
        if new:
            made.insert(
                models.study,
                key | {"title": study.title.model_dump(), "zone": study.zone, "created_at": clock.now()},
            )
        made.insert(
            models.study_version,
            key
            | {
                "version": study.version,
                "digest": study.digest,
                "definition": study.canonical(),
                "published_at": made.at,
                "change_id": made.change_id,
            },
        )
        made.insert(
            models.study_form,
            *(
                key | {"version": study.version, "form_id": form_id, "form_version": number}
                for form_id, number in study.forms.items()
            ),
        )
        made.insert(
            models.site,
            *(
                key
                | {
                    "site_id": site.id,
                    "name": site.name.model_dump(),
                    "zone": site.zone or study.zone,
                    "version": study.version,
                    "last_number": 0,
                }
                for site in study.sites
                if site.id not in present
            ),
        )


def activate(
    session: Session, actor: Actor, study_id: str, site_id: str, version: int, *, approved_on: date, reason: str
) -> bool:
    """Let a site work under another released study version from now on: records it begins are of that version.

    False when it does already. Raises NotFound, and Conflict before the day of the approval.
    """
    require(actor, Permission.STUDY_SITE_CHANGE, study_id)
    return put_in_place(session, actor, study_id, site_id, version, approved_on=approved_on, reason=reason)


def put_in_place(
    session: Session, actor: Actor, study_id: str, site_id: str, version: int, *, approved_on: date | None, reason: str
) -> bool:
    """The same for who has asked for leave already; None is the day of the version that a site began with."""
    site = site_of(session, study_id, site_id, held=True)
    if site is None:
        raise NotFound("There is no such site in the study")
    known = models.study_version
    if not session.execute(
        select(known.c.version).where(known.c.study_id == study_id, known.c.version == version)
    ).scalar_one_or_none():
        raise NotFound("There is no such study version")
    if approved_on is not None and approved_on > clock.now().astimezone(ZoneInfo(site["zone"])).date():
        raise Conflict("The site approves this version on a later day; it cannot come in force before")
    if site["version"] == version:
        return False
    day = approved_on.isoformat() if approved_on else None
    with change(session, study_id, by=actor, action="site.activate", reason=reason, zone=site["zone"]) as made:
        made.site_id = site_id
        made.detail |= {"from": site["version"], "to": version, "approved_on": day}
        made.update(models.site, site, version=version, approved_on=day)
    return True
