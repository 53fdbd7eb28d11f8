"""What the people of the demonstration say about the questions that its data give rise to."""

from collections.abc import Mapping

from app.access.permissions import Role
from app.core.transaction import Database
from app.demo.people import enter
from app.models.queries import QueryAction as Act
from app.models.queries import QueryState
from app.quality.queries.act import act, ask
from app.quality.queries.narrow import NONE, Wanted
from app.quality.queries.read import counts, list_queries
from app.subjects.address import place

TALKED = 24
"""Queries of a trial that somebody speaks about; the others wait, so that lists and counts have something to show."""

COURSES: tuple[tuple[tuple[Role, Act, str | None], ...], ...] = (
    ((Role.COORDINATOR, Act.CONFIRM, "Checked against the source, correct as entered"),),
    ((Role.COORDINATOR, Act.CONFIRM, "Measured twice, with the same result"), (Role.MONITOR, Act.CLOSE, None)),
    (
        (Role.COORDINATOR, Act.ANSWER, "The source is being looked for"),
        (Role.DATA_MANAGER, Act.REOPEN, "Please note the day of the report as well"),
    ),
    ((Role.DATA_MANAGER, Act.CANCEL, "Known to the study team"),),
)
"""Who says what: the first course for the first query, and so on in turn."""
QUESTION = "The source that I saw at the visit has another day. Which is right?"


def talk(database: Database, study_id: str, tokens: Mapping[Role, Mapping[str | None, str]]) -> dict[str, int]:
    """Let people speak about some of a trial's queries, and the monitor ask one; how many there are in each state.

    `tokens` are sessions by role and site. When the monitor has asked, an earlier run has been through all of it.
    """
    manager = tokens[Role.DATA_MANAGER][None]
    with database.reading() as session:
        reader = enter(session, manager)
        asked, _ = list_queries(session, reader, study_id, Wanted(rule=NONE), limit=1)
        waiting, _ = list_queries(session, reader, study_id, Wanted(state=(QueryState.OPEN,)), limit=TALKED)
    for number, query in enumerate(waiting if not asked else ()):
        for role, action, text in COURSES[number % len(COURSES)]:
            with database.writing() as session:
                actor = enter(session, tokens[role].get(query["site"]) or tokens[role][None])
                act(session, actor, study_id, query["query"], action, text=text)
    on_a_page = next((query for query in waiting if query["form"]), None)
    if on_a_page and not asked:
        with database.writing() as session:
            where = place(on_a_page["visit"], on_a_page["form"])
            monitor = enter(session, tokens[Role.MONITOR][None])
            ask(session, monitor, study_id, on_a_page["subject"], where, on_a_page["item"], on_a_page["row"], QUESTION)
    with database.reading() as session:
        told: dict[str, int] = counts(session, enter(session, manager), study_id, Wanted())["state"]
    return told
