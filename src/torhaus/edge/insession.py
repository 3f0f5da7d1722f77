"""The session that a request belongs to."""

from torhaus.edge.heads import Head
from torhaus.edge.reading import Door
from torhaus.gate.sessions import Sessions
from torhaus.mcp import codes, ladder
from torhaus.mcp.message import CallerError
from torhaus.model.session import Session


def found(sessions: Sessions, door: Door, now: float) -> Session | None:
    """The session that a request names, if it is alive and the caller's."""
    head = door.exchange.head
    session = head.session
    if session is not None and session.live and session.expires > now:
        session.last_used = now
        return session
    token = head.headers.get(ladder.SESSION)
    head.scope = None  # it was of another session
    head.session = None
    if token is not None:
        name, caller = door.server.name, door.caller.id
        head.session = sessions.find(token.decode("latin-1"), name, caller, now)
    return head.session


def required(
    sessions: Sessions, door: Door, now: float, request_id: bytes | None = None
) -> Session:
    """The session a request belongs to. Raises CallerError with 400, 404 or 405."""
    session = found(sessions, door, now)
    if session is None:
        raise missing(door.exchange.head, request_id)
    return session


def missing(head: Head, request_id: bytes | None) -> CallerError:
    """What is told to a request that belongs to no session of its caller's."""
    if ladder.SESSION in head.headers:
        text = "the session is not known here: begin a new one with `initialize`"
        return CallerError(codes.INVALID_REQUEST, text, status=404, id=request_id)
    if head.method != b"POST":
        return CallerError(codes.INVALID_REQUEST, "there is no session here", status=405)
    text = "the Mcp-Session-Id header is missing: begin with `initialize`"
    return CallerError(codes.INVALID_REQUEST, text, id=request_id)
