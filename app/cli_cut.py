"""`marrow cut …`: data cuts made, listed, written to a file again, compared."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.console import actor, fail, place, say

cut_app = typer.Typer(help="Data cuts.", no_args_is_help=True)

Study = Annotated[str, typer.Argument(help="The study's key, such as NCT06125106")]
Name = Annotated[str, typer.Argument(help="The name of the cut")]


@cut_app.command("create")
def cut_create(
    study: Study,
    name: Name,
    reason: Annotated[str, typer.Option(help="What it is made for")],
    cutoff: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Endpoints as known on this day")
    ] = None,
    site: Annotated[list[str] | None, typer.Option(help="A site's key, once per site; all by default")] = None,
) -> None:
    """Cut a study here and now, under a name."""
    from app.exchange.cuts.cut import create  # noqa: PLC0415

    with place() as at:
        made = create(
            at.database,
            actor(),
            study,
            name,
            reason=reason,
            cutoff=cutoff.date() if cutoff else None,
            within=frozenset(site) if site else None,
        )
        say(f"{name}: change {made.seq} of {study}, {made.bytes} bytes, SHA-256 {made.sha256}")


@cut_app.command("list")
def cut_list(study: Study) -> None:
    """The cuts of a study, in the order they were made."""
    from app.core.transaction import see  # noqa: PLC0415
    from app.exchange.cuts.cut import cuts  # noqa: PLC0415
    from app.study.library import newest  # noqa: PLC0415

    with place() as at, at.database.reading() as session:
        see(session, study)
        newest(session, study)
        cursor, count = None, 0
        while True:
            rows, cursor = cuts(session, actor(), study, cursor=cursor, limit=200)
            for row in rows:
                say(f"{row['name']} {row['at']:%Y-%m-%dT%H:%M:%SZ} change {row['seq']} {row['sha256']} {row['by']}")
            count += len(rows)
            if cursor is None:
                break
        if not count:
            say(f"{study} has no cuts.")


@cut_app.command("export")
def cut_export(study: Study, name: Name, out: Annotated[Path, typer.Option(help="The zip to write")]) -> None:
    """Write a cut to a file again. Exit 1 when it is not what was cut."""
    from app.exchange.cuts.again import CutDiffersError, to_file  # noqa: PLC0415

    with place() as at:
        try:
            cut, digest = to_file(at.database, actor(), study, name, out)
        except CutDiffersError as fault:
            fail(str(fault))
        say(f"{out}: SHA-256 {digest}")
        if digest != cut.sha256:
            fail(f"It was {cut.sha256} when Marrow {cut.release} made it: this release writes other files or columns.")


@cut_app.command("compare")
def cut_compare(study: Study, one: Name, other: Name) -> None:
    """Which values and endpoints differ between two cuts, a line for each, and which changes did it."""
    from app.exchange.cuts.compare import compare  # noqa: PLC0415

    with place() as at:
        cursor, count = None, 0
        while True:
            found = compare(at.database, actor(), study, one, other, cursor=cursor, limit=200)
            for subject in found["items"]:
                for line in _lines(subject):
                    say(f"{subject['subject']} {line}")
                    count += 1
            cursor = found["next_cursor"]
            if cursor is None:
                break
        say(f"{count} differences.")


def _lines(subject: Mapping[str, Any]) -> Iterator[str]:
    site = subject["site"]
    if site["before"] != site["after"]:
        yield f"site: {site['before'] or 'in no site of the cut'} -> {site['after'] or 'in no site of the cut'}"
    for each in subject["values"]:
        row = "" if each["row"] is None else f" row {each['row']}"
        place_ = f"{each['visit']} {each['form']}{row} {each['item']}"
        yield f"{place_}: {_text(each['before'])} -> {_text(each['after'])} (changes {_text(each['changes'])})"
    for each in subject["endpoints"]:
        why = [f"changes {_text(each['changes'])}"] if each["changes"] else []
        why += [frame.replace("_", " ") for frame in ("study_version", "reference_ranges", "cut_off") if each[frame]]
        result = f"{_outcome(each['before'])} -> {_outcome(each['after'])}"
        yield f"{each['endpoint']} {each['variant']}: {result} ({', '.join(why)})"


def _outcome(result: Mapping[str, Any] | None) -> str:
    return "not defined" if result is None else " ".join(filter(None, (result["status"], result.get("adt"))))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(map(str, value.values()))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "nothing" if value is None else str(value)
