"""`marrow study …`: what is done with the studies of the database."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.console import actor, fail, place, say, text, work
from app.core.heap import settle

study_app = typer.Typer(help="Studies in the database.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A folder with library/ and studies/")]
Approved = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day the site approved the version")]
Study = Annotated[str, typer.Argument(help="The study's key, such as NCT06125106")]


@study_app.command("publish")
def study_publish(
    root: Folder = Path("forms"),
    only: Annotated[list[str] | None, typer.Option(help="A study's key, once per study; all by default")] = None,
) -> None:
    """Release the studies of a folder that are not released yet; from then on they never change."""
    from app.study.check import read_tree  # noqa: PLC0415
    from app.study.publish import publish_tree  # noqa: PLC0415

    tree = read_tree(root)
    if tree.mistakes:
        fail("\n".join([*map(str, tree.mistakes), "Nothing was published: correct these first."]))
    known = {study.study for study in tree.studies}
    if not known or set(only or ()) - known:
        fail(f"Nothing was published: {root} holds no study {', '.join(sorted(set(only or ()) - known))}".rstrip())
    with place() as at, work(at) as session:
        for key, version, fresh in publish_tree(session, actor(), tree, only=only):
            say(f"{key} version {version}: {'published' if fresh else 'released already'}")


@study_app.command("activate")
def study_activate(
    study: Study,
    site: Annotated[str, typer.Argument(help="The site's key")],
    version: Annotated[int, typer.Argument(min=1, help="A released study version")],
    approved: Approved,
    reason: Annotated[str, typer.Option(help="Why now")],
) -> None:
    """Let a site work under another released study version from now on."""
    from app.capture.anew.derive import put_in_force  # noqa: PLC0415

    with place() as at, work(at) as session:
        put_in_force(session, actor(), study, site, version, approved_on=approved.date(), reason=reason)
        say(f"{study}, site {site}: version {version}")


@study_app.command("diff")
def study_diff(
    study: Study,
    before: Annotated[int, typer.Argument(min=1, help="A study version")],
    after: Annotated[int, typer.Argument(min=1, help="Another one")],
    forms: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder with both versions")] = Path(
        "forms"
    ),
    live: Annotated[bool, typer.Option(help="Count the subjects and answers each difference touches")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
) -> None:
    """What differs between two versions of a study with their forms, and what each difference does to answers."""
    from app.capture.anew.diff import Told, as_json, as_table, touched  # noqa: PLC0415
    from app.study.check import read_tree  # noqa: PLC0415
    from app.study.compare import compare  # noqa: PLC0415

    versions = read_tree(forms).versions
    if missing := [number for number in (before, after) if (study, number) not in versions]:
        fail(f"{forms} has no sound version {missing[0]} of {study}. marrow forms check names what is wrong.", 2)
    old, new = versions[study, before], versions[study, after]
    told: list[Told] = [(each, None) for each in compare(old, new)]
    if live:
        with place() as at, work(at) as session:
            told = touched(session, actor(), new, [each for each, _ in told])
    if json_:
        say(json.dumps(as_json(told), ensure_ascii=False, indent=1))
    else:
        for line in as_table(told):
            say(line)
        say(f"{len(told)} differences.")


@study_app.command("ranges")
def study_ranges(
    study: Study,
    site: Annotated[str, typer.Argument(help="The site's key")],
    table: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, see docs/ranges.md")],
    reason: Annotated[str, typer.Option(help="Why now, for example a new analyser")],
) -> None:
    """Give a site's laboratories their limits of normal; what hangs on them is computed again."""
    from app.exchange.ranges import import_ranges  # noqa: PLC0415

    with place() as at, work(at) as session:
        count = import_ranges(session, actor(), study, site, table.read_bytes(), reason=reason)
        say(f"{study}, site {site}: {count} limits of normal")


@study_app.command("migrate")
def study_migrate(
    study: Study,
    to: Annotated[int, typer.Option(min=1, help="The study version to bring pages to")],
    plan: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The reviewed plan")],
    site: Annotated[str | None, typer.Option(help="A site's key; all sites by default")] = None,
    run: Annotated[bool, typer.Option("--run", help="Carry it out; a dry run by default")] = False,
    approved: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --run: the day the sites approved the version")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="With --run: why now")] = None,
) -> None:
    """What a plan does to the pages of each subject; with --run it is carried out, for each site as a whole."""
    from app.capture.amend import migrate, read, report  # noqa: PLC0415
    from app.capture.amend.outlook import totals  # noqa: PLC0415
    from app.study.sites import site_of  # noqa: PLC0415

    if run and (approved is None or reason is None):
        fail("--run needs --approved and --reason", 2)
    said = text(plan)
    with place() as at, work(at) as session:
        found = read.plan_of(session, actor(), study, said)
        if found.to != to:
            fail(f"The plan leads to version {found.to}", 2)
        if site is not None and site_of(session, study, site) is None:
            fail(f"{study} has no site {site}", 2)
        outlooks = list(migrate.preview(session, actor(), found, site))
        for each in outlooks:
            for line in report.as_lines(each) if each.steps or each.left or each.follows else ():
                say(line)
        counts = totals(outlooks)
        say(", ".join(f"{count} {what}" for what, count in counts.items()) + ".")
        if counts["unresolved"]:
            fail("The plan leaves something open. Nothing was changed.")
        if run and approved is not None and reason is not None:
            for where in migrate.sites_under(session, found, site):
                row = migrate.propose(session, actor(), found, where, approved_on=approved.date())
                row = migrate.run(session, actor(), study, row["migration_id"], reason=reason)
                pages, key = row["counts"]["pages"], row["migration_id"]
                say(f"{study}, site {where}: version {to}, {pages} pages. Migration {key}")


@study_app.command("rollback")
def study_rollback(
    study: Study,
    site: Annotated[str, typer.Argument(help="The site's key")],
    reason: Annotated[str, typer.Option(help="Why it is taken back")],
) -> None:
    """Take a site's last migration back as a whole: each page as it was, the version before; or nothing."""
    from app.capture.amend import migrate, report  # noqa: PLC0415

    with place() as at, work(at) as session:
        try:
            row, pages = migrate.roll_back(
                session, actor(), study, migrate.last_run(session, study, site), reason=reason
            )
        except migrate.Unresolved as refused:
            for each in refused.outlooks:
                for line in report.as_lines(each) if each.problems else ():
                    say(line)
            raise
        say(f"{study}, site {site}: version {row['from_version']}, {pages} pages as before")


checks_app = typer.Typer(help="Edit checks.", no_args_is_help=True)


@checks_app.command("run")
def checks_run(study: Study) -> None:
    """Ask every edit check of every page, those of the phase `batch` too, and store what they find."""
    from app.capture.anew.derive import run_checks  # noqa: PLC0415

    settle()
    with place() as at, work(at) as session:
        count, told = run_checks(session, actor(), study)
        for (kind, what), number in sorted(told.items()):
            say(f"{kind}: {what} ({number})")
        say(f"{count} subjects checked, {sum(told.values())} findings opened or closed.")
