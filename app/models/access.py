"""Who may come in, and what each may do where."""

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from app.models.base import Key, Moment, key, metadata, one_of


class AccountStatus(StrEnum):
    """An account is invited, then active, then perhaps deactivated; it is never deleted."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Role(StrEnum):
    """The roles of a trial. One person may hold several, each in its study and at its site."""

    COORDINATOR = "coordinator"
    INVESTIGATOR = "investigator"
    MONITOR = "monitor"
    DATA_MANAGER = "data_manager"
    STATISTICIAN = "statistician"
    SPONSOR = "sponsor"
    BUILDER = "builder"
    ADMINISTRATOR = "administrator"
    INSPECTOR = "inspector"


class TokenKind(StrEnum):
    """What a token opens: a session or the API; or, once, a password to be set."""

    SESSION = "session"
    API = "api"
    INVITATION = "invitation"
    RESET = "reset"


account = Table(
    "account",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("username", Text, nullable=False),
    Column("folded", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("password", Text, nullable=True),
    Column("status", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment, nullable=True),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("folded"),
    one_of("status", AccountStatus),
)

session_token = Table(
    "session_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("token_id", Uuid, nullable=False, unique=True),
    Column("account_id", Uuid, ForeignKey("account.account_id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("scope", Key, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    one_of("kind", TokenKind),
)

role_grant = Table(
    "role_grant",
    metadata,
    key("study_id", ForeignKey("chain.study_id"), primary_key=True),
    Column("grant_id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("site_id", Key, nullable=True),
    Column("valid_from", Moment, nullable=False),
    Column("valid_to", Moment, nullable=True),
    Column("reason", Text, nullable=False),
    Column("granted_by", Uuid, nullable=True),
    ForeignKeyConstraint(["study_id", "site_id"], ["site.study_id", "site.site_id"]),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="ends_after_it_starts"),
    Index(None, "account_id"),
    one_of("role", Role),
    comment="A grant on '-' holds in the whole system: administrators and builders only.",
)
