"""A PostgreSQL for the tests: their own, from the wheel, or the one that MARROW_DATABASE_URL names.

Every test that asks for a `database` gets a fresh one, cloned from a template that was migrated once. Commits are
real ones, and the application's role is the one it has in production.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from app.core import embedded
from app.core.db import make_engine, migrate, normalised
from app.core.provision import Names, provision
from tests.rules_trial import open_rules
from tests.servers import Database, Server, roomy
from tests.trial import Trial

GIVEN = os.environ.pop("MARROW_DATABASE_URL", None)  # popped: no test meets the server of the one who runs it by chance

settings.register_profile("house", settings.default, deadline=None)  # other work may hold the processors
settings.load_profile("house")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server of this run, with a migrated template on it. It fails, and never skips, when it cannot be had."""
    mark = secrets.token_hex(4)
    if GIVEN:
        names = Names(f"marrow_owner_{mark}", f"marrow_app_{mark}", f"marrow_test_{mark}")
        found = Server(normalised(GIVEN), names, (secrets.token_hex(16), secrets.token_hex(16)))
        provision(found.admin_url, names, passwords=found.passwords)
        try:
            migrate(found.url(names.owner, names.database), names.app)
            yield found
        finally:
            found.clear()
        return
    folder = roomy()
    try:
        with embedded.start(folder / "pg", names=Names(database="marrow_test")) as own:
            migrate(own.owner_url, own.names.app)
            yield Server(own.admin_url, own.names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: Server) -> Database:
    return server.clone()


@pytest.fixture
def owner_url(database: Database) -> str:
    return database.owner_url


@pytest.fixture
def app_url(database: Database) -> str:
    return database.app_url


@pytest.fixture
def engine(app_url: str) -> Iterator[Engine]:
    made = make_engine(app_url, pool_size=8)
    yield made
    made.dispose()


@pytest.fixture
def trial(engine: Engine, tmp_path: Path) -> Trial:
    """A small trial, published, with everybody signed in."""
    return Trial.open(engine, tmp_path)


@pytest.fixture
def rules_trial(engine: Engine, tmp_path: Path) -> Trial:
    """A trial whose pages ask published rules and edit checks, published beside the small one."""
    return open_rules(engine, tmp_path)
