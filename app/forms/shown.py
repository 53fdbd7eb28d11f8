"""An answer in the words in which a person reads it, in either language."""

from typing import Any

from app.forms.definition import Item, ItemType, Lang
from app.forms.values import plain
from app.forms.words import reason

_YES_NO = {"en": {"Y": "yes", "N": "no"}, "zh": {"Y": "是", "N": "否"}}


def shown(item: Item, answer: Any, lang: Lang) -> str:
    """The value with its unit, codes by their labels, or why there is none; an empty text where nothing was said."""
    value, unit, missing = plain(answer)
    if missing is not None:
        return reason(missing, lang)
    if value is None:
        return ""
    words = {code.code: code.label.of(lang) for code in item.codes}
    if item.type is ItemType.YES_NO:
        words = _YES_NO[lang]
    told = [words.get(str(each), str(each)) for each in (value if isinstance(value, list) else [value])]
    unit = unit or item.unit
    return ("、" if lang == "zh" else ", ").join(told) + (f" {unit}" if unit else "")
