"""The small trial with subjects of its first version, and how a study is brought under the second."""

from pathlib import Path
from typing import Any

from tests.stories.second import PLAN, second
from tests.trial import Person, Trial, publish

SOUND = PLAN.read_text(encoding="utf-8")
LABS = {"sample_date": "2024-01-09", "hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1.20", "transfused": "Y",
        "units_given": 2, "drugs": [{"drug": "X", "dose": "5"}, {"drug": "Y"}]}  # fmt: skip
APPROVED = {"approved_on": "2024-03-01"}
WHY = {"reason": "Amendment 1 approved"}


def begun(trial: Trial, folder: Path) -> Trial:
    """Two subjects at one site and one at the other under version 1; version 2 is released."""
    nurse = trial.nurse
    for number in ("A", "B"):
        nurse.subject(number=number)
        nurse.enter(
            number, "SCR", "consent", {"consent_date": "2024-01-02", "enrol_date": "2024-01-05", "note": "Seen"}
        )
        nurse.enter(number, "SCR", "arm", {"rand_date": "2024-01-06", "arm_code": "A"})
    nurse.enter("A", "SCR", "labs", LABS)
    nurse.enter("A", "UNS.2", "labs", {"sample_date": "2024-01-20", "hb": {"missing": "unknown"}}, complete=False)
    nurse.enter("A", "D30", "response", {"assess_date": "2024-02-04", "response": "CR"})
    nurse.enter("A", "UNS", "response", {"assess_date": "2024-05-04", "response": "RELAPSE"})
    nurse.enter("A", "LOG", "ae", {"term": "Rash", "start": {"missing": "unknown"}, "signs": ["F", "R"]})
    nurse.enter("B", "LOG", "ae", {"term": "Wrong", "signs": ["R"]})
    void = nurse.post("/subjects/B/visits/LOG/forms/ae/void", WHY, headers={"If-Match": '"1"'})
    assert void.status_code == 200
    trial.nurse2.subject("HZ02", number="C")
    trial.nurse2.enter("C", "SCR", "labs", LABS)
    publish(trial.database, second(folder / "forms"))
    return trial


def casebook(person: Person, subject: str) -> dict[str, dict[str, Any]]:
    """Each page of a subject by its address."""
    found = person.get(f"/subjects/{subject}/casebook")
    assert found.status_code == 200, found.text
    return {f"{page['visit']} {page['form']}": page for page in found.json()["pages"]}


def planned(trial: Trial, site: str = "HZ01", text: str = SOUND, **more: Any) -> str:
    made = trial.builder.post(f"/sites/{site}/migrations", {"plan": text} | APPROVED | more)
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "planned"
    return str(made.json()["migration_id"])


def run(trial: Trial, site: str = "HZ01", text: str = SOUND) -> str:
    key = planned(trial, site, text)
    done = trial.manager.post(f"/migrations/{key}/run", WHY)
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "run"
    return key


def site_version(trial: Trial, site: str = "HZ01") -> int:
    sites = trial.builder.get("/api/v1/studies/TRIAL").json()["sites"]
    return int(next(each["version"] for each in sites if each["site_id"] == site))


def answers(pages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: (page["form_version"], page["status"], page["answers"]) for name, page in pages.items()}
