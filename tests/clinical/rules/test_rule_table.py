import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.clinical.rules.errors import RuleError
from app.clinical.rules.registry import RULES, find
from app.clinical.rules.table import columns, grade_csv, grade_options, grade_rows, graded, written
from tests.clinical.rules.cases import CASES, VECTORS, cases, read

LABS = RULES["ctcae_labs"]
ONE = ["--version", "5.0", "--term", "ALT", "--value", "190", "--unit", "U/L", "--uln=40"]
HEAD = "id,version,term,value,unit,lln,uln,baseline,symptomatic\n"


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_each_row_gets_its_results_beside_what_it_held():
    given, _, _ = grade_csv("ctcae_labs", HEAD + "a,5.0,ALT,190,U/L,,40,30,\nb,5.0,HGB,110,g/L,,,,\n")
    assert table(given.decode()) == [
        {"id": "a", "version": "5.0", "term": "ALT", "value_given": "190", "unit": "U/L", "lln": "", "uln": "40",
         "baseline": "30", "symptomatic": "", "value": "2", "floor": "", "flags": "", "error": ""},
        {"id": "b", "version": "5.0", "term": "HGB", "value_given": "110", "unit": "g/L", "lln": "", "uln": "",
         "baseline": "", "symptomatic": "", "value": "NE", "floor": "0", "flags": "LLN_MISSING", "error": ""},
    ]  # fmt: skip


def test_a_row_that_cannot_be_read_says_why_in_its_row():
    given, said, read = grade_csv("ctcae_labs", HEAD + "a,5.0,ALT,190,stone,,40,30,\nb,5.0,ALT,190,U/L,,40,30,,extra\n")
    first, second = table(given.decode())
    assert (first["value"], first["error"]) == ("ERROR", "unit: write one of U/L, IU/L")
    assert (second["value"], second["error"]) == ("ERROR", "row: has more cells than there are columns")
    assert "2 rows, 2 unreadable" in said
    assert not read


def test_rows_of_different_columns_keep_their_own():
    first, second = grade_rows(
        RULES["nyha"], [{"limitation": "none", "id": 1}, {"limitation": "rest", "value": 2, "value_given": 3}]
    )
    assert first == {"limitation": "none", "id": 1, "value": "I", "floor": "", "flags": "", "error": ""}
    assert second["value_given_given"] == 2
    assert (second["value_given"], second["value"]) == (3, "IV")


def test_a_column_that_is_missing_altogether_is_said():
    assert grade_csv("nyha", "limitation\nnone\n")[1] == "nyha version 1: 1 rows, 0 unreadable."
    assert "Missing in every row: fever_waived" in grade_csv("crs_astct", "temp_c\n39\n")[1]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("nyha", "", "reads the columns limitation"),
        ("nyha", "other\n1\n", "reads the columns limitation"),
        ("nyha", "limitation,limitation\nnone,none\n", "twice"),
        ("nyha", 'limitation\n"' + "x" * 140_000 + '"\n', "no CSV"),
        ("none", "limitation\n", "write one of"),
    ],
)
def test_a_table_that_is_none_is_refused(name, text, what):
    with pytest.raises(RuleError, match=what):
        grade_csv(name, text)


def test_one_case_is_given_as_options():
    said = grade_options("ctcae_labs", [*ONE, "--baseline", "30"])
    assert said == "value: 2\nrule: ctcae_labs version 1"
    assert "flags: FATAL_OR_LT_MISSING\n" in grade_options(
        "sae_clock", ["--serious", "1", "--related=1", "--unexpected", "1", "--aware=2024-01-01T00:00"]
    )
    assert "value: 0" in grade_options("ctcae_febrile_neutropenia", ["--anc", "1", "--temp-single-max=40"])


@pytest.mark.parametrize("options", [["--value"], ["value", "1"], ["--valve", "1"], ["-v", "1"]])
def test_an_option_that_the_rule_does_not_know_is_refused(options):
    with pytest.raises(RuleError):
        grade_options("ctcae_labs", options)


@pytest.mark.parametrize(
    ("options", "given", "to_file"),
    [([], b"x", False), ([], None, True), (["--limitation", "none"], b"x", True), ([], b"\xff\xfe", True)],
)
def test_a_file_is_read_and_written_or_neither(options, given, to_file):
    with pytest.raises(RuleError):
        graded("nyha", options, given, to_file=to_file)


def test_a_spreadsheets_file_is_read():
    made, _, _ = graded("nyha", [], "\N{ZERO WIDTH NO-BREAK SPACE}limitation\r\nnone\r\n".encode(), to_file=True)
    assert made == b"limitation,value,floor,flags,error\r\nnone,I,,,\r\n"


@pytest.mark.parametrize(
    ("answer", "cell"),
    [
        (None, ""),
        ("NE", "NE"),
        (Decimal("1.0E+2"), "100"),
        (Decimal("1E-7"), "0.0000001"),
        (date(2024, 1, 31), "2024-01-31"),
        (datetime(2024, 1, 31, 9, 5, 7, tzinfo=UTC), "2024-01-31T09:05+00:00"),
    ],
)
def test_results_are_written_plainly(answer, cell):
    assert written(answer) == cell


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_no_further_result_bears_the_name_of_an_input(rule):
    assert not {result.name for result in rule.results[1:]} & set(rule.named)
    assert len(columns(rule)) == len(set(columns(rule)))


def test_a_rule_that_is_none_is_refused():
    with pytest.raises(RuleError, match="ctcae_labs"):
        find("ctcae")


@pytest.mark.parametrize("rule", RULES)
def test_marrow_grade_computes_the_file_of_a_rule(rule, tmp_path):
    out = tmp_path / "graded.csv"
    done = CliRunner().invoke(app, ["grade", rule, "--in", str(VECTORS / f"{rule}.csv"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    rows = read(out)
    assert f"{len(rows)} rows" in done.output
    for case, row in zip(cases(rule), rows, strict=False):
        assert all(case.fits(cell, row[name]) for name, cell in case.expected.items()), f"{case}: {row}"


def test_marrow_grade_computes_one_case_and_explains_what_it_cannot():
    one = ["grade", "ctcae_labs", "--version", "5.0", "--term", "ALT", "--value", "190", "--unit", "U/L", "--uln", "40"]
    done = CliRunner().invoke(app, one)
    assert (done.exit_code, done.output) == (
        0,
        "value: 2\nflags: BASELINE_ASSUMED_NORMAL\nrule: ctcae_labs version 1\n",
    )
    refused = CliRunner().invoke(app, [*one, "--dose", "1"])
    assert refused.exit_code == 2
    assert "ctcae_labs asks for" in refused.output


def test_the_errors_of_rows_are_counted():
    assert sum("ERROR" in case.expected.values() for case in CASES) >= 5
    assert LABS.version == "1"
