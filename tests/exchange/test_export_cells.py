"""What stands in the cells of an export: exactly what was entered, beside what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange.archive import Flavour, Member, stream
from app.exchange.columns import Column
from tests.exchange.unzipped import BOM, Unzipped, export
from tests.trial import Trial

TEXTS = [
    "plain",
    "comma, and more",
    'a "quoted" word',
    '"',
    "two\nlines",
    "tab\there",
    "中文，逗号",
    "=1+1",
    "+86 571",
    "-5",
    "@SUM(A1)",
    "'already",
    "＝fullwidth",
    " leading space",
    "trailing space ",
    "\nleading line",
    "null",
]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def pack(columns: list[Column], rows: list[list[str]], flavour: Flavour) -> Unzipped:
    """An archive of one table."""
    member = Member("t.csv", columns, lambda: rows)
    return Unzipped.of(b"".join(stream([member], lambda _: ("manifest.json", b"{}"), flavour)))


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back_as_it_was(rows: list[list[str]]) -> None:
    found = pack([Column("A", "a", "text", text=True), Column("B", "b", "integer")], rows, Flavour.MACHINE)
    assert found.cells("t.csv") == [["A", "B"], *rows]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_no_text_for_a_spreadsheet_begins_like_a_formula(rows: list[list[str]]) -> None:
    found = pack([Column("A", "a", "text", text=True), Column("B", "b", "integer")], rows, Flavour.SPREADSHEET)
    for before, (text, number) in zip(rows, found.cells("t.csv")[1:], strict=True):
        assert not text.startswith(FORMULAS)
        assert text in {before[0], "'" + before[0]}
        assert number == before[1]


def test_the_bytes_are_those_of_rfc_4180() -> None:
    columns = [Column(name, name, "text", text=True) for name in ("A", "B", "C")]
    rows = [["a", 'say "no"', "x,y"], ["", "two\r\nlines", "中"], ["\r", "\n", " "]]
    found = pack(columns, rows, Flavour.MACHINE)
    assert found.files["t.csv"] == ('A,B,C\r\na,"say ""no""","x,y"\r\n,"two\r\nlines",中\r\n"\r","\n", \r\n'.encode())


def test_a_table_without_rows_has_its_header() -> None:
    assert pack([Column("A", "a", "text")], [], Flavour.MACHINE).files["t.csv"] == b"A\r\n"


def test_a_column_that_is_empty_throughout_still_has_its_rows() -> None:
    found = pack([Column("A", "a", "text")], [[""], [""]], Flavour.MACHINE)
    assert found.cells("t.csv") == [["A"], [""], [""]]


def test_free_text_leaves_as_it_came(trial: Trial) -> None:
    subject = trial.nurse.subject()
    for number, text in enumerate(TEXTS, start=1):
        trial.nurse.enter(subject, "LOG", f"ae.{number}", {"term": text})
    found = {int(row["REPEAT"]): row["term"] for row in export(trial.nurse).rows("forms/ae.csv")}
    assert [found[number] for number in sorted(found)] == TEXTS
    shown = {row["REPEAT"]: row["AFTER"] for row in export(trial.nurse).rows("audit_items.csv")}
    assert [shown[str(number)] for number in sorted(found)] == TEXTS


def test_a_reason_of_two_lines_leaves_as_it_came(trial: Trial) -> None:
    subject = trial.nurse.subject()
    page = {"sample_date": "2024-01-09", "hb": "97"}
    trial.nurse.enter(subject, "SCR", "labs", page)
    reason = 'Read again\nfrom, the "source"'
    trial.nurse.enter(subject, "SCR", "labs", page | {"hb": "79"}, revision=1, reason=reason)
    assert reason in {row["REASON"] for row in export(trial.nurse).rows("audit.csv")}


def test_a_spreadsheet_gets_its_text_made_harmless_and_its_numbers_as_they_are(trial: Trial) -> None:
    subject = trial.nurse.subject()
    for number, text in enumerate(TEXTS, start=1):
        trial.nurse.enter(subject, "LOG", f"ae.{number}", {"term": text})
    sheet = export(trial.nurse, flavour="spreadsheet")
    assert all(data.startswith(BOM.encode()) for name, data in sheet.files.items() if name.endswith(".csv"))
    found = {int(row["REPEAT"]): row["term"] for row in sheet.rows("forms/ae.csv")}
    for number, text in enumerate(TEXTS, start=1):
        assert found[number] == ("'" + text if text.startswith(FORMULAS) else text)
    assert sheet.manifest["flavour"] == "spreadsheet"
    assert "apostrophe" in sheet.manifest["notes"]["flavour"]
    machine = export(trial.nurse)
    assert machine.manifest["flavour"] == "machine"
    assert "flavour" not in machine.manifest["notes"]
    assert not any(data.startswith(BOM.encode()) for data in machine.files.values())


