"""The compose file and the image, checked as far as can be without a container engine."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from app.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def compose() -> "dict[str, dict[str, dict[str, object]]]":
    with (ROOT / "docker-compose.yml").open() as lines:
        return dict(YAML(typ="safe").load(lines))


def test_it_follows_the_compose_schema() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_it_sets_is_a_setting(compose: "dict[str, dict[str, dict[str, object]]]") -> None:
    named = set(re.findall(r"\bMARROW_[A-Z_]+", (ROOT / "docker-compose.yml").read_text()))
    named |= set(re.findall(r"\bMARROW_[A-Z_]+", (ROOT / "Dockerfile").read_text()))
    assert named <= set(VARIABLES)
    assert "MARROW_OWNER_URL" not in compose["services"]["app"]["environment"]  # type: ignore[operator]


def test_secrets_come_from_the_environment_and_have_no_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    taken = re.findall(r"(?<!\$)\$\{([^}]*)\}", text)
    assert taken
    assert all(":?" in one for one in taken)
    example = (ROOT / "deploy" / "env.example").read_text()
    names = {one.split(":?")[0] for one in taken}
    assert names == set(re.findall(r"^([A-Z_]+)=$", example, re.MULTILINE))


def test_the_application_waits_for_one_migration(compose: "dict[str, dict[str, dict[str, object]]]") -> None:
    services = compose["services"]
    assert services["app"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert services["migrate"]["command"] == ["marrow", "migrate"]
    assert "healthcheck" in services["app"]
    assert "healthcheck" in services["postgres"]


def test_the_image_copies_what_exists_and_runs_as_nobody_of_note() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert re.search(r"^USER marrow$", text, re.MULTILINE)


def test_the_image_installs_what_was_tested_and_none_of_the_tools() -> None:
    full, part = ((ROOT / name).read_text() for name in ("requirements.lock", "deploy/requirements.lock"))
    pins = [set(re.findall(r"^([A-Za-z0-9._-]+==\S+)", lock, re.MULTILINE)) for lock in (full, part)]
    assert pins[1] < pins[0]
    assert not {pin.split("==")[0] for pin in pins[1]} & {"pytest", "ruff", "mypy", "uv"}


def test_the_lock_holds_every_dependency_with_a_hash_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"^-|://|@ |^file:", lock, re.MULTILINE)
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S+==.*\\\n    --hash=sha256:", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[><=]", one)[0].lower().replace("_", "-") for one in asked}
    assert names <= {pin.lower() for pin in pins}
