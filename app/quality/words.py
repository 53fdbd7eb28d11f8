"""The words of findings that belong to no item of a form, by rule and language: message and remedy."""

from collections.abc import Mapping

from app.forms.definition import Lang

WORDS: Mapping[str, Mapping[Lang, tuple[str, str]]] = {
    "endpoint-contradiction": {
        "en": (
            "Two dates contradict each other, so this endpoint, or a variant of it, has no number",
            "Compare the dates with the source documents and correct the wrong one",
        ),
        "zh": ("日期相互矛盾，该终点或其变体无法计算", "请与原始资料核对日期并更正错误的一项"),
    },
    "contact-after-death": {
        "en": (
            "A page shows the patient alive after the documented day of death",
            "Compare the date of death and the later dates with the source documents and correct the wrong one",
        ),
        "zh": ("有页面显示患者在记录的死亡日期之后仍存活", "请与原始资料核对死亡日期及其后的日期，并更正错误的一项"),
    },
    "endpoint-undated": {
        "en": (
            "This event happened and cannot be dated well enough for the endpoint or a variant of it",
            "Find the date as exactly as the source documents allow",
        ),
        "zh": ("事件已发生，但日期不足以计算该终点或其变体", "请按原始资料补充尽可能完整的日期"),
    },
}

FORMER: Mapping[Lang, tuple[str, str]] = {
    "en": ("A rule of an earlier version asked about this item", "Look at the item as it stands now"),
    "zh": ("较早版本的规则曾对该项目提出质疑", "请查看该项目的当前内容"),
}
"""Of a rule or an item that there is no longer."""
