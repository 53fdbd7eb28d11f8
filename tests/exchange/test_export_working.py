"""What a statistician reads of a computed value: the rule, its version, its source, and what it rests on."""

from tests.exchange.unzipped import Unzipped
from tests.trial import Trial


def test_each_computed_value_names_its_rule_version_source_inputs_and_pages(rules_trial: Trial):
    subject = rules_trial.coordinator.subject()
    whole = {"assess_date": "2024-03-01", "bm": "20", "anc": "1.5", "plt": "120", "marrow": "ADEQUATE"}
    rules_trial.coordinator.enter(subject, "SCR", "response", {"assess_date": "2024-01-01", "bm": "60"})
    rules_trial.coordinator.enter(subject, "D30", "response", whole)
    rows = [{"bsa": "60", "bili": "10", "volume": "100"}, {"bsa": "0", "bili": "10"}]
    rules_trial.coordinator.enter(subject, "D30", "agvhd", {"assess_date": "2024-03-01", "organ": rows})
    found = Unzipped.of(rules_trial.reader.get("/export").content)
    told = {(each["VISIT"], each["FORM"], each["ROW"], each["ITEM"]): each for each in found.rows("computed.csv")}
    response = told["D30", "response", "", "response_computed"]
    assert (response["VALUE"], response["RULE"], response["RULE_VERSION"]) == ("PR", "response", "1")
    assert response["RESULT"] == "value"
    assert response["RULE_SOURCE"]
    assert "bm=20" in response["INPUTS"].split("|")
    assert "baseline_bm=SCR/response#1" in response["PAGES"].split("|")
    assert told["D30", "response", "", "responder"]["RESULT"] == "responder"
    unknown = told["D30", "agvhd", "2", "grade"]
    assert (unknown["VALUE"], unknown["FLOOR"], told["D30", "agvhd", "1", "skin"]["VALUE"]) == ("NE", "0", "3")
    book = {(each["FILE"], each["COLUMN"]): each for each in found.rows("codebook.csv")}
    assert book["forms/response.csv", "response_computed"]["RULE"] == "response"


def test_another_sites_working_is_out_of_sight(rules_trial: Trial):
    whole = {"assess_date": "2024-03-01", "bm": "20"}
    there = rules_trial.coordinator.subject(site="HZ01")
    here = rules_trial.local.subject(site="HZ02")
    rules_trial.coordinator.enter(there, "SCR", "response", whole)
    rules_trial.local.enter(here, "SCR", "response", whole)
    seen = {each["SUBJID"] for each in Unzipped.of(rules_trial.local.get("/export").content).rows("computed.csv")}
    everything = Unzipped.of(rules_trial.reader.get("/export").content).rows("computed.csv")
    assert seen == {here}
    assert {each["SUBJID"] for each in everything} == {here, there}
