"""Who may come to the door at all: host, origin, transport, credential (checklist M2)."""

import re
from collections.abc import Callable
from typing import Protocol

from torhaus.config.settings import Settings
from torhaus.edge.exchange import Exchange, Header
from torhaus.edge.heads import Head
from torhaus.edge.peer import Peer
from torhaus.edge.reading import server_name
from torhaus.edge.visitor import Visitor
from torhaus.identity.credentials import Unclear, credential
from torhaus.identity.identify import FORWARDED, anonymous, by_key
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError
from torhaus.model.people import Principal
from torhaus.model.rules import Rules

LOOPBACK = frozenset(("127.0.0.1", "localhost", "[::1]"))
CREDENTIALS = (b"authorization", b"apikey", b"x-api-key")


class Request(Protocol):
    """What the checks look at: a request of our own lane, or of an ASGI application."""

    @property
    def head(self) -> Head: ...
    @property
    def peer(self) -> Peer: ...


class Denied(Exception):  # noqa: N818 -- it is an answer, not a fault
    """Turned away at the door, with the headers the answer carries."""

    def __init__(self, error: CallerError, *headers: Header) -> None:
        super().__init__(str(error))
        self.error = error
        self.headers = headers


_LABEL = re.compile(r"[a-z][a-z0-9-]{0,62}")
_EXPOSED = b"access-control-expose-headers: mcp-session-id, www-authenticate\r\n"


class Admission:
    """Compiled once from the settings. `refused` is told of credentials that are not let in."""

    def __init__(
        self, settings: Settings, refused: Callable[[str, str], None] = lambda _ip, _reason: None
    ) -> None:
        self._refused = refused
        accepted = _accepted(settings)
        self._any_host = accepted is None
        self._hosts = LOOPBACK if accepted is None else accepted
        self._origins = frozenset(o.lower().rstrip("/") for o in settings.allowed_origins)
        self._plaintext = settings.plaintext
        self._public_url = settings.public_url
        self._public_host = (settings.public_url or "").lower().partition("://")[2].rstrip("/")

    def admit(self, exchange: Request, rules: Rules) -> Visitor:
        """Who is calling, if he may come to the door at all. Raises Denied."""
        ours = self.check(exchange)
        return self._identify(exchange, rules, ours=ours)

    def check(self, exchange: Request) -> bool:
        """Host, origin, transport. Raises Denied.

        Returns whether the Host header is one of our names.
        """
        twice = exchange.head.twice or ()
        if b"host" in twice:
            raise _denied(421, "the request has two Host headers")
        if b"origin" in twice:
            raise _denied(403, "the request has two Origin headers")
        host = exchange.head.headers.get(b"host")
        ours = host is not None and self._answers(host.decode("latin-1").lower())
        if not ours and not self._any_host:
            raise _denied(421, "this host name is not served here: add it to server.allowed_hosts")
        origin = exchange.head.headers.get(b"origin")
        if origin is not None and not self._origin_allowed(origin):
            raise _denied(
                403, "this origin may not call the gateway: add it to server.allowed_origins"
            )
        if not exchange.peer.tls:
            self._check_plaintext(exchange)
        return ours

    def named(self, head: Head) -> str:
        """The server an address names: in its path, or else before our own host name."""
        name = server_name(head.target)
        host = head.headers.get(b"host")
        if name or host is None or not self._public_host:
            return name
        return self._label(host.decode("latin-1").lower()) or ""

    def _label(self, host: str) -> str | None:
        """The `{server}` of `{server}.{public host}`; no page there may call us for that."""
        label, _, rest = host.partition(".")
        ours = (self._public_host, _without_port(self._public_host))
        found = rest in ours or _without_port(rest) in ours
        return label if found and _LABEL.fullmatch(label) else None

    def cors(self, origin: bytes) -> bytes:
        """Header lines that let a page of this origin read the answer; empty for most.

        Only pages that the configuration names may: a name of our own is let in, as it may come
        from a client that is no browser, but no script elsewhere on that host gets to read.
        """
        if origin.decode("latin-1").lower() not in self._origins:
            return b""
        return b"access-control-allow-origin: %b\r\nvary: origin\r\n%b" % (origin, _EXPOSED)

    def preflight(self, exchange: Exchange) -> bool:
        """Answer a browser's question before the real request (Fetch standard, CORS protocol)."""
        headers = exchange.head.headers
        if exchange.head.method != b"OPTIONS" or b"access-control-request-method" not in headers:
            return False
        if not exchange.cors:
            return False
        wanted = headers.get(b"access-control-request-headers", b"")
        exchange.answer(
            204,
            b"",
            (b"access-control-allow-methods", b"POST, GET, DELETE"),
            (b"access-control-allow-headers", wanted if wanted.isascii() else b""),
            (b"access-control-max-age", b"600"),
        )
        return True

    def _origin_allowed(self, origin: bytes) -> bool:
        text = origin.decode("latin-1").lower()
        if text in self._origins:
            return True
        scheme, _, host = text.partition("://")
        return scheme in ("http", "https") and self._is_ours(host)

    def _answers(self, host: str) -> bool:
        return self._is_ours(host) or (bool(self._public_host) and self._label(host) is not None)

    def _is_ours(self, host: str) -> bool:
        """Whether this is one of our names, with any port unless one was configured."""
        return host in self._hosts or _without_port(host) in self._hosts

    def _check_plaintext(self, exchange: Request) -> None:
        peer = exchange.peer
        refused = (self._plaintext == "private" and peer.public) or (
            self._plaintext == "loopback" and not peer.loopback
        )
        if refused:
            where = self._public_url or "https://YOUR-GATEWAY"
            raise _denied(403, f"plaintext HTTP is refused from here; use {where}")

    def _identify(self, exchange: Request, rules: Rules, *, ours: bool) -> Visitor:
        """Raises Denied with 401 for a missing, broken or unknown credential."""
        if any(name in CREDENTIALS for name in exchange.head.twice or ()):
            raise self._wrong(exchange, "a credential header stands twice; send one")
        found = credential(exchange.head.headers.items())
        if found is None:
            principal = self._anonymous(exchange, rules) if ours else None
            if principal is None:
                raise _unknown("no credential was sent; send `Authorization: Bearer KEY`", None)
            return Visitor(principal, None)
        if isinstance(found, Unclear):
            raise self._wrong(exchange, found.reason)
        principal = by_key(rules, found)
        if principal is None:
            text = "the key is not valid here: ask your administrator"
            raise self._wrong(exchange, text, "invalid_token")
        return Visitor(principal, found)

    def _wrong(self, exchange: Request, text: str, error: str = "invalid_request") -> Denied:
        self._refused(exchange.peer.ip, text)
        return _unknown(text, error)

    def _anonymous(self, exchange: Request, rules: Rules) -> Principal | None:
        if any(name in exchange.head.headers for name in FORWARDED):
            return None  # the peer is a proxy: its address says nothing about who asks
        return anonymous(rules, exchange.peer.ip)


