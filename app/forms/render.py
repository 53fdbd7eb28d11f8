"""A form for the renderers that exist: JSON Schema and UI schema (RJSF, JSONForms).

A rendered form posts what the API takes: answers flat by item, rows as arrays under their section. The schema keeps to
what draft-07 and 2020-12 share, names no draft, and offers choices by `enum` with their words in the UI schema:
RJSF preselects the first of `oneOf`/`const`, and its default validator refuses the 2020-12 dialect.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.forms.conditions import as_schema
from app.forms.definition import DEFAULT_LENGTH, MAX_ROWS, Form, Item, ItemType, Lang, Section
from app.forms.words import reason

_YES_NO = {"Y": ("Yes", "是"), "N": ("No", "否")}
_PARTIAL = "^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


def json_schema(form: Form, lang: Lang = "en") -> dict[str, Any]:
    """The JSON Schema of the page's answers. Nothing is `required`: an incomplete page can be saved.

    Extensions: `x-marrow-required`, `x-marrow-show-when` (CEL that no if/then could say), `x-marrow-unit`, limits
    that JSON Schema cannot hold for decimals and dates, `x-marrow-computed` for what the server computes.
    """
    schema: dict[str, Any] = {"title": form.title.of(lang), "type": "object"}
    page = tuple(item for section in form.sections if not section.repeating for item in section.items)
    where = [(section, item) for section in form.sections if not section.repeating for item in section.items]
    schema |= _object(where, page, lang)
    for section in form.row_sections.values():
        rows = {"type": "object"} | _object([(None, item) for item in section.items], section.items, lang)
        rows["properties"] = {"row": {"type": "integer", "minimum": 1}, **rows["properties"]}
        array = {"title": section.title.of(lang), "type": "array", "maxItems": MAX_ROWS, "items": rows}
        _place(schema, section.id, array, [section.show_when], {item.id: item for item in page})
    if results := [_computed(item, lang) for item in form.items if item.type is ItemType.COMPUTED]:
        schema["x-marrow-computed"] = results
    return schema


def ui_schema(form: Form, lang: Lang = "en") -> dict[str, Any]:
    """The UI schema for RJSF: order, widgets and words of choices; `x-jsonforms` holds the same page for JSONForms."""
    order: list[str] = []
    ui: dict[str, Any] = {
        "ui:order": order,
        "x-marrow-sections": [_outline(section, lang) for section in form.sections],
    }
    for section in form.sections:
        entered = [item for item in section.items if item.type is not ItemType.COMPUTED]
        if section.repeating:
            order.append(section.id)
            rows = {item.id: _item_ui(item, lang) for item in entered}
            names = [item.id for item in entered]
            ui[section.id] = {"items": {"ui:order": ["row", *names], "row": {"ui:widget": "hidden"}, **rows}}
        else:
            order += [item.id for item in entered]
            ui |= {item.id: _item_ui(item, lang) for item in entered}
    order.append("*")  # RJSF refuses an order that leaves out a property
    ui["x-jsonforms"] = {
        "type": "VerticalLayout",
        "elements": [_group(form, section, lang) for section in form.sections],
    }
    return ui


def _object(where: Sequence[tuple[Section | None, Item]], known: tuple[Item, ...], lang: Lang) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {}}
    items = {item.id: item for item in known}
    for section, item in where:
        if item.type is not ItemType.COMPUTED:
            conditions = [item.show_when] if section is None else [section.show_when, item.show_when]
            _place(schema, item.id, _item(item, lang), conditions, items)
    return schema


def _place(
    schema: dict[str, Any], name: str, part: dict[str, Any], conditions: list[str | None], items: dict[str, Item]
) -> None:
    """Put a property where it is always shown, or under the condition it is shown by."""
    texts = [condition for condition in conditions if condition is not None]
    schemas = [as_schema(text, items) for text in texts]
    known = [condition for condition in schemas if condition is not None]
    if len(known) < len(texts):
        part["x-marrow-show-when"] = " && ".join(f"({text})" for text in texts) if len(texts) > 1 else texts[0]
    if not texts or len(known) < len(texts):
        schema["properties"][name] = part
        return
    condition = known[0] if len(known) == 1 else {"allOf": known}
    for rule in schema.setdefault("allOf", []):
        if rule["if"] == condition:
            rule["then"]["properties"][name] = part
            return
    schema["allOf"].append({"if": condition, "then": {"properties": {name: part}}})


def _item(item: Item, lang: Lang) -> dict[str, Any]:
    """One item; where a unit or a reason may be given instead of the plain value, the plain value comes first."""
    described: dict[str, Any] = {"title": item.label.of(lang)}
    if item.help is not None:
        described["description"] = item.help.of(lang)
    if item.unit is not None:
        described["x-marrow-unit"] = item.unit
    if item.required:
        described["x-marrow-required"] = True
    choices = [_plain(item)]
    if item.units:
        units = [item.unit, *item.units]
        value = _number(item, limits=False)
        other: dict[str, Any] = {"type": "object", "required": ["value", "unit"], "additionalProperties": False}
        choices.append(other | {"properties": {"value": value, "unit": {"type": "string", "enum": units}}})
    if item.missing:
        given = {"missing": {"type": "string", "enum": [str(reason) for reason in item.missing]}}
        choices.append({"type": "object", "required": ["missing"], "additionalProperties": False, "properties": given})
    if len(choices) == 1:
        return described | choices[0]
    for choice, words in zip(choices, _choice_words(item, lang), strict=True):
        choice["title"] = words
    return described | {"anyOf": choices}


def _choice_words(item: Item, lang: Lang) -> list[str]:
    zh = lang == "zh"
    words = [item.unit or ("值" if zh else "Value")]
    if item.units:
        words.append("其他单位" if zh else "Another unit")
    if item.missing:
        words.append("缺失原因" if zh else "No value because")
    return words


def _plain(item: Item) -> dict[str, Any]:
    """The plain value of an item: a scalar in the canonical unit, or a list of codes."""
    if item.type in {ItemType.INTEGER, ItemType.DECIMAL}:
        return _number(item, limits=True)
    if item.type is ItemType.MULTIPLE:
        return {"type": "array", "uniqueItems": True, "items": {"type": "string", "enum": [c.code for c in item.codes]}}
    keywords: dict[ItemType, dict[str, Any]] = {
        ItemType.YES_NO: {"enum": list(_YES_NO)},
        ItemType.SINGLE: {"enum": [code.code for code in item.codes]},
        ItemType.DATE: {"format": "date"} | _limits(item),
        ItemType.PARTIAL_DATE: {"pattern": _PARTIAL} | _limits(item),
        ItemType.TIME: {"pattern": _TIME},
        ItemType.TEXT: {"maxLength": item.max_length or DEFAULT_LENGTH},
    }
    return {"type": "string"} | keywords[item.type]


def _number(item: Item, *, limits: bool) -> dict[str, Any]:
    """Integers are JSON numbers; decimals texts, as they are stored, so that no digit is lost on the way."""
    if item.type is ItemType.INTEGER:
        named = {"minimum": item.min, "maximum": item.max} if limits else {}
        return {"type": "integer"} | {key: int(Decimal(text)) for key, text in named.items() if text is not None}
    places = 15 if item.digits is None else item.digits
    fraction = f"(\\.[0-9]{{1,{places}}}0*)?" if places else "(\\.0+)?"
    return {"type": "string", "pattern": f"^[+-]?[0-9]{{1,15}}{fraction}$"} | (_limits(item) if limits else {})


def _limits(item: Item) -> dict[str, Any]:
    named = {"x-marrow-min": item.min, "x-marrow-max": item.max}
    return {key: text for key, text in named.items() if text is not None}


def _computed(item: Item, lang: Lang) -> dict[str, Any]:
    shown = {"id": item.id, "title": item.label.of(lang), "type": str(item.value_type), "formula": item.formula}
    return shown if item.unit is None else shown | {"unit": item.unit}


def _item_ui(item: Item, lang: Lang) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    if item.type is ItemType.YES_NO:
        plain = {"ui:widget": "radio", "ui:enumNames": [words[lang == "zh"] for words in _YES_NO.values()]}
    elif item.codes:
        widget = {"ui:widget": "checkboxes"} if item.type is ItemType.MULTIPLE else {}
        plain = {**widget, "ui:enumNames": [code.label.of(lang) for code in item.codes]}
    elif item.type is ItemType.DATE:
        plain = {"ui:widget": "date"}
    elif item.type is ItemType.PARTIAL_DATE:
        plain = {"ui:placeholder": "YYYY-MM-DD, YYYY-MM, YYYY"}
    elif item.type is ItemType.TIME:
        plain = {"ui:placeholder": "HH:MM"}
    elif item.type is ItemType.TEXT and (item.max_length or DEFAULT_LENGTH) > DEFAULT_LENGTH // 4:
        plain = {"ui:widget": "textarea"}
    if not item.missing and not item.units:
        return plain
    ways: list[dict[str, Any]] = [plain]
    if item.units:
        ways.append({"ui:order": ["value", "unit"]})
    if item.missing:
        ways.append({"missing": {"ui:enumNames": [reason(str(code), lang) for code in item.missing]}})
    return {"anyOf": ways}


def _outline(section: Section, lang: Lang) -> dict[str, Any]:
    outline = {"id": section.id, "title": section.title.of(lang), "repeating": section.repeating}
    return outline | {"items": [item.id for item in section.items]}


def _group(form: Form, section: Section, lang: Lang) -> dict[str, Any]:
    items = {item.id: item for part in form.sections if not part.repeating for item in part.items}
    controls = [
        _ruled({"type": "Control", "scope": f"#/properties/{item.id}"}, item.show_when, items)
        for item in section.items
        if item.type is not ItemType.COMPUTED
    ]
    if section.repeating:
        controls = [{"type": "Control", "scope": f"#/properties/{section.id}"}]
    group = {"type": "Group", "label": section.title.of(lang), "elements": controls}
    return _ruled(group, section.show_when, items)


def _ruled(element: dict[str, Any], condition: str | None, items: dict[str, Item]) -> dict[str, Any]:
    schema = None if condition is None else as_schema(condition, items)
    if schema is None:
        return element
    return element | {"rule": {"effect": "SHOW", "condition": {"scope": "#", "schema": schema}}}
