"""The outcome of a trial as one table: every endpoint with its numbers and its estimate, every rate."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy.orm import Session

from app.clinical.endpoints.result import Result, Spec, Status
from app.derivations.derive import derived
from app.derivations.summary import competes, estimate
from app.study.definition import Study


@dataclass(frozen=True, slots=True)
class Line:
    """An endpoint over the subjects of a trial. `read` is the day the curve is read, `shown` what it says there."""

    code: str
    label: str
    number: int
    events: int
    competing: int | None
    censored: int
    unclear: int
    read: int | None
    shown: str


def lines(session: Session, study: Study, *, cutoff: date) -> list[Line]:
    """The primary definition of every endpoint, in the order of the study file."""
    found: dict[str, list[Result]] = {}
    specs: dict[str, Spec] = {}
    for each in derived(session, study.study, cutoff=cutoff):
        for result in each.conclusion.results:
            if result.spec.variant == "PRIMARY":
                specs[result.spec.code] = result.spec
                found.setdefault(result.spec.code, []).append(result)
    labels = {endpoint.code: endpoint.label.en for endpoint in study.endpoints}
    return [_line(spec, labels[code], found[code]) for code, spec in specs.items()]


def _line(spec: Spec, label: str, results: Sequence[Result]) -> Line:
    counts = Counter(result.status for result in results)
    numbered = sum(counts[status] for status in (Status.EVENT, Status.COMPETING, Status.CENSORED))
    read = estimate(spec, results)
    shown = "-"
    if read is not None:
        shown = f"{read.value:.1%}"
        if read.lower is not None and read.upper is not None:
            shown += f" ({read.lower:.1%} to {read.upper:.1%})"
    return Line(
        code=spec.code,
        label=label,
        number=numbered,
        events=counts[Status.EVENT],
        competing=counts[Status.COMPETING] if competes(spec) else None,
        censored=counts[Status.CENSORED],
        unclear=counts[Status.QUERY],
        read=read.day if read else None,
        shown=shown,
    )


def table(study: Study, found: Sequence[Line]) -> Table:
    """The lines as a table for people."""
    suggested = {endpoint.code for endpoint in study.endpoints if endpoint.suggested}
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    made.add_column("Endpoint", no_wrap=True)
    made.add_column("In words", max_width=36, overflow="ellipsis", no_wrap=True)
    for column in ("n", "Events", "Competing", "Censored", "Day", "Estimate (95 % CI)"):
        made.add_column(column, justify="right", no_wrap=True)
    for line in found:
        made.add_row(
            line.code + ("*" if line.code in suggested else ""), line.label, str(line.number), str(line.events),
            "" if line.competing is None else str(line.competing), str(line.censored),
            "" if line.read is None else str(line.read), line.shown,
        )  # fmt: skip
    if suggested:
        made.caption = "* a suggestion: the public entry of the trial does not list it"
        made.caption_justify = "left"
    return made
