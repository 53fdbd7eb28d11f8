"""The words of an expression, and the rules that can be checked on words alone: budgets and forbidden constructs."""

import re
from dataclasses import dataclass

from app.forms.mistakes import near

MAX_CHARACTERS = 2000
MAX_COMPREHENSIONS = 2  # one inside another

MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
FUNCTIONS = frozenset(
    {
        "size", "has", "matches", "contains", "startsWith", "endsWith", "int", "double", "string",
        "days_between", "months_between", "age_years", "is_missing", "lower_bound", "upper_bound",
    }
)  # fmt: skip
#: Functions that came later: an item may have such a name, for a name before a bracket is the function.
LATER = frozenset({"times", "ratio", "change_pct"})
CALLED = FUNCTIONS | LATER | MACROS
#: Words an item cannot be named after: CEL's own, and the names every page has.
RESERVED = (
    FUNCTIONS
    | MACROS
    | frozenset(
        {
            "true", "false", "null", "in", "as", "break", "const", "continue", "else",
            "for", "function", "if", "import", "let", "loop", "package", "namespace", "return",
            "var", "void", "while", "bool", "bytes", "dyn", "list", "type", "uint",
            "null_type", "subject", "study", "visit", "window", "endpoint", "missing", "row",
            "optional", "math", "strings", "cel",
        }
    )
)  # fmt: skip

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+|//[^\n]*)
  | (?P<text>[rR]"[^"\n]*"|[rR]'[^'\n]*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
  | (?P<number>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
  | (?P<integer>[0-9]+)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)


class ExpressionMistake(ValueError):  # noqa: N818 (a mistake of the author, no error of the program)
    """An expression that cannot be published: the column (from 1), what is wrong, what to do. Never a value."""

    def __init__(self, column: int, message: str, remedy: str) -> None:
        super().__init__(f"column {column}: {message}. {remedy}")
        self.column = column
        self.message = message
        self.remedy = remedy


def members(expression: str, of: str) -> frozenset[str]:
    """The `x` of every `of.x` in an expression that was found sound."""
    tokens = tokenise(expression)
    return frozenset(
        third.text
        for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if first.text == of and second.text == "." and third.kind == "name"
    )


@dataclass(frozen=True, slots=True)
class Token:
    """One word: what kind it is, its text, and the offset (from 0) where it begins."""

    kind: str
    text: str
    at: int

    def mistake(self, message: str, remedy: str) -> ExpressionMistake:
        """A mistake that stands at this word."""
        return ExpressionMistake(self.at + 1, message, remedy)


def tokenise(expression: str) -> list[Token]:
    """The words of an expression without spaces and comments. Raises ExpressionMistake."""
    if len(expression) > MAX_CHARACTERS:
        raise ExpressionMistake(
            MAX_CHARACTERS + 1,
            f"the expression is longer than {MAX_CHARACTERS} characters",
            "Split it into computed items",
        )
    tokens: list[Token] = []
    at = 0
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None:
            raise ExpressionMistake(
                at + 1,
                f"the character {expression[at]!r} has no meaning here",
                "Texts stand in quotes; see docs/forms.md",
            )
        if found.lastgroup != "space" and found.lastgroup is not None:
            tokens.append(Token(found.lastgroup, found[0], at))
        at = found.end()
    if not tokens:
        raise ExpressionMistake(1, "the expression is empty", "Remove the key, or write a condition")
    _judge(tokens)
    return tokens


def _judge(tokens: list[Token]) -> None:
    """Refuse what the engines read differently or what could cost without limit."""
    depth: list[str] = []
    for before, token, after in zip([None, *tokens[:-1]], tokens, [*tokens[1:], None], strict=True):
        if after is not None:
            _judge_pair(token, after)
        if token.kind == "name":
            _judge_name(token, before, after)
        if token.text == "{":
            raise token.mistake("maps written inside an expression are not part of the language", "Use conditions")
        if token.text == "(":
            depth.append(before.text if before is not None and before.kind == "name" else "")
            if sum(word in MACROS for word in depth) > MAX_COMPREHENSIONS:
                raise token.mistake(
                    f"lists are searched inside lists more than {MAX_COMPREHENSIONS} deep",
                    "Use a computed item per row",
                )
        elif token.text == ")" and depth:
            depth.pop()


def _judge_pair(token: Token, after: Token) -> None:
    if (token.text, after.text) in {("?", "."), ("?", "["), ("[", "?")} and _touch(token, after):
        raise token.mistake("the optional signs '?.' and '[?' are not part of the language", "Use is_missing(x)")
    if token.kind in {"integer", "number"} and after.kind == "name" and _touch(token, after):
        raise token.mistake("a number is followed by letters", "Write numbers in decimal digits, such as 5 or 0.5")
    if after.kind == "text" and token.kind in {"text", "name"} and _touch(token, after):
        raise after.mistake("a text stands directly after another word", "Use plain quotes: 'text' or \"text\"")


def _judge_name(token: Token, before: Token | None, after: Token | None) -> None:
    if "__" in token.text:
        raise token.mistake("names with two underscores together are kept for the engine", "Use another name")
    if after is None or after.text != "(" or token.text == "in":
        return
    if token.text not in CALLED:
        raise token.mistake(
            f"there is no function {token.text!r}",
            near(token.text, CALLED, otherwise=f"Functions are {', '.join(sorted(CALLED))}"),
        )
    member = before is not None and before.text == "."
    if member != (token.text in MACROS or token.text in {"contains", "startsWith", "endsWith", "matches"}):
        right = f"{token.text}(…)" if member else f"x.{token.text}(…)"
        raise token.mistake(f"{token.text!r} is called in another way", f"Write {right}")


def _touch(first: Token, second: Token) -> bool:
    return first.at + len(first.text) == second.at
