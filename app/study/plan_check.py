"""Is this file a migration plan, and does it fit the versions it names? Each mistake with file, line and remedy."""

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from app.forms.check import MAX_BYTES
from app.forms.mistakes import Mistake
from app.forms.toml import Locate, TomlMistake, load
from app.study.compare import Built
from app.study.plan import Plan
from app.study.plan_faults import plan_faults
from app.study.references import Unsound
from app.study.shape import shape_mistakes, where

Versions = Mapping[tuple[str, int], Built]
"""The sound versions of studies by key and number, with their forms."""

_PLACE = re.compile(r"(?P<study>[^/]+)/v(?P<before>[0-9]+)-v(?P<after>[0-9]+)\.toml")


def check_plan(
    source: Path | str, versions: Versions, unsound: Unsound = frozenset()
) -> tuple[Plan | None, list[Mistake]]:
    """The plan of a file (a Path) or of a TOML text (a str), checked together with the versions it names.

    The plan is None as soon as there is one mistake. `unsound` are the versions that are there with mistakes.
    """
    file = str(source) if isinstance(source, Path) else "plan.toml"
    unreadable = Mistake(file, 1, "", "the file cannot be read as UTF-8", "Save it as UTF-8, below 2 MB")
    try:
        if isinstance(source, Path) and source.stat().st_size > MAX_BYTES:
            return None, [unreadable]
        text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        data, locate = load(text, file=file)
    except TomlMistake as error:
        return None, [error.mistake]
    except (OSError, UnicodeDecodeError):
        return None, [unreadable]
    try:
        plan = Plan.of(data)
    except ValidationError as error:
        mistakes = shape_mistakes(error, data, locate, file, of=Plan)
        return None, sorted(mistakes, key=lambda mistake: mistake.line)
    mistakes = _astray(plan, versions, unsound, locate, file)
    if not mistakes:
        old, new = versions[plan.study, plan.from_], versions[plan.study, plan.to]
        mistakes = [
            Mistake(file, locate(fault.path), where(data, fault.path), fault.message, fault.remedy)
            for fault in plan_faults(plan, old, new)
        ]
    if isinstance(source, Path):
        mistakes += _misplaced(plan, source, locate)
    return (None if mistakes else plan), sorted(mistakes, key=lambda mistake: mistake.line)


def _astray(plan: Plan, versions: Versions, unsound: Unsound, locate: Locate, file: str) -> list[Mistake]:
    """A plan leads from a version that is there to a later one that is there."""
    pairs = (("from", plan.from_), ("to", plan.to))
    found = [
        Mistake(
            file, locate((key,)), key, f"version {number} of {plan.study} has mistakes of its own",
            f"Correct studies/{plan.study}/v{number}.toml first",
        )
        for key, number in pairs
        if (plan.study, number) in unsound
    ]  # fmt: skip
    if found:
        return found
    known = sorted(number for study, number in versions if study == plan.study)
    if not known:
        remedy = "Name a study of forms/studies"
        return [Mistake(file, locate(("study",)), "study", f"there is no study {plan.study!r}", remedy)]
    remedy = f"Versions are {', '.join(map(str, known))}"
    found = [
        Mistake(file, locate((key,)), key, f"there is no version {number} of {plan.study}", remedy)
        for key, number in pairs
        if number not in known
    ]
    if plan.from_ >= plan.to:
        found.append(Mistake(file, locate(("to",)), "to", "a plan leads to a later version", "Swap `from` and `to`"))
    return found


def _misplaced(plan: Plan, path: Path, locate: Locate) -> list[Mistake]:
    """A plan is called <STUDY>/v<from>-v<to>.toml, so that its name can be trusted."""
    found = _PLACE.fullmatch("/".join(path.parts[-2:]))
    if found is None:
        return []
    said = {"study": plan.study, "before": str(plan.from_), "after": str(plan.to)}
    keys = {"study": "study", "before": "from", "after": "to"}
    return [
        Mistake(str(path), locate((keys[part],)), keys[part], f"the file is named {found[part]}", "Make them agree")
        for part, value in said.items()
        if found[part] != value
    ]
