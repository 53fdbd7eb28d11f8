"""`python -m app.bench.deriving <url>`: a study derived again in a process of its own, as `marrow derive` does it.

Prints how many subjects there are, and how many a second: from their stored records, by the engine alone, by the bare
fetch of the same records; and of the four trials.
"""

import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from app.bench import trials
from app.bench.child import told
from app.bench.exporting import connected
from app.bench.study import STUDY
from app.core.db import make_engine
from app.core.heap import settle
from app.core.transaction import Database, see_all
from app.derivations.conclude import conclude
from app.derivations.derive import derived
from app.derivations.readings import read_pages
from app.study.library import form_of, newest
from app.subjects import facts

_ENOUGH = 1000  # subjects to time the engine with


@dataclass(frozen=True, slots=True)
class Derivation:
    """Subjects a second."""

    subjects: int
    stored: float
    engine: float
    bare: float
    pages: float
    """How many a subject of the four trials has."""
    trials: float
    """How many of these, from pages in memory."""


def measured(url: str) -> Derivation:
    """Run this module in a child."""
    return Derivation(**told("app.bench.deriving", url))


def derivation(url: str) -> Derivation:
    """Derive the whole study from its pages, three times; and the engine alone."""
    engine = make_engine(url)
    settle()
    count, seconds = 0, []
    for _ in range(3):
        with Database(engine, Path("/dev/null")).reading() as session:  # one that remembers nothing yet
            see_all(session)
            began = perf_counter()
            count = sum(1 for _ in derived(session, STUDY))
            seconds.append(perf_counter() - began)
    with Database(engine, Path("/dev/null")).reading() as session:
        see_all(session)
        build = newest(session, STUDY)
        known = []
        for _, pages in facts.everybody(session, STUDY):
            read = read_pages(build, partial(form_of, session), facts.standing(pages), remember=False)
            known.append((read.captured(), read.values))
            if len(known) == _ENOUGH:
                break
    began = perf_counter()
    for captured, of in known:
        conclude(build, captured, of)
    alone = len(known) / (perf_counter() - began)
    engine.dispose()
    bare = count / median(_fetched(url) for _ in range(3))
    return Derivation(count, count / median(seconds), alone, bare, *trials.measure())


_PAGES = """
    SELECT r.subject_id, r.visit, r.visit_repeat, r.form_id, r.repeat, r.form_version, v.number, v.status, v.at,
           v.answers
    FROM record r JOIN revision v ON (v.study_id, v.record_id, v.number) = (r.study_id, r.record_id, r.revision)
    WHERE r.study_id = 'BENCH' ORDER BY 1, 2, 3, 4, 5
"""


def _fetched(url: str) -> float:
    """Seconds for the pages of the study through a cursor, whole, their JSON read."""
    with connected(url) as connection, connection.cursor("pages") as cursor:
        cursor.itersize = 1000
        began = perf_counter()
        for _ in cursor.execute(_PAGES):
            pass
        return perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(derivation(sys.argv[1]))))
