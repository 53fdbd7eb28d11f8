"""Signatures as people read them: a list, and one with all that it holds."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, and_, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.core.page import page as one_page
from app.core.page import sorting
from app.quality.signatures.standing import BROKEN, BROKEN_BY, STANDING, shown_at
from app.subjects.address import written

BROKE = "broke_"
"""What the columns of a signature begin with that tell of its break."""

_signature, _page, _break = models.signature, models.signed_page, models.signature_break
_record, _revision, _change, _subject = models.record, models.revision, models.change, models.subject


def list_signatures(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    subject_id: str | None = None,
    state: str | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of the signatures at the sites in sight, newest first, and the cursor of the next."""
    require(actor, Permission.SIGNATURE_READ, study_id, site)
    statement = signatures(study_id)
    seen = sites(actor, study_id, Permission.SIGNATURE_READ)
    if seen is not None:
        statement = statement.where(_subject.c.site_id.in_(seen))
    for column, wanted in ((_subject.c.site_id, site), (_signature.c.subject_id, subject_id)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if state is not None:
        statement = statement.where(_break.c.at.is_not(None) if state == BROKEN else _break.c.at.is_(None))
    order = sorting(sort, {"at": _signature.c.at}, default="-at", unique=(_signature.c.signature_id,))
    scope = (study_id, site, subject_id, state)
    rows, following = one_page(session, statement, order, cursor=cursor, limit=limit, scope=scope)
    return [described(row) for row in rows], following


def one(session: Session, actor: Actor, study_id: str, signature_id: UUID) -> dict[str, Any]:
    """A signature with each page that it holds and the digest of every answer. Raises NotFound and Forbidden."""
    row = found(session, actor, study_id, signature_id)
    pages = [address(page) | {name: page[name] for name in _MANIFEST} for page in pages_of(session, row)]
    return described(row) | {"pages": pages}


def described(row: Mapping[str, Any]) -> dict[str, Any]:
    """A signature as answers show it: what was signed, by whom, when and as what, and what has broken it."""
    broken = row[BROKE + "at"] is not None
    told = {
        "signature": row["signature_id"],
        "subject": row["subject_id"],
        "site": row["site_id"],
        **shown_at(row),
        "state": BROKEN if broken else STANDING,
        "broken": None,
    }
    told |= {name: row[name] for name in _TOLD}
    if broken:
        place = {name: row[BROKE + name] for name in ("visit", "visit_repeat", "form_id", "repeat")}
        named = ("at", "items", "change", "by", "reason")
        told["broken"] = address(place) | {name: row[BROKE + name] for name in named}
    return told


_TOLD = ("study_version", "meaning", "statement", "username", "name", "roles", "at", "zone", "digest")
_MANIFEST = ("revision", "form_version", "form_digest", "items", "computed", "digest")


def signatures(study_id: str) -> Select[Any]:
    """The signatures of a study with the site of their subject, and what broke each."""
    broke = (
        _break.c.at, _break.c["items"], _record.c.visit, _record.c.visit_repeat, _record.c.form_id, _record.c.repeat,
        _change.c.reason,
    )  # fmt: skip
    return (
        select(
            _signature,
            _subject.c.site_id,
            *(column.label(BROKE + column.name) for column in broke),
            _change.c.seq.label(BROKE + "change"),
            _change.c.actor.label(BROKE + "by"),
        )
        .join_from(
            _signature,
            _subject,
            (_subject.c.study_id == _signature.c.study_id) & (_subject.c.subject_id == _signature.c.subject_id),
        )
        .outerjoin(_break, BROKEN_BY)
        .outerjoin(_record, same_record(_record, _break))
        .outerjoin(_change, (_change.c.study_id == _break.c.study_id) & (_change.c.change_id == _break.c.change_id))
        .where(_signature.c.study_id == study_id)
    )


def found(session: Session, actor: Actor, study_id: str, signature_id: UUID) -> Mapping[str, Any]:
    """The row of a signature in sight. Raises NotFound and Forbidden."""
    statement = signatures(study_id).where(_signature.c.signature_id == signature_id)
    row = session.execute(statement).mappings().one_or_none()
    if row is None:
        raise absent(actor, Permission.SIGNATURE_READ, study_id)
    require(actor, Permission.SIGNATURE_READ, study_id, row["site_id"])
    return dict(row)


def pages_of(session: Session, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The pages that a signature holds: as they were signed, the revision that was signed, and the one of now."""
    signed, now = _revision.alias("signed"), _revision.alias("now")
    columns = ("number", "form_version", "status", "answers", "at")
    statement = (
        select(
            _page, _record.c.subject_id, _record.c.visit, _record.c.visit_repeat, _record.c.form_id,
            _record.c.repeat, _record.c.study_version,
            *(each.c[name].label(f"{each.name}_{name}") for each in (signed, now) for name in columns),
        )
        .join_from(_page, _record, same_record(_record, _page))
        .join(signed, same_record(signed, _page) & (signed.c.number == _page.c.revision))
        .join(now, same_record(now, _page) & (now.c.number == _record.c.revision))
        .where(_page.c.study_id == row["study_id"], _page.c.signature_id == row["signature_id"])
        .order_by(_record.c.visit, _record.c.visit_repeat, _record.c.form_id, _record.c.repeat)
    )  # fmt: skip
    return [dict(row) for row in session.execute(statement).mappings()]


def same_record(one_: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Whether two rows are of one record."""
    return and_(one_.c.study_id == other.c.study_id, one_.c.record_id == other.c.record_id)


def address(row: Mapping[str, Any]) -> dict[str, str]:
    """Visit and form of a page as people write them."""
    return {
        "visit": written(row["visit"], row["visit_repeat"]),
        "form": written(row["form_id"], row["repeat"]),
    }
