"""What differs between two study versions, and how many subjects and answers each difference touches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import Actor, require, sites
from app.access.permissions import Permission
from app.forms.answers import plain
from app.forms.definition import Form, Lang
from app.forms.values import Unreadable, read_answer
from app.models.capture import RecordStatus
from app.study.changes import Difference, Effect
from app.study.compare import Built, compare
from app.study.library import build_of
from app.subjects import facts
from app.subjects.facts import Page


@dataclass(slots=True)
class Touched:
    """How far a difference reaches into what was entered. Without an item or a visit, values are not counted."""

    values: int = 0
    who: set[str] = field(default_factory=set)

    @property
    def subjects(self) -> int:
        """How many subjects."""
        return len(self.who)


Told = tuple[Difference, Touched | None]
"""A difference with what it touches, None where that was not asked for."""


def diff(session: Session, actor: Actor, study_id: str, before: int, after: int, *, counts: bool) -> list[Told]:
    """Every difference between two released versions. Raises NotFound and Forbidden."""
    require(actor, Permission.STUDY_READ, study_id)
    old, new = build_of(session, study_id, before), build_of(session, study_id, after)
    found = compare(old, new)
    return touched(session, actor, new, found) if counts else [(each, None) for each in found]


def touched(session: Session, actor: Actor, new: Built, found: Sequence[Difference]) -> list[Told]:
    """Each difference with what it touches at the sites in sight; void pages do not count."""
    study_id = new.study.study
    require(actor, Permission.RECORD_READ, study_id)
    counted = [(each, Touched()) for each in found]
    for subject_id, pages in facts.everybody(session, study_id, sites=sites(actor, study_id, Permission.RECORD_READ)):
        for page in facts.standing(pages):
            for each, so_far in counted:
                if number := _values(each, page, new.forms.get(page.place.form)):
                    so_far.values += number
                    so_far.who.add(subject_id)
    return list(counted)


def _values(each: Difference, page: Page, form: Form | None) -> int:
    """How many answers of a page a difference touches; 1 for the page itself."""
    place = page.place
    if each.visit is not None:
        here = place.visit == each.visit and each.form in {None, place.form}
        return int(here and (each.kind != "once-only" or place.visit_repeat > 1))
    if each.form is None:
        return int(each.path.startswith(("milestone", "endpoint", "rate", "fact", "status", "study, ")))
    if each.form != place.form:
        return 0
    if each.item is None:
        return int(each.kind != "form-once-only" or place.repeat > 1)
    answers = list(_answers(page.answers, each.item))
    if each.kind in {"required", "added-required"}:
        return int(page.status == RecordStatus.COMPLETE and not answers)
    return sum(_touches(each, answer, form) for answer in answers)


def _answers(page: Mapping[str, Any], item: str) -> Iterator[Any]:
    """The answers to an item, on the page or in rows; of a section of rows, every answer in it."""
    found = page.get(item)
    if found is not None and _are_rows(found):
        yield from (value for row in found for key, value in row.items() if key != "row")
    elif found is not None:
        yield found
    for rows in page.values():
        if _are_rows(rows):
            yield from (row[item] for row in rows if item in row)


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _touches(each: Difference, answer: Any, form: Form | None) -> bool:
    value, unit, missing = plain(answer)
    match each.kind:
        case "code-removed":
            touched = each.before in (value if isinstance(value, list) else [value])
        case "missing-removed":
            touched = missing == each.before
        case "unit-removed":
            touched = unit == each.before
        case "unit":
            touched = value is not None
        case "limit-narrowed" | "type":
            touched = form is None or not form.has(each.item or "") or not _fits(form, each.item or "", answer)
        case _:
            touched = each.kind not in {"code-added", "missing-added", "unit-added"}
    return bool(touched)


def _fits(form: Form, item: str, answer: Any) -> bool:
    try:
        read_answer(form.item(item), answer)
    except Unreadable:
        return False
    return True


def as_json(told: Sequence[Told], lang: Lang = "en") -> list[dict[str, Any]]:
    """The differences as JSON has them, in words of one language."""
    return [
        {
            "path": each.path,
            "kind": each.kind,
            "effect": each.effect.value,
            "words": each.words(lang),
            "remedy": each.remedy(lang),
            "subjects": None if so_far is None else so_far.subjects,
            "values": None if so_far is None else so_far.values,
        }
        for each, so_far in told
    ]


def as_table(told: Sequence[Told]) -> Iterator[str]:
    """The differences for a person to read, worst last; what helps stands below its difference."""
    order = list(Effect)
    rows = sorted(told, key=lambda pair: order.index(pair[0].effect))
    width = max((len(each.path) for each, _ in rows), default=0)
    for each, so_far in rows:
        reach = "" if so_far is None else f"  [{so_far.subjects} subjects, {so_far.values} values]"
        yield f"{each.effect.value:<11}  {each.path:<{width}}  {each.words('en')}{reach}"
        if remedy := each.remedy("en"):
            yield f"{'':<11}  {'':<{width}}  {remedy}"
