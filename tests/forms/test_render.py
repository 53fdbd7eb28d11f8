import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.forms.answers import read
from app.forms.conditions import as_schema
from app.forms.render import json_schema, ui_schema
from app.forms.schema import KEYS, file_schema
from app.forms.toml import load


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for member in schema.values():
            yield from parts(member)
    elif isinstance(schema, list):
        for member in schema:
            yield from parts(member)


def faults(schema, answers):
    return [error.message for error in jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(answers)]


def test_the_schema_keeps_to_what_renderers_share(page):
    schema = json_schema(page)
    avoided = {"$schema", "oneOf", "const", "prefixItems", "unevaluatedProperties", "dependentRequired", "$dynamicRef"}
    for part in parts(schema):
        if "x-marrow-computed" not in part:
            assert not avoided & part.keys()
    for draft in (jsonschema_rs.Draft7Validator, jsonschema_rs.Draft202012Validator):
        draft(schema)


def test_every_item_is_entered_exactly_once_and_computed_ones_never(page):
    schema = json_schema(page)
    entered = list(schema["properties"]) + [name for rule in schema["allOf"] for name in rule["then"]["properties"]]
    assert sorted(entered) == sorted(
        ["note", "cells", "anc", "sampled", "sex", "pregnant", "organs", "seen", "onset", "at", "event"]
    )
    assert [part["id"] for part in schema["x-marrow-computed"]] == ["waited", "per_cell", "severe", "doubled"]
    order = ui_schema(page)["ui:order"]
    assert sorted(order[:-1]) == sorted(entered)
    assert order[-1] == "*"


def test_choices_have_their_words_beside_the_codes_in_both_languages(page):
    assert json_schema(page)["properties"]["sex"]["enum"] == ["F", "M"]
    assert ui_schema(page)["sex"]["ui:enumNames"] == ["Female", "Male"]
    assert ui_schema(page, "zh")["sex"]["ui:enumNames"] == ["女", "男"]
    assert json_schema(page, "zh")["properties"]["sex"]["title"] == "性别"


def test_the_plain_value_comes_before_unit_and_reason(page):
    ways = json_schema(page)["properties"]["anc"]["anyOf"]
    assert [way["type"] for way in ways] == ["string", "object", "object"]
    assert len(ui_schema(page)["anc"]["anyOf"]) == len(ways)


def test_a_simple_condition_shows_by_if_and_then(page):
    schema = json_schema(page)
    pregnant = {"properties": {"sex": {"enum": ["F"]}}, "required": ["sex"]}
    assert [rule["then"]["properties"].keys() for rule in schema["allOf"] if rule["if"] == pregnant] == [{"pregnant"}]
    assert faults(schema, {"sex": "F", "pregnant": "X"})
    assert not faults(schema, {"sex": "M", "pregnant": "X"})


def test_a_condition_that_is_not_simple_stands_beside_the_item(changed):
    form = changed(("show_when = \"sex == 'F'\"", "show_when = \"sex == 'F' && anc > 0.5\""))
    assert json_schema(form)["properties"]["pregnant"]["x-marrow-show-when"] == "sex == 'F' && anc > 0.5"


@pytest.mark.parametrize(
    ("condition", "holds", "fails"),
    [
        ("sex == 'F'", [{"sex": "F"}], [{"sex": "M"}, {}]),
        ("sex != 'F'", [{"sex": "M"}], [{"sex": "F"}, {}]),
        ("cells != 3", [{"cells": 4}], [{"cells": 3}, {}, {"cells": {"missing": "unknown"}}]),
        ("(sex in ['F', 'M'])", [{"sex": "F"}, {"sex": "M"}], [{}]),
        ("sex == 'F' && sampled == 'Y'", [{"sex": "F", "sampled": "Y"}], [{"sex": "F"}, {"sampled": "Y"}]),
        ("(sex == 'F') || (sampled == 'Y')", [{"sex": "F"}, {"sampled": "Y"}], [{"sex": "M", "sampled": "N"}, {}]),
    ],
)
def test_simple_conditions_as_schemas(page, condition, holds, fails):
    schema = as_schema(condition, {item.id: item for item in page.items})
    assert schema is not None
    assert [faults(schema, answers) for answers in holds] == [[]] * len(holds)
    assert all(faults(schema, answers) for answers in fails)


