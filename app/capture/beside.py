"""Computed items of a closed or signed page that have come out differently since: the new value beside the old one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from app.capture.before import Before, Values
from app.derivations.readings import Reading
from app.forms.answers import difference, fingerprint
from app.models.capture import Severity
from app.quality.findings import Observation
from app.subjects.locked import strictest

CHANGED = "computed-changed"
"""The rule of the finding."""


def closed_with(before: Before, subject: Mapping[str, Any], pages: Iterable[Reading]) -> Iterator[tuple[UUID, Values]]:
    """What pages were closed or signed with, where it has come out differently since, or does now.

    It is told no longer once the page was saved, or signed, after that.
    """
    for each in pages:
        page, made = each.page, before.computed.get(each.page.record_id)
        if made is None:
            continue
        signed = before.signed.get(page.record_id)
        signed_since = signed is not None and made.at is not None and signed.at > made.at
        differs = made.beside not in (None, made.values) and made.revision == page.revision
        if made.beside is not None and differs and not signed_since:
            yield page.record_id, made.beside
        elif before.differs(each):
            closed = strictest(subject.get("locks", ()), page.place) is not None
            if closed or (signed is not None and signed.stands):
                yield page.record_id, made.values


def changed(each: Reading, then: Values | None) -> Iterator[Observation]:
    """The computed items that are others than people closed or signed the page with."""
    for found in difference(each.form, then, each.judged.computed) if then is not None else ():
        told = fingerprint(str(found.before), str(found.after))
        yield Observation(each.page.record_id, found.item, found.row, CHANGED, {}, Severity.NOTE.value, told)
