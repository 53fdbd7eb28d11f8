"""Whose subjects a file is about, which of its columns count, and what a fault tells to whoever corrects it."""

from typing import Any

import pytest

from app.core.errors import Unreadable
from app.core.transaction import see_all
from app.exchange import imports
from tests.stories.test_import_all_or_nothing import denials, held, pointers, send, subjects, three
from tests.trial import SYSTEM, Trial

__all__ = ["subjects"]


def test_a_number_of_another_hospital_is_nobody_of_this_one(trial: Trial) -> None:
    """Two hospitals that number alike: the patients of one are not given the pages of the other's."""
    text = "subject,consent_date\n7,2024-01-05\n8,2024-01-06\n"
    assert send(trial.nurse, "consent", text, visit="SCR", site="HZ01").status_code == 201
    labs = "subject,visit,sample_date,hb\n7,SCR,2024-01-09,97\n8,SCR,2024-01-09,97\n"
    before = held(trial)
    refused = send(trial.manager, "labs", labs, site="HZ02")
    assert pointers(refused) == ["/lines/2/subject", "/lines/3/subject"]
    assert all("unique in a study" in each["remedy"] for each in refused.json()["errors"])
    assert send(trial.manager, "consent", text, visit="SCR", site="HZ02").status_code == 422
    assert held(trial) == before
    assert send(trial.manager, "consent", text, visit="SCR").json()["unchanged"] == 2
    blind = send(trial.nurse2, "labs", labs, site="HZ02")  # whoever sees one site is told nothing of another
    assert {each["message"] for each in blind.json()["errors"]} == {"There is no such subject in sight"}
    with trial.database.reading() as session:
        assert denials(session) == 1


@pytest.mark.parametrize("site", ["XX99", "hz01", ""])
def test_a_site_that_is_not_there_is_refused(trial: Trial, subjects: list[str], site: str) -> None:
    before = held(trial)
    assert send(trial.manager, "labs", three(subjects), site=site).status_code == 404
    assert send(trial.nurse2, "labs", three(subjects), site="HZ01").status_code == 404
    assert held(trial)[:3] == before[:3]
    with trial.database.reading() as session:
        assert denials(session) == 2


def test_what_is_to_be_renamed_or_left_out_is_there(trial: Trial, subjects: list[str]) -> None:
    def load(**how: Any) -> imports.Report:
        with trial.database.writing() as session:
            see_all(session)
            return imports.import_csv(session, SYSTEM, "TRIAL", "labs", three(subjects).encode(), **how)

    for how in ({"rename": {"Nope": "hb"}}, {"rename": {"hb": ""}}, {"ignore": ["Nope"]}, {"ignore": ["subject"]}):
        with pytest.raises(Unreadable, match="Nothing was stored"):
            load(**how)
    assert load(ignore=["transfused", "hb_missing"], rename={"hb": "hb"}).created == 3


def test_a_fault_names_what_there_is(trial: Trial, subjects: list[str]) -> None:
    def remedy(form: str, text: str, **query: Any) -> str:
        (fault,) = send(trial.nurse, form, text, **query).json()["errors"]
        return str(fault["remedy"])

    assert "SCR" in remedy("labs", f"subject,visit,hb\n{subjects[0]},D31,97\n")
    assert "consent" in remedy("ae", f"subject,visit,term\n{subjects[0]},SCR,Fever\n")
    twice = f"subject,consent_date\n{subjects[0]},2024-01-05\n{subjects[0]},2024-01-06\n"
    assert "does not repeat" in remedy("consent", twice, visit="SCR")
    assert "--rename" in remedy("consent", f"subject,row,consent_date\n{subjects[0]},1,2024-01-05\n", visit="SCR")
