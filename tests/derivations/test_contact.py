"""Which dates prove that a subject was still there: those of the clinic, not those of the office."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from app.clinical.endpoints.engine import evaluate
from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import on
from app.clinical.endpoints.result import Result, Why, compile_specs
from app.derivations.summary import estimate
from app.study.check import read_tree

STUDIES = {study.study: study for study in read_tree(Path(__file__).parents[2] / "forms").studies}


def result(trial: str, code: str, facts: dict[str, str], cutoff: str) -> Result:
    study = STUDIES[trial]
    milestones = Milestones(study.milestones, study.endpoints)
    spec = next(each for each in compile_specs(study.endpoints, milestones) if each.code == code)
    captured = {name: [on(date.fromisoformat(day))] for name, day in facts.items()}
    return evaluate(spec, History(milestones, captured, date.fromisoformat(cutoff)))


@pytest.mark.parametrize("office", ["off_study", "withdrawn", "eligible"])
def test_an_office_date_after_the_cut_off_proves_no_life_at_it(office: str) -> None:
    facts = {"hsct": "2024-01-10", "last_alive": "2024-03-10", office: "2025-06-01"}
    found = result("NCT06125106", "OS", facts, "2025-01-31")
    assert (found.adt, found.why) == (date(2024, 3, 10), Why.LAST_FOLLOW_UP)


@pytest.mark.parametrize("proof", ["death", "last_alive"])
def test_a_death_or_a_proof_of_life_after_the_cut_off_does(proof: str) -> None:
    facts = {"hsct": "2024-01-10", proof: "2025-06-01"}
    found = result("NCT06125106", "OS", facts, "2025-01-31")
    assert (found.adt, found.why) == (date(2025, 1, 31), Why.AT_CUTOFF)


def test_the_page_of_a_relapse_after_the_cut_off_proves_life_by_its_own_day() -> None:
    facts = {"hsct": "2024-01-10", "heme_relapse": "2025-06-01", "last_alive": "2025-06-03"}
    found = result("NCT06125106", "OS", facts, "2025-01-31")
    assert (found.adt, found.why) == (date(2025, 1, 31), Why.AT_CUTOFF)


def test_extra_censoring_proves_contact_up_to_a_horizon() -> None:
    facts = {"hsct": "2024-01-10", "last_alive": "2024-02-01", "nact": "2024-12-01"}
    found = result("NCT06125106", "AG24D100", facts, "2025-01-31")
    assert (found.adt, found.why) == (date(2024, 4, 19), Why.AT_HORIZON)
    assert found.milestone == "nact"


def test_an_office_date_does_not_bring_anyone_to_the_horizon() -> None:
    facts = {"hsct": "2024-01-10", "last_da": "2024-02-01", "off_study": "2024-12-01"}
    found = result("NCT06125106", "AG24D100", facts, "2025-01-31")
    assert (found.adt, found.why) == (date(2024, 2, 1), Why.LAST_FOLLOW_UP)
    found = result("NCT06125106", "AG24D100", facts | {"cgvhd": "2024-12-01"}, "2025-01-31")
    assert (found.adt, found.why) == (date(2024, 4, 19), Why.AT_HORIZON)


def test_the_parts_of_a_derived_milestone_prove_contact_too() -> None:
    study = STUDIES["FULLCOURSE"]
    proof = Milestones(study.milestones, study.endpoints).proof
    assert {"last_alive", "death", "cr", "last_da", "mol_relapse", "tx_start"} <= proof
    assert not proof & {"off_study", "withdrawn", "eligible", "screen_failure"}


@pytest.mark.parametrize(
    ("horizon", "read", "expected"), [(100, None, 100), (100, 60, 60), (100, 365, 100), (None, 60, 60), (0, 60, 0)]
)
def test_a_curve_is_read_on_its_day_and_no_later_than_the_horizon(
    horizon: int | None, read: int | None, expected: int
) -> None:
    found = result("NCT06125106", "AG24D100", {"hsct": "2024-01-10", "last_alive": "2024-12-01"}, "2025-01-31")
    spec = replace(found.spec, truncate_day=horizon, report_day=read)
    told = estimate(spec, [found])
    assert told is not None
    assert told.day == expected
