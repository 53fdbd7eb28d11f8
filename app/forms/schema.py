"""The JSON Schema of the form file format, for editors that complete and check TOML (Taplo, Even Better TOML)."""

from collections.abc import Mapping
from typing import Any

from app.forms.definition import Form

#: What each key of the file means; also the words an editor shows.
KEYS: Mapping[str, Mapping[str, str]] = {
    "Form": {
        "form": "The id of the form, the same in all versions; also the name of its folder.",
        "version": "The version, from 1. A released version never changes; the next one is a new file.",
        "title": "What the page is called, in English and Chinese.",
        "domain": "The SDTM domain the page feeds, such as LB.",
        "repeating": "true: the page itself repeats within a visit, as adverse events do.",
        "dated": "The date item that says on which day the page was true; its first date where absent.",
        "section": "The sections of the page, in their order.",
        "calculation": "Published clinical rules asked with what the page says.",
        "check": "Edit checks, each with examples for which it must fire and must not.",
    },
    "Section": {
        "id": "The id of the section; a repeating section keeps its rows under it.",
        "title": "The heading, in English and Chinese.",
        "repeating": "true: the section holds rows.",
        "show_when": "A condition (CEL): the section is shown only while it is true.",
        "item": "The items of the section, in their order.",
    },
    "Item": {
        "id": "The id of the item, unique in the whole form.",
        "label": "The question, in English and Chinese.",
        "help": "An explanation beneath the question.",
        "type": "What kind of answer the item takes.",
        "unit": "The canonical unit of a number; limits and exports use it.",
        "units": 'Other accepted units, each with its factor to the canonical one: { "/uL" = "0.001" }.',
        "digits": "Decimals: at most this many are accepted (decimal) or shown (computed).",
        "required": "true: the page is complete only with an answer, or a missing reason where one is allowed.",
        "max_length": "Texts: the most characters, 4000 unless said.",
        "min": 'Hard limit, inclusive, in the canonical unit; what lies below cannot be stored. "0", or a date.',
        "max": "Hard limit, inclusive; what lies above cannot be stored.",
        "soft_min": "Soft limit; what lies below is stored and becomes a question.",
        "soft_max": "Soft limit; what lies above is stored and becomes a question.",
        "show_when": "A condition (CEL): the item is shown only while it is true.",
        "missing": "The reasons that may stand in the place of a value.",
        "codes": "The choices of a single or multiple item.",
        "proves_life": "Dates: true where it needs a living patient, or a condition such as \"status == 'ALIVE'\".",
        "formula": "Computed items: the expression (CEL).",
        "calculation": "Computed items: the calculation whose result it shows.",
        "output": "Which result of the calculation; the first where absent.",
        "differs": "The item that holds the investigator's own assessment; another answer there is a finding.",
        "result": "Computed items: what the formula or the rule gives.",
        "cdash": "The CDASH variable.",
        "sdtm": "The SDTM target, in free text.",
    },
    "Calculation": {
        "id": "The id of the calculation, unique in the form.",
        "rule": "The published rule, as docs/clinical names it.",
        "rows": "A repeating section: each of its rows is asked by itself.",
        "inputs": "The inputs of the rule: a name passes its value exactly, anything else is an expression (CEL).",
        "needs": "Inputs without which there is nothing to compute.",
        "range": "Limits of normal from the laboratory's own, where the page states none.",
    },
    "ReferenceRange": {
        "analyte": "The analyte in the tables of limits of normal, such as ALT.",
        "value": "The item whose unit the limits are brought to.",
        "laboratory": "The item that names the laboratory.",
    },
    "Check": {
        "id": "The id of the check, unique in the form; findings name it check:<id>.",
        "item": "The item where the finding stands.",
        "rows": "The repeating section of the item, where it stands in one.",
        "when": "What must not be so, a condition (CEL). Unknown never fires.",
        "severity": "hard refuses the page, query asks about it, note only says so.",
        "phases": "When it is asked: entry, import, batch, amendment; always where absent.",
        "message": "What is wrong, in English and Chinese; never a value.",
        "remedy": "What to do about it.",
        "fires": "Examples for which it must fire.",
        "passes": "Examples for which it must not.",
    },
    "Example": {
        "answers": "The answers of the page; computed items may be given too.",
        "subject": "Facts of the subject.",
        "study": "Parameters of the study.",
        "window": "The window of the visit: opens, target, closes.",
        "endpoint": "Endpoint results, such as os_status.",
        "visit": "The code of the visit.",
    },
    "Code": {"code": "What is stored.", "label": "What is shown, in English and Chinese."},
    "Words": {"en": "The words in English.", "zh": "The words in Chinese."},
}


def file_schema() -> dict[str, Any]:
    """The JSON Schema of a form file; JSON-serialisable, the same on every call."""
    schema: dict[str, Any] = Form.model_json_schema(by_alias=True, mode="validation")
    parts = schema["$defs"] | {"Form": schema}
    for name, keys in KEYS.items():
        for key, words in keys.items():
            parts[name]["properties"][key]["description"] = words
        parts[name].pop("title", None)
    either = [{"required": ["formula"]}, {"required": ["calculation"]}]
    needs: Mapping[str, dict[str, Any]] = {
        "computed": {"required": ["result"], "oneOf": either},
        "single": {"required": ["codes"]},
        "multiple": {"required": ["codes"]},
    }
    schema["$defs"]["Item"]["allOf"] = [
        {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": then}
        for kind, then in needs.items()
    ]
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Marrow form file", **schema}
