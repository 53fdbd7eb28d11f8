"""One page while it is judged: what is shown, what is computed and how, what is owed, what looks wrong."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from app.forms.asking import NE, Asking, Watch, Worked
from app.forms.context import Context, Place
from app.forms.definition import Form, Item, ItemType, Section
from app.forms.expressions import INDETERMINATE
from app.forms.findings import Problem, Question, fingerprint
from app.forms.results import output_of, result_of, variable
from app.forms.rules import Rules, rules
from app.forms.values import convert, outside, value_of

_DATES = {ItemType.DATE, ItemType.PARTIAL_DATE}


class Page:
    """One page while it is judged."""

    def __init__(
        self,
        form: Form,
        answers: Mapping[str, Any],
        context: Context,
        computed: Mapping[str, Any] | None = None,
    ) -> None:
        self.form = form
        self.answers = answers
        self.context = context
        self.rules: Rules = rules(form)
        self.rows: dict[str, list[Mapping[str, Any]]] = {name: answers.get(name) or [] for name in form.row_sections}
        self.row_values: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[str, Any] = {
            "subject": context.subject, "study": context.study, "visit": context.visit, "missing": _reasons(answers),
            "unit": _collected(form, answers),
        }  # fmt: skip
        for section in form.sections:
            if section.repeating:
                self.row_values[section.id] = [
                    {"row": float(row["row"])} | self._seen(section, row) for row in self.rows[section.id]
                ]
                self.names[section.id] = self.row_values[section.id]
            else:
                self.names |= self._seen(section, answers)
        self.results: dict[Place, Any] = {}
        self.outcomes: dict[Place, Worked | None] = {}
        # conditions are asked again and again; their computed inputs come first in `order`, so an answer stays
        self.shown: dict[Place, Any] = {}
        self.sections_shown: dict[str, Any] = {}
        for item_id in self.rules.order:
            self._compute(form.item(item_id), computed)

    def _seen(self, section: Section, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The items of a section as expressions see them."""
        given = answers.get
        return {
            name: None if (answer := given(name)) is None else read(answer)
            for name, read in self.rules.readers[section.id]
        }

    def row_names(self, section_id: str, number: int) -> Mapping[str, Any]:
        """The names inside a row. Raises KeyError where there is no such row."""
        for index, row in enumerate(self.rows[section_id]):
            if row["row"] == number:
                return self._inside(self.form.section(section_id), index)
        raise KeyError(number)

    def _inside(self, section: Section, index: int) -> ChainMap[str, Any]:
        row = self.rows[section.id][index]
        own: dict[str, Any] = {"missing": self.names["missing"] | _reasons(row)}
        if not self.form.has("unit"):  # an item of that name came first
            own["unit"] = {**self.names["unit"], **_units(row)}
        return ChainMap(own, self.row_values[section.id][index], self.names)

    def _compute(self, item: Item, known: Mapping[str, Any] | None) -> None:
        """One computed item in each place it has: worked out, or as it is known to have come out."""
        section = self.form.section_of(item.id)
        places: list[tuple[int | None, Mapping[str, Any], dict[str, Any]]] = [(None, self.names, self.names)]
        if section.repeating:
            places = [
                (row["row"], self._inside(section, at), self.row_values[section.id][at])
                for at, row in enumerate(self.rows[section.id])
            ]
        for row, names, kept in places:
            if known is not None:
                value = (known if row is None else row_of(known, (section.id, row))).get(item.id)
            else:
                value = self._value(item, row, names) if self._shown(item, row, names) is True else None
            kept[item.id] = variable(item, value)
            self.results[item.id, row] = value

    def _value(self, item: Item, row: int | None, names: Mapping[str, Any]) -> Any:
        if item.calculation is None:
            return result_of(item, self.rules.formulas[item.id].evaluate(names))
        worked = self._worked(self.rules.calculations[item.calculation], row, names)
        return None if worked is None else output_of(item, worked.outcome)

    def _worked(self, asked: Asking, row: int | None, names: Mapping[str, Any]) -> Worked | None:
        """A calculation of this page or row, asked once for all the items it feeds."""
        row = None if asked.calculation.rows is None else row
        place = (asked.calculation.id, row)
        if place not in self.outcomes:
            self.outcomes[place] = self._ask(asked, row, names)
        return self.outcomes[place]

    def _ask(self, asked: Asking, row: int | None, names: Mapping[str, Any]) -> Worked | None:
        """What the rule says; None where it lacks what it needs, or nobody answers for it."""
        if self.context.calculate is None:
            return None
        inputs = {name: self._exact(of, what, row) for name, (of, what) in asked.named.items()}
        for name, expression in asked.worked.items():
            value = expression.evaluate(names)
            inputs[name] = None if value is INDETERMINATE else value
        if any(inputs.get(name) is None for name in asked.calculation.needs):
            return None
        flags = self._take_range(asked, inputs)
        if not self.context.lost.isdisjoint(asked.facts):
            flags += ("UNIT_NOT_TAKEN",)
        outcome = self.context.calculate(asked.calculation.rule, inputs)
        return Worked(outcome, (*outcome.flags, *flags), asked.facts)

    @property
    def working(self) -> dict[Place, Worked]:
        """How each calculation came out, where it was asked."""
        return {place: worked for place, worked in self.outcomes.items() if worked is not None}

    def _exact(self, of: str, name: str, row: int | None) -> Any:
        """A value as it was entered, numbers as exact decimals in the canonical unit."""
        if of:
            return (self.context.subject if of == "subject" else self.context.study).get(name)
        item, section = self.form.item(name), self.form.section_of(name)
        if item.type is ItemType.COMPUTED:
            answer = self.results.get((name, row if section.repeating else None))
        elif section.repeating:
            answer = row_of(self.answers, (section.id, row)).get(name)
        else:
            answer = self.answers.get(name)
        return convert(item, answer) if item.is_number else value_of(answer)

    def _take_range(self, asked: Asking, inputs: dict[str, Any]) -> tuple[str, ...]:
        """Fill in the limits of normal that the page does not state; a flag says where there are none at all."""
        wanted = asked.calculation.range
        if wanted is None or not (inputs.get("lln") is None and inputs.get("uln") is None):
            return ()
        found = None
        if self.context.ranges is not None:
            laboratory = "" if wanted.laboratory is None else str(self._exact("", wanted.laboratory, None) or "")
            found = self.context.ranges(wanted.analyte, laboratory, self.form.day(self.answers))
        item = self.form.item(wanted.value)
        asked_in = item.factor(str(inputs.get("unit"))) or 1  # the rule may be asked in the unit of the laboratory
        factor = None if found is None else item.factor(found.unit)
        if found is None or factor is None:
            return ("RANGE_MISSING",)
        for name, limit in (("lln", found.low), ("uln", found.high)):
            inputs[name] = None if limit is None else limit * factor / asked_in
        return ()

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
        """The items and repeating sections shown."""
        shown = {(item.id, row) for item, row, _, names in self.places if self._shown(item, row, names) is True}
        sections = {(s.id, None) for s in self.form.row_sections.values() if self._section_shown(s) is True}
        return frozenset(shown | sections)

    def computed(self) -> dict[str, Any]:
        """The computed items in the shape of answers."""
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
        values = ((item, self.results.get((item, row))) for item in self.rules.computed[section.id])
        return {item: value for item, value in values if value is not None}

    def owed(self) -> Iterator[Problem]:
        """Required items that are shown, without value and without reason."""
        for item, row, answer, names in self.places:
            if item.required and answer is None and self._shown(item, row, names) is True:
                yield Problem(item.id, row, "required", {"allowed": [str(reason) for reason in item.missing]})

    def questions(self) -> Iterator[Question]:
        """What looks wrong."""
        for item, row, answer, names in self.places:
            if value_of(answer) is None:
                continue
            if self._shown(item, row, names) is False:
                yield Question(item.id, row, "left_behind", fingerprint=fingerprint(answer))
            elif item.is_number:
                yield from _soft_number(item, row, answer)
            elif item.type in _DATES and (beyond := outside(answer_text(answer), item.soft_min, item.soft_max)):
                rule = "soft_min" if beyond < 0 else "soft_max"
                yield Question(item.id, row, rule, {"limit": getattr(item, rule)}, fingerprint=fingerprint(answer))
        yield from self._differing()
        yield from self.watched(late=False)

    def _differing(self) -> Iterator[Question]:
        """Where the investigator's own assessment is not what the published rule makes of the findings.

        Codes compare without regard to case, as the rules read them.
        """
        for computed in self.rules.compared:
            for row in self._rows(computed.id):
                value, other = self.results.get((computed.id, row)), str(computed.differs)
                own = self._exact("", other, row if self.form.section_of(other).repeating else None)
                if value in {None, NE} or own is None or str(own).casefold() == str(value).casefold():
                    continue
                told = {"computed": computed.id, "calculation": computed.calculation}
                yield Question(other, row, "derived-differs", told, fingerprint=fingerprint(str(own), value))

    def watched(self, *, late: bool) -> Iterator[Question]:
        """What the edit checks find, those of the form and those that the study adds."""
        for each in (*self.rules.checks, *self.context.checks):
            if each.late is late:
                yield from self.asked(each)

    def asked(self, each: Watch) -> Iterator[Question]:
        """What one edit check finds on the page, or in each row."""
        for row in self._rows(each.check.item):
            yield from self._checked(each, row)

    def _rows(self, item: str) -> list[int | None]:
        section = self.form.section_of(item)
        return [row["row"] for row in self.rows[section.id]] if section.repeating else [None]

    def _checked(self, each: Watch, row: int | None) -> Iterator[Question]:
        """A check at its item, which is never asked where it is not shown."""
        check, item = each.check, self.form.item(each.check.item)
        names = self.names if row is None else self.row_names(self.form.section_of(item.id).id, row)
        if each.when.evaluate(names) is not True or self._shown(item, row, names) is not True:
            return
        seen = [(name, names.get(name)) for name in sorted(each.when.uses - {"subject", "study", "window", "endpoint"})]
        seen += [(name, self.context.subject.get(name)) for name in sorted(each.facts)]
        words = {"message": check.message.model_dump(), "remedy": check.remedy.model_dump()}
        yield Question(check.item, row, check.rule, words, check.severity.value, fingerprint(seen), tuple(check.phases))


