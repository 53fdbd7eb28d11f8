"""What others read from pages that stay under an older version of their form: never a number in another unit."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.derivations.readings import read_pages
from app.forms.definition import Form
from app.study.check import read_tree
from app.study.definition import Study
from app.study.library import Build
from app.subjects.facts import Page, Place
from tests.rules_trial import RULES
from tests.trial import FORMS, Trial, publish

ALT = 'type = "decimal"\nunit = "U/L"\nunits = { "ukat/L" = "60" }\n'
KATAL = 'type = "decimal"\nunit = "ukat/L"\nunits = { "U/L" = "0.0166667" }\n'
KATAL_ALONE = 'type = "decimal"\nunit = "ukat/L"\n'
UNITS_ALONE = 'type = "decimal"\nunit = "U/L"\n'
LATER = """
[[fact]]
name = "alt_high"
form = "labs"
item = "sample_date"
pick = "any"
when = "alt > 10"

[[milestone]]
name = "hepatic"
label = { en = "Liver", zh = "肝" }
[[milestone.from]]
form = "labs"
date = "sample_date"
when = "alt > 10"

[[endpoint]]
code = "LIVER"
label = { en = "Liver", zh = "肝" }
origin = "hsct"
outcomes = [{ event = "hepatic" }]
censor = ["hsct"]

[[check]]
id = "liver"
form = "labs"
item = "alt"
when = "alt > 10"
message = { en = "ALT is high", zh = "谷丙转氨酶高" }
remedy = { en = "Compare with the report", zh = "请与报告核对" }
fires = [{ answers = { alt = "11" } }]
passes = [{ answers = { alt = "10" } }]

[[visit]]
code = "LIVER"
label = { en = "Liver", zh = "肝" }
when = "subject.alt_high || subject.alt_baseline > 10"
forms = ["graft"]
"""

DUE = """forms = ["visit", "labs"]
optional = ["agvhd", "response"]
due = [{ form = "agvhd", when = "here.labs_alt > 10" }, { form = "response", when = "here.labs_alt > 0.9" }]
"""

SEEN = """[[section.item]]
id = "alt_seen"
label = { en = "ALT before the graft", zh = "移植前谷丙转氨酶" }
type = "computed"
result = "decimal"
formula = "subject.alt_baseline"

