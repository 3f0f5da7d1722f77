"""What a stateless server announces, for the listening streams of callers who keep sessions.

A session's stream is one `subscriptions/listen` of the server, begun anew when its wishes change.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from torhaus.mcp import eras
from torhaus.mcp.message import encode, notification_text, read_incoming
from torhaus.mcp.methods import UPDATED
from torhaus.model.ports import Ask, NoStream, Notice, Sink, UpstreamError
from torhaus.model.servers import Era
from torhaus.model.session import Session
from torhaus.model.sinks import Before
from torhaus.upstream.listeners import CHANGES
from torhaus.upstream.memory import Memory

log = structlog.get_logger()

SETTLE = 10.0
"""Seconds in which the server must acknowledge a changed subscription."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a stream that ended is opened again; doubled each time."""

Open = Callable[[Ask, Sink], Awaitable[None]]


class _Heard(Before):
    """Of a modern stream, what a session hears of it."""

    __slots__ = ("acknowledged",)

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        """The session's own stream is open already."""

    def notice(self, notice: Notice) -> None:
        if notice.id is not None or notice.method is None:
            return
        if notice.method == "notifications/subscriptions/acknowledged":
            _resolve(self.acknowledged)
        elif notice.method in CHANGES or notice.method == UPDATED:
            params = read_incoming(notice.body).params
            plain = b"" if params is None else eras.to_legacy_params(bytes(params))
            body = notification_text(notice.method, plain)
            self._sink.notice(Notice(body=body, method=notice.method))


class _Reading(msgspec.Struct, eq=False):
    """One `subscriptions/listen` under way."""

    task: asyncio.Task[None]
    heard: _Heard

    async def begun(self) -> None:
        await _either(self.task, self.heard.acknowledged)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    def acknowledged(self) -> bool:
        return self.heard.acknowledged.done()


class _Hearing:
    """The stream of one session. `bell`: its wishes changed; `waiting`: for these to be known."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.over = False
        self.bell: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting: list[asyncio.Future[None]] = []


class Hearings:
    """Owned by one event loop. `opens` carries one listening request until it ends.

    `pause`: seconds before the first attempt to open a stream again that ended.
    """

    def __init__(
        self, ids: Callable[[], str], memory: Memory, opens: Open, pause: float = FIRST_PAUSE
    ) -> None:
        self._ids = ids
        self._memory = memory
        self._opens = opens
        self._pause = pause
        self._all: dict[str, _Hearing] = {}

    def __len__(self) -> int:
        return len(self._all)

    async def listen(self, session: Session, discover: bytes, sink: Sink) -> None:
        """Until it is cancelled or replaced. Raises NoStream when there is nothing to tell."""
        kinds = eras.announced(discover)
        if not kinds:
            raise NoStream("it announces nothing")
        self.end(session)  # the newest stream replaces the older, so that nothing is told twice
        hearing = self._all[session.jti] = _Hearing(sink)
        sink.opened()
        try:
            await self._hear(session, kinds, hearing)
        finally:
            if self._all.get(session.jti) is hearing:
                del self._all[session.jti]
            for each in hearing.waiting:
                _resolve(each)

    async def _hear(self, session: Session, kinds: frozenset[str], hearing: _Hearing) -> None:
        reading: _Reading | None = None
        pause = self._pause
        try:
            while not hearing.over:
                hearing.bell = bell = asyncio.get_running_loop().create_future()
                told, hearing.waiting = hearing.waiting, []
                before, reading = reading, self._begin(session, kinds, hearing.sink)
                if reading is not None:
                    await reading.begun()  # the old one goes on till then: nothing is missed
                if before is not None:
                    await before.stop()
                for each in told:
                    _resolve(each)
                pause = self._pause if reading is None or reading.acknowledged() else 2 * pause
                await _either(bell, None if reading is None else reading.task)
                if not bell.done():
                    await _rest(bell, min(pause, LONGEST_PAUSE))
        finally:
            if reading is not None:
                reading.task.cancel()

    def _begin(self, session: Session, kinds: frozenset[str], sink: Sink) -> _Reading | None:
        """None while the session wishes nothing that the server announces."""
        wishes = self._memory.known(session.jti)
        wanted: dict[str, object] = dict.fromkeys(sorted(kinds - {eras.SUBSCRIPTIONS}), True)
        if eras.SUBSCRIPTIONS in kinds and wishes is not None and wishes.uris:
            wanted[eras.SUBSCRIPTIONS] = sorted(wishes.uris)
        if not wanted:
            return None
        params = eras.to_modern_params(
            encode({"notifications": wanted}), capabilities=b"{}", client_info=session.client_info
        )
        ask = Ask(
            method="subscriptions/listen",
            id=encode(self._ids()),
            params=params,
            era=Era.MODERN,
            principal=session.principal,
            timeout=None,
        )
        heard = _Heard(sink)
        task = asyncio.get_running_loop().create_task(self._read(ask, heard, session.server))
        return _Reading(task, heard)

    async def _read(self, ask: Ask, heard: _Heard, server: str) -> None:
        try:
            await self._opens(ask, heard)
        except UpstreamError as error:
            log.info("upstream.stream.ended", server=server, reason=str(error))

    async def changed(self, session: Session) -> None:
        """The session's wishes are others now: returns when the server knows, if it listens."""
        hearing = self._all.get(session.jti)
        if hearing is None:
            return
        loop = asyncio.get_running_loop()
        known: asyncio.Future[None] = loop.create_future()
        hearing.waiting.append(known)
        _resolve(hearing.bell)
        timer = loop.call_later(SETTLE, _resolve, known)
        try:
            await known
        finally:
            timer.cancel()

    def end(self, session: Session) -> None:
        hearing = self._all.pop(session.jti, None)
        if hearing is not None:
            hearing.over = True
            _resolve(hearing.bell)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _either(one: asyncio.Future[None], other: asyncio.Future[None] | None) -> None:
    waits = [one] if other is None else [one, other]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)


async def _rest(bell: asyncio.Future[None], seconds: float) -> None:
    timer = asyncio.get_running_loop().create_future()
    handle = asyncio.get_running_loop().call_later(seconds, _resolve, timer)
    try:
        await _either(bell, timer)
    finally:
        handle.cancel()
