"""What docs/audit.md tells an inspector to do works as it is written there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app import models
from app.core import embedded
from app.core.provision import libpq
from tests.audit.conftest import STUDY, Trial

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


@pytest.fixture
def recomputed(trial: Trial, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    url = make_url(trial.database.engine.url)
    command = re.search(r"^    psql -At(.*?)\| tail -n \+2 > chain.jsonl", DOCUMENT, re.DOTALL | re.MULTILINE)
    program = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert command
    assert program
    script = f'"{embedded.tool("psql")}" "{libpq(url.render_as_string(hide_password=False))}" -At{command.group(1)}'
    script = f"{script} | tail -n +2 > chain.jsonl"
    subprocess.run(["/bin/sh", "-c", script], check=True, cwd=tmp_path)
    return subprocess.run(
        [sys.executable, "-c", program.group(1)], check=False, capture_output=True, text=True, cwd=tmp_path
    )


def test_the_chain_can_be_computed_anew_without_our_code(
    trial: Trial, recomputed: "subprocess.CompletedProcess[str]"
) -> None:
    head = next(head for head in trial.verify().heads if head.study == STUDY)
    assert recomputed.stdout.split() == [str(head.seq), head.hash.hex()]
    assert f'"hash":"{recomputed.stdout.split()[1]}"' in trial.database.anchors.read_text()


def test_the_document_names_every_table_that_is_not_covered() -> None:
    for table in models.metadata.tables:
        assert f"`{table}`" in DOCUMENT, table
