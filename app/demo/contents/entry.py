"""Pages of entry and of every visit: consent, the person, eligibility, the visit itself, blood. Pure."""

from collections.abc import Callable, Mapping
from datetime import date

from app.demo.contents.at import At, Given, burden, ill
from app.demo.course import Course, after


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
        "baseline_marrow_blasts": str(burden(course)) if active else f"{at.rng.uniform(0, 3):.1f}",
        "baseline_blood_blasts": str(at.rng.randint(0, 40)) if active else "0",
        "baseline_emd": "N",
        "cns_status": "CNS1",
    }


def _eligibility(course: Course, at: At) -> Given:
    who = course.person
    failed = course.enrol is None
    answers: Given = {
        "age": who.age(at.day),
        "ecog": who.ecog,
        "kps": 90 if who.ecog == 0 else 80,
        "sex_cg": who.sex,
        "weight": str(who.weight),
        "creatinine": str(min(at.rng.randint(48, 95), _allowed_creatinine(course, at.day))),
        "lab_date": at.day.isoformat(),
        "elig_date": at.day.isoformat(),
        "eligible": "N" if failed else "Y",
        "fitness": _fitness(course),
        "waiver": None,
        "rr_status": at.rng.choice(("RELAPSED", "RELAPSED", "REFRACTORY")),
    }
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


def _allowed_creatinine(course: Course, day: date) -> int:
    """The highest creatinine, in umol/L, with a clearance of 75 mL/min by Cockcroft and Gault."""
    who = course.person
    return int((140 - who.age(day)) * who.weight * (0.85 if who.sex == "F" else 1) * 88.42 / (72 * 75))


def _fitness(course: Course) -> str:
    return "UNFIT" if course.person.age(course.consent) >= 60 else "FIT_DECLINE"  # noqa: PLR2004 (years)


def _enrolment(course: Course, at: At) -> Given:
    day = at.day.isoformat()
    if course.enrol is None:
        return {"eligible_confirmed": "N", "eligible_date": day, "enrolled": "N", "not_enrolled_reason": "INELIGIBLE"}
    cohort = _fitness(course) if course.trial == "FULLCOURSE" else "NOT_APPLICABLE"
    return {
        "eligible_confirmed": "Y",
        "eligible_date": day,
        "enrolled": "Y",
        "enrol_date": day,
        "enrolment_number": f"{course.number:03d}",
        "cohort": cohort,
    }


def _prior(course: Course, at: At) -> Given:
    start = after(course.consent, -at.rng.randint(70, 300)).isoformat()
    return {
        "therapy_type": "INDUCTION",
        "line": 1,
        "regimen": "VDCLP",
        "cycles": 1,
        "start_date": start[:7],
        "end_date": {"missing": "unknown"},
        "best_response": "CR" if course.entered == "CR" else "NR",
        "remission_date": None,
        "relapse_date": None,
    }


def _pregnancy(course: Course, at: At) -> Given:
    who = course.person
    if who.sex == "M" or who.age(at.day) >= 50:  # noqa: PLR2004 (years)
        return {"test_done": "N", "not_done_reason": "MALE" if who.sex == "M" else "NOT_CHILDBEARING"}
    return {"test_done": "Y", "sample_date": at.day.isoformat(), "specimen": "SERUM", "result": "NEG"}


def _randomisation(course: Course, at: At) -> Given:
    return {
        "rand_date": at.day.isoformat(),
        "rand_number": f"R{course.number:03d}",
        "arm": course.arm,
        "stratum_mrd": "NEG",
        "stratum_prior_hsct": "N",
        "stratum": None,
        "rand_time": None,
        "remission_at_rand": "Y",
    }


def _decision(course: Course, at: At) -> Given:
    planned = course.arm == "HSCT"
    return {
        "decision_date": at.day.isoformat(),
        "hsct_planned": "Y" if planned else "N",
        "hsct_in_arm": "AS_ASSIGNED",
        "not_planned_reason": None if planned else "ARM",
        "remission_status": "CR_MRD_NEG",
        "donor_type": "HAPLO" if planned else None,
    }


