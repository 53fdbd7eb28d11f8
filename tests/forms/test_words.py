import ast
from pathlib import Path

import pytest

import app.forms
from app.forms.answers import Context, Problem, Question, judge, read
from app.forms.definition import MissingReason
from app.forms.words import CATALOGUE, REASONS, say

SOURCES = sorted(Path(app.forms.__file__).parent.glob("*.py"))


def codes_in_use() -> set[str]:
    """Every code given to Unreadable, Problem or Question anywhere in the package."""
    found = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                at = {"Unreadable": 0, "Problem": 2, "Question": 2}.get(node.func.id)
                if at is not None and len(node.args) > at:
                    constants = [n.value for n in ast.walk(node.args[at]) if isinstance(n, ast.Constant)]
                    found |= {value for value in constants if isinstance(value, str)}
    return found


def test_every_code_has_its_words_and_every_word_its_code():
    assert codes_in_use() | {"soft_min", "soft_max", "computed-changed", "in_future"} == set(CATALOGUE)


def test_every_missing_reason_has_its_words():
    assert set(REASONS) == {str(reason) for reason in MissingReason}


@pytest.mark.parametrize("code", CATALOGUE)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_words_are_complete_in_both_languages(page, code, lang):
    params = {"limit": "5", "unit": "g/L", "allowed": ["not_done"], "section": "event"}
    for problem in (Problem("anc", 3, code, params), Problem("", None, code), Question("anc", None, code, params)):
        message, remedy = say(problem, page, lang)
        assert message
        assert remedy
        assert "{label" not in message + remedy
        assert any("\u4e00" <= character <= "\u9fff" for character in message) or lang == "en"


def test_a_message_names_item_limit_and_unit_but_not_the_value(page):
    problem = read(page, {"anc": "1234.56"}).problems[0]
    message, remedy = say(problem, page)
    assert message == "Absolute neutrophil count is above 1000 10^9/L, the most that can be stored"
    assert remedy == "Check value and unit"
    assert "1234" not in message + remedy
    assert say(problem, page, "zh")[0] == "中性粒细胞绝对值高于允许的最大值 1000 10^9/L"


def test_a_message_names_the_row_and_the_choices(page):
    problem = read(page, {"event": [{"row": 7, "grade": 9}]}).problems[0]
    assert say(problem, page)[0].startswith("Grade (row 7) is above 5")
    assert say(problem, page, "zh")[0].startswith("级别（第 7 行）")
    assert say(read(page, {"sex": "X"}).problems[0], page)[1] == "Choices: F = Female, M = Male"
    assert say(read(page, {"sex": "X"}).problems[0], page, "zh")[1] == "可选项：F = 女, M = 男"
    refused = read(page, {"anc": {"missing": "unknown"}}).problems[0]
    assert say(refused, page)[1] == "Possible reasons: not_done = not done"


def test_what_is_owed_says_which_reasons_would_do(page):
    owed = judge(page, {}, Context()).complete[0]
    assert say(owed, page) == ("Number of cells has no answer", "Answer it, or say why not: not done, unknown")
    assert say(owed, page, "zh")[1] == "请填写，或说明缺失原因：未做、未知"


def test_an_unknown_item_is_answered_with_the_nearest_name(page):
    assert say(read(page, {"graed": 1}).problems[0], page)[1] == "Remove it. Did you mean 'grade'?"


def test_a_question_has_words_too(page):
    question = judge(page, {"anc": "0.05"}, Context()).questions[0]
    assert say(question, page)[0] == "Absolute neutrophil count is unusually low, below 0.1 10^9/L"
