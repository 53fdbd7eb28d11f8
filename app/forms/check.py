"""Is this file a form? Every mistake with its file, line, what is wrong and what to do."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.forms.asking_faults import Catalogue
from app.forms.definition import Calculation, Check, Code, Example, Form, Item, ReferenceRange, Section, Words
from app.forms.faults import faults
from app.forms.mistakes import Mistake, near
from app.forms.toml import Locate, TomlMistake, load

MAX_BYTES = 2_000_000

_LIBRARY = re.compile(r"(?P<form>[a-z][a-z0-9_]*)/v(?P<version>[0-9]+)\.toml")
_WORDS: Mapping[str, tuple[str, str]] = {
    "string_type": ("this is no text", "Put it in quotes"),
    "int_type": ("this is no whole number", "Write it without quotes, such as 1"),
    "bool_type": ("this is neither true nor false", "Write true or false, without quotes"),
    "tuple_type": ("this is no list", "Write [ … ]"),
    "dict_type": ("this is no table", "Write { key = value }"),
    "model_type": ("this is no table", "Write { key = value }"),
    "too_short": ("this is empty", "Give at least one"),
}
_PATTERNS: Mapping[str, str] = {
    "id": "a-z, 0-9 and _, beginning with a letter, at most 32 characters",
    "form": "a-z, 0-9 and _, beginning with a letter, at most 32 characters",
    "code": "letters, digits and _ + . / -, at most 40 characters",
    "rule": "a-z, 0-9 and _, beginning with a letter, at most 32 characters",
    "analyte": "capitals, digits and _, such as ALT",
    "domain": "two to four capitals, such as LB",
    "cdash": "capitals, digits and _, such as LBORRES",
    "en": "words; English and Chinese are both needed",
    "zh": "words; English and Chinese are both needed",
}


def check_form(source: Path | str, *, catalogue: Catalogue | None = None) -> tuple[Form | None, list[Mistake]]:
    """The form of a file (a Path) or of a TOML text (a str), and everything that is wrong with it.

    The form is None as soon as there is one mistake. `catalogue` are the published rules, where they are known.
    """
    file = str(source) if isinstance(source, Path) else "form.toml"
    try:
        text = _text(source)
        data, locate = load(text, file=file)
    except TomlMistake as error:
        return None, [error.mistake]
    except (OSError, UnicodeDecodeError):
        return None, [Mistake(file, 1, "", "the file cannot be read as UTF-8", "Save it as UTF-8, below 2 MB")]
    form, mistakes = check_data(data, locate, file=file, catalogue=catalogue)
    if form is not None and isinstance(source, Path):
        mistakes += _misplaced(form, source, locate)
    return (None if mistakes else form), sorted(mistakes, key=lambda mistake: mistake.line)


def check_data(
    data: Mapping[str, Any], locate: Locate, *, file: str, catalogue: Catalogue | None = None
) -> tuple[Form | None, list[Mistake]]:
    """The form of values already read, and what is wrong with them; the form also where its expressions fail."""
    try:
        form = Form.of(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        mistakes = [_structural(detail, data, locate, file) for detail in details if not _follows(detail, data)]
        return None, list(dict.fromkeys(mistakes))
    return form, [
        Mistake(file, locate(fault.path), where(data, fault.path), fault.message, fault.remedy)
        for fault in faults(form, catalogue=catalogue)
    ]


def where(data: Any, path: Sequence[str | int]) -> str:
    """A key path with ids in the place of numbers: section counts, item anc, min."""
    words: list[str] = []
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
        if isinstance(part, int):
            name = data.get("id", data.get("code")) if isinstance(data, dict) else None
            words[-1] += f" {name if isinstance(name, str) else part + 1}"
        elif not part.startswith("["):
            words.append(part)
    return ", ".join(words)


def _text(source: Path | str) -> str:
    if isinstance(source, str):
        return source
    if source.stat().st_size > MAX_BYTES:
        raise OSError("too large")
    return source.read_text(encoding="utf-8-sig")


def _misplaced(form: Form, path: Path, locate: Locate) -> list[Mistake]:
    """A library file is called <form>/v<version>.toml, so that its name can be trusted."""
    found = _LIBRARY.fullmatch("/".join(path.parts[-2:]))
    if found is None:
        return []
    said = {"form": form.form, "version": str(form.version)}
    return [
        Mistake(str(path), locate((key,)), key, f"the file is named {found[key]}, the form {value}", "Make them agree")
        for key, value in said.items()
        if found[key] != value
    ]


def _structural(error: ErrorDetails, data: Any, locate: Locate, file: str) -> Mistake:
    path = error["loc"]
    if "proves_life" in path:
        path = path[: path.index("proves_life") + 1]
    key = str(path[-1]) if path else ""
    kind = error["type"]
    context = error.get("ctx", {})
    message, remedy = _WORDS.get(kind, ("this value cannot be used", "See docs/forms.md"))
    if key == "proves_life" and kind != "extra_forbidden":
        message, remedy = "this is neither true nor a condition", "Write true, or a text such as \"status == 'ALIVE'\""
    elif kind == "extra_forbidden":
        known = _keys(path)
        message = f"there is no key {key!r} here"
        remedy = near(key, known, otherwise=f"Keys are {', '.join(known)}")
    elif kind == "missing":
        message, remedy = f"the key {key!r} is missing", f"Add `{key}`"
    elif kind == "enum":
        given = _value(data, path)
        choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        message = f"{given!r} is not one of the choices" if isinstance(given, str) else "this is not one of the choices"
        remedy = near(str(given), choices, otherwise=f"Choices are {', '.join(choices)}")
    elif kind == "string_pattern_mismatch":
        message, remedy = (
            "this text has not the right form",
            f"Write {_PATTERNS.get(key, 'a short text without blanks around it')}",
        )
    elif kind.startswith(("greater_than", "less_than")):
        bound = next(iter(context.values()), "")
        message, remedy = "this number is out of range", f"{kind.replace('_', ' ').capitalize()} {bound}".strip()
    elif kind == "string_too_long":
        message, remedy = "this text is too long", f"At most {context.get('max_length')} characters"
    return Mistake(file, locate(path), where(data, path), message, remedy)


def _follows(error: ErrorDetails, data: Any) -> bool:
    """A list counts as empty when its members are faulty: that is no mistake of its own."""
    return error["type"] == "too_short" and bool(_value(data, error["loc"]))


def _value(data: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _keys(path: Sequence[str | int]) -> list[str]:
    """The keys that may stand beside the last one of `path`."""
    holders: dict[str, type[BaseModel]] = {
        "item": Item, "section": Section, "codes": Code, "label": Words, "title": Words, "help": Words,
        "calculation": Calculation, "range": ReferenceRange, "check": Check, "fires": Example, "passes": Example,
        "message": Words, "remedy": Words,
    }  # fmt: skip
    names = [part for part in path[:-1] if isinstance(part, str)]
    model = holders.get(names[-1], Form) if names else Form
    return [field.alias or name for name, field in model.model_fields.items()]
