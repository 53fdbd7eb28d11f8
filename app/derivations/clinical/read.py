"""The published rules as a frontend reads them: what each asks for, the tables it reads, and what it says of a case."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.access.actor import Actor, require
from app.access.permissions import Permission
from app.clinical.rules.errors import RuleError
from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import Rule
from app.clinical.rules.table import written
from app.core.canonical import plain
from app.core.errors import Fault, NotFound, Unreadable


def rules(actor: Actor) -> list[dict[str, Any]]:
    """Every rule with its version and sources."""
    require(actor, Permission.FORM_READ, None)
    return [_summary(rule) for rule in RULES.values()]


def describe(actor: Actor, name: str) -> dict[str, Any]:
    """A rule whole: inputs with units, tables, conventions, what a clinician has yet to confirm. Raises NotFound."""
    require(actor, Permission.FORM_READ, None)
    rule = _found(name)
    return _summary(rule) | {
        "inputs": [
            {
                "name": each.name,
                "kind": each.kind.value,
                "meaning": each.meaning,
                "unit": each.unit,
                "unit_in": each.unit_in,
                "codes": list(each.codes),
                "range": each.range_words(),
            }
            for each in rule.inputs
        ],
        "results": [{"name": each.name, "meaning": each.meaning, "order": list(each.order)} for each in rule.results],
        "tables": [
            {
                "title": table.title,
                "columns": list(table.columns),
                "rows": [["" if cell is None else str(cell) for cell in row] for row in table.rows],
                "source": table.source,
                "note": table.note,
            }
            for table in rule.tables
        ],
        "conventions": list(rule.conventions),
        "unverified": list(rule.unverified),
        "profiles": [asdict(profile) for profile in rule.profiles],
    }


def compute(actor: Actor, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule says of a case; nothing is stored. Raises NotFound, and Unreadable naming the input."""
    require(actor, Permission.FORM_READ, None)
    rule = _found(name)
    try:
        outcome = rule.compute(inputs)
    except RuleError as fault:
        pointer = f"/inputs/{fault.name}" if fault.name in rule.named else "/inputs"
        told = Fault(pointer, "rule-input", f"The rule {name} cannot read this input", fault.message)
        raise Unreadable("Correct this input", errors=[told]) from None
    return {
        "rule": outcome.rule,
        "version": outcome.version,
        "value": written(outcome.value),
        "floor": outcome.floor,
        "flags": list(outcome.flags),
        "results": {result: written(answer) for result, answer in outcome.results.items()},
        "used": {used: value if isinstance(value, bool) else _plain(value) for used, value in outcome.used.items()},
    }


def _plain(value: Any) -> str:
    return str(plain(value)) if not hasattr(value, "as_tuple") else f"{value:f}"


def _summary(rule: Rule) -> dict[str, Any]:
    return {"rule": rule.id, "version": rule.version, "title": rule.title, "sources": list(rule.sources)}


def _found(name: str) -> Rule:
    if name not in RULES:
        raise NotFound("There is no such rule; GET /api/v1/clinical lists them")
    return RULES[name]
