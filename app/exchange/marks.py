"""What people have said of the data, as tables: what was verified, what was signed, which scopes are closed."""

from collections.abc import Iterator

from sqlalchemy import or_, select

from app import models
from app.exchange.archive import Member
from app.exchange.cells import PLACE, SUBJECT, columns, place_of, subject_of, text_of
from app.exchange.tables import Scope, moment
from app.quality.signatures.standing import BROKEN, BROKEN_BY, OF_A_PAGE, STANDING, shown_at
from app.quality.verification.read import everything
from app.subjects.locked import by_row, scope_of

_BLOCK = 2000
_ITEM = (*SUBJECT, *PLACE, ("ITEM", "Item", "text"), ("ROW", "Row of a repeating section", "integer"))
_SDV = columns(
    *_ITEM,
    ("REQUIRED", "Y: the plan asks for it", "yes_no"),
    ("STATE", "verified, or reset by a change since", "text"),
    ("REVISION", "Revision it was verified at", "integer"),
    ("VERIFIED_BY", "Who verified it last", "free text"),
    ("VERIFIED_AT", "When, UTC", "datetime"),
)
_SIGNED = columns(
    *SUBJECT,
    *PLACE,
    ("REVISION", "Revision that was signed", "integer"),
    ("FORM_VERSION", "Form version it was signed under", "integer"),
    ("SIGNATURE", "Signature that holds the page", "text"),
    ("SCOPE", "What was signed: page, visit or casebook", "text"),
    ("MEANING", "authorship, review, approval or responsibility", "text"),
    ("SIGNED_BY", "Who, by printed name", "free text"),
    ("USERNAME", "User name", "free text"),
    ("ROLES", "Roles by which it was signed", "text"),
    ("SIGNED_AT", "When, UTC", "datetime"),
    ("ZONE", "Time zone of the site", "text"),
    ("STATE", "standing, or broken by a change since", "text"),
    ("BROKEN_AT", "When it was broken, UTC", "datetime"),
    ("BROKEN_BY", "Items of this page whose change broke it, and their rows", "text"),
    ("PAGE_DIGEST", "SHA-256 of the page as it was signed", "text"),
    ("DIGEST", "SHA-256 of all that was signed", "text"),
)
_LOCKS = columns(
    *_ITEM,
    ("SCOPE", "study (no site is named), site, subject, visit, page or item", "text"),
    ("STATE", "open, frozen, locked or hard_locked", "text"),
    ("SINCE", "Since when, UTC", "datetime"),
    ("SET_BY", "Who", "free text"),
    ("REASON", "Why", "free text"),
    ("ASKED_AT", "When it was asked to be unlocked, UTC", "datetime"),
    ("ASKED_BY", "Who asks for it to be unlocked", "free text"),
    ("ASKED_REASON", "Why it is asked", "free text"),
)


def members(scope: Scope) -> Iterator[Member]:
    """Each table in the order of the archive."""
    yield Member("sdv.csv", _SDV, lambda: _verified(scope))
    yield Member("signatures.csv", _SIGNED, lambda: _signed(scope))
    yield Member("locks.csv", _LOCKS, lambda: _locks(scope))


def _verified(scope: Scope) -> Iterator[list[str]]:
    for page in everything(scope.session, scope.study_id, scope.sites):
        subject = subject_of(scope.study_id, page.site_id, page.subject_id)
        for (item, row), mark in sorted(page.marks.items(), key=lambda each: by_row(each[0])):
            yield [
                *subject,
                *place_of(page.place),
                item,
                text_of(row),
                "Y" if (item, row) in page.required else "N",
                mark["state"],
                str(mark["revision"]),
                mark["by"],
                mark["at"],
            ]


def _signed(scope: Scope) -> Iterator[list[str]]:
    signature, page, broken = models.signature, models.signed_page, models.signature_break
    record, subject = models.record, models.subject
    place = (record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat)
    statement = (
        select(
            signature, subject.c.site_id, page.c.record_id, page.c.revision, page.c.form_version,
            page.c.digest.label("page_digest"), broken.c.at.label("broken_at"),
            broken.c.record_id.label("breaker"), broken.c["items"],
            *(column.label(f"page_{column.name}") for column in place),
        )
        .join_from(signature, page, OF_A_PAGE)
        .join(record, (record.c.study_id == page.c.study_id) & (record.c.record_id == page.c.record_id))
        .outerjoin(broken, BROKEN_BY)
        .order_by(signature.c.subject_id, *place, signature.c.at, signature.c.signature_id)
        .execution_options(yield_per=_BLOCK)
    )  # fmt: skip
    for row in scope.session.execute(scope.in_sight(statement, signature)).mappings():
        here = row["items"] if row["breaker"] == row["record_id"] else []
        yield [
            *subject_of(scope.study_id, row["site_id"], row["subject_id"]),
            *(text_of(row[f"page_{column.name}"]) for column in place),
            str(row["revision"]),
            str(row["form_version"]),
            str(row["signature_id"]),
            shown_at(dict(row))["scope"],
            row["meaning"],
            row["name"],
            row["username"],
            row["roles"],
            moment(row["at"]),
            row["zone"],
            STANDING if row["broken_at"] is None else BROKEN,
            moment(row["broken_at"]),
            "|".join(each["item"] + (f"[{each['row']}]" if each["row"] else "") for each in here),
            row["page_digest"],
            row["digest"],
        ]


def _locks(scope: Scope) -> Iterator[list[str]]:
    lock, subject = models.lock, models.subject
    statement = (
        select(lock, subject.c.site_id.label("at"))
        .outerjoin(subject, (subject.c.study_id == lock.c.study_id) & (subject.c.subject_id == lock.c.subject_id))
        .where(lock.c.study_id == scope.study_id)
        .order_by(*(lock.c[name].asc().nulls_first() for name in _ORDER))
        .execution_options(yield_per=_BLOCK)
    )
    if scope.sites is not None:
        whole = lock.c.site_id.is_(None) & lock.c.subject_id.is_(None)
        seen = or_(whole, lock.c.site_id.in_(scope.sites), subject.c.site_id.in_(scope.sites))
        statement = statement.where(seen)
    for row in scope.session.execute(statement).mappings():
        number = row["subject_id"]
        yield [
            scope.study_id,
            text_of(row["site_id"] or row["at"]),
            f"{scope.study_id}-{number}" if number else "",
            *(text_of(row[name]) for name in _ORDER[1:]),
            scope_of(dict(row)),
            row["state"],
            moment(row["since"]),
            row["set_by_name"],
            row["reason"],
            moment(row["asked_at"]),
            text_of(row["asked_by_name"]),
            text_of(row["asked_reason"]),
        ]


_ORDER = ("site_id", "subject_id", "visit", "visit_repeat", "form_id", "repeat", "item", "row")
