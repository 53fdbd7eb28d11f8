"""The four trials as courses: how many patients, what becomes of them, how often. Pure and seeded.

The shares are chosen to look like published series and so that every endpoint has events, competing events and
censored patients; nobody's data are behind them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from app.demo.course import CUT, Course, Dose, Later, Person, Trouble, after, cut_off, dealt, person

SEED = 20260630
SITES = ("HZ01", "NB01", "WZ01")


@dataclass(frozen=True, slots=True)
class Plan:
    """A trial: its size, who is eligible by age, when it accrues, and the shares of what becomes of its patients."""

    count: int
    ages: tuple[int, int]
    accrual: tuple[date, date]
    fates: Mapping[str, int]
    sites: tuple[str, ...] = SITES


PLANS: Mapping[str, Plan] = {
    "NCT06125106": Plan(31, (19, 66), (date(2024, 1, 8), date(2025, 12, 1)), {
        "well": 13, "relapse": 4, "early relapse": 2, "molecular": 2, "toxic death": 3, "early death": 1, "lost": 2,
        "withdrawn": 1, "gap": 1, "no graft": 1, "screen failure": 1,
    }),
    "FULLCOURSE": Plan(30, (34, 79), (date(2023, 6, 5), date(2025, 9, 15)), {
        "well": 9, "relapse": 5, "molecular": 2, "refractory": 4, "toxic death": 2, "early death": 1, "lost": 2,
        "early lost": 1, "graft": 2, "gap": 1, "screen failure": 1,
    }, ("HZ01",)),
    "NCT07105579": Plan(31, (16, 63), (date(2024, 1, 15), date(2025, 11, 17)), {
        "well": 15, "relapse": 4, "early relapse": 1, "molecular": 3, "toxic death": 2, "early death": 1, "lost": 2,
        "withdrawn": 1, "screen failure": 1,
    }),
    "S1904": Plan(40, (6, 62), (date(2023, 9, 4), date(2025, 10, 20)), {
        "well": 15, "relapse": 8, "molecular": 4, "toxic death": 3, "lost": 2, "gap": 1, "off-arm graft": 2,
        "refractory": 3, "no cells": 1, "screen failure": 1,
    }),
}  # fmt: skip
"""The four trials by key."""


def cohort(trial: str, *, count: int | None = None, seed: int = SEED) -> tuple[Course, ...]:
    """The courses of a trial in the order of arrival; `count` for fewer than the whole."""
    plan = PLANS[trial]
    fates = dealt(Random(f"{seed} {trial} fates"), plan.fates, plan.count)  # noqa: S311 (not for secrets)
    first, last = plan.accrual
    spread = (last - first).days
    arms = 0
    courses = []
    for number, fate in enumerate(fates[:count], start=1):
        rng = Random(f"{seed} {trial} {number}")  # noqa: S311 (not for secrets)
        consent = after(first, spread * (number - 1) // plan.count + rng.randint(0, 12))
        site = plan.sites[min(rng.choice((0, 0, 1, 2)), len(plan.sites) - 1)]
        who = person(rng, consent, plan.ages)
        enrol = None if fate == "screen failure" else after(consent, rng.randint(3, 10))
        course = Course(trial, number, site, who, fate, consent, enrol)
        if enrol is not None:
            arm = ("HSCT", "NO_HSCT")[arms % 2]
            course = _TELL[trial](course, enrol, rng, arm)
            arms += course.arm is not None
        courses.append(cut_off(course))
    return _flawed(courses)


def _haplo(course: Course, enrol: date, rng: Random, _arm: str) -> Course:
    """Blinatumomab, conditioning, haploidentical graft; in remission and MRD positive at entry."""
    start = after(enrol, rng.randint(2, 6))
    graft = after(start, rng.randint(14, 18))
    course = replace(course, anchors={"enrol": enrol, "tx_start": start}, doses=(_cycle("blinatumomab", 1, start, 6),))
    if course.fate == "no graft":
        relapse = after(start, 12)
        return _ends(replace(course, relapse=relapse), rng, after(relapse, rng.randint(60, 150)), "RELAPSE")
    course = _grafted(course, graft, rng, mrd=after(graft, 21))
    return _outcome(course, graft, rng)


def _full_course(course: Course, enrol: date, rng: Random, _arm: str) -> Course:
    """Up to two cycles of inotuzumab, then up to four of blinatumomab; active leukaemia at entry."""
    start = after(enrol, rng.randint(1, 5))
    anchors = {"enrol": enrol, "tx_start": start}
    doses: list[Dose] = []
    day = start
    for drug, name, cycles, length, pause in (("inotuzumab", "ino", 2, 14, 28), ("blinatumomab", "blin", 4, 27, 42)):
        for cycle in range(1, rng.choice((cycles, cycles, cycles - 1)) + 1):
            anchors[f"{name}{cycle}"] = day
            doses.append(_cycle(drug, cycle, day, length))
            day = after(day, pause + rng.randint(0, 5))
    course = replace(course, anchors=anchors, doses=tuple(doses), entered="NR")
    fate = course.fate
    if fate == "early death":
        return _ends(course, rng, after(start, rng.randint(14, 19)), "INFECTION")
    if fate == "early lost":
        return replace(course, lost=after(start, rng.randint(12, 18)))
    if fate == "refractory":
        failure = after(start, rng.randint(48, 80))
        course = replace(
            course, failure=failure, later=(Later(after(failure, 9), "CART", "CD19 CAR-T cells", "NO_RESPONSE"),)
        )
        dies = rng.random() < 0.75  # noqa: PLR2004 (a probability)
        return _ends(course, rng, after(failure, rng.randint(40, 240)), "RELAPSE") if dies else course
    slow = rng.random() < 0.35  # noqa: PLR2004 (a probability)
    remission = after(start, rng.randint(46, 54) if slow else rng.randint(18, 24))
    course = replace(
        course,
        partial=after(start, 19) if slow else None,
        remission=remission,
        mrd_cleared=after(remission, rng.choice((0, 0, 30, 60))),
        troubles=_toxicity(rng, "VOD", after(start, rng.randint(9, 30)), 0.15, "INOTUZUMAB"),
    )
    if fate == "graft":
        graft = after(remission, rng.randint(60, 110))
        kept = tuple(dose for dose in course.doses if dose.start < graft)
        course = replace(course, doses=kept, anchors={n: d for n, d in anchors.items() if d < graft} | {"hsct": graft})
        return replace(course, graft=graft, graft_planned=False,
                       later=(Later(graft, "HSCT", "Haploidentical transplantation", "REMISSION"),))  # fmt: skip
    return _outcome(course, remission, rng)


def _maintenance(course: Course, enrol: date, rng: Random, _arm: str) -> Course:
    """Blinatumomab and donor lymphocytes in turn, from two to five months after a transplantation."""
    graft = after(course.consent, -rng.randint(66, 150))
    start = after(enrol, rng.randint(1, 6))
    anchors = {"hsct": graft, "enrol": enrol, "tx_start": start}
    doses: list[Dose] = []
    day = start
    for cycle in range(1, rng.choice((2, 3, 4, 4)) + 1):
        anchors[f"blin{cycle}"] = day
        doses.append(_cycle("blinatumomab", cycle, day, 27))
        day = after(day, 44 + rng.randint(0, 4))
        if rng.random() < 0.8:  # noqa: PLR2004 (a probability)
            anchors[f"dli{cycle}"] = day
            doses.append(_cycle("dli", cycle, day, 0))
        day = after(day, 21)
    course = replace(course, anchors=anchors, doses=tuple(doses), graft=graft, graft_planned=False,
                     neutrophils=after(graft, rng.randint(11, 16)), platelets=after(graft, rng.randint(12, 22)),
                     mrd_cleared=graft)  # fmt: skip
    return _outcome(_gvhd(course, after(start, rng.randint(50, 90)), rng), start, rng)


def _cells(course: Course, enrol: date, rng: Random, arm: str) -> Course:
    """CAR-T cells; those in remission are randomised to a transplantation or none."""
    course = replace(course, anchors={"enrol": enrol}, entered="NR")
    if course.fate == "no cells":
        return _ends(course, rng, after(enrol, rng.randint(20, 40)), "RELAPSE")
    cells = after(enrol, rng.randint(16, 30))
    troubles = _toxicity(rng, "CRS", after(cells, rng.randint(2, 6)), 0.75, "CART")
    troubles += _toxicity(rng, "ICANS", after(cells, rng.randint(4, 9)), 0.25, "CART")
    course = replace(course, anchors={"enrol": enrol, "tx_start": cells}, doses=(_cycle("cart", 1, cells, 0),),
                     troubles=troubles)  # fmt: skip
    if course.fate == "refractory":
        failure = after(cells, 28)
        return _ends(replace(course, failure=failure), rng, after(failure, rng.randint(30, 150)), "RELAPSE")
    remission = after(cells, 24)  # found at the first marrow, a few days about day 28
    drawn = after(cells, rng.randint(36, 48))
    course = replace(course, remission=remission, mrd_cleared=remission, arm=arm,
                     anchors={**course.anchors, "rand": drawn})  # fmt: skip
    graft = after(drawn, rng.randint(24, 40))
    if course.fate == "off-arm graft":
        course = replace(course, arm="NO_HSCT", graft_planned=False)
        return _outcome(_grafted(course, after(drawn, rng.randint(110, 200)), rng, mrd=remission), drawn, rng)
    if course.arm == "HSCT":
        course = _grafted(course, graft, rng, mrd=remission)
    return _outcome(course, drawn, rng)


_TELL: Mapping[str, Callable[[Course, date, Random, str], Course]] = {
    "NCT06125106": _haplo, "FULLCOURSE": _full_course, "NCT07105579": _maintenance, "S1904": _cells,
}  # fmt: skip


def _cycle(drug: str, cycle: int, start: date, days: int) -> Dose:
    return Dose(drug, cycle, start, after(start, days))


def _grafted(course: Course, graft: date, rng: Random, *, mrd: date) -> Course:
    """A graft with engraftment, GVHD and the troubles of the first months."""
    troubles = course.troubles + _toxicity(rng, "VOD", after(graft, rng.randint(8, 20)), 0.1, "HSCT")
    if course.trial == "NCT06125106":
        start = course.anchors["tx_start"]
        troubles += _toxicity(rng, "CRS", after(start, rng.randint(1, 3)), 0.2, "BLINATUMOMAB")
        troubles += _toxicity(rng, "ICANS", after(start, rng.randint(2, 5)), 0.08, "BLINATUMOMAB")
    anchors = {**course.anchors, "hsct": graft}
    course = replace(
        course,
        anchors=anchors,
        graft=graft,
        mrd_cleared=mrd,
        troubles=troubles,
        neutrophils=after(graft, rng.randint(11, 16)),
        platelets=after(graft, rng.randint(12, 24)),
    )
    return _gvhd(course, after(graft, rng.randint(18, 55)), rng)


def _gvhd(course: Course, onset: date, rng: Random) -> Course:
    """Acute GVHD of grade II-IV in a third, of grade III-IV in a tenth; chronic in a third, half of it treated."""
    lot = (course.number * 7 + 3) % 20  # spread evenly over the order of arrival, so that no endpoint stays empty
    if lot < 8:  # noqa: PLR2004 (out of 20)
        grade = 4 if lot == 0 else 3 if lot in {4, 7} else 1 if lot == 1 else 2
        course = replace(course, acute=Trouble("AGVHD", onset, after(onset, rng.randint(21, 50)), grade))
    if lot % 3 == 0:
        begins = after(onset, rng.randint(110, 210))
        grade = rng.choice((1, 2, 2, 3))
        course = replace(course, chronic=Trouble("CGVHD", begins, None, grade),
                         chronic_treated=after(begins, rng.randint(0, 9)) if grade > 1 else None)  # fmt: skip
    return course


def _outcome(course: Course, origin: date, rng: Random) -> Course:
    """What becomes of a patient from the origin of most endpoints on; nothing for those who stay well."""
    become = _FATES.get(course.fate)
    return become(course, origin, rng) if become else course


def _early_relapse(course: Course, origin: date, rng: Random) -> Course:
    return _relapsed(course, after(origin, rng.randint(44, 88)), rng)


def _late_relapse(course: Course, origin: date, rng: Random) -> Course:
    return _relapsed(course, after(origin, rng.randint(120, 520)), rng)


def _molecular(course: Course, origin: date, rng: Random) -> Course:
    """MRD comes back and is treated; half of them relapse nevertheless."""
    back = after(origin, rng.randint(70, 330))
    therapy = Later(after(back, 10), "INOTUZUMAB", "Inotuzumab ozogamicin", "MRD")
    course = replace(course, mrd_back=back, later=(therapy,))
    if rng.random() < 0.5:  # noqa: PLR2004 (a probability)
        return _relapsed(course, after(back, rng.randint(45, 80)), rng)
    return replace(course, mrd_again=after(back, 60))


def _early_death(course: Course, origin: date, rng: Random) -> Course:
    return _ends(course, rng, after(origin, rng.randint(24, 80)), rng.choice(("INFECTION", "IPS", "TMA")))


def _toxic_death(course: Course, origin: date, rng: Random) -> Course:
    causes = ("INFECTION", "CGVHD", "ORGAN_FAILURE") if course.graft else ("INFECTION", "ORGAN_FAILURE", "HAEMORRHAGE")
    return _ends(course, rng, after(origin, rng.randint(110, 340)), rng.choice(causes))


def _lost(course: Course, origin: date, rng: Random) -> Course:
    return replace(course, lost=after(origin, rng.randint(95, 420)))


def _withdrawn(course: Course, origin: date, rng: Random) -> Course:
    return replace(course, withdrawn=after(origin, rng.randint(100, 260)))


def _unseen(course: Course, origin: date, rng: Random) -> Course:
    """Visits missed in a row, then a relapse."""
    missed, first, last = _GAPS[course.trial]
    return _relapsed(replace(course, missed=frozenset(missed)), after(origin, rng.randint(first, last)), rng)


_FATES: Mapping[str, Callable[[Course, date, Random], Course]] = {
    "relapse": _late_relapse,
    "early relapse": _early_relapse,
    "molecular": _molecular,
    "early death": _early_death,
    "toxic death": _toxic_death,
    "lost": _lost,
    "withdrawn": _withdrawn,
    "gap": _unseen,
}
_GAPS: Mapping[str, tuple[tuple[str, ...], int, int]] = {
    "NCT06125106": (("D180", "D270"), 300, 330),
    "FULLCOURSE": (("M6", "M9", "M12"), 380, 410),
    "S1904": (("R6", "R9"), 330, 350),
}
"""Visits missed in a row, and the days between which relapse is then found."""


def _relapsed(course: Course, relapse: date, rng: Random) -> Course:
    kind, regimen = rng.choice(
        (("CHEMOTHERAPY", "FLAG-IDA"), ("INOTUZUMAB", "Inotuzumab ozogamicin"), ("CART", "CD22 CAR-T cells"))
    )
    site = rng.choice(("MARROW", "MARROW", "MARROW", "EMD", "CNS"))
    later = (*course.later, Later(after(relapse, rng.randint(6, 15)), kind, regimen, "RELAPSE"))
    course = replace(course, relapse=relapse, relapse_site=site, later=later)
    if rng.random() < 0.6:  # noqa: PLR2004 (a probability)
        return _ends(course, rng, after(relapse, rng.randint(35, 260)), "RELAPSE")
    return course


def _ends(course: Course, rng: Random, death: date, cause: str) -> Course:
    """Death, from an infection in one of ten who have relapsed."""
    if cause == "RELAPSE" and rng.random() < 0.1:  # noqa: PLR2004 (a probability)
        cause = "INFECTION"
    return replace(course, death=death, cause=cause)


def _toxicity(rng: Random, kind: str, onset: date, share: float, cause: str) -> tuple[Trouble, ...]:
    grade = rng.choice((1, 1, 1, 2, 2, 3))
    days = rng.randint(3, 8) if kind != "VOD" else rng.randint(10, 25)
    return (Trouble(kind, onset, after(onset, days), grade, cause),) if rng.random() < share else ()


def _flawed(courses: list[Course]) -> tuple[Course, ...]:
    """The imperfections of real data, each where it fits first: they become questions and history."""
    wanted: tuple[tuple[str, Callable[[Course], bool]], ...] = (
        ("partial relapse", lambda course: course.relapse is not None and course.fate == "relapse"),
        ("partial death", lambda course: course.death is not None and course.cause != "RELAPSE"),
        ("partial birth", lambda course: course.enrol is not None),
        ("other response", lambda course: _long(course) and course.fate == "well"),
        ("late report", lambda course: any(trouble.grade > 2 for trouble in course.troubles)),  # noqa: PLR2004 (severe)
        ("unit slip", _long),
        ("no limit", lambda course: _long(course) and course.fate == "well"),
        ("odd unit", _long),
        ("soft limit", _long),
        ("not done", _long),
        ("corrected", _long),
        ("wrong page", _long),
        ("incomplete", lambda course: _long(course) and course.fate == "well"),
    )
    taken: set[int] = set()
    for flaw, fits in wanted:
        for place, course in enumerate(courses):
            if place not in taken and fits(course):
                taken.add(place)
                courses[place] = replace(course, flaws=course.flaws | {flaw})
                break
    return tuple(courses)


def _long(course: Course) -> bool:
    """Whether there are pages enough to find a flaw in."""
    start = course.anchors.get("tx_start")
    return start is not None and (course.visits_until - start).days > 100  # noqa: PLR2004 (a few visits)


__all__ = ["CUT", "PLANS", "SEED", "Course", "Person", "cohort"]
