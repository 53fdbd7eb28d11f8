import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.forms.toml import TomlMistake, load

TEXT = '''# a comment = "no key"
title = { en = "a { b", zh = 'c # d' }
a.b.c = 1
"quoted key" = """
several = lines
[[not.a.table]]
"""
list = [
  1,  # one
  [2, 3],
  { deep = { er = true } },
]

[[section]]
id = "one"

[[section.item]]
id = "x"
codes = [
  { code = "A" },

  { code = "B" },
]
[section.item.extra]
k = 1979-05-27T07:32:00Z

[[section.item]]
id = "y"

[[section]]
id = "two"
[[section.item]]
id = "z"
last = \'\'\'end''\'\'\'
'''


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ((), "# a comment"),
        (("title",), "title ="),
        (("title", "zh"), "title ="),
        (("a", "b", "c"), "a.b.c"),
        (("quoted key",), '"quoted key"'),
        (("list",), "list ="),
        (("list", 0), "  1,"),
        (("list", 1, 1), "  [2, 3]"),
        (("list", 2, "deep", "er"), "  { deep"),
        (("section", 0, "id"), 'id = "one"'),
        (("section", 0, "item", 0, "id"), 'id = "x"'),
        (("section", 0, "item", 0, "codes", 1, "code"), '  { code = "B"'),
        (("section", 0, "item", 0, "extra", "k"), "k = 1979"),
        (("section", 0, "item", 1, "id"), 'id = "y"'),
        (("section", 1, "item", 0, "id"), 'id = "z"'),
        (("section", 1, "item", 0, "last"), "last ="),
    ],
)
def test_every_key_is_found_on_its_line(path, begins):
    _, locate = load(TEXT)
    assert TEXT.split("\n")[locate(path) - 1].startswith(begins)


def test_a_missing_key_is_reported_where_it_belongs():
    data, locate = load(TEXT)
    assert data["section"][1]["item"][0].get("type") is None
    assert locate(("section", 1, "item", 0, "type")) == locate(("section", 1, "item", 0))


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = ", 2), ("a = 1\n\n[x\n", 3), ('a = "x\n', 1), ("a = 1\na = 2\n", 2), ("a = [1,\n2", 2)],
)
def test_what_is_no_toml_is_a_mistake_on_its_line(text, line):
    with pytest.raises(TomlMistake) as caught:
        load(text, file="f.toml")
    assert (caught.value.mistake.file, caught.value.mistake.line) == ("f.toml", line)


def test_values_nested_without_end_are_a_mistake():
    with pytest.raises(TomlMistake):
        load("a = " + "[" * 100_000)


keys = st.text("abc ._\"'#=", min_size=1, max_size=4)
values = st.recursive(
    st.integers() | st.text("ab\"'#\n\\[]{}=,", max_size=6) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def written(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}
        return '"' + "".join(escapes.get(character, character) for character in value) + '"'
    if isinstance(value, list):
        return "[\n" + ",\n".join(written(member) for member in value) + "\n]"
    return "{" + ", ".join(f"{written(key)} = {written(member)}" for key, member in value.items()) + "}"


@settings(deadline=None)  # other work may hold the processors
@given(st.dictionaries(keys, values, max_size=4))
def test_whatever_tomllib_reads_can_be_located(data):
    text = "\n".join(f"{written(key)} = {written(value)}" for key, value in data.items())
    read, locate = load(text)
    assert read == tomllib.loads(text) == data
    at = 1
    for key, value in data.items():
        assert locate((key,)) == at
        at += (f"{written(key)} = {written(value)}").count("\n") + 1
