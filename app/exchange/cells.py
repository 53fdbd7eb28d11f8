"""Columns and cells that the tables of a study share."""

from collections.abc import Iterable
from typing import Any

from app.exchange.columns import Column

SUBJECT = (
    ("STUDYID", "Study", "text"),
    ("SITEID", "Site", "text"),
    ("USUBJID", "Subject, unique over studies", "text"),
    ("SUBJID", "Subject number", "text"),
)
PLACE = (
    ("VISIT", "Visit", "text"),
    ("VISIT_REPEAT", "Which one of a repeating visit", "integer"),
    ("FORM", "Form", "text"),
    ("REPEAT", "Which one of a repeating page", "integer"),
)


def columns(*told: tuple[str, str, str]) -> tuple[Column, ...]:
    """Columns from name, label and kind."""
    return tuple(Column(name, label, kind, text=kind == "free text") for name, label, kind in told)


ADDRESS = columns(*SUBJECT, *PLACE)
"""Where a page stands."""


def subject_of(study: str, site: str, number: str) -> list[str]:
    """The cells of SUBJECT."""
    return [study, site, f"{study}-{number}", number]


def place_of(place: Iterable[str | int]) -> list[str]:
    """The cells of PLACE."""
    return list(map(str, place))


def text_of(value: Any) -> str:
    """A value as text; nothing is an empty cell."""
    return "" if value is None else str(value)
