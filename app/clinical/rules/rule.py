"""A published rule: what it asks for, the tables it reads, and how it computes a result with floor and flags.

A rule says for complete inputs what the result is. What it says for incomplete ones follows from that alone: it is
tried on completions of what is missing. If all agree, that is the result; otherwise the result is NE, and its floor is
the least severe of them. Inputs that only make things worse in one direction are completed twice, at their mildest
and at their worst; the law that worse never grades milder, which every rule is tested for, covers what lies between.
A completion that cannot be (ImpossibleError) is none. One that the rule refuses refuses the case: nothing is told from
the others alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.clinical.rules.errors import ImpossibleError, RuleError
from app.clinical.rules.inputs import Input, Known

__all__ = ["NE", "Case", "Outcome", "Profile", "Result", "Rule", "RuleError", "Table"]

NE = "NE"
"""Not evaluable: a result, which is neither zero nor normal."""

Answer = str | Decimal | date | datetime | None


@dataclass(frozen=True)
class Table:
    """A published table. The code reads its limits here, and the page prints it from here."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: str
    note: str = ""


@dataclass(frozen=True)
class Profile:
    """One of several published readings of a rule; `input` is the input that chooses it."""

    name: str
    input: str
    source: str


class _MissingError(Exception):
    def __init__(self, wanted: Input) -> None:
        self.wanted = wanted


class Case:
    """The inputs of one case, as the rule reads them; notes what was used, asked for and flagged."""

    def __init__(self, inputs: Mapping[str, Input], given: Known, chosen: Known, worst: bool | None) -> None:
        self._inputs, self._given, self._chosen, self._worst = inputs, given, chosen, worst
        self.used: dict[str, Any] = {}
        self.asked: dict[str, None] = {}
        self.flags: dict[str, None] = {}

    def __getitem__(self, name: str) -> Any:
        """The value of an input. When it is missing, every value it could have is tried."""
        if (value := self.peek(name)) is not None:
            return value
        wanted = self._inputs[name]
        self.asked[name] = None
        if name in self._chosen:
            return self._chosen[name]
        if self._worst is None or wanted.worse is None or wanted.open:
            raise _MissingError(wanted)
        return wanted.extreme(self._worst)

    def peek(self, name: str) -> Any:
        """The value of an input, None when it is missing; for a rule that says itself what missing means."""
        value = self._given[name]
        if value is not None:
            self.used[name] = value
        return value

    def assume(self, name: str, value: Any, flag: str) -> Any:
        """The value of an input; when it is missing, what the profile declares to be assumed, with a flag."""
        if (known := self.peek(name)) is not None:
            return known
        self.flag(flag)
        return value

    def flag(self, code: str) -> None:
        """Say something about the result."""
        self.flags[code] = None


@dataclass(frozen=True)
class Result:
    """One result of a rule: how it is decided, and the order of its categories, the least severe first.

    Without an order there is no floor, and no input has a direction: each is completed by all it could be. A floor
    among `silent` says nothing and stays empty.
    """

    name: str
    meaning: str
    decide: Callable[[Case], Answer]
    order: tuple[str, ...] = ()
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What a rule says of one case. `floor` is given when `value` is NE: what every completion would still reach."""

    rule: str
    version: str
    value: Answer
    floor: str | None
    flags: tuple[str, ...]
    results: Mapping[str, Answer]
    used: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule with its version and everything a clinician needs to check it.

    The first of `results` is the outcome's `value`; it stands among the further results too when it has another name.
    `ranked` says in words how their orders run.
    """

    id: str
    version: str
    title: str
    sources: tuple[str, ...]
    inputs: tuple[Input, ...]
    results: tuple[Result, ...]
    tables: tuple[Table, ...]
    conventions: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()
    ranked: str = "from least to most severe"
    named: Mapping[str, Input] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "named", {each.name: each for each in self.inputs})

    def read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Every input by name, None where it is missing; raises RuleError for what cannot be read."""
        for name in inputs:
            if name not in self.named:
                raise RuleError(str(name), f"{self.id} asks for {', '.join(self.named)}")
        return {each.name: each.read(inputs.get(each.name)) for each in self.inputs}

    def compute(self, inputs: Mapping[str, Any]) -> Outcome:
        """The results for these inputs (None or "" is missing); raises RuleError for what cannot be read."""
        given = self.read(inputs)
        found = {result.name: _explore(self.named, result, given) for result in self.results}
        first = self.results[0]
        main = found[first.name]
        return Outcome(
            rule=self.id,
            version=self.version,
            value=main.value,
            floor=main.floor,
            flags=tuple(dict.fromkeys(flag for one in found.values() for flag in one.flags)),
            results={name: one.value for name, one in found.items() if name != "value"},
            used={name: value for one in found.values() for name, value in one.used.items()},
        )


@dataclass(frozen=True)
class _Found:
    value: Answer
    floor: str | None
    flags: tuple[str, ...]
    used: Mapping[str, Any]


def _explore(inputs: Mapping[str, Input], result: Result, given: Known) -> _Found:
    case = Case(inputs, given, {}, None)
    try:
        return _Found(result.decide(case), None, tuple(case.flags), case.used)
    except _MissingError:
        pass  # what is missing is completed
    answers: dict[Answer, None] = {}
    shared: dict[str, None] | None = None
    asked: dict[str, None] = {}
    used: dict[str, Any] = {}
    for answer, tried in _completions(inputs, result, given):
        answers[answer] = None
        shared = {flag: None for flag in (tried.flags if shared is None else shared) if flag in tried.flags}
        asked |= tried.asked
        used |= tried.used
        if NE in answers or (len(answers) > 1 and (not result.order or result.order[0] in answers)):
            break
    if len(answers) == 1 and NE not in answers:
        return _Found(next(iter(answers)), None, tuple(shared or ()), used)
    known = [] if NE in answers or not result.order else [str(one) for one in answers]
    floor = min(known, key=result.order.index, default=None)
    flags = dict.fromkeys((*case.flags, *(inputs[name].missing_flag for name in asked)))
    return _Found(NE, None if floor in result.silent else floor, tuple(flags), used)


def _completions(inputs: Mapping[str, Input], result: Result, given: Known) -> Iterator[tuple[Answer, Case]]:
    """What the rule says of each completion that can be; raises RuleError for one that it cannot read."""
    anything = (result.order[0], result.order[-1]) if result.order else (NE,)
    waiting: list[tuple[bool | None, dict[str, Any]]] = [(True, {}), (False, {})] if result.order else [(None, {})]
    while waiting:
        worst, chosen = waiting.pop()
        case = Case(inputs, given, chosen, worst)
        try:
            answers: tuple[Answer, ...] = (result.decide(case),)
        except _MissingError as missing:
            wanted = missing.wanted
            points = () if wanted.open else wanted.points({**given, **chosen})
            waiting.extend((worst, {**chosen, wanted.name: point}) for point in reversed(points))
            answers = () if points else anything
        except ImpossibleError:
            continue
        yield from ((answer, case) for answer in answers)
