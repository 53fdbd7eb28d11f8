"""A site is being locked while others write there: whoever comes late waits at the gate, and holds up nobody."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy.orm import Session

from app.capture.amend import migrate
from app.core.transaction import see_all
from app.study.plan import Plan
from app.subjects import enrol
from tests.capture.amending import APPROVED, SOUND, WHY, begun, planned
from tests.quality.test_locks import at_the_gate, close, refused
from tests.trial import SYSTEM, Trial

RANGES = "laboratory,analyte,unit,sex,age_from,age_to,valid_from,valid_to,low,high\n"


@contextmanager
def about_to_be_locked(trial: Trial) -> Iterator[tuple[ThreadPoolExecutor, Session]]:
    """A lock upon a site waits at the gate for this session, which writes there; it is set when the session ends."""
    with ThreadPoolExecutor(2) as pool:
        with trial.database.writing() as session:
            see_all(session)
            enrol.lock(session, "TRIAL", "C")
            waiting = pool.submit(close, trial, "lock", site="HZ01", despite_queries=True)
            at_the_gate(trial, 1)
            yield pool, session
        assert waiting.result().status_code == 200


def enrolling(trial: Trial) -> httpx2.Response:
    return trial.nurse.post("/subjects", {"site": "HZ01"})


def giving_ranges(trial: Trial) -> httpx2.Response:
    headers = {"Content-Type": "text/csv"}
    return trial.manager.call(
        "PUT", "/sites/HZ01/ranges", content=RANGES, params={"reason": "New analyser"}, headers=headers
    )


def planning(trial: Trial) -> httpx2.Response:
    return trial.builder.post("/sites/HZ01/migrations", {"plan": SOUND} | APPROVED)


@pytest.mark.parametrize("late", [enrolling, giving_ranges, planning])
def test_who_comes_to_a_site_that_is_about_to_be_locked_is_refused_by_the_lock(
    trial: Trial, tmp_path: Path, late: Callable[[Trial], httpx2.Response]
) -> None:
    begun(trial, tmp_path)
    with about_to_be_locked(trial) as (pool, _):
        coming = pool.submit(late, trial)
        at_the_gate(trial, 2)
    assert refused(coming.result(), "site", "locked")
    trial.verified()


def test_a_migration_that_waits_at_the_gate_keeps_its_plan_from_nobody(trial: Trial, tmp_path: Path) -> None:
    begun(trial, tmp_path)
    key = planned(trial)
    with about_to_be_locked(trial) as (pool, session):
        running = pool.submit(trial.manager.post, f"/migrations/{key}/run", WHY)
        at_the_gate(trial, 2)
        plan = migrate.look(session, SYSTEM, "TRIAL", UUID(key))[0]["plan"]
        migrate.propose(session, SYSTEM, Plan.of(plan), "HZ01", approved_on=date(2024, 4, 1))
    assert refused(running.result(), "site", "locked")
    trial.verified()


def test_what_a_migration_is_no_longer_open_to_is_told_before_the_lock(trial: Trial, tmp_path: Path) -> None:
    begun(trial, tmp_path)
    key = planned(trial)
    assert trial.manager.post(f"/migrations/{key}/run", WHY).status_code == 200
    assert close(trial, "lock", site="HZ01", despite_queries=True).status_code == 200
    again = trial.manager.post(f"/migrations/{key}/run", WHY)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
