"""User names: what one may look like, and when two are the same."""

import re
import unicodedata

SHAPE = "2 to 64 letters (a-z or Chinese), digits, or any of . _ - @, beginning with a letter or digit"
"""In words, for messages. Two alphabets that share no letter shapes: no name can be mistaken for another."""

_FOLDED = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._@-]{1,63}")


def folded(username: str) -> str:
    """What is compared: NFKC, case folded. Two accounts never share it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def well_formed(username: str) -> bool:
    """Whether an account may have this name."""
    return _FOLDED.fullmatch(folded(username)) is not None


def shown(username: str) -> str:
    """As it is stored and shown: NFKC, in the case it was given in."""
    return unicodedata.normalize("NFKC", username)
