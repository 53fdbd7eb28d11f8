"""A released form or study never changes: records were entered under it."""

import shutil
import tomllib
from pathlib import Path

import pytest

from app.study.check import read_tree
from app.study.released import released, released_text

ROOT = Path(__file__).parents[2]
FORMS = ROOT / "forms"


def files() -> list[str]:
    found = [*FORMS.glob("library/*/v*.toml"), *FORMS.glob("studies/*/v*.toml")]
    return sorted(path.relative_to(FORMS).as_posix() for path in found)


def test_every_form_and_study_of_the_repository_is_released_unchanged():
    assert read_tree(FORMS).mistakes == ()
    assert sorted(released(FORMS)) == files()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FORMS, tmp_path / "forms"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("library/consent/v1.toml", "required = true", "required = false"),
        ("library/consent/v1.toml", "Informed consent", "Informed Consent"),
        ("studies/S1904/v1.toml", "window = [-28, 0]", "window = [-27, 0]"),
    ],
)
def test_a_change_to_a_released_file_is_found_and_the_next_version_is_the_remedy(copy, path, old, new):
    change(copy / path, old, new)
    (mistake,) = read_tree(copy).mistakes
    assert mistake.file == str(copy / path)
    assert "v2" in mistake.remedy


def test_comments_and_spacing_are_no_change(copy):
    path = copy / "library/consent/v1.toml"
    path.write_text("# a remark\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert read_tree(copy).mistakes == ()


def test_a_released_file_that_is_gone_is_found_on_its_line(copy):
    (copy / "studies/S1904/v1.toml").unlink()
    (mistake,) = read_tree(copy).mistakes
    lines = (copy / "released.toml").read_text(encoding="utf-8").splitlines()
    assert mistake.file == str(copy / "released.toml")
    assert "studies/S1904/v1.toml" in lines[mistake.line - 1]


def test_a_new_version_beside_the_released_one_is_welcome(copy):
    old, new = (copy / f"library/consent/v{number}.toml" for number in (2, 3))
    shutil.copy(old, new)
    change(new, "version = 2", "version = 3")
    change(new, "required = true", "required = false")
    assert read_tree(copy).mistakes == ()


def test_a_released_study_may_not_name_a_form_that_could_still_change(copy):
    path = copy / "released.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if "library/cart/v1" not in line), encoding="utf-8")
    (mistake,) = read_tree(copy).mistakes
    assert mistake.file.endswith("studies/S1904/v1.toml")


@pytest.mark.parametrize("text", ["[released", "[other]\n", "released = 1\n"])
def test_a_spoilt_list_is_a_mistake_and_no_crash(copy, text):
    (copy / "released.toml").write_text(text, encoding="utf-8")
    mistakes = read_tree(copy).mistakes
    assert mistakes
    assert all(mistake.line >= 1 for mistake in mistakes)


def test_releasing_adds_what_is_new_and_never_rewrites_what_was_released(copy):
    tree = read_tree(copy)
    new = {"library/consent/v1.toml": "0" * 64, "library/consent/v3.toml": "1" * 64}
    after = tomllib.loads(released_text(copy, new))["released"]
    assert after == released(copy) | {"library/consent/v3.toml": "1" * 64}
    assert tree.digests == released(copy)
