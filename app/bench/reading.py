"""What is read: a casebook, and a page's history."""

from dataclasses import dataclass

from app.bench.drive import Timing, drive, process, request
from app.bench.saves import fewest, served
from app.bench.study import STUDY
from app.bench.world import World

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
