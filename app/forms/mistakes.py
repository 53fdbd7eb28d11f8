"""What is wrong in a form or study file, said so that its author can put it right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a TOML file: where it stands, what is wrong, what to do."""

    file: str
    line: int
    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f" ({self.path})" if self.path else ""
        return f"{self.file}:{self.line}: {self.message}{where}. {self.remedy}"


Path = tuple[str | int, ...]
"""A key path inside a file: section, its number, item, its number, min."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the key path inside the file, what is wrong, what to do."""

    path: Path
    message: str
    remedy: str


def near(name: str, known: Iterable[str], *, otherwise: str) -> str:
    """A remedy for a name nobody knows: the closest known one, or else a general word."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else otherwise


def again(names: Iterable[str]) -> Iterator[bool]:
    """Of each name whether it was there before: of two that are alike the second is one too many."""
    seen: set[str] = set()
    for name in names:
        yield name in seen
        seen.add(name)


def dotted(path: Iterable[str | int]) -> str:
    """A key path as people write it: ('section', 0, 'item', 2, 'min') -> 'section[0].item[2].min'."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
