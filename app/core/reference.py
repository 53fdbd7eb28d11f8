"""The API's description as one page for people: no script and nothing from another server, where patients' data are.

Interactive clients read `/api/v1/openapi.json`.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from app.core.http import Router

router: APIRouter = Router(tags=["reference"])

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{background:#f2f2f2;padding:.1em .3em}h3{margin-bottom:0}p{margin:.3rem 0}h2{margin-top:2.5rem}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}code{background:#333}a{color:#8cf}}"
)


@router.get("/docs", include_in_schema=False, response_class=HTMLResponse)
def reference(request: Request) -> HTMLResponse:
    """Every address with what it does, takes and answers."""
    page = "\n".join(_page(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def _page(described: Mapping[str, Any]) -> Iterator[str]:
    about = described["info"]
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(about['title'])}</title>"
    yield f"<style>{_STYLE}</style><h1>{escape(about['title'])} {escape(about['version'])}</h1>"
    yield "".join(f"<p>{escape(line)}</p>" for line in about["description"].split("\n\n"))
    yield '<p><a href="/api/v1/openapi.json">openapi.json</a> describes the same for programs.</p>'
    seen = ""
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            tag = str(operation.get("tags", [""])[0])
            if tag != seen:
                seen = tag
                yield f"<h2>{escape(tag)}</h2>"
            yield from _operation(method.upper(), path, operation)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3 id={escape(operation['operationId'])}><code>{method} {escape(path)}</code></h3>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    taken = [f"<code>{escape(one['name'])}</code>" for one in operation.get("parameters", ()) if one["in"] != "path"]
    body = operation.get("requestBody", {}).get("content", {})
    taken += [f"a body, {_named(media_type, one)}" for media_type, one in body.items()]
    if taken:
        yield f"<p>Takes {', '.join(taken)}</p>"
    for status, answered in operation["responses"].items():
        if status.startswith("2"):
            content = [_named(media_type, one) for media_type, one in answered.get("content", {}).items()]
            yield f"<p>Answers {status}{': ' if content else ''}{', '.join(content)}</p>"


def _named(media_type: str, content: Mapping[str, Any]) -> str:
    reference_ = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    return f"<code>{escape(reference_ or media_type)}</code>"
