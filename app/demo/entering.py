"""Entering the pages: the function that the API uses, one transaction per page, in processes of their own."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import models
from app.capture.save import save, void
from app.core.db import make_engine
from app.core.transaction import Database
from app.demo.pages import Entry, pages
from app.demo.people import enter
from app.demo.trials import SEED, cohort
from app.study.library import newest
from app.subjects import enrol

if TYPE_CHECKING:
    from app.subjects.facts import Place

Told = Callable[[str, int, int], None]
"""Told the study, how many pages more are in, and how many there will be."""

_EVERY = 20  # pages between two words about progress


@dataclass(frozen=True, slots=True)
class Job:
    """One trial to be entered. `tokens` are the coordinators' sessions by site; `count` fewer subjects than all."""

    study_id: str
    tokens: Mapping[str | None, str]
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered: subjects and pages, those that were there already left out."""

    study_id: str
    subjects: int
    pages: int


def trial(database: Database, job: Job, told: Told) -> Entered:
    """Enter a trial, subject by subject; what an earlier run has entered is left as it is."""
    with database.reading() as session:
        enter(session, next(iter(job.tokens.values())))
        build = newest(session, job.study_id)
    courses = cohort(job.study_id, count=job.count)
    books = [(course, pages(build.study, build.forms, course, seed=SEED)) for course in courses]
    total = sum(len(entries) for _, entries in books)
    numbers: Counter[str] = Counter()
    subjects = stored = seen = 0
    told(job.study_id, 0, total)
    for course, entries in books:
        numbers[course.site] += 1
        subject_id = f"{course.site}-{numbers[course.site]:03d}"
        token = job.tokens[course.site]
        done = _begin(database, job.study_id, course.site, subject_id, token)
        subjects += done is None
        for entry, expected in _after(entries, done or 0):
            with database.writing() as session:
                _enter(session, token, job.study_id, subject_id, entry, expected)
            stored += 1
            seen += 1
            if seen % _EVERY == 0:
                told(job.study_id, _EVERY, total)
        seen_before = done or 0
        if seen_before:
            told(job.study_id, seen_before, total)
    told(job.study_id, seen % _EVERY, total)
    return Entered(job.study_id, subjects, stored)


def _begin(database: Database, study_id: str, site: str, subject_id: str, token: str) -> int | None:
    """How many revisions a subject has; None for one that is only now created."""
    with database.writing() as session:
        actor = enter(session, token)
        table = models.subject
        there = session.execute(
            select(table.c.subject_id).where(table.c.study_id == study_id, table.c.subject_id == subject_id)
        ).first()
        if there is None:
            made = enrol.create(session, actor, study_id, site)
            if made["subject_id"] != subject_id:
                raise RuntimeError(f"{study_id}: the site's next number is {made['subject_id']}, not {subject_id}")
            return None
        record, revision = models.record, models.revision
        return int(session.execute(
            select(func.count())
            .select_from(revision.join(record, (record.c.study_id == revision.c.study_id)
                                       & (record.c.record_id == revision.c.record_id)))
            .where(record.c.study_id == study_id, record.c.subject_id == subject_id)
        ).scalar_one())  # fmt: skip


def _after(entries: Sequence[Entry], done: int) -> Iterator[tuple[Entry, int]]:
    """The entries that are still to be made, each with the revision it is made upon; each makes one revision."""
    revisions: Counter[Place] = Counter()
    for position, entry in enumerate(entries):
        if position >= done:
            yield entry, revisions[entry.place]
        revisions[entry.place] += 1


def _enter(session: Session, token: str, study_id: str, subject_id: str, entry: Entry, expected: int) -> None:
    actor = enter(session, token)
    if entry.void:
        void(session, actor, study_id, subject_id, entry.place, expected=expected, reason=entry.reason or "")
        return
    save(
        session, actor, study_id, subject_id, entry.place, entry.answers,
        expected=expected, complete=entry.complete, reason=entry.reason,
    )  # fmt: skip


def all_trials(database: Database, jobs: Sequence[Job], told: Told, *, workers: int) -> list[Entered]:
    """Enter the trials, `workers` at a time in processes of their own; in this process with none."""
    if workers == 0:
        return [trial(database, job, told) for job in jobs]
    # spawn: the engine's connections and the expression engine's threads do not survive a fork
    context = multiprocessing.get_context("spawn")
    words: Any = context.Queue()
    url = database.engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(workers, context, _open, (url, database.anchors, words)) as pool:
        futures = [pool.submit(_trial, job) for job in jobs]
        _listen(words, futures, told)
        return [future.result() for future in futures]


def _listen(words: Any, futures: Sequence[Future[Entered]], told: Told) -> None:
    while True:
        over = all(future.done() for future in futures)
        try:
            while True:
                told(*words.get(timeout=0 if over else 0.2))
        except Empty:
            if over:
                return


_here: dict[str, Any] = {}
"""What a worker process holds: its database, and where it tells of progress."""


def _open(url: str, anchors: Path, words: Any) -> None:
    _here["database"] = Database(make_engine(url, pool_size=1, application_name="marrow demo"), anchors)
    _here["words"] = words


def _trial(job: Job) -> Entered:
    return trial(_here["database"], job, lambda *word: _here["words"].put(word))
