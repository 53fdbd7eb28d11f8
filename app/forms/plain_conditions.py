"""Plain conditions in Python: most conditions compare single items with literals, and need no engine for that.

Understood are `x == 'A'`, `x != 'A'`, `x in ['A', 'B']` of texts and times, these and `< <= > >=` of numbers,
`x == null`, `x != null` and `is_missing(x)`, of an item or of a fact such as `subject.arm`, joined by `&&`, `||`, `!`
and brackets. Everything else is the engine's, and so is a value of another type than its kind has.
"""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from app.forms.rewriting import Facts, Kind
from app.forms.tokens import Token

Condition = Callable[[Mapping[str, Any]], bool | None]
"""True, False, or None where an empty item leaves it open. Raises UnlikeError for a value that the engine must see."""

_Read = Callable[[Mapping[str, Any]], Any]

_NUMBER, _TEXT = frozenset({float}), frozenset({str})
_TYPES: Mapping[str, frozenset[type]] = {
    "number": _NUMBER, "text": _TEXT, "date": _TEXT, "time": _TEXT,
    "map": _NUMBER | _TEXT,  # facts without kinds
}  # fmt: skip
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_OF_TEXTS = frozenset({"==", "!="})


class UnlikeError(Exception):
    """A value is not of the type that its kind has."""


class _NotPlainError(Exception):
    pass


def plain_condition(tokens: list[Token], variables: Mapping[str, Kind]) -> Condition | None:
    """The condition as a function of the variables; None where it is not plain. Its words were checked before."""
    reader = _Reader(tokens, variables)
    try:
        condition = reader.either()
    except _NotPlainError:
        return None
    return condition if reader.at == len(tokens) else None


class _Reader:
    """Reads a condition from its words, the loosest binding first."""

    def __init__(self, tokens: list[Token], variables: Mapping[str, Kind]) -> None:
        self.tokens = tokens
        self.variables = variables
        self.at = 0

    def either(self) -> Condition:
        return self._joined("||", self.both, decides=True)

    def both(self) -> Condition:
        return self._joined("&&", self.one, decides=False)

    def _joined(self, sign: str, part: Callable[[], Condition], *, decides: bool) -> Condition:
        parts = [part()]
        while self._takes(sign):
            parts.append(part())
        return parts[0] if len(parts) == 1 else _logic(tuple(parts), decides=decides)

    def one(self) -> Condition:
        turned = False
        while self._takes("!"):  # CEL lets any number stand together
            turned = not turned
        return _negated(self._unsigned()) if turned else self._unsigned()

    def _unsigned(self) -> Condition:
        if self._takes("("):
            inner = self.either()
            self._needs(")")
            return inner
        if self._takes("is_missing"):
            self._needs("(")
            asked = self._emptiness(*self._named(), empty=True)
            self._needs(")")
            return asked
        kind, names = self._named()
        sign = self._next().text
        if sign in {"==", "!="} and self._takes("null"):
            return self._emptiness(kind, names, empty=sign == "==")
        if sign == "in":
            among = self._listed()
            return _membership(_reading(names, self._fitting(kind, *among)), frozenset(among))
        literal = self._literal()
        expected = self._fitting(kind, literal)
        if sign not in (_OF_TEXTS if expected is str else _COMPARE):
            raise _NotPlainError
        return _comparison(_reading(names, expected), _COMPARE[sign], literal)

    def _fitting(self, kind: Kind, *literals: Any) -> type:
        """The one type of the literals, where the kind has it."""
        found = set(map(type, literals))
        if len(found) > 1 or not isinstance(kind, str) or not found <= _TYPES.get(kind, frozenset()):
            raise _NotPlainError
        return found.pop()

    def _emptiness(self, kind: Kind, names: list[str], *, empty: bool) -> Condition:
        if isinstance(kind, Facts):
            raise _NotPlainError
        return _empty(*names, empty=empty)

    def _named(self) -> tuple[Kind, list[str]]:
        """An item, or a fact by two names, and its kind."""
        names = [self._next("name").text]
        kind = self.variables.get(names[0])
        if (isinstance(kind, Facts) or kind == "map") and self._takes("."):
            names.append(self._next("name").text)
            kind = kind.items.get(names[1]) if isinstance(kind, Facts) else kind
        if kind is None:
            raise _NotPlainError
        return kind, names

    def _listed(self) -> list[Any]:
        self._needs("[")
        values = [self._literal()]
        while self._takes(","):
            values.append(self._literal())
        self._needs("]")
        return values

    def _literal(self) -> float | str:
        token = self._next()
        if token.kind in {"integer", "number"}:
            return float(token.text)
        if token.kind == "text" and token.text[0] in "'\"" and "\\" not in token.text:
            return token.text[1:-1]
        raise _NotPlainError

    def _next(self, kind: str | None = None) -> Token:
        if self.at == len(self.tokens) or kind not in {None, self.tokens[self.at].kind}:
            raise _NotPlainError
        self.at += 1
        return self.tokens[self.at - 1]

    def _takes(self, text: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at].text == text
        self.at += found
        return found

    def _needs(self, text: str) -> None:
        if not self._takes(text):
            raise _NotPlainError


def _reading(names: list[str], expected: type) -> _Read:
    """How an item is read, None where it is empty."""
    name, *member = names

    def item(variables: Mapping[str, Any]) -> Any:
        value = variables.get(name)
        if value is not None and type(value) is not expected:
            raise UnlikeError
        return value

    def fact(variables: Mapping[str, Any]) -> Any:
        facts = _facts(variables, name)
        value = None if facts is None else facts.get(member[0])
        if value is not None and type(value) is not expected:
            raise UnlikeError
        return value

    return fact if member else item


def _facts(variables: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    facts = variables.get(name)
    if facts is not None and not isinstance(facts, Mapping):
        raise UnlikeError
    return facts


def _comparison(read: _Read, holds: Callable[[Any, Any], bool], literal: Any) -> Condition:
    def comparison(variables: Mapping[str, Any]) -> bool | None:
        value = read(variables)
        return None if value is None else holds(value, literal)

    return comparison


def _membership(read: _Read, among: frozenset[Any]) -> Condition:
    def membership(variables: Mapping[str, Any]) -> bool | None:
        value = read(variables)
        return None if value is None else value in among

    return membership


def _empty(name: str, member: str = "", *, empty: bool) -> Condition:
    """Whether an item is empty, which is always known; of a fact it is open while no facts are known at all."""

    def item(variables: Mapping[str, Any]) -> bool | None:
        return (variables.get(name) is None) is empty

    def fact(variables: Mapping[str, Any]) -> bool | None:
        facts = _facts(variables, name)
        return None if facts is None else (facts.get(member) is None) is empty

    return fact if member else item


def _negated(part: Condition) -> Condition:
    def negated(variables: Mapping[str, Any]) -> bool | None:
        found = part(variables)
        return None if found is None else not found

    return negated


def _logic(parts: tuple[Condition, ...], *, decides: bool) -> Condition:
    """One side decides (true for `||`, false for `&&`); without it an open side leaves it open."""

    def joined(variables: Mapping[str, Any]) -> bool | None:
        known = True
        for part in parts:
            found = part(variables)
            if found is decides:
                return decides
            known = known and found is not None
        return not decides if known else None

    return joined
