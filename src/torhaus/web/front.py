"""The checks every page has before it is asked: host, transport, and who made the browser ask."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from torhaus.model.ports import StateError
from torhaus.web.render import Pages
from torhaus.web.security import COMMON, SAFE_METHODS, foreign
from torhaus.web.translations import marked

Look = Callable[[Mapping[str, Any]], tuple[int, str] | None]
"""Host, origin and transport of an ASGI scope: status and reason of a refusal, or None."""
Page = Callable[[Request], Awaitable[Response]]
PEER = "torhaus.peer"
"""What a scope says of who has come, see `edge.outside`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """`origin`: where people reach us, without a trailing slash; None where nobody knows."""

    pages: Pages
    look: Look
    origin: Callable[[], str | None]

    def route(self, path: str, page: Page, *methods: str) -> Route:
        """A route to a page behind the checks."""
        return Route(path, self._guarded(page, abroad=False), methods=list(methods or ("GET",)))

    def open_route(self, path: str, page: Page, *methods: str) -> Route:
        """For what other sites and programs send on purpose: answers of identity providers."""
        return Route(path, self._guarded(page, abroad=True), methods=list(methods or ("GET",)))

    def machine_route(self, path: str, page: Page, *, clear: bool = False) -> Route:
        """For probes, which call us by any address or none: no browser can be made to do so.

        `clear`: over http from anywhere, as nothing is asked or told there that matters.
        """

        async def looked(request: Request) -> Response:
            scope = _addressed(request.scope)
            refused = self.look({**scope, "scheme": "https", PEER: None} if clear else scope)
            if refused is not None:
                return PlainTextResponse(refused[1], refused[0], headers=COMMON)
            return await page(request)

        return Route(path, looked, methods=["GET"])

    def _guarded(self, page: Page, *, abroad: bool) -> Page:
        async def guarded(request: Request) -> Response:
            refused = self.look(_without_origin(request.scope) if abroad else request.scope)
            if refused is not None:
                return self.pages.message(request, refused[0], TURNED, refused[1])
            unsafe = request.method not in SAFE_METHODS
            if unsafe and not abroad and foreign(request.scope, self.origin()):
                return self.pages.message(request, 403, TURNED, FOREIGN)
            try:
                return await page(request)
            except StateError:  # of whatever has no answer of its own for it
                found = self.pages.message(request, 503, TURNED, DOWN)
                found.headers["retry-after"] = "5"
                return found

        return guarded


def _addressed(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """With a Host that is ours, where it is none or an address: DNS rebinding needs a name."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1 or (hosts and not _is_address(hosts[0].decode("latin-1"))):
        return scope
    kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*kept, (b"host", b"127.0.0.1")]}


def _is_address(host: str) -> bool:
    found = re.fullmatch(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{0,5})?", host)
    try:
        ip_address((found[1] or found[2]) if found else "")
    except ValueError:
        return False
    return True


def _without_origin(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = [(name, value) for name, value in scope["headers"] if name != b"origin"]
    return {**scope, "headers": kept}


DOWN = marked("The gateway cannot reach its database now. Try again later.")
TURNED = marked("This page cannot be shown")
FOREIGN = marked("The form was sent by another site. Open the page here, and try again.")
