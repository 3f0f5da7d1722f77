"""What a session of ours was told during a call, kept so that its client can resume the stream.

Up to 2025-11-25 a client whose connection breaks fetches the rest with `Last-Event-ID`. A stateless
server has no such streams; where the session lives in the gateway, so does what can be resumed.
"""

import asyncio
from collections.abc import Callable

import msgspec

from torhaus.mcp.codes import INTERNAL_ERROR
from torhaus.mcp.message import encode, error_object, error_text, result_text
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.model.sinks import Before

PRIMED_SINCE = "2025-11-25"
"""The first revision whose clients know events without data."""
RETRY = 1000
"""Milliseconds after which a client may come back."""
LIFETIME = 300.0
"""Seconds for which a stream is kept after its call has ended."""
LONGEST = 1024 * 1024
"""Octets of one stream; what is longer cannot be resumed."""
MOST_EACH = 4 * 1024 * 1024
MOST = 16 * 1024 * 1024
"""Octets for one principal and for all; the oldest streams make room."""
OVERHEAD = 512
"""Octets that an event counts beside its text."""
LOOK = 0.02
"""Seconds between looks whether the record of an ended call is written."""
UNANSWERED = "the server did not answer the call; the gateway's log says why"


class Stream(msgspec.Struct, eq=False, kw_only=True):
    """What one call was told. `over`: nothing more comes; `lost`: it became too long to keep."""

    name: str
    session: Session
    request_id: bytes
    told: list[Notice]
    bell: asyncio.Future[None]
    size: int = 0
    over: bool = False
    lost: bool = False

    def ring(self) -> None:
        bell, self.bell = self.bell, asyncio.get_running_loop().create_future()
        bell.set_result(None)


