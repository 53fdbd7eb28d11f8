"""Runs what the pages in docs/ show: files, commands and requests in the order of the page, in a scratch folder.

Of a page, four kinds of fenced blocks are carried out; others are only read.

- A block whose first line names a file (```toml forms/library/course/v1.toml) writes that file. Where the file is
  there already, or the name goes into a zip (study.zip/endpoints.csv), the block shows what must be in it: of a CSV
  file, some of its columns and some of its rows, in their order.
- In ```console, lines after `$ ` are commands: `marrow …` (by the command line's own entry point), `curl …` (against
  the application, without a network), `NAME=…` (`NAME=word…` takes from the last answer the value that begins so,
  `NAME=field:…` the first value of that field), and `echo $?`. The lines below a command are its answer, in which `…`
  stands for anything, and as a name or last element for anything more.
- ```python is executed.
"""

import csv
import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app as commands

ANY = "…"
HOST = "http://127.0.0.1:8000"
_FENCE = re.compile(r"^```(?P<language>[a-z]+)?(?: (?P<name>[^\n]+))?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: `name` is what follows its language, `line` where it begins."""

    line: int
    language: str
    name: str
    text: str


@dataclass(frozen=True)
class Step:
    """A command and the lines shown below it."""

    command: str
    shown: str


def blocks(text: str) -> list[Block]:
    return [
        Block(text.count("\n", 0, found.start()) + 1, found["language"] or "", found["name"] or "", found["text"])
        for found in _FENCE.finditer(text)
    ]


def steps(block: Block) -> list[Step]:
    joined = re.sub(r"\\\n\s*", "", block.text)
    parts = re.split(r"^\$ ", joined, flags=re.MULTILINE)
    assert not parts[0].strip(), f"line {block.line}: a console block begins with a command"
    return [_step(part.splitlines()) for part in parts[1:]]


def _step(lines: list[str]) -> Step:
    """A command goes on to the next line while a quotation is open."""
    for taken in range(1, len(lines) + 1):
        command = "\n".join(lines[:taken])
        try:
            shlex.split(command)
        except ValueError:
            continue
        return Step(command.strip(), "\n".join(lines[taken:]).strip())
    raise AssertionError(f"a quotation is not closed: {lines[0]}")


def alike(shown: Any, given: Any) -> bool:
    """Whether an answer is what the page shows."""
    if isinstance(shown, str) and ANY in shown:
        if shown == ANY:
            return True
        return isinstance(given, str) and re.fullmatch(".*".join(map(re.escape, shown.split(ANY))), given, re.DOTALL)  # type: ignore[return-value]
    if isinstance(shown, Mapping):
        more = ANY in shown
        named = {key: value for key, value in shown.items() if key != ANY}
        return (
            isinstance(given, Mapping)
            and named.keys() <= given.keys()
            and (more or named.keys() == given.keys())
            and all(alike(value, given[key]) for key, value in named.items())
        )
    if isinstance(shown, list):
        more = shown[-1:] == [ANY]
        named_first = shown[:-1] if more else shown
        return (
            isinstance(given, list)
            and (len(given) >= len(named_first) if more else len(given) == len(named_first))
            and all(alike(one, other) for one, other in zip(named_first, given, strict=False))
        )
    return type(shown) is type(given) and shown == given


def show(text: str) -> Any:
    """An answer as the page writes it: JSON, in which a bare `…` may stand for a value or for what follows."""
    text = re.sub(r"(?<=[{,\[])(\s*)…(?=\s*[}])", rf'\1"{ANY}": "{ANY}"', text)
    return json.loads(re.sub(r"(?<=[:,\[])(\s*)…(?=\s*[,\]}])", rf'\1"{ANY}"', text))


@dataclass
class Reader:
    """Somebody who follows a page word by word in `folder`."""

    client: TestClient
    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    code: int = 0

    def follow(self, page: str) -> Iterator[str]:
        """Carry out the page; each difference between it and what happened."""
        for block in blocks(page):
            for problem in self._block(block):
                yield f"line {block.line}: {problem}"

    def _block(self, block: Block) -> Iterator[str]:
        if block.language == "console":
            yield from self._console(block)
        elif block.language == "python" and not block.name:
            exec(compile(block.text, f"line {block.line}", "exec"), {})  # noqa: S102 - it is what the page tells to do
        elif block.name:
            path = self.folder / block.name
            if ".zip/" in block.name or path.exists():
                yield from self._compare(block)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")

    def _compare(self, block: Block) -> Iterator[str]:
        archive, inside, member = block.name.partition(".zip/")
        if inside:
            with zipfile.ZipFile(self.folder / f"{archive}.zip") as zipped:
                text = zipped.read(member).decode()
        else:
            text = (self.folder / block.name).read_text(encoding="utf-8")
        if block.language == "json":
            if not alike(show(block.text), json.loads(text)):
                yield f"{block.name} holds {text}"
            return
        shown = csv.DictReader(io.StringIO(block.text))
        columns = shown.fieldnames or ()
        remaining = [{name: row[name] for name in columns} for row in csv.DictReader(io.StringIO(text))]
        for row in shown:
            found = next((at for at, other in enumerate(remaining) if alike(row, other)), None)
            if found is None:
                yield f"{block.name} has no such row after the ones before: {row}; it has {remaining}"
                return
            remaining = remaining[found + 1 :]

    def _console(self, block: Block) -> Iterator[str]:
        told = steps(block)
        for number, step in enumerate(told):
            asked = number + 1 < len(told) and told[number + 1].command == "echo $?"
            yield from self._step(step, expect_zero=not asked)

    def _step(self, step: Step, *, expect_zero: bool) -> Iterator[str]:
        if step.command == "echo $?":
            if step.shown != str(self.code):
                yield f"the exit code is {self.code}, shown is {step.shown}"
        elif set_ := re.fullmatch(r"([A-Z]+)=(.*)", step.command):
            self._name(set_[1], set_[2])
        elif step.command.startswith("marrow "):
            yield from self._marrow(step, expect_zero=expect_zero)
        elif step.command.startswith("curl "):
            yield from self._curl(step)
        else:
            yield f"nobody knows how to carry out: {step.command}"

    def _name(self, name: str, value: str) -> None:
        begins, any_, _ = self._told(value).partition(ANY)
        if any_:
            field, of, word = begins.rpartition(":") if begins.endswith(":") else ("", "", begins)
            wanted = rf'"{re.escape(field)}":"([^"]*)"' if of else rf'"({re.escape(word)}[^"]*)"'
            found = re.search(wanted, self.answer)
            assert found, f"the last answer has no {begins}"
            begins = found[1]
        self.names[name] = begins

    def _told(self, word: str) -> str:
        return re.sub(r"\$([A-Z]+)\b", lambda found: self.names[found[1]], word)

    def _marrow(self, step: Step, *, expect_zero: bool) -> Iterator[str]:
        result = CliRunner().invoke(commands, shlex.split(step.command)[1:])
        self.code, self.answer = result.exit_code, result.output
        if expect_zero and self.code:
            yield f"{step.command} ended with {self.code}: {result.output}{result.exception or ''}"
        elif step.shown and not alike(step.shown, result.output.strip()) and step.shown != result.output.strip():
            yield f"{step.command} said: {result.output}"

    def _curl(self, step: Step) -> Iterator[str]:
        response, with_head = self._request(shlex.split(step.command)[1:])
        self.answer = response.text
        text = step.shown
        if with_head:
            head, _, text = text.partition("\n\n")
            status, *headers = head.splitlines()
            if not status.startswith(f"HTTP/1.1 {response.status_code}"):
                yield f"{step.command} answered {response.status_code}: {response.text}"
            for name, value in (line.split(": ", 1) for line in headers if line != ANY):
                if not alike(value, response.headers.get(name)):
                    yield f"{step.command}: the header {name} is {response.headers.get(name)}"
        if not text.strip():
            if response.status_code >= 400 and not with_head:
                yield f"{step.command} answered {response.status_code}: {response.text}"
        elif not alike(show(text), response.json()):
            yield f"{step.command} answered {response.text}"

    def _request(self, words: list[str]) -> tuple[httpx2.Response, bool]:
        given: dict[str, Any] = {"method": None, "headers": {}, "content": None}
        url, out, with_head = "", None, False
        rest = iter(words)
        for word in rest:
            if word in {"-s", "-i"}:
                with_head |= word == "-i"
            elif word == "-X":
                given["method"] = next(rest)
            elif word == "-H":
                name, _, value = self._told(next(rest)).partition(": ")
                given["headers"][name] = value
            elif word in {"-d", "--data-binary"}:
                data = self._told(next(rest))
                given["content"] = (self.folder / data[1:]).read_bytes() if data[0] == "@" else data.encode()
            elif word == "-o":
                out = self.folder / next(rest)
            else:
                assert not word.startswith("-"), f"curl {word} is not understood"
                url = self._told(word)
        assert url.startswith(HOST), url
        given["method"] = given["method"] or ("GET" if given["content"] is None else "POST")
        response = self.client.request(url=url.removeprefix(HOST), **given)
        if out is not None:
            out.write_bytes(response.content)
        return response, with_head
