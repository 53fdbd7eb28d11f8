"""What the pages of a subject amount to: status, anchor dates, endpoints with their sources, contradictions. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Self

from app.clinical.dates import Policy
from app.clinical.endpoints.definition import LAST_ALIVE
from app.clinical.endpoints.engine import evaluate
from app.clinical.endpoints.milestones import History
from app.clinical.endpoints.occurrence import Occurrence, Planned, Source
from app.clinical.endpoints.result import Result, Spec, Status, Why, compile_specs
from app.derivations.gather import plan_of
from app.forms.answers import fingerprint
from app.study.definition import Study
from app.study.library import Build
from app.study.schedule import key_of, plan
from app.subjects.enrol import FIRST_STATUS


class Results(tuple[Result, ...]):  # noqa: SLOT001 - a tuple takes no slots of its own
    """The results of one subject, and the history they rest on."""

    history: History

    @classmethod
    def of(cls, specs: Iterable[Spec], history: History) -> Self:
        """Every endpoint variant evaluated."""
        made = cls(evaluate(spec, history) for spec in specs)
        made.history = history
        return made


class Conclusion(NamedTuple):
    """Everything derived of one subject at one cut-off. `anchors` are the first days of milestones that visits need."""

    status: str
    anchors: Mapping[str, date]
    results: Results
    history: History

    def as_json(self) -> dict[str, Any]:
        """What is stored: endpoint, variant, result with the exact items it rests on."""
        endpoints: dict[str, dict[str, Any]] = {}
        for result in self.results:
            endpoints.setdefault(result.spec.code, {})[result.spec.variant] = result_json(result)
        return {
            "status": self.status,
            "anchors": {name: day.isoformat() for name, day in self.anchors.items()},
            "endpoints": endpoints,
        }


def specs_of(build: Build) -> tuple[Spec, ...]:
    """Every endpoint variant of a study version, compiled once."""
    found: tuple[Spec, ...] | None = build.memo.get("specs")
    if found is None:
        found = build.memo["specs"] = compile_specs(
            build.study.endpoints, plan_of(build).milestones, report_day=build.study.report_day
        )
    return found


def conclude(
    build: Build,
    captured: Mapping[str, Sequence[Occurrence]],
    facts: Mapping[str, Any],
    *,
    cutoff: date | None = None,
) -> Conclusion:
    """Derive everything of one subject from the dated facts on its pages."""
    history, anchors = history_of(build, captured, facts, cutoff=cutoff)
    return Conclusion(
        status=_status(build.study, history),
        anchors=anchors,
        results=Results.of(specs_of(build), history),
        history=history,
    )


def history_of(
    build: Build,
    captured: Mapping[str, Sequence[Occurrence]],
    facts: Mapping[str, Any],
    *,
    cutoff: date | None = None,
) -> tuple[History, dict[str, date]]:
    """The subject's history as seen at the cut-off, with the planned visits it asks for, and the anchors of all."""
    milestones = plan_of(build).milestones
    history = History(milestones, captured, cutoff)
    anchors = dict(_anchors(build, history))
    if milestones.visits:
        planned = [
            Planned(visit.visit, visit.target, visit.opens, visit.closes)
            for visit in plan(build.study, anchors, facts)
            if visit.visit in milestones.visits and visit.target and visit.opens and visit.closes
        ]
        history = History(milestones, captured, cutoff, planned)
    return history, anchors


def _anchors(build: Build, history: History) -> Iterator[tuple[str, date]]:
    """The days that visits hang on: of each milestone the first, and the later ones where visits ask for them."""
    for name, several in _hung_on(build):
        days = sorted({fact.date for fact in history.of(name).dated if fact.date is not None})
        for place, day in enumerate(days if several else days[:1], start=1):
            yield key_of(name, place), day


def _hung_on(build: Build) -> tuple[tuple[str, bool], ...]:
    """The milestones that visits hang on, or that end the study, and whether any asks for more than the first day."""
    found: tuple[tuple[str, bool], ...] | None = build.memo.get("hung_on")
    if found is None:
        study = build.study
        several = {visit.anchor for visit in study.visits if visit.occurrence != 1}
        names = sorted({*study.ends, *(visit.anchor for visit in study.visits if visit.anchor)})
        found = build.memo["hung_on"] = tuple((name, name in several) for name in names)
    return found


def _status(study: Study, history: History) -> str:
    reached = FIRST_STATUS
    for status in study.statuses:
        track = history.of(status.milestone)
        if track.dated or track.doubts:
            reached = status.code
    return reached


