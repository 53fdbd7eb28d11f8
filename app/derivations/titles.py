"""What the pages of a study call things, for sentences that people read."""

from functools import partial

from app.clinical.endpoints.words import Told
from app.forms.definition import Lang
from app.study.library import Build


def titles(build: Build, language: Lang) -> Told:
    """The words of the study's own forms for a form, an item, a value; the key where a form has no words for it."""
    return partial(_told, build, language)


def _told(build: Build, language: Lang, form_id: str, item_id: str | None, value: str | None) -> str:
    form = build.forms.get(form_id)
    if form is None or item_id is None:
        return form_id.replace("_", " ") if form is None else form.title.of(language)
    if not form.has(item_id):
        return value or item_id
    item = form.item(item_id)
    if value is None:
        return item.label.of(language)
    words = {code.code: code.label.of(language) for code in item.codes}
    return ", ".join(words.get(code, code) for code in value.split("|")) if words else value
