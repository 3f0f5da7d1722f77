"""Which transport and which eras an HTTP upstream speaks (protocol checklist U1, U3)."""

from collections.abc import Awaitable, Callable

import msgspec

from torhaus.mcp import codes
from torhaus.mcp.message import encode, request_text
from torhaus.mcp.versions import CAPABILITIES_KEY, LATEST_LEGACY, LEGACY, MODERN, VERSION_KEY
from torhaus.model.ports import Ask
from torhaus.model.servers import Era
from torhaus.upstream.exchange import Reply
from torhaus.upstream.faults import FaultError
from torhaus.upstream.replies import FOREIGN, code_of, object_of, session_of, unexpected
from torhaus.upstream.requests import Requests

LIFETIME = 24 * 3600.0
"""Seconds a verdict is believed: a stale modern one fails loudly, a stale legacy one never."""

_INFO = {"name": "torhaus", "version": "1"}

Send = Callable[[bytes, bytes | None], Awaitable[Reply]]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`discover`, `initialize`: JSON text of those results, where the upstream gave one.

    `probe_session`: the session that probing opened, to be closed in `probe_version`. Both eras
    absent: the upstream does not speak streamable HTTP. `unasked`: whether it knows sessions too,
    nobody has needed to know yet.
    """

    discover: bytes | None = None
    initialize: bytes | None = None
    probe_session: str | None = None
    probe_version: str = LATEST_LEGACY
    unasked: bool = False

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


async def learn(send: Send, requests: Requests, wanted: str, *, sessions: bool = False) -> Facts:
    """Ask the upstream. `wanted`: `auto`, `legacy` or `modern`. Raises UpstreamError.

    A modern request comes first: it is stateless, and a legacy server refuses it plainly. 401, 403,
    429, 5xx, redirects and silence say nothing about the era, so they are errors. Of a modern one
    it is asked whether it knows `sessions` too only where somebody has one.
    """
    discover = None if wanted == "legacy" else await _discover(send, requests)
    if wanted == "modern":
        if discover is None:
            raise FaultError(f"it does not speak {MODERN}, but `era: modern` is configured")
        return Facts(discover=discover)
    if discover is not None and not sessions:
        return Facts(discover=discover, unasked=True)
    return await with_sessions(send, requests, discover)


async def with_sessions(send: Send, requests: Requests, discover: bytes | None) -> Facts:
    """Whether it knows sessions. Raises UpstreamError."""
    body = initialize_text(b'"torhaus-probe-2"', b"{}", b"", LATEST_LEGACY)
    reply = await send(requests.legacy(body, None, None), b'"torhaus-probe-2"')
    found = None if reply.answer is None else object_of(reply.answer.result)
    if found is not None and reply.answer is not None and reply.answer.result is not None:
        version = found.get("protocolVersion")
        return Facts(
            discover=discover,
            initialize=bytes(reply.answer.result),
            probe_session=session_of(reply),
            probe_version=version if version in LEGACY else LATEST_LEGACY,
        )
    if not _says_no(reply) or (discover is None and reply.status not in FOREIGN):
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
    text = requests.modern(request_text(ask.id, ask.method, params), ask)
    reply = await send(text, ask.id)
    if _names_ours(reply):
        reply = await send(text, ask.id)  # as clients do: it may have been another one's word
    if not _says_no(reply):
        raise unexpected(reply)
    answer = reply.answer
    found = None if answer is None else object_of(answer.result)
    if answer is not None and answer.result is not None and found is not None:
        versions = found.get("supportedVersions")
        return bytes(answer.result) if isinstance(versions, list) and MODERN in versions else None
    if answer is not None and _speaks_modern(reply.status, code_of(answer)):
        return b'{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{}}'
    return None


def _names_ours(reply: Reply) -> bool:
    """Whether it refuses the version (-32022) and names that very one as one that it speaks."""
    if reply.answer is None or code_of(reply.answer) != codes.UNSUPPORTED_VERSION:
        return False
    data = (object_of(reply.answer.error) or {}).get("data")
    supported = data.get("supported") if isinstance(data, dict) else None
    return isinstance(supported, list) and MODERN in supported


def _says_no(reply: Reply) -> bool:
    """Whether it is an answer of the server itself, which a refusal of the era would be."""
    return 200 <= reply.status < 300 or reply.status in FOREIGN


def _speaks_modern(status: int, code: int | None) -> bool:
    """Only a modern server checks these headers, or says 404 in a JSON-RPC error (-32601)."""
    if status == 404 and code == codes.METHOD_NOT_FOUND:
        return True
    return code in (codes.HEADER_MISMATCH, codes.MISSING_CAPABILITY)