class Replays:
    """Owned by one event loop. `ids` yields ids that are unique in this process for ever.

    `size`: octets of all that is kept; `_sizes`: of each principal, whose streams are in `_each`.
    `_ended`: when streams that are over will be forgotten, the first one first. Event ids are
    sealed at the gate, for the session and its principal alone.
    """

    def __init__(self, ids: Callable[[], str], lifetime: float = LIFETIME) -> None:
        self._ids = ids
        self._lifetime = lifetime
        self._kept: dict[str, Stream] = {}
        self._sizes: dict[str, int] = {}
        self._each: dict[str, dict[str, Stream]] = {}
        self.size = 0
        self._ended: dict[str, float] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def begin(self, ask: Ask, session: Session, sink: Sink) -> "Recorded":
        """The sink of a call that can be resumed from now on. It is open at once."""
        stream = Stream(
            name=self._ids(),
            session=session,
            request_id=ask.id,
            told=[],
            bell=asyncio.get_running_loop().create_future(),
        )
        self._kept[stream.name] = stream
        self._each.setdefault(session.principal, {})[stream.name] = stream
        recorded = Recorded(self, stream, sink)
        sink.opened()
        if session.version >= PRIMED_SINCE:
            recorded.notice(Notice(body=b"", retry=RETRY))
        return recorded

    def keep(self, stream: Stream, notice: Notice) -> Notice:
        """The notice with its id in the stream, where it still can be resumed."""
        if stream.lost:
            return notice
        size = len(notice.body) + OVERHEAD
        if stream.size + size > LONGEST:
            self._lose(stream)
            return notice
        notice = msgspec.structs.replace(notice, event_id=f"{stream.name}.{len(stream.told)}")
        stream.told.append(notice)
        stream.size += size
        who = stream.session.principal
        self._sizes[who] = self._sizes.get(who, 0) + size
        self.size += size
        self._make_room(who)
        stream.ring()
        return notice

    def end(self, stream: Stream) -> None:
        """Its call is over: it can be resumed for a while yet."""
        stream.over = True
        stream.ring()
        if not stream.lost:
            self._ended[stream.name] = asyncio.get_running_loop().time() + self._lifetime
        if self._sweeping is None:
            self._sweep()

    def _make_room(self, who: str) -> None:
        while self._sizes.get(who, 0) > MOST_EACH:
            self._lose(next(iter(self._each[who].values())))
        while self.size > MOST:
            self._lose(next(iter(self._kept.values())))

    def _lose(self, stream: Stream) -> None:
        if self._kept.pop(stream.name, None) is None:
            return
        self._ended.pop(stream.name, None)
        who = stream.session.principal
        own = self._each[who]
        del own[stream.name]
        if not own:
            del self._each[who]
        self.size -= stream.size
        left = self._sizes.get(who, 0) - stream.size
        if left > 0:
            self._sizes[who] = left
        else:
            self._sizes.pop(who, None)
        stream.lost, stream.told, stream.size = True, [], 0
        stream.ring()

    def _sweep(self) -> None:
        self._sweeping = None
        loop = asyncio.get_running_loop()
        while self._ended:
            name, due = next(iter(self._ended.items()))
            if due > loop.time():
                self._sweeping = loop.call_at(due, self._sweep)
                break
            self._lose(self._kept[name])

    # -- resuming ------------------------------------------------------------------------------

    async def resume(self, session: Session, event_id: str, sink: Sink) -> None:
        """Tell what came after this event, until the call has ended. Raises UpstreamError."""
        name, _, number = event_id.rpartition(".")
        stream = self._kept.get(name)
        known = stream is not None and stream.session.jti == session.jti
        if stream is None or not known or not (number.isascii() and number.isdigit()):
            raise UpstreamError("what came after that event is not kept any more")
        sink.opened()
        at = int(number) + 1
        while True:
            bell = stream.bell
            for notice in stream.told[at:]:
                if notice.id == stream.request_id and notice.method is None:
                    await _recorded(stream)
                sink.notice(notice)
                at += 1
            if stream.lost or (stream.over and at >= len(stream.told)):
                return
            await asyncio.shield(bell)

    def forget(self, session: Session) -> None:
        """The session is over."""
        for stream in [s for s in self._kept.values() if s.session.jti == session.jti]:
            self._lose(stream)

    def close(self) -> None:
        """Nothing is kept any more."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for stream in list(self._kept.values()):
            self._lose(stream)


async def _recorded(stream: Stream) -> None:
    """The call is `running` until its record is written, which no answer overtakes."""
    while stream.request_id in stream.session.running:  # noqa: ASYNC110 -- a call's end sets no event
        await asyncio.sleep(LOOK)


class Recorded(Before):
    """Keeps what goes by. Leave it by `answered`, `failed` or `dropped`."""

    __slots__ = ("_replays", "_stream")

    def __init__(self, replays: Replays, stream: Stream, sink: Sink) -> None:
        super().__init__(sink)
        self._replays = replays
        self._stream = stream

    def opened(self) -> None:
        """It has been since the beginning."""

    def notice(self, notice: Notice) -> None:
        self._sink.notice(self._replays.keep(self._stream, notice))

    def answered(self, answer: Answer) -> Answer:
        """The answer, which has a place in the stream like all before it."""
        write = result_text if answer.result is not None else error_text
        body = write(self._stream.request_id, answer.result or answer.error or b"{}")
        kept = self._replays.keep(self._stream, Notice(body=body, id=self._stream.request_id))
        self._replays.end(self._stream)
        return msgspec.structs.replace(answer, event_id=kept.event_id)

    def failed(self, method: str) -> None:
        """Whoever resumes must not wait for an answer that does not come."""
        if method == "tools/call":
            content = [{"type": "text", "text": UNANSWERED}]
            self.answered(Answer(result=encode({"content": content, "isError": True})))
        else:
            self.answered(Answer(error=error_object(INTERNAL_ERROR, UNANSWERED)))

    def dropped(self) -> None:
        """The call was cancelled: nobody gets an answer."""
        self._replays.end(self._stream)
