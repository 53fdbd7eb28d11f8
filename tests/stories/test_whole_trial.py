"""From consent to death in NCT06125106, as its site enters it; every endpoint worked out by hand."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.access import accounts, grants, tokens
from app.access.permissions import Role
from app.audit.verify import verify
from app.core.transaction import Database, see_all
from app.demo.fill import fill
from app.demo.run import FORMS
from app.forms.answers import Context
from app.main import create_app
from app.models.access import TokenKind
from app.settings import Settings
from app.study.check import read_tree
from app.study.publish import publish_tree
from tests.exchange.unzipped import export
from tests.trial import PASSWORD, SYSTEM, Person

STUDY = "NCT06125106"
TREE = read_tree(FORMS)
DEFINITION = next(study for study in TREE.studies if study.study == STUDY)


class AtHome(Person):
    """The same person, in the real trial."""

    def call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return super().call(method, path if path.startswith("/api") else f"/api/v1/studies/{STUDY}{path}", **more)


@dataclass
class World:
    """The real trial on a database of its own, with a coordinator at HZ01 and a data manager."""

    database: Database
    nurse: AtHome
    manager: AtHome


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    database = Database(engine, tmp_path / "anchors.jsonl")
    people = {"nurse": (Role.COORDINATOR, "HZ01"), "manager": (Role.DATA_MANAGER, None)}
    issued = {}
    with database.writing() as session:
        see_all(session)
        list(publish_tree(session, SYSTEM, TREE, only=[STUDY]))
        for name, (role, site) in people.items():
            account = accounts.open_account(session, SYSTEM, name, name.title(), PASSWORD)
            grants.give(session, SYSTEM, STUDY, username=name, role=role, site_id=site, reason="Delegation log")
            made = tokens.issue(session, account["account_id"], TokenKind.SESSION, lasts=timedelta(hours=1))
            issued[name] = made.token
    client = TestClient(create_app(Settings(), database), raise_server_exceptions=False)
    return World(database, *(AtHome(client, issued[name]) for name in people))


def page(form: str, visit: str, day: str, **given: Any) -> dict[str, Any]:
    """A whole page: what the story tells, and ordinary answers for the rest."""
    facts = {"consent_date": "2024-01-05", "birth_date": "1990-04-01", "sex": "F"}
    definition = TREE.forms[form, DEFINITION.forms[form]]
    return fill(definition, given, date.fromisoformat(day), Context(facts, visit), Random(7))  # noqa: S311


# Graft infusion on 1 February 2024, day 32 of a leap year.
STORY: list[tuple[str, str, str, dict[str, Any]]] = [
    ("SCR", "consent", "2024-01-05", {"consent_date": "2024-01-05", "consent_version": "2.0", "signed_by": "SUBJECT"}),
    ("SCR", "demographics", "2024-01-06", {"birth_date": "1990-04-01", "sex": "F", "childbearing": "Y"}),
    ("SCR", "nct06125106_eligibility", "2024-01-10", {"eligible": "Y", "elig_date": "2024-01-10", "sex_cg": "F",
                                                      "age": 33}),
    ("SCR", "mrd", "2024-01-10", {"sample_date": "2024-01-10", "specimen": "MARROW", "result": "QUANT",
                                  "value_pct": "0.5", "status": "POS", "molecular_relapse": "N"}),
    ("SCR", "enrolment", "2024-01-15", {"eligible_confirmed": "Y", "eligible_date": "2024-01-10", "enrolled": "Y",
                                        "enrol_date": "2024-01-15"}),
    ("BLD1", "blinatumomab", "2024-01-20", {"start_date": "2024-01-20", "interruption": "NO"}),
    ("D0", "graft", "2024-02-01", {"infusion_date": "2024-02-01", "transplant_number": 1, "on_study": "Y"}),
    ("D30", "response", "2024-03-02", {"assess_date": "2024-03-02", "evaluable": "Y", "response": "CR"}),
    ("D30", "mrd", "2024-03-02", {"sample_date": "2024-03-02", "specimen": "MARROW", "result": "ND",
                                  "status": "NEG", "molecular_relapse": "N"}),
    ("D45", "agvhd", "2024-03-17", {"assess_date": "2024-03-17", "present": "Y", "overall_grade": "II",
                                    "skin_stage": "3", "onset_date": "2024-03-10"}),
    ("D180", "response", "2024-07-30", {"assess_date": "2024-07-30", "evaluable": "Y", "response": "RELAPSE",
                                        "relapse_date": "2024-07-25"}),
    ("FU", "survival", "2024-11-20", {"status": "ALIVE", "contact_date": "2024-11-20"}),
    ("EOS", "death", "2024-12-03", {"death_date": "2024-11", "death_cause": "RELAPSE"}),
]  # fmt: skip


def entered(nurse: Person, subject: str, *, until: int = len(STORY)) -> None:
    for visit, form, day, given in STORY[:until]:
        nurse.enter(subject, visit, form, page(form, visit, day, **given))


BY_HAND = {
    # endpoint, variant: status, start, date, days, flag
    ("OS", "PRIMARY"): ("1", "2024-02-01", "2024-11-20", 294, "D"),  # the 15th, but alive on the 20th
    ("OS", "ITT"): ("1", "2024-01-15", "2024-11-20", 311, "D"),
    ("PFS", "PRIMARY"): ("1", "2024-02-01", "2024-07-25", 176, ""),
    ("PFS", "ITT"): ("1", "2024-01-15", "2024-07-25", 193, ""),
    ("CIR", "PRIMARY"): ("1", "2024-02-01", "2024-07-25", 176, ""),
    ("NRM", "PRIMARY"): ("2", "2024-02-01", "2024-07-25", 176, ""),
    ("MRDPOS", "PRIMARY"): ("2", "2024-02-01", "2024-07-25", 176, ""),  # positive at screening is history
    ("AG24D100", "PRIMARY"): ("1", "2024-02-01", "2024-03-10", 39, ""),
    ("AG34D100", "PRIMARY"): ("0", "2024-02-01", "2024-05-11", 101, ""),  # seen later, so followed for 100 days
    ("AG34D100", "EVER"): ("2", "2024-02-01", "2024-07-25", 176, ""),
    ("CG1Y", "PRIMARY"): ("2", "2024-02-01", "2024-07-25", 176, ""),
    ("CG1Y", "DEATH_ONLY"): ("2", "2024-02-01", "2024-11-20", 294, "D"),
    ("GRFS", "PRIMARY"): ("1", "2024-02-01", "2024-07-25", 176, ""),
}


def test_from_consent_to_death(world: World) -> None:
    nurse = world.nurse
    subject = nurse.subject()
    statuses = []
    for number, (visit, form, day, given) in enumerate(STORY, start=1):
        nurse.enter(subject, visit, form, page(form, visit, day, **given))
        statuses.append(nurse.get(f"/subjects/{subject}/casebook").json()["status"])
        assert len(statuses) == number
    assert list(dict.fromkeys(statuses)) == ["consented", "eligible", "enrolled", "treated", "transplanted", "dead"]

    told = nurse.get(f"/subjects/{subject}/endpoints").json()["endpoints"]
    for (code, variant), expected in BY_HAND.items():
        found = told[code][variant]
        assert (
            found["status"], found["start"], found["adt"], found["days"],
            found.get("flag", ""),
        ) == expected, (code, variant)  # fmt: skip
    relapse = told["PFS"]["PRIMARY"]["sources"]
    assert relapse == [
        {"form": "response", "visit": "D180", "repeat": 1, "item": "relapse_date", "revision": 1,
         "show": [{"item": "response", "value": "RELAPSE"}, *relapse[0]["show"][1:]]}
    ]  # fmt: skip
    rows = {(row["PARAMCD"], row["VARIANT"]): row for row in export(nurse).rows("endpoints.csv")}
    for (code, variant), (status, start, day, days, flag) in BY_HAND.items():
        row = rows[code, variant]
        assert (row["STATUS"], row["STARTDT"], row["ADT"], row["AVAL"], row["ADTF"]) == (
            status, start, day, str(days), flag,
        ), (code, variant)  # fmt: skip
    rates = {row["RATECD"]: row["ANSWER"] for row in export(nurse).rows("rates.csv")}
    assert (rates["MRDN30"], rates["MRDA30"], rates["MRDN90"], rates["MRDA90"]) == ("Y", "Y", "N", "NA")
    assert world.manager.post("/derive").json() == {"subjects": 1, "deviations": []}
    with world.database.reading() as session:
        assert verify(session, world.database.anchors).ok


def test_the_visits_hang_on_the_dates_that_have_happened(world: World) -> None:
    nurse = world.nurse
    subject = nurse.subject()

    def targets() -> dict[str, str | None]:
        return {each["visit"]: each["target"] for each in nurse.get(f"/subjects/{subject}/casebook").json()["visits"]}

    entered(nurse, subject, until=5)
    assert (targets()["SCR"], targets()["BLD8"], targets()["D30"]) == ("2024-01-15", None, None)
    entered_ = STORY[5:7]
    for visit, form, day, given in entered_:
        nurse.enter(subject, visit, form, page(form, visit, day, **given))
    assert (targets()["BLD8"], targets()["D30"], targets()["D100"]) == ("2024-01-27", "2024-03-02", "2024-05-11")


def test_another_consent_and_its_withdrawal_move_the_status(world: World) -> None:
    nurse = world.nurse
    subject = nurse.subject()
    entered(nurse, subject, until=7)
    again = {"reconsent_date": "2024-02-20", "reconsent_reason": "AMENDMENT", "agreed": "Y", "consent_version": "3.0",
             "signed_by": "SUBJECT"}  # fmt: skip
    nurse.enter(subject, "LOG", "reconsent", page("reconsent", "LOG", "2024-02-20", **again))
    later = again | {"reconsent_date": "2024-04-20", "consent_version": "4.0"}
    second = page("reconsent", "LOG", "2024-04-20", **later)
    nurse.enter(subject, "LOG", "reconsent.2", second)
    book = nurse.get(f"/subjects/{subject}/casebook").json()
    assert book["status"] == "transplanted"
    assert [each["answers"]["consent_version"] for each in book["pages"] if each["form"].startswith("reconsent")] == [
        "3.0", "4.0",
    ]  # fmt: skip
    assert next(each for each in book["pages"] if each["form"] == "consent")["answers"]["consent_version"] == "2.0"
    withdrawn = {"withdrawal_date": "2024-05-01", "withdrawn_from": ["SAMPLES"]}
    nurse.enter(subject, "EOS", "withdrawal", page("withdrawal", "EOS", "2024-05-01", **withdrawn))
    assert nurse.get(f"/subjects/{subject}/casebook").json()["status"] == "transplanted"
    codes = [code.code for code in TREE.forms["withdrawal", 1].item("withdrawn_from").codes]
    whole = page("withdrawal", "EOS", "2024-05-01", **withdrawn | {"withdrawn_from": codes})
    nurse.enter(subject, "EOS", "withdrawal", whole, revision=1, reason="From everything, as the letter says")
    assert nurse.get(f"/subjects/{subject}/casebook").json()["status"] == "withdrawn"
    with world.database.reading() as session:
        assert verify(session, world.database.anchors).ok
