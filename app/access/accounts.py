"""Accounts: opened by invitation, closed by deactivation, never deleted."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app import models
from app.access import attempts, passwords, tokens, usernames
from app.access.actor import Actor, SystemActor, absent, denied, require, token_hash
from app.access.login import Account, of_name
from app.access.permissions import Permission, Role
from app.audit import By, change
from app.core import clock
from app.core.canonical import plain
from app.core.errors import Conflict, Fault, NotFound, Unreadable
from app.core.page import page, sorting
from app.core.problems import taken
from app.core.transaction import see, see_all
from app.core.words import Line
from app.models.access import AccountStatus, TokenKind

_account, _token, _grant = models.account, models.session_token, models.role_grant


def create_first_administrator(
    session: Session, username: str, name: str, password: str, *, by: By | None = None
) -> Account:
    """Open the account that all others come from. For the command line: whoever can run it holds the server.

    Raises:
        Conflict: there is an administrator who can sign in or has been invited to.
        Unreadable: the user name, the name or the password is not taken.
    """
    by = by or SystemActor()
    see_all(session)
    session.execute(select(models.chain).where(models.chain.c.study_id == models.SYSTEM).with_for_update())
    now = clock.now()
    existing = session.execute(
        select(func.count())
        .select_from(_grant.join(_account, _account.c.account_id == _grant.c.account_id))
        .where(
            _grant.c.study_id == models.SYSTEM,
            _grant.c.role == Role.ADMINISTRATOR.value,
            or_(_grant.c.valid_to.is_(None), _grant.c.valid_to > now),
            _account.c.status != AccountStatus.DEACTIVATED.value,
        )
    ).scalar_one()
    if existing:
        raise Conflict("There is an administrator already, who can invite others.")
    made = _open(session, by, username, name, password)
    granted = {
        "study_id": models.SYSTEM,
        "grant_id": uuid4(),
        "account_id": made["account_id"],
        "role": Role.ADMINISTRATOR.value,
        "site_id": None,
        "valid_from": now,
        "valid_to": None,
        "reason": "The first administrator",
        "granted_by": None,
    }
    with change(session, models.SYSTEM, by=by, action="grant.give", reason="The first administrator") as done:
        done.record_id = attempts.key(made["folded"])
        done.insert(_grant, granted)
    return made


def open_account(session: Session, actor: Actor, username: str, name: str, password: str) -> Account:
    """Open an active account with a password that its owner knows already. For the command line.

    `session` sees the system's chain (`see_all`). Raises Conflict or Unreadable.
    """
    require(actor, Permission.ACCOUNT_MANAGE, models.SYSTEM)
    return _open(session, actor, username, name, password)


def _open(session: Session, by: By, username: str, name: str, password: str | None) -> Account:
    folded, name = usernames.folded(username), taken(Line, name, "name")
    if not usernames.well_formed(username):
        fault = Fault("/username", "not-a-user-name", "This cannot be a user name.", usernames.SHAPE)
        raise Unreadable("The user name is not taken.", errors=[fault])
    if password is not None and (problems := passwords.faults(password, folded)):
        raise Unreadable("The password is not taken.", errors=problems)
    row = {
        "account_id": uuid4(),
        "username": usernames.shown(username),
        "folded": folded,
        "name": name,
        "password": None if password is None else passwords.hashed(password),
        "status": (AccountStatus.INVITED if password is None else AccountStatus.ACTIVE).value,
        "failures": 0,
        "locked_until": None,
        "created_at": clock.now(),
    }
    action = "account.invite" if password is None else "account.create"
    if of_name(session, folded) is not None:
        raise Conflict("There is an account of this user name already.")
    with change(session, models.SYSTEM, by=by, action=action) as done:
        done.record_id = attempts.key(folded)
        done.insert(_account, row)
    return row


def invite(session: Session, actor: Actor, username: str, name: str) -> tuple[Account, tokens.Issued]:
    """Open an account whose owner is to choose a password, once, with the token returned.

    Raises Conflict when the name is taken, Unreadable when it cannot be one.
    """
    require(actor, Permission.ACCOUNT_MANAGE, models.SYSTEM)
    account = _open(session, actor, username, name, None)
    return account, tokens.issue(session, account["account_id"], TokenKind.INVITATION, lasts=tokens.INVITATION)


def reset(session: Session, actor: Actor, username: str, reason: str) -> tuple[Account, tokens.Issued]:
    """A new one-time token to set a password with; tokens issued for this before end. Also renews an invitation.

    The password in use and the sessions opened with it hold until the token is used. Also ends a lock-out.
    """
    account = _found(session, actor, username)
    if account["status"] == AccountStatus.DEACTIVATED:
        raise Conflict("The account is deactivated. Reactivate it first.")
    kind = TokenKind.INVITATION if account["status"] == AccountStatus.INVITED else TokenKind.RESET
    tokens.end_all(session, account["account_id"], kinds=(TokenKind.INVITATION.value, TokenKind.RESET.value))
    lasts = tokens.INVITATION if kind is TokenKind.INVITATION else tokens.RESET
    made = tokens.issue(session, account["account_id"], kind, lasts=lasts)
    detail = plain({"token_id": made.token_id, "expires_at": made.expires_at})
    with change(session, models.SYSTEM, by=actor, action="account.reset", reason=reason, detail=detail) as done:
        done.record_id = attempts.key(account["folded"])
        after = done.update(_account, account, failures=0, locked_until=None)
    return after, made


def accept(session: Session, token: str, password: str, kind: TokenKind) -> Account:
    """Set the password that an invitation or a reset token is for. Every token of the account ends, this one too.

    Raises:
        NotFound: no such token, or used, or expired, or of a deactivated account.
        Unreadable: the password is not taken; the token holds still.
    """
    see(session, models.SYSTEM)
    now = clock.now()
    folded = session.execute(
        select(_account.c.folded)
        .join(_token, _token.c.account_id == _account.c.account_id)
        .where(_token.c.token_hash == token_hash(token), _token.c.kind == kind.value)
    ).scalar_one_or_none()
    account = of_name(session, folded) if folded is not None else None
    held = session.execute(
        select(_token).where(
            _token.c.token_hash == token_hash(token), _token.c.ended_at.is_(None), _token.c.expires_at > now
        )
    ).mappings()
    given = held.first()
    if account is None or given is None or account["status"] == AccountStatus.DEACTIVATED:
        raise NotFound("This token is not valid, or has been used, or has expired. Ask an administrator for a new one.")
    if problems := passwords.faults(password, account["folded"]):
        raise Unreadable("The password is not taken.", errors=problems)
    source = f"{kind}:{given['token_id']}"
    owner = Actor(account["account_id"], account["username"], account["name"], source)
    ended = tokens.end_all(session, account["account_id"])
    with change(session, models.SYSTEM, by=owner, action="account.password", detail={"ended": ended}) as done:
        done.record_id = attempts.key(account["folded"])
        return done.update(
            _account,
            account,
            password=passwords.hashed(password),
            status=AccountStatus.ACTIVE.value,
            failures=0,
            locked_until=None,
        )


def deactivate(session: Session, actor: Actor, username: str, reason: str) -> Account:
    """Close an account: every session and token of it ends at once. Not one's own, so that somebody can undo it."""
    account = _found(session, actor, username)
    if account["account_id"] == actor.account_id:
        raise denied(actor, Permission.ACCOUNT_MANAGE, detail="Nobody deactivates their own account.")
    if account["status"] == AccountStatus.DEACTIVATED:
        raise Conflict("The account is deactivated already.")
    ended = tokens.end_all(session, account["account_id"])
    status = AccountStatus.DEACTIVATED
    return _moved(session, actor, account, status, action="account.deactivate", reason=reason, ended=ended)


