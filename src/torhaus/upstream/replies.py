"""What the end of an exchange means when it is not an answer."""

import re
from typing import Any

import msgspec

from torhaus.mcp import codes
from torhaus.mcp.message import Incoming
from torhaus.model.ports import UpstreamError
from torhaus.upstream.exchange import Reply
from torhaus.upstream.faults import DeniedError, FaultError

# The wordings of the SDKs: "No valid session ID provided", "Server not initialized" (TypeScript),
# "Missing session ID" (Python), "Unauthorized: Session not found" (Rust, which says it with 401).
_DEAD = re.compile(
    rb"(?i)(?:no valid|invalid or expired|invalid|expired|unknown|missing|no such) session"
    rb"|session(?: id)?(?: is)? (?:not found|unknown|expired|terminated|closed|required|missing)"
    rb"|server not initialized"
)
_DEAD_STATUS = (400, 401, 404)
FOREIGN = frozenset((400, 404, 405, 406, 415))
"""HTTP statuses by which a server says that it does not understand what it was sent."""
_NOT_DEAD = (codes.METHOD_NOT_FOUND, codes.INVALID_PARAMS)


def is_dead(reply: Reply) -> bool:
    """Whether the upstream no longer knows the session, so that nothing was processed (U7)."""
    status = reply.status
    if status not in _DEAD_STATUS:
        return False
    if reply.answer is not None and code_of(reply.answer) in _NOT_DEAD:
        return False  # such an error comes from behind the session's door
    return status == 404 or _DEAD.search(_text(reply), 0, 2000) is not None


def _text(reply: Reply) -> bytes:
    if reply.answer is not None and reply.answer.error is not None:
        return bytes(reply.answer.error)
    return reply.body


def session_of(reply: Reply) -> str | None:
    """The id of the session that it opened. Raises UpstreamError for one that cannot be sent."""
    opened = reply.headers.get(b"mcp-session-id")
    if opened is None:
        return None
    text = opened.decode("latin-1")
    if not text or not text.isascii() or not text.isprintable():
        raise UpstreamError("its session id is not visible ASCII")
    return text


def object_of(raw: msgspec.Raw | bytes | None) -> dict[str, Any] | None:
    """A JSON object, decoded, or None when it is anything else."""
    if raw is None:
        return None
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def code_of(message: Incoming) -> int | None:
    """The code of its error, if it is one."""
    error = object_of(message.error)
    code = None if error is None else error.get("code")
    return code if isinstance(code, int) else None


def speaks_legacy(message: Incoming) -> bool:
    """Whether an error has a code that the SDKs use before a session is open (-32000, -32001)."""
    return code_of(message) in (-32000, -32001)


def streamed(reply: Reply) -> bool:
    return b"text/event-stream" in reply.headers.get(b"content-type", b"").lower()


def unexpected(reply: Reply) -> UpstreamError:
    """The sentence for an answer that is none."""
    status = reply.status
    if status in (401, 403):
        text = f"it refused the gateway's credential (HTTP {status})"
        challenge = reply.headers.get(b"www-authenticate", b"").decode("latin-1")
        return DeniedError(text, outright=status == 401, challenge=challenge)
    if 300 <= status < 400:
        return FaultError(f"it answered with a redirect (HTTP {status}): correct its `url`")
    if status in (429, 503):
        wait = reply.headers.get(b"retry-after", b"").decode("latin-1")
        hint = f", retry after {wait} s" if re.fullmatch("[0-9]{1,8}", wait) else ""
        text = f"it is overloaded (HTTP {status}{hint})"
        return FaultError(text) if status == 503 else UpstreamError(text)
    if status >= 500:
        return FaultError(f"it answered HTTP {status}")
    if status >= 400:
        return UpstreamError(f"it answered HTTP {status}")
    if reply.last_event is not None:
        return FaultError("it ended the stream before it answered")
    return FaultError(f"it did not answer with an MCP message (HTTP {status})")
