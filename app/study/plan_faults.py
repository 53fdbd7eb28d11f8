"""Whether a migration plan fits the two versions it leads between, and leaves no destructive difference unanswered."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from app.forms.definition import Form, Item, ItemType
from app.forms.mistakes import Fault, near
from app.study.changes import Difference, Effect
from app.study.compare import Built, compare
from app.study.compare_forms import compare_forms
from app.study.plan import RETIRE, FormStep, ItemStep, Plan

Path = tuple[str | int, ...]

_ALONE = ("keep", "rename", "codes", "missing", "convert", "unfit")  # what says nothing beside `retire`


def plan_faults(plan: Plan, old: Built, new: Built) -> list[Fault]:
    """Everything in a plan that does not fit; each with the key path of the file, the message and the remedy."""
    found = [*_steps(plan, old, new), *_visits(plan, old)]
    if not found:
        found += _unanswered(plan, old, new)
    return found


def _steps(plan: Plan, old: Built, new: Built) -> Iterator[Fault]:
    yield from _twice("form", [step.form for step in plan.forms], ("form",), "form")
    for at, step in enumerate(plan.forms):
        path: Path = ("form", at)
        if step.form not in old.forms:
            yield Fault((*path, "form"), f"version {plan.from_} has no form {step.form!r}", near(
                step.form, old.forms, otherwise=f"Forms are {', '.join(old.forms)}"))  # fmt: skip
        elif step.form in new.forms:
            if step.retire:
                yield Fault((*path, "retire"), f"version {plan.to} still has {step.form!r}", "Retire items instead")
            yield from _form(step, old.forms[step.form], new.forms[step.form], path)
        elif not step.retire or step.items or step.rows or step.fills or step.keep:
            yield Fault(path, f"version {plan.to} has no form {step.form!r}", "Write `retire = true` and nothing else")


def _form(step: FormStep, old: Form, new: Form, path: Path) -> Iterator[Fault]:
    if old.digest == new.digest:
        yield Fault(path, f"nothing of {step.form!r} changes", "Take its steps away")
        return
    yield from _twice("item", [each.item for each in step.items], (*path, "item"), "item")
    yield from _twice("rows", [each.rows for each in step.rows], (*path, "rows"), "rows")
    yield from _rows(step, old, new, path)
    for at, item in enumerate(step.items):
        here: Path = (*path, "item", at)
        if not old.has(item.item):
            yield _unknown(old, (*here, "item"), item.item)
        elif old.item(item.item).type is ItemType.COMPUTED:
            yield Fault((*here, "item"), f"{item.item!r} is computed and holds no answers", "Take the step away")
        else:
            yield from _item(item, old, new, here)
    targets = Counter(_targets(step, old, new))
    for at, item in enumerate(step.items):
        if item.rename is not None and targets[item.rename] > 1:
            remedy = "Name another, or retire or rename the other one too"
            yield Fault((*path, "item", at, "rename"), f"two items would become {item.rename!r}", remedy)
    yield from _fills(step, old, new, path, set(targets))


def _targets(step: FormStep, old: Form, new: Form) -> Iterator[str]:
    """The item of the new version that each one of the old becomes."""
    steps = {each.item: each for each in step.items}
    for item in old.items:
        said = steps.get(item.id)
        name = (said.rename if said else None) or item.id
        if new.has(name) and not (said is not None and said.retire):
            yield name


def _rows(step: FormStep, old: Form, new: Form, path: Path) -> Iterator[Fault]:
    for at, rows in enumerate(step.rows):
        here: Path = (*path, "rows", at)
        if rows.rows not in old.row_sections:
            remedy = near(rows.rows, old.row_sections, otherwise=f"{old.name()} has no rows of this name")
            yield Fault((*here, "rows"), f"{rows.rows!r} is no section of rows of {old.name()}", remedy)
        elif (rows.rename is None) == (not rows.retire):
            yield Fault(here, "rows are renamed or retired", 'Write rename = "…" or retire = true')
        elif rows.rename is not None and rows.rename not in new.row_sections:
            remedy = near(rows.rename, new.row_sections, otherwise=f"{new.name()} has no section of rows")
            yield Fault((*here, "rename"), f"{rows.rename!r} is no section of rows of {new.name()}", remedy)
        elif rows.rows in new.row_sections:
            yield Fault((*here, "rows"), f"{new.name()} still has the rows {rows.rows!r}", "Take the step away")


def _item(step: ItemStep, old: Form, new: Form, path: Path) -> Iterator[Fault]:
    """One step, looked at beside the item it begins with and the item it leads to."""
    given = [key for key in _ALONE if getattr(step, key)]
    if step.retire and given:
        yield Fault((*path, given[0]), f"{given[0]!r} says nothing of an item that is retired", "Keep one of the two")
        return
    if not step.retire and not given:
        yield Fault(path, "this step says nothing", "Take it away, or say what becomes of the answers")
        return
    if step.retire:
        return
    name = step.rename or step.item
    if not new.has(name):
        key = "rename" if step.rename else "item"
        yield _unknown(new, (*path, key), name)
        return
    target, source = new.item(name), old.item(step.item)
    if target.type is ItemType.COMPUTED:
        yield Fault((*path, "rename" if step.rename else "item"), f"{name!r} is computed", "Retire the answers instead")
        return
    if step.rename == step.item:
        yield Fault((*path, "rename"), "this is its name already", "Take `rename` away")
    yield from _words(step, source, target, path)
    yield from _conversion(step, source, target, path)


def _words(step: ItemStep, source: Item, target: Item, path: Path) -> Iterator[Fault]:
    """Codes and reasons lead from what there was to what there is."""
    reasons = ({each.value for each in source.missing}, {each.value for each in target.missing})
    pairs: Iterable[tuple[str, Mapping[str, str], set[str], set[str]]] = (
        ("codes", step.codes, set(source.codeset), set(target.codeset)),
        ("missing", {each.value: to.value for each, to in step.missing.items()}, *reasons),
    )
    for key, mapping, before, after in pairs:
        for word, to in mapping.items():
            if word not in before:
                remedy = near(word, before, otherwise=f"There were {', '.join(sorted(before)) or 'none'}")
                yield Fault((*path, key, word), f"{source.id!r} had no {word!r}", remedy)
            if to not in after:
                remedy = near(to, after, otherwise=f"There are {', '.join(sorted(after)) or 'none'}")
                yield Fault((*path, key, word), f"{target.id!r} has no {to!r}", remedy)
    if step.unfit is not None and step.unfit != RETIRE and step.unfit not in target.missing:
        remedy = f'Write "retire", or one of {", ".join(target.missing) or "the reasons it allows: none"}'
        yield Fault((*path, "unfit"), f"{target.id!r} does not take this reason", remedy)


def _conversion(step: ItemStep, source: Item, target: Item, path: Path) -> Iterator[Fault]:
    """A factor between numbers, which says the same as the forms themselves where they know both units."""
    if step.convert is None:
        return
    here = (*path, "convert")
    factor = Decimal(step.convert)
    if not (source.is_number and target.is_number):
        yield Fault(here, "only numbers are converted", "Take `convert` away")
    elif not factor:
        yield Fault(here, "the factor is zero", 'Write a positive decimal such as "10"')
    elif source.unit is not None and target.factors.get(source.unit, factor) != factor:
        remedy = f'Write convert = "{target.units[source.unit]}"'
        yield Fault(here, "the new version says another factor for this unit", remedy)
    elif target.unit is not None and target.unit in source.factors and source.factors[target.unit] * factor != 1:
        yield Fault(here, "the old version says another factor for this unit", "Write the reciprocal of its factor")


def _fills(step: FormStep, old: Form, new: Form, path: Path, taken: set[str]) -> Iterator[Fault]:
    yield from _twice("fill", [each.item for each in step.fills], (*path, "fill"), "item")
    for at, fill in enumerate(step.fills):
        here: Path = (*path, "fill", at)
        if not new.has(fill.item):
            yield _unknown(new, (*here, "item"), fill.item)
        elif not new.item(fill.item).required:
            yield Fault((*here, "item"), f"{fill.item!r} is not required, so nothing is missing", "Take it away")
        elif fill.item in taken and old.has(fill.item) and old.item(fill.item).required:
            yield Fault((*here, "item"), f"{fill.item!r} was required before", "Take it away")
        elif fill.missing not in new.item(fill.item).missing:
            known = ", ".join(new.item(fill.item).missing) or "none"
            yield Fault((*here, "missing"), f"{fill.item!r} does not take this reason", f"It takes {known}")


def _visits(plan: Plan, old: Built) -> Iterator[Fault]:
    codes = [visit.code for visit in old.study.visits]
    yield from _twice("visit", [step.visit for step in plan.visits], ("visit",), "visit")
    for at, step in enumerate(plan.visits):
        if step.visit not in codes:
            remedy = near(step.visit, codes, otherwise=f"Visits are {', '.join(codes)}")
            yield Fault(("visit", at, "visit"), f"version {plan.from_} has no visit {step.visit!r}", remedy)


def _unanswered(plan: Plan, old: Built, new: Built) -> Iterator[Fault]:
    """Every destructive difference that no step answers."""
    places = {step.form: at for at, step in enumerate(plan.forms)}
    for each in compare(old, new):
        if each.effect is Effect.DESTRUCTIVE and each.item is None and not _said(plan, each):
            yield _fault(("form", places[each.form]) if each.form in places else (), each)
    for form_id, form in sorted(old.forms.items()):
        if form_id in new.forms:
            step = plan.step(form_id)
            path: Path = ("form", places[form_id]) if form_id in places else ()
            for each in compare_forms(_renamed(form, step), new.forms[form_id]):
                if each.effect is Effect.DESTRUCTIVE and each.item is not None and not _answered(each, step, form):
                    names = [said.rename or said.item for said in step.items]
                    yield _fault((*path, "item", names.index(each.item)) if each.item in names else path, each)


def _fault(path: Path, told: Difference) -> Fault:
    return Fault(
        path, f"{told.path}: {told.words('en')}, and the plan does not say what becomes of it", told.remedy("en")
    )


def _said(plan: Plan, told: Difference) -> bool:
    """Whether the plan speaks of a form, or a visit, that can no longer be entered as it was."""
    step = plan.step(told.form) if told.form is not None else None
    if step is not None and (step.retire or (told.kind == "form-once-only" and step.keep)):
        return True
    return told.visit in {each.visit for each in plan.visits}


def _renamed(form: Form, step: FormStep) -> Form:
    """The old version with the names that the plan gives: what still differs then has to be answered."""
    names = {each.item: each.rename for each in step.items if each.rename}
    rows = {each.rows: each.rename for each in step.rows if each.rename}
    data = form.canonical()
    for section in data["section"]:
        section["id"] = rows.get(section["id"], section["id"])
        for item in section["item"]:
            item["id"] = names.get(item["id"], item["id"])
    return Form.of(data)


def _answered(told: Difference, step: FormStep, old: Form) -> bool:
    """Whether the step of the item, or of the rows it stands in, says what becomes of the answers."""
    gone = {each.rows for each in step.rows if each.retire}
    if told.kind == "rows-removed":
        retired = {each.item for each in step.items if each.retire}
        return told.item in gone or {item.id for item in old.row_sections[told.item or ""].items} <= retired
    said = next((each for each in step.items if (each.rename or each.item) == told.item), None)
    origin = said.item if said is not None else told.item or ""
    if old.has(origin) and old.section_of(origin).id in gone:
        return True
    if said is None:
        return False
    unfit = said.unfit is not None
    answers = {
        "code-removed": told.before in said.codes or unfit,
        "missing-removed": told.before in said.missing or unfit,
        "unit": said.convert is not None or said.keep,
        "unit-removed": said.convert is not None or unfit,
        "type": said.keep or unfit,
    }
    return said.retire or answers.get(told.kind, False)


def _twice(what: str, names: list[str], path: Path, key: str) -> Iterator[Fault]:
    counted = Counter(names)
    for at, name in enumerate(names):
        if counted[name] > 1 and name in names[:at]:
            yield Fault((*path, at, key), f"the {what} {name!r} is given twice", "Keep one")


def _unknown(form: Form, path: Path, item: str) -> Fault:
    ids = [known.id for known in form.items]
    return Fault(path, f"{form.name()} has no item {item!r}", near(item, ids, otherwise=f"Items are {', '.join(ids)}"))
