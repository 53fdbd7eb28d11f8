"""Signing in, one's own account, and what administrators do. Every route names the permission it asks for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response

from app.access import accounts, grants, login, schemas, tokens
from app.access.actor import require
from app.access.entrance import Reading, Signed, Writing, database, idle
from app.access.idempotency import TOLD_ONCE, idempotent
from app.access.permissions import Permission, asks
from app.access.schemas import Because
from app.core.http import Answer, Cursor, Limit, Retryable, Router
from app.core.openapi import problem
from app.models.access import TokenKind

entrance = Router(prefix="/api/v1", tags=["session"])
own = Router(prefix="/api/v1/me", tags=["me"])
people = Router(prefix="/api/v1/accounts", tags=["accounts"])
roles = Router(prefix="/api/v1/studies/{study}/grants", tags=["grants"])

ROUTERS = (entrance, own, people, roles)

Study = Annotated[str, Path(max_length=64, description="A study, or `-` for the system as a whole")]
Username = Annotated[str, Path(max_length=256)]
REFUSED_FOR_A_WHILE: dict[int | str, dict[str, Any]] = {429: problem("This user name is refused for a while")}


@entrance.post("/session", status_code=201, dependencies=[TOLD_ONCE], responses=REFUSED_FOR_A_WHILE)
def sign_in(request: Request, given: schemas.Login) -> schemas.Session:
    """Open a session. The same answer for a wrong password and for a name that nobody has."""
    hours = getattr(getattr(request.app.state, "settings", None), "session_hours", 12)
    label = _printable(request.headers.get("user-agent", ""))
    made = login.login(database(request), given.username, given.password, label=label, lasts=timedelta(hours=hours))
    minutes = int(idle(request).total_seconds() // 60)
    return schemas.Session(token=made.token, token_id=made.token_id, expires_at=made.expires_at, idle_minutes=minutes)


@entrance.delete("/session", status_code=204, openapi_extra=asks(Permission.OWN_SESSION_END))
def sign_out(work: Writing) -> None:
    """End the session in use, at once."""
    login.logout(work.session, work.actor)


@entrance.post("/invitations/accept", status_code=204)
def accept_invitation(request: Request, given: schemas.Acceptance) -> None:
    """Choose the first password of an account, with the token of its invitation."""
    with database(request).writing() as session:
        accounts.accept(session, given.token, given.password, TokenKind.INVITATION)


@entrance.post("/password-resets/accept", status_code=204)
def accept_reset(request: Request, given: schemas.Acceptance) -> None:
    """Choose a new password, with the token that an administrator issued. All sessions end."""
    with database(request).writing() as session:
        accounts.accept(session, given.token, given.password, TokenKind.RESET)


@own.get("", openapi_extra=asks(Permission.OWN_READ))
def read_me(work: Reading) -> schemas.Me:
    """Who one is, and which roles one holds at this moment."""
    actor = work.actor
    require(actor, Permission.OWN_READ, None)
    held = [schemas.Held(study=grant.study_id, role=grant.role, site=grant.site_id) for grant in actor.grants]
    return schemas.Me.model_validate(
        {name: getattr(actor, name) for name in schemas.Me.model_fields if name != "grants"} | {"grants": held}
    )


@own.get("/sessions", openapi_extra=asks(Permission.OWN_READ))
def read_sessions(request: Request, work: Reading) -> schemas.OwnTokens:
    """One's own sessions and API tokens that hold, newest first."""
    found = tokens.of_account(work.session, work.actor, idle(request))
    return schemas.OwnTokens(items=[schemas.OwnToken(**row) for row in found])


@own.delete("/sessions/{token_id}", status_code=204, openapi_extra=asks(Permission.OWN_SESSION_END))
def end_session(work: Writing, token_id: UUID) -> None:
    """End one of one's own sessions or API tokens, at once."""
    tokens.end(work.session, work.actor, token_id)


@own.post("/tokens", status_code=201, dependencies=[TOLD_ONCE], openapi_extra=asks(Permission.OWN_TOKEN))
def create_token(work: Writing, given: schemas.NewToken) -> schemas.Opened:
    """A token for a program, in one study, with one's own roles there and never more."""
    made = tokens.make_api_token(work.session, work.actor, label=given.label, study_id=given.study, days=given.days)
    return schemas.Opened(token=made.token, token_id=made.token_id, expires_at=made.expires_at)


