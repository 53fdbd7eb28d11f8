"""`marrow …`: what is done on the server itself. Each command calls a function that has a test of its own."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli_cut import cut_app
from app.cli_study import Folder, Study, checks_app, study_app
from app.console import CommandLine, actor, fail, owner, place, say, text, work
from app.core import embedded
from app.core.db import migrate
from app.core.heap import settle
from app.core.transaction import see_all
from app.settings import Settings

app = typer.Typer(
    name="marrow",
    cls=CommandLine,
    help="Electronic case report forms for leukaemia and transplant trials.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
forms_app = typer.Typer(help="Form and study files.", no_args_is_help=True)
admin_app = typer.Typer(help="Accounts.", no_args_is_help=True)
audit_app = typer.Typer(help="The trail.", no_args_is_help=True)
for name, group in (
    ("forms", forms_app),
    ("study", study_app),
    ("checks", checks_app),
    ("cut", cut_app),
    ("admin", admin_app),
    ("audit", audit_app),
):
    app.add_typer(group, name=name)

Cases = Annotated[Path | None, typer.Option("--in", exists=True, dir_okay=False, help="CSV with one row per case")]
CutOff = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Endpoints are read as at this day")]


@app.command("migrate")
def migrate_command() -> None:
    """Bring the schema up to date, as the owner, under a lock."""
    with place(migrated=False) as at:
        say(f"The schema is at revision {migrate(owner(at), at.settings.app_role)}.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes")] = 1,
) -> None:
    """Serve the API."""
    from app.core import serving  # noqa: PLC0415 - only this command needs it
    from app.core.logs import configuration  # noqa: PLC0415

    with place() as at:
        say(f"Marrow listens on http://{host}:{port} (API description: /api/v1/openapi.json). Stop with Ctrl-C.")
        words = configuration(at.settings.log_level.upper())
        serving.serve("app.main:create_app", host=host, port=port, workers=workers, log_config=words)


@app.command()
def demo(
    subjects: Annotated[int | None, typer.Option(min=1, help="Subjects per trial, fewer than the trial's own")] = None,
) -> None:
    """Four trials with simulated subjects: forms, pages, endpoints, CSV files, trail."""
    from app.demo.run import DemoFailedError, run  # noqa: PLC0415 - only this command needs it

    with place() as at:
        try:
            run(at.database, at.settings, say=say, subjects=subjects)
        except DemoFailedError as fault:
            fail(str(fault))


@app.command()
def bench(
    quick: Annotated[bool, typer.Option(help="A tenth of the data, within a minute")] = False,
    memory: Annotated[bool, typer.Option(help="Data in /dev/shm: the code is measured and not the disk")] = False,
    only: Annotated[str | None, typer.Option(help="saves, reading, export, derivation, checks, site or start")] = None,
) -> None:
    """How fast it is here, beside a raw driver; exit 1 when a target is missed."""
    from app.bench.run import Part, run  # noqa: PLC0415

    if only is not None and only not in set(Part):
        raise typer.BadParameter(f"Name one of {', '.join(Part)}", param_hint="--only")
    if not run(quick=quick, memory=memory, only=Part(only) if only else None):
        raise typer.Exit(1)


@app.command()
def derive(study: Study) -> None:
    """Derive every subject again, and name each stored result that differed."""
    from app.capture.anew.derive import derive as derive_anew  # noqa: PLC0415

    settle()
    with place() as at, work(at) as session:
        count, deviations = derive_anew(session, actor(), study)
        for each in deviations:
            say(f"{each.subject_id} {each.endpoint} {each.variant}: the stored result differed and is derived again")
        say(f"{count} subjects derived, {len(deviations)} results differed.")
    if deviations:
        raise typer.Exit(1)


@app.command("export")
def export_command(
    study: Study,
    out: Annotated[Path, typer.Option(help="The zip to write")],
    cutoff: CutOff = None,
    flavour: Annotated[str, typer.Option(help="machine or spreadsheet")] = "machine",
) -> None:
    """Everything of a study as a zip of CSV files."""
    from app.exchange.archive import Flavour  # noqa: PLC0415
    from app.exchange.export import export_to_file  # noqa: PLC0415

    if flavour not in set(Flavour):
        fail("--flavour is machine or spreadsheet", 2)
    with place() as at:
        size = export_to_file(
            at.database,
            actor(),
            study,
            out,
            cutoff=cutoff.date() if cutoff else None,
            flavour=Flavour(flavour),
            opened=see_all,
        )
        say(f"{out}: {size} bytes")


@app.command("import")
def import_command(
    study: Study,
    form: Annotated[str, typer.Argument(help="The form's key, such as haematology")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with one line per page or row")],
    visit: Annotated[str | None, typer.Option(help="For a file without a visit column")] = None,
    site: Annotated[str | None, typer.Option(help="Whose subjects these are; those not there yet are created")] = None,
    reason: Annotated[str | None, typer.Option(help="Why existing values change")] = None,
    rename: Annotated[list[str] | None, typer.Option(help="COLUMN=name, once per column")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="A column to leave out, once per column")] = None,
) -> None:
    """Rows of one form from a CSV file: all of it, or nothing and every line that is wrong."""
    from app.exchange.imports import import_csv  # noqa: PLC0415

    names, left = dict(pair.partition("=")[::2] for pair in rename or ()), ignore or ()
    data = file.read_bytes()
    with place() as at, work(at) as session:
        report = import_csv(
            session, actor(), study, form, data, visit=visit, enrol_at=site, reason=reason, rename=names, ignore=left
        )
        say(
            f"{report.lines} lines: {report.subjects} subjects and {report.created} pages created, "
            f"{report.changed} changed, {report.unchanged} as they were. Import {report.import_id}."
        )


@app.command()
def endpoints(
    facts: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="CSV with one row per case")],
    out: Annotated[Path, typer.Option(help="The CSV to write")],
    forms: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder with the study files")] = Path(
        "forms"
    ),
) -> None:
    """Try endpoint definitions on a bare table of dates, without a database. Exit 1 when no row can be read."""
    from app.exchange.case_files import endpoint_file  # noqa: PLC0415

    _of_cases(lambda: endpoint_file(facts, out, forms))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def grade(context: typer.Context, rule: str, source: Cases = None, out: Path | None = None) -> None:
    """Compute a RULE of docs/clinical for each row of a CSV, or for one case given as its inputs (--value 190 …).

    Exit 1 when no row can be read.
    """
    from app.exchange.case_files import graded_file  # noqa: PLC0415

    _of_cases(lambda: graded_file(rule, context.args, source, out))


def _of_cases(work: Callable[[], tuple[str, bool]]) -> None:
    """Say what was made of a table of cases. Exit 2 when there is no such table, 1 when no row of it can be read."""
    try:
        said, read = work()
    except ValueError as fault:
        fail(str(fault), 2)
    if not read:
        fail(said)
    say(said)


@app.command("backup")
def backup_command(out: Annotated[Path, typer.Argument(help="The file to write")]) -> None:
    """One instant of the database with its manifest and anchors, in one file."""
    from app.exchange.backup import BackupError, backup  # noqa: PLC0415

    with place() as at:
        try:
            manifest = backup(owner(at), at.settings.anchors, out, app_role=at.settings.app_role)
        except BackupError as fault:
            fail(str(fault))
        say(f"{out}: {sum(manifest.rows.values())} rows of {len(manifest.rows)} tables at {manifest.made_at}")


@app.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What marrow backup wrote")],
    database: Annotated[str, typer.Option(help="Name of the empty database to restore into")] = "marrow",
    admin_url: Annotated[str | None, typer.Option(envvar="PGADMIN_URL", help="A server, as one who may create")] = None,
) -> None:
    """Bring a backup back into an empty database, and check that all of it is there."""
    from app.exchange.backup import BackupError, restore  # noqa: PLC0415

    settings = Settings.from_environment()
    server = None if admin_url else embedded.start(settings.data_dir, say=say)
    try:
        manifest = restore(
            file, admin_url or (server.admin_url if server else ""), settings.anchors, database=database, say=say
        )
    except BackupError as fault:
        fail(str(fault))
    finally:
        if server is not None:
            server.stop()
    say(f"Restored {sum(manifest.rows.values())} rows. Now run marrow audit verify.")


@forms_app.command("check")
def forms_check(root: Folder = Path("forms")) -> None:
    """Check every form and study file: each mistake with its file, line and remedy."""
    from app.study.check import read_tree  # noqa: PLC0415

    tree = read_tree(root)
    for mistake in tree.mistakes:
        say(str(mistake))
    say(f"{len(tree.forms)} forms, {len(tree.studies)} studies, {len(tree.mistakes)} mistakes.")
    if tree.mistakes or not tree.forms:
        raise typer.Exit(1)


@forms_app.command("schema")
def forms_schema(out: Annotated[Path, typer.Argument(help="Folder to write to")] = Path("docs/schemas")) -> None:
    """Write the JSON Schemas of form and study files, for editors."""
    from app.study.check import write_schemas  # noqa: PLC0415

    for path in write_schemas(out):
        say(str(path))


@admin_app.command("create")
def admin_create(
    username: Annotated[str, typer.Argument(help="The name to sign in with")],
    name: Annotated[str, typer.Option(prompt=True, help="The person's name, as the trail shows it")],
    password_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Holds the password; asked for by default")
    ] = None,
) -> None:
    """Open the first administrator's account; all others are invited by it."""
    from app.access.accounts import create_first_administrator  # noqa: PLC0415

    if password_file is not None:
        password = text(password_file).strip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)

    with place() as at, work(at) as session:
        made = create_first_administrator(session, username, name, password, by=actor())
        say(f"{made['username']} may sign in and invite others.")


