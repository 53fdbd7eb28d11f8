"""A result as a sentence a physician can read, in English and Chinese."""

from collections.abc import Callable, Mapping
from typing import Literal

from app.clinical.endpoints.occurrence import Occurrence, Source
from app.clinical.endpoints.result import Result, Status, Why

Lang = Literal["en", "zh"]

_OUTCOME = {
    "en": {
        Status.EVENT: "Event: {what} on {adt}, day {days} from {origin} {start}{imputed}{source}.",
        Status.COMPETING: "Competing event: {what} on {adt}, day {days} from {origin} {start}{imputed}{source}.",
    },
    "zh": {
        Status.EVENT: "事件：{what}，{adt}，自{origin}（{start}）起第{days}天{imputed}{source}。",
        Status.COMPETING: "竞争事件：{what}，{adt}，自{origin}（{start}）起第{days}天{imputed}{source}。",
    },
}
_REASON = {
    "en": {
        Why.NOT_IN_POPULATION: "Not in the population: no {what} by the cut-off.",
        Why.NO_ORIGIN: "No time zero: no {what} by the cut-off.",
        Why.NOT_ENTERED: "Never at risk: no {what} by the cut-off.",
        Why.BEFORE_ENTRY: "Never at risk: follow-up ended before {what}{source}.",
        Why.UNDATED: "No result: {what} has no certain date, and it could change it{source}. Please clarify the date.",
        Why.UNDATED_ORIGIN: "No result: the time zero, {what}, has no certain date{source}. Please clarify the date.",
        Why.ONCE_BEFORE_ORIGIN: "No result: {what} is dated before {origin} {start}{source}. Please check both dates.",
        Why.LAST_FOLLOW_UP: "Censored on {adt}, day {days} from {origin} {start}: {what}{source}.",
        Why.NO_FOLLOW_UP: "Censored on {adt}, day {days}: no follow-up after {origin} {start}.",
        Why.AT_CUTOFF: "Censored at the cut-off {adt}, day {days} from {origin} {start}: followed beyond it.",
        Why.AT_HORIZON: "Censored on {adt}, day {days} from {origin} {start}: the last day that counts.",
        Why.EXTRA: "Censored on {adt}, day {days} from {origin} {start}: {what}{source}.",
    },
    "zh": {
        Why.NOT_IN_POPULATION: "不属于分析人群：截止日前无{what}。",
        Why.NO_ORIGIN: "无起点：截止日前无{what}。",
        Why.NOT_ENTERED: "从未处于风险期：截止日前无{what}。",
        Why.BEFORE_ENTRY: "从未处于风险期：随访在{what}之前结束{source}。",
        Why.UNDATED: "无法得出结果：{what}的日期不确定且会影响结果{source}。请核实日期。",
        Why.UNDATED_ORIGIN: "无法得出结果：起点（{what}）的日期不确定{source}。请核实日期。",
        Why.ONCE_BEFORE_ORIGIN: "无法得出结果：{what}早于{origin}（{start}）{source}。请核对两个日期。",
        Why.LAST_FOLLOW_UP: "删失：{adt}，自{origin}（{start}）起第{days}天，{what}{source}。",
        Why.NO_FOLLOW_UP: "删失：{adt}，第{days}天，{origin}（{start}）之后无随访。",
        Why.AT_CUTOFF: "删失于数据截止日{adt}，自{origin}（{start}）起第{days}天，其后仍有随访。",
        Why.AT_HORIZON: "删失：{adt}，自{origin}（{start}）起第{days}天，为统计的最后一天。",
        Why.EXTRA: "删失：{adt}，自{origin}（{start}）起第{days}天，{what}{source}。",
    },
}
_IMPUTED = {
    "en": {"D": " (day imputed)", "M": " (month and day imputed)"},
    "zh": {"D": "（日为推定）", "M": "（月、日为推定）"},
}
_ENDS: Mapping[Lang, Mapping[Why | None, str]] = {
    "en": {Why.NO_FOLLOW_UP: "time zero", Why.AT_CUTOFF: "data cut-off", Why.AT_HORIZON: "day {day}"},
    "zh": {Why.NO_FOLLOW_UP: "起点", Why.AT_CUTOFF: "数据截止日", Why.AT_HORIZON: "第{day}天"},
}
_FOLLOW_UP = {"en": "last contact", "zh": "末次联系"}


Told = Callable[[str, str | None, str | None], str]
"""What people call a form (its key), an item of it, or a value of the item."""


def by_key(form: str, item: str | None, value: str | None) -> str:
    """The keys themselves, where nobody knows the pages."""
    return value or item or form.replace("_", " ")


def sentence(result: Result, lang: Lang, told: Told = by_key) -> str:
    """What happened, when, counted from what, and where it is written."""
    milestones, spec = result.spec.milestones, result.spec
    what = milestones.words(result.milestone) if result.milestone is not None else None
    parts = {
        "what": _FOLLOW_UP[lang] if what is None else _inside(getattr(what, lang)),
        "origin": _inside(getattr(milestones.words(spec.origin), lang)),
        "start": result.start or (result.origin and result.origin.date),
        "adt": result.adt,
        "days": result.days,
        "imputed": _IMPUTED[lang].get(result.flag, ""),
        "source": _sources(result.fact, lang, told),
    }
    template = _OUTCOME[lang][result.status] if result.why is None else _REASON[lang][result.why]
    return template.format(**parts)


def description(result: Result, lang: Lang = "en") -> str:
    """ADaM's EVNTDESC for an outcome, CNSDTDSC for a censored result: what decided its day; empty without a day."""
    if result.adt is None:
        return ""
    if result.why in _ENDS[lang]:
        return _ENDS[lang][result.why].format(day=result.spec.truncate_day)
    if result.milestone is not None:
        return str(getattr(result.spec.milestones.words(result.milestone), lang))
    return _FOLLOW_UP[lang]


def source_words(source: Source, lang: Lang, told: Told = by_key) -> str:
    """The place of one item: form with its repeat, visit, row, revision; and what stands beside it."""
    form, item = told(source.form, None, None), told(source.form, source.item, None)
    repeat = f".{source.repeat}" if source.repeat > 1 else ""
    row = "" if source.row is None else (f", row {source.row}" if lang == "en" else f"，第{source.row}行")
    shown = "".join(
        f", {told(source.form, name, None)}: {told(source.form, name, value)}" for name, value in source.show
    )
    if lang == "zh":
        return f"{form}{repeat}，{source.visit}访视{row}，{item}，第{source.revision}版{shown}"
    return f"{form[:1].upper()}{form[1:]}{repeat}, {source.visit} visit{row}, {item}, revision {source.revision}{shown}"


def _sources(fact: Occurrence | None, lang: Lang, told: Told) -> str:
    if fact is None or not fact.sources:
        return ""
    listed = "; ".join(source_words(source, lang, told) for source in fact.sources)
    return f" (source: {listed})" if lang == "en" else f"（来源：{listed}）"


def _inside(words: str) -> str:
    """A label inside a sentence: no capital, unless the word is an abbreviation."""
    return words[0].lower() + words[1:] if len(words) > 1 and words[1].islower() else words
