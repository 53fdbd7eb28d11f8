"""Pages that need nothing beside them are read by a shorter way, which says the same as the longer."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.trials import PLANS
from app.derivations.gather import Recipe, occurrences, plan_of, recipe_of
from app.forms.answers import Context
from app.forms.definition import Item, MissingReason
from tests.demo.build import books, builds, casebook

RECIPES = [
    recipe
    for trial in PLANS
    for form in builds()[trial].forms.values()
    if (recipe := recipe_of(plan_of(builds()[trial]), form)).alone and (recipe.readers or recipe.alive)
]
DAYS = st.sampled_from(["2024-03-07", "2024-03", "2024", {"missing": "unknown"}, {"missing": "not_done"}, None])


class Nothing:
    """What a page that needs nothing beside itself knows of others: whoever asked for it would find it empty."""

    context = in_force = Context()
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


@pytest.mark.parametrize("reason", MissingReason)
def test_a_date_that_is_not_applicable_or_not_done_has_nothing_to_date(reason: MissingReason) -> None:
    plan, forms = plan_of(builds()["FULLCOURSE"]), builds()["FULLCOURSE"].forms
    some = next(iter(casebook(books("FULLCOURSE")[0]).values()))
    absent = {"missing": reason.value}

    def said(form: str, answers: Mapping[str, Any]) -> list[str]:
        page = some._replace(place=some.place._replace(form=form), answers=answers)
        return [milestone for milestone, _ in occurrences(recipe_of(plan, forms[form]), page, Nothing())]

    never = reason in {MissingReason.NOT_DONE, MissingReason.NOT_APPLICABLE}
    assert said("death", {"death_date": absent}) == ([] if never else ["death"])
    rows = [{"row": 1, "dose_date": absent}, {"row": 2, "dose_date": "2024-03-07"}, {"row": 3}]
    started = said("inotuzumab", {"doses": rows}).count("tx_start")
    assert started == (2 if never else 3)  # a row without a date is a dose on no known day