def reactivate(session: Session, actor: Actor, username: str, reason: str) -> Account:
    """Open a deactivated account again, with the password it had; one that never had any is invited again."""
    account = _found(session, actor, username)
    if account["status"] != AccountStatus.DEACTIVATED:
        raise Conflict("The account is not deactivated.")
    status = AccountStatus.INVITED if account["password"] is None else AccountStatus.ACTIVE
    return _moved(session, actor, account, status, action="account.reactivate", reason=reason)


def _moved(
    session: Session, actor: Actor, account: Account, status: AccountStatus, *, action: str, reason: str, ended: int = 0
) -> Account:
    detail = {"ended": ended}
    with change(session, models.SYSTEM, by=actor, action=action, reason=reason, detail=detail) as done:
        done.record_id = attempts.key(account["folded"])
        return done.update(_account, account, status=status.value)


def listing(
    session: Session, actor: Actor, *, cursor: str | None, limit: int
) -> tuple[list[Mapping[str, Any]], str | None]:
    """A page of all accounts by user name."""
    require(actor, Permission.ACCOUNT_MANAGE, models.SYSTEM)
    names = ("account_id", "username", "name", "status", "failures", "locked_until", "created_at")
    order = sorting(None, {"username": _account.c.folded}, default="username", unique=[_account.c.folded])
    return page(session, select(*(_account.c[name] for name in names)), order, cursor=cursor, limit=limit)


def _found(session: Session, actor: Actor, username: str) -> Account:
    require(actor, Permission.ACCOUNT_MANAGE, models.SYSTEM)
    account = of_name(session, usernames.folded(username))
    if account is None:
        raise absent()
    return account
