"""What a page knows beside its own answers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.forms.asking import Calculator, RangeTable, Watch

Place = tuple[str, int | None]
"""An item (or repeating section) and its row."""


_NOTHING: Mapping[str, Any] = {}


class Context(NamedTuple):
    """What a page knows beside its own answers.

    The study's facts on the subject and its own parameters, the code of the visit, how to ask a published rule and
    the laboratories' limits of normal, the edit checks that the study adds to those of the form, and which facts are
    numbers in a unit that is not taken any more.
    """

    subject: Mapping[str, Any] = _NOTHING
    visit: str = ""
    study: Mapping[str, Any] = _NOTHING
    calculate: Calculator | None = None
    ranges: RangeTable | None = None
    checks: tuple[Watch, ...] = ()
    lost: frozenset[str] = frozenset()
