"""The latest day on which a subject was certainly alive, as an endpoint is censored on it; and which dates prove it."""

import csv
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from app.clinical.endpoints.definition import LAST_ALIVE, Endpoint, Milestone
from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import occurrence, on
from app.clinical.endpoints.result import Status, compile_specs
from app.derivations.conclude import Results, contradictions
from app.study.check import read_tree

HERE = Path(__file__).parent
FORMS = read_tree(HERE.parents[1] / "forms").forms
with (HERE / "vectors" / "last_known_alive.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))

# What nobody needed to be alive for: plans, what a laboratory or an office did with a sample or a page, and death.
PROVES_NOTHING = frozenset(
    {
        "planned", "plan", "scheduled", "next", "due", "expected", "appointment",
        "result", "results", "report", "reported", "received", "analysis",
        "entry", "entered", "query", "queried", "signature", "signed", "verification", "created", "modified",
        "death", "autopsy", "birth",
    }
)  # fmt: skip
ORIGIN = date(2024, 1, 10)
TRIAL = tomllib.loads("""
[[milestone]]
name = "enrol"
label = { en = "Enrolment", zh = "入组" }
from = [{ form = "a", date = "day" }]
[[milestone]]
name = "relapse"
label = { en = "Relapse", zh = "复发" }
from = [{ form = "b", date = "day" }]
[[milestone]]
name = "death"
label = { en = "Death", zh = "死亡" }
once = true
impute = "death"
alive = "last_alive"
from = [{ form = "c", date = "day" }]
[[endpoint]]
code = "TTR"
label = { en = "Time to relapse", zh = "至复发时间" }
origin = "enrol"
outcomes = [{ event = "relapse" }]
censor = ["last_alive"]
[[endpoint]]
code = "OS"
label = { en = "Survival", zh = "生存" }
origin = "enrol"
outcomes = [{ event = "death" }]
censor = ["last_alive"]
""")
ENDPOINTS = [Endpoint(**each) for each in TRIAL["endpoint"]]
MILESTONES = Milestones([Milestone(**each) for each in TRIAL["milestone"]], ENDPOINTS)
SPECS = compile_specs(ENDPOINTS, MILESTONES)


def needs_life(kind: str) -> bool:
    return PROVES_NOTHING.isdisjoint(re.split(r"[^a-z]+", kind.lower()))


def results(records: str, death: str = "", cutoff: str = "") -> Results:
    pairs = [record.split(":") for record in filter(None, records.split("|"))]
    captured = {"enrol": [on(ORIGIN)], LAST_ALIVE: [occurrence(raw) for kind, raw in pairs if needs_life(kind)]}
    captured |= {"death": [occurrence(death)]} if death else {}
    return Results.of(SPECS, History(MILESTONES, captured, date.fromisoformat(cutoff) if cutoff else None))


def alive(records: str, death: str, cutoff: str) -> date | None:
    told = results(records, death, cutoff)[0]
    assert told.status is Status.CENSORED
    return None if told.why == "NO_FOLLOW_UP" else told.adt


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['id']} {row['reason']}")
def test_last_known_alive(row):
    if row["expected"] == "QUERY":
        assert list(contradictions(results(row["records"], row["death"])))
    else:
        expected = date.fromisoformat(row["expected"]) if row["expected"] else None
        assert alive(row["records"], row["death"], row["cutoff"]) == expected
        assert not list(contradictions(results(row["records"], row["death"])))


@pytest.mark.parametrize(
    ("records", "death", "cutoff", "expected"),
    [
        ("visit:2024-05-01|result:2024-07-01|data_entry:2024-08-01|query_opened:2024-09-01", "", "", "2024-05-01"),
        ("visit:2024-05", "", "", "2024-05-01"),
        ("visit:2024-05-01|visit:2024-04-01", "", "2024-05-01", "2024-05-01"),
        ("visit:2024-06-05", "2024-06-05", "", "2024-06-05"),
        ("visit:2024-06-05", "2024-06", "", "2024-06-05"),
        ("visit:2024-05-01", "2024-08-01", "2024-07-01", "2024-07-01"),
        ("", "2024-08-01", "2024-07-01", "2024-07-01"),
        ("visit:2024-05-01", "2024-06-01", "2024-07-01", "2024-05-01"),
        ("planned_visit:2024-07-01|result:2024-07-01", "2024-06-05", "", None),
    ],
)
def test_each_rule(records, death, cutoff, expected):
    assert alive(records, death, cutoff) == (date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(("records", "death"), [("visit:2024-06-06", "2024-06-05"), ("visit:2024-07-01", "2024-06")])
def test_a_proof_of_life_after_death_is_asked_about(records, death):
    assert [each.rule for each in contradictions(results(records, death))] in (
        ["contact-after-death"],
        ["endpoint-undated"],
    )


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: f"{form.form} v{form.version}")
def test_no_date_of_a_plan_an_office_or_a_death_proves_life(form):
    assert [item.id for item in form.items if item.proves_life and not needs_life(item.id)] == []
