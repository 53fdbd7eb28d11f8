"""The judgement of a page: what is shown, what follows from it, what is still owed, what looks wrong."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from app.forms.dates import is_date
from app.forms.definition import DEFAULT_LENGTH, ComputedType, Form, Item, ItemType, Section
from app.forms.expressions import INDETERMINATE, Expression
from app.forms.findings import Problem, Question
from app.forms.rules import Rules, rules
from app.forms.values import MAX_DIGITS, MAX_INTEGER, convert, outside, plain

Place = tuple[str, int | None]  # item (or repeating section) and row

_SHOWN_DECIMALS = 10  # of a computed decimal without `digits`
_NUMBERS = {ItemType.INTEGER, ItemType.DECIMAL}
_DATES = {ItemType.DATE, ItemType.PARTIAL_DATE}


@dataclass(frozen=True, slots=True)
class Context:
    """What a page knows beside its own answers: the study's facts on the subject, and the code of the visit."""

    subject: Mapping[str, Any] = field(default_factory=dict)
    visit: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything at once; see the functions of the same names."""

    visible: frozenset[Place]
    computed: dict[str, Any]
    complete: list[Problem]
    questions: list[Question]


def judge(form: Form, answers: Mapping[str, Any], context: Context) -> Judgement:
    """Judge a page in one pass: cheaper than the four functions one by one."""
    page = _Page(form, answers, context)
    return Judgement(page.visible(), page.computed(), list(page.owed()), list(page.questions()))


def variables(
    form: Form,
    answers: Mapping[str, Any],
    context: Context,
    row: tuple[str, int] | None = None,
    *,
    needed: frozenset[str] | None = None,
) -> Mapping[str, Any]:
    """The names of an expression and their values, on the page or inside a row (section id, row number).

    Numbers are doubles in the canonical unit; empty items are None; computed items are there. With `needed`, the
    names that an expression uses, others may be left out: most conditions ask for one item of a page of many.
    """
    if needed is not None and (few := _few(form, answers, context, row, needed)) is not None:
        return few
    page = _Page(form, answers, context)
    return page.names if row is None else page.row_names(*row)


def _few(
    form: Form, answers: Mapping[str, Any], context: Context, row: tuple[str, int] | None, needed: frozenset[str]
) -> dict[str, Any] | None:
    """Only the names needed; None where they need the whole page: computed items, reasons, whole sections of rows."""
    names: dict[str, Any] = {"subject": context.subject, "visit": context.visit}
    inside: Mapping[str, Any] = {}
    if row is not None:
        inside = next(each for each in answers.get(row[0]) or () if each["row"] == row[1])
        names["row"] = float(row[1])
    for name in needed - names.keys():
        if name == "missing" or name in form.row_sections:
            return None
        if not form.has(name):
            continue
        item, section = form.item(name), form.section_of(name)
        if item.type is ItemType.COMPUTED:
            return None
        if not section.repeating:
            names[name] = _variable(item, answers.get(name))
        elif row is not None and section.id == row[0]:
            names[name] = _variable(item, inside.get(name))
    return names


def visible(form: Form, answers: Mapping[str, Any], context: Context) -> frozenset[Place]:
    """The items shown: (item, row), row None on the page itself; a repeating section as (section, None).

    A condition that an empty item leaves open does not show.
    """
    return _Page(form, answers, context).visible()


def computed(form: Form, answers: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The computed items in the shape of answers: {item: value, section: [{"row": n, item: value}]}.

    Decimals as texts rounded half-even to `digits`; absent where an input is empty, or the item is not shown.
    """
    return _Page(form, answers, context).computed()


def complete(form: Form, answers: Mapping[str, Any], context: Context) -> list[Problem]:
    """What stands between the page and complete: required items that are shown, without value and without reason."""
    return list(_Page(form, answers, context).owed())


def questions(form: Form, answers: Mapping[str, Any], context: Context) -> list[Question]:
    """What looks wrong: values beyond a soft limit, and values left behind on items that are certainly not shown."""
    return list(_Page(form, answers, context).questions())


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


