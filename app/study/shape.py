"""What pydantic finds wrong in the shape of a study file, said in the words of the file with line and remedy."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.clinical.endpoints.definition import (
    Absence,
    CensorAt,
    Endpoint,
    Gap,
    Milestone,
    MilestoneSource,
    Outcome,
    Rate,
    Variant,
)
from app.forms.definition import Example, Words
from app.forms.mistakes import Mistake, near
from app.forms.toml import Locate
from app.study.definition import Arm, Due, Fact, Site, Status, Study, StudyCheck, Visit
from app.study.plan import Fill, FormStep, ItemStep, Plan, RowsStep, VisitStep
from app.study.review import CriticalItems, Signing, SourceVerification

Path = tuple[str | int, ...]

_MODELS: Mapping[str, type[BaseModel]] = {
    "arm": Arm, "site": Site, "fact": Fact, "visit": Visit, "due": Due, "status": Status, "milestone": Milestone,
    "from": MilestoneSource, "absent_by": Absence, "gap": Gap, "endpoint": Endpoint, "variant": Variant,
    "outcomes": Outcome, "censor_at": CensorAt, "rate": Rate, "label": Words, "title": Words, "name": Words,
    "basis": Words, "check": StudyCheck, "fires": Example, "passes": Example, "message": Words, "remedy": Words,
    "sdv": SourceVerification, "critical": CriticalItems, "signing": Signing,
}  # fmt: skip
_PLAN_MODELS: Mapping[str, type[BaseModel]] = {
    "form": FormStep, "item": ItemStep, "rows": RowsStep, "fill": Fill, "visit": VisitStep, "basis": Words,
}  # fmt: skip
_WORDS: Mapping[str, tuple[str, str]] = {
    "string_type": ("this is no text", "Put it in quotes"),
    "int_type": ("this is no whole number", "Write it without quotes, such as 1"),
    "bool_type": ("this is neither true nor false", "Write true or false, without quotes"),
    "bool_parsing": ("this is neither true nor false", "Write true or false, without quotes"),
    "tuple_type": ("this is no list", "Write [ … ]"),
    "dict_type": ("this is no table", "Write { key = value }"),
    "model_type": ("this is no table", "Write { key = value }"),
    "too_short": ("this is empty", "Give at least one"),
    "string_too_short": ("this text is empty", "Write the words"),
    "too_long": ("this list is too long", "A window has two days: [first, last]"),
}
_PATTERNS: Mapping[str, str] = {
    "study": "capitals, digits and -, beginning with a capital, such as NCT06125106",
    "id": "capitals and digits, 2 to 12, such as HZ01",
    "code": "a code; visits and endpoints in capitals and digits, such as D30 or OS",
}
_NAMES = ("code", "id", "name", "item", "rows", "form", "visit")  # what a part of a file is called by
_NAME = "a-z, 0-9 and _, beginning with a letter, at most 32 characters"


def shape_mistakes(
    error: ValidationError, data: Any, locate: Locate, file: str, *, of: type[BaseModel] = Study
) -> list[Mistake]:
    """One mistake per finding of pydantic, in the order of the file; `of` is what the file should be.

    A list counts as empty when its members are faulty: that is no mistake of its own.
    """
    details = error.errors(include_url=False)
    return [
        _mistake(detail, data, locate, file, of)
        for detail in details
        if detail["type"] != "too_short" or not detail["input"]
    ]


def where(data: Any, path: Sequence[str | int]) -> str:
    """A key path with names in the place of numbers: visit D30, window."""
    words: list[str] = []
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
        if isinstance(part, int):
            named = [data[key] for key in _NAMES if key in data] if isinstance(data, dict) else []
            word = next((name for name in named if isinstance(name, str)), str(part + 1))
            words.append(f"{words.pop()} {word}" if words else word)
        elif not part.startswith("["):
            words.append(part)
    return ", ".join(words)


def _mistake(error: ErrorDetails, data: Any, locate: Locate, file: str, of: type[BaseModel]) -> Mistake:
    path: Path = error["loc"]
    key = next((part for part in reversed(path) if isinstance(part, str) and part != "[key]"), "")
    kind, context = error["type"], error.get("ctx", {})
    message, remedy = _WORDS.get(
        kind, ("this value cannot be used", "docs/schemas/study.schema.json says what may stand here")
    )
    if kind == "extra_forbidden":
        known = _keys(path, of)
        message, remedy = f"there is no key {key!r} here", near(key, known, otherwise=f"Keys are {', '.join(known)}")
    elif kind == "missing":
        message, remedy = f"the key {key!r} is missing", f"Add `{key}`"
    elif kind in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        message, remedy = "this is not one of the choices", f"Choices are {', '.join(choices)}"
        if not isinstance(error["input"], str):
            message, remedy = "this is no text", f"Put it in quotes; the choices are {_quoted(choices)}"
    elif kind == "string_pattern_mismatch":
        message, remedy = "this name has not the right form", f"Write {_PATTERNS.get(key, _NAME)}"
    elif kind.startswith(("greater_than", "less_than")):
        bound = next(iter(context.values()), "")
        message, remedy = "this number is out of range", f"{kind.replace('_', ' ').capitalize()} {bound}".strip()
    elif kind == "value_error":
        message, remedy = "this does not fit together", str(context.get("error", remedy))
    return Mistake(file, locate(path), where(data, path), message, remedy)


def _quoted(choices: Sequence[str]) -> str:
    return ", ".join(f'"{choice}"' for choice in choices)


def _keys(path: Path, of: type[BaseModel]) -> list[str]:
    """The keys that may stand beside the last one of `path`."""
    names = [part for part in path[:-1] if isinstance(part, str)]
    models = _PLAN_MODELS if of is Plan else _MODELS
    model = models.get(names[-1], of) if names else of
    return [field.alias or name for name, field in model.model_fields.items()]
