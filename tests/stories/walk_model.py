"""What data management is, told a second time and as plainly as possible: pages, what is said of them, two versions.

Each act says how it ends, in one word, and does what it does if that is "ok". Nothing here knows the program.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from tests.stories.walk_marks import HARD_LOCKED, LOCKED, OPEN, WAITING, Locks, Query, Scope
from tests.stories.walk_pages import LOW, NEW_VISIT, Answers, Place, Which, ahead, behind, changes, items, owes

COMPLETE, INCOMPLETE, VOID = "complete", "incomplete", "void"
CLOSED = {LOCKED, HARD_LOCKED}


class Revision(NamedTuple):
    """A page as it was acknowledged once."""

    version: int
    status: str
    answers: Answers


@dataclass
class Page:
    """A page with all it ever was, and what was verified of it."""

    place: Place
    begun_under: int
    past: list[Revision] = field(default_factory=list)
    marks: dict[Which, str] = field(default_factory=dict)
    orphans: Answers = field(default_factory=dict)

    @property
    def now(self) -> Revision:
        return self.past[-1]

    @property
    def counts(self) -> bool:
        return self.now.status != VOID

    @property
    def low(self) -> Any:
        """The haemoglobin that the rule asks about."""
        value = self.now.answers.get(("hb", None)) if self.past and self.counts else None
        return value if value in LOW else None


class Moved(NamedTuple):
    """What a migration found on a page, and the number of the revision that it made."""

    before: Revision
    number: int
    after: Answers


@dataclass
class Signature:
    """What was signed: a page, a visit or a casebook under a version of the study, with the number of each revision."""

    scope: Scope
    version: int
    pages: dict[Place, int]
    state: str = "standing"


@dataclass
class Site:
    """A site: the version in force, whether a plan waits, and the pages that it has moved."""

    version: int = 1
    planned: bool = False
    moved: dict[Place, Moved] = field(default_factory=dict)


def _plain(page: Page | None, before: Revision, found: dict[Which, tuple[Any, Any]]) -> bool:
    """Whether a save needs no reason: a page that is begun, or goes on being filled in."""
    return page is None or (before.status == INCOMPLETE and all(was is None for was, _ in found.values()))


@dataclass
class World:
    """The whole of the trial."""

    sites: dict[str, Site]
    locks: Locks
    pages: dict[Place, Page] = field(default_factory=dict)
    queries: list[Query] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    """Subjects that were locked when something came in force that would derive them anew."""

    # ------------------------------------------------------------ pages

    def save(self, place: Place, answers: Answers, *, complete: bool, reason: bool, seen: int) -> str:
        page = self.pages.get(place)
        before = page.now if page else Revision(self.version(place), INCOMPLETE, {})
        after = Revision(before.version, COMPLETE if complete else INCOMPLETE, answers)
        found = changes(before.answers if page is None or page.counts else {}, answers)
        if (refused := self._kept_out(place, seen)) is not None:
            return refused
        if page and before == after:
            return "ok"
        if (complete and owes(place.form, after.version, answers)) or not (reason or _plain(page, before, found)):
            return "unreadable"
        if self.locks.upon(place, found) != OPEN:
            return "locked"
        self._store(page or Page(place, before.version), after, found)
        return "ok"

    def _kept_out(self, place: Place, seen: int) -> str | None:
        page = self.pages.get(place)
        if self.locks.upon(place) != OPEN:
            return "locked"
        if page is None and place.visit == NEW_VISIT and self.version(place) == 1:
            return "absent"
        return None if seen == (len(page.past) if page else 0) else "stale"

    def void(self, place: Place) -> str:
        page = self.pages[place]
        if self.locks.upon(place) != OPEN:
            return "locked"
        if not page.counts:
            return "conflict"
        gone = changes(page.now.answers, {})
        if self.locks.upon(place, gone) != OPEN:
            return "locked"
        self._store(page, page.now._replace(status=VOID), gone)
        for query in self.about(place):
            query.state = "closed" if query.state in WAITING else query.state
        return "ok"

    def _store(self, page: Page, revision: Revision, found: dict[Which, tuple[Any, Any]]) -> None:
        before = page.low
        page.past.append(revision)
        self.pages[page.place] = page
        for which, (_, after) in found.items():
            if page.marks.pop(which, None) and after is not None:
                page.marks[which] = "reset"
        for signature in self.signatures:
            if page.place in signature.pages and (found or not page.counts):
                signature.state = "broken"
        after = page.low
        if after == before:
            return
        thread = next((query for query in self.about(page.place) if query.rule), None)
        if after is None:
            thread.settles() if thread else None
        elif thread:
            thread.asks(after)
        else:
            self.queries.append(Query(page.place, ("hb", None), rule=True))

    # ------------------------------------------------------------ marks and queries

    def verify(self, place: Place, wanted: Iterable[Which] | None, seen: int) -> str:
        page = self.pages[place]
        if (refused := self._looked_at(page, seen)) is not None:
            return refused
        named = list(page.now.answers if wanted is None else wanted)
        if not set(named) <= page.now.answers.keys():
            return "unreadable"
        if self.locks.upon(place, named) in CLOSED:
            return "locked"
        page.marks |= dict.fromkeys(named, "verified")
        return "ok"

    def withdraw(self, place: Place, which: Which, seen: int) -> str:
        page = self.pages[place]
        if (refused := self._looked_at(page, seen)) is not None:
            return refused
        if which not in page.marks:
            return "unreadable"
        if self.locks.upon(place, [which]) in CLOSED:
            return "locked"
        del page.marks[which]
        return "ok"

    @staticmethod
    def _looked_at(page: Page, seen: int) -> str | None:
        if not page.counts:
            return "conflict"
        return None if seen == len(page.past) else "stale"

    def ask(self, place: Place, which: Which) -> str:
        if self.locks.upon(place, [which]) in CLOSED:
            return "locked"
        page = self.pages[place]
        if not page.counts:
            return "conflict"
        rows = {row for _, row in page.now.answers} | {None}
        if which not in items(place.form, page.now.version) or which[1] not in rows:
            return "unreadable"
        self.queries.append(Query(place, which, rule=False))
        return "ok"

    def speak(self, query: Query, name: str) -> str:
        if self.locks.upon(query.place, [query.which]) in CLOSED:
            return "locked"
        return query.act(name, self.pages[query.place].low)

    def about(self, place: Place) -> Iterator[Query]:
        return (query for query in self.queries if query.place == place)

    def sign(self, scope: Scope, place: Place) -> str:
        """Sign what a scope around a page holds; the second version of the study lets pages be incomplete."""
        version = self.version(place)
        pages = [page for page in self.pages.values() if page.counts and scope.covers("", page.place, ("", None))]
        if any(self.locks.upon(page.place) in CLOSED for page in pages):
            return "locked"
        wanting = not pages or (version == 1 and any(page.now.status != COMPLETE for page in pages))
        if wanting or any(self.locks.waits(scope, query) for query in self.queries):
            return "not-ready"
        made = Signature(scope, version, {page.place: len(page.past) for page in pages})
        if made not in self.signatures:
            self.signatures.append(made)
        return "ok"

    def step(self, scope: Scope, name: str, who: str, *, despite: bool) -> str:
        """A step of a lock, `despite` the queries that wait for somebody."""
        return self.locks.step(scope, name, who, () if despite else self.queries)

    # ------------------------------------------------------------ amendments

    def version(self, place: Place) -> int:
        return self.sites[self.locks.subjects[place.subject]].version

    def plan(self, name: str) -> str:
        site = self.sites[name]
        if self.locks.upon_all(name) in CLOSED:
            return "locked"
        if site.version == 2:
            return "conflict"
        site.planned = True
        return "ok"

    def migrate(self, name: str) -> str:
        site = self.sites[name]
        if not site.planned:
            return "conflict"
        if self.locks.upon_all(name) in CLOSED:
            return "locked"
        steps: dict[Place, tuple[Revision, Answers]] = {}
        for page in self._standing(name):
            version, status, answers = page.now
            if version == 1:
                made, orphans = ahead(page.place.form, answers, complete=status == COMPLETE)
                steps[page.place] = (Revision(2, status, made), orphans)
        if any(self.locks.upon(place, self._differs(place, after)) != OPEN for place, (after, _) in steps.items()):
            return "unresolved"
        run = {}
        for place, (after, orphans) in steps.items():
            page = self.pages[place]
            run[place] = Moved(page.now, len(page.past) + 1, after.answers)
            self._store(page, after, self._differs(place, after))
            page.orphans = orphans
        self._in_force(name, 2)
        site.planned = False
        site.moved = run
        return "ok"

    def roll_back(self, name: str) -> str:
        site = self.sites[name]
        if self.locks.upon_all(name) in CLOSED:
            return "locked"
        steps: dict[Place, Revision] = {}
        for page in self._standing(name):
            moved = self._moved(page.place)
            if moved is None and page.place.visit == NEW_VISIT and page.begun_under == 2:
                return "unresolved"
            if page.now.version == 2:
                back = self._as_before(page, moved)
                if back is None:
                    return "unresolved"
                steps[page.place] = back
        if any(self.locks.upon(place, self._differs(place, back)) != OPEN for place, back in steps.items()):
            return "unresolved"
        for place, back in steps.items():
            self._store(self.pages[place], back, self._differs(place, back))
            self.pages[place].orphans = {}
        self._in_force(name, 1)
        site.moved = {}
        return "ok"

    def _as_before(self, page: Page, moved: Moved | None) -> Revision | None:
        if moved is not None and moved.number == len(page.past):
            return moved.before
        was, then = (moved.before.answers, moved.after) if moved else ({}, {})
        answers = behind(was, then, page.now.answers)
        if answers is None:
            return None
        whole = page.now.status == COMPLETE and not owes(page.place.form, 1, answers)
        return Revision(1, COMPLETE if whole else INCOMPLETE, answers)

    def _moved(self, place: Place) -> Moved | None:
        found = [site.moved[place] for site in self.sites.values() if place in site.moved]
        return max(found, key=attrgetter("number"), default=None)

    def _standing(self, site: str) -> list[Page]:
        return [page for page in self.pages.values() if page.counts and self.locks.subjects[page.place.subject] == site]

    def _differs(self, place: Place, after: Revision) -> dict[Which, tuple[Any, Any]]:
        return changes(self.pages[place].now.answers, after.answers)

    def _in_force(self, name: str, version: int) -> None:
        self.sites[name].version = version
        for subject, site in self.locks.subjects.items():
            if site == name and self.locks.upon_all(site, subject) in CLOSED:
                self.held.add(subject)

    def transfer(self, subject: str, site: str) -> str:
        here = self.locks.subjects[subject]
        if site == here:
            return "conflict"
        if {self.locks.upon_all(here, subject), self.locks.upon_all(site)} & CLOSED:
            return "locked"
        self.locks.subjects[subject] = site
        return "ok"