@pytest.mark.parametrize(
    "condition",
    [
        "anc > 1",
        "anc == 1",
        "sex == 'F' && sampled == 'Y' || cells == 1",
        "!(sex == 'F')",
        "sex == sampled",
        "sex == 'a\\n'",
        "organs == ['SKIN']",
        "is_missing(sex)",
        "sex == null",
        "subject.arm == 'A'",
        "sex in []",
        "'F' == sex",
    ],
)
def test_other_conditions_are_left_to_cel(page, condition):
    assert as_schema(condition, {item.id: item for item in page.items}) is None


values = {
    "note": st.text(max_size=20),
    "cells": st.integers(0, 100) | st.just({"missing": "unknown"}),
    "anc": st.decimals(0, 1000, places=2).map(str)
    | st.just({"value": "900", "unit": "/uL"})
    | st.just({"missing": "not_done"}),
    "sampled": st.sampled_from("YN"),
    "sex": st.sampled_from("FM"),
    "pregnant": st.sampled_from("YN"),
    "organs": st.lists(st.sampled_from(["SKIN", "LIVER", "GUT"]), unique=True),
    "seen": st.dates().map(str),
    "onset": st.sampled_from(["2024", "2024-02", "2024-02-29"]),
    "at": st.times().map(lambda time: time.strftime("%H:%M")),
    "event": st.lists(
        st.fixed_dictionaries({}, optional={"grade": st.integers(1, 5), "fatal": st.just("Y")}), max_size=3
    ),
}


@settings(deadline=None)  # other work may hold the processors
@given(st.fixed_dictionaries({}, optional=values))
def test_what_is_stored_can_be_rendered_and_what_is_rendered_can_be_stored(page, raw):
    assert faults(json_schema(page), read(page, raw).answers) == []


@pytest.mark.parametrize(
    "answers",
    [
        {"cells": 101},
        {"cells": 1.5},
        {"anc": "1.234"},
        {"anc": "x"},
        {"anc": {"missing": "unknown"}},
        {"sex": "X"},
        {"seen": "2023-02-29"},
        {"onset": "2024-13"},
        {"at": "25:00"},
        {"organs": ["X"]},
        {"organs": ["GUT", "GUT"]},
        {"note": "x" * 21},
        {"sampled": "Y", "event": [{"grade": 6}]},
    ],
)
def test_what_the_api_refuses_the_schema_refuses_too(page, answers):
    assert read(page, answers).problems
    assert faults(json_schema(page), answers)


def test_jsonforms_shows_groups_by_rule(page):
    groups = ui_schema(page)["x-jsonforms"]["elements"]
    assert [group["label"] for group in groups] == ["Main", "Events"]
    assert groups[1]["rule"]["condition"]["schema"] == {
        "properties": {"sampled": {"enum": ["Y"]}},
        "required": ["sampled"],
    }


def test_the_file_schema_accepts_what_the_check_accepts_and_explains_every_key(page_text):
    schema = json.loads(json.dumps(file_schema()))
    data, _ = load(page_text)
    assert faults(schema, data) == []
    for name, keys in KEYS.items():
        properties = (schema["$defs"] | {"Form": schema})[name]["properties"]
        assert properties.keys() == keys.keys()
        assert all("description" in told for told in properties.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version = 1", ""),
        ('type = "text"', 'type = "txt"'),
        ("max_length", "max_lenght"),
        ('id = "note"', 'id = "Note"'),
        ("codes", "x"),
        ('formula = "grade * 2"', ""),
    ],
)
def test_the_file_schema_refuses_mistakes(page_text, old, new):
    data, _ = load(page_text.replace(old, new, 1))
    assert faults(file_schema(), data)
