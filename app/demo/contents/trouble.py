"""Pages of complications: GVHD, CRS, ICANS, VOD, adverse events, infections. Pure."""

from collections.abc import Callable, Mapping

from app.demo.contents.at import At, Given
from app.demo.course import Course, Trouble, after


def _agvhd(course: Course, at: At) -> Given:
    gvhd = course.acute
    present = gvhd is not None and gvhd.onset <= at.day and (gvhd.end is None or at.day <= gvhd.end)
    answers: Given = {
        "assess_date": at.day.isoformat(),
        "present": "Y" if present else "N",
        "weight": str(course.person.weight),
        "skin_bsa": "0",
        "skin_stage": "0",
        "bilirubin": str(at.rng.randint(6, 22)),
        "liver_stage": "0",
        "ugi_symptoms": "NONE",
        "ugi_stage": "0",
        "lgi_volume": str(at.rng.choice((100, 150, 200))),
        "lgi_stage": "0",
        "overall_grade": "0",
    }
    if gvhd is None or not present:
        return answers
    grade = gvhd.grade
    onset = gvhd.onset.isoformat()
    skin = {1: ("40", "2"), 2: ("70", "3"), 3: ("30", "2"), 4: ("20", "1")}[grade]
    gut = {1: ("150", "0"), 2: ("700", "1"), 3: ("1700", "3"), 4: ("2400", "4")}[grade]
    answers |= {
        "kind": "CLASSIC",
        "skin_bsa": skin[0],
        "skin_stage": skin[1],
        "lgi_volume": gut[0],
        "lgi_stage": gut[1],
        "lgi_severe_pain": "Y" if grade == 4 else "N",  # noqa: PLR2004 (stage 4)
        "overall_grade": ("I", "II", "III", "IV")[grade - 1],
        "onset_date": onset,
        "first_onset_date": onset,
        "systemic_treatment": "Y" if grade > 1 else "N",
        "treatment_start": min(after(gvhd.onset, 1), at.day).isoformat() if grade > 1 else None,
        "steroid_response": "TOO_EARLY" if grade > 1 else None,
        "treatments": ["STEROID"] if grade > 1 else None,
    }
    return answers


def _cgvhd(course: Course, at: At) -> Given:
    gvhd = course.chronic
    if gvhd is None or gvhd.onset > at.day:
        return {"assess_date": at.day.isoformat(), "diagnosed": "N"}
    treated = course.chronic_treated is not None and course.chronic_treated <= at.day
    score = str(gvhd.grade)
    return {
        "assess_date": at.day.isoformat(),
        "diagnosed": "Y",
        "onset_date": gvhd.onset.isoformat(),
        "onset_type": "DE_NOVO",
        "diagnostic_signs": ["MOUTH_LICHEN_PLANUS"],
        "distinctive_signs": ["EYE_DRY", "MOUTH_XEROSTOMIA"],
        "confirmation": ["SPECIALIST"],
        "mouth_score": score,
        "mouth_symptoms": ("MILD", "MODERATE", "SEVERE")[gvhd.grade - 1],
        "eye_score": "1",
        "eye_symptoms": "MILD",
        "eye_drops": "UP_TO_3",
        "skin_bsa": "0",
        "fev1_pct": f"{at.rng.uniform(82, 104):.1f}",
        "gi_weight_loss": "0",
        "global_severity": ("MILD", "MODERATE", "SEVERE")[gvhd.grade - 1],
        "systemic_therapy": "Y" if treated else "N",
        "systemic_start": course.chronic_treated.isoformat() if treated and course.chronic_treated else None,
        "systemic_drugs": ["STEROID", "RUX"] if treated else None,
    }


def _over(trouble: Trouble, at: At) -> Given:
    """Onset and end of an episode, as known on the day of the page."""
    ended = trouble.end is not None and trouble.end <= at.day
    return {
        "assess_date": at.day.isoformat(),
        "onset_date": trouble.onset.isoformat(),
        "ongoing": "N" if ended else "Y",
        "end_date": trouble.end.isoformat() if ended and trouble.end else None,
    }


