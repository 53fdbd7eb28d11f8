"""One page from a form version to the next by the steps of a plan, and back again. Pure.

Nothing is dropped in silence: an answer is carried over, or it is an orphan that the plan retired, or a problem.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context as DecimalContext
from decimal import Decimal, Inexact
from functools import cached_property
from typing import Any

from app.forms.answers import plain
from app.forms.definition import Form, Item, ItemType
from app.forms.findings import Problem
from app.forms.values import Unreadable, read_answer
from app.study.plan import RETIRE, FormStep, ItemStep

_EXACT = DecimalContext(prec=80, traps=[Inexact])

Values = Mapping[str, Any]
Where = tuple[str, str | None, int | None]
"""An item, the section whose rows it stands in (None: the page itself), and the row."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """An answer that has no place in the other version: the item as it was named, its row, and the answer."""

    item: str
    row: int | None
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a page becomes: its answers, what has no place there, and what the plan leaves open."""

    answers: dict[str, Any]
    orphans: tuple[Orphan, ...]
    problems: tuple[Problem, ...]


class Unmapped(Exception):  # noqa: N818 (caught below: a sentence about one answer, no error of the program)
    """An answer that cannot be carried over, with the code of why."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Line:
    """The way of one item's answers: from an item to an item, or to none where they are retired."""

    source: Item
    home: str | None
    target: Item | None
    there: str | None
    codes: Mapping[str, str | None]  # None: several codes have become this one, none can be told
    missing: Mapping[str, str | None]
    factor: Decimal = Decimal(1)
    over: Decimal = Decimal(1)
    unfit: str | None = None
    retired: bool = False

    def carry(self, answer: Any) -> Any:
        """The answer as the target stores it. Raises Unmapped."""
        if self.target is None:
            raise Unmapped("retired" if self.retired else "lost")
        value, unit, reason = plain(answer)
        if reason is not None:
            return self._read({"missing": _mapped(self.missing, reason)})
        if isinstance(value, list):
            value = list(dict.fromkeys(_mapped(self.codes, code) for code in value))
        elif self.source.codes:
            value = _mapped(self.codes, value)
        if self.source.is_number and self.target.is_number:
            return self._read(self._number(value, unit))
        return self._read(_shaped(value, self.target.type))

    def _read(self, raw: Any) -> Any:
        assert self.target is not None  # noqa: S101 - `carry` has looked
        try:
            return read_answer(self.target, raw)
        except Unreadable as unreadable:
            raise Unmapped(unreadable.code, **unreadable.params) from None

    def _number(self, value: Any, unit: str | None) -> Any:
        """As collected where the target knows the unit it was collected in; else in the target's own unit, exactly."""
        assert self.target is not None  # noqa: S101 - `carry` has looked
        before = self.source.factors[unit] if unit is not None else Decimal(1)
        named = unit or self.source.unit
        whole = _EXACT.multiply(before, self.factor)
        known = Decimal(1) if named == self.target.unit else self.target.factors.get(named or "")
        if known is not None and _EXACT.multiply(known, self.over) == whole:
            return value if named == self.target.unit else {"value": value, "unit": named}
        if whole == self.over:
            return value
        try:
            return format(_EXACT.divide(_EXACT.multiply(Decimal(value), whole), self.over), "f")
        except Inexact:
            raise Unmapped("inexact") from None

    def reversed(self) -> "Line | None":
        """The way back; None where nothing was carried over."""
        if self.target is None:
            return None
        codes = _backwards(self.codes, [code.code for code in self.source.codes])
        missing = _backwards(self.missing, [reason.value for reason in self.source.missing])
        return Line(self.target, self.there, self.source, self.home, codes, missing, self.over, self.factor)


def _mapped(mapping: Mapping[str, str | None], word: str) -> str:
    found = mapping.get(word, word)
    if found is None:
        raise Unmapped("ambiguous")
    return found


def _backwards(mapping: Mapping[str, str | None], words: list[str]) -> dict[str, str | None]:
    """The mapping the other way round: None where two words have become one."""
    found: dict[str, str | None] = {}
    for word in words:
        to = mapping.get(word, word)
        if to is not None:
            found[to] = word if to not in found else None
    return found


def _shaped(value: Any, kind: ItemType) -> Any:
    """One choice as a list of one, and a number as its text, where the other version asks for that."""
    if kind is ItemType.MULTIPLE and isinstance(value, str):
        return [value]
    if kind is ItemType.SINGLE and isinstance(value, list) and len(value) == 1:
        return value[0]
    return str(value) if kind is ItemType.TEXT and isinstance(value, int) else value


