"""Queries over HTTP: lists and counts, one with its thread, and what each side does in it."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.actor import Work, require
from app.access.entrance import Reading, Writing
from app.access.idempotency import idempotent
from app.access.permissions import Permission, asks
from app.core.http import Answer, Cursor, Limit, Retry, Retryable, Router, Sort
from app.core.page import Page
from app.core.words import Message
from app.models.queries import QueryAction, QueryState
from app.quality.queries import act, read
from app.quality.queries.narrow import Wanted
from app.quality.queries.states import ALLOWED
from app.subjects.address import FormStep, VisitStep, place

router = Router(prefix="/api/v1/studies/{study}/queries", tags=["queries"])

STEP = r"^[A-Za-z][A-Za-z0-9_]{0,31}(\.[1-9][0-9]{0,3})?$"
Step = Annotated[str | None, Query(pattern=STEP, description="With its number that one, without it each of that name")]


class QueryToOpen(BaseModel):
    """Where on a page, and what is asked; `row` is the number of a row, left out for an item outside rows."""

    model_config = ConfigDict(extra="forbid")
    subject: Annotated[str, Field(max_length=32)]
    visit: VisitStep
    form: FormStep
    item: Annotated[str, Field(max_length=64)]
    row: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None
    text: Message
    assignee: str | None = None


class Said(BaseModel):
    """What is said. `seen`, where given, is how many messages were read: if there are more, the act is refused."""

    model_config = ConfigDict(extra="forbid")
    text: Message
    seen: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None


class Closing(BaseModel):
    """As any message; who closes need not say anything."""

    model_config = ConfigDict(extra="forbid")
    text: Message | None = None
    seen: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None


class Assignment(BaseModel):
    """The user name of who is to see to it, null for nobody in particular."""

    model_config = ConfigDict(extra="forbid")
    assignee: str | None
    text: Message | None = None
    seen: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None


class QueryView(BaseModel):
    """A query: where, by which rule (null: a person asked), what about, whose turn it is, how old.

    `message` is null for whoever may not read what people write. `opened_at` and `age_days` are of the last round.
    """

    query: UUID
    subject: str
    site: str
    visit: str | None
    form: str | None
    item: str
    label: str
    row: int | None
    rule: str | None
    state: str
    message: str | None
    remedy: str | None
    assignee: str | None
    messages: int
    opened_at: AwareDatetime
    changed_at: AwareDatetime
    closed_at: AwareDatetime | None
    age_days: int


class QueryMessage(BaseModel):
    """One act: who, in which role, when, what, and the state after it; `text` is whole."""

    number: int
    at: AwareDatetime
    action: str
    state: str
    by: str
    role: str
    text: str | None
    assignee: str | None


class QueryThread(QueryView):
    """A query with everything said in it, oldest first, and the acts that are possible for the reader now."""

    thread: list[QueryMessage]
    possible: list[str]


class QueryPage(Page[QueryView]):
    """One page of queries."""


class QueryCounts(BaseModel):
    """Queries by state: in all, and for each site, form, rule and age in days (`-`: no form, no rule)."""

    state: dict[str, int]
    site: dict[str, dict[str, int]]
    form: dict[str, dict[str, int]]
    rule: dict[str, dict[str, int]]
    age: dict[str, dict[str, int]]


class Person(BaseModel):
    """Somebody who works on the queries of a site, by which roles."""

    username: str
    name: str
    roles: list[str]


class People(BaseModel):
    """Who can be assigned to a query of a site."""

    items: list[Person]


def _wanted(
    site: Annotated[str | None, Query(max_length=12)] = None,
    subject: Annotated[str | None, Query(max_length=32)] = None,
    visit: Step = None,
    form: Step = None,
    item: Annotated[str | None, Query(max_length=64)] = None,
    rule: Annotated[str | None, Query(max_length=64, description="`-`: opened by a person")] = None,
    state: Annotated[list[QueryState] | None, Query(description="Any of these")] = None,
    assignee: Annotated[str | None, Query(max_length=64, description="A user name, `me`, or `-` for nobody")] = None,
    older_than_days: Annotated[int | None, Query(ge=0, le=36500)] = None,
) -> Wanted:
    return Wanted(site, subject, visit, form, item, rule, tuple(state or ()), assignee, older_than_days)


Narrowing = Annotated[Wanted, Depends(_wanted)]


@router.get("", openapi_extra=asks(Permission.QUERY_READ))
def list_queries(
    work: Reading, study: str, wanted: Narrowing, sort: Sort = None, cursor: Cursor = None, limit: Limit = 50
) -> QueryPage:
    """The queries of your sites, oldest first."""
    rows, following = read.list_queries(
        work.session, work.actor, study, wanted, sort=sort, cursor=cursor, limit=limit
    )  # fmt: skip
    return QueryPage(items=[QueryView(**row) for row in rows], next_cursor=following)


@router.get("/counts", openapi_extra=asks(Permission.QUERY_READ))
def count_queries(work: Reading, study: str, wanted: Narrowing) -> QueryCounts:
    """How many queries there are: by state, and by state for each site, form, rule and age."""
    return QueryCounts(**read.counts(work.session, work.actor, study, wanted))


@router.get("/people", openapi_extra=asks(Permission.QUERY_REVIEW))
def list_people(work: Reading, study: str, site: Annotated[str, Query(max_length=12)]) -> People:
    """Who works on the queries of a site and can be assigned to one."""
    found = act.answerable(work.session, work.actor, study, site)
    return People(items=[Person(**{name: each[name] for name in Person.model_fields}) for each in found])


@router.get("/{query}", openapi_extra=asks(Permission.QUERY_THREAD))
def get_query(work: Reading, study: str, query: UUID) -> QueryThread:
    """One query with its whole thread."""
    return QueryThread(**read.thread(work.session, work.actor, study, query))


@router.post("", status_code=201, responses={201: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_OPEN))
def open_query(work: Writing, study: str, body: QueryToOpen, retry: Retryable) -> Response:
    """Ask about an item of a page, answered or empty."""

    def ask() -> Answer:
        where = body.subject, place(body.visit, body.form), body.item, body.row
        made = act.ask(work.session, work.actor, study, *where, body.text, assignee=body.assignee)
        shown = QueryThread(**read.thread(work.session, work.actor, study, made))
        return Answer(201, shown.model_dump(mode="json"), {"Location": f"/api/v1/studies/{study}/queries/{made}"})

    return idempotent(work, retry, ask, lambda: require(work.actor, Permission.QUERY_OPEN, study))


@router.post("/{query}/answer", responses={200: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_ANSWER))
def answer_query(work: Writing, study: str, query: UUID, body: Said, retry: Retryable) -> Response:
    """Answer for the site, for instance that the value was corrected. A reviewer closes."""
    return _act(work, study, query, QueryAction.ANSWER, body, retry)


@router.post("/{query}/confirm", responses={200: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_ANSWER))
def confirm_query(work: Writing, study: str, query: UUID, body: Said, retry: Retryable) -> Response:
    """Answer that the value is correct as it is, and why: the rule asks no more about this value, but about another."""
    return _act(work, study, query, QueryAction.CONFIRM, body, retry)


@router.post("/{query}/close", responses={200: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_REVIEW))
def close_query(work: Writing, study: str, query: UUID, body: Closing, retry: Retryable) -> Response:
    """Nothing is left to ask."""
    return _act(work, study, query, QueryAction.CLOSE, body, retry)


@router.post("/{query}/reopen", responses={200: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_REVIEW))
def reopen_query(work: Writing, study: str, query: UUID, body: Said, retry: Retryable) -> Response:
    """Ask again in the same thread; a value that was confirmed counts as confirmed no more."""
    return _act(work, study, query, QueryAction.REOPEN, body, retry)


@router.post("/{query}/cancel", responses={200: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_REVIEW))
def cancel_query(work: Writing, study: str, query: UUID, body: Said, retry: Retryable) -> Response:
    """Take back what should not have been asked."""
    return _act(work, study, query, QueryAction.CANCEL, body, retry)


@router.post("/{query}/assign", responses={200: {"model": QueryThread}}, openapi_extra=asks(Permission.QUERY_REVIEW))
def assign_query(work: Writing, study: str, query: UUID, body: Assignment, retry: Retryable) -> Response:
    """Say who is to see to it."""
    return _act(work, study, query, QueryAction.ASSIGN, body, retry)


def _act(
    work: Work, study: str, query: UUID, action: QueryAction, body: Said | Closing | Assignment, retry: Retry
) -> Response:
    def do() -> Answer:
        act.act(work.session, work.actor, study, query, action, **body.model_dump())
        return Answer(200, QueryThread(**read.thread(work.session, work.actor, study, query)).model_dump(mode="json"))

    return idempotent(work, retry, do, partial(act.hold, work.session, work.actor, ALLOWED[action], study, query))
