"""Signatures as people read them: a list, one with all that it holds, the proof that it is what was signed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.core.page import page as one_page
from app.core.page import sorting
from app.forms.definition import Form, Lang
from app.models.capture import RecordStatus
from app.quality.signatures.manifest import changed, digest_of, digest_of_page, signed_page
from app.quality.signatures.standing import BROKEN, BROKEN_BY, STANDING, shown_at
from app.study.library import form_of
from app.subjects.address import written
from app.subjects.facts import Page, Place

_BROKE = "broke_"
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
    statement = _signatures(study_id)
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
    row = _found(session, actor, study_id, signature_id)
    pages = [_address(page) | {name: page[name] for name in _MANIFEST} for page in _pages(session, row)]
    return described(row) | {"pages": pages}


def verify(session: Session, actor: Actor, study_id: str, signature_id: UUID) -> dict[str, Any]:
    """Whether a signature holds, worked out again from the pages themselves. Raises NotFound and Forbidden."""
    return proved(session, _found(session, actor, study_id, signature_id), actor.language)


def proofs(session: Session, study_id: str) -> Iterator[dict[str, Any]]:
    """Every signature of a study, worked out again."""
    statement = _signatures(study_id).order_by(_signature.c.at, _signature.c.signature_id)
    for row in session.execute(statement).mappings().all():
        yield proved(session, dict(row), "en")


def proved(session: Session, row: Mapping[str, Any], language: Lang) -> dict[str, Any]:
    """A signature held against what it was given for.

    `intact`: the revisions that were signed still are what was signed. `holds`: and nothing was changed since.
    """
    pages, held = [], _pages(session, row)
    computed = _computed(session, row, [page["record_id"] for page in held])
    for page in held:
        study_id, form = row["study_id"], form_of(session, page["form_id"], page["form_version"])
        then = signed_page(study_id, form, _as_page(page, "signed_"), computed.get(page["record_id"], {}))
        now_form = form_of(session, page["form_id"], page["now_form_version"])
        void = page["now_status"] == RecordStatus.VOID
        now = None if void else signed_page(study_id, now_form, _as_page(page, "now_"), {})
        pages.append(
            _address(page)
            | {
                "revision": page["revision"],
                "now": page["now_number"],
                "form_version": page["form_version"],
                "form_version_now": page["now_form_version"],
                "status_now": page["now_status"],
                "intact": then["digest"] == page["digest"] == digest_of_page(page),
                "changed": [
                    {"item": item, "row": number, "label": _label(form, now_form, item, language)}
                    for item, number in changed(page, now)
                ],
            }
        )
    intact = digest_of(row, held) == row["digest"] and all(page["intact"] for page in pages)
    state = BROKEN if row[_BROKE + "at"] else STANDING
    same = not any(page["changed"] for page in pages)
    return {
        "signature": row["signature_id"],
        "state": state,
        "intact": intact,
        "holds": intact and same and state == STANDING,
        "pages": pages,
    }


def described(row: Mapping[str, Any]) -> dict[str, Any]:
    """A signature as answers show it: what was signed, by whom, when and as what, and what has broken it."""
    broken = row[_BROKE + "at"] is not None
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
        place = {name: row[_BROKE + name] for name in ("visit", "visit_repeat", "form_id", "repeat")}
        named = ("at", "items", "change", "by", "reason")
        told["broken"] = _address(place) | {name: row[_BROKE + name] for name in named}
    return told


_TOLD = ("study_version", "meaning", "statement", "username", "name", "roles", "at", "zone", "digest")
_MANIFEST = ("revision", "form_version", "form_digest", "items", "computed", "digest")


def _signatures(study_id: str) -> Select[Any]:
    """The signatures of a study with the site of their subject, and what broke each."""
    broke = (
        _break.c.at, _break.c["items"], _record.c.visit, _record.c.visit_repeat, _record.c.form_id, _record.c.repeat,
        _change.c.reason,
    )  # fmt: skip
    return (
        select(
            _signature,
            _subject.c.site_id,
            *(column.label(_BROKE + column.name) for column in broke),
            _change.c.seq.label(_BROKE + "change"),
            _change.c.actor.label(_BROKE + "by"),
        )
        .join_from(
            _signature,
            _subject,
            (_subject.c.study_id == _signature.c.study_id) & (_subject.c.subject_id == _signature.c.subject_id),
        )
        .outerjoin(_break, BROKEN_BY)
        .outerjoin(_record, _same(_record, _break))
        .outerjoin(_change, (_change.c.study_id == _break.c.study_id) & (_change.c.change_id == _break.c.change_id))
        .where(_signature.c.study_id == study_id)
    )


def _found(session: Session, actor: Actor, study_id: str, signature_id: UUID) -> Mapping[str, Any]:
    statement = _signatures(study_id).where(_signature.c.signature_id == signature_id)
    row = session.execute(statement).mappings().one_or_none()
    if row is None:
        raise absent(actor, Permission.SIGNATURE_READ, study_id)
    require(actor, Permission.SIGNATURE_READ, study_id, row["site_id"])
    return dict(row)


def _pages(session: Session, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The pages that a signature holds: as they were signed, the revision that was signed, and the one of now."""
    signed, now = _revision.alias("signed"), _revision.alias("now")
    columns = ("number", "form_version", "status", "answers", "at")
    statement = (
        select(
            _page, _record.c.subject_id, _record.c.visit, _record.c.visit_repeat, _record.c.form_id,
            _record.c.repeat, _record.c.study_version,
            *(each.c[name].label(f"{each.name}_{name}") for each in (signed, now) for name in columns),
        )
        .join_from(_page, _record, _same(_record, _page))
        .join(signed, _same(signed, _page) & (signed.c.number == _page.c.revision))
        .join(now, _same(now, _page) & (now.c.number == _record.c.revision))
        .where(_page.c.study_id == row["study_id"], _page.c.signature_id == row["signature_id"])
        .order_by(_record.c.visit, _record.c.visit_repeat, _record.c.form_id, _record.c.repeat)
    )  # fmt: skip
    return [dict(row) for row in session.execute(statement).mappings()]


def _computed(session: Session, row: Mapping[str, Any], records: Sequence[UUID]) -> dict[UUID, Any]:
    """What was computed on pages when they were signed, by record."""
    table = models.computed
    found = session.execute(
        select(table.c.record_id, table.c["values"])
        .where(table.c.study_id == row["study_id"], table.c.record_id.in_(records), table.c.at <= row["at"])
        .ext(distinct_on(table.c.record_id))
        .order_by(table.c.record_id, table.c.number.desc())
    )
    return {row.record_id: row[1] for row in found}


def _same(one_: Any, other: Any) -> ColumnElement[bool]:
    """Whether two rows are of one record."""
    return (one_.c.study_id == other.c.study_id) & (one_.c.record_id == other.c.record_id)  # type: ignore[no-any-return]


def _as_page(row: Mapping[str, Any], prefix: str) -> Page:
    place = Place(row["visit"], row["visit_repeat"], row["form_id"], row["repeat"])
    number, version, status, answers, at = (
        row[prefix + name] for name in ("number", "form_version", "status", "answers", "at")
    )
    return Page(row["subject_id"], row["record_id"], place, version, row["study_version"], number, status, answers, at)


def _address(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "visit": written(row["visit"], row["visit_repeat"]),
        "form": written(row["form_id"], row["repeat"]),
    }


def _label(form: Form, later: Form, item: str, language: Lang) -> str:
    known = next((each for each in (form, later) if each.has(item)), None)
    return item if known is None else known.item(item).label.of(language)
