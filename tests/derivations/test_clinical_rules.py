"""Published rules over HTTP, as a frontend asks them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.derivations.clinical.ask import calculate
from tests.trial import Trial

RULES, JSON = "/api/v1/clinical", "application/json"


def test_every_rule_is_listed_with_version_and_source(trial: Trial) -> None:
    listed = trial.nurse.get(RULES).json()["items"]
    assert {"ctcae_labs", "crs_astct"} <= {each["rule"] for each in listed}
    assert all(each["version"] and each["sources"] for each in listed)
    for each in listed:
        whole = trial.nurse.get(f"{RULES}/{each['rule']}").json()
        assert whole["inputs"]
        assert whole["results"]


def test_a_case_is_computed_with_its_working(trial: Trial) -> None:
    inputs = {"version": "5.0", "term": "ALT", "value": "190", "unit": "U/L", "uln": 40}
    told = trial.nurse.post(f"{RULES}/ctcae_labs", {"inputs": inputs}).json()
    assert (told["rule"], told["value"]) == ("ctcae_labs", "2")
    assert told["used"]["value"] == "190"


def test_what_is_missing_is_never_normal(trial: Trial) -> None:
    inputs = {"version": "5.0", "term": "ALT", "value": "190", "unit": "U/L"}
    told = trial.nurse.post(f"{RULES}/ctcae_labs", {"inputs": inputs}).json()
    assert told["value"] == "NE"
    assert told["flags"]


def test_an_input_that_cannot_be_read_is_named_and_not_repeated(trial: Trial) -> None:
    inputs = {"version": "5.0", "term": "ALT", "value": "canary 7f3a", "unit": "U/L", "uln": "40"}
    refused = trial.nurse.post(f"{RULES}/ctcae_labs", {"inputs": inputs})
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [("/inputs/value", "rule-input")]
    assert "canary 7f3a" not in refused.text
    assert trial.nurse.post(f"{RULES}/ctcae_labs", {"inputs": {"nonsense": 1}}).status_code == 422
    assert trial.nurse.post(f"{RULES}/nonsense", {"inputs": {}}).status_code == 404
    assert trial.client.get(RULES).status_code == 401


@pytest.mark.parametrize("odd", [[1], {"a": 1}, [], {}, True, 1e400])
def test_a_list_or_an_object_is_no_input(trial: Trial, odd: Any) -> None:
    body = json.dumps({"inputs": {"organ": "skin", "inputs": "bsa=5", "bsa": odd}}).encode()
    refused = trial.nurse.call("POST", f"{RULES}/nih_cgvhd_organ", content=body, headers={"Content-Type": JSON})
    assert refused.status_code == 422
    twice = trial.nurse.post(f"{RULES}/nih_cgvhd_organ", {"inputs": {"organ": "skin", "inputs": "bsa=5", "bsa": 5}})
    assert [each["pointer"] for each in twice.json()["errors"]] == ["/inputs/bsa"]


def test_a_list_that_a_page_passes_on_is_refused_like_anything_that_cannot_be_read() -> None:
    told = calculate("nih_cgvhd_organ", {"organ": ["skin"], "bsa": Decimal(5)})
    assert (told.value, told.flags) == ("NE", ("REFUSED_ORGAN",))
