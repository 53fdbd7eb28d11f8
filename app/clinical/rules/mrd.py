"""Measurable residual disease: what one sample says."""

from decimal import Decimal

from app.clinical.rules.bounds import NONE, OTHERWISE, holds
from app.clinical.rules.inputs import Cuts, Input, Kind, Known
from app.clinical.rules.rule import NE, Case, Profile, Result, Rule, Table
from app.clinical.rules.units import FACTORS, factors

D = Decimal
READINGS = {
    "LT": "INO-VATE: negative is below 1e-4 (PMID 31790983, abstract)",
    "ELN": "Gökbuget et al., ELN ALL 2024, variant 1; ASH-SAP 2014",
}
STATUS = Table(
    title="Status",
    columns=("result", "measure", "beside the threshold", *READINGS),
    rows=(
        ("QUANT", "value", ">=1", "POS", "POS"),
        ("QUANT", "value", OTHERWISE, "NEG", "POS_LOW"),
        ("PNQ", "loq", "<=1", "NEG", "POS_LOW"),
        ("PNQ", "loq", OTHERWISE, "UNDET", "UNDET"),
        ("ND", "lod", "<=1", "NEG", "NEG"),
        ("ND", "lod", OTHERWISE, "UNDET", "UNDET"),
        ("FAILED", NONE, OTHERWISE, NE, NE),
        ("NOT_DONE", NONE, OTHERWISE, NE, NE),
    ),
    source="; ".join(READINGS.values()),
    note="Beside the threshold: the measure divided by it. PNQ: positive, not quantifiable; ND: not detected.",
)
THRESHOLD = Table(
    title="Threshold where the protocol says nothing",
    columns=("method", "threshold, fraction"),
    rows=(("MFC", D("1e-4")), ("RQPCR", D("1e-4")), ("NGS", None)),
    source="Marrow",
    note="1e-6 for NGS if the protocol says so: without it NGS has no default.",
)
ORDER = ("UNDET", "NEG", "POS_LOW", "POS")
DEFAULTED, BELOW_LOQ, OUTSIDE_CR = "THRESHOLD_ASSUMED", "VALUE_BELOW_LOQ", "NOT_IN_CR"


def _threshold(case: Case) -> Decimal:
    known = case.peek("threshold")
    if known is None and case.peek("method") is not None:
        known = dict(THRESHOLD.rows)[case["method"]]
        if known is not None:
            case.flag(DEFAULTED)
    return Decimal(case["threshold"] if known is None else known)


def _measure(case: Case, name: str) -> Decimal:
    if name != "value":
        return Decimal(case[name])
    value = Decimal(case["value"] * factors("mrd")[case["value_unit"]][1])
    loq = case.peek("loq")
    if loq is not None and value < loq:
        case.flag(BELOW_LOQ)
    return value


def _beside(case: Case, name: str) -> Decimal:
    threshold = _threshold(case)
    return _measure(case, name) / threshold


def _status(case: Case) -> str:
    column = 3 + tuple(READINGS).index(case["rule"])
    if case.peek("in_cr") is False:
        case.flag(OUTSIDE_CR)
    result = case["result"]
    return next(
        str(row[column])
        for row in STATUS.rows
        if row[0] == result and (row[2] == OTHERWISE or holds(row[2], _beside(case, row[1])))
    )


def _default(known: Known) -> Decimal | None:
    return known["threshold"] or dict(THRESHOLD.rows).get(known["method"])


def _limit_cuts(known: Known) -> Cuts:
    threshold = _default(known)
    return () if threshold is None else (threshold,)


def _value_cuts(known: Known) -> Cuts:
    return tuple(cut / row[2] for cut in _limit_cuts(known) for row in FACTORS.rows if row[0] == "mrd")


def _threshold_cuts(known: Known) -> Cuts:
    measures = (known[name] for name in ("value", "lod", "loq") if known[name])
    return tuple(measure * row[2] for measure in measures for row in FACTORS.rows if row[0] == "mrd")


FRACTION = "fraction"
MRD = Rule(
    id="mrd_status",
    version="1",
    title="Measurable residual disease of one sample",
    sources=tuple(READINGS.values()),
    inputs=(
        Input("rule", Kind.CODE, "whose reading", codes=tuple(READINGS), open=True),
        Input("threshold", Kind.DECIMAL, "threshold of the protocol", FRACTION, above=D(0), cuts=_threshold_cuts),
        Input(
            "method",
            Kind.CODE,
            "method",
            codes=tuple(row[0] for row in THRESHOLD.rows),
            aliases={"flow": "MFC", "FCM": "MFC", "PCR": "RQPCR", "RQ-PCR": "RQPCR", "qPCR": "RQPCR"},
        ),
        Input(
            "result",
            Kind.CODE,
            "QUANT: a number; PNQ: positive, not quantifiable; ND: not detected",
            codes=tuple(dict.fromkeys(row[0] for row in reversed(STATUS.rows))),
        ),
        Input("value", Kind.DECIMAL, "the number", unit_in="value_unit", low=D(0), cuts=_value_cuts),
        Input("value_unit", Kind.CODE, "the unit of the number", codes=tuple(factors("mrd")), aliases={"%": "percent"}),
        Input("lod", Kind.DECIMAL, "limit of detection of this sample", FRACTION, above=D(0), cuts=_limit_cuts),
        Input("loq", Kind.DECIMAL, "limit of quantification of this sample", FRACTION, above=D(0), cuts=_limit_cuts),
        Input("in_cr", Kind.YES_NO, "in haematological complete remission when sampled"),
    ),
    results=(Result("value", "status", _status, ORDER, frozenset((ORDER[0],))),),
    tables=(STATUS, THRESHOLD),
    conventions=(
        "Exactly at the threshold is positive: of three sources one says at least, one above, one below is negative.",
        f"A missing threshold is the default of the method, with the flag {DEFAULTED}.",
        "UNDET: the assay was not sensitive enough to call it negative. It is neither positive nor a floor.",
        f"A number below the limit of quantification is taken as it is, with the flag {BELOW_LOQ}.",
        f"MRD response means something in haematological CR only; otherwise the flag {OUTSIDE_CR}.",
        "Methods are not interchangeable: method, marker and sample site are captured beside the status.",
    ),
    profiles=tuple(Profile(name, "rule", source) for name, source in READINGS.items()),
)
