"""Pages of any form as Hypothesis draws them: canonical, with every kind of answer an item takes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from hypothesis import strategies as st

from app.forms.answers import read
from app.forms.definition import Form, Item, ItemType


def values(item: Item) -> st.SearchStrategy[Any]:
    """Every kind of answer an item takes, as it arrives; None for none."""
    decimals = st.decimals(0, 299, places=2).map(str)
    given = {
        ItemType.TEXT: st.text("abc 甲", min_size=1, max_size=9),
        ItemType.INTEGER: st.integers(1, 400),
        ItemType.DECIMAL: decimals,
        ItemType.YES_NO: st.sampled_from("YN"),
        ItemType.SINGLE: st.sampled_from([code.code for code in item.codes] or [""]),
        ItemType.MULTIPLE: st.sets(st.sampled_from([code.code for code in item.codes] or [""]), min_size=1).map(list),
        ItemType.DATE: st.dates(date(1900, 1, 1), date(2200, 12, 31)).map(str),
        ItemType.PARTIAL_DATE: st.sampled_from(["2024", "2024-02", "2024-02-29"]),
        ItemType.COMPUTED: st.none(),
    }[item.type]
    reasons = [st.fixed_dictionaries({"missing": st.sampled_from(item.missing)})] if item.missing else []
    units = (
        [st.fixed_dictionaries({"value": decimals, "unit": st.sampled_from(list(item.units))})] if item.units else []
    )
    return st.one_of(st.none(), given, *reasons, *units)


def pages(of: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Pages of a form, canonical, with up to three rows in each section of rows."""
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for section in of.sections:
        items = {item.id: values(item) for item in section.items}
        parts |= {section.id: st.lists(st.fixed_dictionaries(items), max_size=3)} if section.repeating else items
    return (
        st.fixed_dictionaries(parts)
        .map(lambda raw: read(of, raw))
        .filter(lambda r: not r.problems)
        .map(lambda r: r.answers)
    )


def counted(answers: Mapping[str, Any]) -> int:
    """How many answers there are, rows included."""
    rows = [row for value in answers.values() if isinstance(value, list) for row in value if isinstance(row, dict)]
    plain = [v for v in answers.values() if not (isinstance(v, list) and v and isinstance(v[0], dict))]
    return len(plain) + sum(len(row) - 1 for row in rows)
