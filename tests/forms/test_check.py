import re
from pathlib import Path

import pytest

from app.forms.check import check_form
from app.forms.faults import faults
from app.forms.rules import Surroundings

# replaced text, its replacement, the line that is named (by what it begins with), words of message and remedy
CASES = [
    ("version = 1", 'version = "1"', "version", "whole number"),
    ("version = 1", "version = 0", "version", "out of range"),
    ('domain = "LB"', 'domain = "lab"', "domain", "two to four capitals"),
    ('domain = "LB"', "", "form =", "'domain' is missing"),
    ('domain = "LB"', 'domain = "LB"\ncolour = "red"', "colour", "there is no key 'colour'"),
    ("repeating = true", "repeting = true", "repeting", "Did you mean 'repeating'"),
    ("max_length = 20", "max_lenght = 20", "max_lenght", "Did you mean 'max_length'"),
    ("max_length = 20", 'max_length = "20"', "max_length", "whole number"),
    ('type = "text"', 'type = "txt"', "type", "Did you mean 'text'"),
    ('"not_done", "unknown"', '"not_done", "unkown"', "missing", "Did you mean 'unknown'"),
    ('"not_done", "unknown"', '"unknown", "unknown"', "missing", "given twice"),
    ('zh = "备注"', 'zh = " "', "label", "English and Chinese"),
    (', zh = "备注"', "", "label", "'zh' is missing"),
    ('id = "note"', 'id = "Note"', "id", "a-z, 0-9"),
    ('id = "note"', 'id = "anc"', "id", "used twice"),
    ('id = "note"', 'id = "size"', "id", "kept for the expression language"),
    ('id = "note"', 'id = "event"', "id", "names a section and an item"),
    ('id = "event"', 'id = "main"', "id", "used twice"),
    ("max_length = 20", 'max_length = 20\nunit = "g"', "unit", "a text has no unit"),
    ("max_length = 20", 'max_length = 20\nmin = "1"', "min", "does not fit the type text"),
    ("max_length = 20", "max_length = 20\ndigits = 1", "digits", "no decimals"),
    ("max_length = 20", "max_length = 20\nproves_life = true", "proves_life", "does not fit"),
    ("max_length = 20", 'formula = "1"', "formula", "does not fit the type text"),
    ('soft_min = "0.1"', 'soft_min = "60"', "soft_min", "lies above 'soft_max'"),
    ('soft_max = "50"', 'soft_max = "5000"', "soft_max", "lies above 'max'"),
    ('min = "0"\nmax = "1000"', "min = 0", "min", "Put it in quotes"),
    ('max = "1000"', 'max = "1e3"', "max", "no decimal number"),
    ('max = "1000"', 'max = "NaN"', "max", "no decimal number"),
    ('max = "100"', 'max = "100.5"', "max", "whole number"),
    ('soft_max = "2100-01-01"', 'soft_max = "1999-01-01"', "min", "lies above 'soft_max'"),
    ('min = "2000-01-01"\nsoft', 'min = "2000-02-30"\nsoft', "min", "real day"),
    ('"0.001"', '"-0.001"', "units", "positive decimal"),
    ('"0.001"', '"a thousandth"', "units", "positive decimal"),
    ('unit = "10^9/L"', "", "units", "need the canonical unit"),
    ('"/uL" = "0.001"', '"10^9/L" = "1"', "units", "needs no factor"),
    ('code = "M"', 'code = "F"', "  { code", "given twice"),
    ('code = "M"', 'code = "男"', "  { code", "letters, digits"),
    ('type = "multiple"', 'type = "text"', "codes", "'codes' does not fit"),
    ('type = "yes_no"', 'type = "single"', "[[section.item]]", "needs codes"),
    ("proves_life = true", 'proves_life = "seen"', "proves_life", "true or false is needed"),
    ("proves_life = true", "proves_life = 3", "proves_life", "neither true nor a condition"),
    ("show_when = \"sex == 'F'\"", "show_when = \"sxe == 'F'\"", "show_when", "Did you mean 'sex'"),
    ("show_when = \"sex == 'F'\"", 'show_when = "sex > 3"', "show_when", "'>' does not fit a text and a number"),
    ("show_when = \"sex == 'F'\"", "show_when = \"pregnant == 'Y'\"", "show_when", "depends on what it shows"),
    ("show_when = \"sex == 'F'\"", 'show_when = "grade > 3"', "show_when", "event.exists(r, r.grade"),
    ("show_when = \"sampled == 'Y'\"", 'show_when = "size(event) > 0"', "show_when", "depends on what it shows"),
    ('formula = "days_between(onset, seen)"', "", "[[section.item]]", "either 'formula' or 'calculation'"),
    ('result = "integer"\n', "", "[[section.item]]", "needs 'result'"),
    ('result = "integer"\n', 'result = "integer"\nrequired = true\n', "required", "cannot be required"),
    ('result = "integer"\n', 'result = "integer"\nmissing = ["unknown"]\n', "missing", "no missing reasons"),
    ('result = "integer"\n', 'result = "text"\n', "formula", "gives a number, where a text is needed"),
    ('formula = "grade * 2"', "formula = \"severe == 'Y' ? 1 : 2\"", "[[section.item]]", "need each other"),
]


