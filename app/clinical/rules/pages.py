"""The rules as pages to read, made from the very tables that the rules compute with."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import Result, Rule, Table
from app.clinical.rules.table import columns

KINDS = {
    Kind.DECIMAL: "number",
    Kind.INTEGER: "whole number",
    Kind.CODE: "code",
    Kind.YES_NO: "1 or 0",
    Kind.DATE: "YYYY-MM-DD",
    Kind.DATETIME: "YYYY-MM-DDTHH:MM",
    Kind.TEXT: "text",
}
INPUTS = ("input", "what", "in a table", "in a form", "accepted")
FORMS = (
    "In a form an item passes on its value; an expression gives it in the way said here, and the file puts quotes",
    'around the whole: `"1.5"`, `"true"`, `"\'text\'"`.',
    "",
)


def pages() -> Mapping[str, str]:
    """Every page by its file name: one per rule, and the index."""
    return {"index.md": index(), **{f"{name}.md": page(rule) for name, rule in RULES.items()}}


def index() -> str:
    """The list of rules."""
    rows = [
        (f"[{rule.id}]({rule.id}.md)", rule.version, rule.title, "; ".join(rule.sources)) for rule in RULES.values()
    ]
    return "\n".join(
        [
            "# Clinical rules",
            "",
            "Each page is made from the tables that the rule computes with. A computed value carries the rule's id and",
            "version, which lead to its page.",
            "",
            *_table(("rule", "version", "title", "sources"), rows),
            "",
            "A result is `NE`, not evaluable, when what is missing could change it; its `floor` is what it will be at",
            "least, whatever is found. Missing is never normal. `flags` say what was missing or assumed.",
            "",
            "On a table, or for one case:",
            "",
            "    marrow grade RULE --in FILE.csv --out GRADED.csv",
            "    marrow grade ctcae_labs --version 5.0 --term ALT --value 190 --unit U/L --uln 40",
            "",
            "A column of the file that bears the name of a result is kept beside it as `NAME_given`. A row that cannot",
            "be read has the value `ERROR`, and says why in `error`.",
            "",
        ]
    )


def page(rule: Rule) -> str:
    """The page of one rule."""
    lines = [f"# {rule.title}", "", f"Rule `{rule.id}`, version {rule.version}.", "", *_list("Sources", rule.sources)]
    if rule.profiles:
        choices = [(one.name, one.input, one.source) for one in rule.profiles]
        lines += ["## Profiles", "", *_table(("profile", "chosen by", "source"), choices), ""]
    lines += ["## Inputs", "", *_table(INPUTS, map(_input, rule.inputs)), "", *FORMS]
    lines += [
        "## Results",
        "",
        *_table(("result", "what", rule.ranked), map(_result, rule.results)),
        "",
    ]
    lines += [f"Columns of `marrow grade {rule.id}`: {', '.join(columns(rule))}.", ""]
    for table in rule.tables:
        lines += _published(table)
    lines += _list("Conventions", rule.conventions)
    lines += _list("Needs a clinician's confirmation", rule.unverified)
    return "\n".join(lines)


def _input(one: Input) -> tuple[str, ...]:
    unit = f", in {one.unit}" if one.unit else f", in the unit of `{one.unit_in}`" if one.unit_in else ""
    others = ", ".join(f"{other} = {code}" for other, code in one.aliases.items() if other != code)
    accepted = one.accepted + (f"; {others}" if others else "")
    return f"`{one.name}`", one.meaning, KINDS[one.kind] + unit, one.in_a_form, accepted


def _result(one: Result) -> tuple[str, ...]:
    return f"`{one.name}`", one.meaning, (", " if one.silent.issuperset(one.order) else " < ").join(one.order)


def _published(table: Table) -> list[str]:
    note = [table.note, ""] if table.note else []
    return [f"## {table.title}", "", *_table(table.columns, table.rows), "", f"Source: {table.source}.", "", *note]


def _list(title: str, entries: Iterable[str]) -> list[str]:
    lines = [f"- {entry}" for entry in entries]
    return [f"## {title}", "", *lines, ""] if lines else []


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    heads = list(heads)
    return [_line(heads), _line(["---"] * len(heads)), *(_line(map(_cell, row)) for row in rows)]


def _line(row: Iterable[str]) -> str:
    return f"| {' | '.join(row)} |"


def _cell(cell: Any) -> str:
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, tuple | frozenset):
        return ", ".join(map(_cell, cell))
    return "" if cell is None else str(cell).replace("|", "\\|")
