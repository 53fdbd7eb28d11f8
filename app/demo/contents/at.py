"""Where and when a page is entered. Pure."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from app.demo.course import Course, Trouble

Given = dict[str, Any]
"""The answers that a course determines on a page; None leaves an item empty."""


@dataclass(frozen=True, slots=True)
class At:
    """Where and when a page is entered, and what it is about beside the course."""

    visit: str
    day: date
    rng: Random
    anchor: str | None = None
    about: Any = None


def ill(course: Course, day: date, kind: str) -> Trouble | None:
    """The trouble of this kind that lasts on a day."""
    for trouble in course.troubles:
        if trouble.kind == kind and trouble.onset <= day and (trouble.end is None or day <= trouble.end):
            return trouble
    return None


def burden(course: Course) -> int:
    """The marrow blasts of a patient with active leukaemia at entry, in percent."""
    return Random(f"{course.trial} {course.number} burden").randint(52, 78)  # noqa: S311 (not for secrets)
