"""Every case of every published rule that a page asks, entered as a page and saved: the computed item is the result."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import models
from app.capture.save import save
from app.core.transaction import Database, see_all
from app.forms.definition import ComputedType, Form
from app.forms.reading import read
from app.study.check import read_tree
from app.study.definition import Study
from app.study.publish import publish
from app.subjects import enrol
from app.subjects.facts import Place
from tests.clinical.rules.cases import Case, cases
from tests.stories.on_more_pages import TELL
from tests.stories.on_pages import Answers, Said, Unsaid
from tests.trial import SYSTEM

TREE = read_tree(Path(__file__).parents[2] / "forms")
TRIAL = next(study for study in reversed(TREE.studies) if study.study == "NCT06125106")
FORMS = {form: TREE.forms[form, version] for form, version in TRIAL.forms.items()}
TOGETHER = 12  # cases of one subject, each a visit of its own, where a case needs nothing of other pages
OF_THE_PAGE = {"RANGE_MISSING"}


class Told(NamedTuple):
    case: Case
    said: Said


def _told() -> tuple[list[Told], list[tuple[Case, str]]]:
    said, unsaid = [], []
    for rule, tell in TELL.items():
        for case in cases(rule):
            try:
                said.append(Told(case, _taken(tell(case.row))))
            except Unsaid as because:
                unsaid.append((case, str(because)))
    return said, unsaid


def _taken(said: Said) -> Said:
    for form, answers in (*said.before, (said.form, said.answers)):
        if read(FORMS[form], filled(answers)).problems:
            raise Unsaid("the page refuses it")
    return said


def filled(answers: Answers) -> Answers:
    return {name: value for name, value in answers.items() if value not in (None, "")}


SAID, UNSAID = _told()


def study(key: str, given: Mapping[str, str]) -> Study:
    """The forms and facts of a trial with other parameters, and none of its endpoints: they are tested elsewhere."""
    whole = TRIAL.canonical()
    kept = ("version", "title", "zone", "report_day", "forms", "site", "fact")
    forms = sorted(TRIAL.forms)
    consent = next(each for each in whole["milestone"] if each["name"] == "consent")
    parameters = dict(whole["parameters"]) | {name: value for name, value in given.items() if name != "ctcae"}
    return Study.of(
        {name: whole[name] for name in kept}
        | {
            "study": key,
            "ctcae": given.get("ctcae", whole["ctcae"]),
            "parameters": parameters,
            "visit": [{"code": "UNS", "label": whole["title"], "repeating": True, "optional": forms}],
            "status": [{"code": "consented", "milestone": "consent"}],
            "milestone": [consent],
        }
    )


def enter(session: Session, key: str, several: Sequence[Told]) -> dict[str, Told]:
    """The cases as pages of one new subject; each by the record that is asked."""
    subject = enrol.create(session, SYSTEM, key, "HZ01")["subject_id"]
    asked = {}
    visit = 0
    for each in several:
        for form, answers in (*each.said.before, (each.said.form, each.said.answers)):
            visit += 1
            place = Place("UNS", visit, form, 1)
            saved = save(session, SYSTEM, key, subject, place, filled(answers), expected=0, complete=False)
        asked[str(saved.page.record_id)] = each
    return asked


@pytest.fixture
def results(engine: Engine, tmp_path: Path) -> list[tuple[Told, Any, Any]]:
    """Every case with what was computed on its page, and how."""
    database = Database(engine, tmp_path / "anchors.jsonl")
    by_study: dict[tuple[tuple[str, str], ...], list[Told]] = defaultdict(list)
    for each in SAID:
        by_study[tuple(sorted(each.said.study.items()))].append(each)
    found = []
    for number, (given, several) in enumerate(by_study.items()):
        key = f"V{number}"
        with database.writing() as session:
            see_all(session)
            publish(session, SYSTEM, study(key, dict(given)), FORMS)
        shared = [each for each in several if not each.said.alone]
        groups = [[each] for each in several if each.said.alone]
        groups += [shared[at : at + TOGETHER] for at in range(0, len(shared), TOGETHER)]
        asked: dict[str, Told] = {}
        with database.writing() as session:
            see_all(session)
            for group in groups:
                asked |= enter(session, key, group)
        with database.reading() as session:
            see_all(session)
            table = models.computed
            rows = session.execute(
                select(table.c.record_id, table.c["values"], table.c.working)
                .where(table.c.study_id == key)
                .order_by(table.c.number)
            )
            made = {str(record): (values, working) for record, values, working in rows}
        found += [(each, *made.get(record, ({}, {}))) for record, each in asked.items()]
    return found


def as_shown(form: Form, item: str, expected: str) -> str | None:
    """What the page shows of a result: nothing where it has none, NE only in a text."""
    kind = form.item(item).result
    if expected == "ERROR":
        expected = "NE"
    if expected == "" or (expected == "NE" and kind is not ComputedType.TEXT):
        return None
    return {"1": "Y", "0": "N"}.get(expected, expected) if kind is ComputedType.YES_NO else expected


def same(form: Form, item: str, expected: str | None, found: Any) -> bool:
    if expected is None or found is None:
        return expected is None and found is None
    if form.item(item).result in {ComputedType.DECIMAL, ComputedType.INTEGER}:
        digits = form.item(item).digits
        wanted = Decimal(expected)
        places = digits if digits is not None else -int(wanted.as_tuple().exponent)
        return abs(Decimal(str(found)) - wanted) <= Decimal(1).scaleb(-places) / 2
    return str(found) == expected


def misses(each: Told, values: Mapping[str, Any], working: Mapping[str, Any]) -> Iterator[str]:
    row, said, form = each.case.row, each.said, FORMS[each.said.form]
    rows = {
        item: section for section in form.row_sections for item in said.items if form.section_of(item).id == section
    }
    for item, column in said.items.items():
        if column not in row:
            continue
        here = (values.get(rows[item]) or [{}])[0] if item in rows else values
        expected = as_shown(form, item, row[column])
        if not same(form, item, expected, here.get(item)):
            yield f"{item}: {here.get(item)} for {expected}"
    how = (working or {}).get(said.calculation, {})
    how = how.get("1", how) if rows else how
    if not how or "ERROR" in row.values():
        return
    if "floor" in row and (how.get("floor") or "") != row["floor"]:
        yield f"floor: {how.get('floor')} for {row['floor']}"
    if "flags" in row:
        flags = set(filter(None, row["flags"].split(";")))
        if not flags <= set(how.get("flags", ())):
            yield f"flags: {how.get('flags')} for {row['flags']}"


def test_every_case_that_a_page_can_say_comes_out_of_a_saved_record(results: list[tuple[Told, Any, Any]]) -> None:
    assert len(results) == len(SAID)
    missed = [f"{each.case}: {miss}" for each, values, working in results for miss in misses(each, values, working)]
    assert missed == []


def test_most_cases_of_every_rule_are_said_and_the_others_for_a_reason() -> None:
    said = Counter(each.case.rule for each in SAID)
    unsaid = Counter(case.rule for case, _ in UNSAID)
    assert sum(said.values()) > 10 * sum(unsaid.values())
    assert all(said[rule] >= unsaid[rule] for rule in TELL)
    assert all(reason for _, reason in UNSAID)
