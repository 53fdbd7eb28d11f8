"""Data out and in over HTTP: a study as a zip of CSV files, and a form's rows from one."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Body, Query, Request, Response
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from app.access.actor import require
from app.access.entrance import Reading, Signed, Writing, database
from app.access.idempotency import idempotent
from app.access.permissions import Permission, asks
from app.core.days import Day
from app.core.http import Answer, Retryable, Router
from app.core.transaction import see
from app.core.words import Reason
from app.exchange import export, imports, ranges
from app.exchange.archive import Flavour

router = Router(prefix="/api/v1/studies/{study}", tags=["exchange"])


class ImportReport(BaseModel):
    """What an import did; the key names it in the trail."""

    import_id: str
    lines: int
    subjects: int
    created: int
    changed: int
    unchanged: int


@router.get(
    "/export",
    openapi_extra=asks(Permission.EXPORT_CLINICAL),
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def export_study(
    request: Request,
    actor: Signed,
    study: str,
    cutoff: Annotated[Day | None, Query(description="Endpoints as known on this day")] = None,
    flavour: Annotated[Flavour, Query(description="`spreadsheet` neutralises formulas in text")] = Flavour.MACHINE,
) -> StreamingResponse:
    """Everything you may see of a study, as a zip of CSV files with codebook and manifest."""
    store = database(request)
    with store.writing() as session:
        see(session, study, "-")
        within = export.begin(session, actor, study, cutoff=cutoff, flavour=flavour)

    def body() -> Iterator[bytes]:
        yield from export.archive(store, study, within, cutoff=cutoff, flavour=flavour)

    name = f"{study}{'-' + cutoff.isoformat() if cutoff else ''}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(body(), media_type="application/zip", headers=headers)


@router.post("/imports/{form}", status_code=201, responses={201: {"model": ImportReport}},
             openapi_extra=asks(Permission.IMPORT))  # fmt: skip
def import_form(
    work: Writing,
    study: str,
    form: str,
    body: Annotated[bytes, Body(media_type="text/csv")],
    retry: Retryable,
    visit: Annotated[str | None, Query(max_length=20, description="For a file without a visit column")] = None,
    site: Annotated[
        str | None, Query(max_length=12, description="Whose subjects these are; those not there yet are created")
    ] = None,
    reason: Annotated[Reason | None, Query()] = None,
) -> Response:
    """Rows of one form from a CSV file: all of it, or nothing and every line that is wrong."""

    def carry_out() -> Answer:
        report = imports.import_csv(
            work.session, work.actor, study, form, body, visit=visit, enrol_at=site, reason=reason
        )
        return Answer(
            201, ImportReport(**{name: getattr(report, name) for name in ImportReport.model_fields}).model_dump()
        )

    return idempotent(work, retry, carry_out, lambda: require(work.actor, Permission.IMPORT, study))


class RangeLine(BaseModel):
    """Limits of normal; what is empty holds for all laboratories, both sexes, any age or day."""

    laboratory: str
    analyte: str
    unit: str
    sex: str | None
    age_from: int | None
    age_to: int | None
    valid_from: str | None
    valid_to: str | None
    low: str | None
    high: str | None


class RangeTableView(BaseModel):
    """A table of limits of normal: the number of its import, and of the one in force."""

    number: int | None
    in_force: int | None
    items: list[RangeLine]


@router.get("/sites/{site}/ranges", openapi_extra=asks(Permission.RANGE_READ))
def get_ranges(
    work: Reading, study: str, site: str, number: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> RangeTableView:
    """The limits of normal of a site's laboratories, as they are in force or as an earlier import stated them."""
    return RangeTableView(**ranges.list_ranges(work.session, work.actor, study, site, number=number))


@router.put("/sites/{site}/ranges", openapi_extra=asks(Permission.RANGE_WRITE))
def put_ranges(
    work: Writing,
    study: str,
    site: str,
    body: Annotated[bytes, Body(media_type="text/csv")],
    reason: Annotated[Reason, Query()],
) -> RangeTableView:
    """The whole table of a site from a CSV file; every grade that hangs on it is computed again at once."""
    ranges.import_ranges(work.session, work.actor, study, site, body, reason=reason)
    return RangeTableView(**ranges.list_ranges(work.session, work.actor, study, site))
