"""Releasing a study: once, for ever, and in force at a site when it has approved it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.access.actor import Actor
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.transaction import see_all
from app.study.check import read_tree
from app.study.publish import activate, publish_tree
from tests.stories.amendment import amended
from tests.trial import API, FORMS, SYSTEM, Trial, publish

LABS = {"sample_date": "2024-01-09", "hb": "97.5"}


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    return amended(tmp_path / "forms")


def release(trial: Trial, forms: Path, **more: Any) -> list[tuple[str, int, bool]]:
    tree = read_tree(forms)
    assert not tree.mistakes, [str(mistake) for mistake in tree.mistakes]
    with trial.database.writing() as session:
        see_all(session)
        return list(publish_tree(session, SYSTEM, tree, **more))


def rewrite(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def trail(trial: Trial, study: str = "TRIAL") -> list[dict[str, Any]]:
    who = trial.administrator if study == "-" else trial.manager
    return list(who.get(f"/api/v1/studies/{study}/audit", params={"limit": 200}).json()["items"])


def test_what_is_released_already_is_not_released_again(trial: Trial) -> None:
    before = trail(trial), trail(trial, "-")
    assert release(trial, FORMS) == [("OTHER", 1, False), ("TRIAL", 1, False)]
    assert (trail(trial), trail(trial, "-")) == before
    trial.verified()


def test_a_released_version_with_another_content_is_refused(trial: Trial, tmp_path: Path) -> None:
    forms = amended(tmp_path / "forms")
    (forms / "studies" / "TRIAL" / "v2.toml").unlink()
    rewrite(forms / "studies" / "TRIAL" / "v1.toml", "report_day = 365", "report_day = 366")
    before = trail(trial)
    with pytest.raises(Conflict):
        release(trial, forms, only=["TRIAL"])
    assert trail(trial) == before
    assert trial.nurse.get(f"{API}/versions/1").json()["report_day"] == 365


def test_a_released_form_with_another_content_is_refused_and_nothing_is_released(trial: Trial, forms: Path) -> None:
    rewrite(forms / "library" / "consent" / "v1.toml", 'en = "Remark"', 'en = "Note"')
    before = trail(trial), trail(trial, "-")
    with pytest.raises(Conflict):
        release(trial, forms)
    assert (trail(trial), trail(trial, "-")) == before
    assert trial.nurse.get(f"{API}/versions/2").status_code == 404
    assert trial.nurse.get("/api/v1/forms/labs/versions/2").status_code == 404


def test_a_released_form_that_was_edited_is_found_although_its_study_is_released(trial: Trial, tmp_path: Path) -> None:
    forms = amended(tmp_path / "forms")
    (forms / "studies" / "TRIAL" / "v2.toml").unlink()
    rewrite(forms / "library" / "consent" / "v1.toml", 'en = "Remark"', 'en = "Note"')
    with pytest.raises(Conflict, match="consent version 1"):
        release(trial, forms, only=["TRIAL"])


def test_a_release_is_recorded_the_forms_in_the_systems_chain(trial: Trial, forms: Path) -> None:
    assert release(trial, forms) == [("OTHER", 1, False), ("TRIAL", 1, False), ("TRIAL", 2, True)]
    study = trail(trial)[-1]
    assert (study["action"], study["detail"]["version"], study["source"]) == ("study.publish", 2, "test")
    assert {each["table"]: each["count"] for each in study["written"]} == {
        "study_version": 1, "study_form": 6, "site": 1,
    }  # fmt: skip
    released = [each for each in trail(trial, "-") if each["action"] == "form.publish"][-1]
    assert {(each["form"], each["version"]) for each in released["detail"]["forms"]} == {("labs", 2), ("ae", 2)}
    trial.verified()


def test_a_site_works_under_the_old_version_until_the_new_one_is_put_in_force_there(trial: Trial, forms: Path) -> None:
    first, second = trial.nurse.subject(), trial.nurse.subject()
    trial.nurse.enter(first, "SCR", "labs", LABS | {"anc": "1.2"})
    publish(trial.database, forms)
    sites = {each["site_id"]: each["version"] for each in trial.manager.get(API).json()["sites"]}
    assert sites == {"HZ01": 1, "HZ02": 1, "HZ03": 2}
    assert trial.nurse.enter(second, "SCR", "labs", LABS)["form_version"] == 1
    assert trial.nurse.save(second, "UNS", "labs", LABS | {"plt": 150}).status_code == 422

    body = {"version": 2, "approved_on": "2024-03-01", "reason": "Approved by the ethics committee"}
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=body).status_code == 204
    new = trial.nurse.enter(second, "UNS", "labs", LABS | {"plt": 150})
    assert (new["form_version"], new["study_version"]) == (2, 2)
    assert trial.nurse.save(second, "UNS.2", "labs", LABS | {"anc": "1.2"}).status_code == 422
    assert trial.nurse.get(f"/subjects/{second}/casebook").json()["study_version"] == 2

    other = trial.nurse2.subject("HZ02")
    assert trial.nurse2.enter(other, "SCR", "labs", LABS)["form_version"] == 1
    entry = next(each for each in trail(trial) if each["action"] == "site.activate")
    assert (entry["actor"], entry["reason"], entry["site_id"]) == ("Builder of the cast", body["reason"], "HZ01")
    trial.verified()


def test_a_page_begun_under_a_version_stays_of_that_version(trial: Trial, forms: Path) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"anc": "1.2"})
    publish(trial.database, forms)
    body = {"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    trial.builder.call("PUT", "/sites/HZ01/version", json=body)
    page = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs").json()
    assert (page["form_version"], page["study_version"], page["answers"]["anc"]) == (1, 1, "1.2")
    assert page["computed"] == {"hb_double": "195.0"}
    grams = {"value": "9.7", "unit": "g/dL"}
    saved = trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": grams}, revision=1, reason="Unit was wrong")
    assert (saved["form_version"], saved["study_version"], saved["computed"]) == (1, 1, {"hb_double": "194.0"})
    refused = trial.nurse.save(subject, "SCR", "labs", LABS | {"plt": 150}, revision=2, reason="New item")
    assert refused.status_code == 422
    history = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs/history").json()["revisions"]
    assert [each["form_version"] for each in history] == [1, 1]


def test_a_version_can_be_taken_back_at_a_site(trial: Trial, forms: Path) -> None:
    publish(trial.database, forms)
    for version in (2, 1):
        body = {"version": version, "approved_on": "2024-03-01", "reason": "As approved"}
        assert trial.builder.call("PUT", "/sites/HZ01/version", json=body).status_code == 204
    subject = trial.nurse.subject()
    assert trial.nurse.enter(subject, "SCR", "labs", LABS)["form_version"] == 1
    length = len(trail(trial))
    body = {"version": 1, "approved_on": "2024-03-01", "reason": "In force already"}
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=body).status_code == 204
    assert len(trail(trial)) == length


@pytest.mark.parametrize("who", ["nurse", "doctor", "manager", "sponsor", "administrator", "inspector"])
def test_only_a_builder_puts_a_version_in_force(trial: Trial, who: str) -> None:
    body = {"version": 1, "approved_on": "2024-03-01", "reason": "On my own account"}
    assert trial.cast[who].call("PUT", "/sites/HZ01/version", json=body).status_code == 403


def test_what_is_not_there_cannot_be_put_in_force(trial: Trial) -> None:
    for site, version in (("HZ01", 2), ("HZ09", 1)):
        body = {"version": version, "approved_on": "2024-03-01", "reason": "Approved"}
        assert trial.builder.call("PUT", f"/sites/{site}/version", json=body).status_code == 404
    body = {"version": 1, "approved_on": "2024-03-01", "reason": "Approved"}
    assert trial.builder.call("PUT", "/api/v1/studies/NONE/sites/HZ01/version", json=body).status_code == 404
    assert trial.builder.call("PUT", "/sites/HZ01/version", json={"version": 1}).status_code == 422
    assert trial.builder.call("PUT", "/sites/HZ01/version", json=body | {"site_id": "HZ02"}).status_code == 422
    assert trial.stranger.call("PUT", "/sites/HZ01/version", json=body).status_code == 404


def test_only_a_builder_releases(trial: Trial, forms: Path) -> None:
    nobody = Actor(account_id=None, username="x", name="X", source="test")
    tree = read_tree(forms)
    with trial.database.writing() as session:
        see_all(session)
        with pytest.raises((Forbidden, NotFound)):
            list(publish_tree(session, nobody, tree, only=["TRIAL"]))
        with pytest.raises((Forbidden, NotFound)):
            activate(session, nobody, "TRIAL", "HZ01", 1, approved_on=date(2024, 3, 1), reason="On my own account")
    assert trial.nurse.get(f"{API}/versions/2").status_code == 404
