"""What a client hears from us in the place of a server that it cannot reach yet."""

from typing import Any

import msgspec

from torhaus.mcp.message import encode
from torhaus.mcp.versions import LATEST_LEGACY, LEGACY, MODERN
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask

NOBODY = "torhaus-not-connected"
"""The upstream session of a client whose account is not connected yet."""
_CAN = {"tools": {"listChanged": True}}


def greeting(ask: Ask, server: str) -> Answer | None:
    """The answer to a hello; None for whatever only the server can answer."""
    about = {"name": server, "version": "1"}
    match ask.method:
        case "initialize":
            found: dict[str, Any] = {
                "protocolVersion": _version(ask.params),
                "capabilities": _CAN,
                "serverInfo": about,
            }
            return Answer(result=encode(found), session=NOBODY)
        case "server/discover":
            found = {
                "resultType": "complete",
                "supportedVersions": [MODERN],
                "capabilities": _CAN,
                "_meta": {"io.modelcontextprotocol/serverInfo": about},
            }
            return Answer(result=encode(found))
        case "ping":
            return Answer(result=b"{}")
        case _:
            return None


def _version(params: bytes) -> str:
    try:
        asked = msgspec.json.decode(params).get("protocolVersion")
    except (msgspec.MsgspecError, AttributeError, RecursionError):
        return LATEST_LEGACY
    return asked if asked in LEGACY else LATEST_LEGACY
