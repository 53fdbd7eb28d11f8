"""Files written where somebody says: whole or not at all, and in the place of nothing but a file."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
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
        if real.is_symlink():  # in a circle, which is an error of `resolve` before Python 3.13
            raise _cannot(path, RuntimeError())
        if path.is_dir():
            raise CannotWriteError(f"{path} is a folder. Name a file in it.")
        if path.exists() and not path.is_file():
            raise CannotWriteError(f"{path} is a device or a pipe, and no file. Name a file.")
        if not real.parent.is_dir():
            raise CannotWriteError(f"There is no folder {real.parent}. Make it first, or name a file in another one.")
    except (OSError, RuntimeError) as fault:
        raise fault if isinstance(fault, CannotWriteError) else _cannot(path, fault) from None
    return real


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written that stands at `path` once it is whole. If the block raises, what was there stays.

    It is for the same eyes as the file whose place it takes. Raises CannotWriteError, before the block where it can be
    known.
    """
    real = destination(path)
    partial = real.with_name(f".{token_hex(8)}.part")
    try:
        with partial.open("xb") as out:
            if real.exists():
                partial.chmod(stat.S_IMODE(real.stat().st_mode))
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(real)
    except OSError as fault:
        if fault.filename not in {None, str(partial)}:  # another file's, which the block has to do with
            raise
        raise _cannot(path, fault) from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _cannot(path: Path, fault: Exception) -> CannotWriteError:
    why = (isinstance(fault, OSError) and fault.strerror) or "its links lead in a circle"
    return CannotWriteError(f"{path} cannot be written ({why}). Name another file.")
