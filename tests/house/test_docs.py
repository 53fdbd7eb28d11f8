"""What the README and the pages in docs/ say is so: they are followed word by word, and they leave nothing out."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.routing import iter_route_contexts
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app import cli, console
from app.core.db import make_engine
from app.core.transaction import Database as Store
from app.demo.people import introduce
from app.demo.run import published
from app.main import assemble, create_app
from app.settings import VARIABLES, Settings
from tests.exchange.unzipped import export
from tests.house.manual import Reader, alike, blocks, show
from tests.servers import Database
from tests.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "adr").glob("0*.md"))
COMMAND = typer.main.get_command(cli.app)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------- the pages are followed


@pytest.fixture
def reader(engine: Engine, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Somebody in an empty folder, with commands and application on one database."""
    anchors = tmp_path / "anchors" / "anchors.jsonl"
    anchors.parent.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name, value in {
        "DATABASE_URL": database.app_url,
        "OWNER_URL": database.owner_url,
        "ANCHORS": anchors,
        "VAR": tmp_path / "var",
    }.items():
        monkeypatch.setenv(f"MARROW_{name}", str(value))
    opened: list[Engine] = []  # a command's connections end with its process; here they are closed

    def connected(url: str, *, pool_size: int) -> Engine:
        opened.append(make_engine(url, pool_size=pool_size))
        return opened[-1]

    monkeypatch.setattr(console, "make_engine", connected)
    yield Reader(TestClient(create_app(Settings(), Store(engine, anchors)), raise_server_exceptions=False), work)
    for each in opened:
        each.dispose()


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/tour.md",
        "docs/cuts.md",
        "docs/worklist.md",
        "docs/queries.md",
        "docs/locks.md",
        "docs/verification.md",
        "docs/signatures.md",
    ],
)
def test_the_tour_leads_where_it_says(name: str, reader: Reader, engine: Engine) -> None:
    store = Store(engine, reader.folder.parent / "anchors" / "anchors.jsonl")
    introduce(store, published(store))
    assert list(reader.follow(page(name))) == []


@pytest.mark.parametrize("name", ["docs/build-a-study.md", "docs/import.md", "docs/amendments.md"])
def test_a_guide_works_from_an_empty_folder(name: str, reader: Reader) -> None:
    assert list(reader.follow(page(name))) == []


def test_a_page_that_says_otherwise_is_noticed(reader: Reader) -> None:
    wrong = """
```console
$ curl -s http://127.0.0.1:8000/health/live
{"status": "…", "mood": "good"}
$ curl -s -i http://127.0.0.1:8000/api/v1/me
HTTP/1.1 200 OK
```

```csv facts.csv
trial,tx
X,2020-01-01
```

```csv facts.csv
trial,tx
X,2020-01-02
```

```console
$ marrow forms check nowhere
```
"""
    assert [problem.partition(":")[0] for problem in reader.follow(wrong)] == ["line 2", "line 2", "line 14", "line 19"]


@pytest.mark.parametrize(
    ("shown", "given", "same"),
    [
        ('{"a": 1, …}', {"a": 1, "b": 2}, True),
        ('{"a": 1}', {"a": 1, "b": 2}, False),
        ('{"a": …}', {"a": None}, True),
        ('{"a": "x…z"}', {"a": "xyz"}, True),
        ('{"a": "x…z"}', {"a": "xyy"}, False),
        ("[1, …]", [1, 2, 3], True),
        ("[1, 2]", [1, 2, 3], False),
        ("[1, 2, 3, …]", [1, 2], False),
        ('{"a": 1}', {"a": True}, False),
        ("[{…}]", [{}], True),
    ],
)
def test_an_answer_is_compared_in_what_is_shown_of_it(shown: str, given: object, *, same: bool) -> None:
    assert alike(show(shown), given) is same


