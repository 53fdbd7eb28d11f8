"""Laws that hold for every subject, whatever happened."""

import importlib
from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.clinical.endpoints.engine import evaluate
from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import Occurrence, occurrence, on
from app.clinical.endpoints.result import Status, compile_specs
from app.clinical.endpoints.words import sentence
from tests.clinical.endpoint_cases import Engine

ENGINE = Engine(importlib.import_module)
START = date(2024, 1, 1)
LATEST = START + timedelta(days=400)
dates = st.integers(0, 400).map(lambda number: START + timedelta(days=number))
whole = dates.map(on)
any_fact = st.one_of(
    whole,
    dates.map(lambda day: occurrence(f"{day:%Y-%m}")),
    st.sampled_from(["2024", ""]).map(occurrence),
)


def study(name):
    definitions, endpoints, _ = ENGINE.studies[name]
    milestones = Milestones(definitions)
    return milestones, compile_specs(endpoints, milestones)


STUDIES = {name: study(name) for name in ENGINE.studies}


def histories(name, facts):
    """A captured history of the study: for each milestone read from pages, up to three facts."""
    captured = [one for one in STUDIES[name][0].by_name if one not in STUDIES[name][0].derived]
    return st.dictionaries(st.sampled_from([*captured, "last_alive"]), st.lists(facts, max_size=3).map(tuple))


everything = st.sampled_from(sorted(STUDIES)).flatmap(lambda name: st.tuples(st.just(name), histories(name, any_fact)))


@settings(max_examples=300)
@given(everything, st.none() | dates)
def test_a_result_lies_between_its_time_zero_and_the_cutoff(subject, cutoff):
    name, captured = subject
    milestones, specs = STUDIES[name]
    history = History(milestones, captured, cutoff)
    for spec in specs:
        result = evaluate(spec, history)
        assert sentence(result, "en")
        assert sentence(result, "zh")
        if result.status in {Status.NA, Status.QUERY}:
            assert (result.days, result.adt, result.cnsr) == (None, None, None)
            continue
        assert result.start is not None
        assert result.adt is not None
        assert result.days is not None
        assert result.days >= 1
        assert result.start <= result.adt
        assert cutoff is None or result.adt <= cutoff
        if spec.truncate_day is not None:
            assert result.days <= spec.truncate_day + 1


@settings(max_examples=200)
@given(histories("000", whole), st.sampled_from(["heme_relapse", "failure", "death", "last_da", "last_alive"]), dates)
def test_a_later_fact_never_changes_an_event(captured, added, day):
    milestones, specs = STUDIES["000"]
    captured.pop("death", None)
    more = {**captured, added: (*captured.get(added, ()), on(day))}
    for spec in specs:
        if spec.variant.startswith("LANDMARK") or spec.variant == "CONFIRMED":
            continue  # a later assessment makes an absent remission a failure, a later relapse confirms
        before, after = (evaluate(spec, History(milestones, facts)) for facts in (captured, more))
        if before.status not in {Status.EVENT, Status.COMPETING}:
            continue
        assert before.fact is not None
        assert before.fact.date is not None
        if day > before.fact.date:
            assert after == before


@settings(max_examples=200)
@given(histories("000", whole), dates)
def test_a_cutoff_shows_what_was_known_then(captured, cutoff):
    """Whatever lies after the cut-off can be left out without a change, apart from proof of life."""
    milestones, specs = STUDIES["000"]
    captured["death"] = captured.get("death", ())[:1]
    past = {name: tuple(fact for fact in facts if fact.date <= cutoff) for name, facts in captured.items()}
    for spec in specs:
        if not spec.censors_alive:
            shown = evaluate(spec, History(milestones, captured, cutoff))
            assert shown[1:] == evaluate(spec, History(milestones, past, cutoff))[1:]


@settings(max_examples=300)
@given(histories("000", whole), st.none() | dates)
def test_relapse_death_and_neither_part_the_population(captured, cutoff):
    """RFS, CIR and NRM of one population: each subject has one first event, and all three agree on its day."""
    milestones, specs = STUDIES["000"]
    history = History(milestones, captured, cutoff)
    chosen = {("RFS", "MOL"), ("CIR", "PRIMARY"), ("NRM", "ORIGIN_CR")}
    rfs, cir, nrm = (evaluate(spec, history) for spec in specs if (spec.code, spec.variant) in chosen)
    assert len({result.adt for result in (rfs, cir, nrm)}) == 1
    events = Counter(result.status for result in (rfs, cir, nrm))
    if rfs.status is Status.EVENT:
        assert {cir.status, nrm.status} == {Status.EVENT, Status.COMPETING}
    else:
        assert events == {rfs.status: 3}


@settings(max_examples=200)
@given(histories("004", whole))
def test_extra_censoring_never_adds_follow_up(captured):
    milestones, specs = STUDIES["004"]
    history = History(milestones, captured)
    by_name = {(spec.code, spec.variant): evaluate(spec, history) for spec in specs}
    for code in ("EFS", "RFS", "CIR", "OS"):
        primary, censored = by_name[code, "PRIMARY"], by_name[code, "CENSOR_HSCT"]
        if primary.adt is not None and censored.adt is not None:
            assert censored.adt <= primary.adt


def test_a_known_day_is_never_in_doubt():
    assert on(START) == Occurrence(START, START, "", START)
