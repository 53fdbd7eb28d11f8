"""Engraftment from dated counts, graft failure, and donor chimerism."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.clinical.rules.bounds import NONE, category, holds
from app.clinical.rules.inputs import Input, Kind, Known
from app.clinical.rules.rule import NE, Case, Result, Rule, Table
from app.clinical.rules.series import counts, entries

D = Decimal
CIB_ANC, CIB_PLT = "CIBMTR manual q8-11", "CIBMTR manual q12-14, f2100 q13-18"

LIMITS = Table(
    title="Recovery",
    columns=("result", "count", "limit, 10^9/L", "consecutive values", "days since a platelet transfusion", "source"),
    rows=(
        ("anc_engraft_date", "ANC", ">=0.5", 3, NONE, CIB_ANC),
        ("plt20_date", "PLT", ">=20", 3, 7, CIB_PLT),
        ("plt50_date", "PLT", ">=50", 3, 7, CIB_PLT),
    ),
    source=f"{CIB_ANC}; {CIB_PLT}",
    note="The first of so many consecutive values at the limit, on different days. Day = transfusion + 7 is valid.",
)
NADIR = Table(
    title="Nadir",
    columns=("parameter", "days after the infusion"),
    rows=(("a first value by this day shows the count before the nadir", 7),),
    source="Marrow",
)
SERIES_OF = ("ANC", "PLT")
SEEN_LATE, NO_TRANSFUSION = "NADIR_NOT_SEEN", "PLT_TRANSFUSION_ASSUMED_NONE"
Counts = Sequence[tuple[date, Decimal]]
Row = tuple[Any, ...]


def _after_infusion(case: Case, kind: str) -> Counts:
    known = counts("series", case["series"], SERIES_OF)[kind]
    return [(day, value) for day, value in known if day >= case["day0"]]


def _run(values: Counts, row: Row) -> date | None:
    """The first day of the first run of values at the limit that is long enough."""
    started: date | None = None
    length = 0
    for day, value in values:
        length = length + 1 if holds(row[2], value) else 0
        if length == 1:
            started = day
        if length == row[3]:
            return started
    return None


def _neutrophils(case: Case, row: Row) -> date | None:
    values = _after_infusion(case, row[1])
    low = next((at for at, (_, value) in enumerate(values) if not holds(row[2], value)), None)
    if low is not None:
        return _run(values[low:], row)
    found = _run(values, row)
    if found is None:
        return None
    if (values[0][0] - case["day0"]).days <= NADIR.rows[0][1]:
        case.flag("ANC_NEVER_BELOW")
        return None
    case.flag(SEEN_LATE)
    return found


def _transfused(case: Case) -> list[date]:
    last, every = case.peek("last_plt_tx"), case.peek("plt_tx")
    days = [] if every is None else [day for day, _ in entries("plt_tx", every.replace("|", "=1|") + "=1")]
    return sorted({*days, *([last] if last else [])})


def _platelets(case: Case, row: Row) -> date | None:
    values = _after_infusion(case, row[1])
    if not values:
        return None
    given = _transfused(case)
    if not given:
        case.flag(NO_TRANSFUSION)
        if all(holds(row[2], value) for _, value in values):
            case.flag(f"{row[0].removesuffix('_date').upper()}_NEVER_BELOW")
            return None
    unknown_before = given[0] if given and case.peek("plt_tx") is None else date.min
    free = timedelta(days=row[4])
    counted = [
        (day, value if day >= unknown_before and not any(tx <= day < tx + free for tx in given) else D(-1))
        for day, value in values
    ]
    return _run(counted, row)


def _date_of(row: Row) -> Result:
    def found(case: Case) -> date | None:
        (now,) = [each for each in LIMITS.rows if each[0] == row[0]]
        return _neutrophils(case, now) if now[1] == "ANC" else _platelets(case, now)

    return Result(row[0], f"{row[1]} {row[2]} x 10^9/L for {row[3]} values; empty when not reached", found)


def _anc_day(case: Case) -> Decimal | None:
    found = _neutrophils(case, LIMITS.rows[0])
    return None if found is None else D((found - case["day0"]).days)


ENGRAFTMENT = Rule(
    id="engraftment",
    version="1",
    title="Neutrophil and platelet engraftment",
    sources=(CIB_ANC, CIB_PLT),
    inputs=(
        Input("day0", Kind.DATE, "day of the graft infusion, the first when it was split"),
        Input("series", Kind.TEXT, "counts in 10^9/L: ANC:day=value|day=value;PLT:day=value|day=value"),
        Input("last_plt_tx", Kind.DATE, "last platelet transfusion"),
        Input("plt_tx", Kind.TEXT, "or every platelet transfusion: day|day"),
    ),
    results=(
        *(_date_of(row) for row in LIMITS.rows),
        Result("anc_engraft_day", "days from the infusion, which is day 0, to neutrophil engraftment", _anc_day),
    ),
    tables=(LIMITS, NADIR),
    conventions=(
        "Neutrophils are counted from the first value below the limit: what stands before is not engraftment.",
        (
            "Never below 0.5 is an answer of its own, the flag ANC_NEVER_BELOW without a date. A series that "
            "only begins after "
            f"day 7, already at the limit, is engraftment on or before its first value: that day, with the flag "
            f"{SEEN_LATE}."
        ),
        "Where values are not daily, three consecutive ones on different days count. Of several on one day the lowest.",
        (
            "Never below the platelet limit and never transfused: no date, with the flag PLT20_NEVER_BELOW or "
            "PLT50_NEVER_BELOW."
        ),
        "When only the last transfusion is known, nothing before it can be told to be free of transfusions.",
        f"Without any transfusion entered there was none, with the flag {NO_TRANSFUSION}.",
        "Counts before the infusion are not read.",
    ),
)

FAILURE = Table(
    title="Primary graft failure",
    columns=("graft", "no neutrophil engraftment by day"),
    rows=(("pbsc", 28), ("marrow", 28), ("cord", 42)),
    source="Common definition",
    note="The protocol may set another day: limit_day.",
)
OUTCOMES = ("none", "secondary", "primary")
DEFAULT_DAY = "LIMIT_DAY_ASSUMED"
ENGRAFTED = ("engrafted", "never_below", "not_engrafted")


def _limit_day(case: Case) -> int:
    given = case.peek("limit_day")
    if given is not None:
        return int(given)
    day = dict(FAILURE.rows)[case["graft"]]
    case.flag(DEFAULT_DAY)
    return int(day)


def _last_days(known: Known) -> tuple[date, ...]:
    day = known["limit_day"] or dict(FAILURE.rows)[known["graft"]]
    return (known["day0"] + timedelta(days=int(day)),)


def _failure(case: Case) -> str:
    last = case["day0"] + timedelta(days=_limit_day(case))
    engrafted = case["engraftment"]
    if engrafted == ENGRAFTED[2]:
        return OUTCOMES[2] if case["observed_to"] >= last else NE
    if engrafted == ENGRAFTED[0] and case["anc_engraft_date"] > last:
        return OUTCOMES[2]
    return OUTCOMES[1] if case["count_lost"] and case["chimerism_lost"] else OUTCOMES[0]


GRAFT_FAILURE = Rule(
    id="graft_failure",
    version="1",
    title="Graft failure",
    sources=(FAILURE.source,),
    inputs=(
        Input("day0", Kind.DATE, "day of the graft infusion"),
        Input("engraftment", Kind.CODE, "neutrophil engraftment", codes=ENGRAFTED),
        Input("anc_engraft_date", Kind.DATE, "its day, when there is one", days=_last_days),
        Input("observed_to", Kind.DATE, "last day with neutrophil counts"),
        Input("graft", Kind.CODE, "graft", codes=tuple(row[0] for row in FAILURE.rows), aliases={"bm": "marrow"}),
        Input("limit_day", Kind.INTEGER, "day of primary failure in the protocol", "days", low=D(1), high=D(365)),
        Input("count_lost", Kind.YES_NO, "neutrophils lost after engraftment", worse="up"),
        Input("chimerism_lost", Kind.YES_NO, "donor chimerism lost", worse="up"),
    ),
    results=(Result("value", "none, secondary, primary", _failure, OUTCOMES, frozenset((OUTCOMES[0],))),),
    tables=(FAILURE,),
    conventions=(
        f"Without limit_day the day is that of the graft, with the flag {DEFAULT_DAY}.",
        "Engraftment after the day is primary failure by definition, and its date stands.",
        "Secondary failure: counts lost after engraftment together with donor chimerism.",
        "Observed for less than the day without engraftment is NE: it may still come.",
    ),
    unverified=("The day limits, and the definition of loss (ASTCT 2021, EBMT 2024), were not read.",),
)

CHIMERISM = Table(
    title="Donor chimerism",
    columns=("status", "donor cells, %"),
    rows=(("full", ">=95"), ("not_full", ">=0")),
    source="CIBMTR manual, ALL response criteria",
)
DONOR_CHIMERISM = Rule(
    id="donor_chimerism",
    version="1",
    title="Donor chimerism",
    ranked="from the floor upwards",
    sources=(CHIMERISM.source,),
    inputs=(Input("donor_pct", Kind.DECIMAL, "donor cells", "%", low=D(0), high=D(100), worse="down"),),
    results=(
        Result(
            "value",
            "full or not_full",
            lambda case: category(CHIMERISM.rows, case["donor_pct"]),
            ("full", "not_full"),
        ),
    ),
    tables=(CHIMERISM,),
    unverified=("Where mixed chimerism ends and loss begins.",),
)
