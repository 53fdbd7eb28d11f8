"""The end of a walk: everything that was ever acknowledged is looked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.exchange.unzipped import export
from tests.stories.walk_model import Page, World
from tests.stories.walk_pages import Place, changes, flat
from tests.trial import Trial


def assert_nothing_is_lost(trial: Trial, world: World, instants: Mapping[Place, Sequence[str]]) -> None:
    """Each value as of its instant and in the history, what was retired in the export; what was signed, and results."""
    for place, page in world.pages.items():
        path = f"/subjects/{place.subject}/visits/{place.visit}/forms/{place.form}"
        told = trial.manager.get(path + "/history").json()["revisions"]
        assert [_told(each) for each in told] == _history(page), place
        assert [each["at"] for each in told] == list(instants[place]), place
        for at, revision in zip(instants[place], page.past, strict=True):
            answer = trial.manager.get(path, params={"as_of": at})
            assert answer.status_code == 200, (place, at)
            then = answer.json()
            assert (then["form_version"], then["status"], flat(then["answers"])) == revision, (place, at)
    found = {_orphan(row) for row in export(trial.manager).rows("orphans.csv")}
    wanted = {
        (*place, item, "" if row is None else str(row), value)
        for place, page in world.pages.items()
        for (item, row), value in page.orphans.items()
        if page.counts
    }
    assert found == wanted, found ^ wanted
    signed = trial.manager.get("/signatures", params={"limit": 200, "sort": "at"}).json()["items"]
    assert [(*(each[name] for name in _SIGNED),) for each in signed] == [
        (*each.scope[1:4], each.version, each.state) for each in world.signatures
    ]
    for each in signed:
        proof = trial.manager.get(f"/signatures/{each['signature']}/verify").json()
        assert (proof["intact"], proof["holds"]) == (True, each["state"] == "standing")
    derived = trial.manager.post("/derive")
    if derived.status_code == 200:
        assert {each["subject"] for each in derived.json()["deviations"]} <= world.held


_SIGNED = ("subject", "visit", "form", "study_version", "state")


def _told(each: dict[str, Any]) -> tuple[Any, ...]:
    return (
        each["form_version"],
        each["status"],
        {(item["item"], item["row"]): (item["before"], item["after"]) for item in each["items"]},
    )


def _history(page: Page) -> list[tuple[Any, ...]]:
    earlier = [{}, *(revision.answers for revision in page.past)]
    return [
        (revision.version, revision.status, changes(before, revision.answers))
        for before, revision in zip(earlier, page.past, strict=False)
    ]


def _orphan(row: Mapping[str, str]) -> tuple[str, ...]:
    return row["SUBJID"], row["VISIT"], row["FORM"], row["ITEM"], row["ROW"], row["VALUE"]
