"""A CSV file that somebody sends: its lines as cells by column, or what keeps it from being read."""

import csv
import io
from collections.abc import Collection, Mapping

from app.core.errors import Fault, Unreadable

MOST_FAULTS = 200
"""So many faults of one file are told."""


def lines_of(
    body: bytes, rename: Mapping[str, str], ignore: Collection[str] = ()
) -> tuple[list[dict[str, str]], list[str]]:
    """Each line by column with its number under "", and the columns.

    `rename` gives columns other names, those of `ignore` are left out: each is to be there. Raises Unreadable for what
    is not UTF-8, no CSV, or uneven.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8; save it as CSV UTF-8") from None
    if "\0" in text:
        raise Unreadable("The file holds a NUL character; save it as plain CSV")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        columns = [rename.get(name, name) for name in header]
        _assert_there(rename.keys() - set(header) | set(ignore) - set(columns))
        lines, uneven = [], []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(columns):
                told = f"{len(cells)} cells under {len(columns)} columns"
                uneven.append(Fault(f"/lines/{reader.line_num}", "cells", told, "Put a cell with a comma in quotes"))
                continue
            line = zip(columns, (cell.strip() for cell in cells), strict=True)
            lines.append({name: cell for name, cell in line if name not in ignore} | {"": str(reader.line_num)})
    except csv.Error as fault:
        raise Unreadable(f"The file is no CSV at line {reader.line_num}: {fault}") from None
    if uneven:
        what = "Nothing was stored: lines have another number of cells than the header"
        raise Unreadable(what, errors=uneven[:MOST_FAULTS])
    return lines, [name for name in columns if name not in ignore]


def _assert_there(unknown: Collection[str]) -> None:
    if unknown:
        remedy = "Correct the name; capitals count"
        raise Unreadable(
            "Nothing was stored: what is to be renamed or left out is not in the file",
            errors=[
                Fault(f"/header/{name}", "no-column", "The file has no such column", remedy) for name in sorted(unknown)
            ],
        )
