"""A page that says dead without saying when: a question where no death page answers it, otherwise nothing."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.clinical.endpoints.milestones import History
from app.clinical.endpoints.occurrence import Occurrence, on
from app.clinical.endpoints.result import Result, Status, Why
from app.derivations.conclude import Results, conclude, contradictions, specs_of
from app.derivations.readings import read_pages
from app.study.check import read_tree
from app.study.library import Build
from app.subjects.facts import Page, Place

TREE = read_tree(Path(__file__).parents[2] / "forms")
BUILDS = {
    study.study: Build(study, {form: TREE.forms[form, number] for form, number in study.forms.items()})
    for study in TREE.studies
}
START = {"NCT06125106": "hsct", "FULLCOURSE": "enrol", "S1904": "rand", "NCT07105579": "tx_start"}
DEAD = ("survival", {"status": "DEAD", "contact_date": "2024-09-01"})
LEFT = ("end_of_study", {"end_reason": "DEATH", "end_date": "2024-09-03"})
ALIVE = ("survival", {"status": "ALIVE", "contact_date": "2024-06-01"})


def survival(trial: str, *entered: tuple[str, dict[str, Any]], cutoff: date | None = None) -> Result:
    """OS of a subject who began on 2024-01-10 and has these pages."""
    build = BUILDS[trial]
    pages = [
        Page("X", UUID(int=number), Place("FU", number, form, 1), 1, 1, 1, "complete", answers, datetime.now(UTC))
        for number, (form, answers) in enumerate(entered, start=1)
    ]
    read = read_pages(build, lambda form, _: build.forms[form], pages)
    captured = read.captured() | {START[trial]: [on(date(2024, 1, 10))]}
    found = conclude(build, captured, read.values, cutoff=cutoff)
    told = next(each for each in found.results if (each.spec.code, each.spec.variant) == ("OS", "PRIMARY"))
    asked = {item for item, rule, *_ in contradictions(found.results) if rule == "endpoint-undated"}
    assert ("OS" in asked) == (told.status is Status.QUERY and not told.spec.suggested)
    if told.status is not Status.CENSORED:
        assert found.status == "dead"
    return told


@pytest.mark.parametrize("hint", [DEAD, LEFT])
@pytest.mark.parametrize("trial", sorted(BUILDS))
def test_dead_without_a_death_page_is_a_question(trial: str, hint: tuple[str, dict[str, Any]]) -> None:
    told = survival(trial, ALIVE, hint)
    assert (told.status, told.milestone, told.adt) == (Status.QUERY, "death", None)
    assert told.fact is not None
    assert [source.form for source in told.fact.sources] == [hint[0]]


@pytest.mark.parametrize("trial", sorted(BUILDS))
def test_a_death_page_answers_it(trial: str) -> None:
    told = survival(trial, ALIVE, DEAD, LEFT, ("death", {"death_date": "2024-08-20"}))
    assert (told.status, told.adt) == (Status.EVENT, date(2024, 8, 20))
    told = survival(trial, ALIVE, DEAD, ("death", {"death_date": "2024-08"}))
    assert (told.status, told.adt, told.flag) == (Status.EVENT, date(2024, 8, 15), "D")


def test_the_hint_is_no_date_of_death_and_no_proof_of_life() -> None:
    assert survival("S1904", ALIVE, DEAD, cutoff=date(2024, 5, 1)).status is Status.CENSORED
    assert survival("S1904", ALIVE, DEAD, cutoff=date(2024, 7, 1)).status is Status.QUERY
    assert survival("S1904", ALIVE, ("survival", {"status": "LOST", "contact_date": "2024-09-01"})).adt == date(
        2024, 6, 1
    )


def test_a_suggested_endpoint_raises_no_finding() -> None:
    build = BUILDS["S1904"]
    captured = {"rand": [on(date(2024, 1, 10))], "death": [on(date(2023, 12, 1))]}
    facts: dict[str, Any] = {fact.name: None for fact in build.study.facts}
    found = conclude(build, captured, facts)
    asked = {item for item, *_ in contradictions(found.results)}
    primary = {each.spec.code: each for each in found.results if each.spec.variant == "PRIMARY"}
    suggested = {code for code, each in primary.items() if each.spec.suggested}
    assert suggested
    assert all(primary[code].status is Status.QUERY for code in suggested)
    assert asked == {code for code, each in primary.items() if each.status is Status.QUERY} - suggested


def test_an_endpoint_asks_one_question_of_each_kind_that_of_primary_first() -> None:
    """All-comers count from enrolment: who died before the transplant contradicts PRIMARY alone, and so on."""
    specs = [each for each in specs_of(BUILDS["NCT06125106"]) if each.code == "PFS"]
    death, relapse = (Occurrence(date(2024, 1, day), date(2024, 1, day), raw="2024-01") for day in (3, 9))

    def told(*asked: tuple[str, Occurrence | None, Why]) -> list[tuple[str, str]]:
        found = Results(
            Result(spec, Status.QUERY if fact else Status.NA, why, milestone=name, fact=fact)
            for spec, (name, fact, why) in zip(specs, asked, strict=False)
        )
        found.history = History(specs[0].milestones, {}, None)
        return [(each.rule, each.detail["milestone"]) for each in contradictions(found)]

    undated, before, none = Why.UNDATED, Why.ONCE_BEFORE_ORIGIN, ("death", None, Why.NO_ORIGIN)
    assert told(("death", death, undated), ("heme_relapse", relapse, undated)) == [("endpoint-undated", "death")]
    assert told(none, none, ("heme_relapse", relapse, undated)) == [("endpoint-undated", "heme_relapse")]
    assert told(("death", death, undated), ("death", death, before)) == [("endpoint-undated", "death")]
    assert told(("death", death, before), ("heme_relapse", relapse, undated)) == [
        ("endpoint-contradiction", "death"), ("endpoint-undated", "heme_relapse"),
    ]  # fmt: skip


def test_a_curve_without_a_day_of_its_own_is_read_at_the_day_of_the_study() -> None:
    build = BUILDS["S1904"]
    endpoint = build.study.endpoints[0].model_copy(update={"report_day": None, "variant": ()})
    truncated = endpoint.model_copy(update={"code": "X", "truncate_day": 100})
    own = endpoint.model_copy(update={"code": "Y", "report_day": 7})
    study = build.study.model_copy(update={"endpoints": (endpoint, truncated, own), "report_day": 500})
    specs = specs_of(Build(study, build.forms))
    assert [spec.report_day for spec in specs] == [500, None, 7]
