"""What the MCP edge reads from a request head."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec

from torhaus.edge.exchange import Exchange
from torhaus.edge.heads import Head
from torhaus.edge.visitor import Visitor
from torhaus.mcp import codes, ladder
from torhaus.mcp.message import CallerError, Notification, Response
from torhaus.mcp.trace import trace_id
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.verdict import Deny
from torhaus.policy.classify import NOTHING
from torhaus.policy.decide import barred
from torhaus.policy.methods import LISTEN
from torhaus.policy.visible import may_use

PARAM = b"mcp-param-"
TRACE = b"traceparent"
MAX_NAME = 80
"""How much of a name that nobody knows is said back, in characters."""
_STREAM = b"text/event-stream"
_JSON = b"application/json"


class Door(msgspec.Struct, frozen=True, gc=False):
    """A known caller in front of a server. `client`: the name his client gives itself.

    `wanted`: method and params of what he listens to or tells.
    """

    exchange: Exchange
    visitor: Visitor
    server: Server
    client: str = ""
    wanted: tuple[str, Mapping[str, Any]] = (LISTEN, NOTHING)

    @property
    def caller(self) -> Principal:
        return self.visitor.principal

    def params(self) -> tuple[tuple[str, str], ...]:
        """The `Mcp-Param-*` headers; raises CallerError."""
        return params(self.exchange)

    @property
    def gone(self) -> bool:
        return self.exchange.gone

    def refused(self, request_id: bytes) -> None:
        """Rules that change now have nothing more to say to it."""
        asking = self.exchange.about
        if asking is not None and asking.request.id == request_id:  # or it is a part of another
            self.exchange.about = None

    def still_valid(self, rules: Rules, now: float) -> bool:
        """Whether the caller may go on listening: office hours, networks and clients count too."""
        if self.visitor.over(now):
            return False
        found = self.renewed(rules, now)
        return found is not None and self.barred(*found, now) is None

    def renewed(self, rules: Rules, now: float) -> tuple[Principal, Server] | None:
        """Caller and server as these rules know them; None when he would not be let in today.

        What he may still call there is for a new decision to say.
        """
        server = rules.servers.get(self.server.name)
        if server is None:
            return None
        caller = self.visitor.renewed(rules)
        if caller is None:
            return None
        return (caller, server) if may_use(caller, server, now) else None

    def used_by(
        self, client: str, method: str = LISTEN, params: Mapping[str, Any] = NOTHING
    ) -> "Door":
        """The same door, with the name the client gives itself and what it wants there."""
        return msgspec.structs.replace(self, client=client, wanted=(method, params))

    def barred(self, caller: Principal, server: Server, now: float) -> Deny | None:
        """Why the caller may not listen to this, or tell it: no access, office hours, network."""
        return barred(caller, server, self.exchange.peer.ip, self.client, now, self.wanted)


def params(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    """The `Mcp-Param-*` headers, which only the server's own schema can judge.

    Raises CallerError when one is not ASCII: there is a base64 form for the rest.
    """
    try:
        return tuple(
            (name.decode("ascii"), value.decode("ascii"))
            for name, value in exchange.head.headers.items()
            if name.startswith(PARAM)
        )
    except UnicodeDecodeError as error:
        text = "an Mcp-Param header is not ASCII: use the base64 form"
        raise CallerError(codes.HEADER_MISMATCH, text) from error


def is_mcp(target: bytes) -> bool:
    return target.startswith(b"/mcp") and (len(target) == 4 or target[4] in b"/?")


@lru_cache(maxsize=256)
def server_name(target: bytes) -> str:
    """The `{server}` of `/mcp/{server}`; empty for `/mcp`."""
    path = target.partition(b"?")[0][len(b"/mcp") :].strip(b"/")
    return unquote(path.decode("latin-1")) if path else ""


def once(exchange: Exchange) -> None:
    """Raises CallerError when a header stands twice that two readers could read differently."""
    for name in exchange.head.twice or ():
        if name in ladder.ROUTING or name.startswith(PARAM) or name == b"last-event-id":
            text = f"the {name.decode('latin-1')} header stands twice"
            raise CallerError(codes.HEADER_MISMATCH, text)


def is_event_stream(exchange: Exchange) -> bool:
    accepted = exchange.head.headers.get(b"accept")
    return accepted is None or _STREAM in accepted or b"*/*" in accepted


def trace(head: Head) -> str:
    """The trace its `traceparent` names; empty for none, or for two that may differ."""
    parent = head.headers.get(TRACE)
    if parent is None or TRACE in (head.twice or ()):
        return ""
    return trace_id(parent.decode("latin-1"))


def takes_stream(head: Head) -> bool:
    """Whether a POST takes an event stream for an answer; its types are checked.

    Raises CallerError with 406 and 415.
    """
    kind = head.headers.get(b"content-type", b"")
    if kind != _JSON and kind.partition(b";")[0].strip().lower() != _JSON:
        text = "a POST carries `Content-Type: application/json`"
        raise CallerError(codes.INVALID_REQUEST, text, status=415)
    accept = head.headers.get(b"accept")
    if accept is None or _STREAM in accept or b"*/*" in accept:
        return True
    if b"json" in accept or b"application/*" in accept:
        return False
    text = "Accept must name application/json and text/event-stream"
    raise CallerError(codes.INVALID_REQUEST, text, status=406)


def goes_nowhere(message: Notification | Response, headers: Mapping[bytes, bytes]) -> bool:
    """Whether what is no request is taken (202) and passed to nobody: it is in no session.

    Raises CallerError for what must not come like this.
    """
    if isinstance(message, Notification) and not message.method.startswith("notifications/"):
        # A server could carry it out all the same, and no decision would have been made.
        text = f"{message.method[:MAX_NAME]!r} is a request and needs an id"
        raise CallerError(codes.INVALID_REQUEST, text)
    version = headers.get(ladder.VERSION)
    if ladder.SESSION in headers or version is None or not ladder.is_modern_version(version):
        return False
    if isinstance(message, Response):
        text = "the modern protocol has no responses from clients: repeat the request"
        raise CallerError(codes.INVALID_REQUEST, text)
    return True
