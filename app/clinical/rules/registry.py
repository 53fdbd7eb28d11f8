"""Every rule by its name."""

from collections.abc import Mapping
from types import MappingProxyType

from app.clinical.rules.categories import CATEGORY_RULES
from app.clinical.rules.cell_therapy import CRS, ICANS
from app.clinical.rules.ctcae_events import CTCAE_GRADE, FEBRILE_NEUTROPENIA
from app.clinical.rules.ctcae_labs import CTCAE_LABS
from app.clinical.rules.errors import RuleError
from app.clinical.rules.performance import COCKCROFT_GAULT, ECOG_KARNOFSKY, HCT_CI, NYHA
from app.clinical.rules.rule import Rule
from app.clinical.rules.sae import SAE_CLOCK, SAE_SERIOUSNESS
from app.clinical.rules.units import CORRECTED_CALCIUM, UNIT_CONVERSIONS

_ALL: tuple[Rule, ...] = (
    UNIT_CONVERSIONS,
    CORRECTED_CALCIUM,
    CTCAE_LABS,
    FEBRILE_NEUTROPENIA,
    CTCAE_GRADE,
    COCKCROFT_GAULT,
    ECOG_KARNOFSKY,
    NYHA,
    HCT_CI,
    CRS,
    ICANS,
    SAE_SERIOUSNESS,
    SAE_CLOCK,
    *CATEGORY_RULES,
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in sorted(_ALL, key=lambda rule: rule.id)})


def find(name: str) -> Rule:
    """The rule of that name; raises RuleError, which lists those there are."""
    if name not in RULES:
        raise RuleError("rule", f"there is no such rule; write one of {', '.join(RULES)}")
    return RULES[name]
