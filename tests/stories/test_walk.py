"""A random walk over data management: whatever people do, in whatever order, the trial is where a small model says.

Pages are entered, corrected, blanked, struck and signed; items are queried and verified; scopes are closed, and opened
by two; sites are migrated and taken back; subjects move; cuts are made. After each step the whole trial is read and
compared with the model; at its end every acknowledged value is looked for as of its instant, in the history and in the
export, every cut is handed out again, and the trail verified.

`MARROW_WALKS=500` walks that often, and otherwise each time.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from app.core.db import make_engine
from tests.servers import Server
from tests.stories.second import PLAN, second
from tests.stories.walk_end import assert_nothing_is_lost
from tests.stories.walk_marks import OPEN, WAITING, Locks, Query, Scope
from tests.stories.walk_model import Site, World
from tests.stories.walk_pages import FIRST, KEPT, PLACES, VALUES, Answers, Place, Which, flat, items, nested
from tests.trial import PASSWORD, Person, Trial, publish

SUBJECTS = {"A": "HZ01", "B": "HZ02"}
NURSES = {"HZ01": "nurse", "HZ02": "nurse2"}
MANAGERS = ("manager", "manager2")
WHY = {"reason": "As the source says"}
APPROVAL = {"meaning": "approval"}
TEXT = {"text": "As the source says"}
EVEN, SELDOM = 0.5, 0.15
WORDS = {200: "ok", 201: "ok", 403: "forbidden", 404: "absent", 412: "stale", 422: "unreadable"}


def word(answer: Any) -> str:
    """How an act ended, in one word."""
    return WORDS.get(answer.status_code) or str(answer.json()["code"])


class Walk(RuleBasedStateMachine):
    """The trial and its model, side by side."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial
        self.world = World({name: Site() for name in NURSES}, Locks(dict(SUBJECTS)))
        self.keys: dict[str, Query] = {}
        self.instants: dict[Place, list[str]] = {}
        self.migrations: dict[str, str] = {}
        self.cuts: dict[str, bytes] = {}
        self.latest = Place("", "", "")
        self.rolled: Counter[int] = Counter()

    def nurse(self, place: Place) -> Person:
        return self.trial.cast[NURSES[self.world.locks.subjects[place.subject]]]

    def page(self, dice: Random) -> Place:
        """A page that is there; often the one of the step before, where acts meet."""
        known = sorted(self.world.pages)
        latest = [self.latest] * len(known) if self.latest in self.world.pages else []
        self.latest = dice.choice([*latest, *known])
        return self.latest

    def seen(self, place: Place, dice: Random) -> int:
        """The revision that somebody has read: mostly the one that is there."""
        page = self.world.pages.get(place)
        number = len(page.past) if page else 0
        return number - 1 if number > 1 and dice.random() < SELDOM else number

    # ------------------------------------------------------------ pages

    @initialize()
    def begin(self) -> None:
        for subject in SUBJECTS:
            self.save(Place(subject, "SCR", "labs"), FIRST, complete=True, reason=False, seen=0)

    def enter(self, dice: Random) -> None:
        """A page, whole or in part."""
        place = Place(dice.choice([*SUBJECTS]), *dice.choice(PLACES))
        there = self.world.pages.get(place)
        version = there.now.version if there else self.world.version(place)
        given = {
            which: dice.choice((*VALUES[place.form, version][which[0]], *([None] if which[1] else ())))
            for which in items(place.form, version)
        }
        self.put(place, {which: value for which, value in given.items() if value is not None}, dice)

    def correct(self, dice: Random) -> None:
        """Some items, to another value or to nothing."""
        place = self.page(dice)
        now = self.world.pages[place].now
        answers = dict(now.answers)
        for which in self.several(place, dice):
            value = dice.choice((*VALUES[place.form, now.version].get(which[0], ()), None))
            if value is not None:
                answers[which] = value
            elif which != KEPT:
                answers.pop(which, None)
        self.put(place, answers, dice)

    def blank(self, dice: Random) -> None:
        place = self.page(dice)
        gone = dice.choice(self.which(place))
        now = self.world.pages[place].now.answers
        self.put(place, {which: value for which, value in now.items() if which != gone or gone == KEPT}, dice)

    def put(self, place: Place, answers: Answers, dice: Random) -> None:
        complete, reason = dice.random() < EVEN, dice.random() > SELDOM
        self.save(place, answers, complete=complete, reason=reason, seen=self.seen(place, dice))

    def save(self, place: Place, answers: Answers, *, complete: bool, reason: bool, seen: int) -> None:
        why = WHY if reason else {}
        answer = self.nurse(place).save(*place, nested(answers), revision=seen, complete=complete, **why)
        assert word(answer) == self.world.save(place, answers, complete=complete, reason=reason, seen=seen)

    def void(self, dice: Random) -> None:
        place = self.page(dice)
        headers = {"If-Match": f'"{len(self.world.pages[place].past)}"'}
        path = f"/subjects/{place.subject}/visits/{place.visit}/forms/{place.form}/void"
        assert word(self.nurse(place).post(path, WHY, headers=headers)) == self.world.void(place)

    # ------------------------------------------------------------ verification

    def verify(self, dice: Random) -> None:
        place = self.page(dice)
        seen = self.seen(place, dice)
        named = None if dice.random() < EVEN else self.several(place, dice)
        body: dict[str, Any] = {"items": None if named is None else [{"item": item, "row": row} for item, row in named]}
        assert self.compared(place, "", body, seen) == self.world.verify(place, named, seen)

    def withdraw(self, dice: Random) -> None:
        place = dice.choice(sorted(at for at, page in self.world.pages.items() if page.marks))
        item, row = dice.choice(self.which(place))
        seen = self.seen(place, dice)
        body: dict[str, Any] = {"items": [{"item": item, "row": row}]} | WHY
        assert self.compared(place, "/withdraw", body, seen) == self.world.withdraw(place, (item, row), seen)

    def compared(self, place: Place, step: str, body: Any, seen: int) -> str:
        path = f"/subjects/{place.subject}/visits/{place.visit}/forms/{place.form}/verification{step}"
        return word(self.trial.monitor.post(path, body, headers={"If-Match": f'"{seen}"'}))

    def which(self, place: Place) -> list[Which]:
        """The items of a page, those that have an answer more often."""
        now = self.world.pages[place].now
        known = items(place.form, now.version)
        return [*now.answers, *now.answers, *known]

    def several(self, place: Place, dice: Random) -> list[Which]:
        return dice.choices(self.which(place), k=dice.randint(1, 3))

    # ------------------------------------------------------------ queries

    def ask(self, dice: Random) -> None:
        place = self.page(dice)
        item, row = dice.choice(self.which(place))
        where = {"subject": place.subject, "visit": place.visit, "form": place.form, "item": item, "row": row}
        answer = self.trial.manager.post("/queries", where | TEXT)
        assert word(answer) == self.world.ask(place, (item, row))
        if answer.is_success:
            self.keys[answer.json()["query"]] = self.world.queries[-1]

    def speak(self, dice: Random) -> None:
        name = dice.choice(("answer", "confirm", "close", "reopen", "cancel"))
        key = dice.choice([*self.keys])
        query = self.keys[key]
        who = self.nurse(query.place) if name in {"answer", "confirm"} else self.trial.manager
        assert word(who.post(f"/queries/{key}/{name}", TEXT)) == self.world.speak(query, name)

    # ------------------------------------------------------------ signatures

    def sign(self, dice: Random) -> None:
        """A page; under the second version, which lets pages be missing, also a visit or a casebook."""
        place = self.page(dice)
        depth = dice.randint(1, 3) if self.world.version(place) == 2 else 3
        scope = Scope(None, *place[:depth])  # type: ignore[arg-type] # a page is three deep
        path, what = f"/subjects/{place.subject}/signatures", {"visit": scope.visit, "form": scope.form}
        shown = self.trial.doctor.post(path + "/intent", what | APPROVAL)
        assert word(shown) == self.world.sign(scope, place)
        if shown.is_success:
            sent = what | APPROVAL | {"intent": shown.json()["intent"], "password": PASSWORD}
            assert word(self.trial.doctor.post(path, sent)) == "ok"

    # ------------------------------------------------------------ locks

    def close(self, dice: Random) -> None:
        """From an item, six parts deep, up to the study."""
        place = self.page(dice)
        where: tuple[Any, ...] = (*place, *dice.choice(self.which(place)))
        depth = dice.choice((6, 6, 6, 6, 5, 5, 4, 3, 2, 1, 0))
        scope = Scope(None, *where[: depth - 1]) if depth > 1 else Scope(dice.choice([*NURSES]) if depth else None)
        name = dice.choice(("freeze", "lock", "lock", "hard_lock", "unfreeze"))
        self.turn(scope, name, dice.choice(MANAGERS), despite=dice.random() < EVEN)

    def open(self, dice: Random) -> None:
        scope = dice.choice([*self.world.locks.held])
        name = dice.choice(("ask", "ask", "grant", "grant", "decline", "unfreeze", "hard_lock"))
        self.turn(scope, name, dice.choice(MANAGERS), despite=True)

    def open_by_two(self, dice: Random) -> None:
        """All the way, so that walks go on."""
        scope = dice.choice(self.closed())
        self.turn(scope, "unfreeze", "manager", despite=True)
        self.turn(scope, "ask", "manager", despite=True)
        self.turn(scope, "grant", "manager2", despite=True)

    def closed(self) -> list[Scope]:
        return [scope for scope, lock in self.world.locks.held.items() if lock.state != OPEN]

    def turn(self, scope: Scope, name: str, who: str, *, despite: bool) -> None:
        where = {part: value for part, value in scope._asdict().items() if value is not None} | WHY
        someone = self.trial.cast[who]
        if name in {"ask", "grant", "decline"}:
            answer = someone.post(f"/locks/{name}", where)
        else:
            answer = someone.post("/locks", where | {"action": name, "despite_queries": despite})
        assert word(answer) == self.world.step(scope, name, who, despite=despite)

    # ------------------------------------------------------------ amendments, transfers, cuts

    def plan(self, dice: Random) -> None:
        site = dice.choice([*NURSES])
        body = {"plan": PLAN.read_text(encoding="utf-8"), "approved_on": "2024-03-01"}
        answer = self.trial.builder.post(f"/sites/{site}/migrations", body)
        assert word(answer) == self.world.plan(site)
        if answer.is_success:
            self.migrations[site] = answer.json()["migration_id"]

    def amend(self, dice: Random) -> None:
        """A site is brought to the second version, or back to the first."""
        site = dice.choice([*self.migrations])
        ahead = self.world.sites[site].version == 1
        answer = self.trial.manager.post(f"/migrations/{self.migrations[site]}/{'run' if ahead else 'roll-back'}", WHY)
        assert word(answer) == (self.world.migrate(site) if ahead else self.world.roll_back(site))

    def transfer(self, dice: Random) -> None:
        subject, site = dice.choice([*SUBJECTS]), dice.choice([*NURSES])
        answer = self.trial.manager.post(f"/subjects/{subject}/transfer", {"site": site} | WHY)
        assert word(answer) == self.world.transfer(subject, site)

    def cut(self, _: Random) -> None:
        name = f"cut-{len(self.cuts)}"
        assert word(self.trial.statistician.post("/cuts", {"name": name} | WHY)) == "ok"
        self.cuts[name] = self.trial.manager.get(f"/cuts/{name}/export").content

    # ------------------------------------------------------------ step by step

    @rule(seed=st.integers(0, 2**32))
    def step(self, seed: int) -> None:
        """One of the acts that somebody can try now.

        Dice of its own make a step independent of those before it, and a seed that is given twice rolls on.
        """
        self.rolled[seed] += 1
        dice = Random(f"{seed} {self.rolled[seed]}")  # noqa: S311 - no secret hangs on it
        possible = [name for name, (weight, when) in ACTS.items() if when(self) for _ in range(weight)]
        name = dice.choice(possible)
        note(name)
        getattr(self, name)(dice)

    # ------------------------------------------------------------ what is always so

    @invariant()
    def every_page_is_what_the_model_says(self) -> None:
        """Its answers, what was verified, how far it is closed, who waits for an answer, and who has signed it."""
        found: dict[Place, dict[str, Any]] = {}
        for subject in SUBJECTS:
            book = self.trial.manager.get(f"/subjects/{subject}/casebook").json()
            assert book["site"] == self.world.locks.subjects[subject]
            found |= {Place(subject, page["visit"], page["form"]): page for page in book["pages"]}
        for place, page in found.items():
            told = self.instants.setdefault(place, [])
            told += [page["saved_at"]] * (page["revision"] - len(told))
            for each in page["queries"]:
                if each["query"] not in self.keys:
                    assert each["rule"] == "soft_min"
                    self.keys[each["query"]] = next(query for query in self.world.about(place) if query.rule)
        assert {place: _shown(page) for place, page in found.items()} == {
            place: self.expected(place) for place in self.world.pages
        }

    def expected(self, place: Place) -> tuple[Any, ...]:
        page = self.world.pages[place]
        waiting = {key: query.state for key, query in self.keys.items() if query.place == place}
        signed = [(each.pages[place], each.state) for each in self.world.signatures if place in each.pages]
        return (
            len(page.past), *page.now, page.marks, self.world.locks.upon(place),
            {key: state for key, state in waiting.items() if state in WAITING}, signed,
        )  # fmt: skip

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            found = self.trial.manager.get("/queries", params={"limit": 200}).json()["items"]
            assert {each["query"]: each["state"] for each in found} == {
                key: query.state for key, query in self.keys.items()
            }
            assert len(found) == len(self.world.queries) == len({id(query) for query in self.keys.values()})
            assert_nothing_is_lost(self.trial, self.world, self.instants)
            for name, kept in self.cuts.items():
                assert self.trial.manager.get(f"/cuts/{name}/export").content == kept, name
            self.trial.verified()
        self.trial.database.engine.dispose()


