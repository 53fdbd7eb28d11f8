"""What a study gives its forms: facts about the subject from other pages, parameters, edit checks; and is it sound?"""

from collections.abc import Iterator, Mapping

from app.forms.asking_faults import check_faults
from app.forms.definition import Check, Form, ItemType
from app.forms.expressions import Facts, Kind, Scalar
from app.forms.mistakes import Fault, near
from app.forms.rules import Surroundings, kind_of, kinds
from app.study.definition import Fact, Pick, Study
from app.study.sources import condition_faults, item_faults

Path = tuple[str | int, ...]

WINDOW: Mapping[str, Scalar] = {"opens": "date", "target": "date", "closes": "date"}
_KINDS: Mapping[Pick, Scalar] = {Pick.SERIES: "text", Pick.HISTORY: "text", Pick.ANY: "bool", Pick.BEST: "text"}
_MAY_BE_COMPUTED = {Pick.PREVIOUS, Pick.BEST, Pick.HISTORY}
"""What is computed is taken from pages of earlier days only, so that working it out comes to an end."""


def surroundings(study: Study, known: Mapping[str, Form]) -> Surroundings:
    """The kinds of `subject.…` and `study.…` in every expression of this study."""
    facts = {
        fact.name: _KINDS.get(fact.pick, kind_of(known[fact.form].item(fact.item)))
        for fact in study.facts
        if fact.form in known and known[fact.form].has(fact.item)
    }
    return Surroundings(facts, dict.fromkeys(study.named, "text"))


def endpoint_kinds(study: Study) -> dict[str, Scalar]:
    """What `endpoint.…` may name: of each primary definition its status, its day and how many days."""
    parts: Mapping[str, Scalar] = {"status": "text", "date": "date", "days": "number"}
    return {f"{each.code.lower()}_{part}": kind for each in study.endpoints for part, kind in parts.items()}


def names_of(study: Study, form: Form, rows: str | None, around: Surroundings) -> dict[str, Kind]:
    """The names that a check of the study may use on a form."""
    section = form.row_sections[rows] if rows is not None else None
    last: dict[str, Kind] = {"window": Facts(WINDOW), "endpoint": Facts(endpoint_kinds(study))}
    return kinds(form, section, around=around) | last


def fact_faults(study: Study, known: Mapping[str, Form], around: Surroundings) -> Iterator[Fault]:
    """Facts read from items that are there, in a way that ends: nothing computed hangs on what hangs on it."""
    by_name = {fact.name: fact for fact in study.facts}
    if "ctcae" in study.parameters:
        yield Fault(("parameters", "ctcae"), "`study.ctcae` is the version of the study already", "Take it away here")
    for at, fact in enumerate(study.facts):
        path: Path = ("fact", at)
        yield from item_faults(study, known, path, "item", (fact.form, fact.item))
        form = known.get(fact.form)
        if form is not None and form.has(fact.item):
            yield from _item(path, fact, form)
            if fact.when is not None:
                inside: Mapping[str, Kind] = {
                    **kinds(form, around=Surroundings({}, around.study)),
                    "subject": Facts({}),
                }
                yield from condition_faults((*path, "when"), fact.when, inside)
        if fact.until is not None:
            yield from _until(path, fact, by_name, around)


def _item(path: Path, fact: Fact, form: Form) -> Iterator[Fault]:
    item = form.item(fact.item)
    if form.section_of(fact.item).repeating:
        yield Fault((*path, "item"), f"{fact.item!r} stands in rows", "A fact has one value: name another item")
    if item.type is ItemType.COMPUTED and fact.pick not in _MAY_BE_COMPUTED:
        remedy = "Name an item that is entered, or pick previous, best or history: what is computed comes from before"
        yield Fault((*path, "item"), f"{fact.item!r} is computed", remedy)
    if fact.pick is Pick.BEST and not fact.order:
        yield Fault(path, "`best` needs the order of the codes", "Add `order`, the least first")
    if fact.pick is not Pick.BEST and fact.order:
        yield Fault((*path, "order"), "`order` belongs to `best`", "Take it away")
    if (fact.pick is not Pick.NEWEST or fact.until is not None) and form.day_item is None:
        yield Fault(
            (*path, "form"),
            f"{form.name()} has no date to go by",
            "Leave `pick` and `until` out, or give the form `dated`",
        )


def _until(path: Path, fact: Fact, by_name: Mapping[str, Fact], around: Surroundings) -> Iterator[Fault]:
    other = by_name.get(fact.until or "")
    if fact.of_page:
        yield Fault((*path, "until"), f"`{fact.pick}` goes by the day of the page that asks", "Take `until` away")
    elif other is None:
        remedy = near(fact.until or "", by_name, otherwise="Declare it as [[fact]]")
        yield Fault((*path, "until"), f"there is no fact {fact.until!r}", remedy)
    elif other.of_page or other.until is not None or (around.facts or {}).get(other.name) not in {"date", None}:
        yield Fault((*path, "until"), f"{other.name!r} is no date of its own", "Name a fact that is a date")


def study_check_faults(study: Study, known: Mapping[str, Form], around: Surroundings) -> Iterator[Fault]:
    """The checks that the study adds: on forms that it has, with examples that come out as they should."""
    ids = [check.id for check in study.checks]
    for at, check in enumerate(study.checks):
        path: Path = ("check", at)
        form = known.get(check.form)
        if form is None:
            remedy = near(check.form, study.forms, otherwise=f"Add `{check.form} = 1` to [forms]")
            yield Fault((*path, "form"), f"the form {check.form!r} is not listed in [forms]", remedy)
            continue
        if ids.count(check.id) > 1 or check.id in {each.id for each in form.checks}:
            yield Fault((*path, "id"), f"the check {check.id!r} is given twice", "Rename one")
        rows = check.rows if check.rows in form.row_sections else None
        alone: list[Check] = [check]
        for fault in check_faults(form, alone, {rows: names_of(study, form, rows, around)}):
            yield Fault((*path, *fault.path[2:]), fault.message, fault.remedy)
