"""What a course says on each page; what it leaves open is filled from the form. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from app.demo.course import Course, Dose, Later, Trouble, after

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class At:
    """Where and when a page is entered, and what it is about beside the course."""

    visit: str
    day: date
    rng: Random
    anchor: str | None = None
    about: Any = None


def given(form: str, course: Course, at: At) -> Given:
    """The answers that the course determines on this page."""
    tell = _PAGES.get(form)
    return tell(course, at) if tell else {}


def _consent(course: Course, at: At) -> Given:
    minor = course.person.age(at.day) < 18  # noqa: PLR2004 (years)
    return {
        "consent_date": at.day.isoformat(),
        "consent_version": "2.0",
        "signed_by": "PARENT" if minor else "SUBJECT",
        "assent_date": at.day.isoformat() if minor else None,
    }


def _demographics(course: Course, at: At) -> Given:
    who = course.person
    birth = who.birth.isoformat()
    return {
        "birth_date": birth[:7] if "partial birth" in course.flaws else birth,
        "sex": who.sex,
        "childbearing": ("Y" if 12 <= who.age(at.day) < 50 else "N") if who.sex == "F" else None,  # noqa: PLR2004 (years)
        "measured_date": at.day.isoformat(),
        "height": str(who.height),
        "weight": str(who.weight),
    }


def _diagnosis(course: Course, at: At) -> Given:
    active = course.entered == "NR"
    status = {"NCT06125106": "CR1", "FULLCOURSE": "NEW", "NCT07105579": "CR1", "S1904": "RELAPSE1"}[course.trial]
    found = after(course.consent, -at.rng.randint(90, 700) if course.trial != "FULLCOURSE" else -at.rng.randint(5, 20))
    return {
        "diagnosis_date": found.isoformat() if at.rng.random() < 0.7 else found.isoformat()[:7],  # noqa: PLR2004
        "who_class": at.rng.choice(("B_ALL_NOS", "B_ALL_NOS", "BCR_ABL1_LIKE", "KMT2A", "HYPODIPLOID", "TCF3_PBX1")),
        "who_class_other": None,
        "immunophenotype": at.rng.choice(("COMMON", "COMMON", "PRO_B", "PRE_B")),
        "disease_status": status,
        "mrd_status": "POS" if active or course.trial == "NCT06125106" else "NEG",
        "cd19": "POS",
        "cytogenetic_risk": at.rng.choice(("GOOD", "STANDARD", "STANDARD", "HIGH")),
        "baseline_date": at.day.isoformat(),
        "baseline_marrow_blasts": str(at.rng.randint(22, 88)) if active else f"{at.rng.uniform(0, 3):.1f}",
        "baseline_blood_blasts": str(at.rng.randint(0, 40)) if active else "0",
        "baseline_emd": "N",
        "cns_status": "CNS1",
    }


def _eligibility(course: Course, at: At) -> Given:
    who = course.person
    failed = course.enrol is None
    answers: Given = {
        "age": who.age(at.day), "ecog": who.ecog, "kps": 90 if who.ecog == 0 else 80, "sex_cg": who.sex,
        "weight": str(who.weight), "lab_date": at.day.isoformat(), "elig_date": at.day.isoformat(),
        "eligible": "N" if failed else "Y", "fitness": _fitness(course), "waiver": None,
        "rr_status": at.rng.choice(("RELAPSED", "RELAPSED", "REFRACTORY")),
    }  # fmt: skip
    if who.sex == "M" and course.trial == "NCT06125106":
        answers |= {"inc_04": {"missing": "not_applicable"}, "exc_12": {"missing": "not_applicable"}}
    if who.sex == "M" and course.trial == "NCT07105579":
        answers["exc_02"] = {"missing": "not_applicable"}
    if course.trial == "NCT07105579":
        graft = course.graft or after(course.consent, -90)
        answers["hsct_date"] = graft.isoformat()
    if failed:
        answers |= {"inc_02": "N", "elig_reason": "One inclusion criterion is not met"}
    return answers


def _fitness(course: Course) -> str:
    return "UNFIT" if course.person.age(course.consent) >= 60 else "FIT_DECLINE"  # noqa: PLR2004 (years)


def _enrolment(course: Course, at: At) -> Given:
    day = at.day.isoformat()
    if course.enrol is None:
        return {"eligible_confirmed": "N", "eligible_date": day, "enrolled": "N", "not_enrolled_reason": "INELIGIBLE"}
    cohort = _fitness(course) if course.trial == "FULLCOURSE" else "NOT_APPLICABLE"
    return {"eligible_confirmed": "Y", "eligible_date": day, "enrolled": "Y", "enrol_date": day,
            "enrolment_number": f"{course.number:03d}", "cohort": cohort}  # fmt: skip


def _visit(_course: Course, at: At) -> Given:
    if at.about == "missed":
        return {"done": "N", "reason_missed": at.rng.choice(("TRAVEL", "SUBJECT_DECISION")), "visit_mode": None}
    return {"done": "Y", "svdat": at.day.isoformat(), "visit_mode": "SITE"}


def _performance(course: Course, at: At) -> Given:
    score = min(course.person.ecog + (1 if at.rng.random() < 0.2 else 0), 3)  # noqa: PLR2004 (a probability)
    return {"assess_date": at.day.isoformat(), "ecog": str(score), "karnofsky": ("100", "90", "70", "50")[score]}


def _vitals(course: Course, at: At) -> Given:
    answers: Given = {"measured_date": at.day.isoformat(), "weight": str(course.person.weight), "measured_time": None}
    if _ill(course, at.day, "CRS"):
        answers |= {"temperature": f"{at.rng.uniform(38.3, 39.9):.1f}", "temperature_sustained": "Y"}
    return answers


def _low(course: Course, day: date) -> bool:
    """Whether the counts are at their nadir: after conditioning, or early after a dose, or in relapse."""
    if course.graft is not None and 0 <= (day - course.graft).days < 12 and course.trial != "NCT07105579":  # noqa: PLR2004
        return True
    dose = course.last_dose(day)
    return course.disease(day) in {"NR", "RELAPSE"} or (
        dose is not None and dose.drug in {"inotuzumab", "cart"} and (day - dose.start).days < 18  # noqa: PLR2004
    )


def _counts(course: Course, at: At) -> Given:
    if _low(course, at.day):
        return {"wbc": f"{at.rng.uniform(0.2, 1.4):.2f}", "anc": f"{at.rng.uniform(0.02, 0.7):.2f}",
                "haemoglobin": str(at.rng.randint(64, 88)), "platelets": str(at.rng.randint(8, 48))}  # fmt: skip
    return {"wbc": f"{at.rng.uniform(3.2, 7.9):.2f}", "anc": f"{at.rng.uniform(1.3, 5.0):.2f}",
            "haemoglobin": str(at.rng.randint(90, 142)), "platelets": str(at.rng.randint(102, 266))}  # fmt: skip


def _haematology(course: Course, at: At) -> Given:
    active = course.disease(at.day) in {"NR", "RELAPSE"}
    low = _low(course, at.day)
    return _counts(course, at) | {
        "sample_date": at.day.isoformat(),
        "sample_time": None,
        "blood_blasts": str(at.rng.randint(1, 45)) if active else "0",
        "rbc_transfusion_7d": "Y" if low and at.rng.random() < 0.5 else "N",  # noqa: PLR2004 (a probability)
        "plt_transfusion_7d": "Y" if low else "N",
        "significance": "CS" if low else at.rng.choice(("NONE", "NCS")),
    }


def _chemistry(course: Course, at: At) -> Given:
    answers: Given = {"sample_date": at.day.isoformat()}
    if _ill(course, at.day, "VOD"):
        answers |= {"bilirubin": str(at.rng.randint(48, 110)), "alt": str(at.rng.randint(90, 320))}
    return answers


def _ill(course: Course, day: date, kind: str) -> Trouble | None:
    for trouble in course.troubles:
        if trouble.kind == kind and trouble.onset <= day and (trouble.end is None or day <= trouble.end):
            return trouble
    return None


def _response(course: Course, at: At) -> Given:
    state = course.disease(at.day)
    failed = course.failure is not None and at.day >= course.failure
    phases = {"SCR": "BASELINE", "COND": "PRE_HSCT", "RAND": "FOLLOW_UP", "C28": "POST_CART", "UNS": "SUSPECTED_RELAPSE"}
    blasts = {"CR": at.rng.uniform(0, 2.8), "CRi": at.rng.uniform(0.5, 4.2)}.get(state, at.rng.uniform(18, 85))
    extramedullary = state == "RELAPSE" and course.relapse_site in {"EMD", "CNS"}
    answers: Given = {
        "assess_date": at.day.isoformat(), "evaluable": "Y", "response": state,
        "phase": phases.get(at.visit, "POST_HSCT" if course.graft else "FOLLOW_UP"),
        "marrow_blasts": f"{1.5 if extramedullary else blasts:.1f}", "marrow_adequacy": "ADEQUATE",
        "count_date": at.day.isoformat(), "blood_blasts_present": "Y" if state in {"NR", "RELAPSE"} and not extramedullary else "N",
        "rbc_independent": "Y" if state == "CR" else "N",
        "treatment_failure": "Y" if failed else "N", "failure_date": at.day.isoformat() if failed else None,
        "failure_reason": "REFRACTORY" if failed else None, "progression": "N", "comment": None,
        "emd": "NEW" if extramedullary else "NONE", "emd_sites": ["CNS" if course.relapse_site == "CNS" else "LYMPH_NODE"]
        if extramedullary else None,
        "anc": f"{at.rng.uniform(0.2, 0.8):.2f}" if state in {"NR", "CRi"} else f"{at.rng.uniform(1.1, 4.6):.2f}",
        "platelets": str(at.rng.randint(12, 70) if state in {"NR", "CRi", "RELAPSE"} else at.rng.randint(104, 260)),
    }  # fmt: skip
    if answers["blood_blasts_present"] == "Y":
        answers["blood_blasts"] = str(at.rng.randint(1, 40))
    if state == "RELAPSE":
        day = (course.relapse or at.day).isoformat()
        answers |= {"relapse_date": day[:7] if "partial relapse" in course.flaws else day,
                    "relapse_site": [course.relapse_site], "relapse_cd19": at.rng.choice(("POS", "POS", "NEG"))}  # fmt: skip
    return answers


def _mrd(course: Course, at: At) -> Given:
    active = course.disease(at.day) in {"NR", "RELAPSE"}
    positive = active or course.mrd_positive(at.day)
    back = positive and not active and course.mrd_back is not None and at.day >= course.mrd_back
    confirmed = back and course.relapse is not None
    answers: Given = {
        "sample_date": at.day.isoformat(), "specimen": "MARROW", "method": "FLOW", "marker": "LAIP",
        "result": "QUANT" if positive else "ND", "lod_pct": "0.001", "loq_pct": "0.01",
        "status": "POS" if positive else "NEG", "morphological_remission": "N" if active else "Y",
        "molecular_relapse": "Y" if back else "N", "confirmed": ("Y" if confirmed else "N") if back else None,
        "confirm_date": after(at.day, 14).isoformat() if confirmed else None, "marker_text": None,
    }  # fmt: skip
    if positive:
        answers["value_pct"] = f"{at.rng.uniform(2, 40):.1f}" if active else f"{at.rng.uniform(0.02, 0.6):.3f}"
    return answers


def _cns(_course: Course, at: At) -> Given:
    return {"assess_date": at.day.isoformat(), "csf_blasts": "N", "cns_status": "CNS1", "imaging": "NORMAL",
            "intrathecal": "Y", "intrathecal_drugs": ["MTX", "ARAC", "DEX"]}  # fmt: skip


def _pregnancy(course: Course, at: At) -> Given:
    who = course.person
    if who.sex == "M" or who.age(at.day) >= 50:  # noqa: PLR2004 (years)
        return {"test_done": "N", "not_done_reason": "MALE" if who.sex == "M" else "NOT_CHILDBEARING"}
    return {"test_done": "Y", "sample_date": at.day.isoformat(), "specimen": "SERUM", "result": "NEG"}


def _cycle(course: Course, at: At, drug: str) -> Dose:
    """The dose that a visit is about: `blin2` is the second cycle of blinatumomab."""
    digits = [letter for letter in at.anchor or "" if letter.isdigit()]
    found = course.dose(drug, int(digits[0]) if digits else 1)
    return found or Dose(drug, 1, at.day, at.day)


def _blinatumomab(course: Course, at: At) -> Given:
    dose = _cycle(course, at, "blinatumomab")
    purpose = {"NCT06125106": "CONDITIONING", "FULLCOURSE": "CONSOLIDATION", "NCT07105579": "MAINTENANCE"}
    stepped = course.disease(dose.start) == "NR"
    stopped = bool(_ill(course, after(dose.start, 4), "CRS"))
    return {
        "cycle": dose.cycle, "purpose": purpose.get(course.trial, "BRIDGING"), "start_date": dose.start.isoformat(),
        "start_time": None, "end_date": dose.end.isoformat(), "dose": "28", "stepped": "Y" if stepped else "N",
        "first_dose": "9" if stepped else None, "first_dose_days": 7 if stepped else None,
        "interruption": "INTERRUPTED" if stopped else "NO", "interruption_days": 1 if stopped else None,
        "interruption_reason": ["CRS"] if stopped else None,
    }  # fmt: skip


def _inotuzumab(course: Course, at: At) -> Given:
    dose = _cycle(course, at, "inotuzumab")
    last = min(dose.end, course.known_until)
    days = [(1, "0.8"), (8, "0.5"), (15, "0.5")]
    return {
        "cycle": dose.cycle, "start_date": dose.start.isoformat(), "discontinued": "N",
        "doses": [
            {"dose_date": day.isoformat(), "cycle_day": number, "dose_m2": amount, "dose_change": "NO"}
            for number, amount in days
            if (day := after(dose.start, number - 1)) <= last
        ],
    }  # fmt: skip


def _dli(course: Course, at: At) -> Given:
    dose = _cycle(course, at, "dli")
    return {"infusion_date": dose.start.isoformat(), "infusion_number": dose.cycle, "purpose": "PROPHYLACTIC",
            "product": "GCSF", "cd3_dose": f"{at.rng.uniform(0.5, 4):.1f}", "donor": "SAME"}  # fmt: skip


def _cart(course: Course, at: At) -> Given:
    apheresis = after(at.day, -at.rng.randint(14, 20)).isoformat()
    if course.dose("cart", 1) is None:
        return {"apheresis_date": apheresis, "bridging": "N", "ld_given": "N", "infused": "N",
                "not_infused_reason": "MANUFACTURE", "pre_marrow_blasts": None}  # fmt: skip
    start, end = after(at.day, -5).isoformat(), after(at.day, -3).isoformat()
    return {
        "apheresis_date": apheresis, "bridging": "N", "ld_given": "Y", "ld_start": start, "ld_end": end,
        "ld_regimen": "FC", "ld_flu_dose": "90", "ld_cy_dose": "900", "infused": "Y", "infusion_date": at.day.isoformat(),
        "product": "S1904", "dose": f"{at.rng.uniform(0.6, 3):.1f}", "infusions": 1, "pre_marrow_blasts": str(at.rng.randint(5, 70)),
    }  # fmt: skip


def _conditioning(course: Course, at: At) -> Given:
    graft = course.graft or after(at.day, 7)
    start, end = after(graft, -7).isoformat(), after(graft, -1).isoformat()
    blina = course.dose("blinatumomab", 1) if course.trial == "NCT06125106" else None
    drugs = (("BUSULFAN", "3.2", "mg/kg", 3), ("CYCLOPHOSPHAMIDE", "1.8", "g/m2", 2), ("ATG", "6", "mg/kg", 4))
    return {
        "start_date": start, "end_date": end, "regimen": "MBUCY", "intensity": "MAC",
        "blinatumomab": "Y" if blina else "N",
        "blinatumomab_start": blina.start.isoformat() if blina else None,
        "blinatumomab_end": blina.end.isoformat() if blina else None, "tbi": "N",
        "drugs": [{"drug": drug, "drug_start": start, "drug_end": end, "drug_dose": dose, "drug_dose_unit": unit,
                   "drug_days": days} for drug, dose, unit, days in drugs],
    }  # fmt: skip


def _graft(course: Course, at: At) -> Given:
    day = (course.graft or at.day).isoformat()
    return {
        "infusion_date": day, "last_infusion_date": None, "transplant_number": 1,
        "on_study": "Y" if course.graft_planned else "N", "transplant_type": "HAPLO",
        "donor_relation": at.rng.choice(("FATHER", "MOTHER", "BROTHER", "SISTER", "SON")), "hla_match": at.rng.choice((5, 6, 7)),
        "hla_of": "10", "source": "PB", "cd34_dose": f"{at.rng.uniform(3, 9):.1f}", "mnc_dose": f"{at.rng.uniform(6, 15):.1f}",
        "cmv": "D+R+", "manipulated": "N", "cryopreserved": "N", "gvhd_prophylaxis": ["ATG", "CSA", "MMF", "MTX"],
        "atg_total": "10",
    }  # fmt: skip


def _engraftment(course: Course, at: At) -> Given:
    answers: Given = {"graft_failure": "NONE"}
    for cell, day in (("neutrophil", course.neutrophils), ("platelet", course.platelets)):
        reached = day is not None and day <= at.day
        answers[f"{cell}_status"] = "YES" if reached else "NOT_YET"
        answers[f"{cell}_date"] = day.isoformat() if reached and day is not None else None
    answers["chimerism"] = [{"chimerism_date": at.day.isoformat(), "chimerism_specimen": "MARROW", "chimerism_cells": "WHOLE",
                             "chimerism_method": "STR", "donor_pct": f"{at.rng.uniform(97, 100):.1f}"}]  # fmt: skip
    return answers


def _agvhd(course: Course, at: At) -> Given:
    gvhd = course.acute
    present = gvhd is not None and gvhd.onset <= at.day and (gvhd.end is None or at.day <= gvhd.end)
    answers: Given = {
        "assess_date": at.day.isoformat(), "present": "Y" if present else "N", "weight": str(course.person.weight),
        "skin_bsa": "0", "skin_stage": "0", "bilirubin": str(at.rng.randint(6, 22)), "liver_stage": "0",
        "ugi_symptoms": "NONE", "ugi_stage": "0", "lgi_volume": str(at.rng.choice((100, 150, 200))), "lgi_stage": "0",
        "overall_grade": "0",
    }  # fmt: skip
    if gvhd is None or not present:
        return answers
    grade = gvhd.grade
    onset = gvhd.onset.isoformat()
    skin = {1: ("40", "2"), 2: ("70", "3"), 3: ("30", "2"), 4: ("20", "1")}[grade]
    gut = {1: ("150", "0"), 2: ("700", "1"), 3: ("1700", "3"), 4: ("2400", "4")}[grade]
    answers |= {
        "kind": "CLASSIC", "skin_bsa": skin[0], "skin_stage": skin[1], "lgi_volume": gut[0], "lgi_stage": gut[1],
        "lgi_severe_pain": "Y" if grade == 4 else "N",  # noqa: PLR2004 (stage 4)
        "overall_grade": ("I", "II", "III", "IV")[grade - 1], "onset_date": onset, "first_onset_date": onset,
        "systemic_treatment": "Y" if grade > 1 else "N",
        "treatment_start": min(after(gvhd.onset, 1), at.day).isoformat() if grade > 1 else None,
        "steroid_response": "TOO_EARLY" if grade > 1 else None, "treatments": ["STEROID"] if grade > 1 else None,
    }  # fmt: skip
    return answers


def _cgvhd(course: Course, at: At) -> Given:
    gvhd = course.chronic
    if gvhd is None or gvhd.onset > at.day:
        return {"assess_date": at.day.isoformat(), "diagnosed": "N"}
    treated = course.chronic_treated is not None and course.chronic_treated <= at.day
    score = str(gvhd.grade)
    return {
        "assess_date": at.day.isoformat(), "diagnosed": "Y", "onset_date": gvhd.onset.isoformat(), "onset_type": "DE_NOVO",
        "diagnostic_signs": ["MOUTH_LICHEN_PLANUS"], "distinctive_signs": ["EYE_DRY", "MOUTH_XEROSTOMIA"],
        "confirmation": ["SPECIALIST"], "mouth_score": score, "mouth_symptoms": ("MILD", "MODERATE", "SEVERE")[gvhd.grade - 1],
        "eye_score": "1", "eye_symptoms": "MILD", "eye_drops": "UP_TO_3", "skin_bsa": "0", "gi_weight_loss": "0",
        "global_severity": ("MILD", "MODERATE", "SEVERE")[gvhd.grade - 1], "systemic_therapy": "Y" if treated else "N",
        "systemic_start": course.chronic_treated.isoformat() if treated and course.chronic_treated else None,
        "systemic_drugs": ["STEROID", "RUX"] if treated else None,
    }  # fmt: skip


def _over(trouble: Trouble, at: At) -> Given:
    """Onset and end of an episode, as known on the day of the page."""
    ended = trouble.end is not None and trouble.end <= at.day
    return {"assess_date": at.day.isoformat(), "onset_date": trouble.onset.isoformat(), "ongoing": "N" if ended else "Y",
            "end_date": trouble.end.isoformat() if ended and trouble.end else None}  # fmt: skip


def _crs(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    grade = trouble.grade
    return _over(trouble, at) | {
        "after": trouble.cause if trouble.cause in {"BLINATUMOMAB", "CART", "HSCT", "DLI"} else "OTHER",
        "fever": "Y", "temperature": f"{at.rng.uniform(38.2, 40.1):.1f}", "fever_waived": "N",
        "hypotension": ("NONE", "FLUIDS", "ONE")[grade - 1], "hypoxia": ("NONE", "LOW_FLOW", "HIGH_FLOW")[grade - 1],
        "systolic_lowest": 102 - 12 * grade, "death_due_to_crs": "N", "grade": str(grade),
        "tocilizumab": "Y" if grade > 1 else "N", "tocilizumab_doses": 1 if grade > 1 else None,
        "tocilizumab_date": trouble.onset.isoformat() if grade > 1 else None,
        "steroids": "Y" if grade == 3 else "N", "steroids_start": trouble.onset.isoformat() if grade == 3 else None,  # noqa: PLR2004
        "icu": "Y" if grade == 3 else "N",  # noqa: PLR2004 (grade 3)
    }  # fmt: skip


def _icans(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    grade = trouble.grade
    wrong: Given = {1: {"ice_naming": 1}, 2: {"ice_naming": 0, "ice_writing": "N", "ice_attention": "N"}}.get(
        grade, {"ice_naming": 0, "ice_writing": "N", "ice_attention": "N", "ice_command": "N", "ice_year": "N", "ice_city": "N"}
    )
    return _over(trouble, at) | wrong | {
        "instrument": "ICE", "ice_done": "YES", "consciousness": ("AWAKE", "VOICE", "TACTILE")[grade - 1], "seizure": "NONE",
        "motor": "N", "icp": "NONE", "death_due_to_icans": "N", "grade": str(grade),
        "steroids": "Y" if grade > 1 else "N", "steroids_start": trouble.onset.isoformat() if grade > 1 else None,
        "anticonvulsant": "Y", "icu": "Y" if grade == 3 else "N",  # noqa: PLR2004 (grade 3)
    }  # fmt: skip


def _vod(course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    weight = course.person.weight
    setting = "INOTUZUMAB" if trouble.cause == "INOTUZUMAB" else "AFTER_HSCT"
    answers = _over(trouble, at)
    ended = answers.pop("end_date")
    answers.pop("ongoing")
    return answers | {
        "setting": setting, "day_after_hsct": (trouble.onset - course.graft).days if setting == "AFTER_HSCT" and course.graft else None,
        "bilirubin": str(at.rng.randint(36, 90)), "bilirubin_doubled": "N", "hepatomegaly": "Y", "weight_baseline": str(weight),
        "weight": f"{weight * 1.07:.1f}", "weight_gain_pct": "7", "ascites": "Y", "ultrasound": "Y", "risk_factors": 1,
        "diagnosis_2023": "CLINICAL", "severity": ("MILD", "MODERATE", "SEVERE")[trouble.grade - 1],
        "defibrotide": "Y", "defibrotide_start": trouble.onset.isoformat(), "outcome": "RESOLVED" if ended else "ONGOING",
        "resolved_date": ended,
    }  # fmt: skip


def _adverse_event(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    ended = trouble.end is not None and trouble.end <= at.day
    serious = trouble.grade >= 3  # noqa: PLR2004 (grade 3)
    kind = {"NEUTROPENIA": "CYTOPENIA", "PNEUMONIA": "INFECTION"}.get(trouble.kind, trouble.kind)
    answers: Given = {
        "term": _TERMS[trouble.kind], "ctcae_term": _TERMS[trouble.kind], "grade": str(trouble.grade),
        "start_date": trouble.onset.isoformat(), "start_time": None, "ongoing": "N" if ended else "Y",
        "end_date": trouble.end.isoformat() if ended and trouble.end else None,
        "outcome": "RECOVERED" if ended else "RECOVERING", "aesi": [kind], "serious": "Y" if serious else "N",
        "causality": [{"treatment": trouble.cause, "related": at.rng.choice(("PROBABLE", "POSSIBLE")), "action": "DOSE_NOT_CHANGED"}],
    }  # fmt: skip
    if serious:
        answers |= {"ser_hospital": "Y", "hospital_from": trouble.onset.isoformat(), "serious_date": trouble.onset.isoformat(),
                    "aware_date": trouble.onset.isoformat(), "report_date": after(trouble.onset, 1).isoformat(),
                    "report_kind": "INITIAL", "narrative": "Admitted, treated by the local standard, recovering.",
                    "other_action": ["DRUG", "HOSPITAL"]}  # fmt: skip
    return answers


_TERMS: Mapping[str, str] = {
    "CRS": "Cytokine release syndrome", "ICANS": "Immune effector cell-associated neurotoxicity", "VOD": "Hepatic sinusoidal obstruction",
    "NEUTROPENIA": "Neutrophil count decreased", "PNEUMONIA": "Lung infection",
}  # fmt: skip


def _infection(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    return {
        "onset_date": trouble.onset.isoformat(), "kind": "BACTERIAL", "organism": at.rng.choice(("Escherichia coli", "Klebsiella pneumoniae")),
        "site": ["LUNG"], "certainty": "PROBABLE", "grade": str(trouble.grade), "treatment": ["ANTIBACTERIAL"],
        "outcome": "RESOLVED" if trouble.end else "ONGOING", "end_date": trouble.end.isoformat() if trouble.end else None,
    }  # fmt: skip


def _prior(course: Course, at: At) -> Given:
    start = after(course.consent, -at.rng.randint(70, 300)).isoformat()
    return {"therapy_type": "INDUCTION", "line": 1, "regimen": "VDCLP", "cycles": 1, "start_date": start[:7],
            "end_date": {"missing": "unknown"}, "best_response": "CR" if course.entered == "CR" else "NR",
            "remission_date": None, "relapse_date": None}  # fmt: skip


def _later(_course: Course, at: At) -> Given:
    therapy: Later = at.about
    return {"start_date": therapy.start.isoformat(), "therapy_type": therapy.kind, "regimen": therapy.regimen,
            "reason": therapy.reason, "ongoing": "Y", "in_remission": "Y" if therapy.reason in {"MRD", "REMISSION"} else "N",
            "best_response": None}  # fmt: skip


def _survival(course: Course, at: At) -> Given:
    day = at.day.isoformat()
    if at.about == "lost":
        return {"status": "LOST", "contact_date": day, "contact_type": "PHONE", "attempts": 3, "last_attempt_date": day}
    ill = course.relapse is not None or course.failure is not None
    return {"status": "ALIVE", "contact_date": day, "contact_type": at.rng.choice(("VISIT", "PHONE", "PHONE")),
            "disease_status": "RELAPSED" if ill else "REMISSION", "new_therapy": "Y" if course.later else "N"}  # fmt: skip


def _withdrawal(_course: Course, at: At) -> Given:
    return {"withdrawal_date": at.day.isoformat(), "withdrawn_by": "SUBJECT", "withdrawn_from": ["TREATMENT", "PROCEDURES"],
            "survival_follow_up": "N", "withdrawal_reason": "BURDEN", "withdrawal_reason_text": None}  # fmt: skip


def _death(course: Course, at: At) -> Given:
    day = (course.death or at.day).isoformat()
    ours = course.cause == "RELAPSE"
    return {
        "death_date": day[:7] if "partial death" in course.flaws else day, "death_cause": course.cause,
        "cause_category": "RELAPSE" if ours else "TREATMENT", "remission_at_death": "N" if ours else "Y",
        "cause_text": "Progressive leukaemia" if ours else "Treatment-related, in remission of the leukaemia",
        "cause_contributing": None, "place": "HOSPITAL", "information_source": "RECORDS",
    }  # fmt: skip


def _end(course: Course, at: At) -> Given:
    reasons = (("DEATH", course.death), ("LOST_TO_FOLLOW_UP", course.lost), ("WITHDRAWAL_BY_SUBJECT", course.withdrawn))
    reason = next((name for name, day in reasons if day is not None), "SCREEN_FAILURE" if course.enrol is None else "COMPLETED")
    return {"end_date": at.day.isoformat(), "end_reason": reason, "end_reason_text": None, "treatment_end_reason": None}


def _randomisation(course: Course, at: At) -> Given:
    return {"rand_date": at.day.isoformat(), "rand_number": f"R{course.number:03d}", "arm": course.arm,
            "stratum_mrd": "NEG", "stratum_prior_hsct": "N", "stratum": None, "rand_time": None, "remission_at_rand": "Y"}  # fmt: skip


def _decision(course: Course, at: At) -> Given:
    planned = course.arm == "HSCT"
    return {"decision_date": at.day.isoformat(), "hsct_planned": "Y" if planned else "N", "hsct_in_arm": "AS_ASSIGNED",
            "not_planned_reason": None if planned else "ARM", "remission_status": "CR_MRD_NEG", "donor_type": "HAPLO" if planned else None}  # fmt: skip


def _dated(name: str) -> Callable[[Course, At], Given]:
    return lambda _course, at: {name: at.day.isoformat()}


_PAGES: Mapping[str, Callable[[Course, At], Given]] = {
    "consent": _consent, "demographics": _demographics, "diagnosis": _diagnosis, "enrolment": _enrolment,
    "nct06125106_eligibility": _eligibility, "nct07105579_eligibility": _eligibility,
    "s1904_eligibility": _eligibility, "fullcourse_eligibility": _eligibility, "visit": _visit,
    "performance": _performance, "vital_signs": _vitals, "haematology": _haematology, "chemistry": _chemistry,
    "response": _response, "mrd": _mrd, "cns_assessment": _cns, "pregnancy_test": _pregnancy,
    "blinatumomab": _blinatumomab, "inotuzumab": _inotuzumab, "dli": _dli, "cart": _cart,
    "conditioning": _conditioning, "graft": _graft, "engraftment": _engraftment, "agvhd": _agvhd, "cgvhd": _cgvhd,
    "crs": _crs, "icans": _icans, "vod": _vod, "adverse_event": _adverse_event, "infection": _infection,
    "prior_therapy": _prior, "new_anticancer_therapy": _later, "survival": _survival, "withdrawal": _withdrawal,
    "death": _death, "end_of_study": _end, "randomisation": _randomisation, "transplant_decision": _decision,
    "hct_ci": _dated("assess_date"), "infection_serology": _dated("sample_date"),
}  # fmt: skip
