"""Where requests that are not for `/mcp` cross into the house: the door's checks, for ASGI."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from torhaus.api.door import Caller, Turned
from torhaus.api.scim.application import beside
from torhaus.edge.admission import Admission, Denied, cannot_know
from torhaus.edge.outside import Outside, arrived, outside
from torhaus.edge.proxies import Proxies
from torhaus.edge.wire import MAX_HEADERS
from torhaus.limits.charges import key_name
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.rules import Rules


class Gatekeeper:
    """The edge's checks, for ASGI."""

    def __init__(self, admission: Callable[[], Admission], rules: Callable[[], Rules]) -> None:
        self._admission = admission
        self._rules = rules

    async def admit(self, scope: Scope) -> Caller | Turned:
        asking = outside(scope)
        admission, ip = self._admission(), asking.peer.ip
        try:
            return self._entered(admission, asking)
        except Denied as denied:
            if denied.digest is None:
                return _turned(denied)
            try:
                known = await admission.learn(denied.digest, ip)
            except StateError:
                return _turned(cannot_know())
            if not known:
                admission.stranger(asking, denied)
                return _turned(denied)
        try:
            return self._entered(self._admission(), asking)
        except Denied as denied:
            return _turned(denied)

    def _entered(self, admission: Admission, asking: Outside) -> Caller:
        """Raises Denied."""
        visitor = admission.enter(asking, self._rules())
        key = "" if visitor.key is None else key_name(visitor.key)
        return Caller(visitor.actor, asking.peer.ip, key)

    def known(self, key: bytes, server: str | None = None) -> Principal | None:
        """Whose key this is that was typed into a page, if it is good there now.

        `server`: what the page is about; None for one where people administer.
        """
        return self._admission().known(key, self._rules(), server)

    def look(self, scope: Scope) -> Turned | None:
        try:
            self._admission().check(outside(scope))
        except Denied as denied:
            return _turned(denied)
        return None

    def refusal(self, scope: Mapping[str, Any]) -> tuple[int, str] | None:
        found = self.look(dict(scope))
        return None if found is None else (found.status, found.reason)


def _turned(denied: Denied) -> Turned:
    told = {name.decode(): value.decode("latin-1") for name, value in denied.headers}
    return Turned(denied.error.status, str(denied.error), told)


ALWAYS = ((b"x-content-type-options", b"nosniff"),)


class Entrance:
    """`hsts`: seconds for which browsers that came by https are to come so; 0 for none."""

    def __init__(
        self,
        api: ASGIApp,
        pages: ASGIApp,
        proxies: Callable[[], Proxies] = Proxies,
        hsts: Callable[[], int] = lambda: 0,
        scim: ASGIApp | None = None,
    ) -> None:
        self.api = api
        self._inside = api if scim is None else beside(scim, api)
        self.pages = pages
        self._proxies = proxies
        self._hsts = hsts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the house speaks HTTP, not {scope['type']}")
        scope = arrived(scope, self._proxies())
        seconds = self._hsts() if scope["scheme"] == "https" else 0
        send = _safely(send, (*ALWAYS, *_strict(seconds)))
        if len(scope["headers"]) > MAX_HEADERS:
            await _too_many(send)
            return
        inside = scope["path"].startswith(("/api/", "/cache/", "/scim/v2/"))
        await (self._inside if inside else self.pages)(scope, receive, send)


def _strict(seconds: int) -> tuple[tuple[bytes, bytes], ...]:
    """RFC 6797. Of this host alone: what is below it is not ours to decide about."""
    return ((b"strict-transport-security", b"max-age=%d" % seconds),) if seconds else ()


def _safely(send: Send, lines: Sequence[tuple[bytes, bytes]]) -> Send:
    """Adds the headers that every answer has, where it has not said so itself."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            names = {name for name, _ in headers}
            more = [line for line in lines if line[0] not in names]
            message = {**message, "headers": headers + more}
        await send(message)

    return sending


async def _too_many(send: Send) -> None:
    text = f"the request has more than {MAX_HEADERS} headers".encode()
    start: Message = {
        "type": "http.response.start",
        "status": 431,
        "headers": [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(text)),
            (b"connection", b"close"),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": text})
