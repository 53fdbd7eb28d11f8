"""A data cut: what a study held when somebody stopped the clock, as an object that can be handed out again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Annotated, Any, Self

from pydantic import StringConstraints
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import models
from app.access.actor import Actor, absent, require, sites
from app.access.permissions import Permission
from app.audit import change
from app.core.clock import now
from app.core.errors import Conflict, NotFound
from app.core.page import page, sorting
from app.core.problems import taken
from app.core.transaction import Database, see
from app.core.words import Reason
from app.exchange.archive import Written
from app.exchange.export import contents, position
from app.study.library import newest

RELEASE = version("marrow")

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""What a cut may be called: it stands in addresses and names files."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A row of `cut` with who made it and why.

    What it holds is said by `seq`, its place in the chain. `at` is the clock when its snapshot had begun: what was
    committed in between is earlier than `at` and not in the cut.
    """

    study_id: str
    name: str
    seq: int
    hash: bytes
    cutoff: str | None
    sites: list[str] | None
    versions: Mapping[str, int]
    files: list[dict[str, Any]]
    bytes: int
    sha256: str
    release: str
    at: datetime
    by: str
    reason: str | None

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Self:
        """From a row of the statement below."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})

    @property
    def day(self) -> date | None:
        """The cut-off date of its endpoints."""
        return date.fromisoformat(self.cutoff) if self.cutoff else None

    def within(self, seen: frozenset[str] | None) -> frozenset[str] | None:
        """The sites of the cut that are in sight, None for every site there is."""
        return seen if self.sites is None else frozenset(self.sites) & (seen if seen is not None else set(self.sites))

    def whole(self, seen: frozenset[str] | None) -> bool:
        """Whether somebody who sees these sites sees all of the cut."""
        return seen is None or (self.sites is not None and seen >= set(self.sites))

    def told(self, seen: frozenset[str] | None) -> dict[str, Any]:
        """The cut as answers show it; how many rows it has is for those who see all of it."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)}
        versions = {site: number for site, number in self.versions.items() if seen is None or site in seen}
        hidden = {} if self.whole(seen) else {"files": None, "bytes": None, "sites": sorted(self.within(seen) or ())}
        return shown | {"hash": self.hash.hex(), "versions": versions} | hidden


def create(
    database: Database,
    actor: Actor,
    study_id: str,
    name: str,
    *,
    reason: str,
    cutoff: date | None = None,
    within: frozenset[str] | None = None,
) -> Cut:
    """Cut a study here and now: the sites `within`, all by default, endpoints as known on the day `cutoff`.

    The archive is made once, from one unchanging snapshot, and not kept: its position, counts and digest are.
    Raises NotFound, Forbidden, Unreadable, and Conflict when there is a cut of this name.
    """
    told = list[Written]()
    with database.reading() as session:
        see(session, study_id)
        require(actor, Permission.CUT_CREATE, study_id)
        name, reason = taken(Name, name, "name"), taken(Reason, reason, "reason")
        zone = newest(session, study_id).study.zone
        versions = _in_force(session, study_id, within)
        _require_free(session, study_id, name)
        at, head = now(), position(session, study_id)
        digest, size = sha256(), 0
        for part in contents(session, study_id, within, cutoff=cutoff, told=told):
            digest.update(part)
            size += len(part)
    with database.writing() as session:
        see(session, study_id)
        _require_free(session, study_id, name)
        with change(session, study_id, by=actor, action="cut.create", reason=reason, zone=zone) as made:
            made.detail |= {"cut": name, "position": head["seq"]}
            row = {
                "study_id": study_id,
                "name": name,
                "seq": head["seq"],
                "hash": bytes.fromhex(head["hash"]),
                "cutoff": cutoff.isoformat() if cutoff else None,
                "sites": sorted(within) if within is not None else None,
                "versions": versions,
                "files": [
                    {"name": each.name, "rows": each.rows, "bytes": each.bytes, "sha256": each.sha256} for each in told
                ],
                "bytes": size,
                "sha256": digest.hexdigest(),
                "release": RELEASE,
                "at": at,
                "change_id": made.change_id,
            }
            made.insert(models.cut, row)
    return Cut.of(row | {"by": actor.name, "reason": reason})


def _in_force(session: Session, study_id: str, within: frozenset[str] | None) -> dict[str, int]:
    """The study version in force at each site; raises NotFound for a site that the study does not have."""
    site = models.site
    statement = select(site.c.site_id, site.c.version).where(site.c.study_id == study_id).order_by(site.c.site_id)
    found = {key: number for key, number in session.execute(statement) if within is None or key in within}
    if within is not None and within - set(found):
        raise NotFound("There is no such site in the study")
    return found


def _require_free(session: Session, study_id: str, name: str) -> None:
    if _found(session, study_id, name) is not None:
        raise Conflict("There is a cut of this name already; a cut never changes, so give another name")


def _statement(study_id: str) -> Select[Any]:
    cut, act = models.cut, models.change
    return (
        select(cut, act.c.actor.label("by"), act.c.reason)
        .join_from(cut, act, (act.c.study_id == cut.c.study_id) & (act.c.change_id == cut.c.change_id))
        .where(cut.c.study_id == study_id)
    )


def _found(session: Session, study_id: str, name: str) -> Cut | None:
    row = session.execute(_statement(study_id).where(models.cut.c.name == name)).mappings().one_or_none()
    return None if row is None else Cut.of(row)


def find(session: Session, actor: Actor, study_id: str, name: str, permission: Permission = Permission.CUT_READ) -> Cut:
    """A cut by its name. Raises NotFound and Forbidden."""
    require(actor, permission, study_id)
    cut = _found(session, study_id, name)
    if cut is None:
        raise absent(actor, permission, study_id)
    return cut


def cuts(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of a study's cuts and the cursor of the next."""
    require(actor, Permission.CUT_READ, study_id)
    seen = sites(actor, study_id, Permission.CUT_READ)
    table = models.cut
    order = sorting(sort, {"name": table.c.name, "at": table.c.at}, default="at", unique=(table.c.name,))
    rows, following = page(session, _statement(study_id), order, cursor=cursor, limit=limit, scope=(study_id,))
    return [Cut.of(row).told(seen) for row in rows], following
