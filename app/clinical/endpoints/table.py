"""Endpoints from a bare table: one row per case, one column per milestone, no database.

For a statistician who wants to try a definition. A column named as a milestone is that milestone, also where the
study reads it from pages or derives it; the other derived milestones still derive.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from app.clinical.dates import Partial, Precision, Query, parse
from app.clinical.endpoints.definition import LAST_ALIVE, PRIMARY, Endpoint, Milestone, Rate
from app.clinical.endpoints.engine import evaluate
from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import Occurrence, occurrence
from app.clinical.endpoints.result import Result, Spec, Status, compile_specs
from app.clinical.endpoints.words import sentence

Study = tuple[Sequence[Milestone], Sequence[Endpoint], Sequence[Rate]]

LAST_ASSESSMENT = "last_da"
SUMMARIES = (LAST_ASSESSMENT, LAST_ALIVE)  # columns that hold the last of many dates: shown at the cut-off when later
ADDED = ("status", "adt", "days", "cnsr", "adtf", "explanation", "error")


class _Compiled(NamedTuple):
    milestones: Milestones
    specs: Mapping[tuple[str, str], Spec]


class _UnreadableError(Exception):
    """What is wrong with a row; never leaves this module."""


def evaluate_rows(studies: Mapping[str, Study], rows: Iterable[Mapping[Any, Any]]) -> Iterator[dict[str, Any]]:
    """Each row as it came, with the columns of `ADDED`; `studies`: trial short name -> its definitions.

    A row that cannot be read gets the status QUERY and its error, never an exception. Dates may be partial. An empty
    variant means PRIMARY. Column names, trials, endpoints and variants are read without regard to case and spaces.
    """
    compiled: dict[str, _Compiled] = {}
    by_short = {_key(short): study for short, study in studies.items()}
    for row in rows:
        added: dict[str, Any] = dict.fromkeys(ADDED, "")
        try:
            result = _row(by_short, compiled, row)
        except _UnreadableError as unreadable:
            added |= {"status": str(Status.QUERY), "error": str(unreadable)}
        else:
            added |= {
                "status": str(result.status),
                "adt": "" if result.adt is None else result.adt.isoformat(),
                "days": "" if result.days is None else result.days,
                "cnsr": "" if result.cnsr is None else result.cnsr,
                "adtf": result.flag,
                "explanation": sentence(result, "en"),
            }
        yield {str(column): cell for column, cell in row.items() if column is not None} | added


def _row(studies: Mapping[str, Study], compiled: dict[str, _Compiled], row: Mapping[Any, Any]) -> Result:
    if None in row:
        raise _UnreadableError("The row has more cells than the table has columns: look for a comma too many")
    cells = {str(column).strip().lower(): str(cell or "").strip() for column, cell in row.items()}
    short = _key(cells.get("trial", ""))
    if short not in compiled:
        if short not in studies:
            raise _UnreadableError(f"The column `trial` names no known trial: write one of {', '.join(studies)}")
        definitions, endpoints, _ = studies[short]
        made = Milestones(definitions, endpoints)
        compiled[short] = _Compiled(made, {(spec.code, spec.variant): spec for spec in compile_specs(endpoints, made)})
    milestones, specs = compiled[short]
    code, variant = _key(cells.get("endpoint", "")), _key(cells.get("variant", "")) or PRIMARY
    spec = specs.get((code, variant))
    if spec is None:
        known = [one for other, one in specs if other == code]
        if known:
            raise _UnreadableError(f"{code} has no such variant: write one of {', '.join(known)}")
        raise _UnreadableError(f"No such endpoint: write one of {', '.join(dict.fromkeys(one for one, _ in specs))}")
    if absent := sorted(_needed(spec, set(cells))):
        raise _UnreadableError(
            f"{code} {variant} needs the column {', '.join(absent)}: add it, empty where nothing happened"
        )
    cutoff = _cutoff(cells.get("cutoff", ""))
    return evaluate(spec, History(milestones, _captured(milestones, cells, cutoff), cutoff))


def _key(text: str) -> str:
    return text.strip().upper()


def _needed(spec: Spec, columns: set[str]) -> set[str]:
    """The columns the endpoint cannot do without, in this table."""
    names = {*spec.population, spec.origin, *(name for name, _ in spec.outcomes), *spec.censor}
    names |= {name for rule in spec.censor_at for name in rule if name is not None}
    names |= {spec.entry} if spec.entry else set()
    return {absent for name in names for absent in _absent(name, spec.milestones, columns)}


def _absent(name: str, milestones: Milestones, columns: set[str]) -> set[str]:
    definition = milestones.derived.get(name)
    if name in columns:
        return set()
    if definition is None or (definition.of in SUMMARIES and definition.operator in {"gap", "last_before"}):
        return {name}  # of many assessments the table knows the last one only: no gaps, no last before
    # What only limits another (`before`) may be left out: nothing is limited then.
    limits = {"before", "on_or_before"}
    operands = {operand for key, operand in definition.operands.items() if key not in limits} - {"origin"}
    return {absent for operand in operands for absent in _absent(operand, milestones, columns)}


def _cutoff(cell: str) -> date | None:
    if not cell:
        return None
    read = parse(cell)
    if isinstance(read, Query) or read.precision is not Precision.DAY:
        raise _UnreadableError("cutoff: write a whole date as YYYY-MM-DD")
    return read.lower


def _captured(milestones: Milestones, cells: Mapping[str, str], cutoff: date | None) -> dict[str, list[Occurrence]]:
    """One occurrence per filled column; an empty column says that it did not happen."""
    captured: dict[str, list[Occurrence]] = {}
    for name in (*milestones.by_name, *({LAST_ALIVE} - milestones.by_name.keys())):
        if name not in cells:
            continue
        cell = cells[name]
        if isinstance(read := parse(cell), Query) and cell:
            raise _UnreadableError(f"{name}: {read.message}")
        captured[name] = [occurrence(cell)] if isinstance(read, Partial) else []
    seen = [fact for name in SUMMARIES for fact in captured.get(name, []) if fact.lower is not None]
    if seen:  # an assessment needs a living patient as well
        captured[LAST_ALIVE] = [max(seen, key=lambda fact: fact.lower or date.min)]
    _close_gaps(milestones, captured)
    for fact in captured.get(LAST_ASSESSMENT, []):
        if cutoff is not None and fact.lower is not None and fact.lower > cutoff:
            captured[LAST_ASSESSMENT] = [fact._replace(date=cutoff)]
    return captured


def _close_gaps(milestones: Milestones, captured: dict[str, list[Occurrence]]) -> None:
    """A gap that is given ends with the last assessment, where that is later; otherwise it is open."""
    last = max((fact.lower for fact in captured.get(LAST_ASSESSMENT, []) if fact.lower is not None), default=date.min)
    for name, definition in milestones.derived.items():
        if definition.operator == "gap" and name in captured:
            captured[name] = [
                fact._replace(until=last if fact.upper is not None and fact.upper < last else date.max)
                for fact in captured[name]
            ]