def result_json(result: Result) -> dict[str, Any]:
    """A result in JSON types; what is empty is left out."""
    origin = result.origin and result.origin.date
    told = {
        "status": str(result.status),
        "why": result.why and str(result.why),
        "start": result.start and result.start.isoformat(),
        "origin": origin.isoformat() if origin and result.start is None else None,
        "adt": result.adt and result.adt.isoformat(),
        "days": result.days,
        "cnsr": result.cnsr,
        "fact": result.fact and result.fact.date and result.fact.date.isoformat(),
        "flag": result.flag,
        "start_flag": result.start_flag,
        "milestone": result.milestone,
        "entry": result.entry and result.entry.isoformat(),
        "origin_sources": [_source(each) for each in result.origin.sources] if result.origin else [],
        "sources": [_source(each) for each in result.fact.sources] if result.fact else [],
    }
    return {key: value for key, value in told.items() if value not in (None, "", [])}


def _source(source: Source) -> dict[str, Any]:
    """The exact item. What is shown beside it is a list: JSON in the database keeps no order of keys."""
    told = source._asdict() | {"show": [{"item": item, "value": value} for item, value in source.show]}
    return {key: value for key, value in told.items() if value not in (None, [])}


def result_of(spec: Spec, stored: Mapping[str, Any]) -> Result:
    """A stored result as the engine's own, enough to be put into words and tables."""

    def day(name: str) -> date | None:
        return date.fromisoformat(stored[name]) if name in stored else None

    start, adt = day("start"), day("adt")
    sources, origin = (_sources(stored.get(name, ())) for name in ("sources", "origin_sources"))
    fact = Occurrence(None, None, date=day("fact"), flag=stored.get("flag", ""), sources=sources)
    began = start or day("origin")
    zero = Occurrence(began, began, date=began, flag=stored.get("start_flag", ""), sources=origin)
    return Result(
        spec=spec,
        status=Status(stored["status"]),
        why=Why(stored["why"]) if "why" in stored else None,
        start=start,
        adt=adt,
        milestone=stored.get("milestone"),
        fact=fact if sources or fact.date else None,
        origin=zero if began or origin else None,
        entry=day("entry"),
    )


def _sources(stored: Sequence[Mapping[str, Any]]) -> tuple[Source, ...]:
    return tuple(
        Source(**{**each, "show": tuple((shown["item"], shown["value"]) for shown in each.get("show", ()))})
        for each in stored
    )


class Contradiction(NamedTuple):
    """What does not go together: the endpoint or milestone, the rule, and what stands for the dates that gave rise."""

    item: str
    rule: str
    detail: dict[str, Any]
    fingerprint: str


def contradictions(results: Results) -> Iterator[Contradiction]:
    """What contradicts itself or lacks a day.

    Endpoints of the protocol that have no number for it, in any variant: an endpoint asks once about a fact, and one
    question of each kind at a time, that of PRIMARY before those of its variants. And contact after a documented day
    of death, which changes no number. Suggested endpoints raise nothing: nobody owes the protocol an answer to them.
    """
    told = set()
    asked: set[tuple[str, Any]] = set()
    for result in results:
        if result.status is not Status.QUERY or result.spec.suggested:
            continue
        code, fact = result.spec.code, result.fact
        rule = "endpoint-contradiction" if result.why == "ONCE_BEFORE_ORIGIN" else "endpoint-undated"
        dates = (result.start, *((fact.lower, fact.upper, fact.raw) if fact else ()))
        cause = (result.milestone, *dates)
        if asked.isdisjoint({(code, rule), (code, cause)}):
            told.add(result.milestone)
            detail = {"milestone": result.milestone, "why": str(result.why)}
            yield Contradiction(code, rule, detail, fingerprint(*dates))
        asked |= {(code, rule), (code, cause)}
    yield from _contact_after_death(results.history, told)


def _contact_after_death(history: History, told: Container[str | None]) -> Iterator[Contradiction]:
    """A date of life that lies, whatever its exact day, after a complete date of death that no endpoint asks about."""
    for name in history.definitions.once:
        if name in told or history.definitions.by_name[name].impute is not Policy.DEATH:
            continue
        days = [fact.date for fact in history.of(name).dated if fact.date is not None and not fact.flag]
        alive = [fact.date for fact in history.of(LAST_ALIVE).dated if fact.date is not None]
        if days and alive and max(alive) > days[0]:
            dates = fingerprint(days[0], max(alive))
            yield Contradiction(name, "contact-after-death", {"milestone": name}, dates)