def test_an_export_is_described_column_by_column_and_read_as_shown(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page("docs/exports.md")
    words = set(re.findall(r"`([^`\n]+)`", text))
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", {"consent_date": "2024-03-01"}, complete=False)
    unzipped = export(trial.manager)
    for row in unzipped.rows("codebook.csv"):
        assert row["ITEM"] or row["COLUMN"] in words, f"{row['FILE']} {row['COLUMN']}"
    for name in unzipped.files:
        shown = re.sub(r"^forms/[a-z0-9_]+?__[a-z0-9_]+\.csv$", "forms/<form>__<section>.csv", name)
        assert {shown, re.sub(r"^forms/[a-z0-9_]+\.csv$", "forms/<form>.csv", name)} & words, name
    assert set(unzipped.manifest) <= words
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.zip").write_bytes(trial.manager.get("/export").content)
    [snippet] = [block for block in blocks(text) if block.language == "python"]
    exec(compile(snippet.text, "docs/exports.md", "exec"), {})  # noqa: S102 - it is what the page tells to do


# ---------------------------------------------------------------- nothing is left out


def test_every_address_is_in_the_table_and_no_other() -> None:
    told = set(re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", page("docs/tour.md"), re.MULTILINE))
    there = {
        (method, found.path)
        for found in iter_route_contexts(assemble(Settings()).routes)
        for method in (found.methods or set()) - {"HEAD"}
        if found.path and not found.path.endswith((".json", "/docs"))
    }
    assert told == there


def commands(of: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """The commands below one; typer brings a click of its own, so the kinds are told by what they have."""
    inside = getattr(of, "commands", None)
    if inside is None:
        yield " ".join(path), of
    for name, each in (inside or {}).items():
        yield from commands(each, *path, name)


COMMANDS = dict(commands(COMMAND, "marrow"))


def test_every_command_is_in_the_list_and_no_other() -> None:
    told = {
        re.sub(r"( [A-Z]+)+$", "", each)
        for each in re.findall(r"^\| `(marrow [^`]+)` \|", page("docs/README.md"), re.MULTILINE)
    }
    assert told == set(COMMANDS)


def shown_commands() -> Iterator[tuple[str, int, str]]:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(
            r"^(?:\$ |\s*(?:\S*/)?)(marrow [a-z][^\n|#]*)|`(marrow [a-z][^`\n]*)`", text, re.MULTILINE
        ):
            if found[1] is None or in_block(text, found.start()):
                yield named(path), text.count("\n", 0, found.start()) + 1, (found[1] or found[2]).strip()


def in_block(text: str, at: int) -> bool:
    return text.count("```", 0, at) % 2 == 1 or text[text.rfind("\n", 0, at) + 1 :].startswith("    ")


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    found = list(shown_commands())
    assert len(found) > 30
    for where, line, text in found:
        words = [word.strip("[]") for word in shlex.split(text.replace("…", "").replace("'", ""))]
        name = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in COMMANDS), None)
        assert name or " ".join(words) in {"marrow forms", "marrow --help"}, f"{where}:{line} {text}"
        if name:
            options = {option for each in COMMANDS[name].params for option in each.opts} | {"--help"}
            assert {w for w in words if w.startswith("--")} <= options or name == "marrow grade", (
                f"{where}:{line} {text}"
            )


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_setting_is_described(variable: str) -> None:
    assert f"| `{variable}` |" in page("docs/deployment.md")


def test_every_page_is_found_from_the_index() -> None:
    linked = {
        (path.parent / target).resolve()
        for path in PAGES
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
    }
    assert [named(path) for path in PAGES if path.resolve() not in linked and path.name != "README.md"] == []


# ---------------------------------------------------------------- how the pages are written


def anchors(path: Path) -> set[str]:
    """The addresses of the headings of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        where, _, anchor = target.partition("#")
        there = (path.parent / where).resolve() if where else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_page_speaks_of_marrow_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern in (
        r"\.\./shared",
        r"\bhelpers?\b",
        r"/work/",
        r"\bissue #?\d",
        r"\b(?:AI|LLM|GPT|Claude)\b",
        r"\bTO" + r"DO\b",
    ):
        assert not re.search(pattern, text), pattern
    assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text), "no pictures"


def test_decisions_are_short_and_say_what_enforces_them() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40, named(path)
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context", "Decision", "Consequences", "Alternatives", "What enforces it",
        ]  # fmt: skip


@pytest.mark.parametrize("path", [*PAGES], ids=named)
def test_files_that_a_page_names_are_there(path: Path) -> None:
    for name in re.findall(
        r"`((?:app|tests|docs|forms|deploy)/[a-z0-9_/.-]*\.(?:py|md|json|toml|sql|txt))`", path.read_text()
    ):
        made_up = name.startswith(("forms/library/", "forms/studies/"))
        assert made_up or (ROOT / name).exists(), f"{named(path)}: {name}"
