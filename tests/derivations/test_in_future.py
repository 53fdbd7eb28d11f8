"""A day that had not come when its page was saved: asked about on that page, whatever the clock of the server says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from app.derivations.readings import Reading, read_pages
from app.forms.definition import Phase
from app.subjects.facts import Page, Place
from tests.demo.build import builds

TRIAL = builds()["NCT06125106"]
COUNTS = {"2024-02-20": "0.3", "2024-02-21": "0.7", "2024-02-22": "0.8", "2024-02-23": "0.9"}


def saved(form: str, at: str, answers: Mapping[str, Any], repeat: int = 1) -> Page:
    version, moment = TRIAL.study.forms[form], datetime.fromisoformat(at)
    return Page("X", uuid4(), Place("V", 1, form, repeat), version, 2, 1, "complete", answers, moment)


def readings(*pages: Page) -> dict[str, Reading]:
    read = read_pages(TRIAL, lambda form, _: TRIAL.forms[form], pages, remember=False)
    return {place.form: reading for place, reading in read.by_place.items()}


def ahead(reading: Reading) -> list[tuple[str, int | None]]:
    return [(each.item, each.row) for each in reading.questions(Phase.ENTRY) if each.rule == "in_future"]


def test_a_day_that_is_worked_out_from_later_pages_is_none_that_somebody_has_entered() -> None:
    graft = saved("graft", "2024-02-10T09:00Z", {"infusion_date": "2024-02-10", "on_study": "Y"})
    asked = {"assess_date": "2024-02-15", "neutrophil_status": "NOT_YET"}
    engraftment = saved("engraftment", "2024-02-15T09:00Z", asked)
    counts = [
        saved("haematology", f"{day}T12:00Z", {"sample_date": day, "anc": anc}, repeat)
        for repeat, (day, anc) in enumerate(COUNTS.items(), start=1)
    ]
    found = readings(graft, engraftment, *counts)["engraftment"]
    assert found.judged.computed["anc_computed"] == "2024-02-21"
    assert "anc_engraft" in dict(found.occurrences)
    assert ahead(found) == []
    wrong = saved(
        "engraftment", "2024-02-15T09:00Z", asked | {"neutrophil_status": "YES", "neutrophil_date": "2024-03"}
    )
    assert ahead(readings(graft, wrong, *counts)["engraftment"]) == [("neutrophil_date", None)]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def test_the_zone_that_the_database_tells_the_moment_in_decides_nothing(zone: str) -> None:
    for moment, expected in (("2024-02-01T09:00Z", [("infusion_date", None)]), ("2024-02-01T10:00Z", [])):
        page = saved("graft", moment, {"infusion_date": "2024-02-02", "on_study": "Y"})
        told = page._replace(at=page.at.astimezone(ZoneInfo(zone)))
        assert ahead(readings(told)["graft"]) == expected


def test_the_next_revision_is_held_against_its_own_day() -> None:
    page = saved("graft", "2024-02-01T09:00Z", {"infusion_date": "2024-02-09", "on_study": "Y"})
    assert ahead(readings(page)["graft"])
    assert not ahead(readings(page._replace(revision=2, at=page.at + timedelta(days=30)))["graft"])
