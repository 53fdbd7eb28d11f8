# ruff: noqa: E501 - one case per line
"""Break each rule in turn: at least one case must notice. A rule that no case defends is a rule that can be lost."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import pytest

import app
from tests.clinical.endpoint_cases import Engine

# (module, what stands there, what breaks it, the rule that is lost)
MUTANTS = [
    ("endpoints.engine", "day < earliest or (first is None and day == earliest)", "day <= earliest", "list order on ties"),
    ("endpoints.engine", "if day < start:\n", "if day <= start:\n", "an event on the day of the origin counts"),
    ("endpoints.engine", "first.day <= bound:\n", "first.day < bound:\n", "the last day counts"),
    ("endpoints.engine", "fact.upper < start:\n            return fact", "fact.upper <= start:\n            return fact",
     "a once fact on the day of the origin is no contradiction"),
    ("endpoints.engine", "if track is not NOTHING and (early := _before(track, start)) is not None:", "if early := None:",
     "a once fact before the origin is a query"),
    ("endpoints.engine", "start if first.name in spec.redate_to_origin else first.day", "first.day", "redating"),
    ("endpoints.engine", "extra_censoring(case, first) if spec.censor_at else None", "None", "extra censoring"),
    ("endpoints.engine", "for name in spec.population:\n        if", "for name in ():\n        if", "the population"),
    ("endpoints.engine", "(dated[0].date or limit) <= limit else None", "True else None", "the origin by the cut-off"),
    ("endpoints.engine", "if zero is None or may_precede(fact, zero.date or limit):\n            return Result(spec",
     "if False:\n            return Result(spec", "an origin on an unknown day"),
    ("endpoints.engine", "shifted(start, spec.truncate_day)", "shifted(start, spec.truncate_day - 1)",
     "day 100 itself counts"),
    ("endpoints.engine", "(first.doubts or spec.censor_at) and", "False and", "facts on unknown days"),
    ("endpoints.engine", "if lower < reach or", "if lower <= reach or", "ties with an unknown day by list order"),
    ("endpoints.engine", "(lower == reach and", "(False and", "an unknown day that could tie"),
    ("endpoints.engine", "max(fact.lower or start, start) < reach and", "False and", "extra censoring on an unknown day"),
    ("endpoints.engine", "max(fact.lower or start, start) < reach and", "(fact.lower or date.min) < reach and",
     "extra censoring before the time zero ends nothing"),
    ("endpoints.engine", "for fact in dated if may_be_from(fact, start)", "for fact in ()",
     "extra censoring whose period holds the time zero"),
    ("endpoints.engine", "reach = first.day if counts else result.adt or bound", "reach = first.day if counts else bound",
     "extra censoring after the last follow-up"),
    ("endpoints.engine", "lower = max(fact.lower or start, start)", "lower = fact.lower or date.min",
     "an unknown day before the time zero would be history"),
    ("endpoints.engine", "if first is None and not doubts:", "if False:", "never entered, whatever else is asked"),
    ("endpoints.engine", "if first is not None and may_be_from(first, start) and", "if False and",
     "an entry whose period holds the time zero"),
    ("endpoints.engine", "(first.upper or case.limit) > result.adt", "True", "an entry that changes nothing"),
    ("endpoints.engine", "fact.upper is not None and fact.upper <= start for", "False for", "an earlier entry is at the origin"),
    ("endpoints.engine", "if milestone not in spec.milestones.once:", "if False:", "a period that holds the origin"),
    ("endpoints.engine", "if not may_be_from(fact, start):", "if True:",
     "an imputed death is not before the origin in its period"),
    ("endpoints.engine", "for fact in doubts if fact.upper is None or fact.upper >= start]", "for fact in doubts]", "an undatable fact surely before the origin"),
    ("endpoints.engine", "result.adt < entry", "result.adt <= entry", "an event on the day of entry counts"),
    ("endpoints.engine", "if spec.entry is None else _delayed(case, spec.entry, result)", "", "delayed entry"),
    ("endpoints.engine", "if not track.doubts:\n            return Result(spec, Status.NA",
     "if False:\n            return Result(spec, Status.NA", "certainly outside the population"),
    ("endpoints.result", "(self.adt - self.start).days + 1", "(self.adt - self.start).days", "+ 1"),
    ("endpoints.censoring", "if start <= day <= horizon and", "if start < day <= horizon and",
     "extra censoring on the day of the origin"),
    ("endpoints.censoring", "if start <= day <= horizon and", "if day <= horizon and", "extra censoring before the origin"),
    ("endpoints.censoring", "if start <= day <= horizon and", "if start <= day and", "extra censoring after the horizon"),
    ("endpoints.censoring", "day < found.after):", "day > found.after):", "the earliest extra censoring"),
    ("endpoints.censoring", "not day < first.day <= fact.until", "not day < first.day", "a gap that was closed"),
    ("endpoints.censoring", "first.fact is None or not day < first.day <= fact.until", "False",
     "a gap censors only the event in it"),
    ("endpoints.censoring", "if start <= (f.date or day) <= day]", "if (f.date or day) <= day]",
     "the censoring date is not before the origin"),
    ("endpoints.censoring", "if start <= (f.date or day) <= day]", "if start <= (f.date or day)]",
     "the censoring date is the last before"),
    ("endpoints.censoring", "last = seen[-1] if seen", "last = seen[0] if seen", "the last of those before"),
    ("endpoints.censoring", "extra is not None and adt >= extra.after", "extra is not None",
     "extra censoring never adds follow-up"),
    ("endpoints.censoring", "if first.fact is not None and first.day > adt:", "if False:",
     "an outcome that does not count proves contact"),
    ("endpoints.censoring", "elif spec.truncate_day is not None and (contact := history.contact)[0] > adt:", "elif contact := None:",
     "any fact proves contact up to a horizon"),
    ("endpoints.censoring", "adt >= horizon and horizon < limit", "False", "censored at the horizon"),
    ("endpoints.censoring", "if day > adt or (last is None and day == adt):", "if last is None:",
     "the latest of several censoring milestones, not before the origin"),
    ("endpoints.censoring", "spec.censors_alive and adt < limit and history.outlived", "False",
     "a death after the cut-off proves life at the cut-off"),
    ("endpoints.censoring", "spec.censors_alive and adt < limit and history.outlived", "history.outlived",
     "but is no disease assessment"),
    ("endpoints.milestones", "return fact.date or fact.lower or date.min", "return fact.date or date.min",
     "a death on no certain day after the cut-off proves life there"),
    ("endpoints.milestones", "latest > self.cutoff else", "False else", "contact beyond the cut-off"),
    ("endpoints.milestones", "max([*self._reference(definition), *whole], default=None)",
     "max(self._reference(definition), default=None)", "a death lies not before a relapse"),
    ("endpoints.milestones", "day = fact.lower if fact.date is None else fact.date", "day = fact.date",
     "undatable after the cut-off in any case"),
    ("endpoints.milestones", "if day is None or day <= cutoff:", "if True:", "the cut-off"),
    ("endpoints.milestones", "if day is None or day <= cutoff:", "if day is None or day < cutoff:",
     "the day of the cut-off"),
    ("endpoints.milestones", "elif clamped and fact.date is not None:", "elif fact.date is not None:",
     "clamped only what says so"),
    ("endpoints.milestones", "dated.sort(key=_DAY)", "pass", "in the order of time"),
    ("endpoints.milestones", "if len(facts) > 1 and name in self.definitions.once:", "if False:", "once means one day"),
    ("endpoints.milestones", "None if _is_later(alive, self.cutoff) else self.cutoff", "self.cutoff",
     "a death after proof of life beyond the cut-off"),
    ("endpoints.milestones", '"alive": alive,', "", "not before last known alive"),
    ("endpoints.milestones", "until=stated.upper", "", "a negative assessment of a later remission"),
    ("endpoints.milestones", "best.date is not None and all(_allows(fact, best.date) for fact in known)", "best.date",
     "two days of one death"),
    ("endpoints.milestones", "min(known, key=_width, default=facts[0])", "facts[0]", "the most precise page"),
    ("endpoints.milestones", "if policy is Policy.DEATH and stated is None else fact", "if False else fact",
     "an unknown death is not before the last contact"),
    ("endpoints.operators", "if len(facts) < len(firsts):", "if not facts:", "all of latest_of"),
    ("endpoints.operators", "latest = max(known", "latest = min(known", "the latest of latest_of"),
    ("endpoints.operators", '"after": gt', '"after": ge', "strictly after"),
    ("endpoints.operators", '"on_or_after": ge', '"on_or_after": gt', "on or after"),
    ("endpoints.operators", '"before": lt', '"before": le', "strictly before"),
    ("endpoints.operators", '"on_or_before": le', '"on_or_before": lt', "on or before"),
    ("endpoints.operators", "track if from_above else NOTHING", "NOTHING", "what did not happen limits nothing from above"),
    ("endpoints.operators", "track if from_above else NOTHING", "track", "after what did not happen there is nothing"),
    ("endpoints.operators", "opens <= _day(proof) <= closes", "opens < _day(proof) <= closes", "the first confirming day"),
    ("endpoints.operators", "opens <= _day(proof) <= closes", "opens <= _day(proof) < closes", "the last confirming day"),
    ("endpoints.operators", "_day(track.dated[0]) <= landmark", "_day(track.dated[0]) < landmark", "the landmark day"),
    ("endpoints.operators", "_day(fact) > start.date for fact", "_day(fact) >= start.date for fact",
     "assessed after the landmark began"),
    ("endpoints.operators", "if rule.assessed is not None:", "if False:", "not evaluable is no failure"),
    ("endpoints.operators", "planned.opens > last", "True", "a visit kept in its window"),
    ("endpoints.operators", "planned.closes < following", "True", "a visit whose window holds the next assessment"),
    ("endpoints.operators", "planned.visit in rule.visits and", "", "only the visits named"),
    ("endpoints.operators", "passed[rule.missed - 1]", "passed[0]", "when the last of the missed visits closes"),
    ("endpoints.operators", ".days > rule.days else None", ".days >= rule.days else None", "more than so many days"),
    ("endpoints.operators", "if track.doubts:  #", "if False:  #", "an unknown day may close a gap"),
    ("endpoints.operators", "dated = [fact for fact in track.dated if _day(fact) <= day]", "dated = track.dated",
     "the last on or before"),
    ("endpoints.table", "if seen:  #", "if False:  #", "an assessment needs a living patient"),
    ("endpoints.table", "fact.lower > cutoff:", "False:", "a summary date is shown at the cut-off"),
    ("dates", "MID_DAY = 15", "MID_DAY = 1", "the middle of the month"),
    ("dates", "MID_YEAR = (6, 30)", "MID_YEAR = (7, 1)", "30 June"),
    ("dates", "earliest <= cutoff <= latest", "False", "not after the cut-off in its period"),
    ("dates", "earliest = max(earliest, alive)", "pass", "not before last known alive"),
    ("dates", "shifted(last_negative, 1)", "last_negative", "the day after the last negative"),
    ("dates", "if day > partial.upper:", "if False:", "never leaving the stated period"),
    ("dates", "partial.lower <= first_dose <= partial.upper", "True", "first dose only in its own period"),
    ("dates", "day = partial.upper\n", "day = partial.lower\n", "the last day of an end"),
]  # fmt: skip


@contextmanager
def broken(module: str, stands: str, breaks: str) -> Iterator[None]:
    """Fresh copies of the clinical modules, one of them changed; the real ones are put back afterwards."""
    name = f"app.clinical.{module}"
    spec = find_spec(name)
    assert spec is not None
    source = Path(str(spec.origin)).read_text(encoding="utf-8")
    assert source.count(stands) == 1, f"{name} has changed: update this mutant"
    kept = {key: sys.modules.pop(key) for key in list(sys.modules) if key.startswith("app.clinical")}
    package = app.clinical  # type: ignore[attr-defined]
    try:
        changed = module_from_spec(spec)
        sys.modules[name] = changed
        exec(compile(source.replace(stands, breaks), str(spec.origin), "exec"), changed.__dict__)  # noqa: S102
        yield
    finally:
        for key in [key for key in sys.modules if key.startswith("app.clinical")]:
            del sys.modules[key]
        sys.modules.update(kept)
        app.clinical = package  # type: ignore[attr-defined]


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{mutant[0]} {mutant[3]}" for mutant in MUTANTS])
def test_a_broken_rule_is_noticed(mutant):
    module, stands, breaks, _ = mutant
    with broken(module, stands, breaks):
        try:
            noticed = bool(Engine(importlib.import_module).failures())
        except (AttributeError, TypeError, IndexError):
            noticed = True
        assert noticed


def test_the_rules_as_they_stand_break_nothing():
    assert Engine(importlib.import_module).failures() == []