def _shown(page: dict[str, Any]) -> tuple[Any, ...]:
    marks = page["marks"]
    return (
        page["revision"], page["form_version"], page["status"], flat(page["answers"]),
        {(each["item"], each["row"]): each["state"] for each in marks["verification"]}, marks["lock"],
        {each["query"]: each["state"] for each in page["queries"]},
        [(each["revision"], each["state"]) for each in marks["signatures"]],
    )  # fmt: skip


def always(_: Walk) -> bool:
    return True


ACTS: dict[str, tuple[int, Callable[[Walk], Any]]] = {
    "enter": (4, always),
    "correct": (8, always),
    "blank": (3, always),
    "void": (2, always),
    "verify": (5, always),
    "withdraw": (1, lambda walk: any(page.marks for page in walk.world.pages.values())),
    "ask": (2, always),
    "speak": (5, lambda walk: walk.keys),
    "sign": (4, always),
    "close": (5, always),
    "open": (3, lambda walk: walk.world.locks.held),
    "open_by_two": (3, lambda walk: walk.closed()),
    "plan": (2, always),
    "amend": (4, lambda walk: walk.migrations),
    "transfer": (1, always),
    "cut": (1, lambda walk: len(walk.cuts) < 2),
}
"""What can be tried, how often beside the others, and when. Whatever is new in data management is one more line."""


