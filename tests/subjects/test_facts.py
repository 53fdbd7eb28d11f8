"""What is known of a subject, on its own pages and in their order."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from app.study.check import read_tree
from app.study.library import Build
from app.subjects.facts import Page, Place, standing
from app.subjects.lookups import Lookups
from tests.trial import FORMS


@pytest.fixture(scope="module")
def build() -> Build:
    tree = read_tree(FORMS)
    study = next(each for each in tree.studies if each.study == "TRIAL")
    return Build(study, {form: tree.forms[form, number] for form, number in study.forms.items()})


def page(visit: str, minute: int, answers: dict[str, Any], form: str = "arm", status: str = "complete") -> Page:
    at = datetime(2024, 1, 1, 0, minute, tzinfo=UTC)
    return Page("S1", uuid4(), Place(visit, 1, form, 1), 1, 1, 1, status, answers, at)


def arm(build: Build, *pages: Page) -> Any:
    there = standing({each.place: each for each in pages})
    return Lookups(build, ((each, build.forms[each.place.form]) for each in there)).values["arm"]


def test_what_nobody_said_is_unknown(build: Build) -> None:
    assert arm(build) is None
    assert arm(build, page("SCR", 1, {"arm_code": "A"}, form="labs")) is None
    assert arm(build, page("SCR", 1, {"rand_date": "2024-01-01"})) is None


def test_the_page_saved_last_decides_whatever_its_place(build: Build) -> None:
    assert arm(build, page("SCR", 2, {"arm_code": "A"}), page("UNS", 1, {"arm_code": "B"})) == "A"
    assert arm(build, page("SCR", 1, {"arm_code": "A"}), page("UNS", 2, {"arm_code": "B"})) == "B"


def test_a_page_that_says_nothing_takes_nothing_back(build: Build) -> None:
    assert arm(build, page("SCR", 1, {"arm_code": "A"}), page("UNS", 2, {"arm_code": {"missing": "unknown"}})) == "A"
    assert arm(build, page("SCR", 1, {"arm_code": "A"}), page("UNS", 2, {})) == "A"


def test_a_void_page_is_no_fact(build: Build) -> None:
    struck = page("UNS", 2, {"arm_code": "B"}, status="void")
    assert arm(build, page("SCR", 1, {"arm_code": "A"}), struck) == "A"
    assert standing({struck.place: struck}) == []
