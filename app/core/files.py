"""Files written where somebody says: whole or not at all, and in the place of nothing but a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


class CannotWriteError(RuntimeError):
    """No file can be written there; the message says why and what to do."""


def destination(path: Path) -> Path:
    """Where a file called `path` lies or will lie: a link is followed, and its target is what is written.

    Raises:
        CannotWriteError: there is a folder, a device or a pipe, or no folder that it would lie in.
    """
    try:
        real = path.resolve()
        if path.is_dir():
            raise CannotWriteError(f"{path} is a folder. Name a file in it.")
        if path.exists() and not path.is_file():
            raise CannotWriteError(f"{path} is a device or a pipe, and no file. Name a file.")
        if not real.parent.is_dir():
            raise CannotWriteError(f"There is no folder {real.parent}. Make it first, or name a file in another one.")
    except (OSError, RuntimeError) as fault:  # links in a circle are a RuntimeError before Python 3.13
        raise fault if isinstance(fault, CannotWriteError) else _cannot(path, fault) from None
    return real


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written that stands at `path` once it is whole. If the block raises, what was there stays.

    Raises CannotWriteError, before the block where it can be known.
    """
    real = destination(path)
    partial = real.with_name(f"{real.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as out:
            yield out
        partial.replace(real)
    except OSError as fault:
        raise _cannot(path, fault) from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _cannot(path: Path, fault: Exception) -> CannotWriteError:
    why = (isinstance(fault, OSError) and fault.strerror) or "its links lead in a circle"
    return CannotWriteError(f"{path} cannot be written ({why}). Name another file.")
