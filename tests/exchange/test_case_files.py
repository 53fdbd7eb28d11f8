import csv
from pathlib import Path

from typer.testing import CliRunner

from app.cli import app

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests" / "clinical" / "vectors" / "endpoints.csv"


def marrow(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_endpoints_are_written_beside_the_facts(tmp_path):
    out = tmp_path / "out.csv"
    done = marrow("endpoints", "--facts", FACTS, "--out", out, "--forms", ROOT / "forms")
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["adt"] for row in rows] == [row["exp_adt"] for row in rows]
    assert f"{len(rows)} rows" in done.output


def test_what_cannot_be_tried_says_why(tmp_path):
    out, odd = tmp_path / "out.csv", tmp_path / "odd.csv"
    odd.write_bytes(b"\xff\xfe")
    empty = tmp_path / "forms"
    empty.mkdir()
    assert "no sound study file" in marrow("endpoints", "--facts", FACTS, "--out", out, "--forms", empty).output
    assert "UTF-8" in marrow("endpoints", "--facts", odd, "--out", out, "--forms", ROOT / "forms").output
    assert "UTF-8" in marrow("grade", "nyha", "--in", odd, "--out", out).output
    assert not out.exists()


def test_a_table_of_which_no_row_can_be_read_is_no_success(tmp_path):
    facts, out = tmp_path / "facts.csv", tmp_path / "out.csv"
    right, wrong = FACTS.read_text(encoding="utf-8").splitlines()[1], "NOWHERE,OS"
    head = FACTS.read_text(encoding="utf-8").splitlines()[0]
    for rows, code in (([wrong, wrong], 1), ([wrong, right], 0)):
        facts.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        done = marrow("endpoints", "--facts", facts, "--out", out, "--forms", ROOT / "forms")
        assert done.exit_code == code, done.output
        assert f"2 rows written to {out}, {rows.count(wrong)} of them could not be read" in done.output
        assert out.read_text(encoding="utf-8").count("NOWHERE") >= rows.count(wrong)


def test_a_table_of_no_rows_has_its_columns(tmp_path):
    facts, out = tmp_path / "facts.csv", tmp_path / "out.csv"
    facts.write_text("trial,endpoint\n")
    assert marrow("endpoints", "--facts", facts, "--out", out, "--forms", ROOT / "forms").exit_code == 0
    assert out.read_text() == "status,adt,days\n"
