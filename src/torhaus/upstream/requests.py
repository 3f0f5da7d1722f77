"""The bytes of MCP requests to one HTTP upstream; what never changes is written once."""

import re
from functools import lru_cache

from torhaus.mcp import headers
from torhaus.mcp.versions import LEGACY, MODERN
from torhaus.model.ports import Ask, UpstreamError
from torhaus.model.secret import Secret
from torhaus.upstream.http import Target

READS = ("tools/list", "prompts/list", "prompts/get", "completion/complete", "server/discover")
RESOURCES = ("resources/list", "resources/templates/list", "resources/read")
SETTINGS = ("logging/setLevel", "resources/subscribe", "resources/unsubscribe")
OPENINGS = ("initialize", "ping", "subscriptions/listen")
TASKS = ("tasks/get", "tasks/list", "tasks/result")
REPEATABLE = frozenset((*READS, *RESOURCES, *SETTINGS, *OPENINGS, *TASKS))
"""Methods that may be sent again when nobody knows whether they arrived (checklist U12)."""

OURS = (("user-agent", "torhaus"), ("accept-encoding", "identity"))

# What an upstream calls its version travels back to it only if we know it: anything could be in it.
_VERSIONS = {version: b"mcp-protocol-version: %b\r\n" % version.encode() for version in LEGACY}
_digits = lru_cache(maxsize=4096)(b"%d".__mod__)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


def fields(configured: tuple[tuple[str, str], ...]) -> bytes:
    """Configured header fields and our own, as lines. Raises UpstreamError, without the value."""
    lines = []
    for name, value in configured:
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise UpstreamError(
                f"the header {name!r} configured for it is not one that can be sent"
            )
        lines.append(f"{name.lower()}: {value}\r\n")
    given = {name.lower() for name, _ in configured}
    lines += [f"{name}: {value}\r\n" for name, value in OURS if name not in given]
    return "".join(lines).encode("ascii")


class Requests:
    """Request heads for one upstream. The only place that opens its credential."""

    __slots__ = ("_delete", "_get", "_post")

    def __init__(self, target: Target, configured: tuple[tuple[str, Secret], ...]) -> None:
        own = fields(tuple((name, value.reveal()) for name, value in configured))
        where = b" %b HTTP/1.1\r\nhost: %b\r\n" % (target.path.encode(), target.authority.encode())
        common = where + own
        both = b"accept: application/json, text/event-stream\r\n"
        self._post = b"POST" + common + both + b"content-type: application/json\r\n"
        self._get = b"GET" + common + b"accept: text/event-stream\r\n"
        self._delete = b"DELETE" + common + both

    def legacy(self, body: bytes, version: str | None, session: str | None) -> bytes:
        """A POST in a session; `version` is absent on `initialize`."""
        lines, size = _session(version, session), _digits(len(body))
        parts = (self._post, lines, b"content-length: ", size, b"\r\n\r\n", body)
        return b"".join(parts)  # half of what `%` costs

    def modern(self, body: bytes, ask: Ask) -> bytes:
        """A stateless POST with the headers that repeat the body (SEP-2243)."""
        extra = f"mcp-protocol-version: {MODERN}\r\nmcp-method: {headers.encode(ask.method)}\r\n"
        if ask.name is not None:
            extra += f"mcp-name: {headers.encode(ask.name)}\r\n"
        for name, value in ask.headers:
            extra += f"{name}: {value}\r\n"
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (
            self._post,
            extra.encode("latin-1"),
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


@lru_cache(maxsize=4096)
def _session(version: str | None, session: str | None) -> bytes:
    lines = b"" if version is None else _VERSIONS.get(version, b"")
    if session is not None:
        lines += b"mcp-session-id: %b\r\n" % session.encode("ascii")
    return lines
