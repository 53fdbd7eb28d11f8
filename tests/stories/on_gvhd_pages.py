"""How the pages of acute and chronic GVHD say the cases of their rules."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.stories.on_pages import YES, Answers, Row, Said, Unsaid, amount, code, day


def magic(row: Row) -> Said:
    weight = row.get("weight_kg", "")
    if not weight and row["group"]:
        weight = "70" if row["group"] == "adult" else "20"
        foreign = "mL/day" if row["group"] == "child" else "mL/kg/day"
        if row["lgi_vol"] and row["lgi_unit"] == foreign:
            raise Unsaid("whose volumes are meant follows from the weight")
    elif weight and row["group"]:
        raise Unsaid("whose volumes are meant follows from the weight")
    volume = row["lgi_vol"]
    if volume and row["lgi_unit"] != "mL/day":
        if not (weight and row["lgi_unit"]):
            raise Unsaid("the page asks for mL a day")
        volume = str(Decimal(volume) * Decimal(weight))
    if not row["bili_unit"]:
        raise Unsaid("a bilirubin has a unit")
    organs = {"skin": "skin", "liver": "liver", "upper_gi": "ugi", "lower_gi": "lgi"}
    causes = {
        f"{p}_attribution": {"1": "OTHER", "0": "GVHD"}.get(row.get(f"{n}_not_gvhd", "")) for n, p in organs.items()
    }
    severe = YES[row["severe_pain_or_blood"]]
    return Said(
        "agvhd",
        {
            "assess_date": day(), "weight": weight, "skin_bsa": row["skin_bsa"],
            "skin_bullae": YES[row["bullae_desq_gt5"]],
            "skin_desquamation": "6" if row["bullae_desq_gt5"] == "1" else None,
            "bilirubin": amount(row["bili"], row["bili_unit"], "umol/L"),
            "ugi_symptoms": {"1": "PERSISTENT", "0": "NONE", "": None}[row["ugi"]],
            "lgi_volume": volume, "lgi_episodes": row["lgi_episodes"],
            "lgi_severe_pain": severe, "lgi_blood": "N" if severe else None, **causes,
        },
        "magic",
        {"grade_computed": "grade"} | {f"{prefix}_stage_computed": name for name, prefix in organs.items()},
    )  # fmt: skip


_STAGES: Mapping[str, Mapping[str, Answers]] = {
    "skin": {
        "0": {"skin_bsa": "0"}, "1": {"skin_bsa": "10"}, "2": {"skin_bsa": "40"},
        "3": {"skin_bsa": "60", "skin_bullae": "N"},
        "4": {"skin_bsa": "60", "skin_bullae": "Y", "skin_desquamation": "10"}, "": {},
    },
    "liver": {
        "0": {"bilirubin": "10"}, "1": {"bilirubin": "40"}, "2": {"bilirubin": "80"}, "3": {"bilirubin": "200"},
        "4": {"bilirubin": "300"}, "": {},
    },
    "gut": {
        "0": {"lgi_volume": "0"}, "1": {"lgi_volume": "600"}, "2": {"lgi_volume": "1200"}, "3": {"lgi_volume": "1600"},
        "4": {"lgi_volume": "600", "lgi_severe_pain": "Y"}, "": {},
    },
}  # fmt: skip
_WELL: Answers = {"weight": "70", "ugi_symptoms": "NONE", "lgi_severe_pain": "N", "lgi_blood": "N"}


def comparison(row: Row) -> Said:
    stages: Answers = {}
    for organ, by_stage in _STAGES.items():
        stages |= by_stage[row[organ]]
    answers: Answers = {"assess_date": day()} | _WELL | stages
    if not row["gut"]:
        answers["lgi_severe_pain"] = None
    return Said(
        "agvhd",
        answers | {"extreme_performance": YES[row["ecog4_or_kps_lt30"]]},
        "comparison",
        {"glucksberg": "glucksberg_keystone", "ibmtr": "ibmtr"},
    )


def acute_course(row: Row) -> Said:
    nothing = _STAGES["skin"]["0"] | _STAGES["liver"]["0"] | _STAGES["gut"]["0"]
    unknown: dict[str, str | None] = {"skin_bsa": None}
    grades: Mapping[str, Answers] = {
        "0": {}, "I": {"skin_bsa": "10"}, "II": {"lgi_volume": "600"}, "III": {"lgi_volume": "1200"},
        "IV": {"lgi_severe_pain": "Y"}, "4": {"lgi_severe_pain": "Y"}, "NE": unknown,
        "NE(I)": {"skin_bsa": "10", "bilirubin": None}, "NE(II)": {"lgi_volume": "600"} | unknown,
    }  # fmt: skip
    pages = _course(row, "agvhd", lambda grade: _WELL | nothing | grades[grade])
    items = {"max_grade": "max_grade", "first_grade_2_4": "onset_2_4", "first_grade_3_4": "onset_3_4"}
    return Said("agvhd", pages[-1][1], "course", items, tuple(pages[:-1]), alone=True)


def _course(row: Row, form: str, found: Callable[[str], Answers]) -> list[tuple[str, Answers]]:
    if not row["series"]:
        raise Unsaid("a page is an assessment")
    parts = sorted(part.partition("=")[::2] for part in row["series"].split("|"))
    if [when for when, _ in parts].count(parts[-1][0]) > 1:
        raise Unsaid("a page looks back on earlier days")
    return [(form, {"assess_date": when} | found(grade)) for when, grade in parts]


def kind(row: Row) -> Said:
    if not row["day"]:
        raise Unsaid("the page is dated, and whoever has GVHD had a graft")
    grafted = ("graft", {"infusion_date": day(-int(row["day"])), "on_study": "Y"})
    if row["chronic_features"] == "1":
        acute = YES[row["acute_features"]]
        return Said("cgvhd", {"assess_date": day(), "diagnosed": "Y", "overlap": acute}, "kind_rule",
                    {"gvhd_kind": "expected"}, (grafted,), alone=True)  # fmt: skip
    if not (row["acute_features"] and row["chronic_features"]):
        raise Unsaid("what was not asked is absent on this page")
    return Said("agvhd", {"assess_date": day(), "present": YES[row["acute_features"]]}, "kind_rule",
                {"gvhd_kind": "expected"}, (grafted,), alone=True)  # fmt: skip


_ORGANS = {
    "skin": "skin", "mouth": "mouth", "eyes": "eye", "gi": "gi", "liver": "liver", "lungs": "lung", "joints": "joint",
    "genital": "genital",
}  # fmt: skip


def organ(row: Row) -> Said:
    parts = [part.partition("=") for part in row["inputs"].split(";") if part]
    name = row["organ"]
    if name not in _ORGANS or not all(equals for _, equals, _ in parts):
        raise Unsaid("a page has items, and each belongs to an organ")
    given = {key: value for key, _, value in parts}
    prefix = _ORGANS[name]
    return Said(
        "cgvhd",
        {"assess_date": day(), "diagnosed": "Y"} | _ORGAN[name](given),
        f"{prefix}_rule",
        {f"{prefix}_score_computed": "expected"},
    )


def _skin(given: Row) -> Answers:
    return {"skin_bsa": given.get("bsa"), "skin_sclerosis": code(given, "sclerosis")}


def _mouth(given: Row) -> Answers:
    signs, intake = given.get("mouth_signs", ""), given.get("intake", "")
    fits = {"none": "not_limited", "mild": "not_limited", "moderate": "partial", "severe": "major", "": ""}
    if fits[signs] != intake:
        raise Unsaid("the page asks about signs and intake in one question")
    return {"mouth_symptoms": signs.upper()}


def _eyes(given: Row) -> Answers:
    dry, adl, work = (given.get(name, "") for name in ("dry_eye", "eye_adl", "unable_to_work"))
    drops = given.get("drops_per_day", "")
    one = {("0", "none", "0"): "NONE", ("1", "none", "0"): "MILD", ("1", "partial", "0"): "MODERATE",
           ("1", "significant", "1"): "SEVERE"}  # fmt: skip
    if (dry, adl, work) not in one:
        raise Unsaid("the page asks about dryness and daily life in one question")
    taken = "" if not drops else "NONE" if Decimal(drops) == 0 else "UP_TO_3" if Decimal(drops) <= 3 else "MORE_THAN_3"
    return {
        "eye_symptoms": one[dry, adl, work],
        "eye_drops": taken,
        "eye_plugs": YES[given.get("plugs", "")],
        "eye_vision_loss": YES[given.get("kcs_vision_loss", "")],
    }


def _gi(given: Row) -> Answers:
    support = YES[given.get("support", "")]
    return {
        "gi_symptoms": YES[given.get("symptoms", "")],
        "gi_weight_loss": given.get("weight_loss_pct"),
        "gi_diarrhoea": code(given, "diarrhea"),
        "gi_support": support,
        "gi_dilation": "N" if support else None,
    }


def _liver(given: Row) -> Answers:
    """Multiples of a limit of 1; the bilirubin in its unit, with a limit that makes the multiple."""
    answers: Answers = {}
    for name, item in (("alt_uln", "alt"), ("ap_uln", "alp")):
        if given.get(name):
            answers |= {item: given[name], f"{item}_uln": "1"}
    value, unit = (given["bili_mgdl"], "mg/dL") if given.get("bili_mgdl") else (given.get("bili_umol", ""), "umol/L")
    if given.get("bili_mgdl") and given.get("bili_umol"):
        raise Unsaid("a value has one unit")
    if not value:
        if given.get("bili_uln"):
            raise Unsaid("a multiple has its value beside it")
        return answers
    answers["bilirubin"] = amount(value, unit, "umol/L")
    if given.get("bili_uln"):
        limit = Decimal(value) / Decimal(given["bili_uln"]) if Decimal(given["bili_uln"]) else Decimal(20)
        if (
            Decimal(given["bili_uln"]) == 0
            or limit * Decimal(given["bili_uln"]) != Decimal(value)
            or len(str(limit)) > 14
        ):
            raise Unsaid("no limit of normal makes this multiple")
        answers["bilirubin_uln"] = amount(format(limit, "f"), unit, "umol/L")
    return answers


def _lungs(given: Row) -> Answers:
    dyspnoea = {"0": "NONE", "1": "ONE_FLIGHT", "2": "FLAT", "3": "REST"}
    fev1 = given.get("fev1", "")
    if fev1 and Decimal(fev1) > 250:
        raise Unsaid("the page takes no such number")
    return {"fev1_pct": fev1, "lung_symptoms": dyspnoea.get(given.get("symptom", ""))}


def _joints(given: Row) -> Answers:
    found = {"none": "NONE", "tightness": "MILD", "contracture": "CONTRACTURE"}
    if given.get("joint_adl") == "moderate":
        raise Unsaid("mild and moderate are one answer")
    worst = {"significant": "SEVERE"}
    return {
        "joint_tightness": found.get(given.get("joint_findings", "")),
        "joint_rom": code(given, "rom_loss", **worst),
        "joint_adl": code(given, "joint_adl", **worst),
    }


def _genital(given: Row) -> Answers:
    return {"genital_signs": code(given, "genital_signs")}


_ORGAN: Mapping[str, Callable[[Row], Answers]] = {
    "skin": _skin, "mouth": _mouth, "eyes": _eyes, "gi": _gi, "liver": _liver, "lungs": _lungs, "joints": _joints,
    "genital": _genital,
}  # fmt: skip


def severity(row: Row) -> Said:
    if row["diagnosed"] != "1":
        raise Unsaid("organs are asked about once the diagnosis is made")
    scores: Answers = {f"{prefix}_score": row[name] for name, prefix in _ORGANS.items()}
    cause = {"1": "ENTIRE", "0": "MIXED"}
    scores |= {f"{p}_other_cause": cause.get(row.get(f"{name}_not_gvhd", "")) for name, p in _ORGANS.items()}
    return Said(
        "cgvhd", {"assess_date": day(), "diagnosed": "Y"} | scores, "global_rule", {"severity_computed": "expected"}
    )


def chronic_course(row: Row) -> Said:
    grades = {
        "none": ("0", "0"),
        "mild": ("1", "0"),
        "moderate": ("2", "0"),
        "severe": ("3", "0"),
        "NE(mild)": ("1", ""),
    }

    def found(grade: str) -> Answers:
        mouth, lungs = grades[grade]
        scores: Answers = {f"{prefix}_score": "0" for prefix in _ORGANS.values()}
        return {"diagnosed": "Y"} | scores | {"mouth_score": mouth, "lung_score": lungs}

    pages = _course(row, "cgvhd", found)
    return Said("cgvhd", pages[-1][1], "course", {"max_severity": "max_severity"}, tuple(pages[:-1]), alone=True)


def diagnosis(row: Row) -> Said:
    lists = (
        ("diagnostic_signs", "diagnostic_sign", "MOUTH_LICHEN_PLANUS"),
        ("distinctive_signs", "distinctive_sign", "EYE_DRY"),
    )
    answers: Answers = {"assess_date": day(), "diagnosed": "Y"}
    for item, name, sign in lists:
        answers[item] = {"1": [sign], "0": ["NONE"], "": None}[row[name]]
    answers["confirmation"] = {"1": ["BIOPSY"], "0": ["NONE"], "": None}[row["confirmed"]]
    answers["other_causes_excluded"] = {"1": "N", "0": "Y", "": None}[row["other_cause"]]
    return Said("cgvhd", answers, "diagnosis_rule", {"diagnosed_computed": "expected"})
