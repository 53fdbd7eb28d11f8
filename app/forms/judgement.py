"""The judgement of a page: what is shown, what follows from it, what is still owed, what looks wrong."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from app.forms.asking import Watch, Worked
from app.forms.context import Context, Place
from app.forms.definition import Form, Item, ItemType, Phase, Severity
from app.forms.expressions import Expression
from app.forms.findings import Problem, Question
from app.forms.page import Page, row_of
from app.forms.results import variable, variable_of
from app.forms.rules import rules
from app.forms.values import value_of


class Judgement:
    """What follows from a page, what is owed, what looks wrong; `working` is by calculation and row.

    `computed` is in the shape of answers, {item: value, section: [{"row": n, item: value}]}: decimals as texts rounded
    half-even to `digits`; absent where an input is empty, or the item is not shown.
    """

    def __init__(self, form: Form, answers: Mapping[str, Any], context: Context) -> None:
        self._of = (form, answers, context)
        self._page: Page | None = Page(*self._of)
        self.computed: dict[str, Any] = self._page.computed()
        self.working: Mapping[Place, Worked] = self._page.working

    @property
    def complete(self) -> list[Problem]:
        """What stands between the page and complete: required items that are shown, without value and reason."""
        return self._found[0]

    @property
    def questions(self) -> list[Question]:
        """About values beyond a soft limit, those left behind on items certainly not shown, and what checks ask."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[list[Problem], list[Question]]:
        """Worked out when it is asked for: whoever reads a page for others has no use for it."""
        page = self._page or Page(*self._of)  # two threads may ask at once
        self._page = None  # it is larger than all that came of it
        return list(page.owed()), list(page.questions())


def judge(form: Form, answers: Mapping[str, Any], context: Context) -> Judgement:
    """Judge a page."""
    return Judgement(form, answers, context)


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
    watching = [each for each in (*rules(form).checks, *context.checks) if each.late]
    fired = [
        each for each in watching if each.check.rows is not None or _fires(each, form, answers, context, computed, last)
    ]
    if not fired:
        return []
    page = Page(form, answers, context, computed)
    page.names |= last
    return [question for each in fired for question in page.asked(each)]


def _fires(
    each: Watch,
    form: Form,
    answers: Mapping[str, Any],
    context: Context,
    computed: Mapping[str, Any],
    last: Mapping[str, Any],
) -> bool:
    """Whether a check of the page itself is true, whatever is shown: few are, and only those need the whole page."""
    names = variables(form, answers, context, needed=each.when.uses, computed=computed)
    return each.when.holds({**names, **last})


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
    """Only the names needed; None where they need the whole page: computed items, reasons, units, rows."""
    asked = _asked_items(form, needed)
    if asked is None or (asked.computed and computed is None):
        return None
    names: dict[str, Any] = {}
    if asked.around:
        names |= {"subject": context.subject, "study": context.study, "visit": context.visit}
    for name, read in asked.entered:
        names[name] = read(answers.get(name))
    for name, read in asked.computed:
        names[name] = read((computed or {}).get(name))
    if row is not None:
        names["row"] = float(row[1])
        for name, item in asked.rows.get(row[0], ()):
            source = computed if item.type is ItemType.COMPUTED else answers
            if source is None:
                return None
            names[name] = variable(item, row_of(source, row).get(name))
    return names


_AROUND = frozenset({"subject", "study", "visit"})
_Read = Callable[[Any], Any]
"""How a stored answer is seen by an expression."""


class _Items(NamedTuple):
    """The items that an expression needs: of the page, entered and computed, and of rows by their section."""

    entered: tuple[tuple[str, _Read], ...]
    computed: tuple[tuple[str, _Read], ...]
    rows: Mapping[str, tuple[tuple[str, Item], ...]]
    around: bool
    """Whether it asks for what is known beside the page."""


def _asked_items(form: Form, needed: frozenset[str]) -> _Items | None:
    """What an expression needs of a page, found once; None where it needs the whole page: reasons, units, rows."""
    try:
        found: _Items | None = form.memo[needed]
    except KeyError:
        found = None
        if needed.isdisjoint({"missing", "unit", *form.row_sections}):
            known = [(name, form.item(name)) for name in sorted(needed) if form.has(name)]
            page = [each for each in known if not form.section_of(each[0]).repeating]
            found = _Items(
                tuple((name, variable_of(item)) for name, item in page if item.type is not ItemType.COMPUTED),
                tuple((name, variable_of(item)) for name, item in page if item.type is ItemType.COMPUTED),
                {
                    section: tuple(each for each in known if form.section_of(each[0]).id == section)
                    for section in form.row_sections
                },
                not needed.isdisjoint(_AROUND),
            )
        form.memo[needed] = found
    return found


def visible(form: Form, answers: Mapping[str, Any], context: Context) -> frozenset[Place]:
    """The items shown: (item, row), row None on the page itself; a repeating section as (section, None).

    A condition that an empty item leaves open does not show.
    """
    return Page(form, answers, context).visible()


def proving_life(form: Form, answers: Mapping[str, Any], context: Context) -> list[Place]:
    """The answered dates of the page that need a living patient (`proves_life`, with its condition certainly true).

    One left behind where it is certainly not shown, as on a visit that was not held, proves nothing.
    """
    found: list[Place] = []
    for section, item, within, shown, condition in rules(form).life:
        if section is None:
            places = [] if value_of(answers.get(item)) is None else [None]
        else:
            places = [row["row"] for row in answers.get(section) or () if value_of(row.get(item)) is not None]
        for row in places:
            place = None if row is None or section is None else (section, row)
            page = (form, answers, context)
            if within is not None and _asked(within, page, None) is False:
                continue
            if shown is not None and _asked(shown, page, place) is False:
                continue
            if condition is None or _asked(condition, page, place) is True:
                found.append((item, row))
    return found


def _asked(condition: Expression, page: tuple[Form, Mapping[str, Any], Context], row: tuple[str, int] | None) -> Any:
    """What a condition says of a page, or of one of its rows: True, False, or INDETERMINATE."""
    return condition.evaluate(variables(*page, row, needed=condition.uses))
