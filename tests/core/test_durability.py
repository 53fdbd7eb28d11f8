"""What a start refuses, and what it warns of."""

import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from app.core.db import make_engine
from app.core.durability import Danger, Level, durability
from app.core.embedded import start
from tests.servers import Database, roomy


def found(engine: Engine) -> dict[str, Level]:
    with engine.connect() as connection:
        return {danger.setting: danger.level for danger in durability(connection)}


@pytest.fixture(scope="module")
def careless() -> Iterator[str]:
    """The URL of a server whose settings are all unsafe."""
    folder = roomy()
    options = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    with start(folder / "pg", options=options) as server:
        yield server.app_url
    shutil.rmtree(folder)


def test_the_server_that_comes_with_marrow_is_safe(engine: Engine) -> None:
    assert found(engine) == {}


def test_settings_that_lose_acknowledged_data_are_refused(careless: str) -> None:
    engine = make_engine(careless)
    assert found(engine) == dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), Level.REFUSE)
    engine.dispose()


def test_a_setting_of_the_role_alone_is_seen(database: Database) -> None:
    engine = make_engine(database.app_url)
    owner = make_engine(database.owner_url)
    with owner.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{database.name}" SET synchronous_commit = off'))
    assert found(engine) == {"synchronous_commit": Level.REFUSE}
    for made in (engine, owner):
        made.dispose()


@pytest.mark.parametrize("who", ["owner_url", "admin_url"])
def test_a_role_that_could_rewrite_history_is_refused(database: Database, who: str) -> None:
    engine = make_engine(getattr(database, who))
    assert found(engine) == {"role": Level.REFUSE}
    engine.dispose()


def test_a_danger_says_what_to_do() -> None:
    said = str(Danger("fsync", Level.REFUSE, "is off: a power cut loses data", "set fsync = on"))
    assert said == "fsync: is off: a power cut loses data. Remedy: set fsync = on."
