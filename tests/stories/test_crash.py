"""What was acknowledged is there after a crash: whole, once, with its trail and what was derived from it.

CRASH_CYCLES=100 makes a long run of it; every cycle kills once.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from app import models
from app.core import embedded
from app.core.db import make_engine, migrate
from app.core.transaction import see_all
from tests.deploy.conftest import free_port
from tests.servers import roomy
from tests.stories.ledger import ENROLLED, STUDY, Client
from tests.trial import Trial

CYCLES = int(os.environ.get("CRASH_CYCLES", "2"))
CLIENTS = 6
ROOT = Path(__file__).parents[2]


class Place:
    """Marrow as it runs on one machine: an application process with the embedded server below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.serving: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("MARROW_")}
        command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(self.port)]
        quiet = ["--no-access-log", "--log-level", "critical"]
        self.serving = subprocess.Popen(
            [*command, *quiet], cwd=ROOT, env=own | {"MARROW_VAR": str(self.folder)}, stderr=subprocess.DEVNULL
        )
        self.wait()

    def wait(self) -> None:
        """Until it is ready again, by itself."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx2.get(self.address + "/health/ready", timeout=5, trust_env=False).is_success:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("It did not come back")

    def kill_application(self) -> None:
        assert self.serving is not None
        self.serving.kill()
        self.serving.wait()
        self.start()

    def kill_database(self) -> None:
        os.kill(int((self.folder / "pg" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        if self.serving is not None:
            self.serving.terminate()
            self.serving.wait()


@pytest.fixture
def place() -> Iterator[Place]:
    folder = roomy()
    made = Place(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def trial_at(place: Place) -> Iterator[Trial]:
    with embedded.start(place.folder / "pg") as server:
        migrate(server.owner_url, server.names.app)
        engine = make_engine(server.app_url)
        try:
            yield Trial.open(engine, place.folder)
        finally:
            engine.dispose()


def entered(trial: Trial, place: Place, kill: Callable[[], None]) -> list[Client]:
    """Clients that write all the while, through every kill; what they know at the end."""
    of = random.Random(1)  # noqa: S311 - moments to kill at
    clients = []
    for _ in range(CLIENTS):
        subject = trial.nurse.subject()
        consent = {"consent_date": ENROLLED.isoformat(), "enrol_date": ENROLLED.isoformat()}
        trial.nurse.enter(subject, "SCR", "consent", consent, complete=False)
        clients.append(Client(place.address, trial.nurse.token, subject))
    stop = threading.Event()
    threads = [threading.Thread(target=client.run, args=[stop]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        for _ in range(CYCLES):
            time.sleep(of.uniform(0.2, 0.7))
            kill()
        time.sleep(0.3)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return clients


def stored(trial: Trial, subject: str) -> dict[tuple[int, int], tuple[Any, str]]:
    """Every revision of the pages of a subject, by repeat of the visit and number: its answers and its change."""
    record, revision, change = models.record, models.revision, models.change
    with trial.database.reading() as session:
        see_all(session)
        rows = session.execute(
            select(record.c.visit_repeat, revision.c.number, revision.c.answers, change.c.action, change.c.record_id)
            .join_from(record, revision, revision.c.record_id == record.c.record_id)
            .join(change, (change.c.study_id == revision.c.study_id) & (change.c.change_id == revision.c.change_id))
            .where(record.c.study_id == STUDY, record.c.subject_id == subject, record.c.form_id == "labs")
        ).all()
    found = {(row.visit_repeat, row.number): (row.answers, row.action) for row in rows}
    assert len(found) == len(rows)
    return found


def kept(trial: Trial, client: Client) -> None:
    """All that was acknowledged is there, what is unknown at most once and whole, and nothing else."""
    there = stored(trial, client.subject)
    sent = {(intent.repeat, intent.revision): intent for intent in client.intents}
    assert len(sent) == len(client.intents)
    for which, intent in sent.items():
        if intent.outcome == "acked":
            assert there[which] == (intent.answers, "record.save"), which
    assert all(sent[which].outcome != "refused" and sent[which].answers == held[0] for which, held in there.items())
    assert client.strange() == []
    last = max((held[0]["sample_date"] for held in there.values()), default=ENROLLED.isoformat())
    casebook = trial.nurse.get(f"/subjects/{client.subject}/casebook").json()
    assert casebook["endpoints"]["OS"]["PRIMARY"]["adt"] == last
    assert len(casebook["pages"]) == 1 + len({repeat for repeat, _ in there})


@pytest.mark.parametrize("victim", ["application", "database"])
def test_nothing_that_was_acknowledged_is_lost_when_it_is_killed(place: Place, victim: str) -> None:
    with trial_at(place) as trial:
        place.start()
        kill = place.kill_application if victim == "application" else place.kill_database
        clients = entered(trial, place, kill)
        assert sum(len(client.of("acked")) for client in clients) > 10 * CYCLES
        assert any(client.of("unknown") for client in clients)  # or no kill met a write
        for client in clients:
            kept(trial, client)
        trial.verified()
