"""What a rule asks for, and how a cell becomes a value: exact decimals, listed codes, real dates, or a refusal."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeVar

from app.clinical.rules.errors import RuleError

Value = Decimal | bool | str | date | datetime
Known = Mapping[str, Any]
Cuts = tuple[Decimal, ...]

FAR = Decimal(10**16)  # beyond every number that is accepted
LARGEST = 15  # powers of ten, up and down
LONGEST = 40  # digits. With up to 20 a product with any table's factor is exact in the 28 digits of the context
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII)
EARLIEST, LATEST = 1900, 2199  # years: what lies outside is a slip of the pen, and no due date overflows
_MICRO = str.maketrans({"µ": "u", "\N{GREEK SMALL LETTER MU}": "u"})
_YES_NO = {"1": True, "y": True, "yes": True, "true": True, "0": False, "n": False, "no": False, "false": False}


class Kind(StrEnum):
    """How an input is written."""

    DECIMAL = "decimal"
    INTEGER = "integer"
    CODE = "code"
    YES_NO = "yes_no"
    DATE = "date"
    DATETIME = "datetime"
    TEXT = "text"


IN_A_FORM: Mapping[Kind, str] = {
    Kind.DECIMAL: "a number",
    Kind.INTEGER: "a whole number",
    Kind.CODE: "a text, such as '{}'",
    Kind.YES_NO: "true or false, 'Y' or 'N'",
    Kind.DATE: "a text, such as '2024-02-29'",
    Kind.DATETIME: "a text, such as '2024-02-29T09:30'",
    Kind.TEXT: "a text",
}
"""How an expression of a form gives an input. A number that it works out is never a code, nor yes or no."""
_BESIDE_TEXT = {Kind.DECIMAL: "number", Kind.INTEGER: "number", Kind.YES_NO: "bool"}


@dataclass(frozen=True)
class Input:
    """One thing a rule asks for.

    `worse` is the direction in which it worsens the result, everything else being equal ("up": larger, later in
    `codes`, or yes); inputs without a direction are completed by trying every code, or a value at, between and beyond
    `cuts`, which may depend on what is known; a day, by trying those of `days` and their neighbours. An `open` input
    cannot be completed, as it says what the others mean: without it only the least severe result is certain.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""  # the unit a number is written in
    unit_in: str = ""  # or the input that names its unit
    codes: tuple[str, ...] = ()  # of a code, the mildest first where the codes have an order
    aliases: Mapping[str, str] = field(default_factory=dict)  # other ways to write a code
    low: Decimal | None = None  # the least number accepted
    above: Decimal | None = None  # or the number it has to exceed
    high: Decimal | None = None
    worse: Literal["up", "down"] | None = None
    cuts: Cuts | Callable[[Known], Cuts] = ()
    days: Callable[[Known], tuple[date, ...]] | None = None  # on which a result can change
    open: bool = False
    missing: str = ""  # the flag of a result that lacks it; <NAME>_MISSING by default

    _written: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        written = {plain(code): code for code in self.codes}
        object.__setattr__(self, "_written", {**{plain(k): v for k, v in self.aliases.items()}, **written})

    @property
    def missing_flag(self) -> str:
        """The flag of a result that cannot be told without this input."""
        return self.missing or f"{self.name.upper()}_MISSING"

    @property
    def in_a_form(self) -> str:
        """How an expression of a form gives it."""
        return IN_A_FORM[self.kind].format(*self.codes[:1])

    @property
    def accepted(self) -> str:
        """The codes or the range accepted, empty when there is nothing to say."""
        return ", ".join(self.codes) + self.range_words()

    def takes(self, kind: str) -> bool:
        """Whether it can be read from what an expression of this kind gives (text, number, bool or another)."""
        return kind in {"text", _BESIDE_TEXT.get(self.kind)}

    def read(self, raw: object) -> Value | None:
        """The value of a cell, None when it is empty; raises RuleError when it is neither."""
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return None
        return self._READERS[self.kind](self, raw)

    def points(self, known: Known) -> tuple[Value, ...]:
        """Values that stand for all it could be: one for each stretch between two cuts, and each cut itself.

        The ends of what is accepted are cuts, and none lies beyond them; without cuts nothing stands for all.
        """
        if self.kind is Kind.YES_NO:
            return (False, True)
        if self.kind is Kind.CODE:
            return self.codes
        if self.days is not None:
            return tuple(day + timedelta(days=by) for day in self.days(known) for by in (-1, 0, 1))
        cuts = self.cuts(known) if callable(self.cuts) else self.cuts
        if not cuts:
            return ()
        ends = [end for end in (self.low, self.above, self.high) if end is not None]
        return tuple(point for point in between((*filter(self._allows, cuts), *ends)) if self._allows(point))

    def extreme(self, worst: bool) -> Value:
        """The mildest or the worst it could be."""
        upper = worst is (self.worse == "up")
        if self.kind is Kind.YES_NO:
            return upper
        if self.kind is Kind.CODE:
            return self.codes[-1 if upper else 0]
        if upper:
            return FAR if self.high is None else self.high
        if self.low is not None:
            return self.low
        return -FAR if self.above is None else self.above + 1 / FAR

    def _allows(self, number: Decimal) -> bool:
        return (
            (self.low is None or number >= self.low)
            and (self.above is None or number > self.above)
            and (self.high is None or number <= self.high)
        )

    def _number(self, raw: object) -> Decimal:
        number = decimal_of(raw)
        if number is None:
            raise RuleError(self.name, "write a plain number, such as 1.5")
        if self.kind is Kind.INTEGER and number != number.to_integral_value():
            raise RuleError(self.name, "write a whole number")
        if not self._allows(number):
            raise RuleError(self.name, f"write a number {self.range_words()}")
        return number

    def range_words(self) -> str:
        """The accepted range in words, empty when every number is accepted."""
        words = []
        if self.low is not None:
            words.append(f"from {self.low}")
        if self.above is not None:
            words.append(f"above {self.above}")
        if self.high is not None:
            words.append(f"up to {self.high}")
        return " ".join(words)

    def _yes_no(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        known = _YES_NO.get(str(raw).strip().lower()) if isinstance(raw, str | int | Decimal) else None
        if known is None:
            raise RuleError(self.name, "write 1 or 0 (Y or N)")
        return known

    def _code(self, raw: object) -> str:
        written = str(raw) if isinstance(raw, str | int | Decimal) and not isinstance(raw, bool) else ""
        if (code := self._written.get(plain(written))) is not None:
            return code
        raise RuleError(self.name, f"write one of {', '.join(self.codes)}")

    def _text(self, raw: object) -> str:
        if isinstance(raw, str):
            return raw.strip()
        raise RuleError(self.name, "write text")

    def _date(self, raw: object) -> date:
        day = raw if isinstance(raw, date) and not isinstance(raw, datetime) else None
        if isinstance(raw, str) and _DAY.fullmatch(raw.strip()):
            day = _iso(date.fromisoformat, raw.strip())
        if day is None or not EARLIEST <= day.year <= LATEST:
            raise RuleError(self.name, "write a day as YYYY-MM-DD")
        return day

    def _moment(self, raw: object) -> datetime:
        moment = raw if isinstance(raw, datetime) else None
        if isinstance(raw, str) and _MOMENT.match(raw.strip()):
            moment = _iso(datetime.fromisoformat, raw.strip())
        if moment is None or not EARLIEST <= moment.year <= LATEST:
            raise RuleError(self.name, "write the day and the time as YYYY-MM-DDTHH:MM")
        return moment

    _READERS: ClassVar[Mapping[Kind, Callable[["Input", object], Value]]] = {
        Kind.DECIMAL: _number,
        Kind.INTEGER: _number,
        Kind.CODE: _code,
        Kind.YES_NO: _yes_no,
        Kind.DATE: _date,
        Kind.DATETIME: _moment,
        Kind.TEXT: _text,
    }


_T = TypeVar("_T")


def _iso(read: Callable[[str], _T], text: str) -> _T | None:
    try:
        return read(text)
    except ValueError:
        return None


def plain(text: str) -> str:
    """Codes and units compare without regard to case, to spaces, and to which of the two micro signs was typed."""
    return "".join(text.split()).translate(_MICRO).casefold()


def decimal_of(raw: object) -> Decimal | None:
    """An exact number of at most 40 digits between 10^-15 and 10^15, or None when it is no such number."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        return None
    if isinstance(raw, int) and abs(raw) >= 10**LARGEST:
        return None
    text = (repr(raw) if isinstance(raw, float) else str(raw)).strip()
    if not _NUMBER.fullmatch(text) or len(text) > LONGEST + 10:
        return None
    number = Decimal(text)
    if number and (abs(number.adjusted()) > LARGEST or len(number.as_tuple().digits) > LONGEST):
        return None
    return number or Decimal(0)


def between(cuts: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """Each cut, a number between each two neighbours, and one beyond either end."""
    ordered = sorted(set(cuts))
    if not ordered:
        return ()
    inner = [point for low, high in pairwise(ordered) for point in (low, (low + high) / 2)]
    return (ordered[0] - 1, ordered[0] / 2, *inner, ordered[-1], ordered[-1] + 1)
