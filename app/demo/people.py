"""The people of the demonstration: one for every role, and a coordinator at each hospital. None of them exists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import models
from app.access import accounts, grants
from app.access.actor import Actor, SystemActor, token_hash
from app.access.login import login, of_name
from app.access.permissions import SYSTEM_ROLES, Role
from app.core import clock
from app.core.errors import Conflict
from app.core.transaction import Database, see_all
from app.study.definition import Study

PASSPHRASE = "amber kestrels over nine rivers"  # noqa: S105 (of people who do not exist)
"""Of everybody, the same each time. The demonstration therefore runs in an empty database and nowhere else."""

SESSION = timedelta(hours=12)
_ENTER = text("SELECT * FROM marrow_enter(:token, :moment)")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a role, at one site or (None) at all of them."""

    username: str
    name: str
    role: Role
    site: str | None = None


CAST = (
    Member("coordinator", "Chen Jing", Role.COORDINATOR, "HZ01"),
    Member("coordinator.ningbo", "Wu Min", Role.COORDINATOR, "NB01"),
    Member("coordinator.wenzhou", "Lin Yue", Role.COORDINATOR, "WZ01"),
    Member("investigator", "Zhou Wei", Role.INVESTIGATOR, "HZ01"),
    Member("monitor", "Sun Lei", Role.MONITOR),
    Member("data.manager", "Xu Fang", Role.DATA_MANAGER),
    Member("statistician", "He Ning", Role.STATISTICIAN),
    Member("sponsor", "Qian Bo", Role.SPONSOR),
    Member("inspector", "Shen Yan", Role.INSPECTOR),
    Member("builder", "Tang Li", Role.BUILDER),
    Member("administrator", "Gu Ping", Role.ADMINISTRATOR),
)
"""Everybody. Builder and administrator hold their role in the system, the others in every study."""


def require_ours(database: Database) -> None:
    """Raise Conflict in a database where other people work: its accounts would lie open under a known passphrase."""
    ours = {member.username for member in CAST}
    with database.reading() as session:
        see_all(session)
        others = set(session.execute(select(models.account.c.username)).scalars()) - ours
    if others:
        raise Conflict(
            "People work in this database, and the demonstration opens accounts with a passphrase that everybody can "
            "read. Run it in an empty database: set MARROW_VAR to a new folder, or MARROW_DATABASE_URL to another one."
        )


def introduce(database: Database, studies: Iterable[Study]) -> int:
    """Open the accounts and give the roles that are not there yet; how many accounts were opened."""
    by = SystemActor()
    opened = 0
    with database.writing() as session:
        see_all(session)
        if _missing(session, "administrator"):
            accounts.create_first_administrator(session, "administrator", "Gu Ping", PASSPHRASE, by=by)
            opened += 1
    for member in CAST:
        with database.writing() as session:
            see_all(session)
            if _missing(session, member.username):
                accounts.open_account(session, by, member.username, member.name, PASSPHRASE)
                opened += 1
            for study in studies:
                _give(session, by, study, member)
    return opened


def _missing(session: Session, username: str) -> bool:
    return of_name(session, username) is None


def _give(session: Session, by: Actor, study: Study, member: Member) -> None:
    system = member.role in SYSTEM_ROLES
    where = models.SYSTEM if system else study.study
    if member.site is not None and member.site not in {site.id for site in study.sites}:
        return
    grant, account = models.role_grant, models.account
    held = session.execute(
        select(func.count())
        .select_from(grant.join(account, account.c.account_id == grant.c.account_id))
        .where(grant.c.study_id == where, grant.c.role == member.role.value, account.c.username == member.username)
    ).scalar_one()
    if not held:
        grants.give(session, by, where, username=member.username, role=member.role, site_id=member.site,
                    reason="Demonstration")  # fmt: skip


def sign_in(database: Database, *, role: Role) -> Mapping[str | None, str]:
    """Session tokens of the people of a role, by their site, as the API would give them."""
    return {
        member.site: login(database, member.username, PASSPHRASE, label="demo", lasts=SESSION).token
        for member in CAST
        if member.role == role
    }


def enter(session: Session, token: str) -> Actor:
    """Who holds this token, with the grants of this moment; opens the wall to their studies, as a request does."""
    row = session.execute(_ENTER, {"token": token_hash(token), "moment": clock.now()}).mappings().one()
    return Actor.from_row(row)
