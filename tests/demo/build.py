"""The trials as files, and a casebook derived without a database."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from app.demo.pages import Entry, pages
from app.demo.run import FORMS
from app.demo.trials import SEED, cohort
from app.derivations.conclude import Conclusion, conclude
from app.derivations.readings import read_pages
from app.study.check import read_tree
from app.study.library import Build
from app.subjects import facts
from app.subjects.facts import Page, Place


@cache
def builds() -> dict[str, Build]:
    """The four trials with their forms, by key."""
    tree = read_tree(FORMS)
    assert not tree.mistakes
    return {
        study.study: Build(study, {form: tree.forms[form, number] for form, number in study.forms.items()})
        for study in tree.studies
    }


@cache
def books(trial: str) -> tuple[tuple[Entry, ...], ...]:
    """The entries of every subject of a trial."""
    build = builds()[trial]
    return tuple(tuple(pages(build.study, build.forms, course, seed=SEED)) for course in cohort(trial))


def casebook(entries: Iterable[Entry]) -> dict[Place, Page]:
    """The pages as they stand after these entries."""
    made: dict[Place, Page] = {}
    revisions: Counter[Place] = Counter()
    for number, entry in enumerate(entries):
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


def conclusion(trial: str, entries: Iterable[Entry]) -> Conclusion:
    """What these entries amount to."""
    build = builds()[trial]
    book = casebook(entries)
    read = read_pages(build, lambda form, _: build.forms[form], facts.standing(book), remember=False)
    return conclude(build, read.captured(), read.values)
