"""What is signed: each answer of each page by a digest of its own, so that one that is changed can be named.

The digest of an answer is SHA-256 over the canonical JSON of {study, record, item, row, value}; that of a page is over
its record, revision, form version and answers, and what was computed; that of the signature over who says what of which
subject, and its pages. An item that a page does not list was empty when it was signed. What was computed was seen by
whoever signed; it follows from answers, so that no later value of it is a change of what was signed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.core.canonical import digest
from app.forms.answers import difference
from app.forms.definition import Form, Lang
from app.models.signatures import Meaning
from app.subjects.facts import Page
from app.subjects.locked import Which, by_row

SAID = (
    "study_id", "subject_id", "visit", "visit_repeat", "form_id", "repeat", "study_version", "meaning", "statement",
    "account_id", "username", "name", "roles", "zone",
)  # fmt: skip
"""The columns of a signature that are signed with the pages."""

_OF_PAGE = ("study_id", "record_id", "revision", "form_version", "form_digest", "items", "computed")

STATEMENTS: Mapping[Meaning, Mapping[Lang, str]] = {
    Meaning.AUTHORSHIP: {
        "en": "I recorded these data, and they are what I observed.",
        "zh": "这些数据由我记录，与我的观察一致。",
    },
    Meaning.REVIEW: {
        "en": "I have reviewed these data.",
        "zh": "我已审阅这些数据。",
    },
    Meaning.APPROVAL: {
        "en": "I have reviewed these data and approve them as complete and correct.",
        "zh": "我已审阅这些数据，确认其完整、正确，予以批准。",
    },
    Meaning.RESPONSIBILITY: {
        "en": "I take responsibility for these data: to my knowledge they are complete, correct and of this subject.",
        "zh": "我对这些数据负责：据我所知，数据完整、正确，且属于该受试者。",
    },
}
"""What somebody says by signing."""


def signed_page(study_id: str, form: Form, page: Page, computed: Mapping[str, Any]) -> dict[str, Any]:
    """A page with its computed items as a signature holds it: the columns of `signed_page` but for the signature."""
    row = {
        "study_id": study_id,
        "record_id": page.record_id,
        "revision": page.revision,
        "form_version": page.form_version,
        "form_digest": form.digest,
        "items": _digested(study_id, form, page, page.answers),
        "computed": _digested(study_id, form, page, computed),
    }
    return row | {"digest": digest_of_page(row)}


def digest_of_page(row: Mapping[str, Any]) -> str:
    """The digest of a page from its row."""
    return digest({name: row[name] for name in _OF_PAGE})


def digest_of(said: Mapping[str, Any], pages: Sequence[Mapping[str, Any]]) -> str:
    """The digest of a signature, from its row and those of its pages."""
    return digest({name: said[name] for name in SAID} | {"pages": sorted(page["digest"] for page in pages)})


def answered(form: Form, answers: Mapping[str, Any]) -> Iterator[tuple[Which, Any]]:
    """Every answer of a page, or whatever is computed on it, with its item and row."""
    for each in difference(form, {}, answers):
        yield (each.item, each.row), each.after


def changed(signed: Mapping[str, Any], now: Mapping[str, Any] | None) -> list[Which]:
    """The items that are others than a page was signed with; all of them where the page counts no longer."""
    before, after = _digests(signed), _digests(now) if now else {}
    found = [which for which in {**before, **after} if before.get(which) != after.get(which)]
    return sorted(found, key=by_row)


def _digests(row: Mapping[str, Any]) -> dict[Which, str]:
    return {(each["item"], each["row"]): each["digest"] for each in row["items"]}


def _digested(study_id: str, form: Form, page: Page, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    of = {"study": study_id, "record": page.record_id}
    return [
        {"item": item, "row": row, "digest": digest(of | {"item": item, "row": row, "value": value})}
        for (item, row), value in answered(form, values)
    ]
