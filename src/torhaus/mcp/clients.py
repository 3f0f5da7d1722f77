"""The name a client gives itself: at `initialize`, or with every request of the modern era."""

from collections.abc import Mapping
from typing import Any

import msgspec

CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
MAX_NAME = 200


def kept_name(client_info: bytes) -> str:
    """Of the `clientInfo` that a session keeps, as JSON text; empty where it names none."""
    try:
        return _name(msgspec.json.decode(client_info)) if client_info else ""
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def sent_name(params: Mapping[str, Any]) -> str:
    """Of a request's params: `clientInfo` of `initialize`, or that of the modern envelope."""
    meta = params.get("_meta")
    if isinstance(meta, dict) and CLIENT_KEY in meta:
        return _name(meta[CLIENT_KEY])
    return _name(params.get("clientInfo"))


def _name(info: object) -> str:
    """What is too long is no name: cut short, it could become somebody else's."""
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) and len(name) <= MAX_NAME else ""
