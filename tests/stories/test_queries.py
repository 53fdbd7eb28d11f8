"""A month of questions at one site: from the first save to a clean page, and all of it in the trail and the export."""

from typing import Any

from tests.exchange.unzipped import export
from tests.quality.asking import LABS, asks, does, listed, thread
from tests.trial import Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}


def counted(trial: Trial, who: str = "manager") -> dict[str, Any]:
    return dict(trial.cast[who].get("/queries/counts").json()["state"])


def test_a_page_becomes_clean(trial: Trial) -> None:
    # the coordinator enters a page with two values that look wrong, a third comes by import
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    first = trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "21", "transfused": "N", "units_given": 2})
    assert {(each["item"], each["rule"]) for each in first["queries"]} == {
        ("hb", "soft_min"),
        ("units_given", "left_behind"),
    }
    lines = f"subject,sample_date,hb\n{subject},2024-02-09,231\n".encode()
    sent = trial.nurse.call("POST", "/imports/labs?visit=D30", content=lines, headers={"Content-Type": "text/csv"})
    assert sent.status_code == 201
    assert counted(trial) == {"open": 3}
    asked = {(each["visit"], each["item"]): each["query"] for each in listed(trial.nurse)}

    # at the visit the monitor asks about what no rule can know
    source = asks(trial.monitor, subject, item="sample_date", text="The laboratory sheet says 10 January.")["query"]
    does(trial.monitor, "assign", source, None, assignee="nurse")
    assert [each["query"] for each in listed(trial.nurse, assignee="me", state="open")] == [source]

    # the coordinator corrects one value, the investigator stands by another, and one is answered in words
    page = LABS | {"sample_date": "2024-01-10", "hb": "21", "transfused": "Y", "units_given": 2}
    trial.nurse.enter(subject, "SCR", "labs", page, revision=1, reason="Laboratory sheet")
    assert thread(trial.nurse, asked["SCR", "units_given"])["state"] == "closed"
    does(trial.doctor, "confirm", asked["SCR", "hb"], "Bleeding on admission, transfused")
    does(trial.nurse, "answer", source, "Corrected to 10 January.")
    assert counted(trial) == {"answered": 2, "closed": 1, "open": 1}

    # the data manager is not yet content with the imported value, then it is corrected
    high = asked["D30", "hb"]
    does(trial.nurse, "answer", high, "As in the file")
    does(trial.manager, "reopen", high, "g/L or g/dL?")
    corrected = LABS | {"sample_date": "2024-02-09", "hb": {"value": "13.1", "unit": "g/dL"}}
    trial.nurse.enter(subject, "D30", "labs", corrected, revision=1, reason="Unit")
    assert thread(trial.manager, high)["state"] == "reopened"
    does(trial.nurse, "answer", high, "g/dL it was, corrected")
    for query in (high, source, asked["SCR", "hb"]):
        does(trial.monitor, "close", query, None)
    assert counted(trial) == counted(trial, "sponsor") == {"closed": 4}

    # the page is clean, a later save of the confirmed value asks nothing, and the trail holds
    book = trial.nurse.get(f"/subjects/{subject}/casebook").json()
    assert [each["queries"] for each in book["pages"]] == [[], [], []]
    trial.nurse.enter(subject, "SCR", "labs", page | {"anc": "1.5"}, revision=2, reason="Forgotten")
    assert counted(trial) == {"closed": 4}
    said = export(trial.manager).rows("query_messages.csv")
    assert [row["ACTION"] for row in said if row["QUERY_ID"] == high] == [
        "raise", "answer", "reopen", "settle", "answer", "close",
    ]  # fmt: skip
    assert trial.manager.post("/derive").json()["deviations"] == []
    trial.verified()
