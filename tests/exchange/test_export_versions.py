"""Columns that stay when a form gets its next version, and pages that stay what they were."""

from pathlib import Path

import pytest

from tests.exchange.unzipped import Unzipped, export
from tests.stories.amendment import amended
from tests.trial import Trial, publish

PAGE = {"sample_date": "2024-01-09"}


@pytest.fixture
def two(trial: Trial, tmp_path: Path) -> tuple[Trial, str]:
    """Pages of one subject under version 1, then version 2 in force, and pages under that."""
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", PAGE | {"hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1.2"})
    trial.nurse.enter(subject, "UNS", "labs", PAGE | {"hb": {"missing": "unknown"}})
    trial.nurse.enter(subject, "LOG", "ae", {"term": "Fever", "start": {"missing": "unknown"}, "signs": ["F", "R"]})
    publish(trial.database, amended(tmp_path / "forms"))
    changed = trial.builder.call(
        "PUT", "/sites/HZ01/version", json={"version": 2, "approved_on": "2024-03-01", "reason": "Approved 2024-03-01"}
    )
    assert changed.status_code == 204, changed.text
    trial.nurse.enter(subject, "UNS.2", "labs", PAGE | {"hb": "110", "plt": 150})
    trial.nurse.enter(subject, "LOG", "ae.2", {"term": "Fever", "signs": ["F", "H"]})
    return trial, subject


def test_columns_are_those_of_every_version_the_newest_first(two: tuple[Trial, str]) -> None:
    found = export(two[0].nurse)
    header = found.cells("forms/labs.csv")[0]
    assert header[header.index("SAVED_AT") + 1 :] == [
        "sample_date", "hb", "hb_unit", "hb_std", "hb_missing", "transfused", "units_given", "plt", "plt_missing",
        "hb_double", "anc",
    ]  # fmt: skip
    assert "start_missing" in found.cells("forms/ae.csv")[0]


def test_each_page_is_told_as_its_own_version_says(two: tuple[Trial, str]) -> None:
    found = export(two[0].nurse)
    labs = found.rows("forms/labs.csv")
    names = ("FORM_VERSION", "STUDY_VERSION", "hb", "hb_unit", "hb_std", "hb_missing", "anc", "plt", "hb_double")
    assert [[row[name] for name in names] for row in labs] == [
        ["1", "1", "9.7", "g/dL", "97.0", "", "1.2", "", "194.0"],
        ["1", "1", "", "", "", "unknown", "", "", ""],
        ["2", "2", "110", "g/L", "110", "", "", "150", "330.0"],
    ]
    events = found.rows("forms/ae.csv")
    assert [(row["FORM_VERSION"], row["signs"], row["signs_label"], row["start_missing"]) for row in events] == [
        ("1", "F|R", "Fever|Rash", "unknown"),
        ("2", "F|H", "Fever above 38.5|Headache", ""),
    ]


def test_the_codebook_names_the_versions_and_all_codes(two: tuple[Trial, str]) -> None:
    book = {(row["FILE"], row["COLUMN"]): row for row in export(two[0].nurse).rows("codebook.csv")}
    assert book["forms/labs.csv", "anc"]["FORM_VERSIONS"] == "1"
    assert book["forms/labs.csv", "hb"]["FORM_VERSIONS"] == "1|2"
    assert book["forms/labs.csv", "plt"]["FORM_VERSIONS"] == "2"
    assert book["forms/ae.csv", "signs"]["CODES"] == "F=Fever above 38.5|H=Headache|R=Rash"
    assert book["forms/ae.csv", "start_missing"]["CODES"] == "unknown=unknown"


def test_a_new_version_adds_columns_and_moves_no_value(trial: Trial, tmp_path: Path) -> None:
    """Publishing alone, before any page is entered under it."""
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", PAGE | {"hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1.2"})
    trial.nurse.enter(subject, "LOG", "ae", {"term": "Fever", "signs": ["F", "R"]})
    before = export(trial.nurse)
    publish(trial.database, amended(tmp_path / "forms"))
    after = export(trial.nurse)
    for name in ("forms/labs.csv", "forms/ae.csv"):
        for old, new in zip(before.rows(name), after.rows(name), strict=True):
            assert {column: new[column] for column in old} == old
    assert values(after, "plt") == [""]
    assert [each["version"] for each in after.manifest["study_versions"]] == [1, 2]
    assert after.manifest["chain"]["seq"] == before.manifest["chain"]["seq"] + 1


def values(found: Unzipped, column: str) -> list[str]:
    return [row[column] for row in found.rows("forms/labs.csv")]
