"""The life of a query, cell by cell."""

import pytest

from app.models.queries import QueryAction as Act
from app.models.queries import QueryState as State
from app.quality.queries.states import ALLOWED, TRANSITIONS, UNRESOLVED, possible

#          open         reopened     answered     closed       cancelled
TABLE = {
    "raise":   ("open",      "reopened",  "reopened",  "open",      "open"),
    "spare":   ("closed",    "reopened",  "answered",  "closed",    "cancelled"),
    "settle":  ("closed",    "reopened",  "answered",  None,        None),
    "strike":  ("closed",    "closed",    "closed",    None,        None),
    "open":    (None,        None,        None,        None,        None),
    "answer":  ("answered",  "answered",  "answered",  None,        None),
    "confirm": ("answered",  "answered",  "answered",  None,        None),
    "close":   ("closed",    "closed",    "closed",    None,        None),
    "reopen":  (None,        None,        "reopened",  "reopened",  "reopened"),
    "cancel":  ("cancelled", "cancelled", "cancelled", None,        None),
    "assign":  ("open",      "reopened",  "answered",  None,        None),
}  # fmt: skip
CELLS = [(state, act, to) for act, row in TABLE.items() for state, to in zip(State, row, strict=True)]


@pytest.mark.parametrize(("state", "act", "to"), CELLS)
def test_each_cell(state: str, act: str, to: str | None) -> None:
    assert TRANSITIONS.get((State(state), Act(act))) == to


def test_there_is_no_other_cell() -> None:
    assert len(CELLS) == len(State) * len(Act)
    assert {(State(state), Act(act)) for state, act, to in CELLS if to} == set(TRANSITIONS)


def test_the_system_closes_nothing_that_people_have_spoken_about() -> None:
    """But for a page that is struck: what counts for nothing is asked about no more."""
    for act in set(Act) - set(ALLOWED) - {Act.STRIKE}:
        assert {TRANSITIONS[state, act] for state in (State.REOPENED, State.ANSWERED)} <= UNRESOLVED


def test_what_people_can_do_is_told() -> None:
    assert possible(State.OPEN) == ["answer", "confirm", "close", "cancel", "assign"]
    assert possible(State.CLOSED) == possible(State.CANCELLED) == ["reopen"]
