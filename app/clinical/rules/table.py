"""A rule over the rows of a table, and over a single case given as options: text in, text out."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.clinical.rules.errors import RuleError
from app.clinical.rules.registry import find
from app.clinical.rules.rule import Answer, Outcome, Rule

ERROR = "ERROR"
"""The value of a row that cannot be read; its `error` says why."""

GIVEN = "_given"


def written(answer: Answer) -> str:
    """A result as a cell: plain digits, ISO dates, empty when there is none."""
    if isinstance(answer, Decimal):
        return f"{answer:f}"
    if isinstance(answer, datetime):
        return answer.isoformat(timespec="minutes")
    return answer.isoformat() if isinstance(answer, date) else answer or ""


def cells(outcome: Outcome) -> dict[str, str]:
    """The result columns of an outcome."""
    return {
        "value": written(outcome.value),
        "floor": outcome.floor or "",
        "flags": ";".join(outcome.flags),
        **{name: written(answer) for name, answer in outcome.results.items()},
    }


def columns(rule: Rule) -> tuple[str, ...]:
    """The columns that grading adds: value, floor, flags, each further result, and the error of an unreadable row."""
    names = (result.name for result in rule.results if result.name != "value")
    return ("value", "floor", "flags", *names, "error")


def kept_names(names: Iterable[str], rule: Rule) -> dict[str, str]:
    """What the columns of a table are called beside the results: one that bears a result's name becomes NAME_given."""
    kept: dict[str, str] = {}
    taken = {*columns(rule), *(names := tuple(names))}
    for name in names:
        other = name
        while other in columns(rule) or (other != name and other in taken):
            other += GIVEN
        taken.add(other)
        kept[name] = other
    return kept


def grade_rows(rule: Rule, rows: Iterable[Mapping[Any, Any]]) -> Iterator[dict[str, Any]]:
    """Each row with its results. Other columns are carried along, those that bear a result's name as NAME_given."""
    empty = dict.fromkeys(columns(rule), "")
    names: dict[str, str] = {}
    for row in rows:
        if {*names} != {*row} - {None}:
            names = kept_names((name for name in row if name is not None), rule)
        found = {"value": ERROR, "error": "row: has more cells than there are columns"}
        if None not in row:
            try:
                found = cells(rule.compute({name: row.get(name) for name in rule.named}))
            except RuleError as fault:
                found["error"] = str(fault)
        yield {**{other: row[name] for name, other in names.items()}, **empty, **found}


def graded(name: str, options: Sequence[str], given: bytes | None, *, to_file: bool) -> tuple[bytes, str, bool]:
    """What `marrow grade` writes and says, and whether a case could be read; raises RuleError.

    Of the CSV `given`, or of one case given as options.
    """
    if (given is not None) is not to_file or (given is not None and options):
        raise RuleError("options", "write --in FILE.csv --out FILE.csv, or the inputs of one case without either")
    if given is None:
        return b"", grade_options(name, options), True
    try:
        text = given.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RuleError("in", "is not UTF-8; save it as CSV UTF-8") from None
    return grade_csv(name, text)


def as_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A CSV file of these columns of these rows."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def grade_csv(name: str, text: str) -> tuple[bytes, str, bool]:
    """A CSV file with the result columns added, what to say of it, and whether a row could be read.

    Raises RuleError when it is no such table.
    """
    rule = find(name)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    given = list(reader.fieldnames or [])
    if len(set(given)) != len(given):
        raise RuleError("in", "a column name stands there twice")
    if not set(given) & set(rule.named):
        raise RuleError("in", f"{name} reads the columns {', '.join(rule.named)}")
    try:
        rows = list(grade_rows(rule, reader))
    except csv.Error as fault:
        raise RuleError("in", f"is no CSV that can be read: {fault}") from None
    table = as_csv([*kept_names(given, rule).values(), *columns(rule)], rows)
    absent = [column for column in rule.named if column not in given]
    unread = sum(row["value"] == ERROR for row in rows)
    said = f"{name} version {rule.version}: {len(rows)} rows, {unread} unreadable."
    if absent:
        said += f" Missing in every row: {', '.join(absent)}."
    return table, said, not rows or unread < len(rows)


def grade_options(name: str, options: Sequence[str]) -> str:
    """One case, given as `--input value` or `--input=value`; raises RuleError for an option the rule does not know."""
    rule = find(name)
    inputs: dict[str, str] = {}
    words = iter(options)
    for word in words:
        option, assigned, value = word.partition("=")
        given = value if assigned else next(words, None)
        if not option.startswith("--") or given is None:
            raise RuleError("options", f"write --input value, of {', '.join(rule.named)}")
        inputs[option.removeprefix("--").replace("-", "_")] = given
    outcome = rule.compute(inputs)
    lines = [f"{column}: {cell}" for column, cell in cells(outcome).items() if cell]
    return "\n".join([*lines, f"rule: {outcome.rule} version {outcome.version}"])
