"""What happens to a query is one new state and one message in its thread, stored together."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from app import models
from app.audit import Change
from app.models.queries import QueryAction, QueryState
from app.quality.queries.states import TRANSITIONS, UNRESOLVED


class Speaker(NamedTuple):
    """Who speaks in a thread: the name as it was at the time, and by virtue of which roles."""

    account_id: UUID | None = None
    name: str = "Marrow"
    role: str = "system"


MARROW = Speaker()


def begin(
    made: Change,
    act: QueryAction,
    by: Speaker,
    place: Mapping[str, Any],
    *,
    text: str | None = None,
    finding_id: UUID | None = None,
    assignee: UUID | None = None,
) -> dict[str, Any]:
    """A new query at `place`: subject, record, item, row and rule."""
    query = {
        "study_id": made.study_id,
        "query_id": uuid4(),
        **{name: place[name] for name in ("subject_id", "record_id", "item", "row", "rule")},
        "finding_id": finding_id,
        "confirmed": None,
        "state": QueryState.OPEN.value,
        "assignee": assignee,
        "messages": 1,
        "opened_at": made.at,
        "changed_at": made.at,
        "closed_at": None,
        "change_id": made.change_id,
    }
    made.insert(models.query, query)
    _say(made, query, act, by, text=text, finding_id=finding_id, assignee=assignee)
    return query


def carry_on(
    made: Change,
    act: QueryAction,
    by: Speaker,
    query: Mapping[str, Any],
    *,
    text: str | None = None,
    finding_id: UUID | None = None,
    **values: Any,
) -> dict[str, Any]:
    """Take a query where `act` leads from its state, and say so in its thread. Raises KeyError where it leads nowhere.

    `values` are columns of the query that change with it.
    """
    before = QueryState(query["state"])
    after = TRANSITIONS[before, act]
    values |= {"state": after.value, "messages": query["messages"] + 1, "change_id": made.change_id}
    if finding_id is not None:
        values["finding_id"] = finding_id
    if after != before:
        values["changed_at"] = made.at
    if before not in UNRESOLVED and after in UNRESOLVED:
        values |= {"opened_at": made.at, "closed_at": None}
    elif before in UNRESOLVED and after not in UNRESOLVED:
        values["closed_at"] = made.at
    now = made.update(models.query, query, **values)
    _say(made, now, act, by, text=text, finding_id=finding_id, assignee=values.get("assignee"))
    return now


def _say(
    made: Change,
    query: Mapping[str, Any],
    act: QueryAction,
    by: Speaker,
    *,
    text: str | None,
    finding_id: UUID | None,
    assignee: UUID | None,
) -> None:
    made.insert(
        models.query_message,
        {
            "study_id": made.study_id,
            "query_id": query["query_id"],
            "number": query["messages"],
            "action": act.value,
            "state": query["state"],
            "account_id": by.account_id,
            "name": by.name,
            "role": by.role,
            "text": text,
            "finding_id": finding_id,
            "assignee": assignee,
            "at": made.at,
            "change_id": made.change_id,
        },
    )
