"""What differs between two versions of a study with their forms, and what each difference does to answers. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import BaseModel

from app.forms.definition import Form
from app.study.changes import Difference, Effect
from app.study.compare_forms import compare_forms
from app.study.definition import Study, Visit

_LISTS: Mapping[str, str] = {
    "arms": "code",
    "sites": "id",
    "facts": "name",
    "visits": "code",
    "statuses": "code",
    "milestones": "name",
    "endpoints": "code",
    "rates": "code",
}
"""The lists of a study, and what its members are told apart by."""
_WORDS = frozenset({"title", "short", "label", "name", "basis"})


class Built(Protocol):
    """A study version together with the exact forms it names."""

    @property
    def study(self) -> Study:
        """The study version."""

    @property
    def forms(self) -> Mapping[str, Form]:
        """Its forms by id."""


@dataclass(frozen=True, slots=True)
class Version:
    """A study version with its forms, as read from files."""

    study: Study
    forms: Mapping[str, Form]


def compare(old: Built, new: Built) -> list[Difference]:
    """Every difference between two versions of one study; none for a version and itself.

    Forms come first, by their ids; then the study, in the order of its file.
    """
    found = [*_forms(old, new)]
    for key in Study.model_fields:
        before, after = getattr(old.study, key), getattr(new.study, key)
        if before == after or key == "forms":
            continue
        if key in _LISTS:
            found += _list(key, before, after)
        elif key == "version":
            found.append(Difference("study", "version", before=before, after=after))
        else:
            kind = "words" if key in _WORDS else "definition-changed"
            found.append(Difference(f"study, {key}", kind, key, before, after))
    return found


def worst(differences: Sequence[Difference]) -> Effect | None:
    """The worst effect among differences; None where there is none."""
    order = list(Effect)
    return max((each.effect for each in differences), key=order.index, default=None)


def _forms(old: Built, new: Built) -> Iterator[Difference]:
    for form_id in sorted(new.forms):
        if form_id in old.forms:
            yield from compare_forms(old.forms[form_id], new.forms[form_id])
        else:
            yield Difference(f"form {form_id}", "added", form=form_id)
    for form_id in sorted(old.forms):
        if form_id not in new.forms:
            yield Difference(f"form {form_id}", "form-removed", form=form_id)


def _list(name: str, old: Sequence[BaseModel], new: Sequence[BaseModel]) -> Iterator[Difference]:
    key = _LISTS[name]
    word = Study.model_fields[name].alias or name
    before = {getattr(each, key): each for each in old}
    after = {getattr(each, key): each for each in new}
    for named, each in after.items():
        here = Difference(f"{word} {named}", "added", visit=named if name == "visits" else None)
        if named not in before:
            yield here
        elif isinstance(each, Visit):
            yield from _visit(before[named], each, here)
        else:
            yield from _plain(before[named], each, here)
    for named in before:
        if named not in after:
            visit = named if name == "visits" else None
            yield Difference(f"{word} {named}", "visit-removed" if visit else "definition-removed", visit=visit)
    if [each for each in before if each in after] != [each for each in after if each in before]:
        kind = "definition-changed" if name == "statuses" else "order"  # the last status that has occurred counts
        yield Difference(word, kind, "the order" if name == "statuses" else word)


def _plain(old: BaseModel, new: BaseModel, here: Difference) -> Iterator[Difference]:
    for key in type(new).model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            word = type(new).model_fields[key].alias or key
            kind = "words" if key in _WORDS and here.path.partition(" ")[0] != "fact" else "definition-changed"
            yield replace(here, path=f"{here.path}, {word}", kind=kind, key=word)


def _visit(old: BaseModel, new: Visit, here: Difference) -> Iterator[Difference]:
    for key in Visit.model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if before == after:
            continue
        there = replace(here, path=f"{here.path}, {key}", key=key, before=before, after=after)
        match key:
            case "label":
                yield replace(there, kind="words")
            case "when":
                yield replace(there, kind="always-shown" if after is None else "shown-otherwise")
            case "repeating":
                yield replace(there, kind="repeats" if after else "once-only")
            case "window":
                yield replace(there, kind="window-widened" if _within(before, after) else "window-narrowed")
            case "anchor" | "target" | "occurrence" | "due":
                yield replace(there, kind="schedule")
            case "forms" | "optional":
                continue
            case _:
                yield replace(there, kind="changed")
    yield from _pages(old, new, here)


def _within(old: tuple[int, int] | None, new: tuple[int, int] | None) -> bool:
    """Whether every day of the old window is one of the new; without a window it is the day itself."""
    (first, last), (begins, ends) = old or (0, 0), new or (0, 0)
    return begins <= first and last <= ends


def _pages(old: BaseModel, new: Visit, here: Difference) -> Iterator[Difference]:
    """The pages of a visit: due, to be entered if need be, or neither any more."""
    due, free = (tuple(getattr(old, key)) for key in ("forms", "optional"))
    place = replace(here, path=f"{here.path}, forms", key="forms")
    for form in new.forms:
        if form not in due:
            yield replace(place, kind="page-due", after=form)
    for form in new.optional:
        if form in due:
            yield replace(place, kind="page-optional", before=form, form=form)
        elif form not in free:
            yield replace(place, kind="page-added", after=form)
    for form in (*due, *free):
        if form not in {*new.forms, *new.optional}:
            yield replace(place, kind="page-removed", before=form, form=form)
    for key, before, after in (("forms", due, new.forms), ("optional", free, new.optional)):
        if [each for each in before if each in after] != [each for each in after if each in before]:
            yield replace(here, path=f"{here.path}, {key}", kind="order", key=key)
