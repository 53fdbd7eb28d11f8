"""Endpoints over HTTP: what was derived of a subject or a study, at any cut-off and as of any instant."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from app.access.entrance import Reading
from app.access.permissions import Permission, asks
from app.core.days import Day, Instant
from app.core.http import Router
from app.derivations import read

router = Router(prefix="/api/v1/studies/{study}", tags=["endpoints"])

CutOff = Annotated[Day | None, Query(description="Everything dated after this day is left out; none by default")]
AsOf = Annotated[Instant | None, Query(description="What stood at this instant, ISO 8601 with an offset")]


class SubjectEndpoints(BaseModel):
    """A subject's endpoints by code and variant, each with its dates, sources and a sentence."""

    subject: str
    site: str
    status: str
    endpoints: dict[str, dict[str, dict[str, Any]]]


class StudyEndpoints(BaseModel):
    """One endpoint variant over the subjects of a study, and how often each outcome was first."""

    endpoint: str
    variant: str
    counts: dict[str, int]
    estimate: dict[str, Any] | None
    subjects: list[dict[str, Any]]


@router.get("/subjects/{subject}/endpoints", openapi_extra=asks(Permission.ENDPOINT_READ))
def get_subject_endpoints(
    work: Reading, study: str, subject: str, cutoff: CutOff = None, as_of: AsOf = None
) -> SubjectEndpoints:
    """A subject's endpoint results with the exact items they rest on."""
    return SubjectEndpoints(**read.of_subject(work.session, work.actor, study, subject, cutoff=cutoff, as_of=as_of))


@router.get("/endpoints/{endpoint}", openapi_extra=asks(Permission.ENDPOINT_READ))
def get_study_endpoint(
    work: Reading,
    study: str,
    endpoint: str,
    variant: Annotated[str, Query(max_length=32)] = "PRIMARY",
    cutoff: CutOff = None,
    as_of: AsOf = None,
) -> StudyEndpoints:
    """One endpoint over all subjects of your sites."""
    return StudyEndpoints(
        **read.of_study(work.session, work.actor, study, endpoint, variant, cutoff=cutoff, as_of=as_of)
    )
