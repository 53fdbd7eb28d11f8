"""The signatures upon the pages of a subject: what each page shows of them, and what a change does to them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app import models
from app.audit import Change
from app.core.canonical import plain
from app.core.prepared import Prepared
from app.forms.answers import Difference
from app.subjects.address import stated

STANDING, BROKEN = "standing", "broken"
"""A signature stands until something that it holds is changed."""

_signature, _page, _break = models.signature, models.signed_page, models.signature_break
OF_A_PAGE = (_page.c.study_id == _signature.c.study_id) & (_page.c.signature_id == _signature.c.signature_id)
BROKEN_BY = (_break.c.study_id == _signature.c.study_id) & (_break.c.signature_id == _signature.c.signature_id)


def on_pages(
    session: Session, study_id: str, subject_id: str, record_id: UUID | None = None
) -> dict[UUID, list[dict[str, Any]]]:
    """The signatures that hold each page of a subject, or one of them, oldest first, by record; one statement."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    asked = {"study": study_id, "subject": subject_id, "record": record_id}
    for row in session.execute(_OF_SUBJECT, asked).mappings():
        found.setdefault(row["record_id"], []).append(_shown(dict(row)))
    return found


def unbroken(session: Session, study_id: str, subjects: Collection[str]) -> set[UUID]:
    """The pages of these subjects that a signature stands upon; one statement."""
    return {record_id for (record_id,) in _UNBROKEN.rows(session, {"study": study_id, "subjects": list(subjects)})}


class LastSigned(NamedTuple):
    """When a page was signed last, and whether a signature stands upon it."""

    at: datetime
    stands: bool


def last_signed(session: Session, study_id: str, records: Sequence[UUID]) -> dict[UUID, LastSigned]:
    """Of those of these pages that were ever signed; one statement."""
    found = session.execute(
        select(
            _page.c.record_id,
            func.max(_signature.c.at).label("at"),
            func.bool_or(_break.c.signature_id.is_(None)).label("stands"),
        )
        .join_from(_page, _signature, OF_A_PAGE)
        .outerjoin(_break, BROKEN_BY)
        .where(_page.c.study_id == study_id, _page.c.record_id.in_(records))
        .group_by(_page.c.record_id)
    )
    return {row.record_id: LastSigned(row.at, row.stands) for row in found}


def broken_by(held: Sequence[Mapping[str, Any]], changed: Sequence[Difference]) -> Iterator[UUID]:
    """Those of a page's signatures, as it shows them, that a change of these items would break."""
    if changed:
        yield from (each["signature"] for each in held if each["state"] == STANDING)


def follow(made: Change, record_id: UUID, changed: Sequence[Difference]) -> None:
    """Break the standing signatures that hold a page, as part of the change of it, and name what was changed.

    A page is held whole: an answer where there was none is a change of what was signed too.
    """
    found = made.session.execute(_UPON, {"study": made.study_id, "record": record_id}).scalars().all()
    items = [{"item": each.item, "row": each.row} for each in changed]
    key = {"study_id": made.study_id, "record_id": record_id}
    said = {"items": items, "at": made.at, "change_id": made.change_id}
    made.insert(models.signature_break, *(key | {"signature_id": each} | said for each in found))
    if found:
        made.detail["broken"] = [str(each) for each in found]


def shown_at(row: Mapping[str, Any]) -> dict[str, Any]:
    """The address of what was signed: a page, a visit, or the casebook."""
    return {
        "scope": "page" if row["form_id"] else "visit" if row["visit"] else "casebook",
        **stated(row),
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    broken = row["broken_at"] is not None
    return {
        "signature": row["signature_id"],
        "scope": shown_at(row)["scope"],
        "meaning": row["meaning"],
        "by": row["name"],
        "at": plain(row["at"]),
        "revision": row["revision"],
        "state": BROKEN if broken else STANDING,
        "broken_at": plain(row["broken_at"]),
        "broken_by": row["items"] if row["breaker"] == row["record_id"] else [],
    }


_RECORD = bindparam("record", type_=Uuid)
_OF_SUBJECT = (
    select(
        _signature.c.signature_id, _signature.c.visit, _signature.c.visit_repeat, _signature.c.form_id,
        _signature.c.repeat, _signature.c.meaning, _signature.c.name, _signature.c.at, _page.c.record_id,
        _page.c.revision, _break.c.at.label("broken_at"), _break.c.record_id.label("breaker"), _break.c["items"],
    )
    .join_from(_signature, _page, OF_A_PAGE)
    .outerjoin(_break, BROKEN_BY)
    .where(
        _signature.c.study_id == bindparam("study", type_=Text),
        _signature.c.subject_id == bindparam("subject", type_=Text),
        or_(_RECORD.is_(None), _page.c.record_id == _RECORD),
    )
    .order_by(_signature.c.at, _signature.c.signature_id)
)  # fmt: skip
_UNBROKEN = Prepared(
    select(_page.c.record_id)
    .join_from(_signature, _page, OF_A_PAGE)
    .outerjoin(_break, BROKEN_BY)
    .where(
        _signature.c.study_id == bindparam("study", type_=Text),
        _signature.c.subject_id == any_(bindparam("subjects", type_=ARRAY(Text))),
        _break.c.signature_id.is_(None),
    ),
    lists=True,
)
_UPON = (
    select(_signature.c.signature_id)
    .join_from(_page, _signature, OF_A_PAGE)
    .outerjoin(_break, BROKEN_BY)
    .where(
        _page.c.study_id == bindparam("study", type_=Text),
        _page.c.record_id == bindparam("record"),
        _break.c.signature_id.is_(None),
    )
    .order_by(_signature.c.at, _signature.c.signature_id)
)
