"""From a course to the pages a coordinator enters, day by day: the study file says which are due. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

from app.demo import flaws
from app.demo.contents import At, given
from app.demo.course import CUT, Course, Trouble, after
from app.demo.fill import fill
from app.forms.answers import Context
from app.forms.definition import Form
from app.study.definition import Study, Visit
from app.subjects.facts import Place

ROUTINE = frozenset({"visit", "vital_signs", "haematology", "chemistry", "performance"})
"""Pages of every visit. They are entered in full for some patients and now and then for the others: a visit's casebook
shows what is still due, and the demonstration stays short."""

BASELINE = ROUTINE | {"echo_ecg", "infection_serology", "pregnancy_test", "hct_ci", "cns_assessment"}
"""Pages of screening that no endpoint reads."""

_FULL = 8  # the patient of each trial who has every page that is due
_NOW_AND_THEN = 0.04  # of the routine pages of the others
_AT_ENTRY = 0.4  # of their baseline pages
_WITHOUT_GVHD = 0.15  # of their GVHD pages on which there is none
_MOST_DRIFT = 4  # days a visit lies beside its target
_ALIVE_EVERY = 140  # days between survival contacts after the visits have ended


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the coordinator does: saves a page (again), or strikes it (`void`)."""

    day: date
    place: Place
    answers: Mapping[str, Any]
    complete: bool = True
    reason: str | None = None
    void: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A page before its answers: where, when, and what it is about beside the course."""

    day: date
    visit: str
    visit_repeat: int
    form: str
    repeat: int = 1
    anchor: str | None = None
    about: Any = None


@dataclass
class _Diary:
    """The pages of one course while they are being collected, with the numbers of what repeats."""

    told: list[Told] = field(default_factory=list)
    visits: Counter[str] = field(default_factory=Counter)
    logs: Counter[str] = field(default_factory=Counter)

    def unscheduled(self, day: date, *forms: str, about: Any = None) -> None:
        """An unscheduled visit with these pages."""
        self.visits["UNS"] += 1
        repeat = self.visits["UNS"]
        self.told += [Told(day, "UNS", repeat, form, about=None if form == "visit" else about) for form in forms]

    def contact(self, day: date, *, about: Any = None) -> None:
        """A survival contact."""
        self.visits["FU"] += 1
        self.told.append(Told(day, "FU", self.visits["FU"], "survival", about=about))

    def log(self, day: date, form: str, about: Any = None) -> None:
        """The next row of a log."""
        self.logs[form] += 1
        self.told.append(Told(day, "LOG", 1, form, self.logs[form], about=about))


def pages(study: Study, forms: Mapping[str, Form], course: Course, *, seed: int) -> list[Entry]:
    """Everything entered for one subject. `forms` are those of the study version, by id."""
    rng = Random(f"{seed} {course.trial} {course.number} pages")  # noqa: S311 (not for secrets)
    facts: dict[str, Any] = {fact.name: None for fact in study.facts}
    entries = []
    for told in sorted(_told(study, course, rng), key=lambda told: told.day):
        form = forms[told.form]
        at = At(told.visit, told.day, rng, told.anchor, told.about)
        said = {name: value for name, value in given(told.form, course, at).items()
                if form.has(name) or name in form.row_sections}  # fmt: skip
        answers = fill(form, said, told.day, Context(facts, told.visit), rng)
        for fact in study.facts:
            if fact.form == told.form and isinstance(value := answers.get(fact.item), str):
                facts[fact.name] = value
        place = Place(told.visit, told.visit_repeat, told.form, told.repeat)
        entries.append(Entry(told.day, place, answers))
    return flaws.spoilt(entries, course, forms)


def _told(study: Study, course: Course, rng: Random) -> list[Told]:
    diary = _Diary()
    full = course.number == _FULL
    _screening(study, course, diary, rng, full=full)
    if course.enrol is None:
        diary.told.append(Told(after(course.consent, 8), "EOS", 1, "end_of_study"))
        return diary.told
    diary.log(course.enrol, "prior_therapy")
    for visit in study.visits:
        if visit.anchor is not None and visit.anchor != "enrol":
            _scheduled(visit, course, diary, rng, full=full)
    if course.flaws & flaws.IN_BLOOD:
        diary.unscheduled(after(course.anchors["tx_start"], 45), "visit", "haematology")
    _findings(course, diary)
    _complications(course, diary, rng)
    for therapy in course.later:
        diary.log(therapy.start, "new_anticancer_therapy", therapy)
    _afterwards(course, diary, rng)
    _closing(study, course, diary)
    known = {form for visit in study.visits for form in (*visit.forms, *visit.optional)}
    return [told for told in diary.told if told.form in known]


def _screening(study: Study, course: Course, diary: _Diary, rng: Random, *, full: bool) -> None:
    assessed = after(course.consent, 1)
    for form in study.visit("SCR").forms:
        if form in BASELINE and not full and rng.random() > _AT_ENTRY:
            continue
        day = {"consent": course.consent, "enrolment": course.enrol or after(course.consent, 7)}.get(form, assessed)
        diary.told.append(Told(day, "SCR", 1, form))


def _scheduled(visit: Visit, course: Course, diary: _Diary, rng: Random, *, full: bool) -> None:
    """The pages of a planned visit, if the patient came to it."""
    zero = course.anchors.get(visit.anchor or "")
    if zero is None or visit.target is None or not _of_arm(visit, course):
        return
    first, last = visit.window or (0, 0)
    moves = visit.target > 0
    drift = rng.randint(max(first, -_MOST_DRIFT), min(last, _MOST_DRIFT)) if moves else 0
    day = after(zero, visit.target + drift)
    if day > course.visits_until or (day == course.visits_until and course.visits_until != CUT):
        return
    if visit.code in course.missed:
        if "visit" in visit.forms:
            diary.told.append(Told(day, visit.code, 1, "visit", about="missed"))
        return
    quiet = _quiet(course, day)
    for form in visit.forms:
        share = _NOW_AND_THEN if form in ROUTINE else _WITHOUT_GVHD if form in quiet else 1.0
        if full or rng.random() < share:
            diary.told.append(Told(day, visit.code, 1, form, anchor=visit.anchor))


def _quiet(course: Course, day: date) -> frozenset[str]:
    """The GVHD pages that would say "none" on this day."""
    acute, chronic = course.acute, course.chronic
    ill = {"agvhd"} if acute and acute.onset <= day and (acute.end is None or day <= acute.end) else set()
    ill |= {"cgvhd"} if chronic and chronic.onset <= day else set()
    return frozenset({"agvhd", "cgvhd"} - ill)


def _of_arm(visit: Visit, course: Course) -> bool:
    """Whether the visit is planned for this arm: visits of a trial's transplantation are for those assigned to it."""
    return visit.when is None or course.arm == "HSCT"


