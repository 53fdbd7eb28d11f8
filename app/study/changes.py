"""Every way in which one version can differ from the next, and what it does to answers that are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.forms.definition import Lang
from app.study.change_words import REMEDIES, SENTENCES


class Effect(StrEnum):
    """What a difference does, mildest first."""

    LABEL = "label"  # other words, the same answers
    SAFE = "safe"  # something more; every answer stays what it is
    WIDENING = "widening"  # more is taken than before
    NARROWING = "narrowing"  # an answer may no longer be taken, shown or counted as before
    DESTRUCTIVE = "destructive"  # an answer loses its place or its meaning: the plan has to say what becomes of it


_KINDS: Mapping[Effect, tuple[str, ...]] = {
    Effect.LABEL: ("version", "words", "order", "mapping", "moved", "section-removed"),
    Effect.SAFE: ("added", "page-added"),
    Effect.WIDENING: (
        *("code-added", "missing-added", "unit-added", "limit-widened", "type-widened", "optional", "page-optional"),
        *("repeats", "always-shown", "window-widened"),
    ),
    Effect.NARROWING: (
        *("required", "added-required", "limit-narrowed", "shown-otherwise", "computed", "computed-removed"),
        *("page-due", "schedule", "window-narrowed", "definition-changed", "definition-removed", "changed"),
    ),
    Effect.DESTRUCTIVE: (
        *("code-removed", "missing-removed", "unit", "unit-removed", "type", "rows", "rows-removed", "item-removed"),
        *("once-only", "form-once-only", "form-removed", "page-removed", "visit-removed"),
    ),
}
EFFECTS: Mapping[str, Effect] = {kind: effect for effect, kinds in _KINDS.items() for kind in kinds}
"""The effect of each kind of difference. What no kind foresees is `changed`, never passed over."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two versions: where it is, of what kind, and what stood and stands there.

    `form` and `item`, or `visit`, say whose answers it touches; a section of rows is named as an item.
    """

    path: str
    kind: str
    key: str = ""
    before: Any = None
    after: Any = None
    form: str | None = None
    item: str | None = None
    visit: str | None = None

    @property
    def effect(self) -> Effect:
        """What it does to answers that are there."""
        return EFFECTS[self.kind]

    def words(self, lang: Lang) -> str:
        """The difference as a sentence."""
        said = {"key": self.key, "before": _said(self.before), "after": _said(self.after)}
        return SENTENCES[self.kind][lang == "zh"].format(**said)

    def remedy(self, lang: Lang) -> str:
        """What to do about it; empty where nothing needs doing."""
        return REMEDIES.get(self.kind, ("", ""))[lang == "zh"]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, tuple | list) else str(value)
