"""The course of graft-versus-host disease: onset, highest grade, and acute, late, chronic or overlap."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from app.clinical.rules.bounds import NONE, OTHERWISE, holds, limits
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.magic import GRADES
from app.clinical.rules.nih_cgvhd import SEVERITIES
from app.clinical.rules.rule import NE, Case, Result, Rule, Table
from app.clinical.rules.series import Dated, assessed

ACUTE_ALIASES = {"1": "I", "2": "II", "3": "III", "4": "IV"}
MARROW = "Marrow"

ACUTE_ONSET = Table(
    title="Onset of acute GVHD",
    columns=("result", "grade from"),
    rows=(("onset", "I"), ("onset_2_4", "II"), ("onset_3_4", "III")),
    source=MARROW,
    note="The first day on which the grade is reached. II-IV and III-IV are endpoints of their own.",
)
CHRONIC_ONSET = Table(
    title="Onset of chronic GVHD",
    columns=("result", "severity from"),
    rows=(("onset", "mild"), ("onset_moderate_severe", "moderate"), ("onset_severe", "severe")),
    source=MARROW,
    note="The first day on which the severity is reached.",
)


def _onset(table: Table, name: str, codes: Sequence[str], read: Callable[[Case], list[Dated]]) -> Result:
    def first(case: Case) -> date | str | None:
        (least,) = [row[1] for row in table.rows if row[0] == name]
        wanted = codes.index(least)
        doubtful = False
        for one in read(case):
            if one.least != NE and codes.index(one.least) >= wanted:
                return one.day if not doubtful else NE
            if one.value == NE:
                doubtful = True
        return NE if doubtful else None

    return Result(name, "day it is first reached; empty when never, NE when an earlier one cannot be told", first)


def _highest(codes: Sequence[str], read: Callable[[Case], list[Dated]]) -> Callable[[Case], str]:
    def highest(case: Case) -> str:
        found = read(case)
        known = [codes.index(one.least) for one in found if one.least != NE]
        top = max(known, default=0)
        if top < len(codes) - 1 and any(one.value == NE for one in found):
            case.flag(f"AT_LEAST_{codes[top].upper()}")
            return NE
        return codes[top]

    return highest


def _acute(case: Case) -> list[Dated]:
    return assessed("series", case["series"], GRADES, ACUTE_ALIASES)


def _chronic(case: Case) -> list[Dated]:
    return assessed("series", case["series"], SEVERITIES, {})


AGVHD_COURSE = Rule(
    id="agvhd_course",
    version="1",
    title="Acute GVHD: onset and highest grade",
    sources=("CIBMTR manual 4100 q59-78",),
    inputs=(Input("series", Kind.TEXT, "grades by day: day=II|day=NE(I), NE with what it is at least"),),
    results=(
        Result("max_grade", "highest grade", _highest(GRADES, _acute), GRADES, frozenset((GRADES[0],))),
        *(_onset(ACUTE_ONSET, str(row[0]), GRADES, _acute) for row in ACUTE_ONSET.rows),
    ),
    tables=(ACUTE_ONSET,),
    conventions=(
        (
            "A grade that could not be told may be any above its floor: the highest grade is then NE, and a "
            "flag says what it "
            "is at least."
        ),
        "Transplant day is the date minus day 0, without adding 1.",
    ),
)
CGVHD_COURSE = Rule(
    id="cgvhd_course",
    version="1",
    title="Chronic GVHD: onset and highest severity",
    sources=("NIH consensus 2014",),
    inputs=(Input("series", Kind.TEXT, "severities by day: day=mild|day=NE(mild), NE with what it is at least"),),
    results=(
        Result(
            "max_severity", "highest severity", _highest(SEVERITIES, _chronic), SEVERITIES, frozenset((SEVERITIES[0],))
        ),
        *(_onset(CHRONIC_ONSET, str(row[0]), SEVERITIES, _chronic) for row in CHRONIC_ONSET.rows),
    ),
    tables=(CHRONIC_ONSET,),
    conventions=(
        "Onset is the day on which the diagnosis is first met. Scored without the diagnosis is none.",
        "A severity that could not be told may be any above its floor.",
    ),
)

KINDS = Table(
    title="Kinds: the first row that fits",
    columns=("kind", "acute features", "chronic features", "transplant day"),
    rows=(
        ("overlap", "yes", "yes", NONE),
        ("chronic", "no", "yes", NONE),
        ("none", "no", "no", NONE),
        ("acute", "yes", "no", "<=100"),
        ("late_acute", "yes", "no", OTHERWISE),
    ),
    source="NIH consensus as described in StatPearls 22385; CIBMTR manual 4100",
    note="Overlap and classic chronic GVHD have no time limit.",
)


def _kind(case: Case) -> str:
    seen = tuple("yes" if case[name] else "no" for name in ("acute_features", "chronic_features"))
    rows = (row for row in KINDS.rows if row[1:3] == seen)
    return next(str(row[0]) for row in rows if row[3] == NONE or holds(row[3], case["day"]))


GVHD_KIND = Rule(
    id="gvhd_kind",
    version="1",
    title="Acute, late acute, chronic or overlap",
    ranked="codes, in no order",
    sources=(KINDS.source,),
    inputs=(
        Input("acute_features", Kind.YES_NO, "features of acute GVHD"),
        Input("chronic_features", Kind.YES_NO, "diagnostic or distinctive features of chronic GVHD"),
        Input(
            "day",
            Kind.INTEGER,
            "days from the graft infusion, which is day 0",
            "days",
            low=Decimal(0),
            cuts=limits(row[3] for row in KINDS.rows),
        ),
    ),
    results=(Result("value", "kind", _kind, tuple(row[0] for row in KINDS.rows), frozenset(r[0] for r in KINDS.rows)),),
    tables=(KINDS,),
    conventions=("Day 100 itself is acute. The kinds have no order, and so no floor.",),
)
