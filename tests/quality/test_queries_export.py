"""Queries in an export: each with its address and state, and every word of the threads."""

from tests.exchange.unzipped import Unzipped, export
from tests.quality.asking import Page, asks, does
from tests.trial import Trial


def test_every_query_and_every_message_is_exported(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21", drugs=[{"row": 1, "drug": "A"}])
    rule = page.query()
    asked = asks(trial.monitor, page.subject, item="dose", row=1, text='=SUM(A1) "quoted",\nand more', assignee="nurse")
    does(trial.nurse, "confirm", rule, "Measured twice")
    does(trial.monitor, "close", rule, None)
    found = export(trial.manager)
    shown = ("SUBJID", "VISIT", "FORM", "ITEM", "ROW", "RULE", "QUERY_ID", "STATE", "ASSIGNEE", "MESSAGES")
    assert [tuple(row[name] for name in shown) for row in found.rows("queries.csv")] == [
        (page.subject, "SCR", "labs", "hb", "", "soft_min", rule, "closed", "", "3"),
        (page.subject, "SCR", "labs", "dose", "1", "", asked["query"], "open", "nurse", "1"),
    ]
    said = [(row["QUERY_ID"], row["NUMBER"], row["ACTION"], row["STATE"], row["NAME"], row["ROLE"], row["TEXT"])
            for row in found.rows("query_messages.csv")]  # fmt: skip
    assert sorted(said) == sorted([
        (rule, "1", "raise", "open", "Marrow", "system", ""),
        (rule, "2", "confirm", "answered", "Nurse of the cast", "coordinator", "Measured twice"),
        (rule, "3", "close", "closed", "Monitor of the cast", "monitor", ""),
        (asked["query"], "1", "open", "open", "Monitor of the cast", "monitor", '=SUM(A1) "quoted",\nand more'),
    ])  # fmt: skip
    assert [row["SEVERITY"] for row in found.rows("findings.csv")] == ["query"]
    assert export(trial.manager).files == found.files


def test_a_data_cut_holds_the_queries_as_they_stood(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    asks(trial.monitor, page.subject, item="anc")
    body = {"name": "interim", "reason": "Interim analysis"}
    assert trial.manager.post("/cuts", body).status_code == 201
    then = export(trial.manager)
    does(trial.nurse, "confirm", page.query(), "Measured twice")
    page.enter("22")
    again = Unzipped.of(trial.manager.get("/cuts/interim/export").content)
    for name in ("findings.csv", "queries.csv", "query_messages.csv"):
        assert again.files[name] == then.files[name], name
        assert again.files[name] != export(trial.manager).files[name], name


def test_the_queries_of_another_site_are_in_no_export(trial: Trial) -> None:
    subject = trial.nurse2.subject("HZ02")
    trial.nurse2.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "21"})
    found = export(trial.nurse)
    assert found.rows("queries.csv") == found.rows("query_messages.csv") == []
    assert len(export(trial.nurse2).rows("query_messages.csv")) == 1