@audit_app.command("verify")
def audit_verify(
    study: Annotated[list[str] | None, typer.Option(help="A study's key, once per study; all by default")] = None,
    anchors: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Another anchor file than the one in use")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON")] = False,
) -> None:
    """Replay the trail: the chain holds, it reproduces every row there is, the anchors match. Exit 1 if not."""
    from app.audit.verify import verify  # noqa: PLC0415

    with place() as at, at.database.reading() as session:
        report = verify(session, anchors or at.settings.anchors, studies=study or None)
    if as_json:
        say(json.dumps(report.as_json(), indent=1))
    else:
        say(str(report))
    if not report.ok:
        raise typer.Exit(1)


@audit_app.command("signatures")
def audit_signatures(study: Annotated[str, typer.Argument(help="The study's key")]) -> None:
    """Work every signature of a study out again. Exit 1 if one is not what was signed, or should have been broken."""
    from app.quality.signatures.prove import proofs  # noqa: PLC0415
    from app.quality.signatures.standing import STANDING  # noqa: PLC0415

    count, wrong = 0, 0
    with place() as at, at.database.reading() as session:
        if study not in see_all(session):
            fail(f"There is no study {study}")
        for each in proofs(session, study):
            count += 1
            if not each["intact"] or (each["state"] == STANDING and not each["holds"]):
                wrong += 1
                what = "was changed since and stands" if each["intact"] else "is not what was signed"
                say(f"{each['signature']}: {what}")
    say(f"{study}: {count} signatures, {wrong} of them wrong")
    if wrong:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
