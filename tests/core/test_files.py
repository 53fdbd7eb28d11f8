"""A file is written whole or not at all, and in the place of nothing but a file."""

import os
import stat
from pathlib import Path

import pytest

from app.core.files import CannotWriteError, destination, replacing


def write(path: Path, words: bytes = b"new") -> None:
    with replacing(path) as out:
        out.write(words)


def test_a_file_stands_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    with replacing(path) as out:
        out.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    with pytest.raises(ZeroDivisionError), replacing(path) as out:
        raise ZeroDivisionError
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "folder" / "target"
    target.parent.mkdir()
    link.symlink_to(target)
    for words in (b"one", b"two"):
        write(link, words)
        assert (link.is_symlink(), target.read_bytes()) == (True, words)


@pytest.mark.parametrize("name", ["", ".", "folder", "to_folder", "pipe", "to_pipe", "circle", "no/out", "file/out"])
def test_what_is_no_file_stays_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for link, target in (("to_folder", "folder"), ("to_pipe", "pipe"), ("circle", "circle")):
        (tmp_path / link).symlink_to(target)
    before = {path: path.lstat().st_ino for path in tmp_path.rglob("*")}
    with pytest.raises(CannotWriteError, match=r"[Nn]ame (a|another) file"):
        write(tmp_path / name)
    assert {path: path.lstat().st_ino for path in tmp_path.rglob("*")} == before


def test_it_is_for_the_same_eyes_as_before(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.touch(mode=0o600)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_goes_wrong_with_another_file_is_not_blamed_on_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="other"), replacing(tmp_path / "out"):
        (tmp_path / "no" / "other").read_bytes()
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_is_no_surprise(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteError, match="space"), replacing(tmp_path / "out"):
        raise OSError(28, os.strerror(28))
    assert not list(tmp_path.iterdir())
    with pytest.raises(CannotWriteError):
        destination(tmp_path / ("x" * 300))
