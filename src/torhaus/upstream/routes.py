"""Where a server's own messages go when it has several callers."""

from collections.abc import Iterator

from torhaus.mcp.codes import METHOD_NOT_FOUND
from torhaus.mcp.hearing import reaches
from torhaus.mcp.message import error_object
from torhaus.mcp.methods import UPDATED
from torhaus.model.ports import Notice
from torhaus.upstream.channel import Channel, Flight
from torhaus.upstream.envelope import Fields, text_of
from torhaus.upstream.flow import Tap
from torhaus.upstream.listeners import CHANGES, Listeners
from torhaus.upstream.memory import Memory
from torhaus.upstream.questions import Asked

NEEDED = {
    "sampling/createMessage": "sampling",
    "elicitation/create": "elicitation",
    "roots/list": "roots",
}
"""Request of a server -> the client capability that allows it."""

REFUSED = error_object(METHOD_NOT_FOUND, "the client did not offer this")
SHARED = error_object(METHOD_NOT_FOUND, "this connection is shared and answers no requests")


class Routes:
    """`shared`: people who must not hear of each other use the same connection.

    Then only what certainly belongs to one call, or is news for all, is delivered.
    """

    __slots__ = ("_capabilities", "_listeners", "_memory", "_shared")

    def __init__(
        self, capabilities: frozenset[str], listeners: Listeners, memory: Memory, *, shared: bool
    ) -> None:
        self._capabilities = capabilities
        self._listeners = listeners
        self._memory = memory
        self._shared = shared

    def asked(self, channel: Channel, notice: Notice) -> Asked | bytes | None:
        if self._shared:
            return SHARED
        needed = NEEDED.get(notice.method or "")
        if needed is not None and needed not in self._capabilities:
            return REFUSED
        flight = self._newest(channel)
        if flight is not None and flight.tap is not None and flight.session is not None:
            return Asked(flight.session.jti, flight.tap, flight.id)
        streams = self._listeners.streams()
        if not streams:
            return None
        jti, tap = list(streams.items())[-1]
        return Asked(jti, tap, 0)

    def _newest(self, channel: Channel) -> Flight | None:
        legacy = [flight for flight in channel.calls() if flight.session is not None]
        return legacy[-1] if legacy else None

    def noted(self, channel: Channel, notice: Notice, params: Fields) -> None:
        method = notice.method or ""
        if method == "notifications/message":
            self._logged(channel, notice, text_of(params, "level"))
            return
        if method in CHANGES:
            self._listeners.changed(method, params)
        elif method == UPDATED:
            self._listeners.updated(params)
        for tap in self._readers(channel, method, text_of(params, "uri")):
            tap.notice(notice)

    def _readers(self, channel: Channel, method: str, uri: str | None) -> Iterator[Tap]:
        streams = self._streams(channel)
        if not self._shared or method in CHANGES:
            return iter(streams.values())
        if method != UPDATED or uri is None:
            return iter(())
        return (streams[jti] for jti in self._memory.subscribers(uri, streams))

    def _streams(self, channel: Channel) -> dict[str, Tap]:
        """One stream for each legacy session: its listening one, else its newest call's."""
        streams = {
            flight.session.jti: flight.tap
            for flight in channel.calls()
            if flight.session is not None and flight.tap is not None
        }
        return {**streams, **self._listeners.streams()}

    def _logged(self, channel: Channel, notice: Notice, level: str | None) -> None:
        calls = [each for each in channel.calls() if not each.listens]
        if len(calls) == 1:
            calls[0].touch()
            self._log_to(calls[0], notice, level)
            return
        if self._shared:
            return
        for jti, tap in self._streams(channel).items():
            if self._memory.wants_level(jti, level):
                tap.notice(notice)

    def _log_to(self, flight: Flight, notice: Notice, level: str | None) -> None:
        if flight.tap is None:
            return
        if flight.session is not None:
            wanted = self._memory.wants_level(flight.session.jti, level)
        else:
            # A modern caller hears nothing unless its request names a level (2026-07-28, logging).
            wanted = flight.level is not None and reaches(level, flight.level)
        if wanted:
            flight.tap.notice(notice)
