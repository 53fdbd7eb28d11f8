"""Whether a study file and its forms fit together: every name it uses is there and of the right kind."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from app.clinical.endpoints.check import check as check_endpoints
from app.clinical.endpoints.check import uses_origin
from app.clinical.endpoints.definition import LAST_ALIVE, ORIGIN, Milestone
from app.forms.definition import Form, Item
from app.forms.expressions import Facts, Kind
from app.forms.faults import faults
from app.forms.mistakes import Fault, again, near
from app.forms.rules import Surroundings, kind_of
from app.study.definition import Study, Visit
from app.study.lookups import fact_faults, study_check_faults, surroundings
from app.study.review import review_faults
from app.study.schedule import items_here
from app.study.sources import condition_faults, milestone_faults

Path = tuple[str | int, ...]
Forms = Mapping[tuple[str, int], Form]
Unsound = Collection[tuple[str, int]]
"""What is there and cannot be used, since it has mistakes of its own: by name and number."""


def study_faults(study: Study, forms: Forms, unsound: Unsound = frozenset()) -> list[Fault]:
    """Everything in the study that does not fit; each with the key path of the file, the message and the remedy.

    `unsound` are the forms that are there and have mistakes of their own.
    """
    known = {form_id: forms[name] for form_id, version in study.forms.items() if (name := (form_id, version)) in forms}
    wide = {form_id: _with_codes_of_all(form, forms) for form_id, form in known.items()}
    around = surroundings(study, wide)
    return [
        *_twice(study),
        *_forms(study, forms, known, around, unsound),
        *fact_faults(study, wide, around),
        *study_check_faults(study, wide, around),
        *_arms(study, known),
        *chain.from_iterable(_visit(study, at, visit, wide, around) for at, visit in enumerate(study.visits)),
        *_ends(study),
        *_statuses(study),
        *review_faults(study.sdv, study.signing, known),
        *chain.from_iterable(
            milestone_faults(study, ("milestone", at), milestone, wide, around)
            for at, milestone in enumerate(study.milestones)
        ),
        *(
            Fault(_path(study, place), f"{place}: this does not fit together", remedy)
            for place, remedy in check_endpoints(study.milestones, study.endpoints, study.rates)
        ),
    ]


def _with_codes_of_all(form: Form, forms: Forms) -> Form:
    """A form whose items have the codes, reasons and units of all its versions: pages stay in older ones."""
    others = [other for (name, version), other in forms.items() if name == form.form and version != form.version]
    if not others:
        return form
    sections = tuple(
        section.model_copy(update={"items": tuple(_widened(item, others) for item in section.items)})
        for section in form.sections
    )
    return Form.of(form.model_copy(update={"sections": sections}).canonical())


def _widened(item: Item, others: Iterable[Form]) -> Item:
    same = [other.item(item.id) for other in others if other.has(item.id)]
    codes = {code.code: code for each in (*same, item) for code in each.codes if item.codes}
    units = {unit: factor for each in (*same, item) if each.unit == item.unit for unit, factor in each.units.items()}
    missing = tuple(dict.fromkeys(reason for each in (item, *same) for reason in each.missing))
    return item.model_copy(update={"codes": tuple(codes.values()), "units": units, "missing": missing})


def _twice(study: Study) -> Iterator[Fault]:
    """Codes and names that stand for one thing each."""
    groups: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("arm", "code", [arm.code for arm in study.arms]),
        ("site", "id", [site.id for site in study.sites]),
        ("fact", "name", [fact.name for fact in study.facts]),
        ("visit", "code", [visit.code for visit in study.visits]),
        ("status", "code", [status.code for status in study.statuses]),
    )
    for group, key, names in groups:
        for at, repeated in enumerate(again(names)):
            if repeated:
                yield Fault((group, at, key), f"the {group} {names[at]!r} is given twice", "Rename one")


def _forms(
    study: Study, forms: Forms, known: Mapping[str, Form], around: Surroundings, unsound: Unsound
) -> Iterator[Fault]:
    placed = {form for visit in study.visits for form in (*visit.forms, *visit.optional)}
    for form_id, version in study.forms.items():
        path: Path = ("forms", form_id)
        if (form_id, version) in unsound:
            remedy = f"Correct library/{form_id}/v{version}.toml first"
            yield Fault(path, f"the form {form_id} v{version} has mistakes of its own", remedy)
            continue
        if form_id not in known:
            versions = sorted(number for name, number in forms if name == form_id)
            otherwise = f"Versions are {', '.join(map(str, versions))}" if versions else "Add the page to forms/library"
            names = {name for name, _ in forms} - {form_id}
            remedy = otherwise if versions else near(form_id, names, otherwise=otherwise)
            yield Fault(path, f"there is no form {form_id} v{version}", remedy)
            continue
        if form_id not in placed:
            yield Fault(path, f"no visit has the form {form_id!r}", "List it at a visit, or take it away here")
        for fault in faults(known[form_id], around=around, examples=False):
            remedy = "Declare the fact it asks for as [[fact]], or list a version of the form that does not ask"
            yield Fault(path, f"{form_id} v{version} does not fit this study: {fault.message}", remedy)


def _arms(study: Study, known: Mapping[str, Form]) -> Iterator[Fault]:
    """Where the arm is a fact, the item it is read from must be able to say each arm."""
    fact = next((fact for fact in study.facts if fact.name == "arm"), None)
    form = known.get(fact.form) if fact is not None else None
    if fact is None or form is None or not form.has(fact.item):
        return
    codes = form.item(fact.item).codeset
    for at, arm in enumerate(study.arms):
        if arm.code not in codes:
            yield Fault(
                ("arm", at, "code"),
                f"{fact.form}.{fact.item} has no code {arm.code!r}",
                near(arm.code, codes, otherwise=f"Codes are {', '.join(sorted(codes)) or 'none'}"),
            )


def _visit(study: Study, at: int, visit: Visit, known: Mapping[str, Form], around: Surroundings) -> Iterator[Fault]:
    path: Path = ("visit", at)
    by_name = {milestone.name: milestone for milestone in study.milestones}
    if visit.anchor is None and visit.occurrence != 1:
        yield Fault((*path, "occurrence"), "'occurrence' is of an anchor", "Add `anchor`, or take this away")
    if visit.anchor is not None:
        yield from _date_milestone(by_name, (*path, "anchor"), visit.anchor, "an anchor")
        if visit.target is None:
            yield Fault(path, "an anchored visit needs a target day", "Add `target`, the days after the anchor")
    elif visit.target is not None or visit.window is not None:
        key = "target" if visit.target is not None else "window"
        yield Fault((*path, key), f"{key!r} counts from an anchor", "Add `anchor`, or take this away")
    yield from _conditions(study, path, visit, known, around)
    if not visit.forms and not visit.optional:
        yield Fault(path, f"nothing can be entered at {visit.code}", "List pages in `forms` or `optional`")
    twice = Counter((*visit.forms, *visit.optional))
    for key, names in (("forms", visit.forms), ("optional", visit.optional)):
        for number, form in enumerate(names):
            here: Path = (*path, key, number)
            if form not in study.forms:
                remedy = near(form, study.forms, otherwise=f"Add `{form} = 1` to [forms]")
                yield Fault(here, f"the form {form!r} is not listed in [forms]", remedy)
            if twice[form] > 1:
                yield Fault(
                    here, f"the form {form!r} stands twice at {visit.code}", "A page is due or optional: keep one"
                )


def _conditions(
    study: Study, path: Path, visit: Visit, known: Mapping[str, Form], around: Surroundings
) -> Iterator[Fault]:
    """For whom the visit is planned, and which of its optional pages are due when."""
    settled = {fact.name for fact in study.facts if not fact.of_page}
    facts = {name: kind for name, kind in (around.facts or {}).items() if name in settled}
    names: dict[str, Kind] = {"subject": Facts(facts), "visit": "text"}
    if visit.when is not None:
        yield from condition_faults((*path, "when"), visit.when, names)
    here = Facts({name: kind_of(known[form].item(item)) for name, (form, item) in items_here(visit, known).items()})
    for number, due in enumerate(visit.due):
        place: Path = (*path, "due", number)
        if due.form not in visit.optional:
            remedy = near(due.form, visit.optional, otherwise="List it in `optional`: a page in `forms` is always due")
            yield Fault((*place, "form"), f"the form {due.form!r} is not optional at {visit.code}", remedy)
        yield from condition_faults((*place, "when"), due.when, names | {"here": here})


def _ends(study: Study) -> Iterator[Fault]:
    by_name = {milestone.name: milestone for milestone in study.milestones}
    for at, name in enumerate(study.ends):
        yield from _date_milestone(by_name, ("ends", at), name, "an end")


def _statuses(study: Study) -> Iterator[Fault]:
    by_name = {milestone.name: milestone for milestone in study.milestones}
    for at, status in enumerate(study.statuses):
        yield from _date_milestone(by_name, ("status", at, "milestone"), status.milestone, "a status")


def _date_milestone(by_name: Mapping[str, Milestone], path: Path, name: str, what: str) -> Iterator[Fault]:
    """A milestone that has a date of its own, whatever endpoint is looked at."""
    if name not in by_name and name != LAST_ALIVE:
        yield Fault(
            path, f"there is no milestone {name!r}", near(name, by_name, otherwise="Define it as [[milestone]]")
        )
    elif name in uses_origin(by_name):
        remedy = "Name one that needs no time zero"
        yield Fault(path, f"{name!r} depends on an endpoint's {ORIGIN}, so it cannot be {what}", remedy)


def _path(study: Study, place: str) -> Path:
    """The key path for a place as the endpoint check names it: 'endpoint CIR MOL.outcomes', 'milestone cr.of'.

    A name given twice is shown where it stands the second time.
    """
    words, _, key = place.partition(".")
    what, *names = words.split(" ")
    keys: Path = tuple(key.split("[")[0].split(".")) if key else ()
    if what == "milestone":
        return ("milestone", _last([milestone.name for milestone in study.milestones], names[0]), *(keys or ("name",)))
    rates = [rate.code for rate in study.rates]
    codes = [endpoint.code for endpoint in study.endpoints]
    if names[-1] in rates:
        return ("rate", _last(rates, names[-1]), *(keys or ("code",)))
    at = _last(codes, names[-1] if names[0] == "or" else names[0])
    variants = [variant.code for variant in study.endpoints[at].variant]
    if names[-1] not in variants:
        return ("endpoint", at, *(keys or ("code",)))
    return ("endpoint", at, "variant", variants.index(names[-1]), *keys)


def _last(names: Sequence[str], name: str) -> int:
    return len(names) - 1 - list(reversed(names)).index(name)
