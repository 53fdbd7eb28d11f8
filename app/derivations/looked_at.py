"""Which answers deriving looks at: all others stay in the database while a whole study is gone through."""

from collections.abc import Collection, Iterable

from app.derivations.gather import plan_of, recipe_of
from app.derivations.readings import hands_on
from app.forms.definition import Form, ItemType
from app.forms.rules import rules
from app.study.library import Build
from app.subjects import lookups


def looked_at(builds: Collection[Build], forms: Iterable[Form]) -> dict[str, list[str]]:
    """By form the items, and sections of rows, that any of these study versions reads from any of its versions.

    A form of which everything is read is not named.
    """
    known: dict[str, set[str]] = {}
    read: dict[str, set[str]] = {}
    for form in forms:
        known.setdefault(form.form, set()).update(_key(form, item.id) for item in form.items)
        read.setdefault(form.form, set()).update(*(_read(build, form) for build in builds))
    return {form: sorted(read[form]) for form, names in known.items() if not names <= read[form]}


def _read(build: Build, form: Form) -> set[str]:
    """What is read from a page. Where something is worked out on it, or asked of all of it, that is everything."""
    plan = plan_of(build)
    life, readers = rules(form).life, plan.readers.get(form.form, ())
    facts = lookups.plan_of(build).by_form.get(form.form, ())
    names = {form.day_item, *(each.item for each in life), *(fact.item for fact, _ in facts)}
    for reader in readers:
        names |= {reader.item, reader.rows, *reader.show}
    conditions = [part for each in life for part in (each.within, each.shown, each.condition)]
    conditions += [each.when for each in readers] + [when for _, when in facts]
    asked = frozenset().union(*(each.uses for each in conditions if each is not None))
    names |= asked
    if (
        recipe_of(plan, form).asks_computed
        or hands_on(build, form)
        or not asked.isdisjoint({"missing", "unit", *form.row_sections})
        or any(item.type is ItemType.COMPUTED and item.id in names for item in form.items)
    ):
        names.update(item.id for item in form.items)
    return {_key(form, name) for name in names if name is not None and (form.has(name) or name in form.row_sections)}


def _key(form: Form, name: str) -> str:
    """What an answer stands under on its page: its own name, or that of its section of rows."""
    return section.id if form.has(name) and (section := form.section_of(name)).repeating else name
