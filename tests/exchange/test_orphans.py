"""What a migration retired is exported as it was collected, until the migration is rolled back."""

from pathlib import Path

from tests.exchange.unzipped import export
from tests.stories.second import PLAN, second
from tests.trial import Trial, publish

WHY = {"reason": "Amendment 1 approved"}
NOTED = {"consent_date": "2024-01-02", "note": "Seen"}


def run(trial: Trial, site: str) -> str:
    body = {"plan": PLAN.read_text(encoding="utf-8"), "approved_on": "2024-03-01"}
    key = trial.manager.post(f"/sites/{site}/migrations", body).json()["migration_id"]
    assert trial.manager.post(f"/migrations/{key}/run", WHY).status_code == 200
    return str(key)


def roll_back(trial: Trial, key: str) -> None:
    assert trial.manager.post(f"/migrations/{key}/roll-back", WHY).status_code == 200


def orphans(trial: Trial) -> list[str]:
    return [row["VALUE"] for row in export(trial.manager).rows("orphans.csv")]


def test_retired_answers_have_a_table_of_their_own(trial: Trial, tmp_path: Path) -> None:
    trial.nurse.subject(number="A")
    trial.nurse.enter("A", "SCR", "consent", {"consent_date": "2024-01-02", "note": "=Seen"})
    drugs = [{"drug": "X", "dose": "5.0"}, {"drug": "Y"}, {"drug": "Z", "dose": "7"}]
    trial.nurse.enter("A", "UNS.2", "labs", {"sample_date": "2024-01-09", "hb": "97", "drugs": drugs})
    trial.nurse2.subject("HZ02", number="B")
    trial.nurse2.enter("B", "SCR", "consent", {"consent_date": "2024-01-02", "note": "Elsewhere"})
    publish(trial.database, second(tmp_path / "forms"))
    assert export(trial.manager).rows("orphans.csv") == []
    keys = {site: run(trial, site) for site in ("HZ01", "HZ02")}
    rows = export(trial.manager).rows("orphans.csv")
    names = ("SUBJID", "VISIT", "VISIT_REPEAT", "FORM", "ROW", "ITEM", "VALUE", "UNIT", "FORM_VERSION", "REVISION")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("A", "SCR", "1", "consent", "", "note", "=Seen", "", "1", "1"),
        ("A", "UNS", "2", "labs", "1", "dose", "5.0", "mg", "1", "1"),
        ("A", "UNS", "2", "labs", "3", "dose", "7", "mg", "1", "1"),
        ("B", "SCR", "1", "consent", "", "note", "Elsewhere", "", "1", "1"),
    ]
    assert {row["MIGRATION"] for row in rows} == set(keys.values())
    assert [row["SUBJID"] for row in export(trial.nurse).rows("orphans.csv")] == ["A", "A", "A"]
    roll_back(trial, keys["HZ01"])
    assert [row["SUBJID"] for row in export(trial.manager).rows("orphans.csv")] == ["B"]


def test_a_page_that_was_struck_while_its_site_went_back_keeps_what_was_retired(trial: Trial, tmp_path: Path) -> None:
    """It comes to count again as the second version has it, where nothing else shows the remark."""
    trial.nurse.subject(number="A")
    trial.nurse.enter("A", "SCR", "consent", NOTED)
    publish(trial.database, second(tmp_path / "forms"))
    key = run(trial, "HZ01")
    path = "/subjects/A/visits/SCR/forms/consent/void"
    assert trial.nurse.post(path, WHY, headers={"If-Match": '"2"'}).status_code == 200
    assert orphans(trial) == []
    roll_back(trial, key)
    saved = trial.nurse.enter("A", "SCR", "consent", {"consent_date": "2024-01-02"}, revision=3, **WHY)
    assert saved["form_version"] == 2
    assert orphans(trial) == ["Seen"]


def test_a_page_that_was_taken_back_elsewhere_has_its_answer_once(trial: Trial, tmp_path: Path) -> None:
    """Its subject moves to a site that goes back; the one that the page was migrated at does not."""
    trial.nurse.subject(number="A")
    trial.nurse.enter("A", "SCR", "consent", NOTED)
    publish(trial.database, second(tmp_path / "forms"))
    _, key = run(trial, "HZ01"), run(trial, "HZ02")
    assert trial.manager.post("/subjects/A/transfer", {"site": "HZ02"} | WHY).status_code == 200
    assert orphans(trial) == ["Seen"]
    roll_back(trial, key)
    assert trial.nurse2.get("/subjects/A/visits/SCR/forms/consent").json()["answers"] == NOTED
    assert orphans(trial) == []


def test_what_is_retired_again_is_there_once(trial: Trial, tmp_path: Path) -> None:
    trial.nurse.subject(number="A")
    trial.nurse.enter("A", "SCR", "consent", NOTED)
    publish(trial.database, second(tmp_path / "forms"))
    roll_back(trial, run(trial, "HZ01"))
    trial.nurse.enter("A", "SCR", "consent", NOTED | {"note": "Seen twice"}, revision=3, **WHY)
    run(trial, "HZ01")
    assert orphans(trial) == ["Seen twice"]
