"""What can be wrong with the rules and edit checks of a form: names that are not there, examples that do not hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from app.forms.asking import FLOOR, Asking, Watch, asking, plain_name, watch
from app.forms.context import Context
from app.forms.definition import Calculation, Check, Example, Form, Item, ItemType, Phase, Severity
from app.forms.expressions import INDETERMINATE, SCALARS, ExpressionMistake, Kind, compile_expression
from app.forms.mistakes import Fault, Path, again, near
from app.forms.page import Page
from app.forms.reading import read


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str:
        """The name."""


class Asked(Protocol):
    """What has to be known of an input: what it can be read from, and how that is said."""

    @property
    def in_a_form(self) -> str:
        """How an expression gives it."""

    @property
    def accepted(self) -> str:
        """What it accepts, empty when there is nothing to say."""

    def takes(self, kind: str) -> bool:
        """Whether it can be read from what an expression of this kind gives."""

    def read(self, raw: object) -> Any:
        """What it makes of a value; raises ValueError when it can make nothing of it."""


class Published(Protocol):
    """What has to be known of a published rule: what it asks for, and what it answers."""

    @property
    def named(self) -> Mapping[str, Asked]:
        """Its inputs by name."""

    @property
    def results(self) -> Sequence[Named]:
        """Its results, the outcome first."""


Catalogue = Mapping[str, Published]


def calculation_faults(
    form: Form, names: Mapping[str | None, Mapping[str, Kind]], catalogue: Catalogue | None
) -> tuple[dict[str, Asking], list[Fault]]:
    """The calculations of a form that are sound, and what is wrong; `names` by repeating section, None for the page."""
    sound: dict[str, Asking] = {}
    found: list[Fault] = list(_twice(form.calculations, "calculation"))
    fed = {item.calculation for item in form.items}
    for at, each in enumerate(form.calculations):
        path: Path = ("calculation", at)
        mistakes = [*_rows(form, path, each.rows), *_range(form, path, each), *_rule(path, each, catalogue)]
        for name in each.inputs:
            mistakes += _input(form, (*path, "inputs", name), each, names.get(each.rows, {}), catalogue)
        if each.id not in fed:
            mistakes.append(Fault((*path, "id"), f"no item shows {each.id!r}", "Add a computed item that names it"))
        if not mistakes:
            sound[each.id] = asking(form, each, names[each.rows])
        found += mistakes
    known = {each.id: each for each in form.calculations}
    for at, section in enumerate(form.sections):
        for number, item in enumerate(section.items):
            here: Path = ("section", at, "item", number)
            found += _item(form, here, item, section.id if section.repeating else None, known, catalogue)
    return sound, found


def _twice(several: Iterable[Calculation | Check], what: str) -> Iterator[Fault]:
    ids = [each.id for each in several]
    for at, repeated in enumerate(again(ids)):
        if repeated:
            yield Fault((what, at, "id"), f"the {what} {ids[at]!r} is given twice", "Rename one")


def _rows(form: Form, path: Path, rows: str | None) -> Iterator[Fault]:
    if rows is not None and rows not in form.row_sections:
        remedy = near(rows, form.row_sections, otherwise="Leave `rows` out: the form has no repeating section")
        yield Fault((*path, "rows"), f"{rows!r} is no repeating section", remedy)


def _range(form: Form, path: Path, each: Calculation) -> Iterator[Fault]:
    if each.range is None:
        return
    for key, name in (("value", each.range.value), ("laboratory", each.range.laboratory)):
        if name is not None and not form.has(name):
            yield _no_item(form, (*path, "range", key), name)
    value = each.range.value
    if form.has(value) and form.item(value).value_type is not ItemType.DECIMAL:
        yield Fault((*path, "range", "value"), f"{value!r} is no decimal", "Name the item that holds the value")


def _rule(path: Path, each: Calculation, catalogue: Catalogue | None) -> Iterator[Fault]:
    if catalogue is not None and each.rule not in catalogue:
        remedy = near(each.rule, catalogue, otherwise="docs/clinical lists the rules")
        yield Fault((*path, "rule"), f"there is no published rule {each.rule!r}", remedy)
        return
    inputs = set(each.inputs) if catalogue is None else set(catalogue[each.rule].named)
    for name in each.inputs:
        if name not in inputs:
            remedy = near(name, inputs, otherwise=f"It asks for {', '.join(sorted(inputs))}")
            yield Fault((*path, "inputs", name), f"{each.rule} asks for no {name!r}", remedy)
    for number, name in enumerate(each.needs):
        if name not in each.inputs:
            yield Fault((*path, "needs", number), f"{name!r} is no input here", "Name one of `inputs`")


def _input(
    form: Form, path: Path, each: Calculation, names: Mapping[str, Kind], catalogue: Catalogue | None
) -> Iterator[Fault]:
    """What is no expression, or what the rule could not read on any page: a wrong kind, a constant it does not take."""
    name = str(path[-1])
    mistakes = _expression(path, each.inputs[name], names, "any")
    yield from mistakes
    wanted = None if catalogue is None or each.rule not in catalogue else catalogue[each.rule].named.get(name)
    if wanted is None or mistakes:
        return
    given = compile_expression(each.inputs[name], names, result="any", strict=True)
    if plain_name(form, each.inputs[name]) is not None:
        readable = given.kind in SCALARS
    elif given.uses:
        readable = given.kind == "any" or wanted.takes(given.kind)
    else:
        readable = _reads(wanted, given.evaluate({}))
    if not readable:
        accepted = f": {wanted.accepted}" if wanted.accepted else ""
        yield Fault(path, f"{each.rule} can never read {name!r} from this", f"Write {wanted.in_a_form}{accepted}")


def _reads(wanted: Asked, value: Any) -> bool:
    try:
        wanted.read(None if value is INDETERMINATE else value)
    except ValueError:
        return False
    return True


def _item(
    form: Form, path: Path, item: Item, rows: str | None, known: Mapping[str, Calculation], catalogue: Catalogue | None
) -> Iterator[Fault]:
    """A computed item and the calculation it shows, and the assessment it stands beside."""
    if item.differs is not None:
        if not form.has(item.differs):
            yield _no_item(form, (*path, "differs"), item.differs)
        elif form.section_of(item.differs).repeating is (rows is None):
            yield Fault(
                (*path, "differs"), f"{item.differs!r} stands elsewhere: rows and the page", "Put both in one section"
            )
    if item.calculation is None:
        if item.output is not None:
            yield Fault((*path, "output"), "`output` belongs to `calculation`", "Remove it")
        return
    each = known.get(item.calculation)
    if each is None:
        remedy = near(item.calculation, known, otherwise="Add a [[calculation]] of this id")
        yield Fault((*path, "calculation"), f"there is no calculation {item.calculation!r}", remedy)
        return
    if each.rows is not None and each.rows != rows:
        yield Fault((*path, "calculation"), f"{each.id!r} is asked in the rows of {each.rows!r}", "Move the item there")
    if catalogue is not None and each.rule in catalogue and item.output is not None:
        outputs = [*(result.name for result in catalogue[each.rule].results), FLOOR]
        if item.output not in outputs:
            remedy = near(item.output, outputs, otherwise=f"It gives {', '.join(outputs)}")
            yield Fault((*path, "output"), f"{each.rule} gives no {item.output!r}", remedy)


def check_faults(
    form: Form,
    checks: Sequence[Check],
    names: Mapping[str | None, Mapping[str, Kind]],
    *,
    examples: bool = True,
    root: Path = (),
) -> list[Fault]:
    """What is wrong with edit checks over a form: names, types, and examples that do not come out as they should."""
    found = [Fault((*root, *fault.path), fault.message, fault.remedy) for fault in _twice(checks, "check")]
    sound: list[tuple[Path, Check, Watch]] = []
    for at, check in enumerate(checks):
        path: Path = (*root, "check", at)
        mistakes = list(_rows(form, path, check.rows))
        if not form.has(check.item):
            mistakes.append(_no_item(form, (*path, "item"), check.item))
        elif (form.section_of(check.item).id if form.section_of(check.item).repeating else None) != check.rows:
            remedy = "Give `rows` where the item stands in rows, and nowhere else"
            mistakes.append(Fault((*path, "item"), f"{check.item!r} stands elsewhere than `rows` says", remedy))
        mistakes += _expression((*path, "when"), check.when, names.get(check.rows, {}), "bool")
        if not mistakes:
            compiled = watch(check, names[check.rows], strict=True)
            mistakes += _hard(path, check, compiled)
            sound.append((path, check, compiled))
        found += mistakes
    if examples and not found:  # the page of an example is asked every check of its form
        found += chain.from_iterable(_examples(form, *each) for each in sound)
    return found


def _hard(path: Path, check: Check, compiled: Watch) -> Iterator[Fault]:
    """What is known only after the page is stored cannot refuse it."""
    if check.severity is Severity.HARD and compiled.late:
        yield Fault((*path, "severity"), "windows and endpoints follow from the stored page", 'Write "query"')
    if check.severity is Severity.HARD and not {Phase.ENTRY, Phase.IMPORT} & set(check.phases):
        yield Fault((*path, "severity"), "nothing is refused in these phases", 'Write "query", or add entry and import')


def _examples(form: Form, path: Path, check: Check, compiled: Watch) -> Iterator[Fault]:
    for key, examples, expected in (("fires", check.fires, True), ("passes", check.passes, False)):
        for number, example in enumerate(examples):
            here: Path = (*path, key, number)
            try:
                fired = fires(form, compiled, example)
            except ValueError as unread:
                yield Fault(here, f"the example cannot be read: {unread}", "Write answers as a page would send them")
                continue
            if fired is not expected:
                said = "does not fire" if expected else "fires"
                yield Fault(here, f"the check {check.id!r} {said} here", "Correct the condition or the example")


def fires(form: Form, compiled: Watch, example: Example) -> bool:
    """Whether a check fires for an example. Raises ValueError naming the item that cannot be read."""
    computed = {item.id for item in form.items if item.type is ItemType.COMPUTED}
    given = {name: value for name, value in example.answers.items() if name not in computed}
    reading = read(form, given)
    if reading.problems:
        raise ValueError(f"{reading.problems[0].item or 'an item'} ({reading.problems[0].code})")
    known = {name: value for name, value in example.answers.items() if name in computed} or None
    page = Page(form, reading.answers, Context(example.subject, example.visit, example.study), known)
    page.names |= {"window": example.window, "endpoint": example.endpoint}
    return any(True for _ in page.asked(compiled))


def _expression(path: Path, text: str, names: Mapping[str, Kind], result: Any) -> list[Fault]:
    try:
        compile_expression(text, names, result=result, strict=True)
    except ExpressionMistake as mistake:
        return [Fault(path, f"column {mistake.column}: {mistake.message}", mistake.remedy)]
    return []


def _no_item(form: Form, path: Path, name: str) -> Fault:
    ids = [item.id for item in form.items]
    return Fault(path, f"the form has no item {name!r}", near(name, ids, otherwise=f"Items are {', '.join(ids[:12])}"))
