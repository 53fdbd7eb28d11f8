"""How the computed items of a page came about, as it is stored beside them."""

from typing import Any

from app.core.canonical import plain
from app.derivations.readings import Reading
from app.subjects.address import written


def worked(reading: Reading) -> dict[str, Any] | None:
    """By calculation, and by row where it is asked in rows: rule, version, flags, floor, inputs and pages.

    `inputs` are those that the rule used; `facts` names the pages of the facts that were read elsewhere, with their
    revision. None where the page asked no rule.
    """
    found: dict[str, Any] = {}
    for (calculation, row), each in reading.judged.working.items():
        told = {
            "rule": each.outcome.rule,
            "version": each.outcome.version,
            "floor": each.outcome.floor,
            "flags": list(each.flags),
            "inputs": {name: _plain(value) for name, value in each.outcome.used.items()},
            "facts": {
                name: [_page(page) for page in reading.facts[name].pages]
                for name in each.facts
                if name in reading.facts
            },
        }
        told = {key: value for key, value in told.items() if value not in (None, [], {})}
        if row is None:
            found[calculation] = told
        else:
            found.setdefault(calculation, {})[str(row)] = told
    return found or None


def _page(page: Any) -> str:
    """A page as an address with its revision: D30/response#2."""
    place = page.place
    return f"{written(place.visit, place.visit_repeat)}/{written(place.form, place.repeat)}#{page.revision}"


def _plain(value: Any) -> Any:
    return format(value, "f") if hasattr(value, "as_tuple") else plain(value)
