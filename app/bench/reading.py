"""What is read: a casebook, a page's history, a study derived again."""

from dataclasses import dataclass
from statistics import median
from time import perf_counter

from app.bench.drive import Timing, drive, process, request
from app.bench.saves import counted, served
from app.bench.world import STUDY, World
from app.core.transaction import see_all
from app.derivations.conclude import conclude
from app.derivations.derive import derived
from app.derivations.gather import gather
from app.study.library import form_of, newest
from app.subjects import facts

_API = f"/api/v1/studies/{STUDY}/subjects"


def casebook(world: World, subject: str, *, times: int) -> tuple[Timing, int]:
    """One client asking for a casebook again and again, and the statements that takes."""
    return _asked(world, f"{_API}/{subject}/casebook", times)


def history(world: World, subject: str, *, times: int) -> tuple[Timing, int]:
    """The same for the history of a page, item by item."""
    return _asked(world, f"{_API}/{subject}/visits/V/forms/panel/history", times)


def _asked(world: World, path: str, times: int) -> tuple[Timing, int]:
    asking = request("GET", path, world.token)
    with process("app.bench.serving", world.server.app_url, world.database.anchors) as serving:
        drive(serving.port, [[asking] * 3])
        timing = drive(serving.port, [[asking] * times])
    with served(world) as port:
        drive(port, [[asking]])
        with counted(world) as seen:
            drive(port, [[asking]])
    return timing, len(seen)


@dataclass(frozen=True, slots=True)
class Derivation:
    """Subjects a second: from their stored records, and by the engine alone from facts in memory."""

    subjects: int
    stored: float
    engine: float


def derivation(world: World) -> Derivation:
    """Derive the whole study from its pages, three times; and the engine alone."""
    with world.database.reading() as session:
        see_all(session)
        count, seconds = 0, []
        for _ in range(3):
            began = perf_counter()
            count = sum(1 for _ in derived(session, STUDY))
            seconds.append(perf_counter() - began)
        build = newest(session, STUDY)
        known = []
        for _, pages in facts.everybody(session, STUDY):
            counted_ = facts.standing(pages)
            forms = {key: form_of(session, *key) for key in {(p.place.form, p.form_version) for p in counted_}}
            of = facts.known(build, pages)
            known.append((gather(build, forms, counted_, of), of))
            if len(known) == 1000:  # noqa: PLR2004 - enough to time
                break
    began = perf_counter()
    for captured, of in known:
        conclude(build, captured, of)
    engine = len(known) / (perf_counter() - began)
    return Derivation(count, count / median(seconds), engine)
