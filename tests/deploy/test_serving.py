"""The application started as docs/deployment.md starts it: several workers, two roles, over TCP with passwords."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.deploy.conftest import ROOT, TcpServer, free_port

PASSWORD = "seven grey herons wade"
MARROW = [sys.executable, "-m", "app.cli"]


@pytest.fixture
def environment(tcp_server: TcpServer, tmp_path: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MARROW_")}
    return own | {
        "MARROW_DATABASE_URL": tcp_server.app_url,
        "MARROW_OWNER_URL": tcp_server.owner_url,
        "MARROW_VAR": str(tmp_path),
    }


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MARROW, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def address(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Migrated as the owner, an administrator made, and two workers listening."""
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    for words in (
        ("migrate",),
        ("study", "publish", "tests/data/forms"),
        ("admin", "create", "root", "--name", "First", "--password-file", str(secret)),
    ):
        done = run(environment, *words)
        assert done.returncode == 0, done.stderr
    port = free_port()
    command = [*MARROW, "serve", "--port", str(port), "--workers", "2"]
    log = (tmp_path / "log").open("w")
    serving = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield ready(f"http://127.0.0.1:{port}", tmp_path / "log")
    finally:
        os.killpg(serving.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            serving.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGKILL)
        log.close()


def ready(address: str, log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{address}/health/ready").status_code == 200:
                return address
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_it_serves_over_tcp_with_two_roles_and_its_trail_holds(
    address: str, environment: dict[str, str], tmp_path: Path
) -> None:
    signed = httpx2.post(f"{address}/api/v1/session", json={"username": "root", "password": PASSWORD})
    assert signed.status_code == 201, signed.text
    with httpx2.Client(
        base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {signed.json()['token']}"}
    ) as root:
        invited = root.post("/accounts", json={"username": "nurse", "name": "A Nurse"}).json()
        grant = {"username": "nurse", "role": "coordinator", "site": "HZ01", "reason": "Opens the site"}
        assert root.post("/studies/TRIAL/grants", json=grant).status_code == 201
    accepted = {"token": invited["token"], "password": "eight white egrets stand"}
    assert httpx2.post(f"{address}/api/v1/invitations/accept", json=accepted).status_code == 204
    signed = httpx2.post(
        f"{address}/api/v1/session", json={"username": "nurse", "password": "eight white egrets stand"}
    )
    with httpx2.Client(
        base_url=f"{address}/api/v1/studies/TRIAL", headers={"Authorization": f"Bearer {signed.json()['token']}"}
    ) as nurse:
        subject = nurse.post("/subjects", json={"site": "HZ01"}).json()["subject_id"]
        page = f"/subjects/{subject}/visits/SCR/forms/consent"
        body = {"answers": {"consent_date": "2024-01-05", "note": "canary 7f3a"}}
        assert nurse.put(page, json=body, headers={"If-None-Match": "*"}).status_code == 201
    assert httpx2.get(f"{address}/health/live").status_code == 200
    verified = run(environment, "audit", "verify")
    assert (verified.returncode, "the trail holds" in verified.stdout) == (0, True), verified.stdout
    log = (tmp_path / "log").read_text()
    assert '"status": 201' in log
    assert "canary 7f3a" not in log
    assert PASSWORD not in log
