"""What a migration retired is exported as it was collected, until the migration is rolled back."""

from pathlib import Path

from tests.exchange.unzipped import export
from tests.stories.second import PLAN, second
from tests.trial import Trial, publish

WHY = {"reason": "Amendment 1 approved"}


def test_retired_answers_have_a_table_of_their_own(trial: Trial, tmp_path: Path) -> None:
    trial.nurse.subject(number="A")
    trial.nurse.enter("A", "SCR", "consent", {"consent_date": "2024-01-02", "note": "=Seen"})
    drugs = [{"drug": "X", "dose": "5.0"}, {"drug": "Y"}, {"drug": "Z", "dose": "7"}]
    trial.nurse.enter("A", "UNS.2", "labs", {"sample_date": "2024-01-09", "hb": "97", "drugs": drugs})
    trial.nurse2.subject("HZ02", number="B")
    trial.nurse2.enter("B", "SCR", "consent", {"consent_date": "2024-01-02", "note": "Elsewhere"})
    publish(trial.database, second(tmp_path / "forms"))
    assert export(trial.manager).rows("orphans.csv") == []
    keys = {}
    for site in ("HZ01", "HZ02"):
        body = {"plan": PLAN.read_text(encoding="utf-8"), "approved_on": "2024-03-01"}
        keys[site] = trial.manager.post(f"/sites/{site}/migrations", body).json()["migration_id"]
        assert trial.manager.post(f"/migrations/{keys[site]}/run", WHY).status_code == 200
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
    assert trial.manager.post(f"/migrations/{keys['HZ01']}/roll-back", WHY).status_code == 200
    assert [row["SUBJID"] for row in export(trial.manager).rows("orphans.csv")] == ["B"]
