"""TOML with line numbers: `tomllib` reads the values, a small scanner remembers where each key stands."""

import re
import tomllib
from collections.abc import Callable
from typing import Any

from app.forms.mistakes import Mistake, dotted, near

__all__ = ["Mistake", "TomlMistake", "dotted", "load", "near"]

Path = tuple[str | int, ...]
Locate = Callable[[Path], int]

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class TomlMistake(ValueError):  # noqa: N818 (a mistake of the author, no error of the program)
    """The text is no TOML; carries the mistake, without the name of the file."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def load(text: str, *, file: str = "") -> tuple[dict[str, Any], Locate]:
    """The values of a TOML text, and a function from a key path to the line (from 1) on which it stands.

    A path that is not in the file gives the line of its nearest ancestor: a missing key is reported where it belongs.
    Raises TomlMistake for text that is no TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlMistake(_syntax(str(error), text, file)) from None
    except RecursionError:
        raise TomlMistake(
            Mistake(file, 1, "", "the values are nested too deeply to be read", "Write them flat")
        ) from None
    lines: dict[Path, int] = {}  # only a file with a mistake is gone through

    def locate(path: Path) -> int:
        if not lines:
            lines.update(_Scanner(text).scan())
        while path and path not in lines:
            path = path[:-1]
        return lines.get(path, 1)

    return data, locate


def _syntax(message: str, text: str, file: str) -> Mistake:
    found = _AT_LINE.search(message)
    line = int(found[1]) if found else text.count("\n") + 1
    words = _AT_LINE.sub("", message).replace("(at end of document)", "at the end of the file").strip()
    return Mistake(
        file, line, "", f"this is no TOML: {words}", "Check quotes, brackets and commas on this line and the one above"
    )


class _Scanner:
    """Walks a text that tomllib has already accepted; so it needs to find positions, not to judge."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {(): 1}
        self.counts: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self._blank(newlines=True)
            if self.at >= len(self.text):
                return self.lines
            if self.text.startswith("[[", self.at):
                self._step(2)
                table = self._resolve(self._keys(), append=True)
                self._step(2)
            elif self.text[self.at] == "[":
                self._step(1)
                table = self._resolve(self._keys(), append=False)
                self._step(1)
            else:
                self._pair(table)

    def _resolve(self, keys: list[str], *, append: bool) -> Path:
        """The path of a table header; the last element of an array of tables stands for the array."""
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            self.lines.setdefault(path, self.line)
            if append and position == len(keys) - 1:
                self.counts[path] = self.counts.get(path, -1) + 1
                path = (*path, self.counts[path])
                self.lines[path] = self.line
            elif path in self.counts:
                path = (*path, self.counts[path])
        self.lines.setdefault(path, self.line)
        return path

    def _pair(self, table: Path) -> None:
        line = self.line
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._blank()
        self._step(1)  # the equals sign
        self._blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        self.lines.setdefault(path, self.line)
        opening = self.text[self.at : self.at + 1]
        if opening in ('"', "'"):
            self._string()
        elif opening == "[":
            self._members("]", lambda index: self._value((*path, index)))
        elif opening == "{":
            self._members("}", lambda _index: self._pair(path))
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\r\n":
                self._step(1)

    def _members(self, closing: str, read: Callable[[int], None]) -> None:
        self._step(1)
        index = 0
        while True:
            self._blank(newlines=True)
            if self.text[self.at] == closing:
                self._step(1)
                return
            if self.text[self.at] == ",":
                self._step(1)
                continue
            read(index)
            index += 1

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._blank()
            if self.text[self.at] in "\"'":
                keys.append(self._string())
            else:
                found = _KEY.match(self.text, self.at)
                keys.append(found[0] if found else "")
                self._step(max(1, len(keys[-1])))
            self._blank()
            if self.text[self.at : self.at + 1] != ".":
                return keys
            self._step(1)

    def _string(self) -> str:
        quote = self.text[self.at]
        fence = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        start = self.at
        self._step(len(fence))
        while not self.text.startswith(fence, self.at):
            self._step(2 if quote == '"' and self.text[self.at] == "\\" else 1)
        self._step(len(fence))
        if len(fence) > 1:  # up to two quotes may stand before the closing three
            while self.text[self.at : self.at + 1] == quote:
                self._step(1)
            return ""  # a text of several lines is never a key
        raw = self.text[start : self.at]
        return str(tomllib.loads(f"key = {raw}")["key"])

    def _blank(self, *, newlines: bool = False) -> None:
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "#":
                while self.at < len(self.text) and self.text[self.at] != "\n":
                    self._step(1)
            elif character in " \t" or (newlines and character in "\r\n"):
                self._step(1)
            else:
                return

    def _step(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count