def test_whatever_people_do_the_trial_is_where_the_model_says(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    both = second(tmp_path_factory.mktemp("walk") / "forms")
    with (both / "studies" / "TRIAL" / "v2.toml").open("a", encoding="utf-8") as study:
        study.write("\n[signing]\ndespite_missing = true\n")
    walks = os.environ.get("MARROW_WALKS")

    def begin() -> Walk:
        return Walk(begun(server, tmp_path_factory.mktemp("walk"), both))

    run_state_machine_as_test(
        begin,  # type: ignore[arg-type] # anything that makes a machine
        settings=settings(
            max_examples=int(walks or 12),
            stateful_step_count=40,
            derandomize=walks is None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _tell(answer: Any) -> None:
    """What is told of a walk that fails: each request that would write, with its answer."""
    asked = answer.request
    if asked.method != "GET":
        note(f"  {answer.status_code} {asked.method} {asked.url.path} {asked.content.decode()}")


def begun(server: Server, folder: Path, forms: Path) -> Trial:
    """A trial of its own: two subjects, both versions released, one monitor and one investigator for both sites."""
    trial = Trial.open(make_engine(server.clone().app_url, pool_size=3), folder)
    trial.client.event_hooks = {"response": [_tell]}
    publish(trial.database, forms)
    for number, site in SUBJECTS.items():
        trial.cast[NURSES[site]].subject(site, number=number)
    for name, role in (("monitor", "monitor"), ("doctor", "investigator")):
        grant = {"username": name, "role": role, "site": "HZ02", "reason": "Also there"}
        assert trial.administrator.post("/grants", grant).status_code == 201
    return trial
