"""Between the two eras: what must be added or taken away so that each side sees its own."""

from typing import Any

import msgspec

from torhaus.mcp.extensions import PREFIX as PREFIX
from torhaus.mcp.extensions import across
from torhaus.mcp.versions import LOG_LEVEL_KEY, MODERN, VERSION_KEY

ENVELOPE = (
    VERSION_KEY,
    PREFIX + "clientCapabilities",
    PREFIX + "clientInfo",
    LOG_LEVEL_KEY,
    PREFIX + "subscriptionId",
)
SERVER_INFO = PREFIX + "serverInfo"

CACHEABLE = frozenset(
    (
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
    )
)
"""The methods whose complete results must carry `ttlMs` and `cacheScope` (2026-07-28)."""

CHANGED = {
    "tools": "toolsListChanged",
    "prompts": "promptsListChanged",
    "resources": "resourcesListChanged",
}
"""Capability with `listChanged` -> its name in the filter of a subscription (2026-07-28)."""

SUBSCRIPTIONS = "resourceSubscriptions"
SUBSCRIBE = ("resources", "subscribe")

RESOURCE_NOT_FOUND = -32002
INVALID_PARAMS = -32602

decode = msgspec.json.decode
encode = msgspec.json.encode


def to_legacy_params(params: bytes) -> bytes:
    """Modern request params without their envelope. Other `_meta` keys stay (progressToken)."""
    if not params:
        return params
    loose = decode(params)
    for name in ("requestState", "inputResponses"):
        loose.pop(name, None)
    meta = loose.get("_meta")
    if not isinstance(meta, dict):
        return encode(loose)
    kept = {key: value for key, value in meta.items() if key not in ENVELOPE}
    if kept:
        loose["_meta"] = kept
    else:
        del loose["_meta"]
    return encode(loose)


def to_modern_params(
    params: bytes, *, capabilities: bytes, client_info: bytes, log_level: str | None = None
) -> bytes:
    """Legacy request params with the envelope of 2026-07-28, from what the session declared."""
    loose = decode(params) if params else {}
    for name in ("requestState", "inputResponses"):
        loose.pop(name, None)  # a legacy request is no round of another one, whatever it says
    meta = loose.get("_meta")
    meta = dict(meta) if isinstance(meta, dict) else {}
    meta[VERSION_KEY] = MODERN
    meta[PREFIX + "clientCapabilities"] = msgspec.Raw(capabilities or b"{}")
    if client_info:
        meta[PREFIX + "clientInfo"] = msgspec.Raw(client_info)
    if log_level is not None:
        meta[LOG_LEVEL_KEY] = log_level
    loose["_meta"] = meta
    return encode(loose)


def to_modern_result(method: str, result: bytes, server_info: bytes | None) -> bytes:
    """A legacy result with what 2026-07-28 requires: resultType, cache hints, serverInfo."""
    loose = decode(result)
    if not isinstance(loose, dict):
        return result
    loose.setdefault("resultType", "complete")
    if method in CACHEABLE:
        loose.setdefault("ttlMs", 0)
        loose.setdefault("cacheScope", "private")
    if server_info:
        meta = loose.get("_meta")
        meta = dict(meta) if isinstance(meta, dict) else {}
        meta.setdefault(SERVER_INFO, msgspec.Raw(server_info))
        loose["_meta"] = meta
    return encode(loose)


def to_legacy_result(result: bytes) -> bytes:
    """A modern result without the fields that legacy revisions do not know (checklist L11)."""
    loose = decode(result)
    if not isinstance(loose, dict):
        return result
    for name in ("resultType", "ttlMs", "cacheScope"):
        loose.pop(name, None)
    meta = loose.get("_meta")
    if isinstance(meta, dict):
        kept = {
            key: value
            for key, value in meta.items()
            if key not in (SERVER_INFO, PREFIX + "subscriptionId")
        }
        if kept:
            loose["_meta"] = kept
        else:
            del loose["_meta"]
    return encode(loose)


def to_modern_error(method: str, error: bytes) -> bytes:
    """Resource not found is -32602 in the modern era."""
    return _recode(method, error, RESOURCE_NOT_FOUND, INVALID_PARAMS)


def to_legacy_error(method: str, error: bytes) -> bytes:
    """Resource not found is -32002 in the legacy era."""
    return _recode(method, error, INVALID_PARAMS, RESOURCE_NOT_FOUND)


def _recode(method: str, error: bytes, old: int, new: int) -> bytes:
    if method != "resources/read":
        return error
    try:
        loose = decode(error)
        if isinstance(loose, dict) and loose.get("code") == old:
            return encode({**loose, "code": new})
    except (msgspec.MsgspecError, RecursionError):
        return error  # 1e999 in its data is JSON, and no number that could be written again
    return error


def discover_from_initialize(init_result: bytes) -> bytes:
    """The answer to `server/discover` for a server that only knows `initialize`."""
    known = _object(init_result)
    answer: dict[str, Any] = {
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": _relayed_capabilities(known.get("capabilities")),
        "ttlMs": 0,
        "cacheScope": "private",
    }
    if known.get("instructions") is not None:
        answer["instructions"] = known["instructions"]
    if isinstance(known.get("serverInfo"), dict):
        answer["_meta"] = {SERVER_INFO: known["serverInfo"]}
    return encode(answer)


def announced(discover: bytes) -> frozenset[str]:
    """What a stateless server tells of by itself, in the words of a subscription's filter."""
    capabilities = _object(discover).get("capabilities")
    if not isinstance(capabilities, dict):
        return frozenset()
    names = {CHANGED[kind] for kind in CHANGED if _has(capabilities, kind, "listChanged")}
    return frozenset(names | ({SUBSCRIPTIONS} if _has(capabilities, *SUBSCRIBE) else set()))


def _has(capabilities: dict[str, Any], kind: str, what: str) -> bool:
    about = capabilities.get(kind)
    return isinstance(about, dict) and about.get(what) is True


def initialize_from_discover(discover: bytes, version: str) -> bytes:
    """The answer to `initialize` for a server that only knows `server/discover`."""
    known = _object(discover)
    meta = known.get("_meta")
    info = meta.get(SERVER_INFO) if isinstance(meta, dict) else None
    capabilities = known.get("capabilities")
    answer: dict[str, Any] = {
        "protocolVersion": version,
        "capabilities": across(capabilities),
        "serverInfo": info if isinstance(info, dict) else {"name": "upstream", "version": "0"},
    }
    if known.get("instructions") is not None:
        answer["instructions"] = known["instructions"]
    return encode(answer)


def _object(text: bytes) -> dict[str, Any]:
    loose = decode(text)
    return loose if isinstance(loose, dict) else {}


def _relayed_capabilities(capabilities: object) -> dict[str, Any]:
    """Without tasks. Lists change by what the gateway itself knows of rights and pinned tools."""
    kept = across(capabilities)
    for kind in CHANGED:
        if isinstance(kept.get(kind), dict):
            kept[kind] = {**kept[kind], "listChanged": True}
    return kept
