"""The benchmark measures what it says: full pages, the same rows by hand, ratios the right way round."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app import cli, models
from app.bench import bare, exporting, site
from app.bench.drive import FailedError, Timing, drive
from app.bench.fill import VALUES, Filler
from app.bench.report import at_least, below
from app.bench.run import FULL, PAGES, QUICK
from app.bench.saves import counted, put, served
from app.bench.study import FORMS, ITEMS, STUDY, panel_page, start_page
from app.bench.world import World, prepared
from app.core.provision import libpq
from app.core.transaction import Database, see_all
from app.derivations.derive import derived
from app.forms import answers as reading
from app.main import create_app
from app.settings import Settings
from app.study.check import read_tree
from tests.servers import Database as Clone


@pytest.fixture
def world(database: Clone, engine: Engine, tmp_path: Path) -> World:
    own = Database(engine, tmp_path / "anchors.jsonl")
    server: Any = SimpleNamespace(owner_url=database.owner_url, app_url=database.app_url)
    return World(tmp_path, server, engine, own, prepared(own))


def counts(world: World, *tables: Any) -> list[int]:
    with world.database.reading() as session:
        see_all(session)
        return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_the_page_is_full_and_taken_as_it_is() -> None:
    tree = read_tree(FORMS)
    form = tree.forms["panel", 1]
    assert not tree.mistakes
    assert len(form.items) == ITEMS
    for number in range(1, 11):
        read = reading.read(form, panel_page(number))
        assert read.problems == []
        assert read.answers == panel_page(number)
        assert len(read.answers) == VALUES
    assert reading.read(tree.forms["start", 1], start_page()).problems == []


def test_a_million_values_are_a_million() -> None:
    assert 10 * FULL.subjects * PAGES * VALUES > 1_000_000
    assert 10 * QUICK.subjects * PAGES * VALUES > 100_000


def test_a_save_is_counted_and_a_refusal_is_no_save(world: World) -> None:
    first, second = (put(world.token, subject, "START", "start", start_page()) for subject in world.subjects(2))
    with served(world) as port:
        drive(port, [[first]])
        with counted(world) as seen:
            timing = drive(port, [[second]])
        with pytest.raises(FailedError, match="412"):
            drive(port, [[second]])
    assert len(timing.each) == 1
    assert 5 < len(seen) <= 12


@pytest.mark.parametrize("way", ["plain", "single"])
def test_by_hand_the_same_rows_are_stored(world: World, way: str) -> None:
    tables = (models.record, models.revision, models.computed, models.derivation, models.change)
    (subject,) = world.subjects(1)
    before = counts(world, *tables)
    kept: dict[str, Any] = {"computed": {"bmi": "22.1"}, "results": {}, "detail": {}, "rows": []}
    with TestClient(bare.make(libpq(world.server.app_url), kept)) as client:
        for repeat in (1, 2):
            assert client.put(f"/{way}/{subject}/{repeat}", json={"answers": panel_page(1)}).status_code == 200
    assert counts(world, *tables) == [number + 2 for number in before]
    with world.database.reading() as session:
        see_all(session)
        head = session.execute(select(models.chain).where(models.chain.c.study_id == STUDY)).mappings().one()
        last = session.execute(select(models.change).where(models.change.c.seq == head["seq"])).mappings().one()
    assert (last["hash"], last["action"]) == (head["hash"], "record.save")


def test_the_fixture_is_read_by_every_way_out(world: World) -> None:
    filler = Filler(world)
    filler.subjects(3, 2)
    filler.changes(5)
    with world.database.reading() as session:
        see_all(session)
        assert [each.conclusion.status for each in derived(session, STUDY)] == ["enrolled"] * 3
    sizes = {way: len(b"".join(take(world.server.app_url))) for way, take in exporting.WAYS.items()}
    assert min(sizes.values()) > 1000


def test_a_site_of_many_subjects_is_shown_as_it_was_brought_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "SUBJECTS", 4)
    site.fill(world)
    with TestClient(create_app(Settings(), world.database)) as client:
        client.headers["Authorization"] = f"Bearer {world.token}"
        seen = {what: client.get(path).json() for what, path in site.paths().items()}
    assert len(seen["matrix"]["items"]) == len(seen["worklist"]["items"]) == 4
    cells = [cell for row in seen["matrix"]["items"] for cell in row["cells"].values()]
    assert sum(cell["status"] == "complete" for cell in cells) == 4 * 10
    assert sum(cell["queries"] for cell in cells) == 4 * site.PAGES // 5
    assert seen["verification"]["items"][0]["verified"] > 4 * 5 * 30


def test_figures_are_judged_the_right_way_round() -> None:
    timing = Timing(2.0, tuple(range(1, 101)))
    assert (timing.rate, timing.percentile(0.5), timing.percentile(0.95)) == (50, 51_000, 96_000)
    assert at_least("saves", 40, 100, "/s", 0.4).met
    assert not at_least("saves", 39, 100, "/s", 0.4).met
    assert below("casebook", 149, 150, "ms").met
    assert not below("casebook", 151, 150, "ms").met
    assert below("verification", 151, None, "ms").met is None


def test_a_part_that_there_is_not_is_named_with_those_there_are() -> None:
    answer = CliRunner().invoke(cli.app, ["bench", "--only", "everything"])
    assert answer.exit_code == 2
    assert "derivation" in answer.output
