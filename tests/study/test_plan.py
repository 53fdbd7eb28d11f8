"""A plan is checked like a form: each mistake on its line, and no destructive difference without a step."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from app.forms.mistakes import Mistake
from app.study.changes import Effect
from app.study.check import Tree, read_tree
from app.study.compare import compare
from app.study.plan import Plan
from app.study.plan_check import check_plan
from tests.stories.second import PLAN, second

SOUND = PLAN.read_text(encoding="utf-8")


@cache
def tree() -> Tree:
    with TemporaryDirectory() as folder:
        return read_tree(second(Path(folder) / "forms"))


def checked(text: str) -> tuple[Plan | None, list[Mistake]]:
    return check_plan(text, tree().versions)


def test_the_plan_of_the_small_trial_is_sound_and_read_with_its_tree() -> None:
    assert tree().mistakes == ()
    [plan] = tree().plans
    assert (plan.name, checked(SOUND)) == ("TRIAL v1-v2", (plan, []))
    assert Plan.of(plan.canonical()).digest == plan.digest
    assert plan.step("arm").items == ()


class Case(NamedTuple):
    """A mistake put into the sound plan, and the text on whose line it must be found."""

    old: str
    new: str
    at: str = ""  # `new` unless said
    says: str = ""  # what the remedy holds


ROWS = '[[form.rows]]\nrows = "{}"\nretire = true\n[[form.fill]]'
START = '[[form.item]]\nitem = "start"\nmissing = { unknown = "not_available" }\n'
D31 = '[[visit]]\nvisit = "D31"\nkeep = true\n[[form]]\nform = "ae"'
UNFIT = 'convert = "1000"\nunfit = "unknown"'

CASES = {
    "no TOML": Case('study = "TRIAL"', 'study = "TRIAL'),
    "unknown key": Case("retire = true", "retired = true", says="retire"),
    "unknown key of the plan": Case("basis =", "bassis =", says="basis"),
    "no basis": Case("basis =", "# basis =", at='study = "TRIAL"'),
    "no study": Case('study = "TRIAL"', 'study = "TRIAL2"'),
    "no version": Case("to = 2", "to = 3", says="1, 2"),
    "backwards": Case("from = 1\nto = 2", "from = 2\nto = 1", at="to = 1"),
    "no form": Case('form = "labs"', 'form = "lab"', says="labs"),
    "form twice": Case('form = "ae"', 'form = "response"', at='form = "response"\n[[form.item]]\nitem = "start"'),
    "form that stays as it is": Case('form = "consent"\n', 'form = "arm"\n', at='[[form]]\nform = "arm"'),
    "form that is still there": Case('form = "consent"\n', 'form = "consent"\nretire = true\n', at="retire = true"),
    "no item": Case('item = "anc"', 'item = "ank"', says="anc"),
    "item twice": Case('item = "dose"', 'item = "anc"', at='item = "anc"\nretire'),
    "computed item": Case('item = "dose"', 'item = "hb_double"'),
    "empty step": Case('item = "dose"\nretire = true', 'item = "dose"', at='[[form.item]]\nitem = "dose"'),
    "retired and more": Case("retire = true", "retire = true\nkeep = true", at="keep = true"),
    "renamed to nothing": Case('rename = "transfusion"', 'rename = "transfusions"', says="transfusion"),
    "renamed to what is there": Case('rename = "transfusion"', 'rename = "units_given"'),
    "renamed to itself": Case('item = "anc"\n', 'item = "anc"\nrename = "anc"\n', at='rename = "anc"'),
    "renamed to something computed": Case('rename = "transfusion"', 'rename = "hb_double"'),
    "code that was not there": Case("NR =", "NRR =", at="codes = { RELAPSE", says="NR"),
    "code that is not there": Case('"SD"', '"SDD"', at="codes = { RELAPSE", says="SD"),
    "reason that was not there": Case("unknown =", "not_done =", at="missing = {"),
    "reason that is not there": Case('unknown = "not_available"', 'unknown = "refused"'),
    "reason that is none": Case('unknown = "not_available"', 'unknown = "lost"'),
    "factor in words": Case('"1000"', '"a thousand"'),
    "factor of nothing": Case('"1000"', '"0"'),
    "factor of no number": Case("codes = { R =", 'convert = "10"\ncodes = { R =', at='convert = "10"'),
    "unfit with a reason it does not take": Case('convert = "1000"', UNFIT, at="unfit ="),
    "fill of no item": Case('item = "plt"', 'item = "plts"', says="plt"),
    "fill of what is not required": Case('item = "plt"', 'item = "anc"', at='item = "anc"\nmissing'),
    "fill of what was required": Case('item = "plt"', 'item = "hb"'),
    "fill with a reason it does not take": Case('missing = "not_available"', 'missing = "refused"'),
    "rows that are none": Case("[[form.fill]]", ROWS.format("drug"), at='rows = "drug"'),
    "rows that are still there": Case("[[form.fill]]", ROWS.format("drugs"), at='rows = "drugs"'),
    "no visit": Case('[[form]]\nform = "ae"', D31, at='visit = "D31"'),
    "item that goes unsaid": Case('[[form.item]]\nitem = "dose"\nretire = true\n', "", at='[[form]]\nform = "labs"'),
    "unit that changes unsaid": Case('convert = "1000"', 'rename = "anc"'),
    "code that goes unsaid": Case(', NR = "SD"', "", at='[[form.item]]\nitem = "response"'),
    "reason that goes unsaid": Case(START, "", at='[[form]]\nform = "ae"'),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_mistake_names_its_line_and_a_remedy(case: Case) -> None:
    text = SOUND.replace(case.old, case.new, 1)
    assert text != SOUND
    line = text.count("\n", 0, text.index(case.at or case.new)) + 1
    plan, mistakes = checked(text)
    assert plan is None
    assert {mistake.line for mistake in mistakes} & {line, line + 1}, [str(mistake) for mistake in mistakes]
    assert all(mistake.message and mistake.remedy for mistake in mistakes)
    assert any(case.says in mistake.remedy for mistake in mistakes)


def test_each_destructive_difference_needs_a_step_and_no_other_does() -> None:
    """An empty plan is told of every one; the order of the complaints is that of the differences."""
    plan, mistakes = checked(SOUND[: SOUND.index("[[form]]")])
    assert plan is None
    old, new = (tree().versions["TRIAL", number] for number in (1, 2))
    destructive = [each for each in compare(old, new) if each.effect is Effect.DESTRUCTIVE]
    assert len(mistakes) == len(destructive) == 8
    for each, mistake in zip(destructive, mistakes, strict=True):
        assert mistake.message.startswith(each.path)
        assert mistake.remedy == each.remedy("en")


def test_what_an_unfit_answer_becomes_answers_for_codes_and_reasons_too() -> None:
    text = SOUND.replace('codes = { RELAPSE = "REL", NR = "SD" }', 'unfit = "retire"')
    assert checked(text)[1] == []


def test_a_renamed_item_is_compared_under_its_new_name() -> None:
    """The rename alone does not answer for a code that went on the way."""
    folder_text = {"v2": 'id = "transfusion"\nlabel = { en = "Transfused?", zh = "是否输血？" }\ntype = "yes_no"'}
    with TemporaryDirectory() as folder:
        root = second(Path(folder) / "forms")
        path = root / "library" / "labs" / "v2.toml"
        text = path.read_text(encoding="utf-8")
        assert folder_text["v2"] in text
        path.write_text(text.replace(folder_text["v2"], folder_text["v2"].replace("yes_no", "date"), 1).replace(
            "transfusion == 'Y'", "transfusion != null"), encoding="utf-8")  # fmt: skip
        [mistake] = read_tree(root).mistakes
    assert "transfusion, type" in mistake.message


VISITS = (
    ('[[visit]]\ncode = "T90"', '[[visit]]\ncode = "T91"', "T90"),
    ('repeating = true\noptional = ["labs", "response"]', 'optional = ["labs", "response"]', "UNS"),
    ('forms = ["labs", "response"]', 'forms = ["labs"]', "D30"),
)


@pytest.mark.parametrize(("before", "after", "visit"), VISITS)
def test_a_visit_without_a_place_for_its_pages_is_kept_in_words(
    tmp_path: Path, before: str, after: str, visit: str
) -> None:
    root = second(tmp_path / "forms")
    study, plan = root / "studies" / "TRIAL" / "v2.toml", root / "migrations" / "TRIAL" / "v1-v2.toml"
    text = study.read_text(encoding="utf-8")
    assert before in text
    study.write_text(text.replace(before, after, 1), encoding="utf-8")
    [mistake] = read_tree(root).mistakes
    assert f"visit {visit}" in mistake.message
    plan.write_text(SOUND + f'[[visit]]\nvisit = "{visit}"\nkeep = true\n', encoding="utf-8")
    assert read_tree(root).mistakes == ()


def test_a_form_that_goes_is_retired_in_words(tmp_path: Path) -> None:
    root = second(tmp_path / "forms")
    study, plan = root / "studies" / "TRIAL" / "v2.toml", root / "migrations" / "TRIAL" / "v1-v2.toml"
    text = (
        study.read_text(encoding="utf-8")
        .replace("ae = 2\n", "")
        .replace('optional = ["ae", "death"]', 'optional = ["death"]')
    )
    study.write_text(text, encoding="utf-8")
    assert read_tree(root).mistakes
    plan.write_text(
        SOUND[: SOUND.index('[[form]]\nform = "ae"')] + '[[form]]\nform = "ae"\nretire = true\n', encoding="utf-8"
    )
    assert read_tree(root).mistakes == ()


def test_a_form_that_no_longer_repeats_is_kept_in_words(tmp_path: Path) -> None:
    root = second(tmp_path / "forms")
    path, plan = root / "library" / "ae" / "v2.toml", root / "migrations" / "TRIAL" / "v1-v2.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("repeating = true\n", ""), encoding="utf-8")
    [mistake] = read_tree(root).mistakes
    assert "no longer repeats" in mistake.message
    plan.write_text(SOUND.replace('form = "ae"\n', 'form = "ae"\nkeep = true\n'), encoding="utf-8")
    assert read_tree(root).mistakes == ()


@pytest.mark.parametrize("name", ["OTHER/v1-v2.toml", "TRIAL/v1-v3.toml", "TRIAL/plan.toml"])
def test_a_plan_is_where_its_name_says(tmp_path: Path, name: str) -> None:
    root = second(tmp_path / "forms")
    path = root / "migrations" / name
    path.parent.mkdir(exist_ok=True)
    (root / "migrations" / "TRIAL" / "v1-v2.toml").rename(path)
    assert [mistake.file.endswith(name) for mistake in read_tree(root).mistakes] == [True]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" + b"x" * 2_000_001])
def test_a_file_that_cannot_be_read_is_a_mistake_and_no_crash(tmp_path: Path, content: bytes) -> None:
    root = second(tmp_path / "forms")
    path = root / "migrations" / "TRIAL" / "v1-v2.toml"
    path.write_bytes(content)
    assert [mistake.file for mistake in read_tree(root).mistakes] == [str(path)]
