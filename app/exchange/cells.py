"""Columns and cells that the tables of a study share."""

from typing import Any

from app.exchange.columns import Column
from app.exchange.tables import Scope

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


def subject_of(scope: Scope, site: str, number: str) -> list[str]:
    """The cells of SUBJECT."""
    return [scope.study_id, site, f"{scope.study_id}-{number}", number]


def text_of(value: Any) -> str:
    """A value as text; nothing is an empty cell."""
    return "" if value is None else str(value)
