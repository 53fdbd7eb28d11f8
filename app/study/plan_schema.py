"""The JSON Schema of a migration plan, for editors that complete and check TOML (Taplo, Even Better TOML)."""

from collections.abc import Mapping
from typing import Any

from app.study.plan import Plan

#: What each key of the file means; also the words an editor shows.
KEYS: Mapping[str, Mapping[str, str]] = {
    "Plan": {
        "study": "The key of the study; also the name of the folder.",
        "from": "The version that pages leave.",
        "to": "The version they are brought to.",
        "basis": "What it rests on, such as the amendment of the protocol, in English and Chinese.",
        "form": "The steps of each form whose answers need one.",
        "visit": "The visits where pages stay that have no place there any more.",
    },
    "FormStep": {
        "form": "The form.",
        "keep": "true: pages stay that could no longer be begun, because the form does not repeat any more.",
        "retire": "true: the form goes; its pages stay readable.",
        "item": "What becomes of the answers to an item.",
        "rows": "What becomes of a section of rows.",
        "fill": "Reasons where the new version requires an answer that nobody was asked for.",
    },
    "ItemStep": {
        "item": "The item, by its name in the old version.",
        "keep": "true: answers are read by the new version as they stand.",
        "rename": "Its name in the new version.",
        "codes": 'Old code to new code: { R = "H" }.',
        "missing": 'Old missing reason to new one: { unknown = "not_done" }.',
        "convert": "What a value in the old canonical unit is multiplied with to reach the new one.",
        "unfit": 'Answers that the new version does not take: "retire", or a missing reason in their place.',
        "retire": "true: answers are kept in the history, exported as orphans, and asked for no more.",
    },
    "RowsStep": {
        "rows": "The section of rows, by its name in the old version.",
        "rename": "Its name in the new version.",
        "retire": "true: all of its answers are retired.",
    },
    "Fill": {
        "item": "The item, by its name in the new version.",
        "missing": "The reason given on pages that were complete.",
    },
    "VisitStep": {"visit": "The visit.", "keep": "true: pages that are there stay, are readable, and count."},
}


def file_schema() -> dict[str, Any]:
    """The JSON Schema of a plan file; JSON-serialisable, the same on every call."""
    schema: dict[str, Any] = Plan.model_json_schema(by_alias=True, mode="validation")
    parts = schema["$defs"] | {"Plan": schema}
    for name, keys in KEYS.items():
        for key, words in keys.items():
            parts[name]["properties"][key]["description"] = words
    schema.pop("title", None)
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Marrow migration plan", **schema}
