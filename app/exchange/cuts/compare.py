"""Two cuts of a study beside each other: which values differ, which endpoints, and which changes did it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, sites
from app.access.permissions import Permission
from app.audit.past import turn_back
from app.capture.read import computed
from app.core.page import page, sorting
from app.core.transaction import Database, see
from app.derivations.derive import casebooks
from app.exchange.cuts.cut import Cut, find
from app.exchange.cuts.why import Frame, Stood, differing
from app.forms.answers import difference
from app.models.capture import RecordStatus
from app.study.library import form_of
from app.subjects.address import written
from app.subjects.facts import Page, Place


@dataclass(frozen=True, slots=True)
class _Side:
    """What one cut holds of some subjects, and the computed items of their pages."""

    cut: Cut
    stood: Mapping[str, Stood]
    computed: Mapping[UUID, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Trail:
    """What was done to some subjects between two cuts, in order; and which changes computed an item of a page."""

    changes: Sequence[Mapping[str, Any]]
    computing: Mapping[UUID, Sequence[int]]

    def of(self, record_id: UUID, item: str | None = None) -> list[int]:
        """The changes of a page, or those that name an item of it or none at all."""
        return [
            change["seq"]
            for change in self.changes
            if change["record_id"] == record_id and (item is None or item in change["detail"].get("items", (item,)))
        ]


def compare(
    database: Database, actor: Actor, study_id: str, one: str, other: str, *, cursor: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """What differs between two cuts, the earlier first, subject by subject; values only where they may be read.

    At most `limit` subjects are looked at, and the cursor leads to the next. Raises NotFound and Forbidden.
    """
    with database.reading() as session:
        see(session, study_id)
        cuts = (find(session, actor, study_id, name) for name in (one, other))
        before, after = sorted(cuts, key=lambda cut: (cut.seq, cut.at, cut.name))
        seen = sites(actor, study_id, Permission.CUT_READ)
        numbers, following = _touched(session, before, after, seen, cursor, limit)
    sides = _side(database, before, seen, numbers), _side(database, after, seen, numbers)
    with database.reading() as session:
        see(session, study_id)
        trail = _trail(session, before, after, numbers)
        told = (_subject(session, actor, sides, trail, number) for number in numbers)
        subjects = [each for each in told if each is not None]
    return {
        "before": before.told(seen),
        "after": after.told(seen),
        "files": list(_files(before, after)) if before.whole(seen) and after.whole(seen) else None,
        "items": subjects,
        "next_cursor": following,
    }


def _touched(
    session: Session, before: Cut, after: Cut, seen: frozenset[str] | None, cursor: str | None, limit: int
) -> tuple[list[str], str | None]:
    """The subjects that can differ: those with changes in between, or all where the cuts themselves differ."""
    table = models.change
    statement = select(table.c.subject_id).where(
        table.c.study_id == after.study_id, table.c.subject_id.is_not(None), table.c.seq <= after.seq
    )
    if (before.cutoff, before.sites, before.versions) == (after.cutoff, after.sites, after.versions):
        statement = statement.where(table.c.seq > before.seq)
    if seen is not None:
        statement = statement.where(table.c.site_id.in_(seen))
    order = sorting(None, {"subject": table.c.subject_id}, default="subject", unique=())
    scope = (after.study_id, before.name, after.name)
    rows, following = page(session, statement.distinct(), order, cursor=cursor, limit=limit, scope=scope)
    return [row["subject_id"] for row in rows], following


def _side(database: Database, cut: Cut, seen: frozenset[str] | None, numbers: Sequence[str]) -> _Side:
    with database.supposing() as session:
        turn_back(session, cut.study_id, cut.seq, subjects=numbers)
        found = {
            subject["subject_id"]: Stood(subject, pages, cut.day)
            for subject, pages in casebooks(session, cut.study_id, within=cut.within(seen))
        }
        records = [page.record_id for stood in found.values() for page in stood.pages.values()]
        made = computed(session, cut.study_id, records)
        return _Side(cut, found, {record_id: each.items for record_id, each in made.items()})


def _trail(session: Session, before: Cut, after: Cut, numbers: Sequence[str]) -> _Trail:
    table, values = models.change, models.computed
    between = (table.c.study_id == after.study_id, table.c.seq > before.seq, table.c.seq <= after.seq)
    told = (table.c.seq, table.c.at, table.c.actor, table.c.action, table.c.reason)
    about = (table.c.subject_id, table.c.record_id, table.c.site_id, table.c.detail)
    statement = select(*told, *about).where(*between, table.c.subject_id.in_(numbers)).order_by(table.c.seq)
    computing: dict[UUID, list[int]] = {}
    for record_id, seq in session.execute(
        select(values.c.record_id, table.c.seq)
        .join_from(table, values, (values.c.study_id == table.c.study_id) & (values.c.change_id == table.c.change_id))
        .where(*between, table.c.subject_id.in_(numbers))
        .order_by(table.c.seq)
    ):
        computing.setdefault(record_id, []).append(seq)
    return _Trail([dict(row) for row in session.execute(statement).mappings()], computing)


def _files(before: Cut, after: Cut) -> Iterator[dict[str, Any]]:
    old, new = ({each["name"]: each for each in cut.files} for cut in (before, after))
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one != other:
            yield {"name": name, "before": one and one["rows"], "after": other and other["rows"]}


def _subject(
    session: Session, actor: Actor, sides: tuple[_Side, _Side], trail: _Trail, number: str
) -> dict[str, Any] | None:
    """What differs of one subject, None if nothing does."""
    old, new = (side.stood.get(number) for side in sides)
    there = new or old
    if there is None:
        return None
    site = there.subject["site_id"]
    reach = actor.reach(Permission.EXPORT_CLINICAL, there.subject["study_id"])
    shown = bool({None, site} & reach)
    own = [change for change in trail.changes if change["subject_id"] == number]
    found: dict[str, Any] = {"values": [], "endpoints": []}
    if old is not None and new is not None:
        found["values"] = list(_values(session, old, new, sides, trail, shown=shown))
        found["endpoints"] = list(_endpoints(session, old, new, trail))
        if not any(found.values()) and old.subject["site_id"] == site:
            return None
    return {
        "subject": number,
        "site": {"before": old and old.subject["site_id"], "after": new and new.subject["site_id"]},
        "study_version": {"before": old and old.subject["version"], "after": new and new.subject["version"]},
        "values_shown": shown,
        **found,
        "changes": [_told(change, shown=shown) for change in own],
    }


def _told(change: Mapping[str, Any], *, shown: bool) -> dict[str, Any]:
    """A change for those who ask why; a reason is free text, for those who may read values."""
    detail, there = change["detail"], "form" in change["detail"]
    return {
        "seq": change["seq"],
        "at": change["at"],
        "by": change["actor"],
        "action": change["action"],
        "reason": change["reason"] if shown else None,
        "visit": written(detail["visit"], detail["visit_repeat"]) if there else None,
        "form": written(detail["form"], detail["repeat"]) if there else None,
    }


def _values(
    session: Session, old: Stood, new: Stood, sides: tuple[_Side, _Side], trail: _Trail, *, shown: bool
) -> Iterator[dict[str, Any]]:
    """Item by item what the pages that count do not share; then their computed items."""
    for place in sorted(old.pages.keys() | new.pages.keys()):
        pages = old.pages.get(place), new.pages.get(place)
        page_ = pages[1] or pages[0]
        if page_ is None:
            continue
        form = form_of(session, place.form, page_.form_version)
        of = {"visit": written(place.visit, place.visit_repeat), "form": written(place.form, place.repeat)}
        held = [_counted(each, each.answers if each else {}) for each in pages]
        made = [_counted(each, side.computed.get(page_.record_id, {})) for each, side in zip(pages, sides, strict=True)]
        for which, (before, after) in ((False, held), (True, made)):
            for each in difference(form, before, after):
                value = {"before": each.before, "after": each.after} if shown else {}
                by = trail.computing.get(page_.record_id, ()) if which else trail.of(page_.record_id, each.item)
                seqs = list(by) or trail.of(page_.record_id)
                yield of | {"item": each.item, "row": each.row, "computed": which, **value, "changes": seqs}


def _counted(page_: Page | None, values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {} if page_ is None or page_.status == RecordStatus.VOID else values


def _endpoints(session: Session, old: Stood, new: Stood, trail: _Trail) -> Iterator[dict[str, Any]]:
    for code, variant, before, after, causes in differing(session, old, new):
        pages = (
            stood.pages[cause]
            for cause in causes
            if isinstance(cause, Place)
            for stood in (old, new)
            if cause in stood.pages
        )
        yield {
            "endpoint": code,
            "variant": variant,
            "before": before,
            "after": after,
            "changes": sorted({seq for page_ in pages for seq in trail.of(page_.record_id)}),
            **{frame.value: frame in causes for frame in Frame},
        }
