"""Definitions and rules tried on a CSV file of cases, without a database: a file in, a file out, a line to say."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from app.clinical.endpoints.table import evaluate_rows
from app.clinical.rules.table import as_csv, graded
from app.core.files import replacing
from app.study.check import read_tree


def endpoint_file(facts: Path, out: Path, forms: Path) -> tuple[str, bool]:
    """Write `facts`, one case per row, with the endpoints that the study files in `forms` define; ValueError if not.

    What to say, and whether a row could be read.
    """
    tree = read_tree(forms)
    studies = sorted(tree.studies, key=lambda each: each.version)
    definitions = {
        short: (one.milestones, one.endpoints, one.rates) for one in studies for short in (one.study, *one.short)
    }
    if not definitions:
        raise ValueError(f"{forms} holds no sound study file; run marrow forms check {forms}")
    try:
        text = facts.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{facts} is not UTF-8; save it as CSV UTF-8") from None
    rows = list(evaluate_rows(definitions, csv.DictReader(io.StringIO(text))))
    with replacing(out) as file:
        file.write(as_csv(list(rows[0]) if rows else ["status", "adt", "days"], rows))
    unread = sum(bool(row["error"]) for row in rows)
    said = f"{len(rows)} rows written to {out}, {unread} of them could not be read (see their error)."
    return said, not rows or unread < len(rows)


def graded_file(rule: str, options: Sequence[str], source: Path | None, out: Path | None) -> tuple[str, bool]:
    """Write `source` with the results of a clinical rule, or tell those of one case in `options`; ValueError if not.

    What to say, and whether a row could be read.
    """
    table, said, read = graded(rule, options, None if source is None else source.read_bytes(), to_file=out is not None)
    if out is not None:
        with replacing(out) as file:
            file.write(table)
    return said, read
