"""Which transport and which eras an HTTP upstream speaks (protocol checklist U1, U3)."""

from collections.abc import Awaitable, Callable

import msgspec

from torhaus.mcp import codes
from torhaus.mcp.message import encode, request_text
from torhaus.mcp.versions import CAPABILITIES_KEY, LATEST_LEGACY, MODERN, VERSION_KEY
from torhaus.model.ports import Ask, UpstreamError
from torhaus.model.servers import Era
from torhaus.upstream.exchange import Reply
from torhaus.upstream.requests import Requests

LIFETIME = 24 * 3600.0
"""Seconds a verdict is believed: a stale modern one fails loudly, a stale legacy one never."""

_INFO = {"name": "torhaus", "version": "1"}
_NO_ERA = frozenset((400, 404, 405, 406, 415))

Send = Callable[[bytes, bytes | None], Awaitable[Reply]]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`discover`, `initialize`: JSON text of those results, where the upstream gave one.

    `probe_session`: the session that probing opened, to be closed. Both eras absent: the upstream
    does not speak streamable HTTP.
    """

    discover: bytes | None = None
    initialize: bytes | None = None
    probe_session: str | None = None

    @property
    def modern(self) -> bool:
        return self.discover is not None

    @property
    def legacy(self) -> bool:
        return self.initialize is not None


def initialize_text(id_text: bytes, capabilities: bytes, client_info: bytes, version: str) -> bytes:
    """An `initialize` request; the arguments are JSON text except `version`."""
    params = b'{"protocolVersion":%b,"capabilities":%b,"clientInfo":%b}' % (
        encode(version),
        capabilities or b"{}",
        client_info or encode(_INFO),
    )
    return request_text(id_text, "initialize", params)


async def learn(send: Send, requests: Requests, wanted: str) -> Facts:
    """Ask the upstream. `wanted`: `auto`, `legacy` or `modern`. Raises UpstreamError.

    A modern request comes first: it is stateless, and a legacy server refuses it plainly. 401, 403,
    5xx and silence say nothing about the era, so they are errors.
    """
    discover = None if wanted == "legacy" else await _discover(send, requests)
    if wanted == "modern":
        if discover is None:
            raise UpstreamError(f"it does not speak {MODERN}, but `era: modern` is configured")
        return Facts(discover=discover)
    body = initialize_text(b'"torhaus-probe-2"', b"{}", b"", LATEST_LEGACY)
    reply = await send(requests.legacy(body, None, None), b'"torhaus-probe-2"')
    answer = reply.answer
    if answer is not None and answer.result is not None:
        session = reply.headers.get(b"mcp-session-id")
        return Facts(
            discover=discover,
            initialize=bytes(answer.result),
            probe_session=None if session is None else session.decode("latin-1"),
        )
    if discover is None and reply.status not in _NO_ERA:
        raise unexpected(reply)
    return Facts(discover=discover)


async def _discover(send: Send, requests: Requests) -> bytes | None:
    envelope = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
    envelope["io.modelcontextprotocol/clientInfo"] = _INFO
    params = encode({"_meta": envelope})
    ask = Ask(
        method="server/discover",
        id=b'"torhaus-probe-1"',
        params=params,
        era=Era.MODERN,
        principal="",
    )
    reply = await send(requests.modern(request_text(ask.id, ask.method, params), ask), ask.id)
    answer = reply.answer
    if answer is not None and answer.result is not None and reply.status == 200:
        versions = msgspec.json.decode(answer.result).get("supportedVersions")
        return bytes(answer.result) if isinstance(versions, list) and MODERN in versions else None
    if reply.status in (401, 403) or reply.status >= 500:
        raise unexpected(reply)
    if answer is not None and answer.error is not None and _code(answer.error) in _SPEAKS_MODERN:
        return b'{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{}}'
    return None


_SPEAKS_MODERN = codes.MODERN_EVIDENCE - {codes.UNSUPPORTED_VERSION}


def _code(error: bytes) -> int:
    loose = msgspec.json.decode(error)
    code = loose.get("code") if isinstance(loose, dict) else None
    return code if isinstance(code, int) else 0


def unexpected(reply: Reply) -> UpstreamError:
    """The sentence for an answer that is none."""
    status = reply.status
    if status in (401, 403):
        return UpstreamError(f"it refused the gateway's credential (HTTP {status})")
    if 300 <= status < 400:
        return UpstreamError(f"it answered with a redirect (HTTP {status}): correct its `url`")
    if status == 429 or status == 503:
        wait = reply.headers.get(b"retry-after", b"").decode("latin-1")
        hint = f", retry after {wait} s" if wait.isdigit() else ""
        return UpstreamError(f"it is overloaded (HTTP {status}{hint})")
    if status >= 400:
        return UpstreamError(f"it answered HTTP {status}")
    return UpstreamError(f"it did not answer with an MCP message (HTTP {status})")