def _visit(_course: Course, at: At) -> Given:
    if at.about == "missed":
        return {"done": "N", "reason_missed": at.rng.choice(("TRAVEL", "SUBJECT_DECISION")), "visit_mode": None}
    return {"done": "Y", "svdat": at.day.isoformat(), "visit_mode": "SITE"}


def _performance(course: Course, at: At) -> Given:
    score = min(course.person.ecog + (1 if at.rng.random() < 0.2 else 0), 3)  # noqa: PLR2004 (a probability)
    return {"assess_date": at.day.isoformat(), "ecog": str(score), "karnofsky": ("100", "90", "70", "50")[score]}


def _vitals(course: Course, at: At) -> Given:
    answers: Given = {"measured_date": at.day.isoformat(), "weight": str(course.person.weight), "measured_time": None}
    if ill(course, at.day, "CRS"):
        answers |= {"temperature": f"{at.rng.uniform(38.3, 39.9):.1f}", "temperature_sustained": "Y"}
    return answers


def _low(course: Course, day: date) -> bool:
    """Whether the counts are at their nadir: after conditioning, or early after a dose, or in relapse."""
    if course.graft is not None and course.graft <= day < (course.neutrophils or after(course.graft, 12)):
        return True
    dose = course.last_dose(day)
    return course.disease(day) in {"NR", "RELAPSE"} or (
        dose is not None and dose.drug in {"inotuzumab", "cart"} and (day - dose.start).days < 18  # noqa: PLR2004
    )


def _counts(course: Course, at: At) -> Given:
    if _low(course, at.day):
        cells = at.rng.uniform(0.2, 1.4)
        return {
            "wbc": f"{cells:.2f}",
            "anc": f"{cells * at.rng.uniform(0.05, 0.3):.2f}",
            "lymphocytes": f"{cells * at.rng.uniform(0.2, 0.4):.2f}",
            "monocytes": f"{cells * at.rng.uniform(0.02, 0.1):.2f}",
            "haemoglobin": str(at.rng.randint(64, 88)),
            "platelets": str(at.rng.randint(8, 48)),
        }
    cells = at.rng.uniform(3.2, 7.9)
    return {
        "wbc": f"{cells:.2f}",
        "anc": f"{cells * at.rng.uniform(0.42, 0.62):.2f}",
        "lymphocytes": f"{cells * at.rng.uniform(0.14, 0.28):.2f}",
        "monocytes": f"{cells * at.rng.uniform(0.03, 0.08):.2f}",
        "haemoglobin": str(at.rng.randint(90, 142)),
        "platelets": str(at.rng.randint(102, 266)),
    }


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
    answers: Given = {"sample_date": at.day.isoformat(), "ccr_24h": None}
    if ill(course, at.day, "VOD"):
        answers |= {"bilirubin": str(at.rng.randint(48, 110)), "alt": str(at.rng.randint(90, 320))}
    return answers


def _dated(name: str) -> Callable[[Course, At], Given]:
    return lambda _course, at: {name: at.day.isoformat()}


PAGES: Mapping[str, Callable[[Course, At], Given]] = {
    "consent": _consent,
    "demographics": _demographics,
    "diagnosis": _diagnosis,
    "enrolment": _enrolment,
    "nct06125106_eligibility": _eligibility,
    "nct07105579_eligibility": _eligibility,
    "s1904_eligibility": _eligibility,
    "fullcourse_eligibility": _eligibility,
    "visit": _visit,
    "performance": _performance,
    "vital_signs": _vitals,
    "haematology": _haematology,
    "chemistry": _chemistry,
    "pregnancy_test": _pregnancy,
    "prior_therapy": _prior,
    "randomisation": _randomisation,
    "transplant_decision": _decision,
    "hct_ci": _dated("assess_date"),
    "infection_serology": _dated("sample_date"),
}
