"""Published rules over HTTP: a frontend shows a grade while a coordinator types. Nothing is stored."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from app.access.entrance import Reading
from app.access.permissions import Permission, asks
from app.core.http import Router
from app.derivations.clinical import read

router = Router(prefix="/api/v1/clinical", tags=["clinical"])


class RuleSummary(BaseModel):
    """A rule with its version and published sources."""

    rule: str
    version: str
    title: str
    sources: list[str]


class RuleList(BaseModel):
    """Every rule there is."""

    items: list[RuleSummary]


class RuleView(RuleSummary):
    """A rule whole: what it asks for, the tables it reads, its conventions, and what is not confirmed yet."""

    inputs: list[dict[str, Any]]
    results: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    conventions: list[str]
    unverified: list[str]
    profiles: list[dict[str, Any]]


class RuleCase(BaseModel):
    """The inputs of one case by name; what is left out is missing, never normal."""

    model_config = ConfigDict(extra="forbid")
    inputs: dict[str, Any]


class RuleOutcome(BaseModel):
    """What the rule says: the value (NE when it cannot be told), its floor, flags, further results, inputs used."""

    rule: str
    version: str
    value: str
    floor: str | None
    flags: list[str]
    results: dict[str, str]
    used: dict[str, Any]


@router.get("", openapi_extra=asks(Permission.FORM_READ))
def list_rules(work: Reading) -> RuleList:
    """The clinical rules, their versions and sources."""
    return RuleList(items=[RuleSummary(**each) for each in read.rules(work.actor)])


@router.get("/{rule}", openapi_extra=asks(Permission.FORM_READ))
def get_rule(work: Reading, rule: str) -> RuleView:
    """One rule with its inputs, units and tables."""
    return RuleView(**read.describe(work.actor, rule))


@router.post("/{rule}", openapi_extra=asks(Permission.FORM_READ))
def compute_rule(work: Reading, rule: str, body: RuleCase) -> RuleOutcome:
    """Compute from given inputs; nothing is stored."""
    return RuleOutcome(**read.compute(work.actor, rule, body.inputs))
