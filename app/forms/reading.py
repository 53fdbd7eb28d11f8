"""The reading of a page: from the JSON that arrived to the canonical answers that are stored, problem by problem."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.forms.definition import MAX_ROWS, Form, Item, Section
from app.forms.findings import Difference, Problem
from app.forms.values import Unreadable, read_answer

MAX_PROBLEMS = 500
MAX_ROW_NUMBER = 1_000_000

Answers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """The canonical answers (of what could be read), and what could not."""

    answers: Answers
    problems: list[Problem]


def read(form: Form, raw: Any, *, previous: Mapping[str, Any] | None = None) -> Reading:
    """Read the answers of one page. Never raises.

    Canonical: empty items are absent; a plain scalar in the canonical unit, {"value", "unit"} in another; rows sorted
    by their number, numbered where they came without, never with a number that `previous` (the last state) used.
    Reading its own answers again gives the same answers and no problem.
    """
    if not isinstance(raw, Mapping):
        return Reading({}, [Problem("", None, "not_an_object")])
    problems: list[Problem] = []
    answers: Answers = {}
    for section in form.sections:
        if section.repeating:
            rows = _read_rows(section, raw.get(section.id), (previous or {}).get(section.id), problems)
            if rows:
                answers[section.id] = rows
        else:
            answers |= _read_items(section.items, raw, None, problems)
    for key in raw:
        if len(problems) >= MAX_PROBLEMS:
            break
        if problem := _misplaced(form, key):
            problems.append(problem)
    return Reading(answers, problems[:MAX_PROBLEMS])


def _misplaced(form: Form, key: Any) -> Problem | None:
    """The problem of a key that does not belong on the page itself."""
    if key in form.row_sections:
        return None
    if not isinstance(key, str) or not form.has(key):
        return Problem(_named(key), None, "unknown_item")
    section = form.section_of(key)
    return Problem(key, None, "belongs_in_rows", {"section": section.id}) if section.repeating else None


def _named(key: Any) -> str:
    """A key as it may be repeated to its sender: only what could be an id, for anything may stand there."""
    short = isinstance(key, str) and len(key) <= 32  # noqa: PLR2004 (the length of an id)
    return key if short and key.isascii() and key.isidentifier() and key.islower() else ""


def _read_items(
    items: tuple[Item, ...], raw: Mapping[str, Any], row: int | None, problems: list[Problem]
) -> dict[str, Any]:
    answers = {}
    for item in items:
        if item.id not in raw:
            continue
        try:
            answer = read_answer(item, raw[item.id])
        except Unreadable as unreadable:
            problems.append(Problem(item.id, row, unreadable.code, unreadable.params))
        else:
            if answer is not None:
                answers[item.id] = answer
    return answers


def _read_rows(section: Section, raw: Any, previous: Any, problems: list[Problem]) -> list[dict[str, Any]]:
    if raw is None or raw == "":
        return []
    if not isinstance(raw, list):
        problems.append(Problem(section.id, None, "not_rows"))
        return []
    if len(raw) > MAX_ROWS:
        problems.append(Problem(section.id, None, "too_many_rows", {"limit": MAX_ROWS}))
        return []
    known = {item.id for item in section.items} | {"row"}
    numbers = _row_numbers(section, raw, previous, problems)
    rows = []
    for position, (given, number) in enumerate(zip(raw, numbers, strict=True), start=1):
        if not isinstance(given, Mapping):
            problems.append(Problem(section.id, position, "not_a_row"))
            continue
        if len(problems) >= MAX_PROBLEMS:
            break
        row = number if number is not None else position
        problems += [Problem(_named(key), row, "unknown_item") for key in given if key not in known][:MAX_PROBLEMS]
        answers = _read_items(section.items, given, row, problems)
        if answers and number is not None:
            rows.append({"row": number, **answers})
    return sorted(rows, key=lambda row: int(row["row"]))


def _row_numbers(section: Section, raw: list[Any], previous: Any, problems: list[Problem]) -> list[int | None]:
    """The number of each row: as given, or the next free one; None where the given one cannot be used."""
    numbers: list[int | None] = []
    given: set[int] = set()
    for position, row in enumerate(raw, start=1):
        number = row.get("row") if isinstance(row, Mapping) else None
        if number is None:
            numbers.append(None)
        elif isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_ROW_NUMBER:
            problems.append(Problem(section.id, position, "row_number"))
            numbers.append(-1)
        elif number in given:
            problems.append(Problem(section.id, position, "row_twice"))
            numbers.append(-1)
        else:
            given.add(number)
            numbers.append(number)
    before = previous if isinstance(previous, list) else []
    used = given | {row["row"] for row in before if isinstance(row, Mapping) and isinstance(row.get("row"), int)}
    following = max(used, default=0)
    for index, number in enumerate(numbers):
        if number is None and following < MAX_ROW_NUMBER:
            following += 1
            numbers[index] = following
        elif number is None:
            problems.append(Problem(section.id, index + 1, "row_number"))
    return [None if number is None or number < 0 else number for number in numbers]


def difference(form: Form, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Item by item what two canonical states do not share: in the order of the form, rows by their numbers.

    Keys the form does not know (a state stored under another version) come last.
    """
    found: list[Difference] = []
    for section in form.sections:
        if not section.repeating:
            found += _changed([item.id for item in section.items], None, before, after)
    sections = list(form.row_sections)
    for name in [*sections, *_unknown(form, before, after)]:
        old, new = before.get(name), after.get(name)
        if name not in sections and not _are_rows(old) and not _are_rows(new):
            found += _changed([name], None, before, after)
            continue
        old_rows, new_rows = _by_number(old), _by_number(new)
        known = [item.id for item in form.row_sections[name].items] if name in sections else []
        for number in sorted(old_rows.keys() | new_rows.keys()):
            one, other = old_rows.get(number, {}), new_rows.get(number, {})
            extra = sorted((one.keys() | other.keys()) - set(known) - {"row"})
            found += _changed([*known, *extra], number, one, other)
    return found


def _changed(
    names: list[str], row: int | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in names:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Difference(name, row, old, new)


def _unknown(form: Form, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    known = form.row_sections.keys() | {item.id for item in form.items if not form.section_of(item.id).repeating}
    return sorted((before.keys() | after.keys()) - known)


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _by_number(rows: Any) -> dict[int, Mapping[str, Any]]:
    return {row["row"]: row for row in rows or ()} if _are_rows(rows) else {}
