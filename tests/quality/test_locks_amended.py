"""Locks upon pages that are brought to another study version, or back from being void."""

from pathlib import Path

from tests.stories.second import PLAN, second
from tests.trial import Trial, publish

WHY = {"reason": "Data are clean"}


def test_a_lock_outlives_the_item_that_it_is_on_and_is_opened(trial: Trial, tmp_path: Path) -> None:
    """An item that is empty and locked keeps no plan from renaming it."""
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97.5"})
    item = {"subject": subject, "visit": "SCR", "form": "labs", "item": "transfused"}
    assert trial.manager.post("/locks", item | {"action": "lock"} | WHY).status_code == 200
    publish(trial.database, second(tmp_path / "forms"))
    body = {"plan": PLAN.read_text(encoding="utf-8"), "approved_on": "2024-03-01"}
    key = trial.builder.post("/sites/HZ01/migrations", body).json()["migration_id"]
    assert trial.manager.post(f"/migrations/{key}/run", WHY).status_code == 200
    assert trial.manager.post("/locks/ask", item | WHY).status_code == 200
    assert trial.manager2.post("/locks/grant", item | WHY).json()["state"] == "open"
    never = item | {"item": "dose", "action": "lock"} | WHY
    assert trial.manager.post("/locks", never).status_code == 404
    trial.verified()


def test_a_void_page_is_not_brought_back_over_an_item_that_was_locked_meanwhile(trial: Trial) -> None:
    subject = trial.nurse.subject()
    labs = {"sample_date": "2024-01-09", "hb": "97.5"}
    trial.nurse.enter(subject, "SCR", "labs", labs)
    page = f"/subjects/{subject}/visits/SCR/forms/labs"
    assert trial.nurse.post(page + "/void", WHY, headers={"If-Match": '"1"'}).status_code == 200
    item = {"subject": subject, "visit": "SCR", "form": "labs", "item": "hb"}
    assert trial.manager.post("/locks", item | {"action": "freeze"} | WHY).status_code == 200
    back = trial.nurse.save(subject, "SCR", "labs", labs, revision=2, reason="It was right")
    assert (back.status_code, back.json()["locked"]["item"]) == (409, "hb")
    assert trial.manager.post("/locks", item | {"action": "unfreeze"} | WHY).status_code == 200
    trial.nurse.enter(subject, "SCR", "labs", labs, revision=2, reason="It was right")
    trial.verified()
