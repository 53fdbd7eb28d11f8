"""Every rule by its name."""

from collections.abc import Mapping
from types import MappingProxyType

from app.clinical.rules.errors import RuleError
from app.clinical.rules.rule import Rule

_ALL: tuple[Rule, ...] = ()

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in sorted(_ALL, key=lambda rule: rule.id)})


def find(name: str) -> Rule:
    """The rule of that name; raises RuleError, which lists those there are."""
    if name not in RULES:
        raise RuleError("rule", f"there is no such rule; write one of {', '.join(RULES)}")
    return RULES[name]
