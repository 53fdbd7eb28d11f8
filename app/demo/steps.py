"""What the demonstration prints: a line per step with its time; bars where somebody watches a terminal."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Say = Callable[[str], None]
WIDTH = 120


class Steps:
    """The steps of one run, numbered, each with the seconds it took."""

    def __init__(self, say: Say, *, console: Console | None = None) -> None:
        self.say = say
        self.console = console or Console()
        self.began = perf_counter()
        self.times: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Time a step; what is appended to the list is said beside its title."""
        outcome: list[str] = []
        start = perf_counter()
        yield outcome
        taken = self.times[title] = perf_counter() - start
        self.say(f"{title:<28}{'; '.join(outcome):<66} {taken:6.1f} s")

    @contextmanager
    def bars(self) -> Iterator[Callable[[str, int, int], None]]:
        """A bar per trial on a terminal; elsewhere a line as each is entered."""
        if not self.console.is_terminal:
            done: Counter[str] = Counter()

            def counted(name: str, more: int, total: int) -> None:
                done[name] += more
                if more and done[name] == total:
                    self.say(f"  {name}: {total} pages")

            yield counted
            return
        columns = TextColumn("  {task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.console, transient=True) as progress:
            tasks: dict[str, object] = {}

            def told(name: str, more: int, total: int) -> None:
                if name not in tasks:
                    tasks[name] = progress.add_task(name, total=total)
                progress.advance(tasks[name], more)  # type: ignore[arg-type]

            yield told

    def table(self, table: Table) -> None:
        """A table, as text."""
        console = Console(width=WIDTH, force_terminal=False, color_system=None)
        with console.capture() as text:
            console.print(table)
        self.say(text.get().rstrip())

    @property
    def taken(self) -> float:
        """Seconds since the beginning."""
        return perf_counter() - self.began
