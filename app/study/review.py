"""How the data of a study are reviewed: what is verified against its source, and what is signed."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from app.forms.definition import Form, Id, ItemType
from app.forms.mistakes import Fault, near
from app.study.part import Part


class Extent(StrEnum):
    """How much is verified: everything, the critical items, or everything of some subjects."""

    ALL = "all"
    CRITICAL = "critical"
    SAMPLED = "sampled"


class CriticalItems(Part):
    """Items of a form that are verified for every subject."""

    form: Id
    items: Annotated[tuple[Id, ...], Field(min_length=1)]


class SourceVerification(Part):
    """The plan of source data verification.

    `sampled`: everything of `share` per cent of the subjects, drawn by `seed`, and the critical items of all others.
    """

    plan: Extent = Extent.ALL
    critical: tuple[CriticalItems, ...] = ()
    seed: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    share: Annotated[int, Field(ge=1, le=99, strict=True)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.plan is Extent.SAMPLED) != (self.seed is not None) or (self.seed is None) != (self.share is None):
            raise ValueError("a sampled plan needs `seed` and `share`, and no other plan has them")
        if self.plan is Extent.CRITICAL and not self.critical:
            raise ValueError("a critical plan names its items: [[sdv.critical]]")
        if self.plan is Extent.ALL and self.critical:
            raise ValueError("where everything is verified no item is critical")
        return self

    @cached_property
    def _critical(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for each in self.critical:
            found[each.form] = found.get(each.form, frozenset()) | set(each.items)
        return found

    def drawn(self, study_id: str, subject_id: str) -> bool:
        """Whether everything of a subject is verified: by a hash of the seed, so that anybody can draw again.

        >>> SourceVerification(plan="sampled", seed="2026-03-01", share=20).drawn("T1", "HZ01-001")
        True
        """
        if self.plan is not Extent.SAMPLED:
            return self.plan is Extent.ALL
        lot = int.from_bytes(sha256(f"{self.seed}\n{study_id}\n{subject_id}".encode()).digest()[:8])
        return lot * 100 < (self.share or 0) << 64

    def critical_here(self, form_id: str, item: str) -> bool:
        """Whether an item is verified for every subject."""
        return item in self._critical.get(form_id, ())


class Signing(Part):
    """What investigators sign, and whether they may while something is still wanting.

    `forms` are those whose pages wait to be signed; none named is all of them.
    """

    forms: tuple[Id, ...] = ()
    despite_missing: bool = False
    despite_queries: bool = False

    def asks(self, form_id: str) -> bool:
        """Whether pages of a form are to be signed."""
        return not self.forms or form_id in self.forms


EVERYTHING = SourceVerification()
"""What is verified where a study says nothing."""

STRICT = Signing()
"""How it is signed where a study says nothing: every page, once nothing is wanting."""


def review_faults(
    sdv: SourceVerification | None, signing: Signing | None, forms: Mapping[str, Form]
) -> Iterator[Fault]:
    """Forms and critical items that are not there, or that nobody enters."""
    for at, name in enumerate(signing.forms if signing else ()):
        if name not in forms:
            yield Fault(("signing", "forms", at), f"the form {name!r} is not listed in [forms]", _near(name, forms))
    for at, each in enumerate(sdv.critical if sdv else ()):
        path: tuple[str | int, ...] = ("sdv", "critical", at)
        form = forms.get(each.form)
        if form is None:
            yield Fault((*path, "form"), f"the form {each.form!r} is not listed in [forms]", _near(each.form, forms))
            continue
        entered = {item.id for item in form.items if item.type is not ItemType.COMPUTED}
        for place, item in enumerate(each.items):
            if item not in entered:
                words = f"{form.name()} has no item {item!r} that is entered"
                yield Fault((*path, "items", place), words, _near(item, entered))


def _near(name: str, known: Iterable[str]) -> str:
    return near(name, known, otherwise="Name one that is there")