def row_of(answers: Mapping[str, Any], row: tuple[str, int | None]) -> Mapping[str, Any]:
    """A row of a repeating section by its number; empty where there is none."""
    return next((each for each in answers.get(row[0]) or () if each["row"] == row[1]), {})


def answer_text(answer: Any) -> str:
    """The text of a stored date, time, code or text."""
    return str(value_of(answer))


def _soft_number(item: Item, row: int | None, answer: Any) -> Iterator[Question]:
    low, high = item.limits.get("soft_min"), item.limits.get("soft_max")
    if low is None and high is None:
        return
    number = convert(item, answer)
    if number is not None and low is not None and number < low:
        yield Question(
            item.id, row, "soft_min", {"limit": item.soft_min, "unit": item.unit}, fingerprint=fingerprint(answer)
        )
    if number is not None and high is not None and number > high:
        yield Question(
            item.id, row, "soft_max", {"limit": item.soft_max, "unit": item.unit}, fingerprint=fingerprint(answer)
        )


def _collected(form: Form, answers: Mapping[str, Any]) -> Mapping[str, str]:
    """The unit in which each number was collected: the canonical one, where nothing else was said."""
    other = _units({name: answers.get(name) for name in form.units})
    return {**form.units, **other} if other else form.units


def _units(answers: Mapping[str, Any]) -> dict[str, str]:
    return {item: answer["unit"] for item, answer in answers.items() if type(answer) is dict and "unit" in answer}


def _reasons(answers: Mapping[str, Any]) -> dict[str, str]:
    return {name: each["missing"] for name, each in answers.items() if type(each) is dict and "missing" in each}
