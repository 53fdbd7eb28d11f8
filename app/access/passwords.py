"""Passwords: which are taken, and how they are kept.

Argon2id with the parameters of the OWASP cheat sheet (19 MiB, 2 passes, 1 lane); at most four are computed at once,
so that a flood of logins takes neither the memory nor the processors from those who work. No rule of composition and
no change by the calendar (NIST SP 800-63B-4): length, and not one that everybody tries first.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from secrets import token_urlsafe
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import Type

from app.core.errors import Fault, Unavailable

SHORTEST = 12
"""Characters."""

LONGEST = 1024
"""Bytes of UTF-8."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
_AT_ONCE = BoundedSemaphore(4)
_PATIENCE = 5.0  # seconds to wait for one of the four

_COMMON_WORDS = (
    "abc|abcd|admin|administrator|asdf|asdfgh|asdfghjkl|baseball|blinatumomab|clinical|dragon|edc|football|guest|hello|"
    "hospital|iloveyou|leukaemia|leukemia|letmein|login|marrow|master|monkey|nurse|pass|passw?rd|password|passwort|"
    "patient|princess|qazwsx|qwe|qwer|qwert|qwerty|qwertyuiop|root|secret|shadow|study|summer|sunshine|superman|system|"
    "test|trial|trustno|user|welcome|winter|woaini|zhejiang|zxcv|zxcvbn|zxcvbnm|hangzhou|changeme|default|temp"
)
_COMMON = re.compile(f"(?:{_COMMON_WORDS})+")
_LEET = str.maketrans("@$0134578", "asoieastb")
_DIGITS = frozenset({"112233445566", "123456654321", "123456123456", "147258369147", "121212343434"})
_KEYBOARD = (
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)


def normal(password: str) -> str:
    """The password as it is hashed: NFKC, so that it does not depend on the keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password)


def faults(password: str, username: str, pointer: str = "/password") -> list[Fault]:
    """Why a new password is not taken; empty when it is."""
    given = normal(password)
    if len(given) < SHORTEST:
        return [Fault(pointer, "too-short", "The password is too short.", f"Use at least {SHORTEST} characters.")]
    if len(given.encode()) > LONGEST:
        return [Fault(pointer, "too-long", "The password is too long.", f"Use at most {LONGEST} bytes.")]
    if guessable(given, username):
        remedy = "Use several words that do not belong together, or let a password manager make one."
        return [Fault(pointer, "guessable", "The password is among the first that would be tried.", remedy)]
    return []


def guessable(given: str, username: str) -> bool:
    """Whether it is one of the commonest, a run of keys, a repetition, or made from the name it protects."""
    plain = given.casefold()
    own = {username, username.partition("@")[0]}
    letters = "".join(character for character in plain if character.isalpha())
    spelt = "".join(character for character in plain.translate(_LEET) if character.isalpha())
    bare = re.sub(r"[\W_]", "", plain)
    return (
        len(set(plain)) < 5  # noqa: PLR2004 - a repetition
        or any(len(name) > 3 and name in plain for name in own)  # noqa: PLR2004 - shorter ones occur by chance
        or _COMMON.fullmatch(letters) is not None
        or _COMMON.fullmatch(spelt) is not None
        or bare in _DIGITS
        or _run(bare)
        or any(bare in keys * 2 or bare in keys[::-1] * 2 for keys in _KEYBOARD)
    )


def _run(bare: str) -> bool:
    """Whether every character follows the one before it, as in 123456789012, 987654321098 or abcdefghijkl."""
    steps = {ord(after) - ord(before) for before, after in pairwise(bare)}
    if bare.isdecimal():
        steps = {step % 10 for step in steps}
    return len(steps) <= 1


def hashed(password: str) -> str:
    """The argon2id hash to store.

    Raises:
        Unavailable: too many are being computed.
    """
    with _turn():
        return _HASHER.hash(normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password; without a stored one the same work is done, for nothing.

    Raises:
        Unavailable: too many are being computed.
    """
    given = normal(password)
    too_long = len(given.encode()) > LONGEST
    with _turn():
        try:
            right = _HASHER.verify(stored or _decoy(), "" if too_long else given)
        except (Argon2Error, InvalidHashError):
            return False
    return right and stored is not None and not too_long


def outdated(stored: str) -> bool:
    """Whether a stored hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _decoy() -> str:
    return _HASHER.hash(token_urlsafe(32))


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise Unavailable("Too many people are signing in at this moment.", headers={"Retry-After": "5"})
    try:
        yield
    finally:
        _AT_ONCE.release()