"""

Amend = Callable[..., None]


@pytest.fixture
def amend(rules_trial: Trial, tmp_path: Path) -> Amend:
    """Release a second version of the trial, in which ALT is counted so, and put it in force."""

    def amended(counted: str, *, more: str = "", due: str = "") -> None:
        tree = tmp_path / "amended"
        shutil.copytree(RULES, tree)
        labs = (tree / "library/labs/v11.toml").read_text().replace("version = 11", "version = 12")
        labs = labs.replace(ALT, counted, 1)
        if counted.startswith(KATAL_ALONE):
            for name, text in (("value", "alt"), ("baseline", "subject.alt_baseline")):
                labs = labs.replace(f'{name} = "{text}"\n', f'{name} = "{text} * 60.0"\n')
        (tree / "library/labs/v12.toml").write_text(labs)
        study = (tree / "studies/RULES/v1.toml").read_text().replace("version = 1\n", "version = 2\n", 1)
        study = study.replace("labs = 11", "labs = 12")
        if due:
            study = study.replace('forms = ["visit", "labs", "response", "agvhd"]\n', due, 1)
        (tree / "studies/RULES/v2.toml").write_text(study + more)
        publish(rules_trial.database, tree)
        in_force(rules_trial, 2)

    return amended


def in_force(trial: Trial, version: int) -> None:
    said = {"version": version, "approved_on": "2024-01-01", "reason": "Amendment"}
    put = trial.builder.call("PUT", "/api/v1/studies/RULES/sites/HZ01/version", json=said)
    assert put.status_code == 204, put.text


def begun(trial: Trial, alt: Any) -> str:
    subject = trial.coordinator.subject("HZ01")
    trial.coordinator.enter(subject, "D0", "graft", {"infusion_date": "2024-03-01"})
    trial.coordinator.enter(subject, "SCR", "labs", {"sample_date": "2024-02-01", "alt": alt, "alt_uln": "50"})
    return subject


def later(trial: Trial, subject: str, alt: str) -> dict[str, Any]:
    """The grade of a page under the second version, and its working."""
    answers = {"sample_date": "2024-03-31", "alt": alt, "alt_uln": "50"}
    told = trial.coordinator.enter(subject, "D30", "labs", answers)
    return {"grade": told["computed"]["alt_grade"], **told["working"]["alt_ctcae"]}


def test_a_baseline_is_brought_to_the_unit_in_force(rules_trial: Trial, amend: Amend) -> None:
    subject = begun(rules_trial, "60")
    amend(KATAL)
    told = later(rules_trial, subject, "4")
    assert float(told["inputs"]["baseline"]) == pytest.approx(60, abs=0.001)
    assert told["grade"] == "2"  # 4 ukat/L are 4 times the baseline
    assert told["facts"] == {"alt_baseline": ["SCR/labs#1"]}
    assert rules_trial.keeper.post("/derive").json()["deviations"] == []
    rules_trial.verified()


def test_a_baseline_collected_in_the_unit_in_force_is_taken_as_it_was_collected(
    rules_trial: Trial, amend: Amend
) -> None:
    subject = begun(rules_trial, {"value": "1.05", "unit": "ukat/L"})
    amend(KATAL_ALONE)
    assert later(rules_trial, subject, "4")["inputs"]["baseline"] == "63.0"


def test_a_unit_that_is_dropped_is_read_by_the_version_that_took_it(rules_trial: Trial, amend: Amend) -> None:
    subject = begun(rules_trial, {"value": "1", "unit": "ukat/L"})
    amend(UNITS_ALONE)
    assert later(rules_trial, subject, "240")["inputs"]["baseline"] == "60"


def test_a_number_in_a_unit_not_taken_any_more_is_missing_and_says_so(rules_trial: Trial, amend: Amend) -> None:
    subject = begun(rules_trial, "60")
    before = rules_trial.coordinator.enter(
        subject, "UNS", "labs", {"sample_date": "2024-03-20", "alt": "170", "alt_uln": "50"}
    )
    amend(KATAL_ALONE)
    told = later(rules_trial, subject, "4")
    assert "baseline" not in told["inputs"]
    assert "UNIT_NOT_TAKEN" in told["flags"]
    assert told["facts"] == {"alt_baseline": ["SCR/labs#1"]}
    kept = rules_trial.coordinator.get(f"/subjects/{subject}/visits/UNS/forms/labs").json()
    assert (kept["computed"], kept["working"]) == (before["computed"], before["working"])
    assert kept["working"]["alt_ctcae"]["inputs"]["baseline"] == "60"


def test_conditions_of_the_study_count_in_the_units_in_force(rules_trial: Trial, amend: Amend) -> None:
    subject = begun(rules_trial, "60")
    rules_trial.coordinator.enter(subject, "D30", "labs", {"sample_date": "2024-03-31", "alt": "60", "alt_uln": "50"})
    amend(
        KATAL,
        more=LATER,
        due=DUE,
    )
    assert rules_trial.coordinator.endpoint(subject, "LIVER")["status"] == "0"
    casebook = rules_trial.coordinator.get(f"/subjects/{subject}/casebook").json()
    visits = {each["visit"]: {form["form"]: form["due"] for form in each["forms"]} for each in casebook["visits"]}
    assert "LIVER" not in visits
    assert (visits["D30"]["agvhd"], visits["D30"]["response"]) == (False, True)
    found = rules_trial.coordinator.get("/findings", params={"subject": subject}).json()["items"]
    assert [each["rule"] for each in found if each["rule"] == "check:liver"] == []
    rules_trial.coordinator.enter(subject, "UNS", "labs", {"sample_date": "2024-04-05", "alt": "11"})
    assert rules_trial.coordinator.endpoint(subject, "LIVER")["adt"] == "2024-04-05"


def test_a_page_that_stays_knows_facts_of_other_forms_as_its_study_counted_them(
    rules_trial: Trial, tmp_path: Path
) -> None:
    tree = tmp_path / "amended"
    shutil.copytree(RULES, tree)
    study = (tree / "studies/RULES/v1.toml").read_text()
    response = (tree / "library/response/v11.toml").read_text()
    seen = response.replace('[[section.item]]\nid = "anc"', SEEN + '[[section.item]]\nid = "anc"', 1)
    labs = (tree / "library/labs/v11.toml").read_text().replace("version = 11", "version = 12").replace(ALT, KATAL, 1)
    (tree / "library/labs/v12.toml").write_text(labs)
    for version in (2, 3):
        number = 10 + version
        text = study.replace("version = 1\n", f"version = {version}\n", 1)
        text = text.replace("response = 11", f"response = {number}").replace("labs = 11", f"labs = {version + 9}")
        (tree / f"studies/RULES/v{version}.toml").write_text(text)
        text = seen.replace("version = 11", f"version = {number}", 1)
        (tree / f"library/response/v{number}.toml").write_text(text)
    publish(rules_trial.database, tree)
    subject = begun(rules_trial, "60")
    in_force(rules_trial, 2)
    page = {"assess_date": "2024-03-31"}
    before = rules_trial.coordinator.enter(subject, "D30", "response", page)["computed"]
    assert before["alt_seen"] == "60"
    in_force(rules_trial, 3)
    kept = rules_trial.coordinator.get(f"/subjects/{subject}/visits/D30/forms/response").json()
    assert kept["computed"] == before
    assert rules_trial.coordinator.enter(subject, "UNS", "response", page)["computed"]["alt_seen"] == "1.000002"
    assert rules_trial.keeper.post("/derive").json()["deviations"] == []


def corrected(trial: Trial, subject: str, alt: str) -> Any:
    """A correction of the first page by a file that names no unit."""
    body = f"subject,visit,sample_date,alt,alt_uln,revision\n{subject},SCR,2024-02-01,{alt},50,1\n".encode()
    return trial.keeper.call(
        "POST", "/imports/labs", content=body, headers={"Content-Type": "text/csv"}, params={"reason": "Misread"}
    )


def test_an_imported_number_is_in_the_unit_in_force_whatever_the_page_is_kept_in(
    rules_trial: Trial, amend: Amend
) -> None:
    subject = begun(rules_trial, "60")
    amend(KATAL)
    told = corrected(rules_trial, subject, "1.05")
    assert told.status_code == 201, told.text
    page = rules_trial.coordinator.get(f"/subjects/{subject}/visits/SCR/forms/labs").json()
    assert page["answers"]["alt"] == {"value": "1.05", "unit": "ukat/L"}


def test_an_imported_number_in_a_unit_that_the_page_does_not_take_is_refused(rules_trial: Trial, amend: Amend) -> None:
    subject = begun(rules_trial, "60")
    amend(UNITS_ALONE.replace("U/L", "nkat/L"))
    told = corrected(rules_trial, subject, "1050")
    assert told.status_code == 422, told.text
    assert [each["pointer"] for each in told.json()["errors"]] == ["/lines/2/alt"]


def test_a_unit_more_leaves_the_checks_of_pages_that_stay_and_another_unit_leaves_what_they_found(
    rules_trial: Trial, amend: Amend, tmp_path: Path
) -> None:
    subject = begun(rules_trial, "60")
    amend(ALT.replace('"60" }', '"60", "nkat/L" = "0.06" }'), more=LATER)
    asked = [found["finding"] for found in liver(rules_trial, subject)]
    assert len(asked) == 1, "the page stays under the version without the unit"
    tree = tmp_path / "amended"
    labs = (tree / "library/labs/v11.toml").read_text().replace("version = 11", "version = 13").replace(ALT, KATAL, 1)
    (tree / "library/labs/v13.toml").write_text(labs)
    study = (tree / "studies/RULES/v2.toml").read_text().replace("version = 2\n", "version = 3\n", 1)
    (tree / "studies/RULES/v3.toml").write_text(study.replace("labs = 12", "labs = 13"))
    publish(rules_trial.database, tree)
    in_force(rules_trial, 3)
    assert [found["finding"] for found in liver(rules_trial, subject)] == asked
    assert rules_trial.keeper.post("/derive").json()["deviations"] == []


def liver(trial: Trial, subject: str) -> list[Any]:
    found = trial.coordinator.get("/findings", params={"subject": subject}).json()["items"]
    return [each for each in found if each["rule"] == "check:liver"]


def test_what_was_computed_on_a_page_that_stays_is_told_to_others_in_their_unit() -> None:
    """A formula in kg/m2 under the first version, in g/m2 under the second."""
    first, second = measured(1, unit="kg/m2"), measured(2, unit="g/m2", units={"kg/m2": "1000"})
    pages = [page(1, day=1), page(1, day=2), page(2, day=3)]
    fact = {"name": "double_before", "form": "measured", "item": "double", "pick": "previous"}
    tree = read_tree(FORMS)
    trial = next(each for each in tree.studies if each.study == "TRIAL")
    content = trial.canonical() | {"fact": [fact], "forms": trial.canonical()["forms"] | {"measured": 2}}
    forms = {name: tree.forms[name, number] for name, number in trial.forms.items()} | {"measured": second}
    build = Build(Study.of(content), forms, {("measured", number): {"measured": number} for number in (1, 2)})
    readings = read_pages(build, lambda _, number: {1: first, 2: second}[number], pages)
    seen = [readings.by_place[each.place].judged.computed.get("seen") for each in pages]
    assert [None if each is None else Decimal(each) for each in seen] == [None, Decimal(2), Decimal(4000)]


def measured(version: int, **how: Any) -> Form:
    words = {"en": "A", "zh": "甲"}
    computed = {"label": words, "type": "computed", "result": "decimal"}
    items = [
        {"id": "day", "label": words, "type": "date"},
        {"id": "weight", "label": words, "type": "decimal"},
        {"id": "double", **computed, "formula": "weight * 2.0", **how},
        {"id": "seen", **computed, "formula": "subject.double_before"},
    ]
    sections = [{"id": "all", "title": words, "item": items}]
    form = {"form": "measured", "version": version, "title": words, "domain": "VS", "dated": "day"}
    return Form.of(form | {"section": sections})


def page(version: int, *, day: int) -> Page:
    answers = {"day": f"2024-01-0{day}", "weight": str(day)}
    place = Place("UNS", day, "measured", 1)
    return Page("S", uuid4(), place, version, version, 1, "complete", answers, datetime(2024, 1, day, tzinfo=UTC))
