"""What a lock covers, and how it is found and held while it is being closed or opened."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, denied, require, sites
from app.access.permissions import Permission
from app.core.errors import NotFound
from app.quality.queries.states import UNRESOLVED
from app.study.library import form_of
from app.subjects import enrol, locked
from app.subjects.address import step


class Address(NamedTuple):
    """What a lock or a signature covers: nothing is the study, then a site, or a subject and on to an item."""

    site_id: str | None = None
    subject_id: str | None = None
    visit: str | None = None
    visit_repeat: int | None = None
    form_id: str | None = None
    repeat: int | None = None
    item: str | None = None
    row: int | None = None

    @classmethod
    def of(
        cls,
        site: str | None,
        subject: str | None,
        visit: str | None,
        form: str | None,
        item: str | None = None,
        row: int | None = None,
    ) -> "Address":
        """From the parts as people write them. Raises NotFound for what is no visit or form."""
        at, page = ((None, None) if part is None else step(part) for part in (visit, form))
        return cls(site, subject, at[0], at[1], page[0], page[1], item, row)


def hold(session: Session, actor: Actor, study_id: str, at: Address, permission: Permission) -> Mapping[str, Any]:
    """The subject, site or study at an address with `site_id`, `zone` and `locks`, and nobody else writing in it.

    Raises NotFound for what is out of sight, and Forbidden.
    """
    if at.subject_id is not None:
        subject = enrol.lock(session, study_id, at.subject_id)
        if subject is None:
            raise absent(actor, permission, study_id)
        require(actor, permission, study_id, subject["site_id"])
        return subject
    require(actor, permission, study_id, at.site_id)
    study, site = models.study, models.site
    if at.site_id is not None:
        asked = select(site.c.zone).where(site.c.study_id == study_id, site.c.site_id == at.site_id)
    elif sites(actor, study_id, permission) is None:
        asked = select(study.c.zone).where(study.c.study_id == study_id)
    else:
        raise denied(actor, permission, study_id)
    locked.close_gate(session, study_id)
    zone = session.execute(asked).scalar_one_or_none()
    if zone is None:
        raise absent(actor, permission, study_id)
    return {"site_id": at.site_id, "zone": zone, "locks": locked.of_site(session, study_id, at.site_id or "")}


def standing(session: Session, study_id: str, at: Address) -> Mapping[str, Any] | None:
    """The lock at exactly this address, None where nothing was ever closed."""
    table = models.lock
    here = [table.c[name].is_not_distinct_from(value) for name, value in at._asdict().items()]
    found = session.execute(select(table).where(table.c.study_id == study_id, *here)).mappings().one_or_none()
    return None if found is None else dict(found)


def open_queries(session: Session, study_id: str, at: Address) -> int:
    """How many queries wait for somebody in what an address covers."""
    query, subject, record = models.query, models.subject, models.record
    statement = (
        select(func.count())
        .select_from(query)
        .join(subject, (subject.c.study_id == query.c.study_id) & (subject.c.subject_id == query.c.subject_id))
        .outerjoin(record, (record.c.study_id == query.c.study_id) & (record.c.record_id == query.c.record_id))
        .where(query.c.study_id == study_id, query.c.state.in_([state.value for state in UNRESOLVED]))
    )
    columns = (
        subject.c.site_id, query.c.subject_id, record.c.visit, record.c.visit_repeat,
        record.c.form_id, record.c.repeat, query.c.item, query.c.row,
    )  # fmt: skip
    for column, wanted in zip(columns, at, strict=True):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return session.execute(statement).scalar_one()


def assert_begun(session: Session, study_id: str, at: Address) -> None:
    """Refuse to close a visit, page or item of which there is nothing yet: whoever misspells one learns of it.

    What was closed once is not asked this again: an amendment may have taken the item away, and it is still opened.
    """
    if at.visit is None:
        return
    table = models.record
    page = [table.c.form_id == at.form_id, table.c.repeat == at.repeat] if at.form_id else []
    version = session.execute(
        select(table.c.form_version)
        .where(
            table.c.study_id == study_id,
            table.c.subject_id == at.subject_id,
            table.c.visit == at.visit,
            table.c.visit_repeat == at.visit_repeat,
            *page,
        )
        .limit(1)
    ).scalar_one_or_none()
    if version is None:
        raise NotFound("There is no such page")
    if at.form_id is not None and at.item is not None:
        form = form_of(session, at.form_id, version)
        if not form.has(at.item) or (at.row is not None and not form.section_of(at.item).repeating):
            raise NotFound("The page has no such item")