def test_the_words_of_a_form_are_no_formulas_for_a_spreadsheet_either(trial: Trial) -> None:
    trial.nurse.subject()
    sheet = export(trial.nurse, flavour="spreadsheet")
    for row in sheet.rows("codebook.csv"):
        assert not any(row[name].startswith(FORMULAS) for name in ("LABEL", "QUESTION", "CODES", "UNIT"))


def test_numbers_leave_with_the_unit_they_came_in_and_in_the_canonical_one(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97.50"})
    grams = {"value": "9.7", "unit": "g/dL"}
    trial.nurse.enter(subject, "UNS", "labs", {"sample_date": "2024-01-09", "hb": grams, "anc": "0.00"})
    not_done = {"missing": "not_done"}
    trial.nurse.enter(subject, "UNS.2", "labs", {"sample_date": "2024-01-09", "hb": not_done})
    rows = export(trial.nurse).rows("forms/labs.csv")
    names = ("VISIT", "VISIT_REPEAT", "hb", "hb_unit", "hb_std", "hb_missing", "anc", "hb_double")
    assert [[row[name] for name in names] for row in rows] == [
        ["SCR", "1", "97.50", "g/L", "97.50", "", "", "195.0"],
        ["UNS", "1", "9.7", "g/dL", "97.0", "", "0.00", "194.0"],
        ["UNS", "2", "", "", "", "not_done", "", ""],
    ]


def test_a_partial_date_leaves_as_collected_beside_its_bounds(trial: Trial) -> None:
    subject = trial.nurse.subject()
    for number, start in enumerate(["2024", "2024-02", "2024-02-29", {"missing": "unknown"}], start=1):
        trial.nurse.enter(subject, "LOG", f"ae.{number}", {"term": "Fever", "start": start})
    rows = export(trial.nurse).rows("forms/ae.csv")
    names = ("start", "start_lower", "start_upper", "start_precision", "start_missing")
    assert [[row[name] for name in names] for row in rows] == [
        ["2024", "2024-01-01", "2024-12-31", "Y", ""],
        ["2024-02", "2024-02-01", "2024-02-29", "M", ""],
        ["2024-02-29", "2024-02-29", "2024-02-29", "D", ""],
        ["", "", "", "", "unknown"],
    ]


def test_codes_leave_beside_their_words(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "LOG", "ae", {"term": "Fever", "signs": ["R", "F"]})
    trial.nurse.enter(subject, "SCR", "arm", {"rand_date": "2024-01-11", "arm_code": "B"})
    found = export(trial.nurse)
    (event,) = found.rows("forms/ae.csv")
    assert (event["signs"], event["signs_label"]) == ("F|R", "Fever|Rash")
    (arm,) = found.rows("forms/arm.csv")
    assert (arm["arm_code"], arm["arm_code_label"]) == ("B", "No transplant")


def test_rows_of_a_repeating_section_have_a_file_of_their_own(trial: Trial) -> None:
    subject = trial.nurse.subject()
    page = {"sample_date": "2024-01-09", "hb": "97"}
    drugs = [{"drug": "Blinatumomab", "dose": "28"}, {"drug": "Dexamethasone, oral"}]
    first = trial.nurse.enter(subject, "SCR", "labs", page | {"drugs": drugs})
    kept = [first["answers"]["drugs"][1], {"drug": "Inotuzumab"}]
    trial.nurse.enter(subject, "SCR", "labs", page | {"drugs": kept}, revision=1, reason="First one not given")
    trial.nurse.enter(subject, "UNS", "labs", page)
    found = export(trial.nurse)
    rows = found.rows("forms/labs__drugs.csv")
    assert [(row["SUBJID"], row["VISIT"], row["ROW"], row["REVISION"], row["drug"], row["dose"]) for row in rows] == [
        (subject, "SCR", "2", "2", "Dexamethasone, oral", ""),
        (subject, "SCR", "3", "2", "Inotuzumab", ""),
    ]
    assert "drug" not in found.cells("forms/labs.csv")[0]
    assert len(found.rows("forms/labs.csv")) == 2


@pytest.mark.parametrize("form", ["ae", "labs"])
def test_the_codebook_explains_every_column_of_every_file(trial: Trial, form: str) -> None:
    trial.nurse.subject()
    found = export(trial.nurse)
    told = [(row["FILE"], row["COLUMN"]) for row in found.rows("codebook.csv")]
    held = [
        (name, column)
        for name in found.files
        if name.endswith(".csv") and name != "codebook.csv"
        for column in found.cells(name)[0]
    ]
    assert told == held
    by_column = {row["COLUMN"]: row for row in found.rows("codebook.csv") if row["FILE"] == f"forms/{form}.csv"}
    if form == "ae":
        assert by_column["signs"]["CODES"] == "F=Fever|R=Rash"
        assert by_column["start_missing"]["CODES"] == "unknown=unknown"
    else:
        assert (by_column["hb"]["QUESTION"], by_column["hb"]["UNIT"], by_column["hb"]["TYPE"]) == (
            "Haemoglobin",
            "g/L",
            "decimal",
        )
        assert by_column["hb"]["FORM_VERSIONS"] == "1"
