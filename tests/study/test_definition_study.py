import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from app.study.check import check_study, read_tree, schema_text, schemas
from app.study.definition import Study, Visit

ROOT = Path(__file__).parents[2]
TRIALS = sorted((ROOT / "forms/studies").glob("*/v*.toml"))


def data(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(params=TRIALS, ids=lambda path: path.parent.name)
def trial(request):
    return data(request.param)


def test_a_study_comes_back_whole_from_its_canonical_form(trial):
    study = Study.of(trial)
    again = Study.of(json.loads(json.dumps(study.canonical())))
    assert again == study
    assert again.digest == study.digest


def test_the_canonical_form_speaks_the_keys_of_the_file(trial):
    assert Study.of(trial).canonical().keys() <= trial.keys()


def test_a_changed_window_is_another_study(trial):
    before = Study.of(trial).digest
    visit = next(visit for visit in trial["visit"] if "window" in visit)
    visit["window"] = [visit["window"][0] - 1, visit["window"][1]]
    assert Study.of(trial).digest != before


def test_words_and_order_of_keys_in_the_file_do_not_matter_but_words_of_labels_do(trial):
    before = Study.of(trial).digest
    assert Study.of(dict(reversed(trial.items()))).digest == before
    trial["title"]["en"] += "."
    assert Study.of(trial).digest != before


def test_a_study_is_frozen(trial):
    study = Study.of(trial)
    with pytest.raises(ValidationError):
        study.version = 2  # type: ignore[misc]


def test_an_unknown_visit_is_a_key_error(trial):
    study = Study.of(trial)
    with pytest.raises(KeyError):
        study.visit("D31415")


@pytest.mark.parametrize("name", ["form", "study"])
def test_the_published_schemas_are_current(name):
    published = (ROOT / f"docs/schemas/{name}.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(schemas()[name]), "run app.study.check.write_schemas(docs/schemas)"


@pytest.mark.parametrize("path", TRIALS, ids=lambda path: path.parent.name)
def test_every_trial_fits_the_schema_an_editor_uses(path):
    validator = jsonschema_rs.validator_for(schemas()["study"])
    assert validator.is_valid(data(path))
    assert not validator.is_valid(data(path) | {"visits": []})


def test_every_form_fits_the_schema_an_editor_uses():
    validator = jsonschema_rs.validator_for(schemas()["form"])
    for path in sorted((ROOT / "forms/library").glob("*/v*.toml")):
        assert validator.is_valid(data(path)), path


def test_the_first_study_of_the_manual_can_be_copied_as_it_is():
    manual = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
    example = manual.split("```toml\n")[1].split("```")[0]
    study, mistakes = check_study(example, read_tree(ROOT / "forms").forms)
    assert mistakes == []
    assert study is not None


def test_the_manual_names_every_key_of_a_study_and_a_visit():
    manual = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
    for model in (Study, Visit):
        for name, field in model.model_fields.items():
            key = field.alias or name
            assert any(f"{left}{key}{right}" in manual for left, right in (("`", "`"), ("[[", "]]"), ("[", "]"))), key
