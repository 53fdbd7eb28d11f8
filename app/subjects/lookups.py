"""What a page knows of the others: the study's declared facts on a subject, each with the pages it was read from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from app.forms.answers import Context, convert, value_of, variables
from app.forms.carried import LOST, counted
from app.forms.definition import Form, ItemType
from app.forms.expressions import Expression, compile_expression
from app.forms.rules import Surroundings, kinds
from app.study.definition import Fact, Pick
from app.study.library import Build
from app.subjects.facts import Page

_READ_PAGES = 20_000
Made = Mapping[UUID, Mapping[str, Any]]
"""What was computed, by page."""


class _Seen(NamedTuple):
    """A value of a fact on one page; None where it is a number in a unit that is not taken any more."""

    day: str
    value: Any
    page: Page


class Known(NamedTuple):
    """A fact as it stands: its value, and the pages it was read from.

    Numbers are exact, in the canonical unit of the version in force. One that this version does not take in its unit
    is no value: the fact stands upon its page and is None.
    """

    value: Any
    pages: tuple[Page, ...]

    @property
    def lost(self) -> bool:
        """Whether there is a number, in a unit that is not taken any more."""
        return self.value is None and bool(self.pages)


NOTHING = Known(None, ())


@dataclass(frozen=True)
class Plan:
    """The facts of a study version by the form they are read from, with their conditions compiled."""

    by_form: Mapping[str, tuple[tuple[Fact, Expression | None], ...]]
    of_page: Mapping[str, Fact]
    read: dict[tuple[Any, ...], tuple[tuple[str, Any], ...]] = field(default_factory=dict)
    """What revisions said that were read before: a revision never changes, and a save changes one page of many."""


def plan_of(build: Build) -> Plan:
    """The facts of a study version, compiled once."""
    found: Plan | None = build.memo.get("facts")
    if found is None:
        by_form: dict[str, list[tuple[Fact, Expression | None]]] = {}
        for fact in build.study.facts:
            names = kinds(build.forms[fact.form], around=Surroundings({}))
            when = compile_expression(fact.when, names) if fact.when is not None else None
            by_form.setdefault(fact.form, []).append((fact, when))
        of_page = {fact.name: fact for fact in build.study.facts if fact.of_page}
        found = build.memo["facts"] = Plan({form: tuple(some) for form, some in by_form.items()}, of_page)
    return found


def feeds(build: Build, form: str) -> bool:
    """Whether any fact is read from this form."""
    return form in plan_of(build).by_form


def kept_in(build: Build, page: Page, forms: Callable[[str, int], Form]) -> Form:
    """The version of its form that a page is kept in, which need not be the one in force."""
    form = build.forms.get(page.place.form)
    return form if form is not None and form.version == page.form_version else forms(page.place.form, page.form_version)


def meant(fact: Fact, known: Known, form: Form, kept: Callable[[Page], Form], made: Made) -> Known:
    """A fact as those mean it who know another version of its form: numbers as that version counts them."""
    if not known.pages:
        return known
    seen = []
    for page in known.pages:
        own, answers = kept(page), {**page.answers, **made.get(page.record_id, {})}
        answer = counted(own, form, answers).get(fact.item)
        seen.append(_Seen(own.day(page.answers), fact_value(form, fact.item, answer), page))
    return _series(seen) if fact.pick in {Pick.SERIES, Pick.HISTORY} else _known(seen[0])


class Lookups:
    """The facts of one subject, from its pages, each with the version of its form that it is kept in.

    Those `of_page` depend on the page that asks, and on what was computed before it.
    """

    def __init__(self, build: Build, pages: Iterable[tuple[Page, Form]], *, remember: bool = True) -> None:
        self._build, self._plan, self._remember = build, plan_of(build), remember
        self._seen: dict[str, list[_Seen]] = {}
        self.made: dict[UUID, Mapping[str, Any]] = {}
        """What was computed on the pages that facts take it from."""
        for page, form in pages:
            if page.place.form in self._plan.by_form:
                self._read(page, form, {}, computed=False)
        self.settled: dict[str, Known] = {
            fact.name: self._settle(fact) for fact in build.study.facts if not fact.of_page and fact.until is None
        }
        for fact in build.study.facts:
            if fact.until is not None and not fact.of_page:
                day = self.settled[fact.until].value
                self.settled[fact.name] = NOTHING if day is None else self._settle(fact, str(day))
        self.values: dict[str, Any] = {name: known.value for name, known in self.settled.items()}
        """Those that no single page decides (`subject.arm` …), None where unknown."""

    def add(self, page: Page, form: Form, computed: Mapping[str, Any]) -> None:
        """What was computed on a page, for the pages of later days."""
        if computed and page.place.form in self._plan.by_form:
            self.made[page.record_id] = computed
            self._read(page, form, computed, computed=True)

    def before(self, page: Page, form: Form, asked: frozenset[str]) -> dict[str, Known]:
        """The facts among `asked` that depend on the page: from pages of earlier days."""
        day = form.day(page.answers)
        return {
            name: self._earlier(fact, day) if day else NOTHING
            for name, fact in self._plan.of_page.items()
            if name in asked
        }

    def _read(self, page: Page, form: Form, values: Mapping[str, Any], *, computed: bool) -> None:
        key = (page.record_id, page.revision, page.at)
        remember = self._remember and not computed
        found = self._plan.read.get(key) if remember else None
        if found is None:
            found = tuple(_values(self._build, form, page, values, computed=computed))
            if remember:
                if len(self._plan.read) >= _READ_PAGES:
                    self._plan.read.clear()
                self._plan.read[key] = found
        for name, value in found:
            self._seen.setdefault(name, []).append(_Seen(form.day(page.answers), value, page))

    def _settle(self, fact: Fact, until: str | None = None) -> Known:
        seen: Sequence[_Seen] = self._seen.get(fact.name, ())
        if until is not None:
            seen = sorted((each for each in seen if each.day and each.day <= until), key=_order)
        if fact.pick is Pick.NEWEST:
            return _known(max(seen, key=lambda each: (each.page.at, each.page.place))) if seen else NOTHING
        if fact.pick is Pick.ANY:
            return Known(bool(seen), tuple(each.page for each in seen))
        dated = sorted((each for each in seen if each.day), key=_order)
        if not dated:
            return NOTHING
        if fact.pick is Pick.SERIES:
            return _series(dated)
        return _known(dated[0] if fact.pick is Pick.FIRST else dated[-1])

    def _earlier(self, fact: Fact, day: str) -> Known:
        seen = (each for each in self._seen.get(fact.name, ()) if each.day)
        if fact.pick is Pick.CURRENT:
            until = sorted((each for each in seen if each.day <= day), key=_order)
            return _known(until[-1]) if until else NOTHING
        earlier = sorted((each for each in seen if each.day < day), key=_order)
        if fact.pick is Pick.HISTORY:
            return _series(earlier)
        if fact.pick is Pick.BEST:
            earlier = sorted((each for each in earlier if each.value in fact.order), key=_rank(fact.order))
        return _known(earlier[-1]) if earlier else NOTHING


def _values(
    build: Build, form: Form, page: Page, made: Mapping[str, Any], *, computed: bool
) -> Iterable[tuple[str, Any]]:
    """By the version of the form that the page is kept in, numbers as the version in force counts them."""
    current = build.forms[form.form]
    answers, made = counted(form, current, page.answers), counted(form, current, made)
    for fact, when in plan_of(build).by_form[form.form]:
        if (form.has(fact.item) and form.item(fact.item).type is ItemType.COMPUTED) is not computed:
            continue
        answer = (made if computed else answers).get(fact.item)
        value = fact_value(current, fact.item, answer)
        if value is None and answer is not LOST:
            continue
        context = Context({}, page.place.visit, build.study.named)
        if when is None or when.holds(variables(form, answers, context, needed=when.uses, computed=made)):
            yield fact.name, value


def fact_value(form: Form, item: str, answer: Any) -> Any:
    """What others than its page know of an answer: numbers exact, in the canonical unit."""
    if form.has(item) and form.item(item).is_number:
        return convert(form.item(item), answer)
    return value_of(answer)


def _known(seen: _Seen) -> Known:
    return Known(seen.value, (seen.page,))


def _series(dated: Sequence[_Seen]) -> Known:
    """All of them as day=value|day=value; a value that is the day of its page is not written twice."""
    if not dated:
        return NOTHING
    pages = tuple(each.page for each in dated)
    if any(each.value is None for each in dated):  # a series with a gap would tell another story
        return Known(None, pages)
    text = "|".join(e.day if e.value == e.day else f"{e.day}={_written(e.value)}" for e in dated)
    return Known(text, pages)


def _order(seen: _Seen) -> tuple[Any, ...]:
    return seen.day, seen.page.at


def _rank(order: Sequence[str]) -> Any:
    return lambda seen: (order.index(seen.value), *_order(seen))


def _written(value: Any) -> str:
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)
