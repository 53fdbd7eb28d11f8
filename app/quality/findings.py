"""What looks wrong, kept in step with the data: a finding opens when its cause appears and closes when it is gone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from app import models
from app.audit import Change
from app.models.capture import FindingState


class Observation(NamedTuple):
    """Something that looks wrong now. `detail` holds limits and labels, never the value itself."""

    record_id: UUID | None
    item: str
    row: int | None
    rule: str
    detail: Mapping[str, Any]


def reconcile(
    made: Change,
    subject_id: str,
    standing: Sequence[Mapping[str, Any]],
    observed: Iterable[Observation],
) -> None:
    """Open what is observed and not open yet; close what is open and no longer observed.

    `standing` are the open findings that this act could have changed; each observation is open at most once.
    """
    wanted = {(each.record_id, each.item, each.row, each.rule): each for each in observed}
    present = {(row["record_id"], row["item"], row["row"], row["rule"]): row for row in standing}
    made.insert(
        models.finding,
        *(
            {
                "study_id": made.study_id,
                "finding_id": uuid4(),
                "subject_id": subject_id,
                "record_id": each.record_id,
                "item": each.item,
                "row": each.row,
                "rule": each.rule,
                "detail": dict(each.detail),
                "state": FindingState.OPEN.value,
                "opened_at": made.at,
                "closed_at": None,
                "change_id": made.change_id,
            }
            for key, each in wanted.items()
            if key not in present
        ),
    )
    gone = [row for key, row in present.items() if key not in wanted]
    made.update_all(models.finding, gone, state=FindingState.CLOSED.value, closed_at=made.at, change_id=made.change_id)
