"""A small application behind the real gates, with a route of every kind."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from app import main
from app.core.errors import Conflict, Fault, Unreadable
from app.core.http import Cursor, IfMatch, IfNoneMatch, Limit, Retryable, Router
from app.settings import Settings

CANARY = "CANARY-7f3a-张三"

router = Router(prefix="/api/v1/toy", tags=["toy"])


class Measure(BaseModel):
    model_config = ConfigDict(extra="forbid")
    value: Decimal
    count: int = 0


class Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")
    answers: dict[str, Any]


@router.post("/measures")
def measure(body: Measure) -> dict[str, str]:
    return {"type": type(body.value).__name__, "value": str(body.value)}


@router.put("/answers")
def answers(body: Saved) -> dict[str, str]:
    return {name: f"{type(value).__name__} {value}" for name, value in body.answers.items()}


@router.post("/anything")
def anything(body: Annotated[Any, Body()]) -> str:
    return type(body).__name__


@router.post("/tables")
def table(body: Annotated[bytes, Body(media_type="text/csv")]) -> int:
    return len(body)


@router.get("/list")
def listed(limit: Limit = 50, cursor: Cursor = None, site: Annotated[list[str] | None, Query()] = None) -> Any:
    return {"limit": limit, "cursor": cursor, "site": site}


@router.get("/by/{number}")
def numbered(number: int) -> int:
    return number


@router.put("/tagged")
def tagged(expected: IfMatch, absent: IfNoneMatch) -> Any:
    return {"expected": expected, "absent": absent}


@router.post("/retried")
def retried(retry: Retryable, body: Measure) -> Any:
    return {"key": retry.key, "fingerprint": retry.fingerprint, "count": body.count}


@router.get("/refused")
def refused() -> None:
    fault = Fault("/answers/hb", "out-of-range", "Haemoglobin is between 1 and 300 g/L", item="hb", row=2)
    raise Unreadable("Correct what is listed and send it again.", errors=(fault,), headers={"X-More": "1"})


@router.get("/traced")
def traced() -> None:
    raise Conflict("Signing failed", trace={"action": "sign.failed", "actor": "Nurse", "source": "test", "study": "S1"})


@router.get("/broken")
def broken() -> None:
    raise ValueError(CANARY)


@router.get("/broken-stream")
def broken_stream() -> StreamingResponse:
    def rows() -> Iterator[bytes]:
        yield b"a,b\r\n"
        raise ValueError(CANARY)

    return StreamingResponse(rows(), media_type="text/csv")


def toy(**settings: Any) -> FastAPI:
    """The toy routes behind everything `main.assemble` puts before real ones."""
    routers, main.ROUTERS = main.ROUTERS, (router,)
    try:
        return main.assemble(Settings(**settings))
    finally:
        main.ROUTERS = routers
