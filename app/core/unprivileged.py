"""PostgreSQL refuses to run as root: the account it runs under instead, and folders which that account can reach.

Nobody's home is opened for it. Where the data or the programs lie behind a closed door (a clone under `/root`),
they get a folder of their own below one of `SHELTERS`, and the door stays closed.
"""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "pgserver"
SHELTERS = (Path("/var/lib/marrow"), Path("/var/tmp/marrow-0"))  # noqa: S108 - made by root, refused when it is not
_ENTER = stat.S_IXOTH
_READ = stat.S_IROTH


class NoAccountError(RuntimeError):
    """This process is root and there is no ordinary account to run PostgreSQL under, nor could one be made."""


@dataclass(frozen=True, slots=True)
class Account:
    """Under whom PostgreSQL runs. `switch` holds the arguments of `subprocess.run` that make it so."""

    uid: int
    gid: int
    switch: Mapping[str, object]


def account() -> Account:
    """The account PostgreSQL runs under: this process's own, or as root a system user made for the purpose."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), {})
    found = _lookup(ACCOUNT) or _create() or _lookup("nobody")
    if found is None:
        raise NoAccountError(
            f"PostgreSQL does not run as root, and the system user '{ACCOUNT}' could not be made. "
            f"Run Marrow as an ordinary user, or make the user yourself: useradd --system {ACCOUNT}"
        )
    switch = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    return Account(found.pw_uid, found.pw_gid, switch)


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    with suppress(OSError):
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - fixed words only
    return _lookup(ACCOUNT)


def may_enter(folder: Path, who: Account) -> bool:
    """Whether `who` can walk to what lies in `folder`: every folder on the way lets them pass."""
    return all(_allowed(step, _ENTER, who) for step in (folder, *folder.parents))


def may_read(file: Path, who: Account, *, run: bool = False) -> bool:
    """Whether `who` can reach and read `file`, and with `run` also execute it."""
    return may_enter(file.parent, who) and _allowed(file, _READ | (_ENTER if run else 0), who)


def _allowed(path: Path, bits: int, who: Account) -> bool:
    if who.uid == os.geteuid():
        return os.access(path, os.X_OK if bits & _ENTER else os.R_OK)
    found = path.stat()
    if found.st_uid == who.uid:
        bits <<= 6
    elif found.st_gid == who.gid:
        bits <<= 3
    return found.st_mode & bits == bits


def shelter() -> Path:
    """A folder of root's that everybody may enter and only root may write to."""
    for place in SHELTERS:
        with suppress(OSError):
            place.mkdir(mode=0o755, exist_ok=True)
            found = place.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022:
                place.chmod(0o755)
                return place
    raise NoAccountError(f"None of {', '.join(map(str, SHELTERS))} can be made safely for PostgreSQL")


def shelter_for(name: str) -> Path:
    """A fresh folder below the shelter, entered by all."""
    made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=shelter()))
    made.chmod(0o755)
    return made


@contextmanager
def assembled(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when all of it is there; nobody meets a half of it."""
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield building
        with suppress(OSError):  # somebody else was first: theirs is as good
            building.rename(target)
            _persist(target.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _persist(folder: Path) -> None:
    """Have a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
