"""Is this file a study, and is the whole `forms/` folder in order? Every mistake with its file, line and remedy."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.clinical.rules.registry import RULES
from app.core.files import replacing
from app.forms.check import MAX_BYTES, check_form
from app.forms.definition import Form
from app.forms.mistakes import Mistake
from app.forms.schema import file_schema as form_schema
from app.forms.toml import Locate, TomlMistake, load
from app.study.compare import Version
from app.study.definition import Study
from app.study.plan import Plan
from app.study.plan_check import check_plan
from app.study.plan_schema import file_schema as plan_schema
from app.study.references import Unsound, study_faults
from app.study.released import released_mistakes, unreleased_forms
from app.study.schema import file_schema as study_schema
from app.study.shape import shape_mistakes, where

_FILES = re.compile(
    r"released\.toml|(library|studies)/[^/]+/v[1-9][0-9]*\.toml|migrations/[^/]+/v[1-9][0-9]*-v[1-9][0-9]*\.toml"
)
_PLACE = re.compile(r"(?P<name>[^/]+)/v(?P<version>[0-9]+)\.toml")


@dataclass(frozen=True)
class Tree:
    """A `forms/` folder as read: the forms, studies and plans that are sound, and every mistake in it."""

    forms: Mapping[tuple[str, int], Form]
    studies: tuple[Study, ...]
    digests: Mapping[str, str]  # of the sound forms and studies, by path below the folder
    mistakes: tuple[Mistake, ...]
    plans: tuple[Plan, ...] = ()

    @property
    def versions(self) -> dict[tuple[str, int], Version]:
        """Every sound study version with its forms."""
        return {
            (study.study, study.version): Version(
                study, {form_id: self.forms[form_id, number] for form_id, number in study.forms.items()}
            )
            for study in self.studies
        }


def check_study(
    source: Path | str, forms: Mapping[tuple[str, int], Form], unsound: Unsound = frozenset()
) -> tuple[Study | None, list[Mistake]]:
    """The study of a file (a Path) or of a TOML text (a str), checked together with the forms it may name.

    The study is None as soon as there is one mistake. `unsound` are the forms that are there with mistakes.
    """
    file = str(source) if isinstance(source, Path) else "study.toml"
    try:
        if isinstance(source, Path) and source.stat().st_size > MAX_BYTES:
            return None, [_unreadable(file)]
        text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        data, locate = load(text, file=file)
    except TomlMistake as error:
        return None, [error.mistake]
    except (OSError, UnicodeDecodeError):
        return None, [_unreadable(file)]
    try:
        study = Study.of(data)
    except ValidationError as error:
        return None, sorted(shape_mistakes(error, data, locate, file), key=lambda mistake: mistake.line)
    mistakes = [
        Mistake(file, locate(fault.path), where(data, fault.path), fault.message, fault.remedy)
        for fault in study_faults(study, forms, unsound)
    ]
    if isinstance(source, Path):
        mistakes += _misplaced(study, source, locate)
    return (None if mistakes else study), sorted(mistakes, key=lambda mistake: mistake.line)


def read_tree(root: Path) -> Tree:
    """Everything under `root`, the `forms/` folder: library/, studies/, migrations/ and released.toml."""
    forms: dict[tuple[str, int], Form] = {}
    studies: list[Study] = []
    digests: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in sorted(root.glob("library/*/*.toml")):
        form, found = check_form(path, catalogue=RULES)
        mistakes += found
        if form is not None:
            forms[form.form, form.version] = form
            digests[path.relative_to(root).as_posix()] = form.digest
    unsound = _there(root, "library") - set(forms)
    for path in sorted(root.glob("studies/*/*.toml")):
        study, found = check_study(path, forms, unsound)
        mistakes += found
        if study is not None:
            studies.append(study)
            digests[path.relative_to(root).as_posix()] = study.digest
    mistakes += [_stray(path) for path in sorted(root.rglob("*.toml")) if not _placed(path.relative_to(root))]
    mistakes += released_mistakes(root, digests)
    mistakes += unreleased_forms(root, studies)
    plans: list[Plan] = []
    versions = Tree(forms, tuple(studies), digests, ()).versions
    unsound = _there(root, "studies") - set(versions)
    for path in sorted(root.glob("migrations/*/*.toml")):
        plan, found = check_plan(path, versions, unsound)
        mistakes += found
        if plan is not None:
            plans.append(plan)
    return Tree(forms, tuple(studies), digests, tuple(mistakes), tuple(plans))


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of a form, a study and a plan file, for editors; by the name they are published under."""
    return {"form": form_schema(), "study": study_schema(), "plan": plan_schema()}


def write_schemas(folder: Path) -> list[Path]:
    """Write `schemas()` as <name>.schema.json into `folder`; the files written."""
    written = []
    for name, schema in schemas().items():
        path = folder / f"{name}.schema.json"
        with replacing(path) as file:
            file.write(schema_text(schema).encode())
        written.append(path)
    return written


def schema_text(schema: Mapping[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _unreadable(file: str) -> Mistake:
    return Mistake(file, 1, "", "the file cannot be read as UTF-8", "Save it as UTF-8, below 2 MB")


def _there(root: Path, what: str) -> set[tuple[str, int]]:
    """Name and number of each form or study that has a file, as the file is called."""
    found = (_PLACE.fullmatch("/".join(path.parts[-2:])) for path in root.glob(f"{what}/*/*.toml"))
    return {(each["name"], int(each["version"])) for each in found if each is not None}


def _placed(path: Path) -> bool:
    return _FILES.fullmatch(path.as_posix()) is not None


def _stray(path: Path) -> Mistake:
    return Mistake(
        str(path),
        1,
        "",
        "no file is expected here",
        "Forms are library/<form>/v<number>.toml, studies are studies/<STUDY>/v<number>.toml, "
        "plans are migrations/<STUDY>/v<number>-v<number>.toml",
    )


def _misplaced(study: Study, path: Path, locate: Locate) -> list[Mistake]:
    """A study file is called <STUDY>/v<version>.toml, so that its name can be trusted."""
    found = _PLACE.fullmatch("/".join(path.parts[-2:]))
    if found is None:
        return []
    said = {"study": (found["name"], study.study), "version": (found["version"], str(study.version))}
    return [
        Mistake(str(path), locate((key,)), key, f"the file is named {name}, the study {value}", "Make them agree")
        for key, (name, value) in said.items()
        if name != value
    ]
