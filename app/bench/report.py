"""The figures as a table that a person reads."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from app.core.clock import now


@dataclass(frozen=True, slots=True)
class Line:
    """One figure beside its baseline and its target; `met` is None where there is no target."""

    what: str
    marrow: str
    beside: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


def at_least(what: str, ours: float, bare: float, unit: str, target: float | None = None, more: str = "") -> Line:
    """A rate beside that of the bare driver."""
    ratio = ours / bare
    asked = "" if target is None else f">= {target} x"
    shown = f"{ours:,.0f} {unit}{more}"
    return Line(what, shown, f"{bare:,.0f} {unit}", f"{ratio:.2f}", asked, None if target is None else ratio >= target)


def below(what: str, value: float, limit: float | None, unit: str, more: str = "") -> Line:
    """A figure that stays below its limit, where it has one."""
    shown = f"{value:.2f}" if unit == "s" else f"{value:,.0f}"
    if limit is None:
        return Line(what, f"{shown} {unit}{more}")
    return Line(what, f"{shown} {unit}{more}", target=f"< {limit:g} {unit}", met=value < limit)


def machine(*, memory: bool) -> str:
    """What it ran on."""
    size = psutil.virtual_memory().total / 1e9
    load = os.getloadavg()[0]
    where = "data in memory (/dev/shm)" if memory else "data on disk"
    return (
        f"{now():%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {size:.0f} GB, load {load:.1f} before it began, "
        f"Python {platform.python_version()}, PostgreSQL 18 (embedded), {where}"
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def show(title: str, lines: Sequence[Line], console: Console) -> None:
    """Print one table."""
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("measured", min_width=34)
    for name in ("Marrow", "bare", "ratio", "target"):
        table.add_column(name, justify="right")
    table.add_column("")
    for line in lines:
        mark = {True: "met", False: "[bold]MISSED[/bold]", None: ""}[line.met]
        table.add_row(line.what, line.marrow, line.beside, line.ratio, line.target, mark)
    console.print(table)
