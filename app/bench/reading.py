"""What is read: a casebook, a page's history, a study derived again."""

from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

from app.bench.drive import Timing, drive, process, request
from app.bench.exporting import connected
from app.bench.saves import fewest, served
from app.bench.study import STUDY
from app.bench.world import World
from app.core.transaction import Database, see_all
from app.derivations.conclude import conclude
from app.derivations.derive import derived
from app.derivations.readings import read_pages
from app.study.library import form_of, newest
from app.subjects import facts

_API = f"/api/v1/studies/{STUDY}/subjects"


@dataclass(frozen=True, slots=True)
class Asked:
    """One client asking for the same thing again and again, and the statements that it takes."""

    timing: Timing
    statements: int


def asked(world: World, subject: str, *, times: int) -> tuple[Asked, Asked]:
    """A subject's casebook, and the history of one of its pages, item by item."""
    paths = (f"{_API}/{subject}/casebook", f"{_API}/{subject}/visits/V/forms/panel/history")
    asking = [request("GET", path, world.token) for path in paths]
    with process("app.bench.serving", world.server.app_url, world.database.anchors) as serving:
        drive(serving.port, [asking * 3])
        timings = [drive(serving.port, [[one] * times]) for one in asking]
    with served(world) as port:
        drive(port, [asking])
        counts = [fewest(world, port, one) for one in asking]
    casebook, history = (Asked(timing, count) for timing, count in zip(timings, counts, strict=True))
    return casebook, history


@dataclass(frozen=True, slots=True)
class Derivation:
    """Subjects a second: from their stored records, by the engine alone, and the bare fetch of the same records."""

    subjects: int
    stored: float
    engine: float
    bare: float


def derivation(world: World) -> Derivation:
    """Derive the whole study from its pages, three times; and the engine alone."""
    count, seconds = 0, []
    for _ in range(3):
        with Database(world.engine, world.database.anchors).reading() as session:  # one that remembers nothing yet
            see_all(session)
            began = perf_counter()
            count = sum(1 for _ in derived(session, STUDY))
            seconds.append(perf_counter() - began)
    with world.database.reading() as session:
        see_all(session)
        build = newest(session, STUDY)
        known = []
        for _, pages in facts.everybody(session, STUDY):
            read = read_pages(build, partial(form_of, session), facts.standing(pages), remember=False)
            known.append((read.captured(), read.values))
            if len(known) == 1000:  # noqa: PLR2004 - enough to time
                break
    began = perf_counter()
    for captured, of in known:
        conclude(build, captured, of)
    engine = len(known) / (perf_counter() - began)
    return Derivation(count, count / median(seconds), engine, count / median(_fetched(world) for _ in range(3)))


_PAGES = """
    SELECT r.subject_id, r.visit, r.visit_repeat, r.form_id, r.repeat, r.form_version, v.number, v.status, v.at,
           v.answers
    FROM record r JOIN revision v ON (v.study_id, v.record_id, v.number) = (r.study_id, r.record_id, r.revision)
    WHERE r.study_id = 'BENCH' ORDER BY 1, 2, 3, 4, 5
"""


def _fetched(world: World) -> float:
    """Seconds for the pages of the study through a cursor, whole, their JSON read."""
    with connected(world.server.app_url) as connection, connection.cursor("pages") as cursor:
        cursor.itersize = 1000
        began = perf_counter()
        for _ in cursor.execute(_PAGES):
            pass
        return perf_counter() - began
