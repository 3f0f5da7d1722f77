"""What one of many servers says to a client before an answer, or on a listening stream."""

from collections.abc import Callable
from typing import Any

import msgspec

from torhaus.gate.aggregate import names, rewriting
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.rewriting import UNREADABLE
from torhaus.gate.hinted import CHANGES
from torhaus.gate.relay import Front as Stream
from torhaus.mcp.hearing import LOG, PROGRESS, Forward, reaches
from torhaus.mcp.message import (
    Incoming,
    encode,
    error_text,
    notification_text,
    read_incoming,
    request_text,
    result_text,
)
from torhaus.mcp.methods import UPDATED
from torhaus.model.views import View

TASKS = "notifications/tasks"

Changed = Callable[[str, str], None]
"""Called with a server's name and the notification that one of its lists has changed."""


class Saying:
    """The caller's end of a stream, as one server has it.

    `token`: JSON text of the progress token of the call it belongs to; None for a stream that
    belongs to no call. `view`: what is shown at the address now; a stream may outlive what it was
    when it was opened.
    """

    def __init__(
        self, stream: Stream, guest: Guest, server: str, changed: Changed, token: bytes | None
    ) -> None:
        self._stream = stream
        self._guest = guest
        self._server = server
        self._changed = changed
        self._token = token
        self._forward = Forward()
        self.view: Callable[[], View | None] = lambda: guest.view

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._stream.throttle

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        self._stream.throttle = change

    def opened(self) -> None:
        self._stream.opened()

    def tie(self) -> None:
        self._stream.tie()

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        if not data:
            self._stream.event(data, event_id, retry)
            return
        try:
            said = self._said(data)
        except (*UNREADABLE, TypeError, KeyError):
            return  # nothing that a client could read either
        if said is not None:
            self._stream.event(said, event_id, retry)

    def _said(self, data: bytes) -> bytes | None:
        """The message for the client; None for one that goes no further. Raises as reading does."""
        message = read_incoming(data)
        params = b"" if message.params is None else bytes(message.params)
        method, server = message.method, self._server
        if method is None:
            return self._answered(message)
        if message.id is not None:
            return request_text(
                bytes(message.id), method, rewriting.request(server, method, params)
            )
        if method in CHANGES:
            self._changed(server, method)
            return None
        if method == LOG:
            return self._logged(params)
        if method == UPDATED:
            return self._updated(params)
        if method.startswith(TASKS) or (method == PROGRESS and not self._ours(params)):
            return None
        return data

    def _logged(self, params: bytes) -> bytes | None:
        loose: Any = msgspec.json.decode(params)
        front = self._guest.front
        wanted = None if front is None else front.level
        if not isinstance(loose, dict) or not reaches(loose.get("level"), wanted):
            return None
        return notification_text(LOG, rewriting.logged(self._server, loose))

    def _updated(self, params: bytes) -> bytes | None:
        uri = msgspec.json.decode(params)["uri"]
        view = self.view()
        pick = None if view is None else view.pick(self._server)
        if pick is None or not isinstance(uri, str) or not names.shown_at(pick.resources, uri):
            return None
        return notification_text(UPDATED, rewriting.updated(self._server, params))

    def _ours(self, params: bytes) -> bool:
        """Whether a server speaks of the progress of a call that went to it, and it goes on."""
        loose: Any = msgspec.json.decode(params)
        token = loose.get("progressToken") if isinstance(loose, dict) else None
        if self._token is not None:
            return encode(token) == self._token and self._forward.goes_on(loose)
        front = self._guest.front
        return front is not None and front.tokens.get(encode(token)) == self._server

    def _answered(self, message: Incoming) -> bytes | None:
        """An answer on a resumed stream, if it is one to a request that went to this server."""
        front = self._guest.front
        if front is None or message.id is None:
            return None
        request_id = encode(msgspec.json.decode(message.id))
        if front.detached.get(request_id) != self._server:
            return None
        del front.detached[request_id]
        if message.result is not None:
            result = rewriting.result(self._server, bytes(message.result))
            return result_text(request_id, result)
        if message.error is None:
            return None
        return error_text(request_id, rewriting.error(self._server, bytes(message.error)))
