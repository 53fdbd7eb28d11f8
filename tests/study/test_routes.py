"""Studies and forms as a frontend reads them: cached for ever, in the reader's language, and only one's own."""

import pytest

from app.forms.definition import Form
from app.study.definition import Study
from tests.trial import API, Trial

FOREVER = [f"{API}/versions/1", "/api/v1/forms/labs/versions/1", "/api/v1/forms/labs/versions/1/json-schema"]


@pytest.mark.parametrize("path", FOREVER)
def test_a_released_definition_is_kept_by_its_digest(trial: Trial, path: str) -> None:
    first = trial.nurse.get(path)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "private, max-age=31536000, immutable"
    tag = first.headers["etag"]
    for sent in (tag, f'"other", {tag}'):
        again = trial.nurse.get(path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert trial.nurse.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_a_schema_has_a_tag_for_each_language(trial: Trial) -> None:
    english, chinese = (trial.nurse.get(FOREVER[2], headers={"Accept-Language": lang}) for lang in ("en", "zh"))
    assert english.headers["etag"] != chinese.headers["etag"]
    assert english.headers["vary"] == "Accept-Language"
    assert english.json()["json_schema"]["properties"]["hb"]["title"] == "Haemoglobin"
    assert chinese.json()["json_schema"]["properties"]["hb"]["title"] == "血红蛋白"
    stale = trial.nurse.get(FOREVER[2], headers={"Accept-Language": "zh", "If-None-Match": english.headers["etag"]})
    assert stale.status_code == 200


def test_definitions_are_behind_the_same_door_as_data(trial: Trial) -> None:
    tag = trial.nurse.get(FOREVER[0]).headers["etag"]
    known = {"If-None-Match": tag}
    assert trial.client.get(FOREVER[0], headers=known).status_code == 401
    assert trial.stranger.get(FOREVER[0], headers=known).status_code == 404
    assert trial.stranger.get(API).status_code == 404
    assert trial.stranger.get("/api/v1/studies/OTHER").json()["study_id"] == "OTHER"


@pytest.mark.parametrize("version", ["2", "0", "-1", "9999999", "x"])
def test_a_version_that_is_not_there_is_refused(trial: Trial, version: str) -> None:
    for path in (f"{API}/versions/{version}", f"/api/v1/forms/labs/versions/{version}"):
        assert trial.nurse.get(path).status_code in {404, 422}
    assert trial.nurse.get("/api/v1/forms/none/versions/1").status_code == 404


def test_everybody_sees_the_studies_and_sites_of_their_own_roles(trial: Trial) -> None:
    def studies(name: str) -> list[str]:
        return [each["study_id"] for each in trial.cast[name].get("/api/v1/studies").json()["items"]]

    assert studies("nurse") == studies("manager") == ["TRIAL"]
    assert studies("stranger") == ["OTHER"]
    assert studies("builder") == studies("administrator") == ["OTHER", "TRIAL"]
    assert [each["site_id"] for each in trial.nurse.get(API).json()["sites"]] == ["HZ01"]
    assert [each["site_id"] for each in trial.manager.get(API).json()["sites"]] == ["HZ01", "HZ02"]


def test_the_canonical_definition_can_be_read_back(trial: Trial) -> None:
    study = Study.of(trial.nurse.get(FOREVER[0]).json())
    assert f'"{study.digest}"' == trial.nurse.get(FOREVER[0]).headers["etag"]
    form = Form.of(trial.nurse.get(FOREVER[1]).json())
    assert f'"{form.digest}"' == trial.nurse.get(FOREVER[1]).headers["etag"]
