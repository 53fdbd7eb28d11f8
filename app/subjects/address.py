"""The addresses a coordinator says: subject, visit, form, and which one of several."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from app.core.errors import NotFound
from app.subjects.facts import Place

_STEP = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]{0,31})(?:\.(?P<repeat>[1-9][0-9]{0,3}))?")


VisitStep = Annotated[
    str, Field(description="A visit's code, with a repeat after a point: `UNS.2` is the second, `UNS` the first")
]
FormStep = Annotated[
    str, Field(description="A form's id, with a repeat after a point: `ae.2` is the second page, `ae` the first")
]


class Step(NamedTuple):
    """A visit or a form with its repeat: `UNS.2` is the second unscheduled visit, `D30` the only one."""

    name: str
    repeat: int


def step(text: str) -> Step:
    """Read `UNS.2` or `D30`. Raises NotFound: what is no address leads nowhere."""
    found = _STEP.fullmatch(text)
    if found is None:
        raise NotFound("There is no such page; an address reads visits/UNS.2/forms/adverse_event.3")
    return Step(found["name"], int(found["repeat"] or 1))


def place(visit: str, form: str) -> Place:
    """The place of a page from the two steps of its address."""
    at, page = step(visit), step(form)
    return Place(at.name, at.repeat, page.name, page.repeat)


def stated(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Visit and form of a row's address as they are written, None for what it does not name."""
    return {
        "visit": written(row["visit"], row["visit_repeat"]) if row["visit"] else None,
        "form": written(row["form_id"], row["repeat"]) if row["form_id"] else None,
    }


def written(name: str, repeat: int) -> str:
    """A step as it is written: the repeat only from the second on."""
    return name if repeat == 1 else f"{name}.{repeat}"
