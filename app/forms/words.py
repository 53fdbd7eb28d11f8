"""What to say to a person about a problem or a question, in English and Chinese. Never the entered value."""

from collections.abc import Mapping

from app.forms.definition import CHECK, Form, Item, Lang
from app.forms.findings import Problem, Question
from app.forms.mistakes import near

_SHOWN_CODES = 20

#: code -> (message, remedy) in English, (message, remedy) in Chinese
CATALOGUE: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "not_an_object": (
        ("The answers are not a JSON object", 'Send {{"item": answer, …}}'),
        ("提交的内容不是 JSON 对象", '请按 {{"项目": 答案, …}} 的形式提交'),
    ),
    "unknown_item": (
        ("The form has no item of this name", "Remove it. {hint}"),
        ("表单中没有该项目", "请删除该项。{hint}"),
    ),
    "unknown_key": (
        ("{label}: the answer has a key that has no meaning", "Use only {allowed}"),
        ("{label}：答案中含有无法识别的键", "只能使用 {allowed}"),
    ),
    "belongs_in_rows": (
        ("{label} belongs in the rows of {section}", "Enter it in a row"),
        ("{label}属于“{section}”的行内项目", "请在行内填写"),
    ),
    "computed": (
        ("{label} is computed and cannot be entered", "Leave it out"),
        ("{label}为自动计算项，不能填写", "请勿提交该项"),
    ),
    "value_and_missing": (
        ("{label} has both a value and a missing reason", "Keep one of the two"),
        ("{label}同时填写了数值和缺失原因", "请只保留其中之一"),
    ),
    "missing_not_allowed": (
        ("{label}: this missing reason cannot be given here", "Possible reasons: {allowed}"),
        ("{label}：此处不能使用该缺失原因", "可用的缺失原因：{allowed}"),
    ),
    "unit": (
        ("{label}: this unit is not accepted", "Accepted units: {allowed}"),
        ("{label}：不接受该单位", "可用单位：{allowed}"),
    ),
    "not_text": (("{label} is not a text", "Enter a text"), ("{label}不是文本", "请填写文本")),
    "too_long": (
        ("{label} is too long", "At most {limit} characters"),
        ("{label}过长", "最多 {limit} 个字符"),
    ),
    "control_characters": (
        ("{label} contains characters that cannot be stored", "Type the text again, without control characters"),
        ("{label}含有无法保存的字符", "请重新输入，不要包含控制字符"),
    ),
    "not_integer": (
        ("{label} is not a whole number", "Enter digits only, such as 12"),
        ("{label}不是整数", "请只输入数字，例如 12"),
    ),
    "not_decimal": (
        ("{label} is not a number", "Enter a decimal number, such as 0.9"),
        ("{label}不是数字", "请输入小数，例如 0.9"),
    ),
    "too_many_digits": (
        ("{label} has too many digits", "At most {limit} before and after the decimal point"),
        ("{label}的位数过多", "小数点前后最多各 {limit} 位"),
    ),
    "too_many_decimals": (
        ("{label} has too many decimals", "At most {limit}"),
        ("{label}的小数位数过多", "最多 {limit} 位小数"),
    ),
    "below_min": (
        ("{label} is below {limit} {unit}, the least that can be stored", "Check value and unit"),
        ("{label}低于允许的最小值 {limit} {unit}", "请核对数值和单位"),
    ),
    "above_max": (
        ("{label} is above {limit} {unit}, the most that can be stored", "Check value and unit"),
        ("{label}高于允许的最大值 {limit} {unit}", "请核对数值和单位"),
    ),
    "not_yes_no": (
        ("{label} is neither yes nor no", "Enter Y or N"),
        ("{label}既不是“是”也不是“否”", "请填写 Y（是）或 N（否）"),
    ),
    "not_a_code": (
        ("{label}: this is not one of the choices", "Choices: {allowed}"),
        ("{label}：不在可选项内", "可选项：{allowed}"),
    ),
    "not_a_list": (
        ("{label} takes several choices", "Send a list of codes"),
        ("{label}为多选项", "请以列表形式提交代码"),
    ),
    "not_codes": (
        ("{label}: not all of these are choices", "Choices: {allowed}"),
        ("{label}：含有不在可选项内的代码", "可选项：{allowed}"),
    ),
    "chosen_twice": (
        ("{label}: a choice is given twice", "Give each choice once"),
        ("{label}：同一选项重复选择", "每个选项只能选择一次"),
    ),
    "not_date": (
        ("{label} is not a date", "Enter a real day, YYYY-MM-DD, from 1900 to 2200"),
        ("{label}不是有效日期", "请按 YYYY-MM-DD 填写真实日期（1900 至 2200 年）"),
    ),
    "not_partial_date": (
        ("{label} is not a date", "Enter what is known: YYYY-MM-DD, YYYY-MM or YYYY, from 1900 to 2200"),
        ("{label}不是有效日期", "请填写已知部分：YYYY-MM-DD、YYYY-MM 或 YYYY（1900 至 2200 年）"),
    ),
    "before_min": (
        ("{label} lies before {limit}, the first day that can be stored", "Check the date"),
        ("{label}早于允许的最早日期 {limit}", "请核对日期"),
    ),
    "after_max": (
        ("{label} lies after {limit}, the last day that can be stored", "Check the date"),
        ("{label}晚于允许的最晚日期 {limit}", "请核对日期"),
    ),
    "not_time": (
        ("{label} is not a time of day", "Enter HH:MM, from 00:00 to 23:59"),
        ("{label}不是有效时间", "请按 HH:MM 填写（00:00 至 23:59）"),
    ),
    "not_rows": (("{label} takes rows", "Send a list of rows"), ("{label}需按行填写", "请以行列表形式提交")),
    "too_many_rows": (
        ("{label} has too many rows", "At most {limit}"),
        ("{label}的行数过多", "最多 {limit} 行"),
    ),
    "not_a_row": (
        ("{label}: this is not a row", 'Send {{"item": answer, …}} for each row'),
        ("{label}：该行格式不正确", '每行请按 {{"项目": 答案, …}} 提交'),
    ),
    "row_number": (
        ("{label}: the row number cannot be used", "Use a whole number from 1, or leave it out for a new row"),
        ("{label}：行号无效", "请使用从 1 开始的整数；新行可不填行号"),
    ),
    "row_twice": (
        ("{label}: two rows have the same number", "Give each row its own number, or leave it out for a new row"),
        ("{label}：行号重复", "每行行号须唯一；新行可不填行号"),
    ),
    "required": (
        ("{label} has no answer", "Answer it{reasons}"),
        ("{label}尚未填写", "请填写{reasons}"),
    ),
    "soft_min": (
        ("{label} is unusually low, below {limit} {unit}", "Confirm or correct the value and its unit"),
        ("{label}异常偏低，低于 {limit} {unit}", "请确认或更正数值和单位"),
    ),
    "soft_max": (
        ("{label} is unusually high, above {limit} {unit}", "Confirm or correct the value and its unit"),
        ("{label}异常偏高，高于 {limit} {unit}", "请确认或更正数值和单位"),
    ),
    "in_future": (
        (
            "{label} lay in the future when the page was saved",
            "Correct the date; enter what happens once it has happened",
        ),
        ("{label}在保存本页时尚未到来", "请更正日期；事件发生之后再录入"),
    ),
    "derived-differs": (
        (
            "{label} is not what the findings on this page amount to by the published rule ({computed})",
            "Compare the findings with your assessment; correct whichever is wrong, or confirm the assessment",
        ),
        (
            "{label}与本页检查结果按已发表规则得出的结论（{computed}）不一致",
            "请核对检查结果与您的判断；更正有误的一项，或确认原判断",
        ),
    ),
    "computed-changed": (
        (
            "{label} has come out differently since the page was closed or signed",
            "Look at what was changed on other pages; save or sign the page again once it is right",
        ),
        ("{label}在本页锁定或签名之后的计算结果已改变", "请核对其他页面的更改；确认无误后重新保存或签署本页"),
    ),
    "left_behind": (
        ("{label} has an answer although it does not apply here", "Clear it, or correct the answer it depends on"),
        ("{label}在此情况下不适用，但已有答案", "请清除该答案，或更正其所依赖的答案"),
    ),
}

