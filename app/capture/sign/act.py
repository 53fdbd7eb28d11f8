"""Signing in two steps: `intend` shows what is signed and gives its digest, `sign` takes that and the password."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, roles
from app.access.login import reauthenticated
from app.access.permissions import Permission
from app.audit import change
from app.capture.beside import CHANGED
from app.capture.draft import Casebook
from app.capture.read import NOT_COMPUTED, computed, find
from app.capture.save import hold
from app.capture.sign.ready import assert_ready, pages_of
from app.core.errors import Refusal, Stale
from app.core.transaction import Database, see
from app.forms.definition import Form, Lang
from app.models.capture import FindingState
from app.models.signatures import Meaning
from app.quality import locks
from app.quality.findings import reconcile
from app.quality.locks.scope import Address
from app.quality.signatures.manifest import STATEMENTS, digest_of, signed_page
from app.quality.signatures.standing import BROKEN_BY
from app.study.library import form_of
from app.subjects import facts
from app.subjects.facts import Page

Row = Mapping[str, Any]


class Shown(NamedTuple):
    """A page as it is signed, and what is computed on it."""

    form: Form
    page: Page
    computed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody would sign: the words, each page, and the digest of all of it, which signing has to name."""

    said: Row
    pages: Sequence[Shown]
    held: Sequence[Row]
    digest: str


def intend(session: Session, actor: Actor, study_id: str, at: Address, meaning: Meaning) -> Intent:
    """What this person would sign now. Nothing is stored.

    Raises NotFound, Forbidden, Locked, and NotReady with what keeps it from being signed.
    """
    subject, build = find(session, actor, Permission.RECORD_SIGN, study_id, str(at.subject_id))
    casebook = Casebook(subject, facts.pages(session, study_id, subject["subject_id"]), build)
    return _intents(session, actor, casebook, at, meaning)[actor.language]


def sign(
    database: Database,
    actor: Actor,
    study_id: str,
    at: Address,
    meaning: Meaning,
    *,
    intent: str,
    password: str | None,
) -> UUID:
    """Sign what an intent has shown, in a transaction of its own; the key of the signature.

    The same once more is the same signature, as long as that stands. Whatever is refused once a password was given is
    recorded, in the study's trail; a wrong one is counted in the system's. Raises NotFound, Forbidden, Reauthenticate,
    TooMany, Locked, NotReady, and Stale when it is no longer what was shown.
    """
    site, zone = _assert_allowed(database, actor, study_id, str(at.subject_id))

    def signed(session: Session) -> UUID:
        see(session, models.SYSTEM, study_id)
        casebook = hold(session, actor, Permission.RECORD_SIGN, study_id, str(at.subject_id))
        shown = _shown(session, actor, casebook, at, meaning, intent)
        changed = _changed(session, shown)
        return (None if changed else _standing(session, shown)) or _store(session, actor, casebook, shown, changed)

    try:
        return reauthenticated(database, actor, password, signed, detail={"study": study_id})
    except Refusal as refused:
        if password is not None:
            with database.writing() as session:
                see(session, study_id)
                with change(session, study_id, by=actor, action="signature.refused", zone=zone) as made:
                    made.site_id, made.subject_id = site, at.subject_id
                    made.detail |= {name: value for name, value in at._asdict().items() if value is not None}
                    made.detail |= {"meaning": meaning.value, "refusal": refused.code}
        raise


def _assert_allowed(database: Database, actor: Actor, study_id: str, subject_id: str) -> tuple[str, str]:
    """The site of the subject and its time zone. It is asked again when the subject is held.

    Raises NotFound or Forbidden before a password is looked at.
    """
    if not actor.present(study_id, None):
        raise absent(actor, Permission.RECORD_SIGN, study_id)
    with database.reading() as session:
        see(session, study_id)
        subject, _ = find(session, actor, Permission.RECORD_SIGN, study_id, subject_id)
    return subject["site_id"], subject["zone"]


def _shown(session: Session, actor: Actor, casebook: Casebook, at: Address, meaning: Meaning, intent: str) -> Intent:
    """What was shown, in whichever language. Raises Stale where that is not what there is."""
    for found in _intents(session, actor, casebook, at, meaning).values():
        if found.digest == intent:
            return found
    raise Stale("This is no longer what you were shown. Ask again what is signed, look at it, and sign that.")


def _intents(session: Session, actor: Actor, casebook: Casebook, at: Address, meaning: Meaning) -> dict[Lang, Intent]:
    """What would be signed, in the words of each language."""
    study_id, scope = casebook.subject["study_id"], at._asdict()
    pages = pages_of(casebook, scope)
    for page in pages:
        locks.assert_open_for_review(casebook.subject, page.place)
    assert_ready(session, casebook, at, pages)
    values = computed(session, study_id, [page.record_id for page in pages])
    shown = [
        Shown(
            form_of(session, page.place.form, page.form_version), page, values.get(page.record_id, NOT_COMPUTED).items
        )
        for page in pages
    ]
    held = [signed_page(study_id, *each) for each in shown]
    said = {
        "study_id": study_id,
        **{name: scope[name] for name in ("subject_id", "visit", "visit_repeat", "form_id", "repeat")},
        "study_version": casebook.build.study.version,
        "meaning": meaning.value,
        "account_id": actor.account_id,
        "username": actor.username,
        "name": actor.name,
        "roles": roles(actor, Permission.RECORD_SIGN, study_id, casebook.subject["site_id"]),
        "zone": casebook.subject["zone"],
    }
    found = {}
    for language, statement in STATEMENTS[meaning].items():
        words = said | {"statement": statement}
        found[language] = Intent(words, shown, held, digest_of(words, held))
    return found


def _standing(session: Session, shown: Intent) -> UUID | None:
    """The signature there is already of just this."""
    table, broken = models.signature, models.signature_break
    return session.execute(
        select(table.c.signature_id)
        .outerjoin(broken, BROKEN_BY)
        .where(
            table.c.study_id == shown.said["study_id"],
            table.c.subject_id == shown.said["subject_id"],
            table.c.digest == shown.digest,
            broken.c.signature_id.is_(None),
        )
        .order_by(table.c.at.desc())
        .limit(1)
    ).scalar_one_or_none()


def _store(session: Session, actor: Actor, casebook: Casebook, shown: Intent, changed: Sequence[Row]) -> UUID:
    subject, said = casebook.subject, shown.said
    with change(session, said["study_id"], by=actor, action="signature.sign", zone=subject["zone"]) as made:
        made.site_id, made.subject_id = subject["site_id"], subject["subject_id"]
        key = uuid4()
        made.detail |= {name: said[name] for name in ("visit", "visit_repeat", "form_id", "repeat") if said[name]}
        made.detail |= {"signature": str(key), "meaning": said["meaning"], "pages": len(shown.pages)}
        made.insert(
            models.signature,
            {
                **said,
                "signature_id": key,
                "at": made.at,
                "digest": shown.digest,
                "change_id": made.change_id,
            },
        )
        made.insert(models.signed_page, *({**row, "signature_id": key} for row in shown.held))
        reconcile(made, subject["subject_id"], changed, ())
    return key


def _changed(session: Session, shown: Intent) -> list[Row]:
    """The findings that computed items of these pages have changed: whoever signs has been shown what they are now."""
    finding = models.finding
    found = session.execute(
        select(finding).where(
            finding.c.study_id == shown.said["study_id"],
            finding.c.record_id.in_([each.page.record_id for each in shown.pages]),
            finding.c.rule == CHANGED,
            finding.c.state == FindingState.OPEN.value,
        )
    )
    return [dict(row) for row in found.mappings()]
