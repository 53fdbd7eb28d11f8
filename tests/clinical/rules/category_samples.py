"""Complete cases of the rules that sort findings into categories, and what those rules say of missing inputs."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.magic import GRADES
from app.clinical.rules.mrd import ORDER as MRD_ORDER
from app.clinical.rules.nih_cgvhd import SEVERITIES
from app.clinical.rules.response_tables import ORDER as RESPONSES
from app.clinical.rules.rule import Rule

BOUND = re.compile(r"(<=|>=|<|>)(\d+(?:\.\d+)?)")
STEPS = [Decimal("0.99"), Decimal(1), Decimal("1.01")]
DAY = date(2024, 1, 1)

GIVEN: Mapping[str, frozenset[str]] = {
    "response": frozenset(("mrd_pct", "marrow_date", "count_date", "window_days")),
    "cns_status": frozenset(("blood_wbc_uL", "blood_rbc_uL", "previous")),
    "magic_agvhd": frozenset(f"{organ}_not_gvhd" for organ in ("skin", "liver", "upper_gi", "lower_gi")),
    "nih_cgvhd_global": frozenset(
        f"{organ}_not_gvhd" for organ in ("skin", "mouth", "eyes", "gi", "liver", "lungs", "joints", "genital")
    ),
    "best_overall_response": frozenset(("until",)),
    "duration_of_response": frozenset(("death_date",)),
    "mrd_conversion": frozenset(("haem_relapse_date",)),
    "molecular_relapse": frozenset(("haem_relapse_date", "confirmation_required")),
    "engraftment": frozenset(("last_plt_tx", "plt_tx")),
}
"""Inputs whose absence a rule itself gives a meaning, by convention: left in place when others are taken away."""

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "nih_cgvhd_organ": frozenset(("inputs", "bili_umol", "symptom")),
    "vod_diagnosis": frozenset(("bili_umol",)),
    "vod_severity_adult": frozenset(("bili_umol",)),
}
"""A second way to give what another input gives."""

CONTRADICT: Mapping[str, frozenset[str]] = {"magic_agvhd": frozenset(("group", "weight_kg"))}
"""Inputs that a rule refuses when they contradict each other, beside others."""


def stands(rule: Rule, known: Mapping[str, Any]) -> bool:
    """Whether a row of the published table speaks of what is missing here, whatever it would turn out to be."""
    if rule.id == "magic_agvhd":
        return "lgi_vol" not in known and "lgi_episodes" in known  # episodes count while there is no volume
    if rule.id == "response":
        return (
            ("bm" not in known and bool(known.get("pb")))  # row 4
            or ("bm" in known and "baseline_bm" not in known)  # row 5
            or ("anc" not in known or "plt" not in known)  # row 20
        )
    return False


def printed(rule: Rule) -> set[Decimal]:
    """The numbers of a rule's tables."""
    cells = [cell for table in rule.tables for row in table.rows for cell in row]
    bounds = [BOUND.fullmatch(cell) for cell in cells if isinstance(cell, str)]
    return {Decimal(cell) for cell in cells if isinstance(cell, Decimal | int) and not isinstance(cell, bool)} | {
        Decimal(bound[2]) for bound in bounds if bound
    }


def accepted(one: Input, number: Decimal) -> bool:
    try:
        one.read(number)
    except ValueError:
        return False
    return True


def value(rule: Rule, one: Input) -> st.SearchStrategy[Any]:
    match one.kind:
        case Kind.DECIMAL | Kind.INTEGER:
            steps = [Decimal(1)] if one.kind is Kind.INTEGER else STEPS
            near = {number * step for number in printed(rule) for step in steps} | {Decimal(0), Decimal(1), Decimal(80)}
            return st.sampled_from(sorted(number for number in near if accepted(one, number)))
        case Kind.CODE:
            return st.sampled_from(one.codes)
        case Kind.YES_NO:
            return st.booleans()
        case Kind.DATE:
            return st.integers(0, 60).map(lambda days: DAY + timedelta(days=days))
    return st.just("2024-01-05|2024-01-20") if one.name == "plt_tx" else series(rule)


def series(rule: Rule) -> st.SearchStrategy[str]:
    codes = {
        "agvhd_course": GRADES,
        "cgvhd_course": SEVERITIES,
        "mrd_conversion": MRD_ORDER,
        "molecular_relapse": MRD_ORDER,
    }.get(rule.id, RESPONSES)
    days = st.lists(st.integers(0, 60), min_size=1, max_size=8)
    if rule.id == "engraftment":
        counts = st.lists(
            st.tuples(st.integers(0, 40), st.sampled_from(["0.1", "0.5", "0.6", "19", "20", "60"])), min_size=1
        )
        return st.tuples(counts.map(cells), counts.map(cells)).map("ANC:{0[0]};PLT:{0[1]}".format)
    written = st.sampled_from([*codes, "NE", *(f"NE({code})" for code in codes)])
    return days.flatmap(lambda each: st.tuples(*(st.tuples(st.just(day), written) for day in each))).map(cells)


def cells(entries: Any) -> str:
    return "|".join(f"{DAY + timedelta(days=day)}={text}" for day, text in entries)


def drawn(rule: Rule) -> st.SearchStrategy[dict[str, Any]]:
    left_out = LEFT_OUT.get(rule.id, frozenset())
    return st.fixed_dictionaries({one.name: value(rule, one) for one in rule.inputs if one.name not in left_out})


def whose_volumes(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "group": "adult" if case["weight_kg"] > 50 else "child"}


def consistent_bilirubin(case: dict[str, Any]) -> dict[str, Any]:
    return case if case["bili_uln"] > 1 else {**case, "bili_mgdl": min(case["bili_mgdl"], Decimal(3))}


def consistent_ratio(case: dict[str, Any]) -> dict[str, Any]:
    blood, fluid = case["blood_wbc_uL"] * case["csf_rbc_uL"], case["blood_rbc_uL"] * case["csf_wbc_uL"]
    return {**case, "ratio_positive": fluid >= 2 * blood} if case["blood_wbc_uL"] else case


def dead_after_all(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "death_date": max(case["death_date"], DAY + timedelta(days=60))}


FITTED: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "magic_agvhd": whose_volumes,
    "nih_cgvhd_organ": consistent_bilirubin,
    "cns_status": consistent_ratio,
    "duration_of_response": dead_after_all,
}


def complete(rule: Rule) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs that fit together, none of them missing and none refused."""
    return drawn(rule).map(FITTED[rule.id]) if rule.id in FITTED else drawn(rule)


@st.composite
def partial(draw: st.DrawFn, rule: Rule) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A complete case, the same with some inputs missing, and that with some more missing."""
    whole = draw(complete(rule))
    given = GIVEN.get(rule.id, frozenset())
    order = draw(st.permutations(sorted({*whole} - given)))
    first, second = sorted((draw(st.integers(0, len(order))), draw(st.integers(0, len(order)))))
    kept = {name: whole[name] for name in given}
    return whole, {**kept, **{k: whole[k] for k in order[first:]}}, {**kept, **{k: whole[k] for k in order[second:]}}
