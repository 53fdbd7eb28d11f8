"""Alter each limit of each table in turn: a case of that rule must notice. Its own cases, none of another rule."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.clinical.rules.categories import CATEGORY_RULES
from app.clinical.rules.ctcae_labs import CTCAE_LABS, prepare
from app.clinical.rules.ctcae_scales import VERSIONS, Limit, Scale
from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import Rule, Table
from tests.clinical.rules.cases import CASES

MORE, LESS = Decimal("1.01"), Decimal("0.99")
BY_RULE = {name: [case for case in CASES if case.rule == name] for name in RULES}

DIRECT = [rule for rule in RULES.values() if rule not in CATEGORY_RULES]  # the others: test_category_cases

UNREAD = {
    ("ctcae_grade", "Grades in general"),  # words for a reader
    ("ctcae_labs", "Version 5.0"),  # printed from the scales, whose limits are altered one by one below
    ("ctcae_labs", "Version 6.0"),
    ("ctcae_labs", "Version 5.0: what the text adds"),
    ("ctcae_labs", "Version 6.0: what the text adds"),
}


def others(rule: Rule, cell: Any) -> list[Any]:
    """What a slip of the pen could make of a limit or a category; nothing for words."""
    if isinstance(cell, bool):
        return [not cell]
    if isinstance(cell, Decimal):
        return [cell * MORE, cell * LESS] if cell else [Decimal("0.01")]
    if isinstance(cell, int):
        return [cell + 1, cell - 1] if cell else [1]  # below the least score there is nothing
    if isinstance(cell, tuple):
        return [(*cell[:at], *cell[at + 1 :]) for at in range(len(cell))]
    orders = [result.order for result in rule.results if cell in result.order]
    return [order[order.index(cell) - 1] for order in orders[:1] if isinstance(cell, str)]


def mutants() -> Iterator[Any]:
    for rule in DIRECT:
        for table in rule.tables:
            if (rule.id, table.title) in UNREAD:
                continue
            for at, row in enumerate(table.rows):
                for column, cell in enumerate(row):
                    for other in others(rule, cell):
                        rows = (*table.rows[:at], (*row[:column], other, *row[column + 1 :]), *table.rows[at + 1 :])
                        name = f"{rule.id}: {table.title}, {row[0]}, {table.columns[column]} {cell} -> {other}"
                        yield pytest.param(rule, table, rows, id=name)


@contextmanager
def altered(thing: Table | Scale, **fields: Any) -> Iterator[None]:
    before = {name: getattr(thing, name) for name in fields}
    for name, value in fields.items():
        object.__setattr__(thing, name, value)
    prepare.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(thing, name, value)


def noticed(rule: str) -> bool:
    return any(missed(case) for case in BY_RULE[rule])


def missed(case: Any) -> bool:
    try:
        return bool(case.misses())
    except (LookupError, RuntimeError, ValueError, TypeError, ArithmeticError):
        return True  # the table no longer hangs together


@pytest.mark.parametrize(("rule", "table", "rows"), list(mutants()))
def test_an_altered_table_fails_a_case_of_its_rule(rule, table, rows):
    with altered(table, rows=rows):
        assert noticed(rule.id)
    assert not missed(BY_RULE[rule.id][0])


def scales() -> Iterator[tuple[str, Scale, str, int]]:
    for version, each in VERSIONS.items():
        for scale in each:
            for column in ("limits", "raised"):
                for at in range(len(getattr(scale, column))):
                    yield version, scale, column, at


def slips(limit: Limit) -> Iterator[Limit]:
    for at, (unit, value) in enumerate(limit.at):
        for other in (value * MORE, value * LESS):
            yield replace(limit, at=(*limit.at[:at], (unit, other), *limit.at[at + 1 :]))
    if limit.of:
        yield from (replace(limit, factor=limit.factor * MORE), replace(limit, factor=limit.factor * LESS))
        yield replace(limit, low_baseline=not limit.low_baseline)
    yield replace(limit, reached=not limit.reached)
    yield replace(limit, symptoms=not limit.symptoms)
    yield replace(limit, grade=str(int(limit.grade) - 1))


def equivalent(version: str, limit: Limit, other: Limit) -> bool:
    """A slip that says the same: the condition on the baseline of a limit that is no multiple of it."""
    del version
    return limit.of != "baseline" and limit.low_baseline != other.low_baseline


@pytest.mark.parametrize(
    ("version", "scale", "column", "at"),
    [pytest.param(*each, id=f"ctcae_labs: {each[0]} {each[1].term}, {each[2]} {each[3]}") for each in scales()],
)
def test_an_altered_limit_fails_a_case_of_ctcae_labs(version, scale, column, at):
    limits = getattr(scale, column)
    rows = [case for case in BY_RULE["ctcae_labs"] if case.row["version"] == version and case.row["term"] == scale.term]
    for other in slips(limits[at]):
        if equivalent(version, limits[at], other):
            continue
        with altered(scale, **{column: (*limits[:at], other, *limits[at + 1 :])}):
            assert any(missed(case) for case in rows), f"ctcae_labs, {version} {scale.term}: {other}"
    assert CTCAE_LABS.id == "ctcae_labs"
