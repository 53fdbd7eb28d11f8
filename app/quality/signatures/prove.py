"""The proof that a signature is what was signed, worked out again from the pages themselves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor
from app.forms.definition import Form, Lang
from app.models.capture import RecordStatus
from app.quality.signatures.manifest import changed, digest_of, digest_of_page, signed_page
from app.quality.signatures.read import BROKE, address, found, pages_of, signatures
from app.quality.signatures.standing import BROKEN, STANDING
from app.study.library import form_of
from app.subjects.facts import Page, Place


def verify(session: Session, actor: Actor, study_id: str, signature_id: UUID) -> dict[str, Any]:
    """Whether a signature holds, worked out again from the pages themselves. Raises NotFound and Forbidden."""
    return proved(session, found(session, actor, study_id, signature_id), actor.language)


def proofs(session: Session, study_id: str) -> Iterator[dict[str, Any]]:
    """Every signature of a study, worked out again."""
    statement = signatures(study_id).order_by(models.signature.c.at, models.signature.c.signature_id)
    for row in session.execute(statement).mappings().all():
        yield proved(session, dict(row), "en")


def proved(session: Session, row: Mapping[str, Any], language: Lang) -> dict[str, Any]:
    """A signature held against what it was given for.

    `intact`: the revisions that were signed still are what was signed. `holds`: and nothing was changed since.
    """
    pages, held = [], pages_of(session, row)
    computed = _computed(session, row, [page["record_id"] for page in held])
    for page in held:
        study_id, form = row["study_id"], form_of(session, page["form_id"], page["form_version"])
        then = signed_page(study_id, form, _as_page(page, "signed_"), computed.get(page["record_id"], {}))
        now_form = form_of(session, page["form_id"], page["now_form_version"])
        void = page["now_status"] == RecordStatus.VOID
        now = None if void else signed_page(study_id, now_form, _as_page(page, "now_"), {})
        pages.append(
            address(page)
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
    state = BROKEN if row[BROKE + "at"] else STANDING
    same = not any(page["changed"] for page in pages)
    return {
        "signature": row["signature_id"],
        "state": state,
        "intact": intact,
        "holds": intact and same and state == STANDING,
        "pages": pages,
    }


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


def _as_page(row: Mapping[str, Any], prefix: str) -> Page:
    place = Place(row["visit"], row["visit_repeat"], row["form_id"], row["repeat"])
    number, version, status, answers, at = (
        row[prefix + name] for name in ("number", "form_version", "status", "answers", "at")
    )
    return Page(row["subject_id"], row["record_id"], place, version, row["study_version"], number, status, answers, at)


def _label(form: Form, later: Form, item: str, language: Lang) -> str:
    known = next((each for each in (form, later) if each.has(item)), None)
    return item if known is None else known.item(item).label.of(language)
