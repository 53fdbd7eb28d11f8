"""What a series of dated responses or samples says: best response, time to it, its duration, and MRD over time."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from app.clinical import dates
from app.clinical.rules.errors import RuleError
from app.clinical.rules.inputs import Input, Kind
from app.clinical.rules.mrd import ORDER as MRD_ORDER
from app.clinical.rules.response_tables import NO_RESPONSE, ORDER, RELAPSE
from app.clinical.rules.rule import NE, Case, Result, Rule, Table
from app.clinical.rules.series import Dated, assessed

ALIASES = {"CR-type": "CR"}
MARROW = "Marrow"
BEST = Table(
    title="Order of responses, the best first",
    columns=("rank", "responses"),
    rows=(
        ("best", ("CR",)),
        ("second", ("CRh",)),
        ("third", ("CRp", "CRi")),
        ("fourth", ("MLFS",)),
        ("fifth", ("PR",)),
        ("sixth", ("SD", "NR")),
        ("seventh", ("PD",)),
        ("eighth", ("RELAPSE",)),
    ),
    source=MARROW,
)
COMPLETE = Table(
    title="What is complete remission",
    columns=("result", "responses"),
    rows=(("time_to_cr", ("CR",)),),
    source=MARROW,
)
REMISSIONS = Table(
    title="What is remission",
    columns=("result", "responses"),
    rows=(("duration", ("CR", "CRh", "CRp", "CRi")),),
    source="INO-VATE: duration of remission from the first CR or CRi",
)
NO_END = "STILL_IN_RESPONSE"


def _responses(case: Case) -> list[Dated]:
    return assessed("series", case["series"], ORDER, ALIASES)


def _until(case: Case) -> list[Dated]:
    until = case.peek("until")
    return [one for one in _responses(case) if until is None or one.day <= until]


def _best(case: Case) -> str:
    rank = {response: -at for at, (_, alike) in enumerate(BEST.rows) for response in alike}
    found = _until(case)
    known = [one.value for one in found if one.value != NE]
    certain = [one.least for one in found if one.least != NE]
    best = max(known, key=lambda one: rank[one], default=NE)
    least = max(certain, key=lambda one: rank[one], default=NE)
    if least != NE and (best == NE or rank[least] > rank[best]):
        case.flag(f"AT_LEAST_{least.upper()}")
        return NE
    return best


def _best_date(case: Case) -> date | None:
    best = _best(case)
    return next((one.day for one in _until(case) if one.value == best), None)


def _responder(case: Case) -> str:
    found = _until(case)
    if any(one.least != NE and one.least not in NO_RESPONSE for one in found):
        return "1"
    return "0" if found and all(one.value != NE for one in found) else NE


SERIES = Input("series", Kind.TEXT, "responses by day: day=CR|day=NE(CRi), NE with what it is at least")
BEST_OVERALL_RESPONSE = Rule(
    id="best_overall_response",
    version="1",
    title="Best overall response",
    sources=(MARROW,),
    inputs=(SERIES, Input("until", Kind.DATE, "last day that counts, such as the start of another treatment")),
    results=(
        Result("value", "best documented response", _best),
        Result("best_date", "the first day of it", _best_date),
        Result("responder", "1: a response was reached, 0: none, NE: none is known", _responder),
    ),
    tables=(BEST,),
    conventions=(
        "The best documented response: one that could not be evaluated is none, and does not undo one that was.",
        "Where what a visit is at least is better than anything documented, the result is NE with a flag that says it.",
        "A subject without any evaluable response is NE; in a rate such a subject is a non-responder.",
        "CRi and CRp rank alike: the earlier one is named.",
    ),
)


def _first(found: Iterable[Dated], table: Table) -> Dated | None:
    return next((one for one in found if one.value in table.rows[0][1]), None)


def _cr_date(case: Case) -> date | None:
    start = case["start"]
    found = _first((one for one in _responses(case) if one.day >= start), COMPLETE)
    return None if found is None else found.day


def _time_to_cr(case: Case) -> Decimal | None:
    start, found = case["start"], _cr_date(case)
    return None if found is None else Decimal(dates.days(start, found))


TIME_TO_CR = Rule(
    id="time_to_cr",
    version="1",
    title="Time to complete remission",
    sources=("Date convention of ADaM: date - start + 1",),
    inputs=(SERIES, Input("start", Kind.DATE, "first dose")),
    results=(
        Result("days", "days from the first dose to the first CR, the first dose being day 1", _time_to_cr),
        Result("cr_date", "first CR", _cr_date),
    ),
    tables=(COMPLETE,),
    conventions=(
        "Without CR there is no number; death and failure compete, which the endpoint says and not this rule.",
        "Responses before the first dose are history.",
    ),
)


def _remission(case: Case) -> tuple[Dated, date, str] | None:
    """The first remission, its last day, and what ended it: RELAPSE, DEATH or nothing."""
    found, death = _responses(case), case.peek("death_date")
    if death is not None and any(one.day > death and one.least != NE for one in found):
        raise RuleError("death_date", "write a day that is not before a response in the series")
    began = _first(found, REMISSIONS)
    if began is None:
        return None
    later = [one for one in found if one.day >= began.day]
    relapse = next((one.day for one in later if one.value == RELAPSE), None)
    if relapse is not None:
        return began, relapse, RELAPSE
    if death is not None:
        return began, death, "DEATH"
    case.flag(NO_END)
    return began, max(one.day for one in later if one.value != NE), "CENSORED"


def _duration(case: Case) -> Decimal | None:
    found = _remission(case)
    return None if found is None else Decimal(dates.days(found[0].day, found[1]))


def _end(case: Case) -> str | None:
    found = _remission(case)
    return None if found is None else found[2]


DURATION_OF_RESPONSE = Rule(
    id="duration_of_response",
    version="1",
    title="Duration of remission",
    sources=("INO-VATE (besponsahcp.com): first CR or CRi to the event of progression-free survival",),
    inputs=(SERIES, Input("death_date", Kind.DATE, "death")),
    results=(
        Result("days", "days from the first remission, which is day 1, to its end; empty without one", _duration),
        Result("end", "RELAPSE, DEATH, or CENSORED at the last evaluable response", _end),
    ),
    tables=(REMISSIONS,),
    conventions=(
        "Relapse is named before death on the same day. An assessment that was not evaluable censors nothing.",
        "A response dated after death is a contradiction, and is refused.",
        "Events of the endpoint (another treatment, progression) are the endpoint's; here it is relapse and death.",
    ),
)

_BEFORE = "Before: the last sample that was one of the two. The day is that of the sample after."
_WORST = "Of several samples of one day the worst counts: POS, POS_LOW, NEG, UNDET."
CONVERSION = Table(
    title="Conversion",
    columns=("before", "after"),
    rows=(("POS", "NEG"),),
    source="ASH-SAP 2014; INO-VATE",
    note=_BEFORE,
)
RETURN = Table(
    title="Molecular relapse",
    columns=("before", "after"),
    rows=(("NEG", "POS"),),
    source="ASH-SAP 2014; ELN ALL 2024",
    note=_BEFORE,
)


def _samples(case: Case) -> list[Dated]:
    """The evaluable samples before a relapse, of each day the one that stands first: the worst."""
    relapse = case.peek("haem_relapse_date")
    found: dict[date, Dated] = {}
    for one in assessed("series", case["series"], MRD_ORDER, {}):
        if one.value != NE and (relapse is None or one.day < relapse):
            found.setdefault(one.day, one)
    return list(found.values())


def _changed(samples: Iterable[Dated], table: Table) -> Iterator[int]:
    """Where in the series of samples a change as in the table is seen."""
    (wanted,) = table.rows
    before = ""
    for at, one in enumerate(samples):
        if (before, one.value) == wanted:
            yield at
        if one.value in wanted:
            before = one.value


def _conversion(case: Case) -> date | None:
    samples = _samples(case)
    return next((samples[at].day for at in _changed(samples, CONVERSION)), None)


MRD_SERIES = Input("series", Kind.TEXT, "status by day: day=POS|day=NEG, of one rule, threshold and method")
RELAPSED = Input("haem_relapse_date", Kind.DATE, "haematological or extramedullary relapse")
MRD_CONVERSION = Rule(
    id="mrd_conversion",
    version="1",
    title="MRD conversion",
    sources=("ASH-SAP 2014; INO-VATE",),
    inputs=(MRD_SERIES, RELAPSED),
    results=(Result("conversion_date", "first negative sample after a positive one; empty without", _conversion),),
    tables=(CONVERSION,),
    conventions=(
        "A sample that is NEG was tested with a limit of detection no worse than the threshold, else it is UNDET.",
        "POS_LOW, UNDET and NE are neither positive nor negative here.",
        _WORST,
        "Samples from the day of a haematological relapse on are not read.",
    ),
)


def _relapses(case: Case) -> list[tuple[date, bool]]:
    """The first positive sample of each return of MRD, and whether the next evaluable sample is positive too."""
    samples, found = _samples(case), []
    for at in _changed(samples, RETURN):
        following = next((one.value for one in samples[at + 1 :] if one.value != MRD_ORDER[0]), None)
        found.append((samples[at].day, following == RETURN.rows[0][1]))
    return found


def _counted(case: Case) -> tuple[date, bool] | None:
    need = case.peek("confirmation_required")
    found = next((one for one in _relapses(case) if one[1] or not need), None)
    if found is not None and not found[1]:
        case.flag("UNCONFIRMED")
    return found


def _molecular_relapse(case: Case) -> date | None:
    found = _counted(case)
    return None if found is None else found[0]


def _confirmed(case: Case) -> str | None:
    found = _counted(case)
    return None if found is None else str(int(found[1]))


MOLECULAR_RELAPSE = Rule(
    id="molecular_relapse",
    version="1",
    title="Molecular relapse",
    sources=("ASH-SAP 2014; ELN ALL 2024",),
    inputs=(
        MRD_SERIES,
        RELAPSED,
        Input(
            "confirmation_required", Kind.YES_NO, "the protocol wants a second positive sample; by default it does not"
        ),
    ),
    results=(
        Result("relapse_date", "first positive sample; empty without", _molecular_relapse),
        Result("confirmed", "1: the next evaluable sample is positive too; 0: not, or not yet", _confirmed),
    ),
    tables=(RETURN,),
    conventions=(
        (
            "Positive after negative while the marrow is below 5 % without extramedullary disease: that is, before a "
            "haematological relapse."
        ),
        "The date is that of the first positive sample, confirmed or not; another day confirms it.",
        _WORST,
        "Unconfirmed counts where the protocol does not want confirmation, with the flag UNCONFIRMED.",
    ),
)
