"""Data cuts over HTTP: made once, listed, handed out again, compared."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from app.access.actor import sites
from app.access.entrance import Reading, Signed, database
from app.access.permissions import Permission, asks
from app.core.days import Day
from app.core.http import Cursor, Limit, Router, Sort
from app.core.page import Page
from app.core.transaction import see
from app.core.words import Reason
from app.exchange.cuts import again, compare, cut
from app.models.base import SYSTEM

router = Router(prefix="/api/v1/studies/{study}/cuts", tags=["cuts"])

Name = Annotated[str, Path(max_length=64)]
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class CutToMake(BaseModel):
    """What a cut is called and why it is made; its cut-off date and the sites it is narrowed to."""

    model_config = ConfigDict(extra="forbid")
    name: cut.Name
    reason: Reason
    cutoff: Day | None = None
    sites: Annotated[list[Annotated[str, Field(max_length=12)]] | None, Field(min_length=1, max_length=1000)] = None


class FileCount(BaseModel):
    """A file of the archive."""

    name: str
    rows: int
    bytes: int
    sha256: str


class CutView(BaseModel):
    """A cut: who, when, why, where the chain stood, what it held. `files` and `bytes` for those who see all of it."""

    name: str
    by: str
    at: AwareDatetime
    reason: str | None
    cutoff: str | None
    sites: list[str] | None
    seq: int
    hash: str
    versions: dict[str, int]
    files: list[FileCount] | None
    bytes: int | None
    sha256: str
    release: str


class CutPage(Page[CutView]):
    """One page of cuts."""


class FileDifference(BaseModel):
    """A file that is not the same in both, with its rows."""

    name: str
    before: int | None
    after: int | None


class Moved(BaseModel):
    """The same thing in the two cuts, null where the subject is not in one."""

    before: Any
    after: Any


class ValueDifference(BaseModel):
    """An item that is not the same, and the changes that wrote it. Values where they may be read."""

    visit: str
    form: str
    item: str
    row: int | None
    computed: bool
    before: Any = None
    after: Any = None
    changes: list[int]


class EndpointDifference(BaseModel):
    """An endpoint that came out differently, and why: changes of pages, or what is true below."""

    endpoint: str
    variant: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    changes: list[int]
    study_version: bool
    reference_ranges: bool
    cut_off: bool


class ChangeBetween(BaseModel):
    """A change between the two cuts."""

    seq: int
    at: AwareDatetime
    by: str
    action: str
    reason: str | None
    visit: str | None
    form: str | None


class SubjectDifference(BaseModel):
    """What differs of a subject, and all that was done to it between the two cuts."""

    subject: str
    site: Moved
    study_version: Moved
    values_shown: bool
    values: list[ValueDifference]
    endpoints: list[EndpointDifference]
    changes: list[ChangeBetween]


class Comparison(Page[SubjectDifference]):
    """Two cuts beside each other, the earlier first."""

    before: CutView
    after: CutView
    files: list[FileDifference] | None


@router.post("", status_code=201, openapi_extra=asks(Permission.CUT_CREATE))
def create_cut(request: Request, actor: Signed, study: str, body: CutToMake) -> CutView:
    """Cut the study here and now, under a name."""
    within = frozenset(body.sites) if body.sites is not None else None
    made = cut.create(database(request), actor, study, body.name, reason=body.reason, cutoff=body.cutoff, within=within)
    return CutView(**made.told(None))


@router.get("", openapi_extra=asks(Permission.CUT_READ))
def list_cuts(work: Reading, study: str, sort: Sort = None, cursor: Cursor = None, limit: Limit = 50) -> CutPage:
    """The cuts of a study."""
    rows, following = cut.cuts(work.session, work.actor, study, sort=sort, cursor=cursor, limit=limit)
    return CutPage(items=[CutView(**row) for row in rows], next_cursor=following)


@router.get("/{name}", openapi_extra=asks(Permission.CUT_READ))
def get_cut(work: Reading, study: str, name: Name) -> CutView:
    """One cut: who, when, why, position, counts, digest."""
    found = cut.find(work.session, work.actor, study, name)
    return CutView(**found.told(sites(work.actor, study, Permission.CUT_READ)))


@router.get(
    "/{name}/export", openapi_extra=asks(Permission.EXPORT_CLINICAL), response_class=StreamingResponse, responses=ZIP
)
def export_cut(request: Request, actor: Signed, study: str, name: Name) -> StreamingResponse:
    """The zip of a cut as it was made, whatever has been written since; of your sites where you see some only."""
    store = database(request)
    with store.writing() as session:
        see(session, study, SYSTEM)
        found, seen = again.begin(session, actor, study, name)

    def body() -> Iterator[bytes]:
        yield from again.archive(store, found, seen)

    headers = {"Content-Disposition": f'attachment; filename="{study}-{name}.zip"', "Cache-Control": "no-store"}
    return StreamingResponse(body(), media_type="application/zip", headers=headers)


@router.get("/{name}/compare/{other}", openapi_extra=asks(Permission.CUT_READ))
def compare_cuts(
    request: Request, actor: Signed, study: str, name: Name, other: Name, cursor: Cursor = None, limit: Limit = 50
) -> Comparison:
    """Which values and endpoints differ between two cuts, and which changes, study version or cut-off did it."""
    found = compare.compare(database(request), actor, study, name, other, cursor=cursor, limit=limit)
    return Comparison(**found)
