"""Seriousness of an adverse event, and the clocks it starts."""

from datetime import date, datetime, timedelta

from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.rule import NE, Case, Result, Rule, Table

ICH = "ICH E2A, as reprinted"
CRITERIA = Table(
    title="Criteria",
    columns=("criterion", "meaning"),
    rows=(
        ("death", "resulted in death"),
        ("life_threatening", "at risk of death at the time of the event"),
        ("hospitalisation", "hospitalisation, or a longer stay"),
        ("disability", "persistent or significant disability or incapacity"),
        ("congenital_anomaly", "congenital anomaly or birth defect"),
        ("medically_important", "medically important, by medical judgement"),
    ),
    source=ICH,
    note="One criterion suffices.",
)


def _serious(case: Case) -> str:
    return "1" if any(case[row[0]] for row in CRITERIA.rows) else "0"


SAE_SERIOUSNESS = Rule(
    id="sae_seriousness",
    version="1",
    title="Seriousness of an adverse event",
    sources=(ICH,),
    inputs=tuple(Input(name, Kind.YES_NO, meaning, worse="up") for name, meaning in CRITERIA.rows),
    results=(Result("value", "1 serious, 0 not", _serious, ("0", "1")),),
    tables=(CRITERIA,),
    conventions=("Seriousness is not severity: a grade 4 laboratory value need not be serious.",),
)

CLOCKS = Table(
    title="Clocks",
    columns=("clock", "for", "calendar days", "hours", "fatal or life-threatening"),
    rows=(
        ("7d", "unexpected, at least possibly related, serious", 7, None, True),
        ("15d", "unexpected, at least possibly related, serious", 15, None, False),
        ("followup", "complete report after the first one of a 7-day clock", 8, None, None),
        ("site", "investigator to sponsor, every serious event", None, 24, None),
    ),
    source=ICH,
    note="Days are counted from the day of first knowledge, which is day 0.",
)
ORDER = ("none", "15d", "7d")
RELATED, UNEXPECTED = "RELATED_ASSUMED", "UNEXPECTED_ASSUMED"


def _lasts(clock: str) -> timedelta:
    return next(timedelta(days=row[2] or 0, hours=row[3] or 0) for row in CLOCKS.rows if row[0] == clock)


def _clock(case: Case) -> str:
    if (
        not case["serious"]
        or not case.assume("related", True, RELATED)  # noqa: FBT003 - the assumed answer
        or not case.assume("unexpected", True, UNEXPECTED)  # noqa: FBT003
    ):
        return "none"
    return next(str(row[0]) for row in CLOCKS.rows if row[4] is case["fatal_or_lt"])


def _site_due(case: Case) -> datetime | None:
    return case["aware"] + _lasts("site") if case["serious"] else None


def _regulatory_due(case: Case) -> date | None:
    clock = _clock(case)
    return None if clock == "none" else case["aware"].date() + _lasts(clock)


def _followup_due(case: Case) -> date | None:
    clock = _clock(case)
    return None if clock != "7d" else case["aware"].date() + _lasts(clock) + _lasts("followup")


SAE_CLOCK = Rule(
    id="sae_clock",
    version="1",
    title="Reporting clocks of a serious adverse event",
    sources=(ICH, "24 hours from investigator to sponsor: common requirement"),
    inputs=(
        Input("serious", Kind.YES_NO, "at least one criterion of seriousness", worse="up"),
        Input("related", Kind.YES_NO, "at least possibly related to the product", worse="up"),
        Input("unexpected", Kind.YES_NO, "not listed in the reference safety information", worse="up"),
        Input("fatal_or_lt", Kind.YES_NO, "fatal or life-threatening", worse="up"),
        Input("aware", Kind.DATETIME, "when the investigator first knew, in the site's own time"),
    ),
    results=(
        Result("clock", "the clock to the authority: none, 15d or 7d", _clock, ORDER),
        Result("site_to_sponsor_due", "when the sponsor has to know; empty when not serious", _site_due),
        Result("regulatory_due", "the last day for the authority; empty without a clock", _regulatory_due),
        Result("followup_due", "the last day for the complete report of a 7-day clock", _followup_due),
    ),
    tables=(CLOCKS,),
    conventions=(
        f"For the clock only, missing causality is related, with the flag {RELATED}.",
        f"Likewise missing expectedness is unexpected, with the flag {UNEXPECTED}.",
        f"While nobody has said whether it was fatal or life-threatening, the clock is {NE} with floor 15d: act on 7d.",
    ),
    unverified=(
        "The legal basis of 24 hours: ICH GCP says immediately; the Chinese text was not read.",
        "Local law may set shorter clocks.",
    ),
)
