"""Whose request an answer belongs to: each session has ids of its own at its server.

Everybody's first request is 1. A server that is behind answers a request with what another asked
for, and by the id alone nobody would notice. What a session's ids become follows from the session,
so nothing is kept, and a stream can be resumed at another gateway and after a restart.
"""

import msgspec

from torhaus.mcp.message import Incoming, encode, error_text, notification_text, result_text
from torhaus.mcp.message import read_incoming as read
from torhaus.model.ports import Notice, Sink
from torhaus.model.session import Session
from torhaus.model.sinks import Before
from torhaus.upstream.envelope import canonical, decode, fields

ANOTHERS = "it answered another request than the one it was sent"

_METHOD = "notifications/cancelled"
_CANCELLED = notification_text(_METHOD, b"")[:-1]
_SAFE = 1 << 53
"""Integers from here on are not exact everywhere (RFC 8259, 6): as text they are."""
_QUOTE = ord('"')
_TAGGED = b'"torhaus-'
_TEXT, _INTEGER = ".", "#"
"""What stands behind the tag."""
_NOBODYS = (b"0", b"-1")
"""What some servers write for none; no session's number is so small but by chance."""


def at_server(id_text: bytes, session: Session) -> bytes:
    """What a caller's id is at the server; both are JSON text.

    A number stays a number of as many bits, because some servers read 32 of them and some 53.
    """
    if id_text[0] == _QUOTE:
        return b"%b%b.%b" % (_TAGGED, session.tag, id_text[1:])
    number = int(id_text)
    if -_SAFE <= number < _SAFE:
        return b"%d" % (number ^ session.mask)
    return b'%b%b#%b"' % (_TAGGED, session.tag, id_text)


def at_caller(id_text: bytes, session: Session) -> bytes | None:
    """The caller's id again, however the server spells it; None for that of another session.

    What never was an id of ours stays as it is: the Python SDK refuses with "server-error".
    """
    try:
        found = decode(id_text)
    except (msgspec.MsgspecError, RecursionError):
        return id_text
    if isinstance(found, str) and found.startswith("torhaus-"):
        return _untagged(found, session)
    number = _number(found)
    if number is None or not -_SAFE <= number < _SAFE:
        return id_text
    return b"%d" % (number ^ session.mask)


def _untagged(found: str, session: Session) -> bytes | None:
    own = f"torhaus-{session.tag.decode()}"
    if not found.startswith(own):
        return None
    kind, rest = found[len(own) : len(own) + 1], found[len(own) + 1 :]
    if kind == _INTEGER:
        return rest.encode()
    return encode(rest) if kind == _TEXT else None


def _number(found: object) -> int | None:
    """Servers spell 1 as 1.0 or "1", too."""
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if isinstance(found, str) and found.isascii() and found.removeprefix("-").isdigit():
        return int(found) if len(found) < 20 else None
    return found if type(found) is int else None


def calling_off(body: bytes, session: Session) -> bytes:
    """A notification as the server understands it: one that ends a request names it."""
    if not body.startswith(_CANCELLED):
        return body
    params = fields(read(body).params)
    own = canonical(params.get("requestId"))
    if own is None:
        return body
    params["requestId"] = msgspec.Raw(at_server(own, session))
    return notification_text(_METHOD, encode(params))


class AtCaller(Before):
    """Answers on a stream that is resumed, under the ids that their caller knows."""

    __slots__ = ("_session",)

    def __init__(self, sink: Sink, session: Session) -> None:
        super().__init__(sink)
        self._session = session

    def notice(self, notice: Notice) -> None:
        if notice.method is None and notice.id is not None:
            own = at_caller(notice.id, self._session)
            if own is None:
                return
            notice = msgspec.structs.replace(notice, id=own, body=_named(notice.body, own))
        self._sink.notice(notice)


def _named(body: bytes, own: bytes) -> bytes:
    message = read(body)
    if message.error is not None:
        return error_text(own, bytes(message.error))
    return body if message.result is None else result_text(own, bytes(message.result))


def anothers(message: Incoming, wanted: bytes) -> bool:
    """Whether a response belongs to another request than this one (JSON text of its id).

    Then its connection is behind: what comes next would answer whoever comes next. An error under
    an id of nobody's says nothing: the Python SDK refuses with "server-error".
    """
    if is_answer(message, wanted):
        return False
    if message.id is None or message.result is not None:
        return True
    text = bytes(message.id)
    if text in _NOBODYS:
        return False
    return text.startswith(_TAGGED) or text.lstrip(b'"-')[:1].isdigit()


def is_answer(message: Incoming, wanted: bytes) -> bool:
    """Whether a response is the one to this request id (JSON text).

    Servers spell ids anew: 1 as 1.0 or "1", letters as escapes. An error may have none, when the
    server could not read the request.
    """
    if message.id is None:
        return message.error is not None
    own = bytes(message.id)
    if own == wanted:
        return True
    if own == b"null":
        return message.error is not None
    try:
        return _spelled(own) == _spelled(wanted)
    except (msgspec.MsgspecError, RecursionError):
        return False  # 1e999 is a number of JSON, and of nobody who could have asked


def _spelled(id_text: bytes) -> str:
    found = decode(id_text)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return str(found)
