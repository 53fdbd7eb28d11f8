"""From what the form engine found to what a person is told: item, rule, remedy, in the caller's language."""

from collections.abc import Iterable

from app.core.errors import Fault
from app.forms.answers import Problem
from app.forms.definition import Form, Lang
from app.forms.words import say

_REASON = {
    "en": ("A change of what was stored needs its reason", "Send `reason`, for example: transcription error"),
    "zh": ("修改已保存的数据须说明原因", "请填写 reason，例如：转录错误"),
}


def faults(problems: Iterable[Problem], form: Form, lang: Lang) -> list[Fault]:
    """Each problem at its place in the body that was sent; the value itself is not repeated."""
    return [_fault(problem, form, lang) for problem in problems]


def _fault(problem: Problem, form: Form, lang: Lang) -> Fault:
    message, remedy = say(problem, form, lang)
    pointer = f"/answers/{problem.item}"
    if problem.row is not None and form.has(problem.item):
        pointer = f"/answers/{form.section_of(problem.item).id}/{problem.row}/{problem.item}"
    return Fault(pointer, problem.code, message, remedy, item=problem.item, row=problem.row)


def reason_missing(lang: Lang) -> Fault:
    """The fault of a change without its reason."""
    message, remedy = _REASON[lang]
    return Fault("/reason", "reason-required", message, remedy)
