"""Words that people give and others will read: what is said once in the trail is read for decades."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def _one_line(text: str) -> str:
    """Refuse what cannot be seen or turns text around: two names that look alike are then alike."""
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in text):
        raise ValueError
    return unicodedata.normalize("NFC", text)


def _lines(text: str) -> str:
    for line in text.split("\n"):
        _one_line(line)
    return unicodedata.normalize("NFC", text)


def stripped(minimum: int, maximum: int | None = None) -> StringConstraints:
    """Text and nothing that would be made into text, without the blanks around it, of so many characters."""
    return StringConstraints(strict=True, strip_whitespace=True, min_length=minimum, max_length=maximum)


Line = Annotated[str, stripped(1, 200), AfterValidator(_one_line)]
"""One line that can be seen."""

Reason = Annotated[str, stripped(2, 2000), AfterValidator(_lines)]
"""Why: at least two characters that are not blanks (a word in Chinese), on one line or more, nothing unseen."""

Message = Annotated[str, stripped(1), AfterValidator(_lines)]
"""What people say to each other: as a reason, of any length that a request may have."""
