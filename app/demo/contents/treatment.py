"""Pages of what is given: antibodies, cells, conditioning, graft and engraftment. Pure."""

from collections.abc import Callable, Mapping

from app.demo.contents.at import At, Given, ill
from app.demo.course import Course, Dose, after


def _cycle(course: Course, at: At, drug: str) -> Dose:
    """The dose that a visit is about: `blin2` is the second cycle of blinatumomab."""
    digits = [letter for letter in at.anchor or "" if letter.isdigit()]
    found = course.dose(drug, int(digits[0]) if digits else 1)
    return found or Dose(drug, 1, at.day, at.day)


def _blinatumomab(course: Course, at: At) -> Given:
    dose = _cycle(course, at, "blinatumomab")
    purpose = {"NCT06125106": "CONDITIONING", "FULLCOURSE": "CONSOLIDATION", "NCT07105579": "MAINTENANCE"}
    stepped = course.disease(dose.start) == "NR"
    stopped = bool(ill(course, after(dose.start, 4), "CRS"))
    return {
        "cycle": dose.cycle,
        "purpose": purpose.get(course.trial, "BRIDGING"),
        "start_date": dose.start.isoformat(),
        "start_time": None,
        "end_date": dose.end.isoformat(),
        "dose": "28",
        "stepped": "Y" if stepped else "N",
        "first_dose": "9" if stepped else None,
        "first_dose_days": 7 if stepped else None,
        "interruption": "INTERRUPTED" if stopped else "NO",
        "interruption_days": 1 if stopped else None,
        "interruption_reason": ["CRS"] if stopped else None,
    }


def _inotuzumab(course: Course, at: At) -> Given:
    dose = _cycle(course, at, "inotuzumab")
    last = min(dose.end, course.known_until)
    days = [(1, "0.8"), (8, "0.5"), (15, "0.5")]
    return {
        "cycle": dose.cycle,
        "start_date": dose.start.isoformat(),
        "discontinued": "N",
        "doses": [
            {"dose_date": day.isoformat(), "cycle_day": number, "dose_m2": amount, "dose_change": "NO"}
            for number, amount in days
            if (day := after(dose.start, number - 1)) <= last
        ],
    }


def _dli(course: Course, at: At) -> Given:
    dose = _cycle(course, at, "dli")
    return {
        "infusion_date": dose.start.isoformat(),
        "infusion_number": dose.cycle,
        "purpose": "PROPHYLACTIC",
        "product": "GCSF",
        "cd3_dose": f"{at.rng.uniform(0.5, 4):.1f}",
        "donor": "SAME",
    }


def _cart(course: Course, at: At) -> Given:
    apheresis = after(at.day, -at.rng.randint(14, 20)).isoformat()
    if course.dose("cart", 1) is None:
        return {
            "apheresis_date": apheresis,
            "bridging": "N",
            "ld_given": "N",
            "infused": "N",
            "not_infused_reason": "MANUFACTURE",
            "pre_marrow_blasts": None,
        }
    start, end = after(at.day, -5).isoformat(), after(at.day, -3).isoformat()
    return {
        "apheresis_date": apheresis,
        "bridging": "N",
        "ld_given": "Y",
        "ld_start": start,
        "ld_end": end,
        "ld_regimen": "FC",
        "ld_flu_dose": "90",
        "ld_cy_dose": "900",
        "infused": "Y",
        "infusion_date": at.day.isoformat(),
        "product": "S1904",
        "dose": f"{at.rng.uniform(0.6, 3):.1f}",
        "infusions": 1,
        "pre_marrow_blasts": str(at.rng.randint(5, 70)),
    }


def _conditioning(course: Course, at: At) -> Given:
    graft = course.graft or after(at.day, 7)
    start, end = after(graft, -7).isoformat(), after(graft, -1).isoformat()
    blina = course.dose("blinatumomab", 1) if course.trial == "NCT06125106" else None
    drugs = (("BUSULFAN", "3.2", "mg/kg", 3), ("CYCLOPHOSPHAMIDE", "1.8", "g/m2", 2), ("ATG", "6", "mg/kg", 4))
    return {
        "start_date": start,
        "end_date": end,
        "regimen": "MBUCY",
        "intensity": "MAC",
        "blinatumomab": "Y" if blina else "N",
        "blinatumomab_start": blina.start.isoformat() if blina else None,
        "blinatumomab_end": blina.end.isoformat() if blina else None,
        "tbi": "N",
        "drugs": [
            {
                "drug": drug,
                "drug_start": start,
                "drug_end": end,
                "drug_dose": dose,
                "drug_dose_unit": unit,
                "drug_days": days,
            }
            for drug, dose, unit, days in drugs
        ],
    }


def _graft(course: Course, at: At) -> Given:
    day = (course.graft or at.day).isoformat()
    donor = at.rng.choice(("FATHER", "MOTHER", "BROTHER", "SISTER", "SON"))
    return {
        "infusion_date": day,
        "last_infusion_date": None,
        "transplant_number": 1,
        "on_study": "Y" if course.graft_planned else "N",
        "transplant_type": "HAPLO",
        "donor_relation": donor,
        "donor_sex": "F" if donor in {"MOTHER", "SISTER"} else "M",
        "hla_match": at.rng.choice((5, 6, 7)),
        "hla_of": "10",
        "source": "PB",
        "cd34_dose": f"{at.rng.uniform(3, 9):.1f}",
        "mnc_dose": f"{at.rng.uniform(6, 15):.1f}",
        "cmv": "D+R+",
        "manipulated": "N",
        "cryopreserved": "N",
        "gvhd_prophylaxis": ["ATG", "CSA", "MMF", "MTX"],
        "atg_total": "10",
    }


def _engraftment(course: Course, at: At) -> Given:
    answers: Given = {"graft_failure": "NONE"}
    for cell, day in (("neutrophil", course.neutrophils), ("platelet", course.platelets)):
        reached = day is not None and day <= at.day
        answers[f"{cell}_status"] = "YES" if reached else "NOT_YET"
        answers[f"{cell}_date"] = day.isoformat() if reached and day is not None else None
    answers["chimerism"] = [
        {
            "chimerism_date": at.day.isoformat(),
            "chimerism_specimen": "MARROW",
            "chimerism_cells": "WHOLE",
            "chimerism_method": "STR",
            "donor_pct": f"{at.rng.uniform(97, 100):.1f}",
        }
    ]
    return answers


PAGES: Mapping[str, Callable[[Course, At], Given]] = {
    "blinatumomab": _blinatumomab,
    "inotuzumab": _inotuzumab,
    "dli": _dli,
    "cart": _cart,
    "conditioning": _conditioning,
    "graft": _graft,
    "engraftment": _engraftment,
}
