"""How a page of the trials says what a case of a published rule says; or why no page can say it. Response and MRD."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Row = Mapping[str, str]
Answers = dict[str, Any]

DAY = date(2024, 6, 1)
"""The day of the page that is asked; pages before it lie before."""

YES = {"1": "Y", "0": "N", "Y": "Y", "N": "N", "": None}


@dataclass(frozen=True)
class Said:
    """A case as pages say it: the page that is asked, its calculation, by computed item the column of the result."""

    form: str
    answers: Answers
    calculation: str
    items: Mapping[str, str]
    before: tuple[tuple[str, Answers], ...] = ()
    study: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False  # needs a subject of its own: what other pages say is part of the case


class Unsaid(Exception):  # noqa: N818 - no error: the page asks otherwise than the rule
    """No page says this, because."""


def day(offset: int = 0) -> str:
    return (DAY + timedelta(days=offset)).isoformat()


def amount(value: str, unit: str, canonical: str) -> Any:
    """A number as it is entered in one of the units of its item."""
    if not value:
        return None
    written = format(Decimal(value), "f")
    return written if not unit or unit == canonical else {"value": written, "unit": unit}


def code(row: Row, name: str, **codes: str) -> str | None:
    """A code of the rule as the page writes it: in capitals, unless it is listed."""
    given = row.get(name, "")
    return codes.get(given, given.upper()) or None


def response(row: Row) -> Said:
    if not (row["profile"] and row["prior"]):
        raise Unsaid("a trial has its criteria, and what was before is known on a page: nothing, or a response")
    if row.get("window_days", "") not in {"", "7"}:
        raise Unsaid("another window than the trial's")
    if bool(row.get("marrow_date")) is not bool(row.get("count_date")):
        raise Unsaid("an assessment has its day")
    if not row["emd"]:
        raise Unsaid("the page has a code for what was not assessed")
    before: list[tuple[str, Answers]] = []
    if row["prior"] != "none":
        before.append(("response", {"assess_date": day(-40), "response": row["prior"]}))
    baseline = {"baseline_marrow_blasts": row["baseline_bm"], "baseline_emd": YES[row["baseline_emd"]]}
    before.append(("diagnosis", baseline))
    emd = {"absent": "NONE", "present": "PERSISTENT", "new": "NEW", "recurrent": "NEW", "not_assessed": "NOT_ASSESSED"}
    items = {"response_computed": "expected", "responder_computed": "responder"}
    if row.get("marrow_date") and row.get("count_date"):
        items["response_date_computed"] = "response_date"
    return Said(
        "response",
        {
            "assess_date": row.get("marrow_date") or day(),
            "marrow_done": "Y",
            "marrow_blasts": row["bm"],
            "auer_rods": YES[row["auer"]],
            "marrow_adequacy": code(row, "marrow"),
            "count_date": row.get("count_date"),
            "anc": row["anc"],
            "platelets": row["plt"],
            "blood_blasts_present": YES[row["pb"]],
            "rbc_independent": YES[row["rbc_indep"]],
            "mrd_pct": row["mrd_pct"],
            "emd": emd[row["emd"]],
        },
        "response_rule",
        items,
        tuple(before),
        {"response_profile": row["profile"]},
        alone=True,
    )


def mrd(row: Row) -> Said:
    methods = {"MFC": "FLOW", "flow": "FLOW", "FCM": "FLOW", "RQPCR": "PCR", "PCR": "PCR", "NGS": "NGS"}
    if not (row["rule"] and row["threshold"] and row["method"]):
        raise Unsaid("the trial gives rule and threshold, the page the method")
    if row["result"] in {"NOT_DONE", ""} or row["value_unit"] == "ppm" or (row["value"] and not row["value_unit"]):
        raise Unsaid("a page is of a sample, and its level has a unit")

    def share(name: str) -> Any:
        return {"value": format(Decimal(row[name]), "f"), "unit": "fraction"} if row[name] else None

    value = share("value") if row["value_unit"] == "fraction" else row["value"]
    return Said(
        "mrd",
        {
            "sample_date": day(), "specimen": "MARROW", "method": methods[row["method"]], "result": row["result"],
            "value_pct": value, "lod_pct": share("lod"), "loq_pct": share("loq"),
            "morphological_remission": YES[row.get("in_cr", "")],
        },
        "mrd_rule",
        {"status_computed": "expected"},
        study={"mrd_rule": row["rule"], "mrd_threshold": row["threshold"]},
    )  # fmt: skip


def _samples(row: Row, calculation: str, item: str, column: str) -> Said:
    """Samples by flow cytometry whose results the rule of the trial reads as these statuses."""
    results: Mapping[str, Answers] = {
        "POS": {"result": "QUANT", "value_pct": "1"},
        "NEG": {"result": "ND", "lod_pct": "0.001"},
        "UNDET": {"result": "ND", "lod_pct": "0.1"},
        "POS_LOW": {"result": "QUANT", "value_pct": "0.001"},
        "NE": {"result": "FAILED"},
    }
    if not row["series"] or row.get("confirmation_required"):
        raise Unsaid("a page is of a sample, and no trial asks for a second one before it counts the first")
    pages: list[tuple[str, Answers]] = [
        ("mrd", {"sample_date": when, "specimen": "MARROW", "method": "FLOW", **results[status]})
        for when, _, status in (part.partition("=") for part in row["series"].split("|"))
    ]
    if row["series"].count(pages[-1][1]["sample_date"]) > 1:
        raise Unsaid("a page looks back on earlier days")
    if row["haem_relapse_date"]:
        pages.append(("response", {"assess_date": row["haem_relapse_date"], "response": "RELAPSE"}))
        pages.sort(key=lambda page: page[0] == "mrd")
    return Said("mrd", pages[-1][1], calculation, {item: column}, tuple(pages[:-1]), alone=True)


def conversion(row: Row) -> Said:
    return _samples(row, "conversion", "conversion_date", "conversion_date")


def reappearance(row: Row) -> Said:
    return _samples(row, "reappearance", "molecular_relapse_date", "relapse_date")