@own.post("/password", status_code=204, openapi_extra=asks(Permission.OWN_PASSWORD), responses=REFUSED_FOR_A_WHILE)
def change_password(request: Request, actor: Signed, given: schemas.NewPassword) -> None:
    """Replace one's password. Every other session and token ends."""
    login.change_password(database(request), actor, given.old_password, given.new_password)


@people.get("", openapi_extra=asks(Permission.ACCOUNT_MANAGE))
def read_accounts(work: Reading, cursor: Cursor = None, limit: Limit = 50) -> schemas.AccountPage:
    """All accounts, by user name."""
    rows, following = accounts.listing(work.session, work.actor, cursor=cursor, limit=limit)
    return schemas.AccountPage(items=[_account(row) for row in rows], next_cursor=following)


@people.post("", status_code=201, dependencies=[TOLD_ONCE], openapi_extra=asks(Permission.ACCOUNT_MANAGE))
def invite(work: Writing, given: schemas.NewAccount) -> schemas.Invited:
    """Invite somebody. The token in the answer is theirs: hand it over in person; it is shown this once."""
    account, made = accounts.invite(work.session, work.actor, given.username, given.name)
    return schemas.Invited(account=_account(account), token=made.token, expires_at=made.expires_at)


@people.post(
    "/{username}/reset", status_code=201, dependencies=[TOLD_ONCE], openapi_extra=asks(Permission.ACCOUNT_MANAGE)
)
def reset_password(work: Writing, username: Username, given: Because) -> schemas.Invited:
    """A one-time token to choose a new password with, or a fresh invitation. Also ends a lock-out."""
    account, made = accounts.reset(work.session, work.actor, username, given.reason)
    return schemas.Invited(account=_account(account), token=made.token, expires_at=made.expires_at)


@people.post("/{username}/deactivate", openapi_extra=asks(Permission.ACCOUNT_MANAGE))
def deactivate(work: Writing, username: Username, given: Because) -> schemas.Account:
    """Close an account. Its sessions and tokens end at once."""
    return _account(accounts.deactivate(work.session, work.actor, username, given.reason))


@people.post("/{username}/reactivate", openapi_extra=asks(Permission.ACCOUNT_MANAGE))
def reactivate(work: Writing, username: Username, given: Because) -> schemas.Account:
    """Open a deactivated account again."""
    return _account(accounts.reactivate(work.session, work.actor, username, given.reason))


@roles.get("", openapi_extra=asks(Permission.GRANT_READ))
def read_grants(work: Reading, study: Study, cursor: Cursor = None, limit: Limit = 50) -> schemas.GrantPage:
    """Who holds and held which role in a study."""
    rows, following = grants.listing(work.session, work.actor, study, cursor=cursor, limit=limit)
    return schemas.GrantPage(items=[_grant(row) for row in rows], next_cursor=following)


@roles.post("", status_code=201, responses={201: {"model": schemas.Grant}}, openapi_extra=asks(Permission.GRANT_MANAGE))
def give_grant(work: Writing, study: Study, given: schemas.NewGrant, retry: Retryable) -> Response:
    """Grant a role, to somebody else."""

    def give() -> Answer:
        made = grants.give(
            work.session,
            work.actor,
            study,
            username=given.username,
            role=given.role,
            site_id=given.site,
            valid_from=given.valid_from,
            valid_to=given.valid_to,
            reason=given.reason,
        )
        return Answer(201, _grant(made).model_dump(mode="json"))

    return idempotent(work, retry, give, lambda: require(work.actor, Permission.GRANT_MANAGE, study))


@roles.post("/{grant_id}/end", openapi_extra=asks(Permission.GRANT_MANAGE))
def end_grant(work: Writing, study: Study, grant_id: UUID, given: Because) -> schemas.Grant:
    """End a grant. The next request of its holder goes without it."""
    return _grant(grants.end(work.session, work.actor, study, grant_id, given.reason))


def _account(row: Mapping[str, Any]) -> schemas.Account:
    return schemas.Account(**{name: row[name] for name in schemas.Account.model_fields})


def _grant(row: Mapping[str, Any]) -> schemas.Grant:
    named = {name: row[name] for name in schemas.Grant.model_fields if name not in {"study", "site"}}
    return schemas.Grant(**named, study=row["study_id"], site=row["site_id"])


def _printable(text: str) -> str:
    """A browser's name for itself, for the list of one's sessions."""
    return "".join(character for character in text if character.isprintable())[:200]