def _crs(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    grade = trouble.grade
    return _over(trouble, at) | {
        "after": trouble.cause if trouble.cause in {"BLINATUMOMAB", "CART", "HSCT", "DLI"} else "OTHER",
        "fever": "Y",
        "temperature": f"{at.rng.uniform(38.2, 40.1):.1f}",
        "fever_waived": "N",
        "hypotension": ("NONE", "FLUIDS", "ONE")[grade - 1],
        "hypoxia": ("NONE", "LOW_FLOW", "HIGH_FLOW")[grade - 1],
        "systolic_lowest": 102 - 12 * grade,
        "death_due_to_crs": "N",
        "grade": str(grade),
        "tocilizumab": "Y" if grade > 1 else "N",
        "tocilizumab_doses": 1 if grade > 1 else None,
        "tocilizumab_date": trouble.onset.isoformat() if grade > 1 else None,
        "steroids": "Y" if grade == 3 else "N",  # noqa: PLR2004 (grade 3)
        "steroids_start": trouble.onset.isoformat() if grade == 3 else None,  # noqa: PLR2004
        "icu": "Y" if grade == 3 else "N",  # noqa: PLR2004 (grade 3)
    }


_ICE: tuple[Given, ...] = (
    {"ice_naming": 1},
    {"ice_naming": 0, "ice_writing": "N", "ice_attention": "N"},
    {"ice_naming": 0, "ice_writing": "N", "ice_attention": "N", "ice_command": "N", "ice_year": "N", "ice_city": "N"},
)
"""What goes wrong in the ICE test at grade 1, 2 and 3: 8, 5 and 2 points are left."""


def _icans(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    grade = trouble.grade
    wrong = _ICE[min(grade, len(_ICE)) - 1]
    return (
        _over(trouble, at)
        | wrong
        | {
            "instrument": "ICE",
            "ice_done": "YES",
            "consciousness": ("AWAKE", "VOICE", "TACTILE")[grade - 1],
            "seizure": "NONE",
            "motor": "N",
            "icp": "NONE",
            "death_due_to_icans": "N",
            "grade": str(grade),
            "steroids": "Y" if grade > 1 else "N",
            "steroids_start": trouble.onset.isoformat() if grade > 1 else None,
            "anticonvulsant": "Y",
            "icu": "Y" if grade == 3 else "N",  # noqa: PLR2004 (grade 3)
        }
    )


def _vod(course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    weight = course.person.weight
    setting = "INOTUZUMAB" if trouble.cause == "INOTUZUMAB" else "AFTER_HSCT"
    answers = _over(trouble, at)
    ended = answers.pop("end_date")
    answers.pop("ongoing")
    return answers | {
        "setting": setting,
        "day_after_hsct": (trouble.onset - course.graft).days if setting == "AFTER_HSCT" and course.graft else None,
        "bilirubin": str(at.rng.randint(*((36, 49), (54, 82), (88, 130))[trouble.grade - 1])),
        "bilirubin_doubled": "N",
        "creatinine_baseline": "60",
        "creatinine": str(at.rng.randint(52, 68)),
        "hepatomegaly": "Y",
        "weight_baseline": str(weight),
        "weight": f"{weight * 1.03:.1f}",
        "weight_gain_pct": "3",
        "ascites": "Y",
        "ultrasound": "Y",
        "risk_factors": 1,
        "diagnosis_2023": "CLINICAL",
        "severity": ("MILD", "MODERATE", "SEVERE")[trouble.grade - 1],
        "defibrotide": "Y",
        "defibrotide_start": trouble.onset.isoformat(),
        "outcome": "RESOLVED" if ended else "ONGOING",
        "resolved_date": ended,
    }


def _adverse_event(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    ended = trouble.end is not None and trouble.end <= at.day
    serious = trouble.grade >= 3  # noqa: PLR2004 (grade 3)
    kind = {"NEUTROPENIA": "CYTOPENIA", "PNEUMONIA": "INFECTION"}.get(trouble.kind, trouble.kind)
    answers: Given = {
        "term": _TERMS[trouble.kind],
        "ctcae_term": _TERMS[trouble.kind],
        "grade": str(trouble.grade),
        "start_date": trouble.onset.isoformat(),
        "start_time": None,
        "ongoing": "N" if ended else "Y",
        "end_date": trouble.end.isoformat() if ended and trouble.end else None,
        "outcome": "RECOVERED" if ended else "RECOVERING",
        "aesi": [kind],
        "serious": "Y" if serious else "N",
        "causality": [
            {
                "treatment": trouble.cause,
                "related": at.rng.choice(("PROBABLE", "POSSIBLE")),
                "action": "DOSE_NOT_CHANGED",
            }
        ],
    }
    if serious:
        answers |= {
            "ser_hospital": "Y",
            "hospital_from": trouble.onset.isoformat(),
            "serious_date": trouble.onset.isoformat(),
            "aware_date": trouble.onset.isoformat(),
            "report_date": after(trouble.onset, 1).isoformat(),
            "report_kind": "INITIAL",
            "narrative": "Admitted, treated by the local standard, recovering.",
            "other_action": ["DRUG", "HOSPITAL"],
        }
    return answers


_TERMS: Mapping[str, str] = {
    "CRS": "Cytokine release syndrome",
    "ICANS": "Immune effector cell-associated neurotoxicity",
    "VOD": "Hepatic sinusoidal obstruction",
    "NEUTROPENIA": "Neutrophil count decreased",
    "PNEUMONIA": "Lung infection",
}


def _infection(_course: Course, at: At) -> Given:
    trouble: Trouble = at.about
    return {
        "onset_date": trouble.onset.isoformat(),
        "kind": "BACTERIAL",
        "organism": at.rng.choice(("Escherichia coli", "Klebsiella pneumoniae")),
        "site": ["LUNG"],
        "certainty": "PROBABLE",
        "grade": str(trouble.grade),
        "treatment": ["ANTIBACTERIAL"],
        "outcome": "RESOLVED" if trouble.end else "ONGOING",
        "end_date": trouble.end.isoformat() if trouble.end else None,
    }


PAGES: Mapping[str, Callable[[Course, At], Given]] = {
    "agvhd": _agvhd,
    "cgvhd": _cgvhd,
    "crs": _crs,
    "icans": _icans,
    "vod": _vod,
    "adverse_event": _adverse_event,
    "infection": _infection,
}
