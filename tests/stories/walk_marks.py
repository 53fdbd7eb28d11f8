"""Locks and queries as a walk tells them: what is closed how far, and where a conversation stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.stories.walk_pages import Place, Which

OPEN, FROZEN, LOCKED, HARD_LOCKED = STATES = ("open", "frozen", "locked", "hard_locked")
WAITING = {"open", "reopened", "answered"}

_STEPS = {
    (OPEN, "freeze"): FROZEN, (OPEN, "lock"): LOCKED, (FROZEN, "unfreeze"): OPEN, (FROZEN, "lock"): LOCKED,
    (LOCKED, "hard_lock"): HARD_LOCKED, (LOCKED, "ask"): LOCKED, (LOCKED, "decline"): LOCKED, (LOCKED, "grant"): OPEN,
    (HARD_LOCKED, "ask"): HARD_LOCKED, (HARD_LOCKED, "decline"): HARD_LOCKED, (HARD_LOCKED, "grant"): OPEN,
}  # fmt: skip
_ANSWERS = {"grant", "decline"}
_SAID = {"answer": "answered", "confirm": "answered", "close": "closed", "cancel": "cancelled", "reopen": "reopened"}


class Scope(NamedTuple):
    """What a lock covers; nothing is the study."""

    site: str | None = None
    subject: str | None = None
    visit: str | None = None
    form: str | None = None
    item: str | None = None
    row: int | None = None

    def covers(self, site: str, place: Place, which: Which) -> bool:
        at = Scope(site, *place, *which)
        return all(want in {None, have} for want, have in zip(self, at, strict=True))


@dataclass
class Query:
    """A conversation about one item: of the rule about low haemoglobins, or of a person."""

    place: Place
    which: Which
    rule: bool
    state: str = "open"
    confirmed: Any = None

    def act(self, name: str, value: Any) -> str:
        """What a person does in it; `value` is what the rule asks about now, if anything."""
        possible = self.state not in {"open", "reopened"} if name == "reopen" else self.state in WAITING
        if not possible:
            return "conflict"
        self.state = _SAID[name]
        if name in {"confirm", "reopen"}:
            self.confirmed = value if name == "confirm" and self.rule else None
        return "ok"

    def asks(self, value: Any) -> None:
        """The rule asks about another value."""
        if value == self.confirmed:
            self.settles()
        elif self.state not in {"open", "reopened"}:
            self.state = "reopened" if self.state == "answered" else "open"

    def settles(self) -> None:
        """There is nothing left to ask: what people have spoken about stays with them."""
        if self.state == "open":
            self.state = "closed"


@dataclass
class Lock:
    """How far a scope is closed, and who asks for it to be opened."""

    state: str = OPEN
    asked: str | None = None


@dataclass
class Locks:
    """Every scope that was ever closed. `subjects` says at which site each subject is."""

    subjects: dict[str, str]
    held: dict[Scope, Lock] = field(default_factory=dict)

    def upon(self, place: Place, which: Iterable[Which] = ()) -> str:
        """How far a page is closed, or these items of it."""
        site, named = self.subjects[place.subject], [*which]
        return _strictest(
            lock.state
            for scope, lock in self.held.items()
            if any(scope.covers(site, place, each) for each in (named if scope.item else [("", None)]))
        )

    def upon_all(self, site: str, subject: str | None = None) -> str:
        """How far a site as a whole is closed, or a subject there."""
        return _strictest(
            lock.state
            for scope, lock in self.held.items()
            if scope.visit is None and scope.site in {None, site} and scope.subject in {None, subject}
        )

    def step(self, scope: Scope, name: str, who: str, waiting: Iterable[Query]) -> str:
        """Close a scope further, or open it: freeze, unfreeze, lock, hard_lock, ask, grant, decline.

        `waiting` are the queries that keep it from being locked.
        """
        lock = self.held.get(scope, Lock())
        site = self.subjects[scope.subject] if scope.subject else scope.site
        if any(self.held.get(each, Lock()).state == HARD_LOCKED for each in {Scope(), Scope(site)} - {scope}):
            return "locked"
        if name == "hard_lock" and scope.subject:
            return "unreadable"
        if (lock.state, name) not in _STEPS or (lock.asked if name == "ask" else name in _ANSWERS and not lock.asked):
            return "conflict"
        if name == "grant" and lock.asked == who:
            return "forbidden"
        if name in {"lock", "hard_lock"} and any(self.waits(scope, query) for query in waiting):
            return "conflict"
        self.held[scope] = Lock(_STEPS[lock.state, name], who if name == "ask" else None)
        return "ok"

    def waits(self, scope: Scope, query: Query) -> bool:
        """Whether a query within the scope waits for somebody."""
        return query.state in WAITING and scope.covers(self.subjects[query.place.subject], query.place, query.which)


def _strictest(states: Iterable[str]) -> str:
    return max(states, key=STATES.index, default=OPEN)
