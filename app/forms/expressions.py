"""The port to CEL, the expression language of forms and studies.

An expression is checked once, when its form or study is published: names, types, budgets, with the column of a mistake.
At entry the published text is evaluated and gives a value or INDETERMINATE; it never raises and always ends.

Two things differ from bare CEL, both decided when the words are put together:

* Every number is a double, so an integer literal is written as one (5 -> 5.0), except as a list index. Engines disagree
  about `5 / 2` and `anc < 5`, not about `5.0 / 2.0`.
* Unknown is unknown. CEL says `null == 'F'` is false and `null != 'M'` is true; here both are indeterminate. Empty
  variables are left out of the evaluation, which makes any use of them an error that `||` and `&&` absorb by the rules
  of logic, and `x == null`, `x != null`, `is_missing(x)` become questions about presence.

What is plain (plain_conditions.py) is answered without the engine, and answered the same.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from cel_expr_python import cel

from app.forms.functions import PUBLISHED, declarations
from app.forms.mistakes import near
from app.forms.plain_conditions import Condition, UnlikeError, plain_condition
from app.forms.rewriting import Coded, Facts, Kind, Rows, Scalar, Writer
from app.forms.tokens import ExpressionMistake, tokenise

__all__ = [
    "INDETERMINATE",
    "SCALARS",
    "Coded",
    "Expression",
    "ExpressionMistake",
    "Facts",
    "Kind",
    "Result",
    "Rows",
    "Scalar",
    "compile_expression",
]


class _Indeterminate(Enum):
    INDETERMINATE = "indeterminate"

    def __bool__(self) -> bool:
        return False


#: What an expression gives when an empty item or a failed step leaves it undecided. It is false in a condition.
INDETERMINATE: Final = _Indeterminate.INDETERMINATE

Result = Literal["bool", "number", "text", "any"]
SCALARS: Final = frozenset(get_args(Result))
"""What an expression gives that is one value; the rest are lists, rows and maps."""

_ENGINE = cel.NewEnv(functions=declarations(cel.Type.STRING, cel.Type.DOUBLE))
_TEXT = cel.Type("string_wrapper")  # nullable: may be compared with a text and with null
_NUMBER = cel.Type("double_wrapper")
_TYPES = {
    "number": _NUMBER,
    "text": _TEXT,
    "date": _TEXT,
    "partial_date": _TEXT,
    "time": _TEXT,
    "bool": cel.Type.BOOL,
    "list": cel.Type.List(cel.Type.STRING),
    "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "rows": cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN)),
    "any": cel.Type.DYN,
}
_RESULTS = {
    "BOOL": "bool", "DOUBLE": "number", "INT": "number", "STRING": "text", "DYN": "any",
    "wrapper(double)": "number", "wrapper(string)": "text",
}  # fmt: skip
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\((.*)\)'")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")


@dataclass(frozen=True)
class Expression:
    """A published expression: the author's text, the names it uses, and what it gives."""

    text: str
    names: frozenset[str]  # variables the value depends on
    kind: str  # bool | number | text | any
    tested: frozenset[str]  # variables asked whether they are empty
    parts: Mapping[str, tuple[str, ...]]  # of each map that it depends on, the members, where it names them all
    _program: cel.Expression = field(repr=False, compare=False)
    _plain: Condition | None = field(default=None, repr=False, compare=False)

    @property
    def uses(self) -> frozenset[str]:
        """Every variable it looks at."""
        return self.names | self.tested

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value for these variables, or INDETERMINATE where an empty item or a failed step leaves it open.

        Numbers come back as float. Never raises; the engine's own budget of iterations bounds the time.
        """
        if self._plain is not None:
            try:
                found = self._plain(variables)
            except UnlikeError:
                return self._by_engine(variables)
            return INDETERMINATE if found is None else found
        return self._by_engine(variables)

    def _by_engine(self, variables: Mapping[str, Any]) -> Any:
        try:
            data = {}
            for name in self.names:
                value = variables.get(name)
                if value is not None:
                    data[name] = value if type(value) in _AS_IS else _prepared(value, self.parts.get(name))
            for name in self.tested:
                data[name + "__null"] = variables.get(name) is None
            result = self._program.eval(data=data)
            if result.type() == _ERROR:
                return INDETERMINATE
            value = result.plain_value()
        except Exception:  # noqa: BLE001 (the engine raises bare RuntimeErrors; entry must go on whatever it says)
            return INDETERMINATE
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return INDETERMINATE
        return value

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether the condition is certainly true."""
        return self.evaluate(variables) is True


_AS_IS = frozenset({float, str, bool})
_ERROR = cel.Type.ERROR


def _prepared(value: Any, parts: Iterable[str] | None = None) -> Any:
    """Numbers as doubles; empty members left out of maps, so that asking for one is an error and not a null.

    Of a map only `parts`, where they are told: a subject has many facts, and a condition asks for one.
    """
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        members = ((key, value.get(key)) for key in (value if parts is None else parts))
        return {key: _prepared(member) for key, member in members if member is not None}
    if isinstance(value, list | tuple):
        return [_prepared(member) for member in value if member is not None]
    return value