REASONS: Mapping[str, tuple[str, str]] = {
    "not_done": ("not done", "未做"),
    "unknown": ("unknown", "未知"),
    "not_applicable": ("not applicable", "不适用"),
    "not_available": ("not available", "无法获得"),
    "refused": ("refused", "拒绝"),
}


def say(problem: Problem | Question, form: Form, lang: Lang = "en") -> tuple[str, str]:
    """(message, remedy) for a problem or question of this form: item, limits, units and codes, never the value."""
    code = problem.rule if isinstance(problem, Question) else problem.code
    if code.startswith(CHECK):  # an edit check carries its own words
        return str(problem.params["message"][lang]), str(problem.params["remedy"][lang])
    message, remedy = CATALOGUE[code][1 if lang == "zh" else 0]
    item = form.item(problem.item) if form.has(problem.item) else None
    words = {
        "label": _label(problem.item, form, lang) + _row(problem, lang),
        "limit": str(problem.params.get("limit", "")),
        "unit": str(problem.params.get("unit") or ""),
        "section": _label(str(problem.params.get("section", "")), form, lang),
        "allowed": _allowed(problem, item, lang),
        "reasons": _reasons(problem, lang),
        "computed": _label(str(problem.params.get("computed", "")), form, lang),
        "hint": near(problem.item, [known.id for known in form.items], otherwise="") if lang == "en" else "",
    }
    return _tidy(message.format_map(words)), _tidy(remedy.format_map(words))


