"""What looks wrong, kept in step with the data: a finding opens when its cause appears and closes when it is gone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from app import models
from app.audit import Change
from app.models.capture import FindingState, Severity
from app.quality.queries.follow import follow


class Observation(NamedTuple):
    """Something that looks wrong now. `detail` holds limits and labels, never the value itself.

    `fingerprint` tells the values that gave rise to it from any others, so that what is asked of one value is not
    taken for asked of the next.
    """

    record_id: UUID | None
    item: str
    row: int | None
    rule: str
    detail: Mapping[str, Any]
    severity: str = Severity.QUERY.value
    fingerprint: str = ""


def reconcile(
    made: Change,
    subject_id: str,
    standing: Sequence[Mapping[str, Any]],
    observed: Iterable[Observation],
) -> list[Mapping[str, Any]]:
    """Open what is observed and not open yet; close what is open and no longer observed; queries follow.

    The rows that are open afterwards.

    `standing` are the open findings that this act could have changed; each observation is open at most once.
    """
    new, gone = differing(standing, observed)
    made.update_all(models.finding, gone, state=FindingState.CLOSED.value, closed_at=made.at, change_id=made.change_id)
    opened = [_opened(made, subject_id, each) for each in new]
    made.insert(models.finding, *opened)
    follow(made, subject_id, opened, gone)
    closed = {row["finding_id"] for row in gone}
    return [*(row for row in standing if row["finding_id"] not in closed), *opened]


def _opened(made: Change, subject_id: str, each: Observation) -> dict[str, Any]:
    return {
        "study_id": made.study_id,
        "finding_id": uuid4(),
        "subject_id": subject_id,
        "record_id": each.record_id,
        "item": each.item,
        "row": each.row,
        "rule": each.rule,
        "detail": dict(each.detail),
        "severity": str(each.severity),
        "fingerprint": each.fingerprint,
        "state": FindingState.OPEN.value,
        "opened_at": made.at,
        "closed_at": None,
        "change_id": made.change_id,
    }


def differing(
    standing: Sequence[Mapping[str, Any]], observed: Iterable[Observation]
) -> tuple[list[Observation], list[Mapping[str, Any]]]:
    """What is observed and not open yet, and what is open and no longer observed.

    The same rule at the same item over other values, or asking for something else, is another finding.
    """
    wanted = {(each.record_id, each.item, each.row, each.rule): each for each in observed}
    present = {(row["record_id"], row["item"], row["row"], row["rule"]): row for row in standing}
    same = {key for key in wanted.keys() & present.keys() if _same(present[key], wanted[key])}
    new = [each for key, each in wanted.items() if key not in same]
    return new, [row for key, row in present.items() if key not in same]


def _same(row: Mapping[str, Any], each: Observation) -> bool:
    """Null in a row means what was meant before there were the columns."""
    told = (row["severity"] or Severity.QUERY.value, row["fingerprint"] or "")
    return told == (each.severity, each.fingerprint)
