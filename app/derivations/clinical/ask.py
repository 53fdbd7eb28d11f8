"""Asking a published rule from a page: whatever the page holds, there is an outcome, and it says what is wrong."""

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from app.clinical.rules.errors import RuleError
from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import NE, Outcome

_REMEMBERED = 8192  # cases; the counts and enzymes of neighbouring pages often repeat


def calculate(rule: str, inputs: Mapping[str, Any]) -> Outcome:
    """The outcome of a rule. An input that the rule refuses makes it NE, with the flag REFUSED_<INPUT>.

    No rule reads a list: one that a page passes on is refused like any other thing that cannot be read.
    """
    known = {name: value if isinstance(value, Hashable) else () for name, value in inputs.items()}
    return _calculated(rule, tuple(sorted(known.items())))


@lru_cache(maxsize=_REMEMBERED, typed=True)
def _calculated(name: str, inputs: tuple[tuple[str, Hashable], ...]) -> Outcome:
    rule = RULES[name]
    try:
        return rule.compute(dict(inputs))
    except RuleError as fault:
        results = {result.name: NE for result in rule.results if result.name != "value"}
        return Outcome(rule.id, rule.version, NE, None, (f"REFUSED_{fault.name.upper()}",), results, {})
