"""The judgement of a page: what is shown, what follows from it, what is still owed, what looks wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.forms.asking import Worked
from app.forms.context import Context, Place
from app.forms.definition import Form, ItemType, Phase, Severity
from app.forms.expressions import Expression
from app.forms.findings import Problem, Question
from app.forms.page import Page, row_of
from app.forms.results import variable
from app.forms.rules import rules
from app.forms.values import plain


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything at once; see the functions of the same names. `working` is by calculation and row."""

    visible: frozenset[Place]
    computed: dict[str, Any]
    complete: list[Problem]
    questions: list[Question]
    working: Mapping[Place, Worked]


def judge(form: Form, answers: Mapping[str, Any], context: Context) -> Judgement:
    """Judge a page in one pass: cheaper than the four functions one by one."""
    page = Page(form, answers, context)
    return Judgement(page.visible(), page.computed(), list(page.owed()), list(page.questions()), page.working)


def refused(questions: list[Question], phase: Phase) -> list[Problem]:
    """The questions that refuse the page in this phase, as what stands in its way."""
    return [
        Problem(each.item, each.row, each.rule, each.params)
        for each in questions
        if each.severity == Severity.HARD and phase in each.phases
    ]


def late_questions(
    form: Form, answers: Mapping[str, Any], context: Context, computed: Mapping[str, Any], last: Mapping[str, Any]
) -> list[Question]:
    """The answers of the checks that ask about the visit's window or an endpoint; `last` holds those two."""
    page = Page(form, answers, context, computed)
    page.names |= last
    return list(page.watched(late=True))


def variables(
    form: Form,
    answers: Mapping[str, Any],
    context: Context,
    row: tuple[str, int] | None = None,
    *,
    needed: frozenset[str] | None = None,
    computed: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """The names of an expression and their values, on the page or inside a row (section id, row number).

    Numbers are doubles in the canonical unit; empty items are None; computed items are there: `computed`, as `judge`
    gave them, saves working them out. With `needed`, the names that an expression uses, others may be left out: most
    conditions ask for one item of a page of many.
    """
    if needed is not None and (few := _few(form, answers, context, row, needed, computed)) is not None:
        return few
    page = Page(form, answers, context, computed)
    return page.names if row is None else page.row_names(*row)


def _few(
    form: Form,
    answers: Mapping[str, Any],
    context: Context,
    row: tuple[str, int] | None,
    needed: frozenset[str],
    computed: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Only the names needed; None where they need the whole page: computed items, reasons, whole sections of rows."""
    names: dict[str, Any] = {"subject": context.subject, "study": context.study, "visit": context.visit}
    inside: Mapping[str, Any] = {}
    if row is not None:
        inside = row_of(answers, row)
        names["row"] = float(row[1])
    for name in needed - names.keys():
        if name == "missing" or name in form.row_sections:
            return None
        if not form.has(name):
            continue
        item, section = form.item(name), form.section_of(name)
        if item.type is ItemType.COMPUTED and computed is None:
            return None
        of_page = computed if item.type is ItemType.COMPUTED and computed is not None else answers
        if not section.repeating:
            names[name] = variable(item, of_page.get(name))
        elif row is not None and section.id == row[0]:
            names[name] = variable(item, (inside if of_page is answers else row_of(of_page, row)).get(name))
    return names


def visible(form: Form, answers: Mapping[str, Any], context: Context) -> frozenset[Place]:
    """The items shown: (item, row), row None on the page itself; a repeating section as (section, None).

    A condition that an empty item leaves open does not show.
    """
    return Page(form, answers, context).visible()


def computed(form: Form, answers: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The computed items in the shape of answers: {item: value, section: [{"row": n, item: value}]}.

    Decimals as texts rounded half-even to `digits`; absent where an input is empty, or the item is not shown.
    """
    return Page(form, answers, context).computed()


def complete(form: Form, answers: Mapping[str, Any], context: Context) -> list[Problem]:
    """What stands between the page and complete: required items that are shown, without value and without reason."""
    return list(Page(form, answers, context).owed())


def questions(form: Form, answers: Mapping[str, Any], context: Context) -> list[Question]:
    """What looks wrong: values beyond a soft limit, and values left behind on items that are certainly not shown."""
    return list(Page(form, answers, context).questions())


def proving_life(form: Form, answers: Mapping[str, Any], context: Context) -> list[Place]:
    """The answered dates of the page that need a living patient (`proves_life`, with its condition certainly true).

    One left behind where it is certainly not shown, as on a visit that was not held, proves nothing.
    """
    compiled = rules(form)
    found: list[Place] = []
    for section, item in compiled.life:
        if section.repeating:
            places = [(row["row"], row.get(item.id)) for row in answers.get(section.id) or ()]
        else:
            places = [(None, answers.get(item.id))]
        condition, shown = compiled.proves_life.get(item.id), compiled.items.get(item.id)
        within = compiled.sections.get(section.id)
        for row, answer in places:
            if plain(answer).value is None:
                continue
            place = None if row is None else (section.id, row)
            page = (form, answers, context)
            if within is not None and _asked(within, page, None) is False:
                continue
            if shown is not None and _asked(shown, page, place) is False:
                continue
            if condition is None or _asked(condition, page, place) is True:
                found.append((item.id, row))
    return found


def _asked(condition: Expression, page: tuple[Form, Mapping[str, Any], Context], row: tuple[str, int] | None) -> Any:
    """What a condition says of a page, or of one of its rows: True, False, or INDETERMINATE."""
    return condition.evaluate(variables(*page, row, needed=condition.uses))
