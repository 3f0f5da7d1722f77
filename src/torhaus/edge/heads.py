"""Request heads, and a memory for those that come again.

A client sends the same head with every call, but for the length of the body. Parsing it and
finding out who is asking costs more than the decision about the call, so both are remembered: by
the head's exact bytes, for heads whose sender was let in, under the rules that let him in.
"""

import re

from torhaus.edge.peer import Peer
from torhaus.edge.proxies import LISTS
from torhaus.edge.visitor import Visitor
from torhaus.gate.sight import Scope
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.session import Session

MOST = 2048
LONGEST = 4096

_LENGTH = re.compile(rb"\r\n(?i:content-length):[ \t]*([0-9]{1,10})[ \t]*(?=\r\n)")
_NEVER = (b"transfer-encoding", b"expect", b"upgrade")


class Head:
    """One request head. `headers`: lower-case names, first values; `twice`: names that came again.

    The rest is what was found out about it: under `rules`, over a connection like `peer`, it came
    from `visitor` and meant `server` and `session`; `takes_stream` is its `Accept`, None before it
    was checked, and `modern` is known from then on, too: whether its version is of that era;
    `trace` is the trace that its `traceparent` names, None before it was read.
    """

    __slots__ = (
        "headers",
        "key",
        "method",
        "modern",
        "peer",
        "rules",
        "scope",
        "server",
        "session",
        "takes_stream",
        "target",
        "trace",
        "twice",
        "visitor",
    )

    def __init__(self, target: bytes) -> None:
        self.method = b""
        self.target = target
        self.headers: dict[bytes, bytes] = {}
        self.twice: list[bytes] | None = None
        self.key: bytes | None = None
        self.takes_stream: bool | None = None
        self.modern = False
        self.trace: str | None = None
        self.rules: Rules | None = None
        self.peer: Peer | None = None
        self.visitor: Visitor | None = None
        self.server: Server | None = None
        self.session: Session | None = None
        self.scope: Scope | None = None

    def add(self, name: bytes, value: bytes) -> None:
        """White space around a value is not part of it (RFC 9110 5.5)."""
        name = name.lower()
        if name not in self.headers:
            self.headers[name] = value.rstrip(b" \t")
            return
        if name == b"accept" or name in LISTS:  # one list in several lines (RFC 9110 5.3)
            self.headers[name] += b", " + value.rstrip(b" \t")
        if self.twice is None:
            self.twice = []
        self.twice.append(name)


class Heads:
    """The heads that were let in. Bounded; cleared when the rules change."""

    __slots__ = ("_exact", "_known")

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self._exact: dict[bytes, tuple[Head, int]] = {}

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and the body, when `data` is exactly one request with a known head."""
        end = data.find(b"\r\n\r\n")
        if not 0 < end <= LONGEST:
            return None
        whole = data[:end]
        exact = self._exact.get(whole)
        if exact is not None:
            head, length = exact
            return (head, data[end + 4 :]) if len(data) == end + 4 + length else None
        found = _LENGTH.search(data, 0, end + 2)
        if found is None or len(data) != end + 4 + int(found[1]):
            return None
        known = self._known.get(data[: found.start()] + data[found.end() : end])
        if known is None:
            return None
        if len(self._exact) >= MOST:
            self._exact.clear()
        self._exact[whole] = (known, int(found[1]))
        return known, data[end + 4 :]

    def keep(self, head: Head) -> None:
        """Remember a head whose sender was let in."""
        if head.key is not None:
            if len(self._known) >= MOST:
                self.clear()
            self._known[head.key] = head

    def forget(self, session: Session) -> None:
        """It is over: nobody comes with its heads again, and each holds kilobytes."""
        for key in [key for key, head in self._known.items() if head.session is session]:
            del self._known[key]
        for key in [key for key, (head, _) in self._exact.items() if head.session is session]:
            del self._exact[key]

    def clear(self) -> None:
        self._known.clear()
        self._exact.clear()


class Again:
    """The heads, and before them the last one of one connection, which mostly comes again.

    It outlasts `Heads.clear`: a head says itself under which rules its sender was let in.
    """

    __slots__ = ("_head", "_heads", "_size", "_text")

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._head: Head | None = None
        self._text = b""  # of the head, with the empty line behind it
        self._size = 0  # of the whole request

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """As `Heads.find`."""
        if len(data) == self._size and self._head is not None and data.startswith(self._text):
            return self._head, data[len(self._text) :]
        known = self._heads.find(data)
        if known is not None:
            self._head, self._size = known[0], len(data)
            self._text = data[: len(data) - len(known[1])]
        return known


def key_of(data: bytes, head: Head) -> bytes | None:
    """What a head can be recognised by; None for one that must be parsed every time."""
    end = data.find(b"\r\n\r\n")
    found = _LENGTH.search(data, 0, end + 2) if 0 < end <= LONGEST else None
    if found is None or head.twice is not None or head.method != b"POST":
        return None
    if not data.startswith(b"POST %b HTTP/1.1\r\n" % head.target):
        return None  # the parser had eaten some of it before, or it is another request's
    if any(name in head.headers for name in _NEVER):
        return None
    if head.headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    return data[: found.start()] + data[found.end() : end]
