"""Derive anew from the pages: to prove what is stored, or because another study version came in force."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.audit import change
from app.capture.consequences import FINDINGS, work_out
from app.core.problems import taken
from app.core.words import Reason
from app.derivations.derive import subjects
from app.forms.definition import Phase
from app.quality import locks
from app.study.library import build_of, newest
from app.study.publish import activate
from app.subjects import enrol, facts


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something stored that is not what the pages give: endpoint and variant, or the kind of thing and where.

    `kept` when it stays so because the subject is locked.
    """

    subject_id: str
    endpoint: str
    variant: str
    kept: bool = False


def derive(session: Session, actor: Actor, study_id: str, *, store: bool = True) -> tuple[int, list[Deviation]]:
    """Derive every subject in sight again; how many there are, and everything stored that differs.

    With `store` what differs is stored anew, under an audited change for each subject that is not locked. Raises
    NotFound, Forbidden, and Locked for a study that is.
    """
    require(actor, Permission.DERIVE, study_id)
    newest(session, study_id)
    if store:
        locks.assert_site_open(session, study_id)
    return anew(session, actor, study_id, sites(actor, study_id, Permission.DERIVE), store=store)


def run_checks(session: Session, actor: Actor, study_id: str) -> tuple[int, Counter[tuple[str, str]]]:
    """Ask every edit check of every page in sight; how many subjects, and the findings opened and closed by rule.

    Those of the phase `batch` are asked only here, and of no subject that is locked. Raises NotFound, Forbidden, and
    Locked for a study that is.
    """
    require(actor, Permission.CHECKS_RUN, study_id)
    newest(session, study_id)
    locks.assert_site_open(session, study_id)
    within = sites(actor, study_id, Permission.CHECKS_RUN)
    count, found = anew(session, actor, study_id, within, store=True, phase=Phase.BATCH)
    told = Counter((each.endpoint, each.variant) for each in found if each.endpoint in FINDINGS and not each.kept)
    return count, told


def put_in_force(
    session: Session, actor: Actor, study_id: str, site_id: str, version: int, *, approved_on: date, reason: str
) -> None:
    """Let a site work under another released study version; its subjects are derived by that version from now on.

    One that is locked keeps its results. Raises Unreadable, and Locked where the site or the study is.
    """
    require(actor, Permission.STUDY_SITE_CHANGE, study_id)
    reason = taken(Reason, reason, "reason")
    locks.assert_site_open(session, study_id, site_id)
    if activate(session, actor, study_id, site_id, version, approved_on=approved_on, reason=reason):
        anew(session, actor, study_id, frozenset({site_id}), store=True, reason=reason, phase=Phase.AMENDMENT)


def transfer(
    session: Session, actor: Actor, study_id: str, subject_id: str, site_id: str, *, reason: str
) -> dict[str, object]:
    """Move a subject to another site; it is derived by the study version in force there."""
    enrol.transfer(session, actor, study_id, subject_id, site_id, reason=reason)
    _one(session, actor, study_id, subject_id, store=True, reason=reason)
    return enrol.lock(session, study_id, subject_id) or {}


def anew(
    session: Session,
    actor: Actor,
    study_id: str,
    within: frozenset[str] | None,
    *,
    store: bool,
    reason: str | None = None,
    phase: Phase = Phase.ENTRY,
) -> tuple[int, list[Deviation]]:
    """Work out every subject of these sites again; how many there are, and what was stored that differed."""
    count, found = 0, []
    for subject_id in [row["subject_id"] for row in subjects(session, study_id, within, None, None)]:
        count += 1
        found += _one(session, actor, study_id, subject_id, store=store, reason=reason, phase=phase)
    return count, found


def _one(
    session: Session,
    actor: Actor,
    study_id: str,
    subject_id: str,
    *,
    store: bool,
    reason: str | None = None,
    phase: Phase = Phase.ENTRY,
) -> list[Deviation]:
    subject = (
        enrol.lock(session, study_id, subject_id)
        if store
        else next(subjects(session, study_id, None, subject_id, None), None)
    )
    if subject is None:
        return []
    pages = facts.pages(session, study_id, subject_id)
    build = build_of(session, study_id, subject["version"])
    worked_out = work_out(session, subject, build, pages, phase=phase)
    if not pages and worked_out.before.results is None:
        return []
    kept = store and locks.holds_still(subject)
    found = [Deviation(subject_id, *which, kept) for which in worked_out.differences()]
    if found and store and not kept:
        action = "checks.run" if phase is Phase.BATCH else "derive"
        with change(session, study_id, by=actor, action=action, reason=reason, zone=subject["zone"]) as made:
            made.site_id, made.subject_id = subject["site_id"], subject_id
            worked_out.store(made)
    return found