@pytest.mark.parametrize(("old", "new", "begins", "words"), CASES, ids=[f"{c[2]} {c[3]}" for c in CASES])
def test_every_mistake_names_line_and_remedy(page_text, old, new, begins, words):
    assert old in page_text
    text = page_text.replace(old, new, 1)
    form, mistakes = check_form(text)
    assert form is None
    said = [mistake for mistake in mistakes if words in f"{mistake.message}. {mistake.remedy}"]
    assert said, [str(mistake) for mistake in mistakes]
    lines = text.split("\n")
    assert any(lines[mistake.line - 1].startswith(begins) for mistake in said), [str(m) for m in said]
    assert all(mistake.message and mistake.remedy for mistake in mistakes)


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(page_text):
    text = page_text.replace('soft_min = "0.1"', 'soft_min = "60"').replace('code = "M"', 'code = "F"')
    mistakes = check_form(text)[1]
    assert {mistake.path for mistake in mistakes} == {
        "section main, item anc, soft_min",
        "section main, item sex, codes F",
    }
    assert [mistake.line for mistake in mistakes] == sorted(mistake.line for mistake in mistakes)
    assert len(mistakes) == 2  # of two codes that are alike the second is one too many


def test_a_mistake_names_the_item_by_its_id(page_text):
    mistake = check_form(page_text.replace('max = "1000"', 'max = "x"'))[1][0]
    assert mistake.path == "section main, item anc, max"
    assert re.fullmatch(r"form\.toml:\d+: .+ \(section main, item anc, max\)\. .+", str(mistake))


def test_a_file_is_named_after_its_form_and_version(tmp_path: Path, page_text):
    right = tmp_path / "page" / "v1.toml"
    wrong = tmp_path / "other" / "v2.toml"
    for path in (right, wrong):
        path.parent.mkdir()
        path.write_text(page_text, encoding="utf-8")
    assert check_form(right)[1] == []
    assert [mistake.path for mistake in check_form(wrong)[1]] == ["form", "version"]


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path):
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"title = \xe9")
    for path in (latin, tmp_path / "absent.toml"):
        form, mistakes = check_form(path)
        assert form is None
        assert [mistake.line for mistake in mistakes] == [1]


def test_facts_of_the_study_are_checked_where_they_are_known(page_text):
    text = page_text.replace("show_when = \"sex == 'F'\"", "show_when = \"subject.arm == 'A'\"")
    form, mistakes = check_form(text)
    assert mistakes == []
    assert form is not None
    assert list(faults(form, around=Surroundings({"arm": "text"}))) == []
    (fault,) = faults(form, around=Surroundings({"birth": "date"}))
    assert "has no 'arm'" in fault.message


def test_examples_wait_until_every_check_can_be_asked():
    """A section that no longer repeats is told of the check that names it, and the examples before it crash nothing."""
    text = (Path(__file__).parents[2] / "forms/library/conditioning/v2.toml").read_text(encoding="utf-8")
    head, drugs = text.split('id = "drugs"')
    form, mistakes = check_form(f'{head}id = "drugs"{drugs.replace("repeating = true", "repeating = false", 1)}')
    assert form is None
    assert {mistake.path.split(",")[0] for mistake in mistakes} == {"check drug_order", "check drug_outside"}
    assert not [mistake for mistake in mistakes if "example" in mistake.message]
