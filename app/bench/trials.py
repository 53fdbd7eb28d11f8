"""The four trials of the demonstration derived from pages in memory, where rules grade what stands on many pages."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

from app.demo.pages import Entry, pages
from app.demo.run import FORMS
from app.demo.trials import PLANS, SEED, cohort
from app.derivations.conclude import conclude
from app.derivations.readings import read_pages
from app.study.check import read_tree
from app.study.library import Build
from app.subjects import facts
from app.subjects.facts import Page, Place

_TIMES = 5


class Trials(NamedTuple):
    """How many pages a subject has, and how many subjects are derived in a second."""

    pages: float
    rate: float


def builds() -> dict[str, Build]:
    """The four trials with their forms, by key."""
    tree = read_tree(FORMS)
    return {
        study.study: Build(study, {form: tree.forms[form, number] for form, number in study.forms.items()})
        for study in tree.studies
        if study.study in PLANS
    }


def entries(trial: str, build: Build) -> list[tuple[Entry, ...]]:
    """What is entered for every subject of a trial."""
    return [tuple(pages(build.study, build.forms, course, seed=SEED)) for course in cohort(trial)]


def casebook(entered: Iterable[Entry]) -> dict[Place, Page]:
    """The pages as they stand after these entries."""
    made: dict[Place, Page] = {}
    revisions: Counter[Place] = Counter()
    for number, entry in enumerate(entered):
        revisions[entry.place] += 1
        status = "void" if entry.void else "complete" if entry.complete else "incomplete"
        answers = {
            name: [{"row": row, **each} for row, each in enumerate(value, start=1)]
            if isinstance(value, list) and value and isinstance(value[0], dict)
            else value
            for name, value in entry.answers.items()
        }
        at = datetime.fromtimestamp(number, tz=UTC)
        made[entry.place] = Page("X", UUID(int=number), entry.place, 1, 1, revisions[entry.place], status, answers, at)
    return made


def measure() -> Trials:
    """Derive every subject of the four trials, several times; the fastest counts."""
    books = [(build, [casebook(each) for each in entries(trial, build)]) for trial, build in builds().items()]
    fastest = min(_seconds(books) for _ in range(_TIMES))
    subjects = sum(len(some) for _, some in books)
    return Trials(sum(len(each) for _, some in books for each in some) / subjects, subjects / fastest)


def _seconds(books: Iterable[tuple[Build, list[dict[Place, Page]]]]) -> float:
    began = perf_counter()
    for build, some in books:
        _derive(build, some)
    return perf_counter() - began


def _derive(build: Build, books: Iterable[dict[Place, Page]]) -> None:
    for book in books:
        read = read_pages(build, lambda form, _: build.forms[form], facts.counting(book), remember=False)
        conclude(build, read.captured(), read.values)
