"""Facts that depend on the day of the page that asks: the last until then, everything before, days without values."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from app.study.check import read_tree
from app.study.definition import Fact, Study
from app.study.library import Build
from app.subjects.facts import Page, Place
from app.subjects.lookups import Lookups
from tests.trial import FORMS

TREE = read_tree(FORMS)
TRIAL = next(each for each in TREE.studies if each.study == "TRIAL")
PAGES = {form: TREE.forms[form, number] for form, number in TRIAL.forms.items()}


def built(*facts: dict[str, Any], **parameters: str) -> Build:
    data = TRIAL.canonical() | {"fact": [{"form": "labs", **fact} for fact in facts], "parameters": parameters}
    return Build(Study.of(data), PAGES)


def labs(day: str, minute: int = 0, **answers: Any) -> Page:
    at = datetime(2024, 6, 1, 0, minute, tzinfo=UTC)
    return Page("S1", uuid4(), Place("UNS", minute + 1, "labs", 1), 1, 1, 1, "complete", {DATED: day, **answers}, at)


DATED = PAGES["labs"].day_item or ""
NUMBER = next(item.id for item in PAGES["labs"].items if item.type == "decimal")


def looked_up(build: Build, pages: list[Page]) -> Lookups:
    return Lookups(build, ((page, PAGES["labs"]) for page in pages))


def asked(build: Build, pages: list[Page], page: Page) -> Any:
    lookups = looked_up(build, pages)
    (known,) = lookups.before(page, PAGES["labs"], frozenset({"x"})).values()
    return known.value


@pytest.mark.parametrize(
    ("pick", "expected"),
    [("current", "2"), ("previous", "1"), ("history", "2024-01-01=1")],
)
def test_what_a_page_knows_by_its_day(pick: str, expected: str) -> None:
    pages = [labs("2024-01-01", 0, **{NUMBER: "1"}), labs("2024-01-02", 1, **{NUMBER: "2"}),
             labs("2024-01-03", 2, **{NUMBER: "3"})]  # fmt: skip
    assert str(asked(built({"name": "x", "item": NUMBER, "pick": pick}), pages, pages[1])) == expected


def test_everything_of_earlier_days_in_their_order() -> None:
    pages = [labs("2024-01-02", 0, **{NUMBER: "2"}), labs("2024-01-01", 1, **{NUMBER: "1"}), labs("2024-01-03", 2)]
    fact = {"name": "x", "item": NUMBER, "pick": "history"}
    assert asked(built(fact), pages, pages[2]) == "2024-01-01=1|2024-01-02=2"
    assert asked(built(fact), pages, pages[1]) is None


def test_a_series_of_days_names_them_once() -> None:
    pages = [labs("2024-01-02", 0), labs("2024-01-01", 1)]
    build = built({"name": "x", "item": DATED, "pick": "series"})
    assert looked_up(build, pages).values["x"] == "2024-01-01|2024-01-02"


def test_a_fact_may_ask_for_a_parameter_of_the_study() -> None:
    pages = [labs("2024-01-01", 0, **{NUMBER: "1"}), labs("2024-01-02", 1, **{NUMBER: "2"})]
    fact = {"name": "x", "item": NUMBER, "pick": "last", "when": f"{DATED} < study.horizon"}
    assert str(looked_up(built(fact, horizon="2024-01-02"), pages).values["x"]) == "1"


@pytest.mark.parametrize(("pick", "expected"), [("newest", "1"), ("last", "2"), ("first", "1"), ("any", "True")])
def test_until_narrows_the_pages_and_the_pick_chooses_among_them(pick: str, expected: str) -> None:
    pages = [labs("2024-01-02", 0, **{NUMBER: "2"}), labs("2024-01-01", 1, **{NUMBER: "1"}),
             labs("2024-01-04", 2, **{NUMBER: "3"}), labs("2024-01-03", 3, **{DATED: "2024-01-03"})]  # fmt: skip
    build = built(
        {"name": "x", "item": NUMBER, "pick": pick, "until": "y"},
        {"name": "y", "item": DATED, "pick": "newest"},
    )
    assert str(looked_up(build, pages).values["x"]) == expected


def test_only_what_is_entered_can_be_current() -> None:
    assert Fact(name="x", form="labs", item=NUMBER, pick="current").of_page
