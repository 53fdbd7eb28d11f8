"""Show-when conditions as JSON Schema, where they are simple enough for renderers that know no CEL."""

from typing import Any

from app.forms.definition import Item, ItemType
from app.forms.tokens import Token, tokenise

_COMPARED = {ItemType.YES_NO, ItemType.SINGLE, ItemType.INTEGER}


def as_schema(condition: str, items: dict[str, Item]) -> dict[str, Any] | None:
    """The condition as a schema of the answers it holds for, over plain answers of `items`.

    Understood are `x == v`, `x != v` and `x in [v, …]` on yes/no, single choices and integers, joined by nothing but
    `&&` or nothing but `||`. None for anything else.
    """
    tokens = tokenise(condition)
    while _wrapped(tokens):
        tokens = tokens[1:-1]
    joints = {token.text for token in tokens if token.text in {"&&", "||"}}
    if len(joints) > 1:
        return None
    parts = [_comparison(part, items) for part in _split(tokens)]
    schemas = [part for part in parts if part is not None]
    if len(schemas) < len(parts):
        return None
    if len(schemas) == 1:
        return schemas[0]
    return {"allOf" if joints == {"&&"} else "anyOf": schemas}


def _wrapped(tokens: list[Token]) -> bool:
    """Whether one pair of brackets encloses everything."""
    if len(tokens) < 2 or tokens[0].text != "(" or tokens[-1].text != ")":  # noqa: PLR2004 (a pair)
        return False
    depth = 0
    for token in tokens[:-1]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            return False
    return True


def _split(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in {"&&", "||"}:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _comparison(tokens: list[Token], items: dict[str, Item]) -> dict[str, Any] | None:
    while _wrapped(tokens):
        tokens = tokens[1:-1]
    texts = [token.text for token in tokens]
    if len(tokens) < 3 or texts[0] not in items or items[texts[0]].type not in _COMPARED:  # noqa: PLR2004 (x == v)
        return None
    if texts[1] in {"==", "!="} and len(tokens) == 3:  # noqa: PLR2004 (x == v)
        values = [_literal(tokens[2])]
    elif texts[1] == "in" and texts[2] == "[" and texts[-1] == "]" and all(t == "," for t in texts[4:-1:2]):
        values = [_literal(token) for token in tokens[3:-1:2]]
    else:
        return None
    if not values or None in values:
        return None
    choice: dict[str, Any] = {"enum": values}
    if texts[1] == "!=":
        # a reason in the place of the value leaves the comparison open, and an open condition does not show
        choice = {"type": "integer" if items[texts[0]].type is ItemType.INTEGER else "string", "not": choice}
    return {"properties": {texts[0]: choice}, "required": [texts[0]]}


def _literal(token: Token) -> str | int | None:
    if token.kind == "integer":
        return int(token.text)
    if token.kind == "text" and token.text[0] in "'\"" and "\\" not in token.text:
        return token.text[1:-1]
    return None
