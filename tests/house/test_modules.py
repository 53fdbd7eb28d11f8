"""What every module keeps to."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "app").rglob("*.py"))
ALL = sorted(path for folder in ("app", "tests", "deploy") for path in (ROOT / folder).rglob("*.py"))

CLOCKS = {
    *(f"datetime.{name}" for name in ("now", "utcnow", "today")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    *("date.today", "datetime.date.today"),
    *(f"time.{name}" for name in ("time", "time_ns", "gmtime", "localtime", "ctime", "strftime")),
}
"""Calls that tell what time it is. A stopwatch (`monotonic`, `perf_counter`) tells how long something took."""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def attributes(path: Path) -> Iterator[tuple[int, str]]:
    """Every dotted name that a module uses, with names it imported written out."""
    tree = ast.parse(path.read_text(), str(path))
    known = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            written = ast.unparse(node)
            first, _, rest = written.partition(".")
            yield node.lineno, ".".join(filter(None, (known.get(first, first), rest)))


def users(of: set[str], *, but: set[str]) -> list[str]:
    return [
        f"{named(path)}:{line} {name}"
        for path in MODULES
        if named(path) not in but
        for line, name in attributes(path)
        if name in of
    ]


@pytest.mark.parametrize("path", ALL, ids=named)
def test_a_module_fits_into_a_readers_head(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 400, f"{named(path)} has {lines} lines: split it where its story has two parts"


def test_the_transaction_is_owned_by_the_session_alone() -> None:
    found = [
        f"{named(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert found == []


def test_one_module_reads_the_clock() -> None:
    assert users(CLOCKS, but={"app/core/clock.py"}) == []


def test_one_module_reads_the_environment() -> None:
    assert users({"os.environ", "os.getenv", "os.environb"}, but={"app/settings.py"}) == []


def test_the_clock_and_the_settings_are_what_these_rules_look_for() -> None:
    """The two exceptions are found by the very rules that they are excepted from."""
    assert any(name in CLOCKS for _, name in attributes(ROOT / "app" / "core" / "clock.py"))
    assert any(name == "os.environ" for _, name in attributes(ROOT / "app" / "settings.py"))


def test_nothing_is_left_to_do_or_passed_over() -> None:
    words = (
        "TO" + "DO",
        "FIX" + "ME",
        "X" + "XX",
        "pytest.mark." + "skip",
        "pytest.mark." + "xfail",
        "pytest." + "skip(",
    )
    found = [f"{named(path)}: {word}" for path in ALL for word in words if word in path.read_text()]
    assert found == []