class _Page:
    """One page while it is judged."""

    def __init__(self, form: Form, answers: Mapping[str, Any], context: Context) -> None:
        self.form = form
        self.answers = answers
        self.rules: Rules = rules(form)
        self.rows: dict[str, list[Mapping[str, Any]]] = {name: answers.get(name) or [] for name in form.row_sections}
        self.row_values: dict[str, list[dict[str, Any]]] = {}
        reasons: dict[str, Any] = {}
        self.names: dict[str, Any] = {"subject": context.subject, "visit": context.visit, "missing": reasons}
        for section in form.sections:
            if section.repeating:
                self.row_values[section.id] = [
                    {"row": float(row["row"])} | {item.id: _variable(item, row.get(item.id)) for item in section.items}
                    for row in self.rows[section.id]
                ]
                self.names[section.id] = self.row_values[section.id]
            else:
                self.names |= {item.id: _variable(item, answers.get(item.id)) for item in section.items}
                reasons |= _reasons(section, answers)
        self.results: dict[Place, Any] = {}
        # conditions are asked again and again; their computed inputs come first in `order`, so an answer stays
        self.shown: dict[Place, Any] = {}
        self.sections_shown: dict[str, Any] = {}
        for item_id in self.rules.order:
            self._compute(form.item(item_id))

    def row_names(self, section_id: str, number: int) -> Mapping[str, Any]:
        """The names inside a row. Raises KeyError where there is no such row."""
        for index, row in enumerate(self.rows[section_id]):
            if row["row"] == number:
                return self._inside(self.form.section(section_id), index)
        raise KeyError(number)

    def _inside(self, section: Section, index: int) -> ChainMap[str, Any]:
        row = self.rows[section.id][index]
        reasons = {"missing": self.names["missing"] | _reasons(section, row)}
        return ChainMap(reasons, self.row_values[section.id][index], self.names)

    def _compute(self, item: Item) -> None:
        section = self.form.section_of(item.id)
        expression = self.rules.formulas[item.id]
        if section.repeating:
            for index, row in enumerate(self.rows[section.id]):
                names = self._inside(section, index)
                shown = self._shown(item, row["row"], names) is True
                value = _result(item, expression.evaluate(names)) if shown else None
                self.row_values[section.id][index][item.id] = _variable(item, value)
                self.results[item.id, row["row"]] = value
        else:
            shown = self._shown(item, None, self.names) is True
            value = _result(item, expression.evaluate(self.names)) if shown else None
            self.names[item.id] = _variable(item, value)
            self.results[item.id, None] = value

    def _shown(self, item: Item, row: int | None, names: Mapping[str, Any]) -> Any:
        """Whether an item is shown: True, False, or INDETERMINATE."""
        section = self._section_shown(self.form.section_of(item.id))
        condition = self.rules.items.get(item.id)
        if section is False or condition is None:
            return section
        place = (item.id, row)
        if place not in self.shown:
            self.shown[place] = condition.evaluate(names)
        own = self.shown[place]
        return own if own is False or section is True else section

    def _section_shown(self, section: Section) -> Any:
        condition = self.rules.sections.get(section.id)
        if condition is None:
            return True
        if section.id not in self.sections_shown:
            self.sections_shown[section.id] = condition.evaluate(self.names)
        return self.sections_shown[section.id]

    @cached_property
    def places(self) -> list[tuple[Item, int | None, Any, Mapping[str, Any]]]:
        """Each item in each row: item, row, answer, names."""
        return list(self._places())

    def _places(self) -> Iterator[tuple[Item, int | None, Any, Mapping[str, Any]]]:
        for section in self.form.sections:
            if not section.repeating:
                for item in section.items:
                    yield item, None, self.answers.get(item.id), self.names
                continue
            for index, row in enumerate(self.rows[section.id]):
                names = self._inside(section, index)
                for item in section.items:
                    yield item, row["row"], row.get(item.id), names

    def visible(self) -> frozenset[Place]:
        shown = {(item.id, row) for item, row, _, names in self.places if self._shown(item, row, names) is True}
        sections = {(s.id, None) for s in self.form.row_sections.values() if self._section_shown(s) is True}
        return frozenset(shown | sections)

    def computed(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for section in self.form.sections:
            if section.repeating:
                rows = [{"row": row["row"], **self._results_of(section, row["row"])} for row in self.rows[section.id]]
                if rows := [row for row in rows if len(row) > 1]:
                    found[section.id] = rows
            else:
                found |= self._results_of(section, None)
        return found

    def _results_of(self, section: Section, row: int | None) -> dict[str, Any]:
        values = {item.id: self.results.get((item.id, row)) for item in section.items}
        return {item: value for item, value in values.items() if value is not None}

    def owed(self) -> Iterator[Problem]:
        for item, row, answer, names in self.places:
            if item.required and answer is None and self._shown(item, row, names) is True:
                yield Problem(item.id, row, "required", {"allowed": [str(reason) for reason in item.missing]})

    def questions(self) -> Iterator[Question]:
        for item, row, answer, names in self.places:
            if answer is None or plain(answer).value is None:
                continue
            if self._shown(item, row, names) is False:
                yield Question(item.id, row, "left_behind")
            elif item.type in _NUMBERS:
                yield from _soft_number(item, row, answer)
            elif item.type in _DATES and (beyond := outside(answer_text(answer), item.soft_min, item.soft_max)):
                rule = "soft_min" if beyond < 0 else "soft_max"
                yield Question(item.id, row, rule, {"limit": getattr(item, rule)})


def answer_text(answer: Any) -> str:
    """The text of a stored date, time, code or text."""
    return str(plain(answer).value)


def _soft_number(item: Item, row: int | None, answer: Any) -> Iterator[Question]:
    number = convert(item, answer)
    low, high = item.limits.get("soft_min"), item.limits.get("soft_max")
    if number is not None and low is not None and number < low:
        yield Question(item.id, row, "soft_min", {"limit": item.soft_min, "unit": item.unit})
    if number is not None and high is not None and number > high:
        yield Question(item.id, row, "soft_max", {"limit": item.soft_max, "unit": item.unit})


def _reasons(section: Section, answers: Mapping[str, Any]) -> dict[str, str]:
    given = ((item.id, answers.get(item.id)) for item in section.items)
    return {item: answer["missing"] for item, answer in given if isinstance(answer, dict) and "missing" in answer}


def _variable(item: Item, answer: Any) -> Any:
    """A stored answer as an expression sees it."""
    if answer is None:
        return None
    if item.value_type in _NUMBERS:
        number = convert(item, answer)
        return None if number is None else float(number)
    return plain(answer).value


def _result(item: Item, value: Any) -> Any:
    """What a formula gave as a canonical answer; None where it gave nothing that fits."""
    if value is INDETERMINATE:
        return None
    if item.result in {ComputedType.DECIMAL, ComputedType.INTEGER}:
        return _rounded(item, value)
    if item.result is ComputedType.YES_NO:
        if isinstance(value, bool):
            return "Y" if value else "N"
        return value if value in ("Y", "N") else None
    if not isinstance(value, str) or (item.result is ComputedType.DATE and not is_date(value)):
        return None
    return value[:DEFAULT_LENGTH] or None


def _rounded(item: Item, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= 10**MAX_DIGITS:
        return None
    number = Decimal(repr(value))
    if item.result is ComputedType.INTEGER:
        whole = int(number.to_integral_value(ROUND_HALF_EVEN))
        return whole if abs(whole) <= MAX_INTEGER else None
    places = _SHOWN_DECIMALS if item.digits is None else item.digits
    number = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if item.digits is None:
        number = number.normalize()
    return format(abs(number) if number.is_zero() else number, "f")
