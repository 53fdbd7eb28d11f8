"""Pages of the leukaemia: response, MRD, the nervous system, later therapy, contact, death, the end. Pure."""

from collections.abc import Callable, Mapping

from app.demo.contents.at import At, Given, burden
from app.demo.course import Course, Later, after


def _response(course: Course, at: At) -> Given:
    state = course.disease(at.day)
    failed = course.failure is not None and at.day >= course.failure
    phases = {
        "SCR": "BASELINE",
        "COND": "PRE_HSCT",
        "RAND": "FOLLOW_UP",
        "C28": "POST_CART",
        "UNS": "SUSPECTED_RELAPSE",
    }
    blasts = {"CR": at.rng.uniform(0, 2.8), "CRi": at.rng.uniform(0.5, 4.2), "RELAPSE": at.rng.uniform(18, 85)}.get(
        state, burden(course) * at.rng.uniform(0.6, 1.2)
    )
    extramedullary = state == "RELAPSE" and course.relapse_site in {"EMD", "CNS"}
    answers: Given = {
        "assess_date": at.day.isoformat(),
        "evaluable": "Y",
        "response": state,
        "phase": phases.get(at.visit, "POST_HSCT" if course.graft else "FOLLOW_UP"),
        "marrow_blasts": f"{1.5 if extramedullary else blasts:.1f}",
        "marrow_adequacy": "ADEQUATE",
        "count_date": at.day.isoformat(),
        "blood_blasts_present": "Y" if state in {"NR", "RELAPSE"} and not extramedullary else "N",
        "rbc_independent": "Y" if state == "CR" else "N",
        "treatment_failure": "Y" if failed else "N",
        "failure_date": at.day.isoformat() if failed else None,
        "failure_reason": "REFRACTORY" if failed else None,
        "progression": "N",
        "comment": None,
        "emd": "NEW" if extramedullary else "NONE",
        "emd_sites": ["CNS" if course.relapse_site == "CNS" else "LYMPH_NODE"] if extramedullary else None,
        "anc": f"{at.rng.uniform(0.2, 0.8):.2f}" if state in {"NR", "CRi"} else f"{at.rng.uniform(1.1, 4.6):.2f}",
        "platelets": str(at.rng.randint(12, 70) if state in {"NR", "RELAPSE"} else at.rng.randint(104, 260)),
    }
    if answers["blood_blasts_present"] == "Y":
        answers["blood_blasts"] = str(at.rng.randint(1, 40))
    if state == "RELAPSE":
        day = (course.relapse or at.day).isoformat()
        answers |= {
            "relapse_date": day[:7] if "partial relapse" in course.flaws else day,
            "relapse_site": [course.relapse_site],
            "relapse_cd19": at.rng.choice(("POS", "POS", "NEG")),
        }
    return answers


def _mrd(course: Course, at: At) -> Given:
    active = course.disease(at.day) in {"NR", "RELAPSE"}
    positive = active or course.mrd_positive(at.day)
    back = positive and not active and course.mrd_back is not None and at.day >= course.mrd_back
    confirmed = back and course.relapse is not None
    answers: Given = {
        "sample_date": at.day.isoformat(),
        "specimen": "MARROW",
        "method": "FLOW",
        "marker": "LAIP",
        "result": "QUANT" if positive else "ND",
        "lod_pct": "0.001",
        "loq_pct": "0.01",
        "status": "POS" if positive else "NEG",
        "morphological_remission": "N" if active else "Y",
        "molecular_relapse": "Y" if back else "N",
        "confirmed": ("Y" if confirmed else "N") if back else None,
        "confirm_date": after(at.day, 14).isoformat() if confirmed else None,
        "marker_text": None,
    }
    if positive:
        answers["value_pct"] = f"{at.rng.uniform(2, 40):.1f}" if active else f"{at.rng.uniform(0.02, 0.6):.3f}"
    return answers


def _cns(_course: Course, at: At) -> Given:
    return {
        "assess_date": at.day.isoformat(),
        "csf_blasts": "N",
        "cns_status": "CNS1",
        "imaging": "NORMAL",
        "intrathecal": "Y",
        "intrathecal_drugs": ["MTX", "ARAC", "DEX"],
    }


def _later(_course: Course, at: At) -> Given:
    therapy: Later = at.about
    return {
        "start_date": therapy.start.isoformat(),
        "therapy_type": therapy.kind,
        "regimen": therapy.regimen,
        "reason": therapy.reason,
        "ongoing": "Y",
        "in_remission": "Y" if therapy.reason in {"MRD", "REMISSION"} else "N",
        "best_response": None,
    }


def _survival(course: Course, at: At) -> Given:
    day = at.day.isoformat()
    if at.about == "lost":
        return {"status": "LOST", "contact_date": day, "contact_type": "PHONE", "attempts": 3, "last_attempt_date": day}
    ill = "RELAPSED" if course.relapse is not None else "ACTIVE" if course.failure is not None else "REMISSION"
    return {
        "status": "ALIVE",
        "contact_date": day,
        "contact_type": at.rng.choice(("VISIT", "PHONE", "PHONE")),
        "disease_status": ill,
        "new_therapy": "Y" if course.later else "N",
    }


def _withdrawal(_course: Course, at: At) -> Given:
    return {
        "withdrawal_date": at.day.isoformat(),
        "withdrawn_by": "SUBJECT",
        "withdrawn_from": ["TREATMENT", "PROCEDURES"],
        "survival_follow_up": "N",
        "withdrawal_reason": "BURDEN",
        "withdrawal_reason_text": None,
    }


def _death(course: Course, at: At) -> Given:
    day = (course.death or at.day).isoformat()
    ours = course.cause == "RELAPSE"
    return {
        "death_date": day[:7] if "partial death" in course.flaws else day,
        "death_cause": course.cause,
        "cause_category": "RELAPSE" if ours else "TREATMENT",
        "remission_at_death": "N" if ours else "Y",
        "cause_text": "Progressive leukaemia" if ours else "Treatment-related, in remission of the leukaemia",
        "cause_contributing": None,
        "place": "HOSPITAL",
        "information_source": "RECORDS",
    }


def _end(course: Course, at: At) -> Given:
    reasons = (("DEATH", course.death), ("LOST_TO_FOLLOW_UP", course.lost), ("WITHDRAWAL_BY_SUBJECT", course.withdrawn))
    reason = next(
        (name for name, day in reasons if day is not None), "SCREEN_FAILURE" if course.enrol is None else "COMPLETED"
    )
    return {"end_date": at.day.isoformat(), "end_reason": reason, "end_reason_text": None, "treatment_end_reason": None}


PAGES: Mapping[str, Callable[[Course, At], Given]] = {
    "response": _response,
    "mrd": _mrd,
    "cns_assessment": _cns,
    "new_anticancer_therapy": _later,
    "survival": _survival,
    "withdrawal": _withdrawal,
    "death": _death,
    "end_of_study": _end,
}
