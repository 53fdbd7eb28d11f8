"""`make demo`: four trials from their files to endpoint tables and CSV, by the functions that users call."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import cpu_count
from pathlib import Path

from rich.console import Console

from app.access.actor import SystemActor
from app.access.permissions import Role
from app.audit.verify import verify
from app.capture.anew.derive import derive
from app.core.transaction import Database
from app.demo import report
from app.demo.course import CUT
from app.demo.entering import Entered, Job, all_trials
from app.demo.people import CAST, PASSPHRASE, enter, introduce, require_ours, sign_in
from app.demo.reviewing import review
from app.demo.steps import Say, Steps
from app.demo.talking import talk
from app.demo.trials import PLANS
from app.exchange.export import export_to_file
from app.settings import Settings
from app.study.check import read_tree
from app.study.definition import Study
from app.study.publish import publish

FORMS = Path(__file__).resolve().parents[2] / "forms"
_WIDEST = 4  # processes: as many as there are trials


class DemoFailedError(RuntimeError):
    """The demonstration found something wrong; the message says what."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did. `lines` are the endpoint tables by trial, `exports` the zips written."""

    entered: Sequence[Entered]
    differences: int
    exports: Sequence[Path]
    lines: dict[str, list[report.Line]]
    seconds: float
    times: dict[str, float] = field(default_factory=dict)


def run(
    database: Database,
    settings: Settings,
    *,
    say: Say,
    subjects: int | None = None,
    workers: int | None = None,
    console: Console | None = None,
) -> Summary:
    """Publish, introduce the people, enter pages, answer queries, sign, derive again, export, show the endpoints.

    A run that was interrupted is taken up where it ended; over a finished one the last steps are repeated and nothing
    is entered twice. `subjects` per trial, None for all; `workers` processes for entering, 0 for this one.

    Raises:
        Conflict: other people work in this database, or a study of the same number was published with another content.
        DemoFailedError: the files have mistakes, a stored result differs, or the trail does not verify.
    """
    steps = Steps(say, console=console)
    with steps.step("Publish the trials") as told:
        require_ours(database)
        studies = published(database)
        told.append(", ".join(study.study for study in studies))
    with steps.step("Open accounts") as told:
        opened = introduce(database, studies)
        told.append(f"{opened} accounts, one per role and site" if opened else "they are there already")
        roles = (Role.COORDINATOR, Role.INVESTIGATOR, Role.MONITOR, Role.DATA_MANAGER)
        tokens = {role: sign_in(database, role=role) for role in roles}
        manager = tokens[Role.DATA_MANAGER][None]
    with steps.step("Enter subjects and pages") as told, steps.bars() as bar:
        jobs = [Job(study.study, tokens[Role.COORDINATOR], subjects) for study in studies]
        entered = all_trials(database, jobs, bar, workers=_workers() if workers is None else workers)
        pages = sum(each.pages for each in entered)
        told.append(f"{sum(each.subjects for each in entered)} subjects, {pages} pages" if pages else "nothing new")
    if pages:
        taken = steps.times["Enter subjects and pages"]
        say(f"{'':<28}{pages / taken:.0f} audited saves a second, through the function that the API calls")
    with steps.step("Ask and answer queries") as told:
        states = sum((Counter(talk(database, study.study, tokens)) for study in studies), Counter[str]())
        told.append(", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing to ask")
    with steps.step("Verify and sign pages") as told:
        count = sum(review(database, study.study, tokens) for study in studies)
        told.append(f"{count} pages compared with their source and signed; the others wait")
    with steps.step("Derive again and compare") as told:
        differences = _derive(database, studies, manager)
        told.append("every stored result is what the pages give" if not differences else f"{differences} differ")
    exports = []
    with steps.step("Export CSV") as told:
        for study in studies:
            path = settings.var / "exports" / f"{study.study}.zip"
            path.parent.mkdir(parents=True, exist_ok=True)
            _export(database, study, path, manager)
            exports.append(path)
        told.append(f"{len(exports)} zips in {settings.var / 'exports'}")
    with steps.step("Verify the audit trail") as told:
        told.append(_verify(database, settings))
    lines = {}
    with database.reading() as session:
        enter(session, manager)
        for study in studies:
            say(f"\n{study.study}: {study.title.en}")
            lines[study.study] = report.lines(session, study, cutoff=CUT)
            steps.table(report.table(study, lines[study.study]))
    say(f"\nPrimary definitions at the cut-off {CUT}. Where nothing competes: the share without event on that day")
    say("(Kaplan-Meier); where something does: the cumulative incidence (Aalen-Johansen). Variants: endpoints.csv.")
    _farewell(say, settings, steps.taken)
    if differences:
        raise DemoFailedError(f"{differences} stored results differed from what the pages give; run `marrow derive`")
    return Summary(entered, differences, exports, lines, steps.taken, steps.times)


def _workers() -> int:
    return max(1, min(_WIDEST, cpu_count() or 1))


def published(database: Database) -> list[Study]:
    """Publish the trials of `forms/` where they are not published; the studies. Raises DemoFailedError."""
    tree = read_tree(FORMS)
    if tree.mistakes:
        raise DemoFailedError("\n".join(map(str, tree.mistakes)))
    studies = sorted(
        (study for study in tree.studies if study.study in PLANS), key=lambda each: list(PLANS).index(each.study)
    )
    newest = {study.study: study for study in studies}  # files are read in the order of their versions
    for study in newest.values():
        with database.writing() as session:
            publish(
                session, SystemActor(), study, {form: tree.forms[form, number] for form, number in study.forms.items()}
            )
    return list(newest.values())


def _derive(database: Database, studies: Sequence[Study], token: str) -> int:
    found = 0
    for study in studies:
        with database.writing() as session:
            _, deviations = derive(session, enter(session, token), study.study, store=False)
            found += len(deviations)
    return found


def _export(database: Database, study: Study, path: Path, token: str) -> None:
    with database.reading() as session:
        actor = enter(session, token)
    export_to_file(database, actor, study.study, path, cutoff=CUT, opened=lambda session: enter(session, token))


def _verify(database: Database, settings: Settings) -> str:
    with database.reading() as session:
        found = verify(session, settings.anchors)
    if not found.ok:
        raise DemoFailedError("The audit trail does not verify:\n" + "\n".join(map(str, found)))
    return (
        f"{found.changes} changes of {found.rows} rows in {len(found.heads)} chains hold, {found.anchors} anchors agree"
    )


def _farewell(say: Say, settings: Settings, seconds: float) -> None:
    names = [member.username for member in CAST]
    say("")
    say(f"Done in {seconds:.0f} s. All patients are made up.")
    say(
        f"  CSV        {settings.var / 'exports'}/<trial>.zip (endpoints.csv, one file per form, codebook, audit trail)"
    )
    say("  Serve      make serve, then http://127.0.0.1:8000/api/v1/openapi.json")
    say(f"  Sign in    {', '.join(names[:6])},")
    say(f"             {', '.join(names[6:])}")
    say(f"  Passphrase {PASSPHRASE}")
    say("             curl -s http://127.0.0.1:8000/api/v1/session -H 'content-type: application/json' \\")
    say(f'               -d \'{{"username": "coordinator", "password": "{PASSPHRASE}"}}\'')
