"""Who asks, and whether they may.

A route takes `work: Reading` or `work: Writing`; the use-case calls `require(work.actor, Permission.…, study_id,
site_id)` first and filters its lists by `sites(…)`. A token travels in the Authorization header and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app import models
from app.access.permissions import OWN, SIGNED_IN_ONLY, Permission, allows
from app.core.errors import Forbidden, NotFound
from app.core.language import Language
from app.models.access import TokenKind

PREFIX = "marrow_"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held in a study (`-` is the system), at one site or, with None, at all of them."""

    study_id: str
    role: str
    site_id: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, for the length of one request, with the roles that hold at its moment."""

    account_id: UUID | None
    username: str
    name: str
    source: str
    language: Language = "en"
    grants: tuple[Grant, ...] = ()
    token_id: UUID | None = None
    kind: str = TokenKind.SESSION
    scope: str | None = None
    expires_at: datetime | None = None

    @classmethod
    def from_row(cls, row: Mapping[Any, Any], *, speaks: Language = "en") -> "Actor":
        """From what `marrow_enter` returned."""
        return cls(
            account_id=row["account_id"],
            username=row["username"],
            name=row["name"],
            source=f"{row['kind']}:{row['token_id']}",
            language=speaks,
            grants=tuple(Grant(**grant) for grant in row["grants"]),
            token_id=row["token_id"],
            kind=row["kind"],
            scope=row["scope"],
            expires_at=row["expires_at"],
        )

    def holds(self, permission: Permission) -> bool:
        """Whether the credential can carry this permission at all, whatever the roles."""
        return self.kind == TokenKind.SESSION or permission not in SIGNED_IN_ONLY

    def reach(self, permission: Permission, study_id: str | None) -> frozenset[str | None]:
        """The sites where the roles allow this, None standing for all of them; empty when they do not.

        With `study_id` None: whether they allow it in any study, as {None} or empty.
        """
        if not self.holds(permission):
            return frozenset()
        if permission in OWN:
            return frozenset({None})
        return frozenset(
            None if study_id is None else grant.site_id
            for grant in self.grants
            if study_id is None or grant.study_id in {study_id, models.SYSTEM}
            if allows(grant.role, permission, at_one_site=grant.site_id is not None)
        )

    def present(self, study_id: str | None, site_id: str | None) -> bool:
        """Whether any role of this person, whatever it allows, reaches the study, and the site when one is given."""
        return study_id in {None, models.SYSTEM} or any(
            grant.study_id == models.SYSTEM
            or (grant.study_id == study_id and (site_id is None or grant.site_id in {None, site_id}))
            for grant in self.grants
        )


@dataclass(frozen=True, slots=True)
class SystemActor(Actor):
    """A command run on the server itself: whoever can run it holds the database already, so all is allowed."""

    account_id: UUID | None = None
    username: str = "-"
    name: str = "Marrow"
    source: str = "cli"

    def holds(self, permission: Permission) -> bool:  # noqa: ARG002 - holds every one
        """Every permission."""
        return True

    def reach(self, permission: Permission, study_id: str | None) -> frozenset[str | None]:  # noqa: ARG002 - everywhere
        """Everywhere."""
        return frozenset({None})

    def present(self, study_id: str | None, site_id: str | None) -> bool:  # noqa: ARG002 - everywhere
        """Everywhere."""
        return True


@dataclass(frozen=True, slots=True)
class Work:
    """What a use-case needs to act: the session whose transaction it is part of, and who acts."""

    session: Session
    actor: Actor


def absent(actor: Actor | None = None, permission: Permission | None = None, study_id: str | None = None) -> NotFound:
    """The answer for what is not there and for what this person may not know of: the same words, the same record.

    Given who asked and for what, it leaves a trace in the system's chain, as `require` does for what is foreign. A
    use-case that does not find an object raises this and nothing before it: to require the permission in the study
    first would answer 403 for what is missing and 404 for what is another site's, and so tell the two apart.
    """
    refused = NotFound("There is nothing here under this name, or nothing that you may see.")
    if actor is not None and permission is not None:
        refused.trace = _trace(actor, permission, study_id, None)
    return refused


def require(actor: Actor, permission: Permission, study_id: str | None, site_id: str | None = None) -> None:
    """Return if `actor` may do this there.

    `site_id` None means somewhere in the study: the use-case then narrows by `sites`. `study_id` is `models.SYSTEM`
    for what is no study's, and None for what any role in any study allows.

    Raises:
        NotFound: no role of theirs reaches the study, or the site.
        Forbidden: one does, and does not allow it.
    """
    reach = actor.reach(permission, study_id)
    if reach and (site_id is None or None in reach or site_id in reach):
        return
    if not actor.present(study_id, site_id):
        raise absent(actor, permission, study_id)
    if not actor.holds(permission):
        raise denied(actor, permission, study_id, site_id, "A token made for a program cannot do this. Sign in.")
    raise denied(actor, permission, study_id, site_id)


def denied(
    actor: Actor,
    permission: Permission,
    study_id: str | None = None,
    site_id: str | None = None,
    detail: str = "None of your roles here allows this. An administrator grants roles.",
) -> Forbidden:
    """The refusal of what is visible and not allowed, with its trace for the system's chain."""
    return Forbidden(detail, trace=_trace(actor, permission, study_id, site_id))


def sites(actor: Actor, study_id: str, permission: Permission) -> frozenset[str] | None:
    """The sites of a study where `actor` may do this, to filter a list by; None means every site."""
    reach = actor.reach(permission, study_id)
    return None if None in reach else frozenset(site for site in reach if site is not None)


def roles(actor: Actor, permission: Permission, study_id: str, site_id: str) -> str:
    """The roles by which `actor` may do this at a site, as they are told of an act; `system` for a command."""
    held = {
        grant.role
        for grant in actor.grants
        if grant.study_id in {study_id, models.SYSTEM} and grant.site_id in {None, site_id}
        if allows(grant.role, permission, at_one_site=grant.site_id is not None)
    }
    return ", ".join(sorted(held)) or "system"


def studies(actor: Actor, permission: Permission) -> frozenset[str] | None:
    """The studies where `actor` may do this at some site, to filter a list by; None means every study."""
    if actor.reach(permission, models.SYSTEM):
        return None
    return frozenset(grant.study_id for grant in actor.grants if actor.reach(permission, grant.study_id))


def _trace(actor: Actor, permission: Permission, study_id: str | None, site_id: str | None) -> dict[str, Any]:
    return {
        "action": "access.denied",
        "actor_id": actor.account_id,
        "actor": actor.name,
        "source": actor.source,
        "permission": str(permission),
        "study": study_id,
        "site": site_id,
    }


def token_hash(token: str) -> bytes:
    """What is stored of a token: SHA-256, which 256 random bits need no salt for."""
    return sha256(token.encode()).digest()
