"""Who may come to the door at all: host, origin, transport, credential (checklist M2)."""

import re
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

import msgspec

from torhaus.config.settings import Settings
from torhaus.edge import plaintext
from torhaus.edge.exchange import Exchange, Header
from torhaus.edge.heads import Head
from torhaus.edge.peer import Peer
from torhaus.edge.plaintext import Exposed
from torhaus.edge.proxies import Proxies
from torhaus.edge.reading import is_mcp, server_name
from torhaus.edge.visitor import Visitor
from torhaus.identity.credentials import Unclear, credential, in_query
from torhaus.identity.identify import CLOSED, FORWARDED, NotProved, Proof, anonymous, identify
from torhaus.identity.keys import ACCESS, KEY, well_formed
from torhaus.identity.oauth.documents import challenge, quotable
from torhaus.identity.oauth.origins import Origins
from torhaus.identity.shown import of_file, shown
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.live import Live, NobodyElse
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
    """Turned away at the door, with the headers the answer carries.

    `digest`: of a credential that nobody here knows, and another process may have just issued.
    """

    def __init__(self, error: CallerError, *headers: Header, digest: bytes | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.headers = headers
        self.digest = digest


_LABEL = re.compile(r"[a-z][a-z0-9-]{0,62}")
_EXPOSED = b"access-control-expose-headers: mcp-session-id, www-authenticate\r\n"


class Admission:
    """Compiled once from the settings. `refused` is told of credentials that are not let in.

    `exposed` is told of credentials that crossed a network in the clear, `open_served` of peers
    beyond this machine that are served without TLS. `clock`: Unix seconds.
    """

    def __init__(
        self,
        settings: Settings,
        refused: Callable[[str, str], None] = lambda _ip, _reason: None,
        live: Live | None = None,
        clock: Callable[[], float] = time.time,
        exposed: Callable[[Exposed], None] = lambda _exposed: None,
        open_served: Callable[[str], None] = lambda _ip: None,
    ) -> None:
        self._refused = refused
        self._exposed = exposed
        self._open_served = open_served
        self.proxies = Proxies(
            settings.trusted_proxies, standard=settings.proxy_headers == "forwarded"
        )
        self._live = NobodyElse() if live is None else live
        self._clock = clock
        self._told = Origins(public_url=settings.public_url, port=settings.port)
        self._signs_in = settings.oauth.enabled
        self.proxied = bool(settings.trusted_proxies)  # asked for each call
        accepted = _accepted(settings)
        self._any_host = accepted is None
        self._hosts = LOOPBACK if accepted is None else accepted
        self._origins = frozenset(o.lower().rstrip("/") for o in settings.allowed_origins)
        self._plaintext = settings.plaintext
        self._public_url = settings.public_url
        self._public_host = (settings.public_url or "").lower().partition("://")[2].rstrip("/")

    def admit(self, exchange: Request, rules: Rules) -> Visitor:
        """Who is calling, if he may come to the door of `/mcp` at all. Raises Denied."""
        ours = self.check(exchange)
        return self._identify(exchange, rules, self._place(exchange.head, rules), ours=ours)

    def enter(self, request: Request, rules: Rules) -> Visitor:
        """The same, for all that is not `/mcp`. Raises Denied."""
        ours = self.check(request)
        return self._identify(request, rules, None, ours=ours)

    def known(self, key: bytes, rules: Rules, server: str | None = None) -> Principal | None:
        """Whose key this is, if he may administer with it now, or call this server.

        Tokens of programs are good at neither: their owner has not typed them.
        """
        places = [None] if server is None else [None, server, *_showing(rules, server)]
        for place in places:
            found = identify(rules, self._live, key, place, self._clock())
            if isinstance(found, Proof):
                typed = found.credential is None or found.credential.kind is CredentialKind.KEY
                by = _shown(rules, key, found.credential)
                return msgspec.structs.replace(found.principal, shown=by) if typed else None
        return None

    async def learn(self, digest: bytes, ip: str) -> bool:
        """Whether another process has issued it a moment ago. Raises StateError."""
        return await self._live.look(digest, ip) is not None

    def stranger(self, request: Request, denied: Denied) -> None:
        """Nobody else knows the credential either."""
        self._refused(request.peer.ip, str(denied))

    def _place(self, head: Head, rules: Rules) -> str:
        """The server or view that is meant, also by the old transport's address below it."""
        name = self.named(head)
        if name in rules.servers or name in rules.views:
            return name
        return "" if name == "sse" else name.removesuffix("/sse")

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
        peer, head = exchange.peer, exchange.head
        if not plaintext.refused(self._plaintext, peer):
            if not peer.loopback:
                self._open_served(peer.ip)
            return
        for each in plaintext.exposed(peer, head.headers):
            self._exposed(each)
        place = self.named(head).removesuffix("/sse") if is_mcp(head.target) else None
        raise _denied(403, plaintext.reason(self._public_url, peer, place))

    def _identify(
        self, exchange: Request, rules: Rules, place: str | None, *, ours: bool
    ) -> Visitor:
        """Raises Denied with 401 for a missing, broken or unknown credential."""
        head = exchange.head
        if any(name in CREDENTIALS for name in head.twice or ()):
            raise self._wrong(exchange, place, "a credential header stands twice; send one")
        if in_query(head.target):
            text = (
                "a key in the URL ends up in logs: send it as `Authorization: Bearer KEY`, and "
                "replace the one you have sent"
            )
            raise self._wrong(exchange, place, text)
        found = credential(head.headers.items())
        if found is None:
            principal = self._anonymous(exchange, rules) if ours else None
            if principal is None:
                text = "no credential was sent; send `Authorization: Bearer KEY`"
                raise self._unknown(head, place, text, "")
            return Visitor(principal, None)
        if isinstance(found, Unclear):
            raise self._wrong(exchange, place, found.reason)
        now = self._clock()
        proof = identify(rules, self._live, found, place, now)
        if isinstance(proof, NotProved):
            raise self._unproved(exchange, place, found, proof, now)
        name = _name(found, proof.credential)
        by = _shown(rules, found, proof.credential)
        return Visitor(proof.principal, name, proof.lease, proof.credential, self._live, by)

    def _unproved(
        self, exchange: Request, place: str | None, key: bytes, why: NotProved, now: float
    ) -> Denied:
        if why.down:
            return cannot_know()
        if why.unknown and well_formed(key.decode("latin-1"), KEY, ACCESS):
            if self._live.until <= now:
                return cannot_know()  # a 401 would make clients throw good tokens away
            digest = sha256(key).digest()
            if self._live.worth_asking(digest, now, exchange.peer.ip):
                denied = self._unknown(exchange.head, place, why.reason, "invalid_token")
                denied.digest = digest
                return denied
        return self._wrong(exchange, place, why.reason, "invalid_token")

    def _wrong(
        self, exchange: Request, place: str | None, text: str, error: str = "invalid_request"
    ) -> Denied:
        self._refused(exchange.peer.ip, text)
        return self._unknown(exchange.head, place, text, error)

    def _unknown(self, head: Head, place: str | None, text: str, error: str) -> Denied:
        """`error`: only where a credential was sent (RFC 6750 3.1)."""
        said = text if error else ""
        if place is None or not self._signs_in:
            told = 'Bearer realm="torhaus"'
            told += f', error="{error}", error_description="{quotable(said)}"' if error else ""
        else:
            host = head.headers.get(b"host", b"").decode("latin-1")
            told = challenge(self._told.of(host), place, error, said)
        header = (b"www-authenticate", told.encode("latin-1", "replace"))
        return Denied(CallerError(codes.UNAUTHORIZED, text, status=401), header)

    def _anonymous(self, exchange: Request, rules: Rules) -> Principal | None:
        peer = exchange.peer
        forwarded = any(name in exchange.head.headers for name in FORWARDED)
        if not peer.proxied and (forwarded or self.proxies.trusts(peer.ip)):
            return None  # the peer is a proxy: its address says nothing about who asks
        return anonymous(rules, peer.ip)


def _shown(rules: Rules, key: bytes, credential: Credential | None) -> str:
    """What records call it."""
    if credential is not None:
        return shown(credential)
    return of_file(rules.key_numbers.get(sha256(key).digest()))


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


def cannot_know() -> Denied:
    """Who comes with a credential of the database while that does not answer."""
    error = CallerError(codes.INVALID_REQUEST, CLOSED, status=503)
    return Denied(error, (b"retry-after", b"5"))


def _denied(status: int, text: str) -> Denied:
    return Denied(CallerError(codes.INVALID_REQUEST, text, status=status))


def _name(key: bytes, credential: Credential | None) -> bytes:
    """What budgets call it: tokens come and go, and the consent they came of stays."""
    if credential is None or credential.kind is CredentialKind.KEY:
        return key
    return b"family " + credential.family.encode()


def _showing(rules: Rules, server: str) -> list[str]:
    """Views in which there is something of the server."""
    views = rules.views.items()
    return [name for name, view in views if view.picks is None or server in view.picks]
