"""A zip of CSV files as a stream of bytes: flat memory, and the same bytes for the same rows."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.exchange.columns import Column

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest moment a zip can hold: an export carries no clock time
_CHUNK = 1 << 16
_ROWS = 500  # written at a time
_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")


class Flavour(StrEnum):
    """`machine` is exact RFC 4180; `spreadsheet` keeps a spreadsheet from running text as a formula."""

    MACHINE = "machine"
    SPREADSHEET = "spreadsheet"


@dataclass
class _Sink(io.RawIOBase):
    """What zipfile writes into; the stream is emptied as it fills."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self.parts)
        self.parts.clear()
        self.size = 0
        return taken


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive; `rows` is called once, when its turn has come."""

    name: str
    columns: Sequence[Column]
    rows: Callable[[], Iterable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Written:
    """What the manifest says of a file."""

    name: str
    rows: int
    sha256: str
    bytes: int


def neutral(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def stream(
    members: Iterable[Member], last: Callable[[list[Written]], tuple[str, bytes]], flavour: Flavour
) -> Iterator[bytes]:
    """The bytes of the zip, member by member; `last` makes the manifest from what was written."""
    sink = _Sink()
    written: list[Written] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member in members:
            with archive.open(_entry(member.name), "w", force_zip64=True) as out:
                digest, size, count = hashlib.sha256(), 0, 0
                for block, rows in _blocks(member, flavour):
                    digest.update(block)
                    size += len(block)
                    count += rows
                    out.write(block)
                    if sink.size >= _CHUNK:
                        yield sink.take()
            written.append(Written(member.name, count, digest.hexdigest(), size))
        name, body = last(written)
        with archive.open(_entry(name), "w", force_zip64=True) as out:
            out.write(body)
    yield sink.take()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    return entry


def _blocks(member: Member, flavour: Flavour) -> Iterator[tuple[bytes, int]]:
    """The file in blocks of some hundred rows, with the number of data rows in each."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    if flavour is Flavour.SPREADSHEET:
        text.write("\ufeff")
    writer.writerow([column.name for column in member.columns])
    risky = (
        [index for index, column in enumerate(member.columns) if column.text] if flavour is Flavour.SPREADSHEET else []
    )
    count = 0
    for row in member.rows():
        if risky:
            row = list(row)  # noqa: PLW2901 - the row as this flavour writes it
            for index in risky:
                row[index] = neutral(row[index])
        writer.writerow(row)
        count += 1
        if count == _ROWS:
            yield text.getvalue().encode(), count
            text.seek(0)
            text.truncate()
            count = 0
    yield text.getvalue().encode(), count
