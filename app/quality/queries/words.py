"""What a query says to a reader: the rule's words, or those of the person who asked; and what the system did in it."""

from collections.abc import Mapping
from typing import Any

from app.forms.definition import Form, Lang
from app.models.queries import QueryAction
from app.quality.read import told

SHOWN = 500
"""Characters of a person's question that lists show; the thread has all of it."""

_DONE: Mapping[str, Mapping[Lang, str]] = {
    QueryAction.SPARE: {
        "en": "The value that was confirmed as correct stands again; it is not asked about again",
        "zh": "已确认无误的数值再次出现，不再提出质疑",
    },
    QueryAction.SETTLE: {
        "en": "The data no longer give rise to this question",
        "zh": "数据已不再触发该质疑",
    },
    QueryAction.STRIKE: {
        "en": "The page was struck; it counts for nothing",
        "zh": "该页面已作废，不再计入",
    },
}


def asked(row: Mapping[str, Any], form: Form | None, language: Lang) -> tuple[str | None, str | None]:
    """(message, remedy) of a query: `detail` is its finding's, `question` the words of who opened it."""
    if row["rule"] is not None:
        return told(row, form, language)
    question = row["question"]
    return (question[:SHOWN] + "…" if question and len(question) > SHOWN else question), None


def said(row: Mapping[str, Any], form: Form | None, language: Lang) -> str | None:
    """The words of one message: a person's own, or in the reader's language what the system did."""
    if row["action"] == QueryAction.RAISE:
        return told(row, form, language)[0]
    done = _DONE.get(row["action"])
    return done[language] if done else row["text"]
