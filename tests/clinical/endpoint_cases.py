# ruff: noqa: E501 - one case per line
"""The cases every endpoint rule is tested on: tables of one date per column, and histories written in one line."""

import csv
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
TABLES = ("endpoints.csv", "endpoints_more.csv")


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / "vectors" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load(definition: ModuleType, name: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Milestones, endpoints and rates of one definition file, as models of the given module."""
    data = tomllib.loads((HERE / "definitions" / f"{name}.toml").read_text(encoding="utf-8"))
    return (
        [definition.Milestone(**entry) for entry in data["milestone"]],
        [definition.Endpoint(**entry) for entry in data["endpoint"]],
        [definition.Rate(**entry) for entry in data.get("rate", [])],
    )


def facts(occurrence: Any, text: str) -> dict[str, list[Any]]:
    """ "a 2024-01-01, a 2024-02, death ?" -> occurrences by milestone; "?" is a fact on an unknown day."""
    found: dict[str, list[Any]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, raw = part.partition(" ")
        found.setdefault(name, []).append(occurrence("" if raw == "?" else raw))
    return found


def planned(make: Any, text: str) -> list[Any]:
    """ "V1 2024-02-01 2024-02-11" -> planned visits with their windows."""
    visits = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        code, opens, closes = part.split()
        first, last = date.fromisoformat(opens), date.fromisoformat(closes)
        visits.append(make(code, first, first, last))
    return visits


VISITS = "V1 2024-02-01 2024-02-10, V2 2024-03-01 2024-03-10, V3 2024-04-01 2024-04-10, OTHER 2024-02-15 2024-02-16"

# (variant of endpoint X, facts, cut-off, planned visits, expected "status adt", what it shows); time zero 2024-01-01
SHAPES: list[tuple[str, str, str, str, str, str]] = [
    ("PRIMARY", "a 2024-02-01, a 2024-01-15", "", "", "1 2024-01-15", "the first of several"),
    ("PRIMARY", "a 2023-12-31, a 2024-03-01", "", "", "1 2024-03-01", "history, then an event"),
    ("PRIMARY", "a ?, seen 2024-03-01", "", "", "QUERY", "an event on an unknown day"),
    ("PRIMARY", "a 2024-02-30, seen 2024-03-01", "", "", "QUERY", "an event on an impossible day"),
    ("PRIMARY", "a 2024-01-01, a ?", "", "", "1 2024-01-01", "another on an unknown day cannot be earlier than the time zero"),
    ("PRIMARY", "a 2024-02-01, a ?", "", "", "QUERY", "one of two events on an unknown day could be earlier"),
    ("PRIMARY", "seen 2024-02-01, seen 2024-03-01", "", "", "0 2024-03-01", "the latest censoring fact"),
    ("PRIMARY", "seen 2024-02-01, seen 2024-03-01", "2024-02-15", "", "0 2024-02-01", "the latest by the cut-off"),
    ("PRIMARY", "seen ?, seen 2024-02-01", "", "", "0 2024-02-01", "an assessment on an unknown day proves nothing"),
    ("PRIMARY", "seen 2023-12-01", "", "", "0 2024-01-01", "assessed before the time zero only"),
    ("PRIMARY", "a 2024-02-01, death 2023-12-31", "", "", "QUERY", "a once fact before the time zero"),
    ("PRIMARY", "a 2024-02-01, death 2023-12", "", "", "QUERY", "a once fact in a month before the time zero"),
    ("PRIMARY", "a 2024-02-01, death 2023-12, last_alive 2024-01-05", "", "", "QUERY", "the same, undatable"),
    ("PRIMARY", "a 2024-02-01, death ?", "", "", "1 2024-02-01", "an unknown death is no matter where it is no outcome"),
    ("EITHER", "b 2024-02-01, a 2024-03-01", "", "", "1 2024-02-01", "union"),
    ("EITHER", "b ?, a 2024-03-01", "", "", "QUERY", "union keeps what has no day"),
    ("BOTH", "b 2024-02-01, a 2024-03-01, a 2024-04-01", "", "", "1 2024-03-01", "the last of the firsts"),
    ("BOTH", "a 2024-03-01", "", "", "0 2024-01-01", "not all have happened"),
    ("BOTH", "a 2024-03-01, b ?", "", "", "QUERY", "all have happened, one on an unknown day"),
    ("BOTH", "a ?, b ?", "", "", "QUERY", "all have happened on unknown days"),
    ("FIRST", "a 2023-12-01, a 2024-03-01", "", "", "0 2024-01-01", "the first of all, and it is history"),
    ("FIRST", "a 2024-03-01, a ?", "", "", "QUERY", "which is the first is not certain"),
    ("FIRST", "b 2024-03-01", "", "", "0 2024-01-01", "nothing to be first"),
    ("LAST", "a 2024-02-01, a 2024-03-01", "", "", "1 2024-03-01", "the last of all"),
    ("LAST", "a 2024-02-01, a ?", "", "", "QUERY", "which is the last is not certain"),
    ("LAST", "seen 2024-02-01", "", "", "0 2024-02-01", "nothing to be last"),
    ("AFTER", "b 2024-02-01, b 2024-05-01, a 2024-02-01, a 2024-03-01", "", "", "1 2024-03-01", "after the first b"),
    ("AFTER", "a 2024-02-01", "", "", "0 2024-01-01", "after what did not happen: none"),
    ("AFTER", "a 2024-02-01, b ?", "", "", "QUERY", "after an unknown day"),
    ("AFTER", "a ?, b 2024-02-01", "", "", "QUERY", "an unknown day may be after"),
    ("FROM", "b 2024-02-01, a 2024-02-01", "", "", "1 2024-02-01", "on or after: the day itself"),
    ("FROM", "b 2024-02-01, a 2024-01-31", "", "", "0 2024-01-01", "on or after: not the day before"),
    ("BEFORE", "b 2024-02-01, a 2024-02-01", "", "", "0 2024-01-01", "before: not the day itself"),
    ("BEFORE", "b 2024-02-01, a 2024-01-31", "", "", "1 2024-01-31", "before: the day before"),
    ("BEFORE", "a 2024-02-01", "", "", "1 2024-02-01", "before what did not happen: all"),
    ("BEFORE", "a ?, b 2024-02-01", "", "", "QUERY", "an unknown day may be before"),
    ("UNTIL", "b 2024-02-01, a 2024-02-01", "", "", "1 2024-02-01", "on or before: the day itself"),
    ("UNTIL", "b 2024-02-01, a 2024-02-02", "", "", "0 2024-01-01", "on or before: not the day after"),
    ("ZERO", "a 2024-01-01, a 2024-02-01, b 2024-03-01", "", "", "1 2024-02-01", "compared with the time zero itself"),
    ("ZERO", "a 2024-04-01, b 2024-03-01", "", "", "0 2024-01-01", "two filters at once"),
    ("LASTBEF", "a 2024-02-01, a 2024-03-01, a 2024-05-01, b 2024-04-01", "", "", "1 2024-03-01", "the last before"),
    ("LASTBEF", "a 2024-02-01, a 2024-04-01, b 2024-04-01", "", "", "1 2024-04-01", "the same day is not too late"),
    ("LASTBEF", "a 2024-02-01", "", "", "0 2024-01-01", "b did not happen"),
    ("LASTBEF", "a 2024-05-01, b 2024-04-01", "", "", "0 2024-01-01", "none before"),
    ("LASTBEF", "a 2024-02-01, b ?", "", "", "QUERY", "before an unknown day"),
    ("LASTBEF", "a 2024-02-01, a ?, b 2024-04-01", "", "", "QUERY", "an unknown day may be the last before"),
    ("CONFIRM", "a 2024-02-01, b 2024-02-11", "", "", "1 2024-02-01", "confirmed on the first possible day"),
    ("CONFIRM", "a 2024-02-01, b 2024-02-21", "", "", "1 2024-02-01", "confirmed on the last possible day"),
    ("CONFIRM", "a 2024-02-01, b 2024-02-10", "", "", "0 2024-01-01", "too early to confirm"),
    ("CONFIRM", "a 2024-02-01, b 2024-02-22", "", "", "0 2024-01-01", "too late to confirm"),
    ("CONFIRM", "a 2024-02-01, a 2024-03-01, b 2024-03-15", "", "", "1 2024-03-01", "the confirmed one, not the first"),
    ("CONFIRM", "a 2024-02-01, b 2024-02-15", "2024-02-10", "", "0 2024-01-01", "not confirmed yet at the cut-off"),
    ("CONFIRM", "a 2024-02-01, b ?", "", "", "QUERY", "an unknown day may confirm"),
    ("CONFIRM", "a ?, b 2024-02-15", "", "", "QUERY", "an unknown day may be confirmed"),
    ("CONFIRM", "a ?", "", "", "0 2024-01-01", "nothing could confirm it"),
    ("ABSENT", "a 2024-02-01", "", "", "1 2024-01-31", "nothing by the landmark"),
    ("ABSENT", "a 2024-01-31", "", "", "0 2024-01-01", "something on the landmark day"),
    ("ABSENT", "a ?", "", "", "QUERY", "something on an unknown day"),
    ("ABSENT", "a 2024-02-01", "2024-01-30", "", "0 2024-01-01", "the landmark is after the cut-off"),
    ("ASSESSED", "b 2024-02-01, seen 2024-02-02", "", "", "1 2024-03-02", "nothing by the landmark, and assessed"),
    ("ASSESSED", "b 2024-02-01, seen 2024-02-01", "", "", "0 2024-02-01", "not assessed after the landmark began"),
    ("ASSESSED", "b 2024-02-01, seen ?", "", "", "QUERY", "assessed on an unknown day"),
    ("ASSESSED", "b ?, seen 2024-02-01", "", "", "QUERY", "the landmark itself is unknown"),
    ("ASSESSED", "seen 2024-02-01", "", "", "0 2024-02-01", "no landmark"),
    ("SHIFT", "a 2024-02-01", "", "", "1 2024-02-11", "shifted"),
    ("SHIFT", "a 2024-02-01", "2024-02-10", "", "0 2024-01-01", "shifted beyond the cut-off"),
    ("SHIFT", "a ?", "", "", "QUERY", "shifted from an unknown day"),
    ("SHIFT", "a 9999-12-31", "", "", "1 9999-12-31", "the calendar ends"),
    ("GAPVIS", "a 2024-03-11", "", VISITS, "0 2024-01-01", "two visits missed, nothing seen before"),
    ("GAPVIS", "a 2024-03-10", "", VISITS, "1 2024-03-10", "the second visit could still have been kept"),
    ("GAPVIS", "seen 2024-02-10, a 2024-03-20", "", VISITS, "1 2024-03-20", "one visit missed: the event counts"),
    ("GAPVIS", "seen 2024-02-10, a 2024-04-11", "", VISITS, "0 2024-02-10", "two missed: censored before the gap"),
    ("GAPVIS", "seen 2024-02-01, a 2024-04-11, seen 2024-04-11", "", VISITS, "0 2024-02-01", "found at the next visit"),
    ("GAPVIS", "seen 2024-03-20, a 2024-05-01", "", VISITS, "1 2024-05-01", "the gap was closed before the event"),
    ("GAPVIS", "seen 2024-02-20, a 2024-04-11", "", VISITS, "0 2024-02-20", "an unscheduled assessment before the gap"),
    ("GAPVIS", "seen 2024-05-01", "", VISITS, "0 2024-05-01", "a gap without event: the last assessment"),
    ("GAPVIS", "a 2024-05-01", "", "", "1 2024-05-01", "no visits planned"),
    ("GAPVIS", "seen ?, a 2024-05-01", "", VISITS, "QUERY", "an assessment on an unknown day may close the gap"),
    ("GAPDAYS", "seen 2024-01-21, a 2024-03-21", "", "", "1 2024-03-21", "day 60 is no gap yet"),
    ("GAPDAYS", "seen 2024-01-21, a 2024-03-22", "", "", "0 2024-01-21", "day 61: censored before the gap"),
    ("GAPDAYS", "seen 2023-12-01, a 2024-03-21", "", "", "0 2024-01-01", "the time zero begins the count"),
    ("GAPDAYS", "seen 2024-01-21, seen 2024-03-21, a 2024-04-01", "", "", "1 2024-04-01", "no gap"),
    ("GAPEVENT", "seen 2024-01-21, seen 2024-03-21, seen 2024-06-01", "", "", "1 2024-05-20", "a gap as an event"),
    ("CENSB", "seen 2024-02-01, seen 2024-04-01, b 2024-03-01, a 2024-05-01", "", "", "0 2024-02-01", "at the last before"),
    ("CENSB", "b 2024-03-01, a 2024-05-01", "", "", "0 2024-01-01", "nothing before: the time zero"),
    ("CENSB", "seen 2023-12-01, b 2024-03-01, a 2024-05-01", "", "", "0 2024-01-01", "before the time zero does not count"),
    ("CENSB", "seen 2024-02-01, b 2024-03-01, a 2024-03-01", "", "", "1 2024-03-01", "an event of that day counts"),
    ("CENSBD", "b 2024-04-01, negative 2024-03-01, a 2024-05-01", "", "", "0 2024-03-01", "the earliest of two"),
    ("CENSBD", "b 2024-03-01, negative 2024-04-01, a 2024-05-01", "", "", "0 2024-03-01", "the earliest of two, listed first"),
    ("CENSBD", "b ?, a 2024-05-01", "", "", "QUERY", "extra censoring on an unknown day"),
    ("CENSBD", "b ?, seen 2024-05-01", "", "", "QUERY", "extra censoring on an unknown day, no event"),
    ("CENSBD", "b ?", "", "", "0 2024-01-01", "extra censoring on an unknown day has nothing to end"),
    ("CENSBD", "zero 2024-01-10, b 2024-01, a 2024-05-01", "", "", "QUERY", "its month holds the time zero: before or after?"),
    ("CENSBD", "zero 2024-01-10, b 2024-01, seen 2024-05-01", "", "", "QUERY", "the same without an event"),
    ("CENSBD", "zero 2024-01-10, b 2024-01, a 2024-01-10", "", "", "1 2024-01-10", "an event of the time zero counts in any case"),
    ("CENSBD", "zero 2024-02-10, b 2024-01, a 2024-05-01", "", "", "1 2024-05-01", "a month before the time zero is history"),
    ("CENSBD", "zero 2024-01-10, negative 2024-01-20, b 2024-01, a 2024-05-01", "", "", "QUERY", "it may be the earlier of two"),
    ("HORIZON", "a 2024-04-11, b 2024-05-01", "", "", "0 2024-04-10", "extra censoring after the horizon"),
    ("HORIZON", "a 2024-04-10, b 2024-05-01", "", "", "1 2024-04-10", "the last day that counts"),
    ("HORIZON", "a 2024-04-11, b 2024-03-01", "", "", "0 2024-03-01", "extra censoring before the horizon"),
    ("HORIZON", "negative 2024-03-01", "", "", "0 2024-03-01", "any fact proves contact under a horizon"),
    ("HORIZON", "a ?, seen 2024-06-01", "", "", "QUERY", "an unknown day may lie within the horizon"),
    ("DELAYED", "b 2024-02-01, seen 2024-03-01", "", "", "0 2024-03-01", "at risk from entry"),
    ("DELAYED", "b 2024-02-01, a 2024-01-31", "", "", "NA", "the event was before entry"),
    ("DELAYED", "b 2024-02-01, a 2024-02-01", "", "", "1 2024-02-01", "the event on the day of entry"),
    ("REDATED", "b 2024-02-01, a 2024-02-01", "", "", "NA", "put on the time zero, and that was before entry"),
    ("REDATED", "b 2023-12-01, a 2024-02-01", "", "", "1 2024-01-01", "at risk from the time zero"),
    ("DELAYED", "b 2024-02-01, seen 2024-01-15", "", "", "NA", "follow-up ended before entry"),
    ("DELAYED", "b 2023-12-01, seen 2024-01-15", "", "", "0 2024-01-15", "entered before the time zero"),
    ("DELAYED", "seen 2024-01-15", "", "", "NA", "never entered"),
    ("DELAYED", "b 2024-03-01, seen 2024-01-15", "2024-02-01", "", "NA", "entered after the cut-off"),
    ("DELAYED", "b ?, seen 2024-01-15", "", "", "QUERY", "entered on an unknown day"),
    ("DELAYED", "b 2024-02-01, a ?", "", "", "QUERY", "a question comes before entry"),
    ("DELAYED", "a ?", "", "", "NA", "nobody asks about one who never entered"),
    ("DELAYED", "zero 2024-01-10, b 2024-01, a 2024-01-30", "", "", "QUERY", "the month of entry holds the time zero: at risk?"),
    ("DELAYED", "zero 2024-01-10, b 2024-01, a 2024-01-31", "", "", "1 2024-01-31", "at risk on the last day it can have been"),
    ("DELAYED", "b 2023-05-01, b ?, a 2024-03-01", "", "", "1 2024-03-01", "entered before, whenever the other was"),
    ("DELAYED", "zero 2024-01-10, b 2023-12, a 2024-01-15", "", "", "1 2024-01-15", "entered before the time zero in any case"),
    ("RELAPSE", "relapse 2024-05, negative 2024-05-12", "", "", "1 2024-05-13", "the day after the last negative"),
    ("RELAPSE", "relapse 2024-05, negative 2024-05-12, negative 2024-08-01", "", "", "1 2024-05-13", "a later negative is another remission"),
    ("RELAPSE", "relapse 2024-05, negative 2024-05-31", "", "", "QUERY", "no day left"),
    ("RELAPSE", "zero 2024-02-01, relapse 2024", "", "", "QUERY", "the year holds the time zero: before or after?"),
    ("RELAPSE", "relapse 2024, negative 2024-02-01", "", "", "1 2024-02-02", "after the last negative it is certain"),
    ("RELAPSE", "relapse 2024-05-01, death ?, last_alive 2024-05-01", "", "", "1 2024-05-01", "an unknown death is not before the last contact"),
    ("RELAPSE", "relapse 2024-05-02, death ?, last_alive 2024-05-01", "", "", "1 2024-05-02", "nor before the relapse"),
    ("RELAPSE", "relapse 2024-05, death ?, last_alive 2024-04-01", "", "", "QUERY", "an unknown death may be before"),
    ("RELAPSE", "relapse 2024-05-27, death 2024-05, last_alive 2024-05-10", "", "", "1 2024-05-27", "a death lies not before a relapse of its month"),
    ("RELAPSE", "relapse 2024-06-02, death 2024-05, last_alive 2024-05-10", "", "", "QUERY", "a relapse after the month of death"),
    ("RELAPSE", "death ?, last_alive 2024-05-01", "", "", "QUERY", "known dead, date unknown"),
    ("RELAPSE", "death ?, last_alive 2024-05-01", "2024-04-01", "", "0 2024-04-01", "dead after the cut-off in any case"),
    ("RELAPSE", "death 2024-05-01, death 2024-05-02", "", "", "QUERY", "two days of one death"),
    ("RELAPSE", "death 2024-05-01, death 2024-05-02", "2024-04-01", "", "0 2024-04-01", "alive at the cut-off on either"),
    ("RELAPSE", "relapse 2024-06-02, death 2024-05", "2024-04-01", "", "0 2024-04-01", "a contradiction after the cut-off"),
    ("HORIZON", "death 2024-05-01, death 2024-05-02", "", "", "0 2024-04-10", "either day proves contact up to the horizon"),
    ("RELAPSE", "relapse 2024-03-01, death 2024-05-01, death 2024-05-02", "", "", "1 2024-03-01", "both after the relapse"),
    ("RELAPSE", "death 2024-05, death 2024-05-20", "", "", "2 2024-05-20", "the more precise page"),
    ("RELAPSE", "zero 2024-02-10, relapse 2024-02-10, death 2024-02, last_alive 2024-03-01", "", "", "1 2024-02-10", "what happens once lies not before the time zero"),
    ("RELAPSE", "zero 2024-02-10, relapse 2024-02-11, death 2024-02, last_alive 2024-03-01", "", "", "QUERY", "but it may lie before the relapse"),
    ("RELAPSE", "death ?, death 2024-05-20", "", "", "2 2024-05-20", "a page without the date, and one with it"),
    ("RELAPSE", "death ?, death ?", "", "", "QUERY", "two pages without the date"),
    ("RELAPSE", "death 2024-05-20, death 2024-05-20", "", "", "2 2024-05-20", "two pages that agree"),
    ("RELAPSE", "last_alive 2024-05", "", "", "0 2024-05-01", "alive dates: first day"),
    ("REACT", "reaction 2024-02, b 2024-02-10", "", "", "1 2024-02-10", "not before the first dose in its month"),
    ("REACT", "reaction 2024-02, b 2024-03-10", "", "", "1 2024-02-01", "an earlier month: the first day"),
    ("RECOVER", "recovery 2024-02", "", "", "1 2024-02-29", "the last day"),
    ("SWEPT", "swept 2024-06-01, seen 2024-02-01", "2024-05-01", "", "0 2024-05-01", "a state proven after the cut-off"),
    ("SWEPT", "seen 2024-06-01, swept 2024-02-01", "2024-05-01", "", "0 2024-02-01", "but no other fact"),
    ("SWEPT", "swept 2024-03-01, seen 2024-02-01", "2024-05-01", "", "0 2024-03-01", "the later of two censoring facts"),
    ("SWEPT", "swept 2024-02-01, seen 2024-03-01", "2024-05-01", "", "0 2024-03-01", "the later of two, listed second"),
    ("POP", "a 2024-02-01, seen 2024-03-01", "", "", "NA", "one of the population is missing"),
    ("POP", "a ?, seen 2024-03-01", "", "", "NA", "one is missing, the other without a day"),
    ("POP", "a ?, b 2024-02-01, seen 2024-03-01", "", "", "QUERY", "in the population, nobody knows since when"),
    ("POP", "a 2024-02-01, b 2024-02-01, seen 2024-03-01", "", "", "0 2024-03-01", "all of the population"),
    ("POP", "a 2024-02-01, b 2024-02-01, seen 2024-03-01", "2024-01-31", "", "NA", "not in the population yet"),
    ("POPREL", "relapse 2024-05, negative 2024-05-31", "2024-04-01", "", "NA", "undatable, but after the cut-off"),
    ("POPREL", "relapse 2024-05, negative 2024-05-31", "", "", "QUERY", "undatable, so nobody knows"),
    ("RELAPSE", "relapse 2023-05, negative 2023-05-31, last_alive 2024-03-01", "", "", "0 2024-03-01", "undatable history"),
    ("GAPVIS", "seen 2024-01-15, seen 2024-02-10, a 2024-04-11", "", VISITS, "0 2024-02-10", "the last of those before"),
    ("GAPVEV", "seen 2024-02-05, seen 2024-04-05", "", VISITS, "0 2024-04-05", "kept in the last possible window"),
    ("GAPVEV", "seen 2024-02-05, seen 2024-04-11", "", VISITS, "1 2024-04-10", "the gap itself as an event"),
    ("DELREL", "relapse 2024-02-01, relapse 2024-06, negative 2024-06-30, seen 2024-03-01", "", "", "0 2024-03-01", "entered for certain"),
    ("CENSREL", "relapse 2024-06, negative 2024-06-30, a 2024-05-01", "", "", "1 2024-05-01", "undatable, but after the event"),
    ("CENSREL", "relapse 2024-04, negative 2024-04-30, a 2024-05-01", "", "", "QUERY", "undatable, and before the event"),
    ("ASSESSED", "b 2024-02-01, a ?, seen 2024-02-02", "", "", "QUERY", "assessed, and something on an unknown day"),
    ("SHIFTED", "a 2024-02-01, b 2024-03-01", "", "", "1 2024-03-01", "a derived time zero"),
    ("SHIFTED", "a 2024-02-01, b 2024-03-01", "2024-02-10", "", "NA", "a derived time zero after the cut-off"),
    ("PRIMARY", "zero ?, a 2024-02-01", "", "", "QUERY", "a time zero on an unknown day"),
    ("PRIMARY", "zero 2024-01-05, zero ?, a 2024-02-01", "", "", "QUERY", "which time zero is the first?"),
]  # fmt: skip


class Engine:
    """The engine in one set of modules, so that a changed copy can be put through the same cases."""

    def __init__(self, module: Any) -> None:
        self.table = module("app.clinical.endpoints.table")
        self.definition = module("app.clinical.endpoints.definition")
        self.result = module("app.clinical.endpoints.result")
        self.milestones = module("app.clinical.endpoints.milestones")
        self.occurrence = module("app.clinical.endpoints.occurrence")
        self.engine = module("app.clinical.endpoints.engine")
        self.studies = {name: load(self.definition, name) for name in ("000", "001", "004")}
        milestones, endpoints, _ = load(self.definition, "shapes")
        self.shapes = self.milestones.Milestones(milestones)
        self.specs = {spec.variant: spec for spec in self.result.compile_specs(endpoints, self.shapes)}

    def history(self, text: str, cutoff: str = "", visits: str = "") -> Any:
        """A history of the study of shapes, its time zero 2024-01-01 unless `text` says otherwise."""
        known = facts(self.occurrence.occurrence, text if "zero " in text else f"zero 2024-01-01, {text}")
        day = date.fromisoformat(cutoff) if cutoff else None
        return self.milestones.History(self.shapes, known, day, planned(self.occurrence.Planned, visits))

    def shape(self, variant: str, text: str, cutoff: str = "", visits: str = "") -> Any:
        return self.engine.evaluate(self.specs[variant], self.history(text, cutoff, visits))

    def failures(self) -> list[str]:
        """The cases that come out otherwise than expected."""
        failed = []
        for name in TABLES:
            for row in self.table.evaluate_rows(self.studies, rows(name)):
                got = (row["status"], row["adt"], str(row["days"]))
                if got != (row["exp_status"], row["exp_adt"], row["exp_days"]):
                    failed.append(row["id"])
        for variant, text, cutoff, visits, expected, shows in SHAPES:
            if answer(self.shape(variant, text, cutoff, visits)) != expected:
                failed.append(f"{variant}: {shows}")
        return failed


def answer(result: Any) -> str:
    return f"{result.status} {result.adt}" if result.adt is not None else str(result.status)
