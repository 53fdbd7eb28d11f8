import dataclasses
from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest

from app.demo.course import CUT
from app.demo.fill import fill
from app.demo.pages import pages
from app.demo.trials import PLANS, SEED, cohort
from app.forms import answers as reading
from app.forms.answers import Context
from app.forms.definition import Form, Item, ItemType
from tests.demo.build import books, builds, casebook

TRIALS = list(PLANS)
trials = pytest.mark.parametrize("trial", TRIALS)


@trials
def test_the_same_seed_tells_the_same_courses_and_fills_the_same_pages(trial: str):
    build = builds()[trial]
    again = cohort(trial)
    assert again == cohort(trial)
    assert tuple(tuple(pages(build.study, build.forms, course, seed=SEED)) for course in again) == books(trial)


@trials
def test_another_seed_tells_other_courses(trial: str):
    assert cohort(trial, seed=SEED + 1) != cohort(trial)


@trials
def test_fewer_subjects_are_the_first_ones(trial: str):
    assert cohort(trial, count=6) == cohort(trial)[:6]


@trials
def test_every_page_can_be_stored_and_every_complete_one_is_complete(trial: str):
    build = builds()[trial]
    for entries in books(trial):
        facts = dict.fromkeys(fact.name for fact in build.study.facts)
        for entry in entries:
            form = build.forms[entry.place.form]
            read = reading.read(form, entry.answers)
            assert read.problems == [], entry.place
            for fact in build.study.facts:
                if fact.form == entry.place.form and isinstance(entry.answers.get(fact.item), str):
                    facts[fact.name] = entry.answers[fact.item]
            owed = reading.judge(form, read.answers, Context(facts, entry.place.visit)).complete
            assert bool(owed) is not entry.complete, (entry.place, owed)


@trials
def test_every_page_stands_where_the_study_has_it(trial: str):
    study = builds()[trial].study
    for entries in books(trial):
        for entry in entries:
            visit = study.visit(entry.place.visit)
            assert entry.place.form in {*visit.forms, *visit.optional}, entry.place
            assert entry.place.visit_repeat == 1 or visit.repeating, entry.place


@trials
def test_every_entry_makes_a_revision_and_every_change_says_why(trial: str):
    for entries in books(trial):
        held: dict[object, object] = {}
        for entry in entries:
            before = held.get(entry.place)
            assert before is None or entry.reason
            assert before != (entry.answers, entry.complete, entry.void), entry.place
            held[entry.place] = (entry.answers, entry.complete, entry.void)


@trials
def test_pages_are_entered_in_the_order_of_their_days_and_none_lies_ahead_of_its_day(trial: str):
    for entries in books(trial):
        entered = [entry for entry in entries if entry.reason is None]
        assert [entry.day for entry in entered] == sorted(entry.day for entry in entered)
        assert all(entry.day <= CUT for entry in entries)


@trials
def test_nobody_is_seen_after_death(trial: str):
    build = builds()[trial]
    for course, entries in zip(cohort(trial), books(trial), strict=True):
        if course.death is None:
            continue
        for page in casebook(entries).values():
            form = build.forms[page.place.form]
            for item, row in reading.proving_life(form, page.answers, Context({}, page.place.visit)):
                if row is None:
                    assert str(page.answers[item]) <= course.death.isoformat(), (course.number, page.place, item)


@trials
def test_the_imperfections_are_there(trial: str):
    build = builds()[trial]
    rules: Counter[str] = Counter()
    partial = missing = units = voids = 0
    for entries in books(trial):
        book = casebook(entries)
        voids += sum(page.status == "void" for page in book.values())
        for page in book.values():
            form = build.forms[page.place.form]
            for question in reading.judge(form, page.answers, Context({}, page.place.visit)).questions:
                rules[question.rule] += 1
            for name, value in page.answers.items():
                missing += isinstance(value, dict) and "missing" in value
                units += isinstance(value, dict) and "unit" in value
                partial += name in {"relapse_date", "death_date", "birth_date"} and len(str(value)) < len("2024-01-01")
    assert rules["check:haemoglobin_in_g_dl"] >= 1
    assert partial >= 2
    assert missing >= 1
    assert units >= 1
    assert voids == 1
    assert any(not entry.complete for entries in books(trial) for entry in entries)
    assert any(entry.reason and not entry.void for entries in books(trial) for entry in entries)


@pytest.mark.parametrize("form", [form for build in builds().values() for form in build.forms.values()],
                         ids=lambda form: form.form)  # fmt: skip
def test_a_page_that_no_course_speaks_of_is_filled_from_its_form(form: Form):
    day = date(2025, 3, 14)
    context = Context({"consent_date": "2025-03-01"}, "UNS")
    page = fill(form, {}, day, context, Random(4))  # noqa: S311 (not for secrets)
    read = reading.read(form, page)
    assert read.problems == []
    assert reading.judge(form, read.answers, context).complete == []
    assert [q for q in reading.judge(form, read.answers, context).questions if q.rule == "left_behind"] == []


@pytest.mark.parametrize("kind", [kind for kind in ItemType if kind is not ItemType.COMPUTED])
def test_a_form_that_gains_a_required_item_still_gets_a_complete_page(kind: ItemType):
    form = builds()["S1904"].forms["response"]
    codes = (
        [{"code": "NEW", "label": {"en": "New", "zh": "新"}}] if kind in {ItemType.SINGLE, ItemType.MULTIPLE} else []
    )
    gained = Item.model_validate({
        "id": "gained", "label": {"en": "Gained", "zh": "新增"}, "type": kind.value, "required": True, "codes": codes,
        "show_when": "evaluable == 'Y'",
    })  # fmt: skip
    first = form.sections[0].model_copy(update={"items": (*form.sections[0].items, gained)})
    grown = Form.of(form.model_copy(update={"sections": (first, *form.sections[1:])}).canonical())
    build = builds()["S1904"]
    course = cohort("S1904")[0]
    entries = pages(build.study, {**build.forms, "response": grown}, course, seed=SEED)
    met = [entry for entry in entries if entry.place.form == "response"]
    assert met
    for entry in met:
        read = reading.read(grown, entry.answers)
        assert read.problems == []
        assert "gained" in read.answers
        assert reading.judge(grown, read.answers, Context({}, entry.place.visit)).complete == []


def test_a_course_ends_where_the_demonstration_does():
    for trial in TRIALS:
        for course in cohort(trial):
            for each in dataclasses.fields(course):
                value = getattr(course, each.name)
                if isinstance(value, date):
                    assert value <= CUT + timedelta(days=10), (course.number, each.name)
