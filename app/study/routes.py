"""Studies and forms over HTTP, for those who build frontends upon them. A released version never changes: cache it."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Header, Path, Response
from pydantic import BaseModel

from app.access.entrance import Reading
from app.access.permissions import Permission, asks
from app.core.http import Router
from app.forms.render import json_schema, ui_schema
from app.study import read

router = Router(prefix="/api/v1", tags=["studies"])
IfNoneMatch = Annotated[str | None, Header(max_length=2000)]
Version = Annotated[int, Path(ge=1, le=9999)]


class StudySummary(BaseModel):
    """A study by its key, with its title in both languages."""

    study_id: str
    title: dict[str, str]
    zone: str


class StudyList(BaseModel):
    """The studies one has a role in."""

    items: list[StudySummary]


class VersionSummary(BaseModel):
    """A released study version."""

    version: int
    digest: str
    published_at: datetime


class SiteSummary(BaseModel):
    """A site, and the study version in force there."""

    site_id: str
    name: dict[str, str]
    zone: str
    version: int


class StudyView(StudySummary):
    """A study with its versions and sites."""

    versions: list[VersionSummary]
    sites: list[SiteSummary]


class FormSchema(BaseModel):
    """A form as existing renderers take it."""

    json_schema: dict[str, Any]
    ui_schema: dict[str, Any]


@router.get("/studies", openapi_extra=asks(Permission.STUDY_READ))
def list_studies(work: Reading) -> StudyList:
    """The studies you have a role in."""
    return StudyList(items=[StudySummary(**row) for row in read.list_studies(work.session, work.actor)])


@router.get("/studies/{study}", openapi_extra=asks(Permission.STUDY_READ))
def get_study(work: Reading, study: str) -> StudyView:
    """A study, its released versions, its sites."""
    return StudyView(**read.describe(work.session, work.actor, study))


@router.get(
    "/studies/{study}/versions/{version}",
    responses={200: {"model": dict[str, Any]}},
    openapi_extra=asks(Permission.STUDY_READ),
)
def get_version(work: Reading, study: str, version: Version, if_none_match: IfNoneMatch = None) -> Response:
    """The canonical definition of a study version: visits, forms, milestones, endpoints."""
    found = read.build(work.session, work.actor, study, version).study
    return _unchanging(found.canonical(), found.digest, if_none_match)


@router.get(
    "/forms/{form}/versions/{version}",
    responses={200: {"model": dict[str, Any]}},
    openapi_extra=asks(Permission.FORM_READ),
)
def get_form(work: Reading, form: str, version: Version, if_none_match: IfNoneMatch = None) -> Response:
    """The canonical definition of a form version."""
    found = read.form(work.session, work.actor, form, version)
    return _unchanging(found.canonical(), found.digest, if_none_match)


@router.get(
    "/forms/{form}/versions/{version}/json-schema",
    responses={200: {"model": FormSchema}},
    openapi_extra=asks(Permission.FORM_READ),
)
def get_form_schema(work: Reading, form: str, version: Version, if_none_match: IfNoneMatch = None) -> Response:
    """The form as JSON Schema and UI schema, with labels in the language asked for."""
    language = work.actor.language
    found = read.form(work.session, work.actor, form, version)
    shown = {"json_schema": json_schema(found, language), "ui_schema": ui_schema(found, language)}
    return _unchanging(shown, f"{found.digest}-{language}", if_none_match, vary="Accept-Language")


def _unchanging(body: Any, digest: str, if_none_match: str | None, vary: str = "Authorization") -> Response:
    """A released definition: it may be kept for ever, and asked after by its digest."""
    headers = {"ETag": f'"{digest}"', "Cache-Control": "private, max-age=31536000, immutable", "Vary": vary}
    if if_none_match is not None and headers["ETag"] in {tag.strip() for tag in if_none_match.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")
