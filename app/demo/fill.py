"""Answers for whatever the clinical course leaves open, made from the form itself: its types, codes and limits.

A form that gains an item therefore still gets a page that can be complete. Nothing here is a patient's value.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from app.forms import answers as reading
from app.forms.answers import Context
from app.forms.definition import Form, Item, ItemType, Section

TYPICAL: Mapping[str, tuple[str, str]] = {
    "age": ("22", "58"), "albumin": ("32", "46"), "albumin_lln": ("40", "40"), "alp": ("45", "140"),
    "alp_uln": ("125", "125"), "alt": ("12", "70"), "alt_uln": ("50", "50"), "amylase": ("30", "90"),
    "amylase_uln": ("135", "135"), "anc": ("1.6", "5.5"), "anc_lln": ("1.8", "1.8"), "aptt": ("26", "36"),
    "aptt_uln": ("40", "40"), "ast": ("12", "60"), "ast_uln": ("40", "40"), "bilirubin": ("8", "24"),
    "bilirubin_direct": ("1.5", "6.5"), "bilirubin_uln": ("26", "26"), "bsa": ("1.5", "2.0"),
    "calcium": ("2.0", "2.45"), "calcium_lln": ("2.11", "2.11"), "calcium_uln": ("2.52", "2.52"),
    "ccr_24h": ("75", "130"), "cd19_pct": ("85", "99"), "cd20_pct": ("5", "40"), "cd22_pct": ("60", "99"),
    "cellularity": ("20", "60"), "crcl24": ("75", "130"), "creatinine": ("45", "95"),
    "creatinine_baseline": ("50", "80"), "creatinine_uln": ("104", "104"), "crp": ("0.5", "12"),
    "csf_protein": ("0.15", "0.45"), "csf_rbc": ("0", "4"), "csf_wbc": ("0", "4"), "d_dimer": ("0.1", "0.9"),
    "d_dimer_uln": ("0.5", "0.5"), "diastolic": ("62", "84"), "donor_age": ("18", "55"), "events": ("300000", "900000"),
    "ferritin": ("250", "2600"), "fev1_pct": ("72", "104"), "fibrinogen": ("1.9", "3.8"),
    "fibrinogen_lln": ("2", "2"), "ggt": ("15", "90"), "ggt_uln": ("60", "60"), "glucose": ("4.5", "7.2"),
    "haemoglobin": ("92", "138"), "haemoglobin_lln": ("130", "130"), "heart_rate": ("62", "96"),
    "height": ("156", "182"), "il6": ("2", "30"), "inr": ("0.92", "1.18"), "ldh": ("140", "320"),
    "ldh_uln": ("250", "250"), "lipase": ("20", "60"), "lipase_uln": ("60", "60"), "lvef": ("60", "72"),
    "lymphocytes": ("0.6", "2.4"), "lymphocytes_lln": ("1.1", "1.1"), "magnesium": ("0.7", "0.98"),
    "magnesium_lln": ("0.75", "0.75"), "monocytes": ("0.2", "0.6"), "nucleated_cells": ("200", "500"),
    "phosphate": ("0.85", "1.45"), "phosphate_lln": ("0.85", "0.85"), "platelets": ("110", "260"),
    "platelets_lln": ("125", "125"), "potassium": ("3.4", "4.6"), "potassium_lln": ("3.5", "3.5"),
    "potassium_uln": ("5.3", "5.3"), "pulse": ("64", "98"), "qt": ("340", "380"), "qtc": ("385", "445"),
    "respiration": ("14", "20"), "reticulocytes": ("30", "90"), "sodium": ("134", "143"),
    "sodium_lln": ("137", "137"), "sodium_uln": ("147", "147"), "spo2": ("96", "99"), "spo2_lowest": ("93", "98"),
    "systolic": ("104", "134"), "systolic_lowest": ("92", "110"), "temperature": ("36.2", "37.1"),
    "transduction": ("25", "65"), "urate": ("180", "400"), "urea": ("2.8", "7"), "viability": ("88", "97"),
    "wbc": ("3.2", "7.8"), "wbc_at_diagnosis": ("4", "90"), "wbc_lln": ("3.5", "3.5"), "weight": ("50", "78"),
}  # fmt: skip
"""Ordinary adult values in the canonical unit; limits of normal of a made-up laboratory."""

_USUAL_CODES = (
    "NONE", "NEG", "N", "NO", "0", "NOT_APPLICABLE", "SUBJECT", "SITE", "LOCAL", "NORMAL", "HAN", "GOOD", "STANDARD",
    "MATCH", "CNS1", "UNKNOWN",
)  # fmt: skip
_USUALLY_YES = frozenset({
    "copy_given", "before_procedures", "future_use", "done", "evaluable", "echo_done", "ecg_done", "puncture",
    "eligible", "eligible_confirmed", "enrolled", "premedication", "marrow_done", "trilineage", "rbc_independent",
    "irradiated", "survival_follow_up", "on_study", "related_any", "udca", "morphological_remission", "ice_year",
    "ice_month", "ice_city", "ice_hospital", "ice_command", "ice_writing", "ice_attention", "ld_given", "infused",
    "remission_at_rand", "other_causes_excluded", "medication",
})  # fmt: skip
_PLACES = 3
_ANSWERED = 0.85  # of the optional items that a page usually has
_PASSES = 8  # items that show items that show items; no form here nests deeper than three


def fill(form: Form, given: Mapping[str, Any], day: date, context: Context, rng: Random) -> dict[str, Any]:
    """A whole page: `given` where the course says so (None: left empty), ordinary answers elsewhere.

    Every required item that is shown has an answer; optional measurements and choices mostly have one; optional
    dates, times and texts are left empty. Rows exist only where the course gives them.
    """
    page = {name: value for name, value in given.items() if value is not None}
    page |= {name: [dict(row) for row in page[name]] for name in form.row_sections if name in page}
    settled = set(given)
    lots = {item.id: rng.random() for item in form.items}
    for _ in range(_PASSES):
        rows = {name: [{"row": number, **row} for number, row in enumerate(page.get(name, ()), start=1)]
                for name in form.row_sections}  # fmt: skip
        shown = reading.visible(form, page | rows, context)
        before = len(settled)
        for section in form.sections:
            if section.repeating:
                _fill_rows(section, page, shown, day, rng)
                continue
            for item in section.items:
                if item.id not in settled and (item.id, None) in shown:
                    settled.add(item.id)
                    if item.required or (_measured(item) and lots[item.id] < _ANSWERED):
                        page[item.id] = ordinary(item, day, rng)
        if len(settled) == before or settled.issuperset(lots):
            break
    return {name: value for name, value in page.items() if value is not None}


def _fill_rows(
    section: Section, page: dict[str, Any], shown: frozenset[tuple[str, int | None]], day: date, rng: Random
) -> None:
    for number, row in enumerate(page.get(section.id, ()), start=1):
        for item in section.items:
            if item.required and item.id not in row and (item.id, number) in shown:
                row[item.id] = ordinary(item, day, rng)


def _measured(item: Item) -> bool:
    """Whether an optional item is one that a page usually has."""
    if item.type in {ItemType.INTEGER, ItemType.DECIMAL}:
        return item.id in TYPICAL
    return item.type in {ItemType.YES_NO, ItemType.SINGLE}


def ordinary(item: Item, day: date, rng: Random) -> Any:
    """An answer that this item takes and that raises no question; None for a computed one."""
    if item.type in {ItemType.INTEGER, ItemType.DECIMAL}:
        return _number(item, rng)
    if item.type in {ItemType.SINGLE, ItemType.MULTIPLE}:
        return [_usual(item)] if item.type is ItemType.MULTIPLE else _usual(item)
    yes = item.id in _USUALLY_YES or item.id.startswith("inc_")
    others: Mapping[ItemType, Any] = {
        ItemType.YES_NO: "Y" if yes else "N",
        ItemType.DATE: day.isoformat(),
        ItemType.PARTIAL_DATE: day.isoformat(),
        ItemType.TIME: f"{rng.randint(8, 16):02d}:{rng.choice((0, 15, 30, 45)):02d}",
        ItemType.TEXT: "As in the source document",
    }
    return others.get(item.type)


def _usual(item: Item) -> str:
    codes = [code.code for code in item.codes]
    return next((code for code in _USUAL_CODES if code in codes), codes[0])


def _number(item: Item, rng: Random) -> int | str:
    low, high = _range(item)
    places = 0 if item.type is ItemType.INTEGER else _PLACES if item.digits is None else item.digits
    span = (high - low) * Decimal(str(round(rng.random(), 4)))
    shown = min(places, 1 if high >= 10 else 2)  # noqa: PLR2004 (small numbers are written with two decimals)
    value = min(max(round(low + span, shown), low), high)
    return int(value) if item.type is ItemType.INTEGER else format(value, "f")


def _range(item: Item) -> tuple[Decimal, Decimal]:
    """The ordinary range: as listed, else in the lower middle of what the item takes without a question."""
    limits = item.limits
    low = max(limits.get("soft_min", Decimal(0)), limits.get("min", Decimal(0)))
    high = min(limits.get("soft_max", low + 10), limits.get("max", low + 1000))
    if item.id in TYPICAL:
        least, most = (Decimal(text) for text in TYPICAL[item.id])
        if low <= least and ("soft_max" not in limits or most <= limits["soft_max"]):
            return least, most
    return low + (high - low) / 5, low + (high - low) * 2 / 5
