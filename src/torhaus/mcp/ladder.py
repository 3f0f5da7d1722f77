"""Which era a request belongs to, and the checks of 2026-07-28 in their order (checklist M5-M7)."""

from collections.abc import Mapping

import msgspec

from torhaus.mcp import codes, headers
from torhaus.mcp.message import CallerError, Request
from torhaus.mcp.methods import NAMED, REMOVED_IN_MODERN
from torhaus.mcp.versions import CAPABILITIES_KEY, LEGACY, MODERN, VERSION_KEY

VERSION = b"mcp-protocol-version"
METHOD = b"mcp-method"
NAME = b"mcp-name"
SESSION = b"mcp-session-id"
ROUTING = frozenset((VERSION, METHOD, NAME, SESSION))
"""Headers that may stand only once: two readers could pick two different ones."""


_LEGACY = frozenset(version.encode() for version in LEGACY)


def is_modern_version(header: bytes) -> bool:
    """Whether a version header belongs to the modern era, served or not."""
    return header not in _LEGACY


def is_modern(request: Request, version_header: bytes | None) -> bool:
    """A request is judged by what it carries, never by what its sender did before."""
    by_header = version_header is not None and is_modern_version(version_header)
    return by_header or says_modern(request)


def says_modern(request: Request) -> bool:
    """Whether a request is of the modern era by its own word."""
    meta = request.params.get("_meta") if "_meta" in request.params else None
    return isinstance(meta, dict) and VERSION_KEY in meta


def check_modern(request: Request, sent: Mapping[bytes, bytes]) -> None:
    """Raises CallerError for the first check that fails: envelope, headers, version, method."""
    meta = request.params.get("_meta")
    present = meta if isinstance(meta, dict) else {}
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in present]
    if missing:
        raise CallerError(
            codes.INVALID_PARAMS, f"params._meta lacks {' and '.join(missing)}", id=request.id
        )
    version = present[VERSION_KEY]
    if not isinstance(version, str) or sent.get(VERSION, b"").decode("latin-1") != version:
        raise _mismatch(request, "MCP-Protocol-Version", "params._meta")
    if sent.get(METHOD, b"").decode("latin-1") != request.method:
        raise _mismatch(request, "Mcp-Method", "`method`")
    _check_name(request, sent.get(NAME))
    if version != MODERN:
        data = msgspec.json.encode({"supported": [MODERN], "requested": version})
        raise CallerError(
            codes.UNSUPPORTED_VERSION, "Unsupported protocol version", id=request.id, data=data
        )
    if not isinstance(present[CAPABILITIES_KEY], dict):
        raise CallerError(
            codes.INVALID_PARAMS, f"{CAPABILITIES_KEY} must be an object", id=request.id
        )
    if request.method in REMOVED_IN_MODERN:
        raise CallerError(
            codes.METHOD_NOT_FOUND,
            f"{request.method} does not exist in {MODERN}",
            status=404,
            id=request.id,
        )


def _check_name(request: Request, sent: bytes | None) -> None:
    key = NAMED.get(request.method)
    if key is None:
        return
    named = request.params.get(key)
    if named is None:
        return
    try:
        told = None if sent is None else headers.decode(sent)
    except ValueError as error:
        raise _mismatch(request, "Mcp-Name", f"`params.{key}`") from error
    if told != named:
        raise _mismatch(request, "Mcp-Name", f"`params.{key}`")


def _mismatch(request: Request, header: str, member: str) -> CallerError:
    return CallerError(
        codes.HEADER_MISMATCH, f"the {header} header does not match {member}", id=request.id
    )
