"""How pages say the cases of laboratory values, complications, seriousness and engraftment."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.stories.on_gvhd_pages import (
    acute_course,
    chronic_course,
    comparison,
    diagnosis,
    kind,
    magic,
    organ,
    severity,
)
from tests.stories.on_pages import (
    DAY,
    YES,
    Answers,
    Row,
    Said,
    Unsaid,
    amount,
    code,
    conversion,
    day,
    mrd,
    reappearance,
    response,
)

LABS: Mapping[str, tuple[str, str, str, str]] = {
    "White blood cell decreased": ("haematology", "wbc", "10^9/L", "wbc"),
    "Neutrophil count decreased": ("haematology", "anc", "10^9/L", "anc"),
    "Lymphocyte count decreased": ("haematology", "lymphocytes", "10^9/L", "lymphocytes"),
    "Anemia": ("haematology", "haemoglobin", "g/L", "haemoglobin"),
    "Platelet count decreased": ("haematology", "platelets", "10^9/L", "platelets"),
    "Thrombocytopenia": ("haematology", "platelets", "10^9/L", "platelets"),
    "Alanine aminotransferase increased": ("chemistry", "alt", "U/L", "alt"),
    "Aspartate aminotransferase increased": ("chemistry", "ast", "U/L", "ast"),
    "Blood bilirubin increased": ("chemistry", "bilirubin", "umol/L", "bilirubin"),
    "Alkaline phosphatase increased": ("chemistry", "alp", "U/L", "alp"),
    "GGT increased": ("chemistry", "ggt", "U/L", "ggt"),
    "Hypoalbuminemia": ("chemistry", "albumin", "g/L", "albumin"),
    "Creatinine increased": ("chemistry", "creatinine", "umol/L", "creatinine"),
    "Hypokalemia": ("chemistry", "potassium", "mmol/L", "potassium_low"),
    "Hyperkalemia": ("chemistry", "potassium", "mmol/L", "potassium_high"),
    "Hyponatremia": ("chemistry", "sodium", "mmol/L", "sodium"),
    "Hypocalcemia": ("chemistry", "calcium", "mmol/L", "calcium"),
    "Hypomagnesemia": ("chemistry", "magnesium", "mmol/L", "magnesium"),
    "Lipase increased": ("chemistry", "lipase", "U/L", "lipase"),
    "Serum amylase increased": ("chemistry", "amylase", "U/L", "amylase"),
    "Fibrinogen decreased": ("chemistry", "fibrinogen", "g/L", "fibrinogen"),
}
"""By term: the page, the value, its canonical unit, and how calculation and grade begin."""

_BASELINES = {"alt", "ast", "bilirubin", "alp", "ggt", "creatinine"}
_LOW = {"albumin", "potassium_low", "sodium", "calcium", "magnesium", "fibrinogen"}


def laboratory(row: Row) -> Said:
    if row["term"] not in LABS or not (row["value"] and row["unit"] and row["version"]):
        raise Unsaid("the page gives term and unit, and grades a value")
    page, item, canonical, name = LABS[row["term"]]
    if (row["term"], row["version"]) in {("Platelet count decreased", "6.0"), ("Thrombocytopenia", "5.0")}:
        raise Unsaid("the version of the trial has another term")
    low = page == "haematology" or name in _LOW
    if row["baseline"] and (name not in _BASELINES):
        raise Unsaid("no grade of the page hangs on this baseline")
    if row["lln"] and not low and item != "creatinine":
        raise Unsaid("the page has no lower limit of this")
    factor = _FACTORS.get((item, row["unit"]))
    if row["unit"] != canonical and factor is None:
        raise Unsaid("the page takes no such unit")
    answers: Answers = {"sample_date": day(), item: amount(row["value"], row["unit"], canonical)}
    limit = f"{item}_lln" if low else f"{item}_uln"
    answers[limit] = amount(row["lln"] if low else row["uln"], row["unit"], canonical)
    if item == "creatinine":
        answers["creatinine_lln"] = amount(row["lln"], row["unit"], canonical)
    if row["symptomatic"]:
        answers[f"{item}_symptomatic"] = YES[row["symptomatic"]]
    if item == "calcium":
        answers["albumin"] = "40"
    before: list[tuple[str, Answers]] = []
    if row["baseline"]:
        before = [
            ("chemistry", {"sample_date": day(-30), item: amount(row["baseline"], row["unit"], canonical)}),
            ("blinatumomab", {"cycle": 1, "start_date": day(-20)}),
        ]
    return Said(
        page, answers, f"{name}_ctcae", {f"{name}_grade": "expected"}, tuple(before), {"ctcae": row["version"]},
        alone=bool(before),
    )  # fmt: skip


_FACTORS: Mapping[tuple[str, str], str] = {
    **{(item, unit): "" for item in ("wbc", "anc", "lymphocytes", "platelets") for unit in ("/uL", "/mm3", "10^3/uL")},
    **{(item, "mg/dL"): "" for item in ("bilirubin", "creatinine", "calcium", "magnesium", "fibrinogen")},
    **{(item, "g/dL"): "" for item in ("haemoglobin", "albumin")},
    **{(item, "mEq/L"): "" for item in ("potassium", "sodium")},
}


def clearance(row: Row) -> Said:
    if not (row["age"] and row["creatinine"] and row["unit"] and row["sex"]):
        raise Unsaid("the page has a unit, and computes from a creatinine of somebody known")
    age = Decimal(row["age"])
    if age != age.to_integral_value():
        raise Unsaid("an age is in completed years")
    born = DAY.replace(year=DAY.year - int(age)).isoformat()
    answers = {"sample_date": day(), "creatinine": amount(row["creatinine"], row["unit"], "umol/L")}
    return Said(
        "chemistry", answers, "clearance", {"crcl": "expected_ml_min"},
        (("demographics", {"birth_date": born, "sex": row["sex"], "weight": row["weight_kg"]}),), alone=True,
    )  # fmt: skip


def calcium(row: Row) -> Said:
    if row["unit"] != "mmol/L":
        raise Unsaid("the page shows mmol/L")
    answers = {
        "sample_date": day(),
        "calcium": row["calcium"],
        "albumin": amount(row["albumin"], row["albumin_unit"], "g/L"),
    }
    return Said("chemistry", answers, "correction", {"calcium_corrected": "expected"})


def nervous_system(row: Row) -> Said:
    before: tuple[tuple[str, Answers], ...] = ()
    if row.get("previous"):
        before = (("cns_assessment", {"assess_date": day(-30), "cns_status": row["previous"]}),)
    wbc, rbc = row.get("blood_wbc_uL", ""), row.get("blood_rbc_uL", "")
    items = {"cns_status_computed": "expected"} | ({"cns_relapse_computed": "relapse"} if row.get("previous") else {})
    return Said(
        "cns_assessment",
        {
            "assess_date": day(), "puncture": "Y", "csf_blasts": YES[row["csf_blasts"]], "csf_wbc": row["csf_wbc_uL"],
            "csf_rbc": row["csf_rbc_uL"], "ratio_positive": YES[row["ratio_positive"]],
            "blood_wbc": format(Decimal(wbc) / 1000, "f") if wbc else None,
            "blood_rbc": format(Decimal(rbc) / 10**6, "f") if rbc else None,
            "clinical_signs": YES[row["clinical_signs"]],
        },
        "cns_rule", items, before, alone=True,
    )  # fmt: skip


def release(row: Row) -> Said:
    if not row["temp_c"]:
        raise Unsaid("without a temperature the answer about fever stands")
    pressure = row["hypotension"].lower()
    oxygen = {
        "low_flow": "LOW_FLOW",
        "blow_by": "LOW_FLOW",
        "none": "NONE",
        "positive_pressure": "POSITIVE_PRESSURE",
        "": None,
    }
    high = {"high_flow", "facemask", "non_rebreather", "venturi", "mask", "face_mask", "nonrebreather"}
    positive = {"cpap", "bipap", "ventilation", "intubation"}
    given = row["hypoxia"].lower()
    found = (
        "HIGH_FLOW" if given in high else "POSITIVE_PRESSURE" if given in positive else oxygen.get(given, "LOW_FLOW")
    )
    names = {"one_vasopressor": "ONE", "one_pressor": "ONE", "single": "ONE", "multiple_vasopressors": "MULTIPLE",
             "one_vasopressor_plus_vasopressin": "ONE_PLUS_VASOPRESSIN", "vasopressin_only": "VASOPRESSIN",
             "vasopressin_alone": "VASOPRESSIN"}  # fmt: skip
    return Said(
        "crs",
        {
            "assess_date": day(), "temperature": row["temp_c"], "fever_waived": YES[row["fever_waived"]],
            "hypotension": names.get(pressure, pressure.upper()) or None, "hypoxia": found,
            "death_due_to_crs": YES[row["death_due_to_crs"]],
        },
        "crs_rule", {"grade_computed": "expected"},
    )  # fmt: skip


_SCORES = ("ice_year", "ice_month", "ice_city", "ice_hospital", "ice_command", "ice_writing", "ice_attention")


def neurotoxicity(row: Row) -> Said:
    if not row["age"]:
        raise Unsaid("the page knows the age by the date of birth")
    age = int(Decimal(row["age"]))
    delay = row.get("developmental_delay", "0")
    if age >= 12 and not delay:
        raise Unsaid("the choice of the instrument says it")
    by_capd = age < 12 or delay == "1"
    answers: Answers = {"assess_date": day(), "other_cause": "N", "instrument": "CAPD" if by_capd else "ICE"}
    if by_capd:
        answers["capd"] = int(row["capd"]) if row.get("capd") else None
    elif row["ice"]:
        points = int(row["ice"])
        named = min(points, 3)
        answers |= {"ice_done": "YES", "ice_naming": named}
        answers |= {item: "Y" if at < points - named else "N" for at, item in enumerate(_SCORES)}
    awake = {
        "touch": "TACTILE",
        "spontaneous": "AWAKE",
        "vigorous": "UNAROUSABLE",
        "stupor": "UNAROUSABLE",
        "coma": "UNAROUSABLE",
    }
    fits = {"ncse": "BRIEF", "ncse_resolves": "BRIEF", "nonconvulsive": "BRIEF", "prolonged": "PROLONGED_GT5MIN",
            "repetitive_no_return": "REPETITIVE"}  # fmt: skip
    pressure = {"hemorrhage": "HAEMORRHAGE", "focal_oedema": "FOCAL_EDEMA", "diffuse_oedema": "DIFFUSE_EDEMA",
                "papilledema": "PAPILLOEDEMA", "cn6_palsy": "CN_VI_PALSY", "cushing_triad": "CUSHING"}  # fmt: skip
    return Said(
        "icans",
        answers | {
            "consciousness": code(row, "consciousness", **awake), "seizure": code(row, "seizure", **fits),
            "motor": YES[row["motor"]], "icp": code(row, "icp", **pressure),
            "death_due_to_icans": YES[row["death_due_to_icans"]],
        },
        "icans_rule", {"grade_computed": "expected"},
        (("demographics", {"birth_date": DAY.replace(year=DAY.year - age).isoformat()}),), alone=True,
    )  # fmt: skip


def _bilirubin(row: Row) -> object:
    if row.get("bili_mgdl") and row.get("bili_umol"):
        raise Unsaid("a value has one unit")
    return amount(row["bili_mgdl"], "mg/dL", "umol/L") if row.get("bili_mgdl") else row.get("bili_umol")


def veno_occlusive(row: Row) -> Said:
    if not row["day"].isdigit():
        raise Unsaid("the page knows the day by the graft")
    return Said(
        "vod",
        {
            "assess_date": day(), "onset_date": day(), "setting": "AFTER_HSCT", "day_after_hsct": int(row["day"]),
            "bilirubin": _bilirubin(row), "hepatomegaly": YES[row["painful_hepatomegaly"]],
            "weight_gain_pct": row["weight_gain_pct"], "ascites": YES[row["ascites"]],
            "ultrasound": YES[row["us_elasto"]], "hvpg_ge10": YES[row["hvpg_ge10"]],
            "histology": YES[row["histology"]], "diagnosis_2023": "CLINICAL",
        },
        "diagnosis_rule", {"diagnosis_2023_computed": "dx2023", "diagnosis_2016_computed": "dx2016_classical"},
    )  # fmt: skip


def veno_occlusive_severity(row: Row) -> Said:
    days = row["days_since_first_symptom"]
    if not days.isdigit():
        raise Unsaid("the first symptom has a day")
    multiples = {"transaminase_xn": ("alt", "alt_uln"), "creat_x_baseline": ("creatinine", "creatinine_baseline")}
    answers: Answers = {}
    for name, (value, to) in multiples.items():
        if row[name]:
            answers |= {value: str(Decimal(row[name]) * 100), to: "100"}
    risks = {"1": 2, "0": 1, "": None}[row["risk_factors_ge2"]]
    return Said(
        "vod",
        answers | {
            "assess_date": day(), "onset_date": day(-int(days)), "setting": "INOTUZUMAB", "bilirubin": _bilirubin(row),
            "bilirubin_doubled": YES[row["bili_doubling_48h"]], "weight_gain_pct": row["weight_gain_pct"],
            "organ_failure": YES[row["mod_mof"]], "risk_factors": risks, "diagnosis_2023": "CLINICAL",
        },
        "severity_rule", {"severity_computed": "expected"},
    )  # fmt: skip


_EVENT: Answers = {"term": "An event", "start_date": day()}


def febrile_neutropenia(row: Row) -> Said:
    return Said(
        "adverse_event",
        _EVENT | {
            "aesi": ["FEBRILE_NEUTROPENIA"], "fn_anc": row["anc"], "fn_temp_max": row["temp_single_max"],
            "fn_temp_sustained": YES[row["temp38_sustained_gt1h"]], "fn_life_threatening": YES[row["life_threatening"]],
        },
        "fn_rule", {"fn_grade": "expected"},
    )  # fmt: skip


def term(row: Row) -> Said:
    return Said(
        "adverse_event", _EVENT | {"ctcae_term": row["term"], "grade": row["grade"]}, "term_rule",
        {"term_has_grade": "expected"}, study={"ctcae": row["version"]},
    )  # fmt: skip


_CRITERIA = {
    "death": "ser_death", "life_threatening": "ser_life_threatening", "hospitalisation": "ser_hospital",
    "disability": "ser_disability", "congenital_anomaly": "ser_congenital", "medically_important": "ser_important",
}  # fmt: skip


def serious(row: Row) -> Said:
    criteria = {item: YES[row[name]] for name, item in _CRITERIA.items()}
    return Said("adverse_event", _EVENT | {"serious": "Y"} | criteria, "seriousness", {"serious_computed": "expected"})


def clock(row: Row) -> Said:
    if not (row["serious"] == "1" and row["aware"]) or "+" in row["aware"]:
        raise Unsaid("the page asks about reporting once an event is serious, in the time of the site")
    urgent = YES[row["fatal_or_lt"]]
    cause = {"treatment": "CART", "related": "POSSIBLE", "action": "DOSE_NOT_CHANGED"}
    expected = {"1": "UNEXPECTED", "0": "EXPECTED"}.get(row["unexpected"])
    when, _, time = row["aware"].partition("T")
    return Said(
        "adverse_event",
        _EVENT | {
            "grade": "3", "serious": "Y", "ser_death": "N" if urgent else None, "ser_life_threatening": urgent,
            "related_any": YES[row["related"]], "aware_date": when, "aware_time": time,
            "causality": [cause | ({"expected": expected} if expected else {})],
        },
        "clock_rule",
        {"clock": "clock", "sponsor_due": "site_to_sponsor_due", "authority_due": "regulatory_due"}
        | ({"followup_due": "followup_due"} if "followup_due" in row else {}),
    )  # fmt: skip


_YES_NO = ("arrhythmia", "cardiac", "ibd", "diabetes", "cerebrovascular", "psychiatric", "obesity", "infection",
           "rheumatologic", "peptic_ulcer", "renal", "solid_tumour", "valve")  # fmt: skip


def comorbidity(row: Row) -> Said:
    answers = {name: YES[row[name]] for name in _YES_NO} | {
        name: row[name].upper() for name in ("hepatic", "pulmonary")
    }
    return Said(
        "hct_ci", {"assess_date": day()} | answers, "index", {"hct_ci_score": "expected", "risk_group": "risk_group"}
    )


def performance(row: Row) -> Said:
    if not (row["ecog"] and row["kps"]):
        raise Unsaid("two scales are compared once both are there")
    answers = {"assess_date": day(), "ecog": row["ecog"], "karnofsky": row["kps"]}
    return Said("performance", answers, "scales", {"scales_agree": "agree"})


def chimerism(row: Row) -> Said:
    if not row["donor_pct"]:
        raise Unsaid("a sample has a result")
    rows = [{"chimerism_date": day(), "donor_pct": row["donor_pct"]}]
    return Said("engraftment", {"chimerism": rows}, "donor_rule", {"full_chimerism": "expected"})


def engraftment(row: Row) -> Said:
    if not (row["day0"] and row["series"]):
        raise Unsaid("there is nothing to compute before a graft and its counts")
    counts: dict[str, Answers] = {}
    for part in row["series"].split(";"):
        name, _, entries = part.partition(":")
        for when, _, value in (each.partition("=") for each in entries.split("|")):
            item = {"ANC": "anc", "PLT": "platelets"}[name]
            page = counts.setdefault(when, {"sample_date": when})
            if item in page:
                raise Unsaid("a page has one count")
            page[item] = value
    before: list[tuple[str, Answers]] = [("haematology", page) for page in counts.values()]
    before.append(("graft", {"infusion_date": row["day0"], "on_study": "Y"}))
    given = [when for when in row.get("plt_tx", "").split("|") if when]
    before += [("transfusion", {"transfusion_date": when, "product": "PLT"}) for when in given]
    items = {"anc_computed": "anc_engraft_date", "plt20_computed": "plt20_date"}
    items |= {"anc_day_computed": "anc_engraft_day", "plt50_computed": "plt50_date"}
    return Said(
        "engraftment", {"last_platelet_transfusion": row["last_plt_tx"]}, "counts", items, tuple(before), alone=True
    )


def graft_failure(row: Row) -> Said:
    if not (row["day0"] and row["engraftment"]) or row["limit_day"] not in {"", "28"}:
        raise Unsaid("the trials take the day of the graft, after a graft")
    status = {"engrafted": "YES", "never_below": "NEVER_BELOW", "not_engrafted": "NO"}
    source = {"pbsc": "PB", "marrow": "BM", "bm": "BM", "cord": "CORD", "": "PB"}
    before: list[tuple[str, Answers]] = [
        ("graft", {"infusion_date": row["day0"], "on_study": "Y", "source": source[row["graft"]]})
    ]
    if row["observed_to"]:
        before.append(("haematology", {"sample_date": row["observed_to"], "anc": "0.1"}))
    return Said(
        "engraftment",
        {
            "neutrophil_status": status[row["engraftment"]], "neutrophil_date": row["anc_engraft_date"],
            "counts_lost": YES[row["count_lost"]], "chimerism_lost": YES[row["chimerism_lost"]],
        },
        "failure_rule", {"failure_computed": "expected"}, tuple(before), alone=True,
    )  # fmt: skip


TELL: Mapping[str, Callable[[Row], Said]] = {
    "response": response, "mrd_status": mrd, "mrd_conversion": conversion, "molecular_relapse": reappearance,
    "magic_agvhd": magic, "agvhd_glucksberg_ibmtr": comparison, "agvhd_course": acute_course, "gvhd_kind": kind,
    "nih_cgvhd_organ": organ, "nih_cgvhd_global": severity, "cgvhd_course": chronic_course,
    "nih_cgvhd_diagnosis": diagnosis, "ctcae_labs": laboratory, "cockcroft_gault": clearance,
    "corrected_calcium": calcium, "cns_status": nervous_system, "crs_astct": release, "icans_astct": neurotoxicity,
    "vod_diagnosis": veno_occlusive, "vod_severity_adult": veno_occlusive_severity,
    "ctcae_febrile_neutropenia": febrile_neutropenia, "ctcae_grade": term, "sae_seriousness": serious,
    "sae_clock": clock, "hct_ci": comorbidity, "ecog_karnofsky": performance, "donor_chimerism": chimerism,
    "engraftment": engraftment, "graft_failure": graft_failure,
}  # fmt: skip
"""By rule, how a page says its cases."""
