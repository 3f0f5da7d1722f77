"""Answers for programs: JSON with the errors' names of the standards, readable from any page.

Pages in browsers (the MCP inspector) ask these addresses too. They carry no cookie and no other
credential of a person, so any origin may read the answers; none may read /authorize.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from torhaus.model.ports import LedgerError, StateError

FORM = "application/x-www-form-urlencoded"
MAX_BODY = 64 * 1024
MAX_FIELDS = 32
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "www-authenticate",
    "x-content-type-options": "nosniff",
}
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}

Page = Callable[[Request], Awaitable[Response]]
Look = Callable[[Mapping[str, Any]], tuple[int, str] | None]
"""Host, origin and transport of an ASGI scope: status and reason of a refusal, or None."""


def told(body: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, headers={**CORS, **NO_STORE, **more})


def error(code: str, text: str, status: int = 400, **headers: str) -> Response:
    """RFC 6749 section 5.2. The description is visible ASCII without quotes."""
    kept = "".join(each if " " <= each <= "~" and each not in '"\\' else "'" for each in text)
    return told({"error": code, "error_description": kept}, status, **headers)


def preflight(request: Request) -> Response:
    wanted = request.headers.get("access-control-request-headers", "")
    allowed = wanted if wanted.isascii() and wanted.isprintable() else ""
    more = {
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": allowed or "content-type, authorization",
        "access-control-max-age": "600",
    }
    return Response(status_code=204, headers={**CORS, **more})


def open_to_pages(page: Page, look: Look) -> Page:
    """Behind the checks of host and transport; whichever page asks does not matter."""

    async def answered(request: Request) -> Response:
        kept = [each for each in request.scope["headers"] if each[0] != b"origin"]
        refused = look({**request.scope, "headers": kept})
        if refused is not None:
            return error("invalid_request", refused[1], refused[0])
        if request.method == "OPTIONS":
            return preflight(request)
        try:
            return await page(request)
        except (StateError, LedgerError):
            text = "the gateway cannot keep this now: try again later"
            return error("temporarily_unavailable", text, 503, retry_after="5")

    return answered


async def body(request: Request) -> bytes | None:
    """None when it is larger than it may be, or the caller went away."""
    found = b""
    try:
        async for chunk in request.stream():
            found += chunk
            if len(found) > MAX_BODY:
                return None
    except ClientDisconnect:
        return None
    return found


async def form(request: Request) -> Mapping[str, str] | Response:
    """Each name once (RFC 6749 section 3.2); or the answer to what is no such form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return error("invalid_request", f"send the parameters as {FORM}")
    raw = await body(request)
    if raw is None:
        return error("invalid_request", "the request is too large", 413)
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        return error("invalid_request", "this is not a form")
    found = dict(pairs)
    if len(found) != len(pairs):
        return error("invalid_request", "a parameter stands twice")
    return found


def ip(request: Request) -> str:
    return request.client.host if request.client is not None else ""
