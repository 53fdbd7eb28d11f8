"""The trial of tests/data/rules, whose pages ask published rules and edit checks, beside the small trial."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.access import accounts, grants, tokens
from app.access.permissions import Role
from app.core.transaction import see_all
from app.models.access import TokenKind
from tests.trial import PASSWORD, SYSTEM, Person, Trial, publish

RULES = Path(__file__).parent / "data" / "rules"
API = "/api/v1/studies/RULES"
CAST: dict[str, tuple[Role, str | None]] = {
    "coordinator": (Role.COORDINATOR, None),
    "local": (Role.COORDINATOR, "HZ02"),
    "keeper": (Role.DATA_MANAGER, None),
    "reader": (Role.STATISTICIAN, None),
    "signer": (Role.INVESTIGATOR, None),
}


def open_rules(engine: Engine, folder: Path, rules: Path = RULES) -> Trial:
    """The application with the trial of rules published beside the small one; its people join the cast."""
    made = Trial.open(engine, folder)
    publish(made.database, rules)
    with made.database.writing() as session:
        see_all(session)
        for name, (role, site) in CAST.items():
            account = accounts.open_account(session, SYSTEM, name, f"{name.title()} of rules", PASSWORD)
            grants.give(session, SYSTEM, "RULES", username=name, role=role, site_id=site, reason="Cast")
            token = tokens.issue(session, account["account_id"], TokenKind.SESSION, lasts=timedelta(hours=1))
            made.cast[name] = RulesPerson(made.client, token.token)
    return made


class RulesPerson(Person):
    """Somebody of the trial of rules: short paths lead into it."""

    def call(self, method: str, path: str, **more: Any) -> Any:
        return super().call(method, path if path.startswith("/api") else API + path, **more)
