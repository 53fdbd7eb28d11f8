"""What the routes of `access` take and give. Nothing is taken that is not named here, and no text is guessed at."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from app.access.permissions import Role
from app.core.page import Page
from app.core.words import Line, Reason, stripped

_YEARS = range(2000, 2200)


def _as_text(value: Any) -> Any:
    """A number is no moment: 86400 would become the second of January 1970."""
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic makes a fault of a ValueError
    return value


def _in_our_time(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError
    return moment.astimezone(UTC)


Username = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)]
Secret = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1024), Field(repr=False)]
Moment = Annotated[AwareDatetime, BeforeValidator(_as_text), AfterValidator(_in_our_time)]
Days = Annotated[int, Field(strict=True, ge=1, le=365)]


class Taken(BaseModel):
    """What a request holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Login(Taken):
    """Who one is, and what only that person knows."""

    username: Username
    password: Secret


class Acceptance(Taken):
    """A one-time token, and the password chosen with it."""

    token: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100), Field(repr=False)]
    password: Secret


class NewPassword(Taken):
    """One's password, and the one to have instead."""

    old_password: Secret
    new_password: Secret


class NewToken(Taken):
    """A token for a program: what it is for, the study it opens, how many days it lasts."""

    label: Line
    study: Annotated[str, stripped(1, 64)]
    days: Days


class NewAccount(Taken):
    """Whom to invite."""

    username: Username
    name: Line


class Because(Taken):
    """Why."""

    reason: Reason


class NewGrant(Taken):
    """A role for somebody: at one site or, without it, at all; from now and for good unless said otherwise."""

    username: Username
    role: Role
    site: Annotated[str, stripped(1, 64)] | None = None
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    reason: Reason


class Opened(BaseModel):
    """A token, shown this once."""

    token: str
    token_id: UUID
    expires_at: datetime


class Session(Opened):
    """A session: it ends at `expires_at`, or when it rests for `idle_minutes`."""

    idle_minutes: int


class Held(BaseModel):
    """A role that holds now."""

    study: str
    role: Role
    site: str | None


class Me(BaseModel):
    """Who one is here, with which roles, and until when."""

    account_id: UUID
    username: str
    name: str
    language: str
    grants: list[Held]
    token_id: UUID
    kind: str
    scope: str | None
    expires_at: datetime


class OwnToken(BaseModel):
    """A session or an API token of one's own."""

    token_id: UUID
    kind: str
    label: str
    scope: str | None
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool


class OwnTokens(BaseModel):
    """All of them that hold."""

    items: list[OwnToken]


class Account(BaseModel):
    """An account, as an administrator sees it."""

    account_id: UUID
    username: str
    name: str
    status: str
    failures: int
    locked_until: datetime | None
    created_at: datetime


class Invited(BaseModel):
    """An account and its one-time token, to be handed to its owner in person. It is shown this once."""

    account: Account
    token: str
    expires_at: datetime


class AccountPage(Page[Account]):
    """Accounts by user name."""


class Grant(BaseModel):
    """A role granted."""

    grant_id: UUID
    study: str
    username: str
    name: str
    role: Role
    site: str | None
    valid_from: datetime
    valid_to: datetime | None
    reason: str


class GrantPage(Page[Grant]):
    """A study's grants, in the order they began."""
