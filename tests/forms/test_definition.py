import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.forms.check import check_form
from app.forms.definition import Form
from app.forms.rules import rules


def test_the_canonical_text_reads_back_as_the_same_form(page):
    again = Form.of(json.loads(page.canonical_json))
    assert again == page
    assert again.digest == page.digest
    assert again.canonical_json == page.canonical_json


def test_the_digest_does_not_depend_on_how_the_file_is_written(page, page_text):
    lines = page_text.replace("version = 1", "# a remark\nversion   =   1\nrepeating = false")
    form, mistakes = check_form(lines)
    assert mistakes == []
    assert form is not None
    assert form.digest == page.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [("version = 1", "version = 2"), ("Note", "Remark"), ('max = "100"', 'max = "101"'), ("digits = 2", "digits = 3")],
)
def test_any_change_of_meaning_changes_the_digest(page, changed, old, new):
    assert changed((old, new)).digest != page.digest


def test_forms_are_frozen_and_strict(page):
    with pytest.raises(ValidationError):
        page.version = 2
    with pytest.raises(ValidationError):
        Form.of(page.canonical() | {"colour": "red"})


def test_items_are_found_by_id(page):
    assert page.item("grade").label.of("zh") == "级别"
    assert page.section_of("grade").id == "event"
    assert list(page.row_sections) == ["event"]
    assert (page.has("grade"), page.has("event"), page.name()) == (True, False, "page v1")
    with pytest.raises(KeyError):
        page.item("nope")
    with pytest.raises(KeyError):
        page.section("nope")


def test_rules_are_compiled_once_per_form(page):
    assert rules(page) is rules(page)
    assert set(rules(page).order) == {"waited", "per_cell", "severe", "doubled"}
    assert rules(page).order.index("doubled") < rules(page).order.index("severe")


words = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() and text.isprintable())
ids = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)


@settings(deadline=None)  # other work may hold the processors
@given(form=ids, en=words, zh=words, version=st.integers(1, 9999), repeating=st.booleans())
def test_canonical_round_trip(form, en, zh, version, repeating):
    item = {"id": "a", "label": {"en": en, "zh": zh}, "type": "text"}
    section = {"id": "s", "title": {"en": zh, "zh": en}, "repeating": repeating, "item": [item]}
    title = {"en": en, "zh": zh}
    built = Form.of({"form": form, "version": version, "title": title, "domain": "LB", "section": [section]})
    again = Form.of(json.loads(built.canonical_json))
    assert (again, again.digest) == (built, built.digest)
