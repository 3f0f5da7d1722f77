"""The bytes of MCP requests to one HTTP upstream; what never changes is written once."""

from torhaus.mcp import headers
from torhaus.mcp.versions import MODERN
from torhaus.model.ports import Ask
from torhaus.model.secret import Secret
from torhaus.upstream.http import Target

AGENT = b"user-agent: torhaus\r\n"


class Requests:
    """Request heads for one upstream. The only place that opens its credential."""

    __slots__ = ("_delete", "_get", "_post")

    def __init__(self, target: Target, configured: tuple[tuple[str, Secret], ...]) -> None:
        own = b"".join(
            b"%b: %b\r\n" % (name.lower().encode("ascii"), value.reveal().encode("latin-1"))
            for name, value in configured
        )
        where = b" %b HTTP/1.1\r\nhost: %b\r\n" % (target.path.encode(), target.authority.encode())
        common = where + AGENT + own
        both = b"accept: application/json, text/event-stream\r\n"
        self._post = b"POST" + common + both + b"content-type: application/json\r\n"
        self._get = b"GET" + common + b"accept: text/event-stream\r\n"
        self._delete = b"DELETE" + common + both

    def legacy(self, body: bytes, version: str | None, session: str | None) -> bytes:
        """A POST in a session; `version` is absent on `initialize`."""
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (
            self._post,
            _session(version, session),
            len(body),
            body,
        )

    def modern(self, body: bytes, ask: Ask) -> bytes:
        """A stateless POST with the headers that repeat the body (SEP-2243)."""
        extra = f"mcp-protocol-version: {MODERN}\r\nmcp-method: {headers.encode(ask.method)}\r\n"
        if ask.name is not None:
            extra += f"mcp-name: {headers.encode(ask.name)}\r\n"
        for name, value in ask.headers:
            extra += f"{name}: {value}\r\n"
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (
            self._post,
            extra.encode("ascii"),
            len(body),
            body,
        )

    def get(self, version: str | None, session: str | None, last_event: str | None) -> bytes:
        resume = b""
        if last_event is not None and last_event.isprintable() and last_event.isascii():
            resume = b"last-event-id: %b\r\n" % last_event.encode("ascii")
        return self._get + _session(version, session) + resume + b"\r\n"

    def delete(self, version: str | None, session: str | None) -> bytes:
        return self._delete + _session(version, session) + b"content-length: 0\r\n\r\n"


def _session(version: str | None, session: str | None) -> bytes:
    lines = b""
    if version is not None:
        lines = b"mcp-protocol-version: %b\r\n" % version.encode("ascii")
    if session is not None:
        lines += b"mcp-session-id: %b\r\n" % session.encode("ascii")
    return lines
