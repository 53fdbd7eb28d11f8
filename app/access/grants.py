"""Who holds which role where: given by somebody else, from a day, until one, for a reason; ended, never deleted."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import models
from app.access import attempts, usernames
from app.access.actor import Actor, absent, denied, require
from app.access.login import of_name
from app.access.permissions import SYSTEM_ROLES, Permission, Role, allows
from app.audit import change
from app.core import clock
from app.core.errors import Conflict, Fault, Unreadable
from app.core.page import page, sorting
from app.models.access import AccountStatus

_grant, _account = models.role_grant, models.account


def give(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    username: str,
    role: Role,
    reason: str,
    site_id: str | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Mapping[str, Any]:
    """Grant a role in a study, at one site or (None) at all; `models.SYSTEM` for administrators and builders.

    Raises:
        NotFound: no such study.
        Forbidden: to oneself.
        Unreadable: no such account or site, a role that does not belong there, a time that is past or turned round.
        Conflict: this person holds it already, or the account is deactivated.
    """
    require(actor, Permission.GRANT_MANAGE, study_id)
    zone = _zone(session, actor, study_id)
    now = clock.now()
    account = of_name(session, usernames.folded(username))
    if account is not None and account["account_id"] == actor.account_id:
        detail = "Nobody grants a role to themselves. Ask another administrator."
        raise denied(actor, Permission.GRANT_MANAGE, study_id, detail=detail)
    row: dict[str, Any] = {
        "study_id": study_id,
        "grant_id": uuid4(),
        "account_id": None if account is None else account["account_id"],
        "role": role.value,
        "site_id": site_id,
        "valid_from": valid_from or now,
        "valid_to": valid_to,
        "reason": reason,
        "granted_by": actor.account_id,
    }
    problems = _faults(session, row, now)
    if problems or account is None:
        raise Unreadable("The role cannot be granted like this.", errors=problems)
    if account["status"] == AccountStatus.DEACTIVATED:
        raise Conflict("The account is deactivated. Reactivate it first.")
    if _overlaps(session, row):
        raise Conflict("This person holds the role there already, at some of that time.")
    with change(session, study_id, by=actor, action="grant.give", reason=reason, zone=zone) as done:
        done.site_id = site_id
        done.record_id = attempts.key(account["folded"]) if study_id == models.SYSTEM else None
        done.insert(_grant, row)
    return row | {"username": account["username"], "name": account["name"]}


def end(session: Session, actor: Actor, study_id: str, grant_id: UUID, reason: str) -> Mapping[str, Any]:
    """End a grant now; the next request of its holder goes without it. One that has not begun never will.

    Raises:
        NotFound: no such grant in this study.
        Forbidden: one's own.
        Conflict: it has ended.
    """
    require(actor, Permission.GRANT_MANAGE, study_id)
    zone = _zone(session, actor, study_id)
    found = session.execute(
        select(_grant).where(_grant.c.study_id == study_id, _grant.c.grant_id == grant_id).with_for_update()
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise absent()
    if row["account_id"] == actor.account_id:
        detail = "Nobody ends a role of their own. Ask another administrator."
        raise denied(actor, Permission.GRANT_MANAGE, study_id, detail=detail)
    now = clock.now()
    if row["valid_to"] is not None and row["valid_to"] <= max(now, row["valid_from"]):
        raise Conflict("The grant has ended already.")
    with change(session, study_id, by=actor, action="grant.end", reason=reason, zone=zone) as done:
        done.site_id = row["site_id"]
        after = done.update(_grant, dict(row), valid_to=max(now, row["valid_from"]))
    return after | _names(session, row["account_id"])


def listing(
    session: Session, actor: Actor, study_id: str, *, cursor: str | None, limit: int
) -> tuple[list[Mapping[str, Any]], str | None]:
    """A page of a study's grants, those that have ended too, in the order they began."""
    require(actor, Permission.GRANT_READ, study_id)
    _zone(session, actor, study_id)
    statement = (
        select(_grant, _account.c.username, _account.c.name)
        .join(_account, _account.c.account_id == _grant.c.account_id)
        .where(_grant.c.study_id == study_id)
    )
    order = sorting(None, {"from": _grant.c.valid_from}, default="from", unique=[_grant.c.grant_id])
    return page(session, statement, order, cursor=cursor, limit=limit, scope=[study_id])


