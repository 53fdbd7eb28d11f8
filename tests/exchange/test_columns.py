"""Columns of a form over its versions, without a database."""

from typing import Any

from app.exchange.columns import Column, columns, repeating_sections
from app.forms.definition import Form


def form(version: int, *items: dict[str, Any], rows: tuple[dict[str, Any], ...] = ()) -> Form:
    sections: list[dict[str, Any]] = [{"id": "main", "title": words("Main"), "item": [*items]}]
    if rows:
        sections.append({"id": "rows", "title": words("Rows"), "repeating": True, "item": [*rows]})
    return Form.of({"form": "page", "version": version, "title": words("Page"), "domain": "LB", "section": sections})


def words(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def item(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": name, "label": words(name.title()), "type": kind} | more


def codes(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"code": code, "label": words(label)} for code, label in pairs]


def filled(forms: list[Form], version: int, section: str | None = None, **answers: Any) -> dict[str, str]:
    """The cells of a page entered under a version."""
    found = columns(forms, section)
    return {
        column.name: take(answers.get(name))
        for column, (name, take, _) in zip(found.shown, found.cells[version], strict=True)
    }


def named(forms: list[Form], section: str | None = None) -> list[str]:
    return [column.name for column in columns(forms, section).shown]


def one(forms: list[Form], name: str) -> Column:
    return next(column for column in columns(forms, None).shown if column.name == name)


def test_the_order_in_which_versions_are_handed_in_decides_nothing() -> None:
    forms = [form(1, item("a"), item("b")), form(2, item("c"), item("a"))]
    assert named(forms) == named(forms[::-1]) == ["c", "a", "b"]
    assert one(forms, "a").versions == (1, 2)
    assert one(forms, "b").versions == (1,)


def test_what_only_an_older_version_allowed_keeps_its_column() -> None:
    old = form(1, item("hb", "decimal", unit="g/L", units={"g/dL": "10"}, missing=["not_done"]))
    new = form(2, item("hb", "decimal", unit="g/L"))
    assert named([old, new]) == ["hb", "hb_unit", "hb_std", "hb_missing"]
    assert filled([old, new], 1, hb={"value": "9.70", "unit": "g/dL"}) == {
        "hb": "9.70", "hb_unit": "g/dL", "hb_std": "97.00", "hb_missing": "",
    }  # fmt: skip
    assert filled([old, new], 1, hb={"missing": "not_done"})["hb_missing"] == "not_done"
    assert filled([old, new], 2, hb="97")["hb_unit"] == "g/L"


def test_a_change_of_the_canonical_unit_is_seen_and_converted_where_the_new_version_knows_how() -> None:
    old = form(1, item("hb", "decimal", unit="g/dL"))
    knows = form(2, item("hb", "decimal", unit="g/L", units={"g/dL": "10"}))
    does_not = form(2, item("hb", "decimal", unit="g/L"))
    assert filled([old, knows], 1, hb="9.7") == {"hb": "9.7", "hb_unit": "g/dL", "hb_std": "97.0"}
    assert filled([old, knows], 2, hb="97") == {"hb": "97", "hb_unit": "g/L", "hb_std": "97"}
    assert filled([old, does_not], 1, hb="9.7") == {"hb": "9.7", "hb_unit": "g/dL", "hb_std": ""}
    assert filled([old, knows], 1, hb={"missing": "not_done"}) == {"hb": "", "hb_unit": "", "hb_std": ""}


def test_a_code_is_told_in_the_words_it_was_chosen_by() -> None:
    old = form(1, item("grade", "single", codes=codes(("1", "Mild"), ("9", "Gone"))))
    new = form(2, item("grade", "single", codes=codes(("1", "Grade 1"), ("2", "Grade 2"))))
    assert filled([old, new], 1, grade="1")["grade_label"] == "Mild"
    assert filled([old, new], 1, grade="9")["grade_label"] == "Gone"
    assert filled([old, new], 2, grade="1")["grade_label"] == "Grade 1"
    assert one([old, new], "grade").codes == (("1", "Grade 1"), ("2", "Grade 2"), ("9", "Gone"))


def test_a_text_that_became_a_choice_still_is_text_for_a_spreadsheet() -> None:
    old, new = form(1, item("why")), form(2, item("why", "single", codes=codes(("A", "Other"))))
    assert one([old, new], "why").text
    assert filled([old, new], 1, why="=cmd") == {"why": "=cmd", "why_label": "=cmd"}
    assert one([old, new], "why_label").text
    assert not one([form(1, item("n", "integer"))], "n").text


def test_a_full_date_that_became_a_partial_one_has_its_bounds() -> None:
    old, new = form(1, item("day", "date")), form(2, item("day", "partial_date"))
    assert filled([old, new], 1, day="2024-02-29") == {
        "day": "2024-02-29", "day_lower": "2024-02-29", "day_upper": "2024-02-29", "day_precision": "D",
    }  # fmt: skip
    assert filled([old, new], 2, day="2024")["day_upper"] == "2024-12-31"


def test_a_value_that_was_entered_is_found_where_it_is_now_computed() -> None:
    old = form(1, item("total", "integer"))
    new = form(2, item("total", "computed", result="integer", formula="1 + 1"))
    cells = columns([old, new], None).cells
    assert [computed for _, _, computed in cells[1]] == [False]
    assert [computed for _, _, computed in cells[2]] == [True]


def test_an_item_that_moved_into_rows_has_a_column_in_both_files() -> None:
    old = form(1, item("drug"), item("x"))
    new = form(2, item("x"), rows=(item("drug"),))
    assert named([old, new]) == ["x", "drug"]
    assert repeating_sections([old, new]) == ["rows"]
    assert named([old, new], "rows") == ["drug"]
    assert filled([old, new], 1, drug="A")["drug"] == "A"