@dataclass(frozen=True)
class Passage:
    """The way between two versions of a form under a plan, worked out once for all its pages."""

    old: Form
    new: Form
    step: FormStep

    @cached_property
    def lines(self) -> dict[str, Line]:
        """The way of each item of the old version that takes answers."""
        steps = {step.item: step for step in self.step.items}
        rows = {step.rows: step for step in self.step.rows}
        found = {}
        for section in self.old.sections:
            home = section.id if section.repeating else None
            gone = home in rows and rows[home].retire
            there = (rows[home].rename or home) if home in rows else home
            for item in section.items:
                if item.type is not ItemType.COMPUTED:
                    step = steps.get(item.id) or ItemStep(item=item.id)
                    found[item.id] = self._line(item, home, there, step, gone=gone or step.retire)
        return found

    def _line(self, item: Item, home: str | None, there: str | None, step: ItemStep, *, gone: bool) -> Line:
        name = step.rename or item.id
        target = self.new.item(name) if self.new.has(name) and not gone else None
        if target is not None and _home(self.new, name) != there:
            target = None
        codes = {code.code: step.codes.get(code.code, code.code) for code in item.codes}
        missing = {each.value: step.missing.get(each, each).value for each in item.missing}
        factor = Decimal(step.convert or 1)
        return Line(item, home, target, there, codes, missing, factor, unfit=step.unfit, retired=gone)

    def forward(self, answers: Values) -> Migrated:
        """The answers of a page as the new version stores them."""
        made, orphans, problems = _Page(), [], []
        for line, row, answer in self._given(answers):
            try:
                carried = line.carry(answer)
            except Unmapped as unmapped:
                if unmapped.code != "retired" and line.unfit is None:
                    problems.append(_problem(line, row, unmapped))
                    continue
                orphans.append(Orphan(line.source.id, row, answer))
                carried = None if line.unfit in {None, RETIRE} or line.target is None else {"missing": str(line.unfit)}
            if line.target is not None:
                made.put((line.target.id, line.there, row), carried)
        return Migrated(made.answers(self.new), tuple(orphans), tuple(problems))

    def filled(self, answers: Values, owed: Iterable[Problem]) -> dict[str, Any]:
        """The answers with the plan's reasons where the new version says that one is `owed`."""
        reasons = {fill.item: {"missing": fill.missing.value} for fill in self.step.fills}
        made = _Page.of(self.new, answers)
        for each in owed:
            if each.item in reasons:
                made.put((each.item, _home(self.new, each.item), each.row), reasons[each.item])
        return made.answers(self.new)

    def back(self, before: Values, migrated: Values, now: Values) -> Migrated:
        """The page as the old version had it: `before` became `migrated`, and people have made it `now` since.

        What nobody has touched is what it was before, retired answers too. What was entered since is carried back
        where the way has no fork; else it is a problem, as what the old version has no place for.
        """
        held, then, page = _Page.of(self.old, before), _Page.of(self.new, migrated), _Page.of(self.new, now)
        made, problems, used = _Page(), [], set()
        gone, begun = then.rows - page.rows, page.rows - then.rows
        for line in self.lines.values():
            back = line.reversed()
            rows = {place[2] for place in held.of_item(line.source.id)}
            if back is not None:
                rows |= {place[2] for place in (*page.of_item(back.source.id), *then.of_item(back.source.id))}
            for row in rows:
                here: Where = (line.source.id, line.home, row)
                there: Where = (back.source.id if back else "", line.there, row)
                used.add(there)
                was, value = held.values.get(here), page.values.get(there)
                if (line.there, row) in gone:
                    continue
                taken = was is not None and (line.there, row) in begun
                try:
                    made.put(here, _returned(back, was, then.values.get(there), value, taken=taken))
                except Unmapped as unmapped:
                    problems.append(_problem(back or line, row, unmapped))
        for place, value in page.values.items():
            if place not in used and then.values.get(place) != value:
                problems.append(Problem(place[0], place[2], "lost"))
        return Migrated(made.answers(self.old), (), tuple(problems))

    def _given(self, answers: Values) -> Iterator[tuple[Line, int | None, Any]]:
        page = _Page.of(self.old, answers)
        for (item, _, row), answer in page.values.items():
            yield self.lines[item], row, answer


@dataclass
class _Page:
    """Answers laid out flat, each under its item, its section of rows and its row."""

    values: dict[Where, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Form, answers: Values) -> "_Page":
        made = cls()
        for section in form.sections:
            names = [item.id for item in section.items]
            if section.repeating:
                for row in answers.get(section.id, ()):
                    made.values |= {(name, section.id, row["row"]): row[name] for name in names if name in row}
            else:
                made.values |= {(name, None, None): answers[name] for name in names if name in answers}
        return made

    def put(self, place: Where, value: Any) -> None:
        if value is not None:
            self.values[place] = value

    def of_item(self, item: str) -> dict[Where, Any]:
        return {place: value for place, value in self.values.items() if place[0] == item}

    @property
    def rows(self) -> set[tuple[str | None, int | None]]:
        """Every row by its section and number."""
        return {(home, row) for _, home, row in self.values if row is not None}

    def answers(self, form: Form) -> dict[str, Any]:
        """The answers as a page stores them: in the order of the form, rows by their numbers."""
        found: dict[str, Any] = {}
        for section in form.sections:
            names = [item.id for item in section.items]
            if not section.repeating:
                found |= {name: self.values[name, None, None] for name in names if (name, None, None) in self.values}
                continue
            rows = []
            for row in sorted(number for home, number in self.rows if home == section.id and number is not None):
                held = {name: self.values[at] for name in names if (at := (name, section.id, row)) in self.values}
                if held:
                    rows.append({"row": row, **held})
            if rows:
                found[section.id] = rows
        return found


def _home(form: Form, item: str) -> str | None:
    section = form.section_of(item)
    return section.id if section.repeating else None


def _returned(back: Line | None, was: Any, then: Any, now: Any, *, taken: bool) -> Any:
    """An answer as the old version had it. `taken`: its row went with the migration, another came. Raises Unmapped."""
    if taken:
        raise Unmapped("row-taken")
    if back is None or now == then:
        return was
    return None if now is None else back.carry(now)


def _problem(line: Line, row: int | None, unmapped: Unmapped) -> Problem:
    """A problem at the item that is to take the answer."""
    named = line.target or line.source
    return Problem(named.id, row, unmapped.code, unmapped.params)
