"""Proving who one is by a password. A failure is recorded for good, and then refused.

A wrong password, a name that nobody has and a deactivated account are answered in the same words after the same
work. Attempts on one name take turns, so that a burst of guesses cannot outrun the count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import models
from app.access import attempts, passwords, tokens
from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.access.usernames import folded
from app.audit import By, System, change
from app.core import clock
from app.core.canonical import plain
from app.core.errors import Fault, Refusal, TooMany, Unauthenticated, Unreadable
from app.core.transaction import Database, see
from app.models.access import AccountStatus, TokenKind

FAILED, FAILED_AGAIN = "login.failed", "signature.failed"
_FAILURES = frozenset({FAILED, FAILED_AGAIN})
_NOBODY = System(source="http", name="not signed in")
_account, _change = models.account, models.change
T = TypeVar("T")
Account = Mapping[str, Any]


class Reauthenticate(Unauthenticated):
    """A signature without the password of whoever signs, or with a wrong one. The session goes on."""

    code, title = "reauth-required", "Prove once more who you are"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is recorded when a password is not right: as what, by whom, for what."""

    action: str
    by: By
    detail: Mapping[str, Any] = field(default_factory=dict)


_SIGNING_IN = Attempt(FAILED, _NOBODY)


def login(database: Database, username: str, password: str, *, label: str, lasts: timedelta) -> tokens.Issued:
    """Open a session for whoever knows this password.

    Raises:
        Unauthenticated: not the password of an active account of that name. Recorded.
        TooMany: the name is refused for a while, whatever the password; `Retry-After` says how long.
    """

    def opened(session: Session, account: Account) -> tokens.Issued:
        made = tokens.issue(session, account["account_id"], TokenKind.SESSION, lasts=lasts, label=label)
        by = Actor(account["account_id"], account["username"], account["name"], f"session:{made.token_id}")
        detail = plain({"token_id": made.token_id, "expires_at": made.expires_at})
        with change(session, models.SYSTEM, by=by, action="login", detail=detail) as done:
            done.record_id = attempts.key(account["folded"])
            values: dict[str, Any] = {}
            if account["failures"] or account["locked_until"]:
                values |= {"failures": 0, "locked_until": None}
            if passwords.outdated(account["password"]):
                values["password"] = passwords.hashed(password)
            if values:
                done.update(_account, account, **values)
        return made

    refusal = Unauthenticated("The user name or the password is not right.", headers={"WWW-Authenticate": "Bearer"})
    return proving(database, username, password, opened, refusal=refusal)


def logout(session: Session, actor: Actor) -> None:
    """End the session in use."""
    assert actor.token_id is not None  # noqa: S101 - whoever signed in has one
    tokens.end(session, actor, actor.token_id, action="logout")


def change_password(database: Database, actor: Actor, old: str, new: str) -> None:
    """Replace one's own password. Every other session and token of the account ends.

    Raises:
        Unreadable: the old password is not right (recorded, and counted like a failed login), or the new one is
            not taken.
    """
    require(actor, Permission.OWN_PASSWORD, None)

    def replaced(session: Session, account: Account) -> None:
        problems = passwords.faults(new, account["folded"], "/new_password")
        if not problems and passwords.normal(new) == passwords.normal(old):
            problems = [Fault("/new_password", "unchanged", "This is the password you have.", "Choose another one.")]
        if problems:
            raise Unreadable("The new password is not taken.", errors=problems)
        ended = tokens.end_all(session, account["account_id"], keep=actor.token_id)
        with change(session, models.SYSTEM, by=actor, action="account.password", detail={"ended": ended}) as done:
            done.record_id = attempts.key(account["folded"])
            done.update(_account, account, password=passwords.hashed(new), failures=0, locked_until=None)

    fault = Fault("/old_password", "not-right", "This is not your password.", "Type the password you signed in with.")
    refusal = Unreadable("The old password is not right.", errors=[fault])
    proving(database, actor.username, old, replaced, refusal=refusal)


def reauthenticated(
    database: Database, actor: Actor, password: str | None, then: Callable[[Session], T], *, detail: Mapping[str, Any]
) -> T:
    """Carry out `then` for somebody who has signed in and gives the password once more (21 CFR 11.200).

    Raises:
        Reauthenticate: not their password, or none. A wrong one is recorded with `detail`, and counted like a failed
            login.
        TooMany: the name is refused for a while.

    What `then` raises undoes everything, the end of the count of failures too.
    """
    headers = {"WWW-Authenticate": "Bearer"}
    if password is None:
        raise Reauthenticate("Whoever signs gives their own password with each signature.", headers=headers)
    refusal = Reauthenticate("This is not your password. Type the one that you sign in with.", headers=headers)

    def proven(session: Session, account: Account) -> T:
        if account["failures"] or account["locked_until"]:
            with change(session, models.SYSTEM, by=actor, action="login.again") as done:
                done.record_id = attempts.key(account["folded"])
                done.update(_account, account, failures=0, locked_until=None)
        return then(session)

    attempt = Attempt(FAILED_AGAIN, actor, detail)
    return proving(database, actor.username, password, proven, refusal=refusal, attempt=attempt)


def proving(
    database: Database,
    username: str,
    password: str,
    then: Callable[[Session, Account], T],
    *,
    refusal: Refusal,
    attempt: Attempt = _SIGNING_IN,
) -> T:
    """Carry out `then` for the account of `username` if this is its password; else record the failure and refuse."""
    name = folded(username)
    key = attempts.key(name)
    with database.writing() as session:
        see(session, models.SYSTEM)
        session.execute(select(func.pg_advisory_xact_lock(key.int % 2**63)))
        now = clock.now()
        failures = _failures(session, key)
        until = attempts.refused_until(failures, now)
        if until is not None:
            wait = ceil((until - now).total_seconds())
            raise TooMany("This user name is refused for a while.", headers={"Retry-After": str(wait)})
        account = of_name(session, name)
        active = account is not None and account["status"] == AccountStatus.ACTIVE
        right = passwords.matches(account["password"] if account and active else None, password)
        if account is not None and right:
            return then(session, account)
        _record_failure(session, attempt, key, account, attempts.refused_until([now, *failures], now), now)
    raise refusal


def of_name(session: Session, name: str) -> Account | None:
    """The account of a folded user name, held until the transaction ends, so that what is sealed of it stays true."""
    found = session.execute(select(_account).where(_account.c.folded == name).with_for_update()).mappings().first()
    return None if found is None else dict(found)


def _failures(session: Session, key: UUID) -> list[datetime]:
    """When this name failed since it last succeeded, newest first, as far as it matters."""
    found = session.execute(
        select(_change.c.at, _change.c.action)
        .where(_change.c.study_id == models.SYSTEM, _change.c.record_id == key)
        .order_by(_change.c.seq.desc())
        .limit(attempts.MANY)
    )
    return [row.at for row in takewhile(lambda row: row.action in _FAILURES, found)]


def _record_failure(
    session: Session, attempt: Attempt, key: UUID, account: Account | None, until: datetime | None, now: datetime
) -> None:
    detail = plain({"refused_until": until, **attempt.detail})
    with change(session, models.SYSTEM, by=attempt.by, action=attempt.action, at=now, detail=detail) as done:
        done.record_id = key
        if account is not None:
            done.update(_account, account, failures=account["failures"] + 1, locked_until=until)
        else:  # the same work for a name that nobody has
            nobody = update(_account).where(_account.c.account_id == key).values(failures=_account.c.failures + 1)
            session.execute(nobody)
