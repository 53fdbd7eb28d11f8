"""What a computed item rests on is kept with the revision of each page: another revision is another working."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.capture import read
from app.capture.anew.derive import derive
from app.capture.save import save
from app.core.transaction import Database, see_all
from app.study.check import read_tree
from app.study.publish import publish
from app.subjects import enrol
from app.subjects.facts import Place
from tests.trial import SYSTEM

STUDY = "NCT06125106"
TREE = read_tree(Path(__file__).parents[2] / "forms")


def test_a_correction_that_leaves_the_value_as_it_was_is_cited_nevertheless(engine: Engine, tmp_path: Path) -> None:
    database = Database(engine, tmp_path / "anchors.jsonl")
    trial = next(study for study in reversed(TREE.studies) if study.study == STUDY)
    with database.writing() as session:
        see_all(session)
        publish(session, SYSTEM, trial, {form: TREE.forms[form, number] for form, number in trial.forms.items()})
        enrol.create(session, SYSTEM, STUDY, "HZ01")

    def enter(visit: str, form: str, answers: dict[str, Any], revision: int = 0) -> None:
        with database.writing() as session:
            see_all(session)
            place = Place(visit, 1, form, 1)
            save(session, SYSTEM, STUDY, "HZ01-001", place, answers, expected=revision, complete=False,
                 reason="Read again")  # fmt: skip

    def facts() -> Any:
        with database.reading() as session:
            see_all(session)
            page = read.page(session, SYSTEM, STUDY, "HZ01-001", Place("D30", 1, "response", 1))
        return page["working"]["response_rule"]["facts"]["baseline_blasts"]

    enter("SCR", "diagnosis", {"baseline_marrow_blasts": "60"})
    enter("D30", "response", {"assess_date": "2024-05-01", "marrow_done": "Y", "marrow_blasts": "2"})
    assert facts() == ["SCR/diagnosis#1"]
    enter("SCR", "diagnosis", {"baseline_marrow_blasts": "60", "baseline_date": "2024-01-05"}, revision=1)
    assert facts() == ["SCR/diagnosis#2"]
    with database.reading() as session:
        see_all(session)
        assert derive(session, SYSTEM, STUDY, store=False) == (1, [])
