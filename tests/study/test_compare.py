"""What differs between two versions: nothing between a version and itself, and nothing is ever passed over."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.forms.definition import Form
from app.forms.faults import faults
from app.study.change_words import REMEDIES, SENTENCES
from app.study.changes import EFFECTS, Difference, Effect
from app.study.check import read_tree
from app.study.compare import Version, compare, worst
from app.study.compare_forms import compare_forms
from app.study.definition import Study
from tests.stories.amendment import amended
from tests.trial import FORMS

ROOT = Path(__file__).parents[2]
TREE = read_tree(FORMS)
LIBRARY = list(read_tree(ROOT / "forms").forms.values())
TRIAL = next(
    Version(study, {name: TREE.forms[name, number] for name, number in study.forms.items()})
    for study in TREE.studies
    if study.study == "TRIAL"
)


def mutations(value: Any) -> Iterator[Any]:
    """A JSON value with one thing in it changed, for everything in it that can be changed."""
    match value:
        case dict():
            for key in value:
                yield {name: each for name, each in value.items() if name != key}
                yield from ({**value, key: other} for other in mutations(value[key]))
        case list():
            for at in range(len(value)):
                yield value[:at] + value[at + 1 :]
                yield from ([*value[:at], other, *value[at + 1 :]] for other in mutations(value[at]))
            if len(value) > 1:
                yield [*value[1:], value[0]]
        case bool():
            yield not value
        case int():
            yield value + 1
        case str():
            yield value + "x"
            yield value + "1"


def assert_told(form: Form, data: Any) -> bool:
    """That a changed form is told from the form, unless it is none; whether it is one."""
    try:
        other = Form.of(data)
    except ValidationError:
        return False
    if other.digest == form.digest or list(faults(other)):
        return False
    for told in (list(compare_forms(form, other)), list(compare_forms(other, form))):
        assert told, data
        assert all(each.words(lang) for each in told for lang in ("en", "zh"))
    return True


@pytest.mark.parametrize("form", TREE.forms.values(), ids=Form.name)
def test_every_change_of_a_form_is_told_in_both_directions(form: Form) -> None:
    assert list(compare_forms(form, form)) == []
    assert sum(assert_told(form, data) for data in mutations(form.canonical())) > 20


@settings(deadline=None)
@given(data=st.data())
def test_any_change_of_any_form_of_the_library_is_told(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(LIBRARY))
    everything = list(mutations(form.canonical()))
    assert_told(form, data.draw(st.sampled_from(everything)))
    assert list(compare_forms(form, form)) == []


def test_every_change_of_a_study_is_told_in_both_directions() -> None:
    assert compare(TRIAL, TRIAL) == []
    assert worst([]) is None
    seen = 0
    for data in mutations({key: value for key, value in TRIAL.study.canonical().items() if key != "forms"}):
        try:
            other = Version(Study.of(data | {"forms": TRIAL.study.forms}), TRIAL.forms)
        except ValidationError:
            continue
        if other.study.digest == TRIAL.study.digest or twice(other.study):
            continue
        assert compare(TRIAL, other), data
        assert compare(other, TRIAL), data
        seen += 1
    assert seen > 100


def twice(study: Study) -> bool:
    """A study that names one thing twice is none."""
    names = [
        [getattr(each, key) for each in getattr(study, name)]
        for name, key in (
            ("visits", "code"), ("milestones", "name"), ("endpoints", "code"), ("sites", "id"),
            ("arms", "code"), ("facts", "name"), ("statuses", "code"), ("rates", "code"),
        )
    ]  # fmt: skip
    return any(len(set(each)) < len(each) for each in names)


# ---------------------------------------------------------------- each kind, and what it does

WORDS = {"en": "x", "zh": "甲"}


def item(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "label": WORDS, "type": kind, **more}


def codes(*names: str) -> list[dict[str, Any]]:
    return [{"code": name, "label": WORDS} for name in names]


PAGE: dict[str, Any] = {
    "form": "page", "version": 1, "title": WORDS, "domain": "LB",
    "section": [
        {"id": "main", "title": WORDS, "item": [
            item("day", "date"),
            item("hb", "decimal", unit="g/L", units={"g/dL": "10"}, min="0", max="300",
                 missing=["unknown", "not_done"]),
            item("sex", "single", codes=codes("M", "F", "U")),
            item("twice", "computed", formula="hb * 2", result="decimal"),
        ]},
        {"id": "more", "title": WORDS, "item": [item("note", "text")]},
        {"id": "drugs", "title": WORDS, "repeating": True, "item": [item("drug", "text"), item("dose", "decimal")]},
    ],
}  # fmt: skip

Edit = Callable[[Any], None]
ITEMS = PAGE["section"][0]["item"]


def at(*path: Any, **given: Any) -> Edit:
    """Give keys of the thing at a path; None takes a key away."""

    def edit(page: Any) -> None:
        for step in path:
            page = page[step]
        for key, value in given.items():
            page.pop(key, None) if value is None else page.__setitem__(key, value)

    return edit


def first(index: int, **given: Any) -> Edit:
    return at("section", 0, "item", index, **given)


CASES: dict[str, list[tuple[Edit, Edit | None]]] = {
    "version": [(at(version=2), None)],
    "words": [
        (first(0, label={"en": "y", "zh": "甲"}), None),
        (first(0, help=WORDS), None),
        (at(title={"en": "y", "zh": "y"}), None),
    ],
    "mapping": [(at(domain="DS"), None), (first(0, cdash="LBDAT"), None)],
    "order": [
        (at("section", 0, item=[*ITEMS[1:], ITEMS[0]]), None),
        (first(2, codes=codes("F", "M", "U")), None),
        (first(1, missing=["not_done", "unknown"]), None),
        (at(section=[PAGE["section"][index] for index in (1, 0, 2)]), None),
    ],
    "moved": [(at(section=[{**PAGE["section"][0], "item": [*ITEMS, item("note", "text")]}, PAGE["section"][2]]), None)],
    "section-removed": [(at("section", 1, id="extra"), None)],
    "added": [(at("section", 0, item=[*ITEMS, item("new", "text")]), None)],
    "added-required": [(at("section", 0, item=[*ITEMS, item("new", "text", required=True)]), None)],
    "code-added": [(first(2, codes=codes("M", "F", "U", "X")), None)],
    "missing-added": [(first(0, missing=["unknown"]), None)],
    "unit-added": [(first(1, units={"g/dL": "10", "mg/L": "0.001"}), None)],
    "limit-widened": [(first(1, max="301"), None), (first(1, min=None), None), (first(1, max="300.0"), None)],
    "limit-narrowed": [
        (first(1, max="299"), None),
        (first(1, min="1"), None),
        (first(1, soft_min="1"), None),
        (first(1, digits=1), None),
    ],
    "type-widened": [(first(0, type="partial_date"), None)],
    "type": [(first(0, type="text"), None)],
    "optional": [(first(0, required=False), first(0, required=True))],
    "required": [(first(0, required=True), None)],
    "repeats": [(at(repeating=True), None)],
    "form-once-only": [(at(repeating=None), at(repeating=True))],
    "always-shown": [(first(0, show_when=None), first(0, show_when="sex == 'M'"))],
    "shown-otherwise": [(first(0, show_when="sex == 'M'"), None), (at("section", 1, show_when="sex == 'M'"), None)],
    "computed": [(first(3, formula="hb * 3"), None), (first(3, result="integer"), None), (first(3, unit="g/L"), None)],
    "computed-removed": [(at("section", 0, item=ITEMS[:3]), None)],
    "definition-changed": [(first(0, proves_life=True), None)],
    "item-removed": [(at("section", 1, item=[item("other", "text")]), None)],
    "code-removed": [(first(2, codes=codes("M", "F")), None)],
    "missing-removed": [(first(1, missing=["not_done"]), None)],
    "unit": [(first(1, unit="g/dL", units={"g/L": "0.1"}), None), (first(1, unit=None, units=None), None)],
    "unit-removed": [(first(1, units=None), None), (first(1, units={"g/dL": "9"}), None)],
    "rows": [(at("section", 2, repeating=None), None), (at("section", 2, id="doses"), None)],
    "rows-removed": [(at("section", 2, id="doses"), None), (at("section", 2, repeating=None), None)],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "edit", "before"),
    [(kind, edit, before) for kind, pairs in CASES.items() for edit, before in pairs],
    ids=[f"{kind}-{number}" for kind, pairs in CASES.items() for number in range(len(pairs))],
)
def test_a_change_of_a_form_is_of_its_kind(kind: str, edit: Edit, before: Edit | None) -> None:
    old, new = copy.deepcopy(PAGE), copy.deepcopy(PAGE)
    if before is not None:
        before(old)
        before(new)
    edit(new)
    told = list(compare_forms(Form.of(old), Form.of(new)))
    assert kind in {each.kind for each in told}
    worst_of = worst(told)
    assert worst_of is not None
    assert list(Effect).index(worst_of) >= list(Effect).index(EFFECTS[kind])


def study(**changes: Any) -> Version:
    """The small trial with parts of its file changed: `visit__D30__window = [-3, 3]`; None takes away."""
    data: Any = copy.deepcopy(TRIAL.study.canonical())
    for name, value in changes.items():
        word, *path = name.split("__")
        if not path:
            data[word] = value
            continue
        found = next(each for each in data[word] if path[0] in (each.get("code"), each.get("name"), each.get("id")))
        if len(path) == 1:
            data[word].remove(found)
        elif value is None:
            del found[path[1]]
        else:
            found[path[1]] = value
    return Version(Study.of(data), TRIAL.forms)


STUDY_CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("study", "version", {"version": 2}),
    ("study, title", "words", {"title": WORDS}),
    ("study, report_day", "definition-changed", {"report_day": 366}),
    ("visit D30, label", "words", {"visit__D30__label": WORDS}),
    ("visit D30, window", "window-widened", {"visit__D30__window": [-8, 7]}),
    ("visit D30, window", "window-narrowed", {"visit__D30__window": [-8, 6]}),
    ("visit D30, target", "schedule", {"visit__D30__target": 28}),
    ("visit T90, when", "always-shown", {"visit__T90__when": None}),
    ("visit D30, when", "shown-otherwise", {"visit__D30__when": "subject.arm == 'A'"}),
    ("visit D30, repeating", "repeats", {"visit__D30__repeating": True}),
    ("visit UNS, repeating", "once-only", {"visit__UNS__repeating": None}),
    ("visit D30, forms", "page-removed", {"visit__D30__forms": ["labs"]}),
    ("visit D30, forms", "page-due", {"visit__D30__forms": ["labs", "response", "ae"]}),
    ("visit D30, forms", "page-added", {"visit__D30__optional": ["ae"]}),
    ("visit D30, forms", "page-optional", {"visit__D30__forms": ["labs"], "visit__D30__optional": ["response"]}),
    ("visit D30, forms", "order", {"visit__D30__forms": ["response", "labs"]}),
    ("visit T90", "visit-removed", {"visit__T90": None}),
    ("site HZ02", "definition-removed", {"site__HZ02": None}),
    ("fact arm, item", "definition-changed", {"fact__arm__item": "rand_date"}),
    (
        "milestone cr, from",
        "definition-changed",
        {"milestone__cr__from": [{"form": "consent", "date": "consent_date"}]},
    ),
    ("endpoint OS, label", "words", {"endpoint__OS__label": WORDS}),
    ("endpoint OS, censor", "definition-changed", {"endpoint__OS__censor": ["last_da"]}),
    ("rate CRRATE", "definition-removed", {"rate__CRRATE": None}),
]


@pytest.mark.parametrize(("path", "kind", "changes"), STUDY_CASES, ids=lambda value: str(value)[:40])
def test_a_change_of_a_study_is_told_at_its_place(path: str, kind: str, changes: dict[str, Any]) -> None:
    told = compare(TRIAL, study(**changes))
    assert (path, kind) in {(each.path, each.kind) for each in told}
    back = compare(study(**changes), TRIAL)
    assert back


def test_forms_that_come_and_go_are_told() -> None:
    fewer = {name: form for name, form in TRIAL.forms.items() if name != "ae"}
    without = Version(TRIAL.study, fewer)
    assert [(each.path, each.kind, each.form) for each in compare(TRIAL, without)] == [
        ("form ae", "form-removed", "ae")
    ]
    assert [(each.path, each.kind) for each in compare(without, TRIAL)] == [("form ae", "added")]


def test_each_kind_has_words_and_each_that_needs_one_a_remedy() -> None:
    assert set(EFFECTS) == set(SENTENCES)
    severe = {kind for kind, effect in EFFECTS.items() if effect in {Effect.NARROWING, Effect.DESTRUCTIVE}}
    assert set(REMEDIES) == severe
    for kind in EFFECTS:
        told = Difference("here", kind, "key", 1, [2, 3])
        assert told.words("en") != told.words("zh")
        assert (told.remedy("en") == "") == (told.remedy("zh") == "") == (kind not in severe)


def test_an_amendment_is_told_by_what_it_does(tmp_path: Path) -> None:
    tree = read_tree(amended(tmp_path / "forms"))
    one, two = (
        Version(each, {name: tree.forms[name, number] for name, number in each.forms.items()})
        for each in sorted(tree.studies, key=lambda each: each.version)
        if each.study == "TRIAL"
    )
    told = {(each.path, each.kind) for each in compare(one, two)}
    assert told >= {
        ("form labs", "version"),
        ("form labs, item anc", "item-removed"),
        ("form labs, item plt", "added"),
        ("form labs, item hb, units", "unit-removed"),
        ("form labs, item hb_double, formula", "computed"),
        ("form ae, item signs, codes", "code-removed"),
        ("form ae, item signs, codes", "code-added"),
        ("form ae, item signs, codes", "words"),
        ("form ae, item start, missing", "missing-removed"),
        ("site HZ03", "added"),
        ("endpoint EFS", "added"),
        ("milestone cr_a", "added"),
    }
    assert worst(compare(one, two)) is Effect.DESTRUCTIVE
