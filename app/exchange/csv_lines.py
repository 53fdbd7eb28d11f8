"""A CSV file that somebody sends: its lines as cells by column, or what keeps it from being read."""

import csv
import io
from collections.abc import Mapping

from app.core.errors import Fault, Unreadable


def lines_of(body: bytes, rename: Mapping[str, str]) -> tuple[list[dict[str, str]], list[str]]:
    """Each line by column with its number under "", and the columns; `rename` gives columns other names.

    Raises Unreadable for what is not UTF-8, no CSV, or uneven.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8; save it as CSV UTF-8") from None
    if "\0" in text:
        raise Unreadable("The file holds a NUL character; save it as plain CSV")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [rename.get(name.strip(), name.strip()) for name in next(reader, [])]
        lines = []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(columns):
                raise Unreadable(
                    "Nothing was stored: a line has another number of cells than the header",
                    errors=[
                        Fault(f"/lines/{reader.line_num}", "cells", "Not as many cells as columns", "Quote commas")
                    ],
                )
            lines.append(dict(zip(columns, (cell.strip() for cell in cells), strict=True)) | {"": str(reader.line_num)})
    except csv.Error as fault:
        raise Unreadable(f"The file is no CSV at line {reader.line_num}: {fault}") from None
    return lines, columns
