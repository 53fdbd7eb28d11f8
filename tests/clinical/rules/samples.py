"""Inputs drawn for any rule: around every number of its tables, every code, and nothing at all."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from app.clinical.rules.categories import CATEGORY_RULES
from app.clinical.rules.ctcae_scales import VERSIONS
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.registry import RULES
from app.clinical.rules.rule import Rule
from app.clinical.rules.units import FACTORS
from tests.clinical.rules import category_samples

CATEGORIES = frozenset(rule.id for rule in CATEGORY_RULES)
NEAR = [Decimal("0.5"), Decimal("0.999"), Decimal(1), Decimal("1.001"), Decimal(3)]


def numbers(rule: Rule, one: Input) -> st.SearchStrategy[Decimal]:
    """Numbers the input accepts, most of them at or beside a number of the rule's tables."""
    printed = {cell for table in rule.tables for row in table.rows for cell in row if isinstance(cell, Decimal | int)}
    steps = (1,) if one.kind is Kind.INTEGER else NEAR
    near = [Decimal(cell) * step for cell in printed for step in steps if not isinstance(cell, bool)]
    near += [Decimal(each) for each in range(13)]
    allowed = [each for each in near if accepts(one, each)]
    return st.sampled_from(sorted({*allowed, *(each for each in (one.low, one.high) if each is not None)}))


def accepts(one: Input, number: Decimal) -> bool:
    try:
        one.read(number)
    except ValueError:
        return False
    return True


def values(rule: Rule, one: Input) -> st.SearchStrategy[Any]:
    return category_samples.value(rule, one) if rule.id in CATEGORIES else plain_values(rule, one)


def plain_values(rule: Rule, one: Input) -> st.SearchStrategy[Any]:
    match one.kind:
        case Kind.DECIMAL | Kind.INTEGER:
            return numbers(rule, one)
        case Kind.CODE:
            return st.sampled_from(one.codes)
        case Kind.YES_NO:
            return st.booleans()
        case Kind.DATE:
            return st.dates(date(2024, 1, 1), date(2024, 3, 1))
        case Kind.DATETIME:
            return st.datetimes(datetime(2024, 1, 1), datetime(2024, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001
        case Kind.TEXT:
            return st.text(max_size=8).filter(lambda text: bool(text.strip()))


def drawn(rule: Rule) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({one.name: values(rule, one) for one in rule.inputs})


@st.composite
def labs(draw: st.DrawFn) -> dict[str, Any]:
    """A laboratory value somewhere around the limits of its own term, in one of its units."""
    rule = RULES["ctcae_labs"]
    version = draw(st.sampled_from(sorted(VERSIONS)))
    scale = draw(st.sampled_from(VERSIONS[version]))
    unit = draw(st.sampled_from(sorted(scale.units)))
    printed = [
        value / scale.units[unit][1] for limit in scale.limits for at, value in limit.at if at == scale.units[unit][0]
    ]
    normal = draw(st.sampled_from([*printed, Decimal(100)]))
    around = st.sampled_from(
        [Decimal(each) for each in ("0", "0.24", "0.5", "0.75", "1", "1.2", "1.5", "2", "2.5", "3.1", "4", "6", "21")]
    )
    numbered = (
        st.sampled_from(printed + [cell * step for cell in printed for step in NEAR]) if printed else st.nothing()
    )
    drawn = {
        "version": version,
        "term": scale.term,
        "unit": unit,
        "value": draw(numbered | around.map(lambda times: times * normal)),
        "lln": normal,
        "uln": normal * draw(st.sampled_from([Decimal(1), Decimal("1.5")])),
        "baseline": normal * draw(around.filter(bool)),
        "symptomatic": draw(st.booleans()),
    }
    assert set(drawn) == set(rule.named)
    return drawn


@st.composite
def conversions(draw: st.DrawFn) -> dict[str, Any]:
    quantity, unit, _, _ = draw(st.sampled_from(FACTORS.rows))
    others = [row[1] for row in FACTORS.rows if row[0] == quantity]
    number = draw(st.decimals(0, 1 if quantity == "mrd" else 10**6, places=2))
    return {"quantity": quantity, "value": str(number), "from_unit": unit, "to_unit": draw(st.sampled_from(others))}


@st.composite
def graded_terms(draw: st.DrawFn) -> dict[str, Any]:
    version, term, _ = draw(st.sampled_from(RULES["ctcae_grade"].tables[1].rows))
    return {"version": version, "term": term, "grade": draw(st.sampled_from("12345"))}


SAMPLES: Mapping[str, Callable[[], st.SearchStrategy[dict[str, Any]]]] = {
    "ctcae_labs": labs,
    "unit_conversions": conversions,
    "ctcae_grade": graded_terms,
}
"""Rules some of whose inputs only make sense together."""


def complete(rule: Rule) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs of which none is missing and none is refused."""
    if rule.id in CATEGORIES:
        return category_samples.complete(rule)
    return SAMPLES[rule.id]() if rule.id in SAMPLES else drawn(rule)


@st.composite
def partial(draw: st.DrawFn, rule: Rule) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A complete case, the same with some inputs missing, and that with some more missing."""
    if rule.id in CATEGORIES:
        return draw(category_samples.partial(rule))
    whole = draw(complete(rule))
    order = draw(st.permutations(sorted(whole)))
    first, second = sorted((draw(st.integers(0, len(order))), draw(st.integers(0, len(order)))))
    return whole, {k: whole[k] for k in order[first:]}, {k: whole[k] for k in order[second:]}
