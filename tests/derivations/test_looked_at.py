"""What deriving fetches from the database: everything that it looks at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.clinical.endpoints.definition import Milestone, MilestoneSource, Words
from app.core import clock
from app.core.transaction import see
from app.demo.trials import PLANS
from app.derivations.conclude import conclude
from app.derivations.derive import derived
from app.derivations.looked_at import looked_at
from app.derivations.readings import read_pages
from app.study.library import Build
from app.subjects import facts, lookups
from app.subjects.facts import Page, Place
from tests.demo.build import books, builds, casebook
from tests.stories.amendment import amended
from tests.trial import Trial, publish


def told(build: Build, pages: Mapping[Place, Page]) -> tuple[Any, ...]:
    read = read_pages(build, lambda form, _: build.forms[form], facts.standing(pages), remember=False)
    captured = read.captured()
    return captured, read.values, conclude(build, captured, read.values).as_json()


@pytest.mark.parametrize("trial", list(PLANS))
def test_a_subject_of_the_four_trials_comes_out_the_same_without_what_nobody_reads(trial: str) -> None:
    build = builds()[trial]
    only = looked_at([build], build.forms.values())
    for entries in books(trial):
        book = casebook(entries)
        less = {
            place: page._replace(
                answers={
                    name: each for name, each in page.answers.items() if name in only.get(place.form, page.answers)
                }
            )
            for place, page in book.items()
        }
        assert less != book
        assert told(build, less) == told(build, book)


@pytest.mark.parametrize("trial", list(PLANS))
def test_the_day_of_a_page_and_what_a_condition_of_a_fact_asks_is_read(trial: str) -> None:
    build = builds()[trial]
    only = looked_at([build], build.forms.values())
    for form_id, form in build.forms.items():
        asked = [when.uses for _, when in lookups.plan_of(build).by_form.get(form_id, ()) if when is not None]
        names = {each for each in {form.day_item}.union(*asked) if each is not None and form.has(each)}
        assert names <= set(only.get(form_id, names))


def test_a_page_is_read_whole_where_something_is_worked_out_on_it() -> None:
    build = builds()["FULLCOURSE"]
    only = looked_at([build], build.forms.values())
    assert only.keys().isdisjoint({"agvhd", "response"})
    assert {"haemoglobin", "wbc"}.isdisjoint(only["haematology"])
    assert "sample_date" in only["haematology"]  # the day of the page
    assert "drugs" in only["conditioning"]  # rows with the day of a milestone


def test_a_page_is_read_whole_where_a_condition_asks_why_there_is_no_value() -> None:
    build = builds()["FULLCOURSE"]
    source = MilestoneSource(form="haematology", date="sample_date", when="missing.wbc == 'not_done'")
    more = Milestone(name="not_counted", label=Words(en="Not counted", zh="未计数"), from_=(source,))
    study = build.study.model_copy(update={"milestones": (*build.study.milestones, more)})
    assert "haematology" in looked_at([build], build.forms.values())
    assert "haematology" not in looked_at([build, Build(study, build.forms)], build.forms.values())


def test_what_one_version_of_a_study_or_form_reads_is_read(trial: Trial, tmp_path: Path) -> None:
    anne = trial.nurse.subject()
    trial.nurse.enter(anne, "SCR", "consent", {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"})
    trial.nurse.enter(anne, "SCR", "labs", {"sample_date": "2024-01-09", "hb": {"value": "9.7", "unit": "g/dL"}})
    trial.nurse.enter(anne, "D30", "response", {"assess_date": "2024-02-10", "response": "CR"})
    before = clock.now()
    publish(trial.database, amended(tmp_path / "forms"))
    coming = {"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=coming).is_success
    trial.nurse.enter(anne, "UNS", "labs", {"sample_date": "2024-03-09", "hb": "99", "plt": 150})
    other = trial.nurse2.subject("HZ02")
    trial.nurse2.enter(other, "SCR", "consent", {"consent_date": "2024-01-06", "enrol_date": "2024-01-11"})
    with trial.database.reading() as session:
        see(session, "TRIAL")
        for as_of in (None, before):
            found = list(derived(session, "TRIAL", as_of=as_of))
            alone = [
                each
                for one in found
                for each in derived(session, "TRIAL", subject_id=one.subject["subject_id"], as_of=as_of)
            ]
            assert [each.conclusion.as_json() for each in found] == [each.conclusion.as_json() for each in alone]
            new = [each.subject["subject_id"] for each in found if "CRA" in each.conclusion.as_json()["endpoints"]]
            assert new == ([anne] if as_of is None else [])


def test_what_is_looked_at_is_fetched_and_nothing_else(trial: Trial) -> None:
    anne = trial.nurse.subject()
    trial.nurse.enter(anne, "SCR", "consent", {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"})
    trial.nurse.enter(anne, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97", "anc": "1.2"})
    with trial.database.reading() as session:
        see(session, "TRIAL")
        ((_, pages),) = facts.everybody(session, "TRIAL", only={"labs": ["sample_date", "anc", "unheard_of"]})
    answers = {place.form: page.answers for place, page in pages.items()}
    assert answers["labs"] == {"sample_date": "2024-01-09", "anc": "1.2"}
    assert answers["consent"] == {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


def test_a_page_of_which_very_much_is_looked_at_comes_whole(trial: Trial) -> None:
    anne = trial.nurse.subject()
    trial.nurse.enter(anne, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97"})
    with trial.database.reading() as session:
        see(session, "TRIAL")
        ((_, pages),) = facts.everybody(session, "TRIAL", only={"labs": ["anc", *(f"more{n}" for n in range(60))]})
        ((_, few),) = facts.everybody(session, "TRIAL", only={"labs": ["anc", *(f"more{n}" for n in range(49))]})
    assert [page.answers for page in pages.values()] == [{"sample_date": "2024-01-09", "hb": "97"}]
    assert [page.answers for page in few.values()] == [{}]
