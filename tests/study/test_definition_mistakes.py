"""Every kind of mistake a study file can hold is found on its line, and says what to do."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.forms.definition import Form
from app.study.check import check_study, read_tree

WORDS = {"en": "x", "zh": "甲"}


def item(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "label": WORDS, "type": kind, **more}


def form(name: str, *items: dict[str, Any], rows: tuple[dict[str, Any], ...] = ()) -> Form:
    sections: list[dict[str, Any]] = [{"id": "main", "title": WORDS, "item": list(items)}]
    if rows:
        sections.append({"id": "doses", "title": WORDS, "repeating": True, "item": list(rows)})
    return Form.of({"form": name, "version": 1, "title": WORDS, "domain": "DS", "section": sections})


CODES = [{"code": code, "label": WORDS} for code in ("A", "B")]
FORMS = {
    (made.form, made.version): made
    for made in (
        form("consent", item("consent_date", "date"), item("version", "integer"), item("remark", "text")),
        form("randomisation", item("rand_date", "date"), item("arm", "single", codes=CODES)),
        form("dosing", item("given", "yes_no"), rows=(item("dose_date", "partial_date"), item("mg", "decimal"))),
        form("graft", item("infusion_date", "date", show_when="subject.arm == 'A'")),
    )
}

SOUND = """\
study = "S1"
version = 1
title = { en = "x", zh = "甲" }
zone = "Asia/Shanghai"
ctcae = "5.0"
report_day = 365
[forms]
consent = 1
randomisation = 1
dosing = 1
graft = 1
[[arm]]
code = "A"
label = { en = "x", zh = "甲" }
[[arm]]
code = "B"
label = { en = "x", zh = "甲" }
[[site]]
id = "HZ01"
name = { en = "x", zh = "甲" }
[[fact]]
name = "arm"
form = "randomisation"
item = "arm"
[[visit]]
code = "SCR"
label = { en = "x", zh = "甲" }
forms = ["consent", "randomisation"]
[[visit]]
code = "D30"
label = { en = "x", zh = "甲" }
anchor = "hsct"
target = 30
window = [-7, 7]
when = "subject.arm == 'A'"
forms = ["dosing"]
optional = ["graft"]
[[status]]
code = "consented"
milestone = "consent"
[[milestone]]
name = "consent"
label = { en = "x", zh = "甲" }
[[milestone.from]]
form = "consent"
date = "consent_date"
show = ["version"]
[[milestone]]
name = "dose"
label = { en = "x", zh = "甲" }
[[milestone.from]]
form = "dosing"
rows = "doses"
date = "dose_date"
when = "mg > 0 && given == 'Y'"
[[milestone]]
name = "hsct"
label = { en = "x", zh = "甲" }
[[milestone.from]]
form = "graft"
date = "infusion_date"
[[milestone]]
name = "since"
label = { en = "x", zh = "甲" }
of = "dose"
on_or_after = "origin"
[[milestone]]
name = "missed"
label = { en = "x", zh = "甲" }
of = "dose"
gap = { missed = 2, visits = ["D30"] }
[[endpoint]]
code = "OS"
label = { en = "x", zh = "甲" }
population = ["hsct"]
origin = "hsct"
outcomes = [{ event = "dose" }]
censor = ["last_alive"]
[[endpoint.variant]]
code = "ITT"
label = { en = "x", zh = "甲" }
origin = "consent"
[[rate]]
code = "RATE"
label = { en = "x", zh = "甲" }
population = ["hsct"]
responder = ["dose"]
"""


def test_the_sound_file_is_sound():
    study, mistakes = check_study(SOUND, FORMS)
    assert mistakes == []
    assert study is not None


class Case(NamedTuple):
    """A mistake put into the sound file, and the text on whose line it must be found."""

    old: str
    new: str
    at: str = ""  # `new` unless said
    also: tuple[str, str] = ("", "")
    last: bool = False  # the last place where `at` stands, not the first


CASES = {
    "no TOML": Case('study = "S1"', 'study = "S1'),
    "unknown key": Case("report_day = 365", "report_dya = 365"),
    "unknown key in a part": Case("target = 30", "taget = 30"),
    "study key": Case('study = "S1"', 'study = "s1"'),
    "version": Case("version = 1", "version = 0"),
    "number in quotes": Case("target = 30", 'target = "30"'),
    "zone": Case('zone = "Asia/Shanghai"', 'zone = "China/Hangzhou"'),
    "ctcae": Case('ctcae = "5.0"', 'ctcae = "4.03"'),
    "one language": Case('name = { en = "x", zh = "甲" }', 'name = { en = "x" }'),
    "window out of order": Case("window = [-7, 7]", "window = [7, -7]"),
    "window of three": Case("window = [-7, 7]", "window = [-7, 0, 7]"),
    "form not in the library": Case("graft = 1", "graff = 1"),
    "form version not in the library": Case("graft = 1", "graft = 2"),
    "form nobody can enter": Case(
        "consent = 1\n", "consent = 1\n", at="graft = 1", also=('optional = ["graft"]\n', "")
    ),
    "form asks for a fact": Case(
        "graft = 1", "graft = 1", at="graft = 1", also=('[[fact]]\nname = "arm"', '[[fact]]\nname = "armm"')
    ),
    "arm twice": Case('code = "B"', 'code = "A"', at='code = "A"\nlabel = { en = "x", zh = "甲" }\n[[site]]'),
    "arm nobody can be given": Case('code = "B"', 'code = "C"'),
    "site id": Case('id = "HZ01"', 'id = "hz01"'),
    "fact of another form": Case('form = "randomisation"', 'form = "randomization"'),
    "fact of no item": Case('item = "arm"', 'item = "arms"'),
    "fact of a row": Case('form = "randomisation"\nitem = "arm"', 'form = "dosing"\nitem = "mg"', at='item = "mg"'),
    "visit twice": Case('code = "D30"', 'code = "SCR"', at='code = "SCR"\nlabel = { en = "x", zh = "甲" }\nanchor'),
    "visit code": Case('code = "D30"', 'code = "d30"'),
    "anchor unknown": Case('anchor = "hsct"', 'anchor = "hstc"'),
    "anchor without a date of its own": Case('anchor = "hsct"', 'anchor = "since"'),
    "anchor without target": Case("target = 30\nwindow = [-7, 7]\n", "", at='[[visit]]\ncode = "D30"'),
    "target without anchor": Case('anchor = "hsct"\n', "", at="target = 30"),
    "window without anchor": Case('anchor = "hsct"\ntarget = 30\n', "", at="window = [-7, 7]"),
    "condition on no fact": Case("subject.arm == 'A'", "subject.amr == 'A'"),
    "condition that is none": Case("subject.arm == 'A'", "subject.arm"),
    "condition unreadable": Case("subject.arm == 'A'", "subject.arm == "),
    "occurrence without anchor": Case(
        'anchor = "hsct"\ntarget = 30\nwindow = [-7, 7]\n', "occurrence = 2\n", at="occurrence"
    ),
    "occurrence that is none": Case('anchor = "hsct"', 'anchor = "hsct"\noccurrence = "every"', at="occurrence"),
    "end unknown": Case("report_day = 365", 'report_day = 365\nends = ["deth"]', at="ends"),
    "due page that is not optional": Case(
        'optional = ["graft"]',
        'optional = ["graft"]\n[[visit.due]]\nform = "dosing"\nwhen = "subject.arm == \'A\'"',
        at='form = "dosing"\nwhen',
    ),
    "due page by no item of the visit": Case(
        'optional = ["graft"]',
        'optional = ["graft"]\n[[visit.due]]\nform = "graft"\nwhen = "here.dosing_givn == \'Y\'"',
        at='when = "here',
    ),
    "due page without a condition": Case(
        'optional = ["graft"]', 'optional = ["graft"]\n[[visit.due]]\nform = "graft"', at="[[visit.due]]"
    ),
    "plan that is none": Case("[[rate]]", '[sdv]\nplan = "most"\n[[rate]]', at='plan = "most"'),
    "sample without a seed": Case("[[rate]]", '[sdv]\nplan = "sampled"\nshare = 20\n[[rate]]', at="[sdv]"),
    "critical plan without items": Case("[[rate]]", '[sdv]\nplan = "critical"\n[[rate]]', at="[sdv]"),
    "critical items of no form": Case(
        "[[rate]]",
        '[sdv]\nplan = "critical"\ncritical = [{ form = "dosage", items = ["given"] }]\n[[rate]]',
        at="critical = [",
    ),
    "critical item that is none": Case(
        "[[rate]]",
        '[sdv]\nplan = "critical"\ncritical = [{ form = "dosing", items = ["givn"] }]\n[[rate]]',
        at="critical = [",
    ),
    "visit with unlisted form": Case('optional = ["graft"]', 'optional = ["graft", "death"]'),
    "page due and optional": Case('optional = ["graft"]', 'optional = ["graft", "dosing"]'),
    "nothing to enter": Case('forms = ["consent", "randomisation"]', "forms = []", at='[[visit]]\ncode = "SCR"'),
    "status twice": Case(
        'code = "consented"\nmilestone = "consent"\n',
        'code = "consented"\nmilestone = "consent"\n[[status]]\ncode = "consented"\nmilestone = "hsct"\n',
        at='code = "consented"\nmilestone = "hsct"',
    ),
    "status of no milestone": Case('milestone = "consent"', 'milestone = "consnt"'),
    "status by time zero": Case('milestone = "consent"', 'milestone = "missed"'),
    "milestone twice": Case('name = "missed"', 'name = "since"', at='name = "since"', last=True),
    "milestone of nothing": Case('of = "dose"\non_or_after = "origin"\n', "", at='[[milestone]]\nname = "since"'),
    "milestone of unknown": Case('on_or_after = "origin"', 'on_or_after = "orign"'),
    "milestone of itself": Case('of = "dose"\ngap', 'of = "missed"\ngap', at='[[milestone]]\nname = "missed"'),
    "source of unlisted form": Case('form = "graft"', 'form = "grafts"'),
    "source without date": Case('date = "infusion_date"', 'date = "infusion_day"'),
    "source that is no date": Case('date = "consent_date"', 'date = "version"'),
    "row without rows": Case('rows = "doses"\n', "", at='date = "dose_date"'),
    "rows of no section": Case('rows = "doses"', 'rows = "dosis"'),
    "shows free text": Case('show = ["version"]', 'show = ["remark"]'),
    "undated without a condition": Case(
        'show = ["version"]', "undated = true", at='[[milestone.from]]\nform = "consent"'
    ),
    "shows no item": Case('show = ["version"]', 'show = ["versoin"]'),
    "source condition": Case("mg > 0", "mgs > 0"),
    "source condition of types": Case("mg > 0", "mg > '0'"),
    "source condition of no code": Case("given == 'Y'", "given == 'yes'"),
    "visit condition of no code": Case("subject.arm == 'A'", "subject.arm in ['A', 'C']"),
    "gap of no visit": Case('visits = ["D30"]', 'visits = ["D31"]'),
    "gap of a visit without dates": Case('visits = ["D30"]', 'visits = ["SCR"]'),
    "endpoint code": Case('code = "OS"', 'code = "OVERALLSURVIVAL"'),
    "endpoint of no milestone": Case('outcomes = [{ event = "dose" }]', 'outcomes = [{ event = "doses" }]'),
    "outcome of two": Case('outcomes = [{ event = "dose" }]', 'outcomes = [{ event = "dose", competing = "hsct" }]'),
    "variant of no milestone": Case('origin = "consent"', 'origin = "consents"'),
    "rate of no milestone": Case('responder = ["dose"]', 'responder = ["doses"]'),
    "rate twice": Case('code = "RATE"', 'code = "OS"', at='code = "OS"', last=True),
}


def changed(case: Case) -> tuple[str, int]:
    """The text with the mistake in it, and the line on which it must be found."""
    text = SOUND.replace(case.old, case.new, 1).replace(*case.also, 1)
    assert text != SOUND
    mark = case.at or case.new
    at = text.rindex(mark) if case.last else text.index(mark)
    return text, text.count("\n", 0, at) + 1


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_mistake_names_its_file_its_line_and_a_remedy(case):
    text, line = changed(case)
    study, mistakes = check_study(text, FORMS)
    assert study is None
    # a key that is missing is told at the head of its table, one line above
    assert {mistake.line for mistake in mistakes} & {line, line + 1}, [str(mistake) for mistake in mistakes]
    for mistake in mistakes:
        assert mistake.file == "study.toml"
        assert mistake.message
        assert mistake.remedy


@pytest.mark.parametrize(
    ("case", "remedy"),
    [
        ("unknown key", "report_day"),
        ("form not in the library", "graft"),
        ("fact of no item", "arm"),
        ("anchor unknown", "hsct"),
        ("condition on no fact", "arm"),
        ("gap of no visit", "D30"),
        ("source condition", "mg"),
        ("visit condition of no code", "Codes are A, B"),
        ("arm nobody can be given", "A, B"),
        ("rows of no section", "doses"),
    ],
)
def test_a_slip_of_the_pen_is_answered_with_the_right_name(case, remedy):
    text, _ = changed(CASES[case])
    _, mistakes = check_study(text, FORMS)
    assert any(remedy in mistake.remedy for mistake in mistakes)


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ('ctcae = "5.0"', "ctcae = 5.0", '"5.0"'),
        ("report_day = 365", "report_day = 365.0", "whole number|without quotes"),
        ("[[endpoint.variant]]", '[[endpoint.variant]]\ntruncate_day = "100"', "without quotes"),
        ('name = { en = "x", zh = "甲" }', 'name = { en = 2026-01-01, zh = "甲" }', "in quotes"),
        ('zone = "Asia/Shanghai"', 'zone = ["Asia/Shanghai"]', "in quotes"),
    ],
)
def test_a_value_of_another_type_is_told_as_what_it_is(old, new, remedy):
    assert old in SOUND
    _, mistakes = check_study(SOUND.replace(old, new, 1), FORMS)
    (mistake,) = mistakes
    assert re.search(remedy, f"{mistake.message}. {mistake.remedy}"), str(mistake)


def test_of_two_that_are_alike_the_second_is_told():
    (mistake,) = check_study(SOUND.replace('[[arm]]\ncode = "B"', '[[arm]]\ncode = "A"'), FORMS)[1]
    assert (mistake.path, "given twice" in mistake.message) == ("arm A, code", True)


def test_what_rests_on_something_unsound_says_so(tree):
    plan = 'study = "S1"\nfrom = 1\nto = 2\nbasis = { en = "x", zh = "甲" }\n'
    for place, text in (
        ("library/graft/v1.toml", 'form = "graft"\n'),
        ("studies/S1/v1.toml", SOUND),
        ("migrations/S1/v1-v2.toml", plan),
    ):
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        (tree / place).write_text(text, encoding="utf-8")
    told = [str(mistake).removeprefix(f"{tree}/") for mistake in read_tree(tree).mistakes]
    (study,) = [line for line in told if line.startswith("studies/") and "graft v1" in line]
    assert study.endswith("has mistakes of its own (forms, graft). Correct library/graft/v1.toml first")
    (mistake,) = [line for line in told if line.startswith("migrations/")]
    assert mistake.endswith("has mistakes of its own (from). Correct studies/S1/v1.toml first")


def test_a_code_that_an_older_version_of_the_form_had_is_a_code():
    """Pages that stay in that version have it still."""
    older = form(
        "randomisation", item("rand_date", "date"), item("arm", "single", codes=[*CODES, CODES[0] | {"code": "C"}])
    )
    newer = FORMS["randomisation", 1].model_copy(update={"version": 2})
    text, _ = changed(CASES["visit condition of no code"])
    text = text.replace("randomisation = 1", "randomisation = 2")
    assert check_study(text, FORMS | {("randomisation", 2): newer})[0] is None
    study, mistakes = check_study(text, FORMS | {("randomisation", 1): older, ("randomisation", 2): newer})
    assert mistakes == []
    assert study is not None


def test_a_missing_reason_that_an_older_version_had_is_a_reason():
    asked = SOUND.replace("given == 'Y'", "missing.given == 'not_done'")
    older = form(
        "dosing",
        item("given", "yes_no", missing=["not_done"]),
        rows=(item("dose_date", "partial_date"), item("mg", "decimal")),
    )
    newer = FORMS["dosing", 1].model_copy(update={"version": 2})
    assert check_study(asked, FORMS)[1][0].remedy == "It has none"
    assert (
        check_study(asked.replace("dosing = 1", "dosing = 2"), FORMS | {("dosing", 1): older, ("dosing", 2): newer})[1]
        == []
    )


def test_several_mistakes_are_all_told_in_the_order_of_the_file():
    text = SOUND.replace('anchor = "hsct"', 'anchor = "x"').replace('milestone = "consent"', 'milestone = "y"')
    _, mistakes = check_study(text, FORMS)
    assert [mistake.line for mistake in mistakes] == sorted(mistake.line for mistake in mistakes)
    assert len(mistakes) == 2


def test_an_implausible_study_is_still_a_study():
    text = SOUND.replace("target = 30", "target = -3000").replace("report_day = 365", "report_day = 1")
    study, mistakes = check_study(text, FORMS)
    assert study is not None
    assert mistakes == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "studies/S1").mkdir(parents=True)
    (tmp_path / "library").mkdir()
    return tmp_path


def test_a_file_that_lies_about_its_name_is_told(tree):
    (tree / "studies/S1/v2.toml").write_text("version = 1\n" + SOUND.replace("version = 1\n", ""), encoding="utf-8")
    study, mistakes = check_study(tree / "studies/S1/v2.toml", FORMS)
    assert study is None
    assert [(mistake.path, mistake.line) for mistake in mistakes] == [("version", 1)]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" + b"x" * 2_000_001])
def test_a_file_that_cannot_be_read_is_a_mistake_and_no_crash(tree, content):
    path = tree / "studies/S1/v1.toml"
    path.write_bytes(content)
    assert check_study(path, FORMS)[0] is None
    assert [mistake.file for mistake in read_tree(tree).mistakes] == [str(path)]


def test_a_stray_file_is_told(tree):
    (tree / "library/consent.toml").write_text("", encoding="utf-8")
    (mistake,) = read_tree(tree).mistakes
    assert mistake.file.endswith("consent.toml")
    assert mistake.remedy
