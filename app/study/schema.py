"""The JSON Schema of the study file format, for editors that complete and check TOML (Taplo, Even Better TOML)."""

from collections.abc import Mapping
from typing import Any

from app.forms.schema import KEYS as FORM_KEYS
from app.study.definition import Pick, Study

#: What each key of the file means; also the words an editor shows.
KEYS: Mapping[str, Mapping[str, str]] = {
    "Study": {
        "study": "The key of the study, such as NCT06125106; also the name of its folder.",
        "version": "The version, from 1. A released version never changes; the next one is a new file.",
        "short": "Other names a table of facts may use for the trial.",
        "title": "What the trial is called, in English and Chinese.",
        "zone": "The time zone of the trial, an IANA name such as Asia/Shanghai.",
        "ctcae": "The CTCAE version of the trial; versions are never mixed.",
        "report_day": "The day at which curves are read where an endpoint does not say.",
        "forms": "The exact version of every form the study uses: haematology = 1.",
        "arm": "The treatment arms.",
        "site": "The hospitals that take part.",
        "parameters": 'What study.<name> means in an expression, such as response_profile = "SEED000".',
        "check": "Edit checks that the study adds to its forms.",
        "fact": "What subject.<name> means in an expression.",
        "visit": "The visits, in the order people see them.",
        "ends": "Milestones, such as death: no visit is planned for a day after the first of them.",
        "status": "The steps of a subject through the trial; the last one that has occurred is the status.",
        "milestone": "The dated occurrences everything is counted from, read from pages or made from each other.",
        "endpoint": "The time-to-event endpoints, each with its variants.",
        "rate": "The proportions.",
        "sdv": "What is verified against its source; absent: everything.",
        "signing": "What investigators sign; absent: every page, once nothing is missing and no query is open.",
    },
    "SourceVerification": {
        "plan": "all, critical (the items below), or sampled (everything of some subjects, the critical items of all).",
        "critical": "Items that are verified for every subject.",
        "seed": "What subjects are drawn by; stated once, so that anybody can draw again.",
        "share": "How many per cent of the subjects are drawn.",
    },
    "Signing": {
        "forms": "The forms whose pages wait to be signed; none named is all of them.",
        "despite_missing": "Whether it may be signed while pages that are due are missing or incomplete.",
        "despite_queries": "Whether it may be signed while queries are open.",
    },
    "CriticalItems": {"form": "The form.", "items": "Items of the form, by their ids."},
    "Fact": {
        "name": "The name after `subject.`.",
        "form": "The form it is read from, over all visits.",
        "item": "The item whose value is the fact.",
        "pick": f"Which of its values: {', '.join(Pick)}; the newest, saved last, where it is not said.",
        "when": "A condition (CEL) over the page: only pages for which it is true.",
        "until": "Another fact, a date: only pages of that day or before, as a baseline is.",
        "order": "The codes of `best`, the least first.",
    },
    "StudyCheck": {"form": "The form it is asked on.", **FORM_KEYS["Check"]},
    "Example": FORM_KEYS["Example"],
    "Visit": {
        "code": "The code in every address, such as D30; a repeat is D30.2.",
        "anchor": "The milestone the visit is counted from; without one the visit has no dates.",
        "occurrence": "Which occurrence of it: 1, 2 …, last, or each: planned again for every one, as D30, D30.2 …",
        "target": "Days after the anchor, without adding one.",
        "window": "First and last day around the target, inclusive: [-7, 7].",
        "repeating": "true: the visit itself may be held again, as unscheduled visits are.",
        "when": "A condition (CEL) over `subject`: planned only for those for whom it is true.",
        "forms": "The pages due at the visit.",
        "optional": "The pages that may be entered at it.",
        "due": "Optional pages that are due for some.",
    },
    "Due": {
        "form": "One of the visit's optional pages.",
        "when": "A condition (CEL) over `subject`, and `here` for the other pages of the visit.",
    },
    "Status": {"milestone": "The milestone that moves a subject to this status."},
    "Milestone": {
        "name": "The name endpoints and visits use.",
        "from": "The items it is read from; their union.",
        "once": "true: can happen only once, so a date before the origin is a finding and no number.",
        "impute": "How a partial date is completed.",
        "after_cutoff": "clamp: a later date proves the state at the cut-off.",
        "any_of": "Union of these milestones.",
        "latest_of": "One occurrence: the latest of the first occurrences; all must have occurred.",
        "of": "The milestone an operator works on.",
        "confirmed_by": "Keeps the occurrences that a later one of this milestone confirms.",
        "absent_by": "One occurrence at a landmark, when there was none by then.",
        "gap": "A gap of missed visits, or of days.",
        "offset_days": "Shifts by this many days.",
    },
    "MilestoneSource": {
        "form": "The form it is read from.",
        "date": "The date item.",
        "when": "A condition (CEL) over the page or row, and `subject` and `visit`.",
        "rows": "A repeating section: one occurrence per row.",
        "show": "Items shown beside the date; never free text.",
        "undated": "true: the page says that it happened, and not on which day; the date item is not taken as the day.",
    },
    "Endpoint": {
        "code": "PARAMCD, at most eight capitals and digits.",
        "population": "Milestones that must have occurred; absent: everyone with an origin.",
        "origin": "The milestone whose first occurrence is the time zero.",
        "outcomes": "Events and competing events in one list; its order decides ties on a date.",
        "censor": "Censored at the latest occurrence of any of these.",
        "truncate_day": "What comes later than this day is censored at it.",
        "report_day": "Where a curve is read; never truncates.",
        "redate_to_origin": "When one of these decides, its date becomes the origin.",
        "censor_at": "Extra censoring; an event of that day counts.",
        "entry": "At risk only from here (left truncation).",
        "suggested": "true: a suggestion. Computed and marked as such; raises no findings.",
        "basis": "The words it rests on.",
        "variant": "Sensitivity analyses: any key replaced as a whole.",
    },
    "Rate": {
        "population": "The denominator: all of these have occurred.",
        "responder": "The numerator: any of these has occurred.",
        "by_day": "Only up to this day from `origin`.",
    },
}


def file_schema() -> dict[str, Any]:
    """The JSON Schema of a study file; JSON-serialisable, the same on every call."""
    schema: dict[str, Any] = Study.model_json_schema(by_alias=True, mode="validation")
    parts = schema["$defs"] | {"Study": schema}
    for name, keys in KEYS.items():
        for key, words in keys.items():
            parts[name]["properties"][key]["description"] = words
    schema.pop("title", None)
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Marrow study file", **schema}
