"""What a page knows beside its own answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.forms.asking import Calculator, RangeTable, Watch

Place = tuple[str, int | None]
"""An item (or repeating section) and its row."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a page knows beside its own answers.

    The study's facts on the subject and its own parameters, the code of the visit, how to ask a published rule and
    the laboratories' limits of normal, and the edit checks that the study adds to those of the form.
    """

    subject: Mapping[str, Any] = field(default_factory=dict)
    visit: str = ""
    study: Mapping[str, Any] = field(default_factory=dict)
    calculate: Calculator | None = None
    ranges: RangeTable | None = None
    checks: tuple[Watch, ...] = ()