def _findings(course: Course, diary: _Diary) -> None:
    """What is found between the planned visits: relapse, failure, MRD, a graft nobody planned, GVHD."""
    if course.relapse is not None:
        diary.unscheduled(course.relapse, "visit", "haematology", "response")
    if course.failure is not None:
        diary.unscheduled(course.failure, "visit", "response", "mrd")
    if course.mrd_back is not None:
        diary.unscheduled(course.mrd_back, "visit", "response", "mrd")
    off_arm = course.trial == "S1904" and course.arm == "NO_HSCT"
    if (
        course.graft is not None
        and course.enrol
        and course.graft > course.enrol
        and (off_arm or course.trial == "FULLCOURSE")
    ):
        diary.unscheduled(course.graft, "visit", "graft")
    for gvhd, form in ((course.acute, "agvhd"), (course.chronic, "cgvhd")):
        if gvhd is not None and after(gvhd.onset, 2) < course.known_until:
            diary.unscheduled(after(gvhd.onset, 2), "visit", form)


def _complications(course: Course, diary: _Diary, rng: Random) -> None:
    """CRS, ICANS and VOD each on its page; all of them, and the commonest others, as adverse events."""
    start = course.anchors.get("tx_start")
    troubles = list(course.troubles)
    if start is not None and rng.random() < 0.6:  # noqa: PLR2004 (a probability)
        onset = after(start, rng.randint(5, 25))
        troubles.append(
            Trouble("NEUTROPENIA", onset, after(onset, rng.randint(6, 20)), rng.choice((2, 3, 4)), _drug(course))
        )
    if start is not None and rng.random() < 0.3:  # noqa: PLR2004 (a probability)
        onset = after(start, rng.randint(10, 90))
        troubles.append(
            Trouble("PNEUMONIA", onset, after(onset, rng.randint(8, 25)), rng.choice((2, 3)), _drug(course))
        )
    for trouble in sorted(troubles, key=lambda trouble: trouble.onset):
        if trouble.onset >= course.known_until:
            continue
        if trouble.end is not None and trouble.end >= course.known_until:
            trouble = replace(trouble, end=None)  # noqa: PLW2901 (what is known of it)
        seen = min(trouble.end or after(trouble.onset, 5), after(course.known_until, -1))
        if trouble.kind in {"CRS", "ICANS", "VOD"}:
            diary.unscheduled(trouble.onset, "visit", trouble.kind.lower(), about=trouble)
        diary.log(seen, "adverse_event", trouble)
        if trouble.kind == "PNEUMONIA":
            diary.log(seen, "infection", trouble)


def _drug(course: Course) -> str:
    return {"NCT06125106": "CONDITIONING", "FULLCOURSE": "INOTUZUMAB", "S1904": "CART"}.get(
        course.trial, "BLINATUMOMAB"
    )


def _afterwards(course: Course, diary: _Diary, rng: Random) -> None:
    """Survival contacts after the visits have ended, and a last one of those still followed."""
    day = course.visits_until
    end = course.known_until
    while (day := after(day, _ALIVE_EVERY + rng.randint(-15, 15))) < end:
        diary.contact(day)
    if end == CUT:
        diary.contact(after(CUT, -rng.randint(1, 25)))
    if course.lost is not None:
        diary.contact(course.lost, about="lost")


def _closing(study: Study, course: Course, diary: _Diary) -> None:
    """Death, withdrawal or loss end the study for a patient; so does the last planned visit, kept."""
    end = course.known_until
    if course.death is not None:
        diary.told += [Told(end, "EOS", 1, "death"), Told(end, "EOS", 1, "end_of_study")]
    elif course.withdrawn is not None:
        diary.told += [Told(end, "EOS", 1, "withdrawal"), Told(end, "EOS", 1, "end_of_study")]
    elif course.lost is not None:
        diary.told.append(Told(end, "EOS", 1, "end_of_study"))
    else:
        last = max(told.day for told in diary.told)
        if any(told.visit == _last_visit(study) for told in diary.told):
            diary.told.append(Told(last, "EOS", 1, "end_of_study"))


def _last_visit(study: Study) -> str:
    return max((visit for visit in study.visits if visit.target is not None), key=lambda visit: visit.target or 0).code