def compile_expression(
    text: str, variables: Mapping[str, Kind], *, result: Result = "bool", strict: bool = False
) -> Expression:
    """Check an expression against the variables it may use and what it has to give.

    With `strict`, for what is about to be published, a text that is compared with a coded item is to be one of its
    codes.

    Raises ExpressionMistake (column, message, remedy) for unknown names, clashing types, forbidden constructs and
    anything that is no CEL.
    """
    tokens = tokenise(text)
    writer = Writer(tokens, variables, _is_pattern, strict=strict)
    writer.write()
    kind = _check(writer, variables)
    if "any" not in {kind, result} and kind != result:
        raise ExpressionMistake(
            1, f"this gives {_WORDS.get(kind, kind)}, where {_WORDS[result]} is needed", _NEEDS[result]
        )
    try:
        program = _program("".join(writer.evaluated))
    except RuntimeError as error:
        raise _translated(str(error), writer, variables) from None
    return Expression(
        text=text,
        names=frozenset(writer.read),
        kind=kind,
        tested=frozenset(writer.tested),
        parts={name: tuple(sorted(some)) for name, some in writer.parts.items() if name not in writer.whole},
        _program=program,
        _plain=plain_condition(tokens, variables),
    )


_REPEATED = 8192
"""Expressions kept: versions of one form, and the studies that use it, say mostly the same."""

_WORDS = {"bool": "true or false", "number": "a number", "text": "a text", "any": "anything"}
_NEEDS = {
    "bool": "Compare: x > 5, x == 'Y', is_missing(x)",
    "number": "Write a calculation, or change `result`",
    "text": "Give a text in every branch, such as a > 5 ? 'high' : 'low'",
    "any": "",
}


def _is_pattern(literal: str) -> bool:
    return bool(_ENGINE.compile(f"''.matches({literal})", disable_check=True).eval(data={}).type() != _ERROR)


def _check(writer: Writer, variables: Mapping[str, Kind]) -> str:
    """Type-check; what the expression gives."""
    declared = {name: _name_of(variables[name]) for name in writer.read} | writer.aliases
    try:
        return _given("".join(writer.checked), tuple(sorted(declared.items())))
    except RuntimeError as error:
        raise _translated(str(error), writer, variables) from None


def _name_of(kind: Kind) -> str:
    if isinstance(kind, Rows):
        return "rows"
    return "map" if isinstance(kind, Facts) else kind


@lru_cache(maxsize=_REPEATED)
def _program(text: str) -> cel.Expression:
    return _ENGINE.compile(text, disable_check=True)


@lru_cache(maxsize=_REPEATED)
def _given(text: str, kinds: tuple[tuple[str, str], ...]) -> str:
    name = str(_environment(kinds).compile(text).return_type().name())
    return _RESULTS.get(name, name)


@lru_cache(maxsize=256)
def _environment(kinds: tuple[tuple[str, str], ...]) -> cel.Env:
    return cel.NewEnv(variables={n: _TYPES[k] for n, k in kinds}, functions=declarations(_TEXT, _NUMBER))


_TYPE_WORDS = {
    "double": "a number", "wrapper(double)": "a number", "int": "a number", "string": "a text", "bool": "true/false",
    "wrapper(string)": "a text", "null_type": "null", "list(string)": "a list of texts", "dyn": "anything",
    "list(double)": "a list of numbers", "list(map(string, dyn))": "rows", "map(string, dyn)": "a map",
}  # fmt: skip


def _translated(message: str, writer: Writer, variables: Mapping[str, Kind]) -> ExpressionMistake:
    """What the engine said, in the words of this language and at the column of the author's text."""
    found = _PLACE.search(message)
    column = writer.column(int(found[2]) - 1) if found and int(found[2]) > 0 else 1
    words = found[3] if found else message
    if "recursion" in message:
        return ExpressionMistake(1, "the expression is nested too deeply", "Split it into computed items")
    if clash := _OVERLOAD.search(words):
        operator = clash[1].strip("_")
        kinds = [_TYPE_WORDS.get(kind.strip(), kind.strip()) for kind in re.split(r", (?![^(]*\))", clash[2])]
        operator = {"?_:": "? :", "@in": "in"}.get(operator, operator)
        return ExpressionMistake(
            column, f"{operator!r} does not fit {' and '.join(kinds)}", "Compare like with like; texts stand in quotes"
        )
    if unknown := _UNDECLARED.search(words):
        name = unknown[1]
        known = PUBLISHED if name in PUBLISHED else variables
        remedy = (
            f"{name} takes {PUBLISHED[name].arguments} value(s)"
            if name in PUBLISHED
            else near(name, known, otherwise=f"Names are {', '.join(sorted(known)[:12]) or 'none'}")
        )
        return ExpressionMistake(column, f"{name!r} cannot be used so", remedy)
    if "Syntax error" in words:
        return ExpressionMistake(
            column, "the expression cannot be read here", "Check brackets, quotes and operators before this place"
        )
    return ExpressionMistake(column, "the expression cannot be used", "See docs/forms.md for the language")
