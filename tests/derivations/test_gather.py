"""Pages that need nothing beside them are read by a shorter way, which says the same as the longer."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.demo.trials import PLANS
from app.derivations.gather import Recipe, occurrences, plan_of, recipe_of
from app.forms.answers import Context
from app.forms.definition import Item
from tests.demo.build import books, builds, casebook

RECIPES = [
    recipe
    for trial in PLANS
    for form in builds()[trial].forms.values()
    if (recipe := recipe_of(plan_of(builds()[trial]), form)).alone and (recipe.readers or recipe.alive)
]
DAYS = st.sampled_from(["2024-03-07", "2024-03", "2024", {"missing": "unknown"}, None])


class Nothing:
    """What a page that needs nothing beside itself knows of others: whoever asked for it would find it empty."""

    context = Context()
    computed: Mapping[str, Any] = {}


def value(item: Item) -> st.SearchStrategy[Any]:
    if item.codes:
        codes = st.sampled_from([each.code for each in item.codes])
        return codes | st.just({"missing": "unknown"}) | st.none()
    return DAYS


@st.composite
def pages(draw: st.DrawFn) -> tuple[Recipe, Any]:
    recipe = draw(st.sampled_from(RECIPES))
    asked = sorted({*recipe.needed, *(each.item for each in recipe.readers), *(recipe.alive or ())})
    items = [recipe.form.item(name) for name in asked if recipe.form.has(name)]
    answers = {item.id: found for item in items if (found := draw(value(item))) is not None}
    some = next(iter(casebook(books("FULLCOURSE")[0]).values()))
    return recipe, some._replace(place=some.place._replace(form=recipe.form.form), answers=answers)


@given(pages())
def test_both_ways_say_the_same(found: tuple[Recipe, Any]) -> None:
    recipe, page = found
    assert occurrences(recipe, page, Nothing()) == occurrences(recipe._replace(alone=False), page, Nothing())
