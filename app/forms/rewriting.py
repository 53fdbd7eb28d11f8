"""An expression put into words for the engine: doubles for integers, questions of presence for comparisons with null.

The words are written twice. The text to check names `row.item` by stand-ins with types, since rows have no declared
members; the text to evaluate is what the engine runs.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from app.forms.mistakes import near
from app.forms.tokens import MACROS, Token


class Coded(str):
    """The kind of an item with codes, which is that of a text, or of a list of several; and which codes there are."""

    __slots__ = ("codes",)
    codes: frozenset[str]

    @classmethod
    def of(cls, kind: Literal["text", "list"], codes: Iterable[str]) -> Self:
        """The kind with its codes."""
        made = cls(kind)
        made.codes = frozenset(codes)
        return made


Scalar = Literal["number", "text", "date", "partial_date", "time", "bool", "list", "map"] | Coded


@dataclass(frozen=True)
class Rows:
    """A list of rows: the kind of each item in a row."""

    items: Mapping[str, Scalar]


@dataclass(frozen=True)
class Facts:
    """A map with known names, such as `subject.arm`: the kind of each."""

    items: Mapping[str, Scalar]


Kind = Scalar | Rows | Facts

_LISTED = 20
"""So many codes are named where there is none like the one that is wrong."""

_BEFORE_NULL_TEST = frozenset({"(", ",", "&&", "||", "?", ":", "[", ""})
_AFTER_NULL_TEST = frozenset({")", ",", "&&", "||", "?", ":", "]", ""})


class Writer:
    """Rewrites the words twice: once for the type check, once for the engine.

    `strict` is for what is about to be published: a text that is compared with a coded item has to be one of its codes.
    """

    def __init__(
        self,
        tokens: list[Token],
        variables: Mapping[str, Kind],
        is_pattern: Callable[[str], bool],
        *,
        strict: bool = False,
    ) -> None:
        self.is_pattern = is_pattern  # whether the engine can use a literal as a pattern
        self.strict = strict
        self.tokens = tokens
        self.variables = variables
        self.checked: list[str] = []
        self.evaluated: list[str] = []
        self.origins: list[tuple[int, int]] = []  # (offset in the checked text, offset in the author's text)
        self.length = 0
        self.read: set[str] = set()  # variables whose value is needed
        self.tested: set[str] = set()  # variables asked whether they are empty
        self.parts: dict[str, set[str]] = {}  # of each map its members that are named
        self.whole: set[str] = set()  # maps that are used without naming a member
        self.aliases: dict[str, str] = {}  # stand-ins for `row.item`, for the type check alone
        self.closers = _closers(tokens)
        self.scopes = list(self._scopes())

    def write(self) -> None:
        """Write both texts. Raises ExpressionMistake."""
        index = 0
        while index < len(self.tokens):
            index = self._one(index)

    def _one(self, index: int) -> int:
        """Write the word(s) at `index`; the index of the next one."""
        token = self.tokens[index]
        if token.text == "is_missing" and self._text(index + 1) == "(":
            end = self.closers.get(index + 1, index + 2)
            chain = self._chain(index + 2)
            if chain is None or chain != end:
                raise token.mistake("is_missing asks about one item", "Write is_missing(item)")
            self._null_test(index + 2, chain, empty=True)
            return end + 1
        chain = self._chain(index) if token.kind == "name" and self._text(index - 1) != "." else None
        if chain is not None and self._text(chain) in {"==", "!="} and self._text(chain + 1) == "null":
            self._plain_null_test(index, chain)
            self._null_test(index, chain, empty=self._text(chain) == "==")
            return chain + 2
        if token.text == "null" and self._text(index + 1) in {"==", "!="}:
            other = self._chain(index + 2)
            if other is not None:
                self._plain_null_test(index, other - 2, after=other)
                self._null_test(index + 2, other, empty=self._text(index + 1) == "==")
                return other
        if token.text == "null" and self._text(index - 1) not in {"?", ":"}:
            raise token.mistake("null can only be compared with one item", "Write item == null, or is_missing(item)")
        if chain is not None:
            return self._names(index, chain)
        self._word(index)
        return index + 1

    def _plain_null_test(self, first: int, operator: int, after: int | None = None) -> None:
        after = operator + 2 if after is None else after
        if self._text(first - 1) not in _BEFORE_NULL_TEST or self._text(after) not in _AFTER_NULL_TEST:
            raise self.tokens[first].mistake(
                "a comparison with null stands inside another operation", "Put brackets around it"
            )

    def _null_test(self, first: int, end: int, *, empty: bool) -> None:
        """Emptiness of a variable, of a member of a map, or of a row's item."""
        names = [self.tokens[i].text for i in range(first, end, 2)]
        token = self.tokens[first]
        if len(names) == 1 and names[0] in self.variables:
            self.tested.add(names[0])
            stand_in = f"{names[0]}__null"
            self._emit(token, stand_in if empty else f"!{stand_in}")
            self.aliases[stand_in] = "bool"
            return
        checked, evaluated = self._reference(first, end, raw=True)
        if len(names) == 1:
            raise token.mistake("null can only be compared with an item", "Compare the item, not the row")
        self._emit(token, f"({checked} {'==' if empty else '!='} null)", f"{'!' if empty else ''}has({evaluated})")

    def _names(self, first: int, end: int) -> int:
        checked, evaluated = self._reference(first, end)
        self._emit(self.tokens[first], checked, evaluated)
        return end

    def _reference(self, first: int, end: int, *, raw: bool = False) -> tuple[str, str]:
        """How `a` or `a.b` is written for the check and for the engine; partial dates as their first day."""
        names = [self.tokens[i].text for i in range(first, end, 2)]
        root, token = names[0], self.tokens[first]
        plain = ".".join(names)
        bound = self._bound(root, first)
        kind: Kind | None
        if bound is not None:
            if len(names) == 1 or not isinstance(bound, Rows):
                self._assert_codes(first, end, bound)
                return plain, plain
            kind = self._member(bound.items, names, first)
            checked = self._alias(names, kind)
        else:
            declared = self.variables.get(root)
            if declared is None:
                if self._text(end) == "(" or root in {"true", "false", "null", "in"} or root in MACROS:
                    return plain, plain
                raise token.mistake(
                    f"there is no item or name {root!r} here",
                    near(
                        root, self.variables, otherwise=f"Names are {', '.join(sorted(self.variables)[:12]) or 'none'}"
                    ),
                )
            self.read.add(root)
            if len(names) > 1:
                self.parts.setdefault(root, set()).add(names[1])
            else:
                self.whole.add(root)
            kind = declared
            checked = plain
            if isinstance(declared, Facts) and len(names) > 1:
                kind = self._member(declared.items, names, first)
                checked = self._alias(names, kind)
            elif len(names) > 1 and declared != "map" and not isinstance(declared, Rows):
                raise token.mistake(f"{root!r} has no parts", f"Write {root} alone")
        if len(names) > 2:  # noqa: PLR2004 (a.b is the deepest there is)
            raise token.mistake(f"{plain!r} goes too deep", f"Write {'.'.join(names[:2])}")
        self._assert_codes(first, end, kind)
        if kind == "partial_date" and not raw and not self._inside("upper_bound", first):
            return f"lower_bound({checked})", f"lower_bound({plain})"
        return checked, plain

    def _assert_codes(self, first: int, end: int, kind: object) -> None:
        """Refuse a text beside a coded item that is none of its codes: such a comparison never holds."""
        if not self.strict or not isinstance(kind, Coded):
            return
        for index in self._texts_beside(first, end):
            token = self.tokens[index]
            code = token.text.lstrip("rR")[1:-1]
            beside = {self._text(index - 1), self._text(index + 1)}
            if code not in kind.codes and "+" not in beside:  # a part of a text that is put together
                names = "".join(each.text for each in self.tokens[first:end])
                listed = ", ".join(sorted(kind.codes)[:_LISTED])
                raise token.mistake(
                    f"{names} has no code {code!r}",
                    near(code, kind.codes, otherwise=f"Codes are {listed}" if listed else "It has none"),
                )

    def _texts_beside(self, first: int, end: int) -> Iterator[int]:
        """Where the texts stand that a name is compared with."""
        if self._text(end) in {"==", "!="} and self._kind(end + 1) == "text":
            yield end + 1
        if self._text(first - 1) in {"==", "!=", "in"} and self._kind(first - 2) == "text":
            yield first - 2
        if self._text(end) == "in" and self._text(end + 1) == "[":
            for index in range(end + 2, len(self.tokens)):
                if self._text(index) == "]":
                    return
                if self._kind(index) == "text":
                    yield index

    def _alias(self, names: list[str], kind: Scalar) -> str:
        """One variable that stands for `row.item` in the type check, where rows have no declared members."""
        alias = f"{names[0]}__{names[1]}__{kind}"
        self.aliases[alias] = kind
        return alias

    def _member(self, items: Mapping[str, Scalar], names: list[str], first: int) -> Scalar:
        if names[1] not in items:
            raise self.tokens[first + 2].mistake(
                f"{names[0]!r} has no {names[1]!r}",
                near(names[1], items, otherwise=f"It has {', '.join(sorted(items)) or 'nothing'}"),
            )
        return items[names[1]]

    def _word(self, index: int) -> None:
        token, before, after = self.tokens[index], self._text(index - 1), self._text(index + 1)
        if token.kind == "integer":
            is_index = before == "[" and after == "]" and self._is_index(index - 1)
            self._emit(token, token.text if is_index else f"{token.text}.0")
        elif (
            token.text == "["
            and self._is_index(index)
            and not (self._kind(index + 1) in {"integer", "text"} and self._text(index + 2) == "]")
        ):
            raise token.mistake("a place in a list is a plain number", "Write x[0], or use x.exists(v, …)")
        elif token.text == "size" and after == "(":
            self._emit(token, "double(size")
        elif token.text == "int" and after == "(":
            self._emit(token, "double(int")
        elif token.text == ")" and self._closes_wrapped(index):
            self._emit(token, "))")
        elif before == "(" and self._text(index - 2) == "matches" and token.kind == "text":
            if not self.is_pattern(token.text):
                raise token.mistake(
                    "this pattern cannot be used", "Write an RE2 pattern: no look-around, brackets closed"
                )
            self._emit(token, token.text)
        elif token.text == "null":
            self._emit(token, "null__any", "null")
            self.aliases["null__any"] = "any"
        else:
            self._emit(token, token.text)

    def _closes_wrapped(self, index: int) -> bool:
        return any(
            end == index and self._text(start - 1) in {"size", "int"} and self._text(start - 2) != "."
            for start, end in self.closers.items()
        )

    def _is_index(self, index: int) -> bool:
        before = self.tokens[index - 1] if index else None
        return before is not None and (before.text in {")", "]"} or (before.kind == "name" and before.text != "in"))

    def _inside(self, function: str, first: int) -> bool:
        return self._text(first - 1) == "(" and self._text(first - 2) == function

    def _chain(self, index: int) -> int | None:
        """End (exclusive) of `name(.name)*` from `index`; a part that is called does not belong to it."""
        if index >= len(self.tokens) or self.tokens[index].kind != "name" or self._text(index + 1) == "(":
            return None
        if self.tokens[index].text in {"in", "true", "false", "null"}:
            return None
        end = index + 1
        while self._text(end) == "." and end + 1 < len(self.tokens) and self.tokens[end + 1].kind == "name":
            if self._text(end + 2) == "(":
                break
            end += 2
        return end

    def _scopes(self) -> Iterator[tuple[str, int, int, Rows | Coded | None]]:
        """Variables bound by exists, all, filter and map: name, first and last word, and what they stand for."""
        for index, token in enumerate(self.tokens):
            if token.text in MACROS and self._text(index + 1) == "(" and self._text(index + 3) == ",":
                name = self.tokens[index + 2]
                if name.kind != "name" or name.text in self.variables:
                    raise name.mistake("the word for one element is already a name here", "Use another, such as r")
                rows = self.variables.get(self._text(self._receiver(index)))
                end = self.closers.get(index + 1, len(self.tokens))
                yield name.text, index + 2, end, rows if isinstance(rows, Rows | Coded) else None

    def _receiver(self, macro: int) -> int:
        """The word whose list a macro searches; `x.filter(…)` has the rows of x."""
        index = macro - 2
        openers = {end: start for start, end in self.closers.items()}
        while self._text(index) == ")" and self._text(openers.get(index, 0) - 1) == "filter":
            index = openers[index] - 3
        return index

    def _bound(self, name: str, index: int) -> Rows | Coded | Literal["element"] | None:
        for scope, first, last, rows in reversed(self.scopes):
            if scope == name and first <= index <= last:
                return rows or "element"
        return None

    def _kind(self, index: int) -> str:
        return self.tokens[index].kind if 0 <= index < len(self.tokens) else ""

    def _text(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def _emit(self, token: Token, checked: str, evaluated: str | None = None) -> None:
        self.origins.append((self.length, token.at))
        self.checked.append(checked + " ")
        self.length += len(checked) + 1
        self.evaluated.append((checked if evaluated is None else evaluated) + " ")

    def column(self, offset: int) -> int:
        """Column (from 1) in the author's text for an offset (from 0) in the checked text."""
        place = bisect_right(self.origins, (offset, math.inf)) - 1
        return self.origins[max(place, 0)][1] + 1


def _closers(tokens: list[Token]) -> dict[int, int]:
    """For each opening bracket the index of its closing one."""
    opened: list[int] = []
    pairs = {}
    for index, token in enumerate(tokens):
        if token.text == "(":
            opened.append(index)
        elif token.text == ")" and opened:
            pairs[opened.pop()] = index
    return pairs
