"""The first words on a pipe: `initialize`, or `server/discover` to a server without sessions."""

from collections.abc import Awaitable, Callable

import msgspec

from torhaus.mcp import eras
from torhaus.mcp.message import encode
from torhaus.mcp.versions import CAPABILITIES_KEY, LEGACY, MODERN, VERSION_KEY
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.upstream import envelope
from torhaus.upstream.envelope import GarbageError, Opened
from torhaus.upstream.faults import FaultError

PROBE = 10.0
"""Seconds a server that has refused a session gets to say whether it needs none."""

Call = Callable[[str, bytes, float | None], Awaitable[Answer]]
"""Sends a request: method, params as JSON text, seconds. Raises UpstreamError."""


class StatelessError(FaultError):
    """It refused a session, and then answered as a server of 2026-07-28 does."""


class Terms(msgspec.Struct, frozen=True):
    """What a session is opened with; `capabilities` and `client_info` are JSON text.

    With the version 2026-07-28, none is opened: the server is only asked what it is.
    """

    version: str
    capabilities: bytes
    client_info: bytes

    @property
    def stateless(self) -> bool:
        return self.version == MODERN


async def begin(call: Call, terms: Terms) -> Opened:
    """What the server says about itself. Raises UpstreamError.

    `initialize` comes first wherever sessions may be known: there are servers that stop at any
    other first message, and one that knows no sessions refuses it and goes on (checklist U2).
    """
    if terms.stateless:
        return await _discovered(call, terms, None)
    params = b'{"protocolVersion":%b,"capabilities":%b,"clientInfo":%b}' % (
        encode(terms.version),
        terms.capabilities,
        terms.client_info,
    )
    answer = await call("initialize", params, None)
    if answer.result is None:
        refused = f"it refused to open a session: {envelope.error_message(answer.error or b'')}"
        if await _needs_none(call, terms):
            raise StatelessError(f"{refused}; it speaks {MODERN} only")
        raise FaultError(refused)
    try:
        opened = envelope.opened(answer.result)
    except GarbageError as error:
        raise FaultError("it opened a session with nonsense") from error
    if opened.version not in LEGACY:
        raise FaultError(
            f"it speaks protocol version {opened.version[:40]!r},"
            f" Torhaus knows {', '.join((MODERN, *LEGACY))}"
        )
    return opened


async def _needs_none(call: Call, terms: Terms) -> bool:
    try:
        await _discovered(call, terms, PROBE)
    except UpstreamError:
        return False
    return True


async def _discovered(call: Call, terms: Terms, seconds: float | None) -> Opened:
    answer = await call("server/discover", _envelope(terms), seconds)
    if answer.result is None:
        message = envelope.error_message(answer.error or b"")
        raise FaultError(f"it does not speak {MODERN}: {message}")
    loose = envelope.fields(answer.result)
    versions = envelope.value_of(loose, "supportedVersions")
    if not isinstance(versions, list) or MODERN not in versions:
        raise FaultError(f"it does not speak {MODERN}")
    capabilities = envelope.value_of(loose, "capabilities")
    info = envelope.fields(loose.get("_meta")).get(eras.SERVER_INFO)
    return Opened(
        answer.result,
        MODERN,
        capabilities if isinstance(capabilities, dict) else {},
        None if info is None else bytes(info),
    )


def look(terms: Terms) -> tuple[str, bytes]:
    """What asks whether it lives, and changes nothing: the method and its params."""
    if not terms.stateless:
        return "ping", b""
    return "server/discover", _envelope(terms)


def _envelope(terms: Terms) -> bytes:
    meta = {
        VERSION_KEY: MODERN,
        CAPABILITIES_KEY: {},
        eras.PREFIX + "clientInfo": msgspec.Raw(terms.client_info),
    }
    return encode({"_meta": meta})
