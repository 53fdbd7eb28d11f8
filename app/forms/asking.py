"""What a page asks of others than its expressions: published rules with their inputs, and edit checks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.forms.definition import Calculation, Check, Form
from app.forms.expressions import Expression, Kind, compile_expression
from app.forms.tokens import members

NE = "NE"
"""Not evaluable: what a rule answers when something it needs is not known."""
FLOOR = "floor"
"""What a computed item names as its `output` to show what the first result is at least, known or not."""

_NAME = re.compile(r"(?:(subject|study)\.)?([a-z][a-z0-9_]*)")


class Outcome(Protocol):
    """What a published rule says of one case. `floor` is what every completion of missing inputs would still reach."""

    @property
    def rule(self) -> str:
        """The rule."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def value(self) -> Any:
        """The first result: a category, an exact number, a day, NE, or None."""

    @property
    def floor(self) -> str | None:
        """The least severe it could be."""

    @property
    def flags(self) -> tuple[str, ...]:
        """What has to be known beside it."""

    @property
    def results(self) -> Mapping[str, Any]:
        """Further results by name."""

    @property
    def used(self) -> Mapping[str, Any]:
        """The inputs it rests on."""


class Calculator(Protocol):
    """Asks a published rule. Inputs that it cannot read give an outcome too, which says so."""

    def __call__(self, rule: str, inputs: Mapping[str, Any]) -> Outcome:
        """What the rule says."""


class Limits(Protocol):
    """Limits of normal that hold for one value, in the unit they were stated in."""

    @property
    def low(self) -> Any:
        """The lower limit, None where there is none."""

    @property
    def high(self) -> Any:
        """The upper limit, None where there is none."""

    @property
    def unit(self) -> str:
        """The unit of both."""


class RangeTable(Protocol):
    """The limits of normal of a site's laboratories for one subject."""

    def __call__(self, analyte: str, laboratory: str, day: str) -> Limits | None:
        """Those that hold on a day, None where nobody has stated any."""


@dataclass(frozen=True, slots=True)
class Worked:
    """A calculation as it came out on one page or row: the rule's outcome, and what it was asked with."""

    outcome: Outcome
    flags: tuple[str, ...]
    facts: tuple[str, ...]  # of the subject, read from other pages


@dataclass(frozen=True)
class Asking:
    """A calculation with its inputs compiled: a name, which passes its value exactly, or an expression."""

    calculation: Calculation
    named: Mapping[str, tuple[str, str]]  # input -> (subject | study | "", name)
    worked: Mapping[str, Expression]
    uses: frozenset[str]
    facts: tuple[str, ...] = field(default=())


def asking(form: Form, calculation: Calculation, names: Mapping[str, Kind]) -> Asking:
    """A calculation compiled over the names of its page or row. Raises ExpressionMistake."""
    named: dict[str, tuple[str, str]] = {}
    worked: dict[str, Expression] = {}
    uses: set[str] = set()
    facts: dict[str, None] = {}
    for name, text in calculation.inputs.items():
        plain = plain_name(form, text)
        compiled = compile_expression(text, names, result="any")
        uses |= compiled.uses
        facts |= dict.fromkeys(sorted(members(text, "subject")))
        if plain is None:
            worked[name] = compiled
        else:
            named[name] = plain
    return Asking(calculation, named, worked, frozenset(uses), tuple(facts))


def plain_name(form: Form, text: str) -> tuple[str, str] | None:
    """Whose value (subject, study, or "" for the page) a plain name passes on, and the name; None for the rest."""
    found = _NAME.fullmatch(text.strip())
    return (found[1] or "", found[2]) if found is not None and (found[1] or form.has(found[2])) else None


@dataclass(frozen=True)
class Watch:
    """An edit check with its condition compiled. `late` ones ask about windows or endpoints, known last of all."""

    check: Check
    when: Expression
    late: bool
    facts: frozenset[str]  # of the subject, that it asks for


def watch(check: Check, names: Mapping[str, Kind], *, strict: bool = False) -> Watch:
    """A check compiled over the names of its page or row. Raises ExpressionMistake."""
    when = compile_expression(check.when, names, strict=strict)
    facts = members(check.when, "subject")
    return Watch(check, when, not when.uses.isdisjoint({"window", "endpoint"}), facts)
