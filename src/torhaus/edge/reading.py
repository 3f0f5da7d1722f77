"""What the MCP edge reads from a request head."""

from dataclasses import dataclass
from urllib.parse import unquote

from torhaus.edge.admission import Visitor
from torhaus.edge.exchange import Exchange
from torhaus.identity.identify import by_key
from torhaus.mcp import codes, ladder
from torhaus.mcp.message import CallerError
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.policy.visible import may_use

PARAM = b"mcp-param-"
_STREAM = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class Door:
    """A known caller in front of a server; `server` is None where there is none of that name."""

    exchange: Exchange
    visitor: Visitor
    server: Server | None

    @property
    def caller(self) -> Principal:
        return self.visitor.principal

    @property
    def known(self) -> Server:
        if self.server is None:
            raise LookupError("no server")
        return self.server

    @property
    def server_name(self) -> str:
        return "" if self.server is None else self.server.name

    def params(self) -> tuple[tuple[str, str], ...]:
        """The `Mcp-Param-*` headers, which only the server's own schema can judge."""
        return tuple(
            (name.decode("ascii"), value.decode("ascii", "replace"))
            for name, value in self.exchange.headers
            if name.startswith(PARAM)
        )

    def still_valid(self, rules: Rules, now: float) -> bool:
        """Whether the caller would be let in today."""
        if self.server is None or self.server.name not in rules.servers:
            return False
        key = self.visitor.key
        caller = by_key(rules, key) if key is not None else rules.principals.get(self.caller.id)
        if caller is None or (caller.expires is not None and caller.expires <= now):
            return False
        return may_use(caller, rules.servers[self.server.name])


def server_name(target: bytes) -> str:
    """The `{server}` of `/mcp/{server}`; empty for `/mcp`."""
    path = target.partition(b"?")[0][len(b"/mcp") :].strip(b"/")
    return unquote(path.decode("latin-1")) if path else ""


def header(exchange: Exchange, name: bytes) -> bytes | None:
    """The value of a header that may stand once. Raises CallerError when it stands twice."""
    found = None
    for key, value in exchange.headers:
        if key == name:
            if found is not None:
                text = f"the {name.decode()} header stands twice"
                raise CallerError(codes.INVALID_REQUEST, text)
            found = value
    return found


def is_event_stream(exchange: Exchange) -> bool:
    accepted = header(exchange, b"accept")
    return accepted is None or _STREAM in accepted or b"*/*" in accepted


def post_headers(exchange: Exchange) -> dict[bytes, bytes]:
    """The routing headers of a POST, and its `Accept` applied to the exchange.

    Raises CallerError with 400 for a routing header that stands twice, 406 and 415 for types.
    """
    sent: dict[bytes, bytes] = {}
    content_type = accept = b""
    for name, value in exchange.headers:
        if name in ladder.ROUTING:
            if name in sent:
                text = f"the {name.decode()} header stands twice"
                raise CallerError(codes.HEADER_MISMATCH, text)
            sent[name] = value.strip(b" \t")
        elif name == b"content-type":
            content_type = value
        elif name == b"accept":
            accept = value
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        text = "a POST carries `Content-Type: application/json`"
        raise CallerError(codes.INVALID_REQUEST, text, status=415)
    if accept:
        both = b"*/*" in accept
        exchange.wants_stream = both or _STREAM in accept
        if not (exchange.wants_stream or b"json" in accept or b"application/*" in accept):
            text = "Accept must name application/json and text/event-stream"
            raise CallerError(codes.INVALID_REQUEST, text, status=406)
    return sent