def reason(code: str, lang: Lang = "en") -> str:
    """The words of a missing reason."""
    return REASONS[code][1 if lang == "zh" else 0]


def _label(name: str, form: Form, lang: Lang) -> str:
    if form.has(name):
        return form.item(name).label.of(lang)
    if name in form.row_sections:
        return form.row_sections[name].title.of(lang)
    return form.title.of(lang)


def _row(problem: Problem | Question, lang: Lang) -> str:
    if problem.row is None:
        return ""
    return f"（第 {problem.row} 行）" if lang == "zh" else f" (row {problem.row})"


def _allowed(problem: Problem | Question, item: Item | None, lang: Lang) -> str:
    allowed = [str(word) for word in problem.params.get("allowed", ())]
    if not allowed:
        return "无" if lang == "zh" else "none"
    labels = {code.code: code.label.of(lang) for code in item.codes} if item is not None else {}
    if isinstance(problem, Problem) and problem.code == "missing_not_allowed":
        labels = {code: reason(code, lang) for code in allowed}
    shown = [f"{word} = {labels[word]}" if word in labels else word for word in allowed[:_SHOWN_CODES]]
    return ", ".join(shown) + (", …" if len(allowed) > _SHOWN_CODES else "")


def _reasons(problem: Problem | Question, lang: Lang) -> str:
    allowed = [reason(str(code), lang) for code in problem.params.get("allowed", ())] if _owed(problem) else []
    if not allowed:
        return ""
    return f"，或说明缺失原因：{'、'.join(allowed)}" if lang == "zh" else f", or say why not: {', '.join(allowed)}"


def _owed(problem: Problem | Question) -> bool:
    return isinstance(problem, Problem) and problem.code == "required"


def _tidy(text: str) -> str:
    return " ".join(text.split()).replace(" ,", ",").strip()
