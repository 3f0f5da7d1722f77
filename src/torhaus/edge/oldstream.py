"""The one stream of a client of 2024-11-05, which carries all that it is told."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from torhaus.edge.exchange import Exchange, Header
from torhaus.edge.heads import Head
from torhaus.edge.reading import Door
from torhaus.edge.visitor import Visitor
from torhaus.gate.aggregate.fronts import MANY
from torhaus.gate.gate import Gate
from torhaus.mcp import ladder, sse
from torhaus.mcp.message import read_incoming, result_text
from torhaus.model.rules import Rules
from torhaus.model.session import Session

log = structlog.get_logger()

PATIENCE = 60.0
"""Seconds until a client has begun a session on its stream, or loses it."""
UNREAD = 32 * 1024 * 1024
"""Octets that wait for a client which does not read, beyond which it loses its stream."""
AGAIN, LONGEST = 1.0, 30.0
"""Seconds until a server that stopped talking is listened to again, the first time and at most."""

_NOBODY = b'{"jsonrpc":"2.0","id":null'
_NEVER = frozenset((404, 405))
"""Answers to listening that will be the same next time."""
_OURS = frozenset((b"content-length", b"transfer-encoding", b"last-event-id", *ladder.ROUTING))
"""Headers of the client's own request that say nothing about the one made of it."""


class Inside(msgspec.Struct, frozen=True):
    """What is behind the door: `handle` takes a request to the address of today."""

    gate: Gate
    rules: Callable[[], Rules]
    handle: Callable[[Exchange], None]


class Place(msgspec.Struct, frozen=True):
    """Where a stream was opened: the name and path of a server, or of a view of several."""

    name: str
    path: bytes

    def head(self, method: bytes, like: Head, session: str | None) -> Head:
        """The head of a request of today, from whoever sent `like`."""
        head = Head(self.path)
        head.method = method
        head.headers = {name: value for name, value in like.headers.items() if name not in _OURS}
        head.headers[b"accept"] = b"application/json, text/event-stream"
        if session is not None:
            head.headers[ladder.SESSION] = session.encode("ascii")
        return head


class Voice(Exchange):
    """A request made of a client's message, or for its stream: what it is answered goes there.

    `refusal`: status and body of an answer that names no request, for the POST that brought it.
    `event_id`, `retry`: where its own stream could be resumed. `answered`: whether a response came
    on it.
    """

    __slots__ = ("_stream", "answered", "event_id", "refusal", "resumes", "retry", "status")

    def __init__(self, stream: "OldStream", head: Head) -> None:
        super().__init__(stream.exchange.wire, head)
        self.peer = stream.exchange.peer  # who is behind a proxy is known already
        self._stream = stream
        self.answered = False
        self.event_id: str | None = None
        self.refusal: tuple[int, bytes] | None = None
        self.resumes = False
        self.retry: int | None = None
        self.status = 200

    def json(self, status: int, body: bytes) -> None:
        self.answer(status, body)

    def result(self, id_text: bytes, result: bytes) -> None:
        self.answer(200, result_text(id_text, result))

    def answer(self, status: int, body: bytes, *headers: Header) -> None:
        if self.done:
            return
        self.done, self.status = True, status
        for name, value in headers:
            if name == ladder.SESSION:
                self._stream.begins(value.decode("ascii"))
        if body.startswith(_NOBODY):
            self.refusal = (status, body)
        elif body and self.head.method == b"POST":
            self._stream.say(body)
        self._stream.finished(self)

    def _open(self) -> None:
        self.streaming = True

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        if self.done or not self.takes_stream:
            return
        self.streaming = True
        self.event_id = event_id or self.event_id
        self.retry = self.retry if retry is None else retry
        if data:  # what only primes a stream for resumption is nothing to such a client
            self.answered = self.answered or (self.resumes and read_incoming(data).method is None)
            self._stream.say(data)

    def beat(self) -> None:
        """The stream has a beat of its own."""

    def end(self) -> None:
        if not self.done:
            self.done = True
            self._stream.finished(self)

    def detached(self) -> None:
        """The server answers on a stream that its client resumes, which this one cannot."""
        self.resumes = True
        self.end()


