"""Exchanges without a connection: what is sent is kept in a list."""

from collections.abc import Mapping

from torhaus.edge.exchange import Exchange
from torhaus.edge.heads import Head
from torhaus.edge.peer import peer_of


class Paper:
    """A connection on paper. `stuck`: its other end does not read."""

    def __init__(self, ip: str = "127.0.0.1", *, tls: bool = False) -> None:
        self.peer = peer_of(ip, tls=tls)
        self.sent: list[bytes] = []
        self.ended = 0
        self.stuck = False
        self.aborted = 0

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def date(self) -> bytes:
        return b"date: today\r\n"

    def full(self) -> bool:
        return self.stuck

    def finished(self, exchange: Exchange) -> None:
        self.ended += 1

    def abort(self) -> None:
        self.aborted += 1

    @property
    def text(self) -> bytes:
        return b"".join(self.sent)


def head(
    headers: Mapping[str, str] | None = None, method: str = "POST", target: str = "/mcp/github"
) -> Head:
    made = Head(target.encode())
    made.method = method.encode()
    for name, value in (headers or {}).items():
        made.add(name.encode(), value.encode("latin-1"))
    return made


def exchange(
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    *,
    ip: str = "127.0.0.1",
    tls: bool = False,
) -> Exchange:
    return Exchange(Paper(ip, tls=tls), head(headers, method))


def paper(method: str = "POST") -> tuple[Exchange, Paper]:
    """An exchange, and what it is written on."""
    wire = Paper()
    return Exchange(wire, head(method=method)), wire
