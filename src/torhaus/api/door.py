"""Who may come in: every request to the API passes here before anything else of it."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Annotated, Any

import msgspec
import structlog
from fastapi import Depends
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from torhaus.api.problems import ProblemError, response
from torhaus.model.people import Principal

log = structlog.get_logger()

MAX_BODY = 64 * 1024

OPEN = frozenset(("/api/docs", "/api/v1/openapi.json"))
"""What everybody may read: it says what the API is, nothing of what is in it."""

SAFE = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
STRICT = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Caller(msgspec.Struct, frozen=True):
    """A known caller, and where he is. `key`: which of his keys was shown, as limits name it."""

    principal: Principal
    ip: str
    key: str = ""


class Turned(msgspec.Struct, frozen=True):
    """Turned away at the door. `headers`: of the answer, such as `WWW-Authenticate` of a 401."""

    status: int
    reason: str
    headers: Mapping[str, str] = {}


Admit = Callable[[Scope], Awaitable[Caller | Turned]]
"""The checks that `/mcp` makes too: host, origin, transport, credential."""

CODES = {401: "unauthorized", 403: "forbidden", 421: "misdirected", 503: "state"}
_KEY = "torhaus.caller"
_BUG = "torhaus.bug"


class Door:
    """ASGI around the API. `admit` says who is there; `look` only checks host and origin."""

    def __init__(self, app: ASGIApp, admit: Admit, look: Callable[[Scope], Turned | None]) -> None:
        self.inside = app
        self._admit = admit
        self._look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the API speaks HTTP, not {scope['type']}")
        found = self._look(scope) if scope["path"] in OPEN else await self._admit(scope)
        if isinstance(found, Turned):
            await _turn_away(found)(scope, receive, _safely(send))
            return
        body = await _body(scope, receive)
        if body is None:
            text = f"the body is larger than {MAX_BODY} bytes"
            await response(ProblemError(413, "too_large", text))(scope, receive, _safely(send))
            return
        scope[_KEY] = found
        await self._enter(scope, _replay(body, receive), send)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await safe(message)

        safe = _safely(send)
        try:
            await self.inside(scope, receive, sending)
        except Exception as error:  # the last line: what went wrong stays in the log
            if not begun:
                await response(bug(scope))(scope, receive, safe)
            log.error("api.bug", id=scope.get(_BUG), exc_info=error)


def bug(scope: Scope) -> ProblemError:
    """The answer to a mistake of ours; its number is the log's."""
    number = scope[_BUG] = secrets.token_hex(6)
    text = f"something went wrong; the gateway's log knows more under {number}"
    return ProblemError(500, "bug", text)


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole of it, of a known caller; None when it is too large."""
    told = dict(scope["headers"]).get(b"content-length", b"0")
    if not told.isdigit() or int(told) > MAX_BODY:
        return None
    body = b""
    more = True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body if len(body) <= MAX_BODY else None


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def receiving() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def caller(request: Request) -> Caller:
    """Who asks; a dependency of every handler."""
    found = request.scope[_KEY]
    if not isinstance(found, Caller):
        raise ProblemError(401, "unauthorized", "this needs a credential")
    return found


Who = Annotated[Caller, Depends(caller)]


def _turn_away(turned: Turned) -> ASGIApp:
    code = CODES.get(turned.status, "refused")
    fix = "send `Authorization: Bearer KEY`" if turned.status == 401 else ""
    return response(ProblemError(turned.status, code, turned.reason, fix), turned.headers)


def _safely(send: Send) -> Send:
    """Adds the headers that keep answers out of caches and out of other pages."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            names = {name.lower() for name, _ in headers}
            more = [pair for pair in (*SAFE, STRICT) if pair[0] not in names]
            message = {**message, "headers": headers + more}
        await send(message)

    return sending
