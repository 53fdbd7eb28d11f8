"""What is released never changes: `forms/released.toml` keeps the digest of every released form and study file."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.forms.mistakes import Mistake, near
from app.forms.toml import TomlMistake, load
from app.study.definition import Study

_HEAD = """\
# SHA-256 of the canonical content of every released form and study version. A released file never changes:
# records were entered under it. To change a page, copy it to the next version and list that in a new study version.

[released]
"""


def released(root: Path) -> dict[str, str]:
    """Digest by path below `root` of what has been released; empty where nothing has."""
    file = root / "released.toml"
    try:
        kept = tomllib.loads(file.read_text(encoding="utf-8")).get("released", {})
    except (FileNotFoundError, tomllib.TOMLDecodeError):  # the second is a mistake that `released_mistakes` reports
        return {}
    return dict(kept) if isinstance(kept, dict) else {}


def released_text(root: Path, digests: Mapping[str, str]) -> str:
    """`released.toml` with everything in `digests` released too; what was released before keeps its digest."""
    lines = sorted((dict(digests) | released(root)).items())
    return _HEAD + "".join(f'"{path}" = "{digest}"\n' for path, digest in lines)


def released_mistakes(root: Path, digests: Mapping[str, str]) -> list[Mistake]:
    """Released files that changed or are gone. `digests` are those of the sound files as they are now."""
    file = root / "released.toml"
    if not file.exists():
        return []
    try:
        data, locate = load(file.read_text(encoding="utf-8"), file=str(file))
    except TomlMistake as error:
        return [error.mistake]
    kept = data.get("released", {})
    if not isinstance(kept, dict) or set(data) - {"released"}:
        return [Mistake(str(file), 1, "", "there is more than one table here", "Keep [released] alone: path = digest")]
    mistakes = []
    for path, digest in kept.items():
        if path in digests and digests[path] == digest:
            continue
        if path in digests:
            mistakes.append(Mistake(str(root / path), 1, "", "this version is released and has changed", _copy(path)))
        elif not (root / path).exists():
            remedy = near(path, digests, otherwise="Bring the file back: records were entered under it")
            mistakes.append(Mistake(str(file), locate(("released", path)), "", f"the released {path} is gone", remedy))
    return mistakes


def unreleased_forms(root: Path, studies: Iterable[Study]) -> list[Mistake]:
    """Forms that a released study names and that are not released: they could still change under it."""
    kept = released(root)
    return [
        Mistake(
            str(root / f"studies/{study.study}/v{study.version}.toml"),
            1,
            f"forms, {form_id}",
            f"the study is released, its form {form_id} v{version} is not",
            "Release the form too: add its digest to released.toml",
        )
        for study in studies
        if f"studies/{study.study}/v{study.version}.toml" in kept
        for form_id, version in study.forms.items()
        if f"library/{form_id}/v{version}.toml" not in kept
    ]


def _copy(path: str) -> str:
    folder, _, name = path.rpartition("/")
    number = int(name.removeprefix("v").removesuffix(".toml")) + 1
    return f"Copy it to v{number} ({folder}/v{number}.toml, version = {number}) and take back the change here"