class OldStream:
    """Owned by one event loop. Ends with its client and its caller's rights.

    `left` is called once it is over.
    """

    def __init__(
        self,
        exchange: Exchange,
        visitor: Visitor,
        place: Place,
        inside: Inside,
        left: Callable[["OldStream"], None],
    ) -> None:
        self.exchange = exchange
        self.visitor = visitor
        self.place = place
        self.voices: set[Voice] = set()
        self.draining = False
        self._inside = inside
        self._gate = inside.gate
        self._left = left
        self._opened = inside.gate.clock()
        self._token: str | None = None
        self._hears = False
        self._pause = AGAIN
        self._timers: set[asyncio.TimerHandle] = set()
        self._over = False
        self._unread = 0

    def open(self, address: bytes) -> None:
        """Say where messages are to be sent."""
        self.exchange.throttle = self._throttle
        self.exchange.on_gone = self.close
        self.exchange.on_drain = self.drain
        self.exchange.write(sse.endpoint(address))

    # -- messages ------------------------------------------------------------------------------

    def take(self, head: Head, body: bytes | bytearray) -> Voice:
        """Carry one message of the client."""
        voice = Voice(self, self.place.head(b"POST", head, self._token))
        voice.body = body
        self._begin(voice)
        return voice

    def _begin(self, voice: Voice) -> None:
        self.voices.add(voice)
        self._inside.handle(voice)

    def say(self, data: bytes) -> None:
        """Answers come all at once, however many there are, so they cannot be throttled."""
        if self._unread > UNREAD:
            return
        if self.exchange.wire.full():
            self._unread += len(data)
        if self._unread > UNREAD:
            log.info("stream.unread", server=self.place.name, octets=self._unread)
            asyncio.get_running_loop().call_soon(self._cut)
            return
        self.exchange.event(data)

    def _cut(self) -> None:
        self.close()
        self.exchange.wire.abort()

    def _throttle(self, full: bool) -> None:  # noqa: FBT001 -- the shape of Sink.throttle
        """What the client does not read, no server goes on to say."""
        if not full:
            self._unread = 0
        for voice in list(self.voices):
            if voice.throttle is not None:
                voice.throttle(full)

    def begins(self, token: str) -> None:
        """The client has a session; a former one is over."""
        self._end_session()
        self._token, self._hears = token, False

    def finished(self, voice: Voice) -> None:
        """One of its requests is over."""
        self.voices.discard(voice)
        if self._over:
            return
        if voice.resumes and not voice.answered:
            self._later((voice.retry or 1000) / 1000, voice.event_id)
        elif voice.head.method == b"GET" and not voice.resumes and voice.status not in _NEVER:
            self._pause = AGAIN if voice.streaming else min(2 * self._pause, LONGEST)
            self._later(self._pause)
        elif voice.status == 202 and self._token is not None and not self._hears:
            self._hears = True  # the first thing a client tells in a session is that it is ready
            self._listen()
        if self.draining and not self._working():
            self.close()

    # -- what a client of today would listen to by itself --------------------------------------

    def _later(self, seconds: float, last_event: str | None = None) -> None:
        def listen() -> None:
            self._timers.discard(timer)
            self._listen(last_event)

        timer = asyncio.get_running_loop().call_later(seconds, listen)
        self._timers.add(timer)

    def _listen(self, last_event: str | None = None) -> None:
        head = self.place.head(b"GET", self.exchange.head, self._token)
        voice = Voice(self, head)
        if last_event is not None:
            head.headers[b"last-event-id"] = last_event.encode("latin-1")
            voice.resumes, voice.event_id = True, last_event
        self._begin(voice)

    # -- who may stay --------------------------------------------------------------------------

    def still_valid(self, rules: Rules, now: float) -> bool:
        """Whether the caller may be here, and with this client."""
        caller = self.visitor.renewed(rules)
        if caller is None or self.visitor.over(now):
            return False
        if caller.expires is not None and caller.expires <= now:
            return False
        if self._token is None and self._opened + PATIENCE <= now:
            return False
        server = rules.servers.get(self.place.name)
        if server is None:
            return self.place.name in rules.views
        session = self._session()
        door = Door(self.exchange, self.visitor, server, "" if session is None else session.client)
        found = door.renewed(rules, now)
        return found is not None and (session is None or door.barred(*found, now) is None)

    def _session(self) -> Session | None:
        if self._token is None:
            return None
        name, caller, now = self.place.name, self.visitor.principal.id, self._gate.clock()
        sessions = self._gate.sessions
        found = sessions.find(self._token, name, caller, now)
        return found or sessions.find(self._token, MANY + name, caller, now)

    # -- the end -------------------------------------------------------------------------------

    def drain(self) -> None:
        """The gateway stops, or the caller must go: only the first waits for answers."""
        self.draining = True
        stopping = self.still_valid(self._inside.rules(), self._gate.clock())
        if not (stopping and self._working()):
            self.close()

    def _working(self) -> bool:
        return any(voice.head.method == b"POST" for voice in self.voices)

    def close(self) -> None:
        """The stream is over, and with it the session and all that runs in it."""
        if self._over:
            return
        self._over = True
        for timer in self._timers:
            timer.cancel()
        for voice in list(self.voices):
            voice.lost()
        self.voices.clear()
        self._left(self)
        self._end_session()
        self.exchange.end()

    def _end_session(self) -> None:
        session = self._session()
        if session is None:
            return
        rules = self._inside.rules()
        head = self.place.head(b"DELETE", self.exchange.head, self._token)
        # It ends for callers who would not be let in any more, too.
        head.rules, head.peer, head.visitor = rules, self.exchange.peer, self.visitor
        head.server = rules.servers.get(self.place.name)
        if head.server is None and self.place.name not in rules.views:
            self._gate.sessions.end(session)  # the server is gone, and its half of it
            return
        self._inside.handle(Voice(self, head))
        if session.live:  # his credential is gone, so he is let in for nothing, not even for that
            self._gate.sessions.end(session)
            self._gate.abandon(session)
            for cancel in list(session.running.values()):
                cancel()
