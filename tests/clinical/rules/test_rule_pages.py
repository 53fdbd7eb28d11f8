from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from app.clinical.rules.pages import pages
from app.clinical.rules.registry import RULES
from tests.clinical.rules.write_pages import FOLDER, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", pages())
def test_a_page_is_what_its_rule_computes_with(name):
    page = FOLDER / name
    assert page.exists(), f"{name} is missing: run python -m tests.clinical.rules.write_pages"
    assert page.read_text(encoding="utf-8") == pages()[name], (
        f"{name} is old: run python -m tests.clinical.rules.write_pages"
    )


def test_there_is_no_page_without_a_rule():
    assert {path.name for path in FOLDER.iterdir()} == set(pages())


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_page_names_everything_a_clinician_checks(rule):
    page = pages()[f"{rule.id}.md"]
    words = [f"`{rule.id}`, version {rule.version}", *rule.sources, *rule.conventions, *rule.unverified]
    words += [f"`{one.name}`" for one in (*rule.inputs, *rule.results)]
    words += [table.title for table in rule.tables] + [f"Source: {table.source}." for table in rule.tables]
    words += [f"{cell:f}" for table in rule.tables for row in table.rows for cell in row if isinstance(cell, Decimal)]
    assert [word for word in words if word not in page] == []
    assert f"[{rule.id}]({rule.id}.md)" in pages()["index.md"]


def test_a_rule_says_where_it_comes_from():
    assert all(rule.sources and rule.tables and all(table.source for table in rule.tables) for rule in RULES.values())


def test_the_pages_are_written_anew(tmp_path):
    stale: Path = tmp_path / "gone.md"
    stale.write_text("old")
    write(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == pages()
