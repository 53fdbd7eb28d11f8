"""The life of a query: which act is possible in which state, and where it leads. What is not here is refused."""

from collections.abc import Mapping
from types import MappingProxyType

from app.access.permissions import Permission
from app.models.queries import QueryAction as Act
from app.models.queries import QueryState as State

UNRESOLVED = frozenset({State.OPEN, State.REOPENED, State.ANSWERED})
"""Somebody still has to do something."""

TRANSITIONS: Mapping[tuple[State, Act], State] = MappingProxyType(
    {
        # by the system: the data break the rule, by a value that nobody has confirmed
        (State.OPEN, Act.RAISE): State.OPEN,
        (State.REOPENED, Act.RAISE): State.REOPENED,
        (State.ANSWERED, Act.RAISE): State.REOPENED,
        (State.CLOSED, Act.RAISE): State.OPEN,
        (State.CANCELLED, Act.RAISE): State.OPEN,
        # they break it by a value that was confirmed as correct
        (State.OPEN, Act.SPARE): State.CLOSED,
        (State.REOPENED, Act.SPARE): State.REOPENED,
        (State.ANSWERED, Act.SPARE): State.ANSWERED,
        (State.CLOSED, Act.SPARE): State.CLOSED,
        (State.CANCELLED, Act.SPARE): State.CANCELLED,
        # they break it no longer: what people have spoken about is closed by people
        (State.OPEN, Act.SETTLE): State.CLOSED,
        (State.REOPENED, Act.SETTLE): State.REOPENED,
        (State.ANSWERED, Act.SETTLE): State.ANSWERED,
        # the page is struck and counts for nothing
        (State.OPEN, Act.STRIKE): State.CLOSED,
        (State.REOPENED, Act.STRIKE): State.CLOSED,
        (State.ANSWERED, Act.STRIKE): State.CLOSED,
        # by people
        (State.OPEN, Act.ANSWER): State.ANSWERED,
        (State.REOPENED, Act.ANSWER): State.ANSWERED,
        (State.ANSWERED, Act.ANSWER): State.ANSWERED,
        (State.OPEN, Act.CONFIRM): State.ANSWERED,
        (State.REOPENED, Act.CONFIRM): State.ANSWERED,
        (State.ANSWERED, Act.CONFIRM): State.ANSWERED,
        (State.OPEN, Act.CLOSE): State.CLOSED,
        (State.REOPENED, Act.CLOSE): State.CLOSED,
        (State.ANSWERED, Act.CLOSE): State.CLOSED,
        (State.ANSWERED, Act.REOPEN): State.REOPENED,
        (State.CLOSED, Act.REOPEN): State.REOPENED,
        (State.CANCELLED, Act.REOPEN): State.REOPENED,
        (State.OPEN, Act.CANCEL): State.CANCELLED,
        (State.REOPENED, Act.CANCEL): State.CANCELLED,
        (State.ANSWERED, Act.CANCEL): State.CANCELLED,
        (State.OPEN, Act.ASSIGN): State.OPEN,
        (State.REOPENED, Act.ASSIGN): State.REOPENED,
        (State.ANSWERED, Act.ASSIGN): State.ANSWERED,
    }
)
"""A query begins with RAISE by a rule or OPEN by a person, in the state OPEN."""

ALLOWED: Mapping[Act, Permission] = MappingProxyType(
    {
        Act.OPEN: Permission.QUERY_OPEN,
        Act.ANSWER: Permission.QUERY_ANSWER,
        Act.CONFIRM: Permission.QUERY_ANSWER,
        Act.CLOSE: Permission.QUERY_REVIEW,
        Act.REOPEN: Permission.QUERY_REVIEW,
        Act.CANCEL: Permission.QUERY_REVIEW,
        Act.ASSIGN: Permission.QUERY_REVIEW,
    }
)
"""What people may do, and the permission that it asks for."""


def possible(state: State) -> list[str]:
    """What people can do in a state, whoever they are."""
    return [act.value for act in ALLOWED if (state, act) in TRANSITIONS]
