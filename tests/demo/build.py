"""The trials as files, and a casebook derived without a database."""

from collections.abc import Iterable
from functools import cache

from app.bench import trials
from app.bench.trials import casebook
from app.demo.pages import Entry
from app.derivations.conclude import Conclusion, conclude
from app.derivations.readings import read_pages
from app.study.library import Build
from app.subjects import facts

__all__ = ["books", "builds", "casebook", "conclusion"]


@cache
def builds() -> dict[str, Build]:
    """The four trials with their forms, by key."""
    return trials.builds()


@cache
def books(trial: str) -> tuple[tuple[Entry, ...], ...]:
    """The entries of every subject of a trial."""
    return tuple(trials.entries(trial, builds()[trial]))


def conclusion(trial: str, entries: Iterable[Entry]) -> Conclusion:
    """What these entries amount to."""
    build = builds()[trial]
    book = casebook(entries)
    read = read_pages(build, lambda form, _: build.forms[form], facts.standing(book), remember=False)
    return conclude(build, read.captured(), read.values)