def _accepted(settings: Settings) -> frozenset[str] | None:
    """The names a Host header may hold; None for any.

    Any only when we listen beyond loopback and were told neither a public URL nor names: we cannot
    know then what people call us. Keys protect such a gateway from DNS rebinding, and anonymous
    callers are still held to loopback names.
    """
    told = frozenset(name.lower() for name in settings.allowed_hosts)
    if settings.public_url is not None:
        told |= {settings.public_url.lower().partition("://")[2].rstrip("/")}
    listening = f"[{settings.host}]" if ":" in settings.host else settings.host.lower()
    if listening not in LOOPBACK and not told:
        return None
    return LOOPBACK | told | {listening}


def _without_port(host: str) -> str:
    if host.startswith("["):
        name, bracket, port = host.partition("]")
        return name + bracket if not port or port[1:].isdigit() else ""
    name, _, port = host.partition(":")
    return name if not port or port.isdigit() else ""


def _denied(status: int, text: str) -> Denied:
    return Denied(CallerError(codes.INVALID_REQUEST, text, status=status))


def _unknown(text: str, error: str | None) -> Denied:
    challenge = 'Bearer realm="torhaus"'
    if error is not None:
        challenge += f', error="{error}", error_description="{text.replace(chr(34), chr(39))}"'
    header = (b"www-authenticate", challenge.encode("latin-1", "replace"))
    return Denied(CallerError(codes.UNAUTHORIZED, text, status=401), header)
