"""What a migration does to what people have said: marks are to be given anew, signatures that hold a change break."""

from pathlib import Path

import pytest

from tests.capture import amending
from tests.capture.amending import WHY, casebook, planned
from tests.quality.signing import signed
from tests.stories.second import second
from tests.trial import Trial


def test_a_dry_run_names_the_marks_and_signatures_that_it_would_touch(two: Trial) -> None:
    page, seen = "/subjects/A/visits/SCR/forms/labs/verification", {"If-Match": '"1"'}
    items = {"items": [{"item": "hb"}, {"item": "transfused"}, {"item": "dose", "row": 1}]}
    assert two.monitor.post(page, items, headers=seen).status_code == 200
    labs = signed(two, "A", visit="SCR", form="labs")
    screening, arm = signed(two, "A", visit="SCR"), signed(two, "A", visit="SCR", form="arm")
    key = planned(two)
    told = two.manager.get(f"/migrations/{key}").json()["report"]
    assert (told["counts"]["verified"], told["counts"]["signatures"]) == (2, 2)
    [first] = [each for each in told["subjects"] if each["subject"] == "A"]
    found = {f"{page['visit']} {page['form']}": (page["verified"], page["signatures"]) for page in first["pages"]}
    assert found["SCR labs"] == (2, sorted([labs, screening]))
    assert two.manager.get(f"/signatures/{labs}").json()["state"] == "standing"
    assert two.manager.post(f"/migrations/{key}/run", WHY).status_code == 200
    states = [two.manager.get(f"/signatures/{each}").json()["state"] for each in (labs, screening, arm)]
    assert states == ["broken", "broken", "standing"]
    broken = two.manager.get(f"/signatures/{labs}").json()["broken"]
    assert {each["item"] for each in broken["items"]} == {"anc", "dose", "plt", "transfused", "transfusion"}
    marks = casebook(two.nurse, "A")["SCR labs"]["marks"]["verification"]
    assert [(mark["item"], mark["state"]) for mark in marks] == [("hb", "verified")]
    assert two.manager.post(f"/migrations/{key}/roll-back", WHY).status_code == 200
    assert two.manager.get(f"/signatures/{arm}/verify").json()["holds"]
    found = two.manager.get(f"/signatures/{labs}/verify").json()
    assert (found["state"], found["intact"], found["pages"][0]["changed"]) == ("broken", True, [])
    two.verified()


def test_a_dry_run_tells_nothing_of_what_was_signed_where_the_run_breaks_the_signature(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tripled(folder: Path) -> Path:
        form = second(folder) / "library" / "labs" / "v2.toml"
        text = form.read_text(encoding="utf-8")
        form.write_text(text.replace('formula = "hb * 2"', 'formula = "hb * 3"'), encoding="utf-8")
        return folder

    monkeypatch.setattr(amending, "second", tripled)
    trial = amending.begun(trial, tmp_path)
    signed(trial, "A", visit="SCR", form="labs")
    key = planned(trial)
    told = trial.manager.get(f"/migrations/{key}").json()["report"]
    [first] = [each for each in told["subjects"] if each["subject"] == "A"]
    assert [each for each in first["follows"] if "computed-changed" in each["name"]] == []
    assert trial.manager.post(f"/migrations/{key}/run", WHY).status_code == 200
    page = casebook(trial.nurse, "A")["SCR labs"]
    assert page["computed"] == {"hb_double": "291.0"}
    assert "computed-changed" not in {each["rule"] for each in page["findings"]}
    trial.verified()