def holders(
    session: Session, study_id: str, site_id: str, permissions: AbstractSet[Permission]
) -> list[dict[str, Any]]:
    """Who may do one of these things at a site now: key, user name and name, with the roles that allow it."""
    now = clock.now()
    rows = session.execute(
        select(_account.c.account_id, _account.c.username, _account.c.name, _grant.c.role, _grant.c.site_id)
        .join(_grant, _grant.c.account_id == _account.c.account_id)
        .where(
            _grant.c.study_id == study_id,
            or_(_grant.c.site_id.is_(None), _grant.c.site_id == site_id),
            _grant.c.valid_from <= now,
            or_(_grant.c.valid_to.is_(None), _grant.c.valid_to > now),
            _account.c.status == AccountStatus.ACTIVE.value,
        )
        .order_by(_account.c.folded, _grant.c.role)
    )
    found: dict[UUID, dict[str, Any]] = {}
    for account_id, username, name, role, at in rows:
        if any(allows(role, permission, at_one_site=at is not None) for permission in permissions):
            person = {"account_id": account_id, "username": username, "name": name, "roles": []}
            held = found.setdefault(account_id, person)["roles"]
            if role not in held:
                held.append(role)
    return list(found.values())


def _zone(session: Session, actor: Actor, study_id: str) -> str:
    """The study's time zone; NotFound when there is no such study."""
    if study_id == models.SYSTEM:
        return "UTC"
    zone = session.execute(select(models.study.c.zone).where(models.study.c.study_id == study_id)).scalar_one_or_none()
    if zone is None:
        raise absent(actor, Permission.GRANT_READ, study_id)
    return str(zone)


def _faults(session: Session, row: Mapping[str, Any], now: datetime) -> list[Fault]:
    study_id, starts, ends = row["study_id"], row["valid_from"], row["valid_to"]
    problems = []
    if row["account_id"] is None:
        message = "There is no account of this name."
        problems.append(Fault("/username", "unknown-account", message, "Invite them first."))
    if (study_id == models.SYSTEM) != (row["role"] in SYSTEM_ROLES):
        message = "This role is not granted here."
        remedy = "Administrators and builders are granted in the study '-', all other roles in a study."
        problems.append(Fault("/role", "elsewhere", message, remedy))
    if row["site_id"] is not None and not _site_exists(session, study_id, row["site_id"]):
        message = "The study has no site of this name."
        problems.append(Fault("/site", "unknown-site", message, "Leave it out for all sites."))
    if starts < now:
        message = "A role is not granted for the past."
        problems.append(Fault("/valid_from", "past", message, "Leave it out to begin now."))
    if ends is not None and ends <= starts:
        message = "The end is not after the beginning."
        problems.append(Fault("/valid_to", "before-start", message, "Give a later moment."))
    return problems


def _site_exists(session: Session, study_id: str, site_id: str) -> bool:
    site = models.site
    found = session.execute(select(site.c.site_id).where(site.c.study_id == study_id, site.c.site_id == site_id))
    return found.first() is not None


def _overlaps(session: Session, row: Mapping[str, Any]) -> bool:
    """Whether the same role is held at some of that time; the account is locked, so nobody is adding it meanwhile."""
    statement = select(_grant.c.grant_id).where(
        *(_grant.c[name] == row[name] for name in ("study_id", "account_id", "role")),
        _grant.c.site_id.is_not_distinct_from(row["site_id"]),
        or_(_grant.c.valid_to.is_(None), _grant.c.valid_to > row["valid_from"]),
    )
    if row["valid_to"] is not None:
        statement = statement.where(_grant.c.valid_from < row["valid_to"])
    return session.execute(statement).first() is not None


def _names(session: Session, account_id: UUID) -> dict[str, str]:
    found = session.execute(
        select(_account.c.username, _account.c.name).where(_account.c.account_id == account_id)
    ).one()
    return {"username": found.username, "name": found.name}
