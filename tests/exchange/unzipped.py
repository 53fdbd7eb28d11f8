"""What somebody finds in an export: its files as bytes and as rows."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from tests.trial import Person

BOM = "\ufeff"


@dataclass(frozen=True)
class Unzipped:
    """The files of an archive by name."""

    files: dict[str, bytes]

    @classmethod
    def of(cls, data: bytes) -> "Unzipped":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            return cls({info.filename: archive.read(info) for info in archive.infolist()})

    def cells(self, name: str) -> list[list[str]]:
        """The header and the rows, as a reader that forgives nothing sees them."""
        text = self.files[name].decode("utf-8").removeprefix(BOM)
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))

    def rows(self, name: str) -> list[dict[str, str]]:
        header, *rows = self.cells(name)
        assert len(set(header)) == len(header), name
        assert all(len(row) == len(header) for row in rows), name
        return [dict(zip(header, row, strict=True)) for row in rows]

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.files["manifest.json"]))


def export(person: Person, **query: Any) -> Unzipped:
    """What this person's export of the trial holds."""
    answer = person.get("/export", params=query)
    assert answer.status_code == 200, answer.text
    return Unzipped.of(answer.content)
