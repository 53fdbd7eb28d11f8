"""`marrow bench`: everything is measured at one size and again at ten times as much data, in one run."""

from dataclasses import dataclass
from time import perf_counter

from rich.console import Console

from app.bench import exporting, reading, saves, starting
from app.bench.fill import VALUES, Filler
from app.bench.report import Line, at_least, below, machine, show
from app.bench.world import World, world

PAGES = 10
BIG = 2_000
"""Item values of the casebook that is read."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: subjects at first, audit changes in the end, saved subjects per client, repeated reads."""

    subjects: int
    changes: int
    saved: int
    reads: int


FULL = Size(subjects=264, changes=200_000, saved=6, reads=60)
QUICK = Size(subjects=27, changes=20_000, saved=2, reads=20)


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything at one amount of data."""

    values: int
    saves: saves.Saves
    casebook: reading.Asked
    derivation: reading.Derivation
    export: dict[str, dict[str, float]]
    history: reading.Asked


def run(*, quick: bool = False, memory: bool = False, console: Console | None = None) -> bool:
    """Measure and print; whether every target was met."""
    console = console or Console(width=136)
    size = QUICK if quick else FULL
    began = perf_counter()
    console.print(machine(memory=memory))
    with world(in_memory=memory) as here:
        filler = Filler(here)
        started, imported = starting.start(here), starting.imports(here.folder)
        filler.subjects(size.subjects, PAGES)
        once = _measure(here, filler, size)
        filler.subjects(9 * size.subjects, PAGES)
        tenfold = _measure(here, filler, size)
        filler.changes(size.changes)
        (subject,) = filler.subjects(1, PAGES)
        _, history = reading.asked(here, subject, times=size.reads)
    lines = [
        *_lines(tenfold),
        below(
            f"item history beside {size.changes:,} changes, p95",
            history.timing.percentile(0.95),
            50,
            "ms",
            _count(history.statements),
        ),
        below("server start, until ready", started, 2, "s"),
        below("import of app.main", imported, 1, "s"),
    ]
    show(f"At {tenfold.values:,} item values", lines, console)
    show(f"From {once.values:,} to {tenfold.values:,} item values", _growth(once, tenfold), console)
    console.print(f"{perf_counter() - began:.0f} s in all. What each line means: docs/performance.md")
    return all(line.met is not False for line in lines)


def _measure(here: World, filler: Filler, size: Size) -> Measured:
    values = filler.made * PAGES * VALUES
    (big,) = filler.subjects(1, -(-BIG // VALUES))
    url = here.server.app_url
    export = {way: exporting.measured(way, url) for way in ("bare", "copy", "forms", "marrow")}
    derivation = reading.derivation(here)
    casebook, history = reading.asked(here, big, times=size.reads)
    return Measured(values, saves.measure(here, subjects=size.saved), casebook, derivation, export, history)


def _lines(at: Measured) -> list[Line]:
    saved, book, derived, export = at.saves, at.casebook.timing, at.derivation, at.export

    def rate(way: str) -> float:
        return at.values / export[way]["seconds"]

    return [
        at_least(f"audited saves, {saves.CLIENTS} clients", saved.marrow.rate, saved.bare.rate, "/s", 0.4),
        at_least("  the same beside a single statement", saved.marrow.rate, saved.single.rate, "/s"),
        Line("  time of a save", f"p50 {saved.marrow.percentile(0.5):.0f}, p95 {saved.marrow.percentile(0.95):.0f} ms",
             f"p50 {saved.bare.percentile(0.5):.0f}, p95 {saved.bare.percentile(0.95):.0f} ms"),
        below("  statements of a save", saved.statements, 13, "statements"),
        below(f"casebook of {BIG:,} values, p95", book.percentile(0.95), 150, "ms",
              f" (p50 {book.percentile(0.5):.0f}{_count(at.casebook.statements)})"),
        at_least("export of the pages", rate("forms"), rate("bare"), "values/s", 0.4),
        at_least("  the same beside COPY", rate("forms"), rate("copy"), "values/s"),
        Line("  whole archive", f"{export['marrow']['seconds']:.1f} s, {export['marrow']['bytes'] / 1e6:.1f} MB"),
        below("  its peak memory", export["marrow"]["peak"], 100, "MB",
              f" ({export['marrow']['peak'] - export['marrow']['program']:.0f} above the program)"),
        below("  its first byte", export["marrow"]["first"], 1, "s"),
        Line("derivation from stored records", f"{derived.stored:,.0f} subjects/s", f"{derived.bare:,.0f} subjects/s",
             f"{derived.stored / derived.bare:.2f}", ">= 5,000 subjects/s", derived.stored >= 5000),  # noqa: PLR2004 - the target
        Line("  by the engine alone", f"{derived.engine:,.0f} subjects/s"),
    ]  # fmt: skip


def _growth(once: Measured, tenfold: Measured) -> list[Line]:
    """How many times as long the same work takes with ten times the data; of whole studies, per value."""

    def line(what: str, small: float, large: float) -> Line:
        return Line(what, f"x {large / small:.2f}")

    def export(of: Measured) -> float:
        return of.export["marrow"]["seconds"] / of.values

    return [
        line("time of a save, p50", once.saves.marrow.percentile(0.5), tenfold.saves.marrow.percentile(0.5)),
        line("casebook, p50", once.casebook.timing.percentile(0.5), tenfold.casebook.timing.percentile(0.5)),
        line("item history, p50", once.history.timing.percentile(0.5), tenfold.history.timing.percentile(0.5)),
        line("derivation, per subject", tenfold.derivation.stored, once.derivation.stored),
        line("export, per value", export(once), export(tenfold)),
    ]


def _count(statements: int) -> str:
    return f", {statements} statements"
