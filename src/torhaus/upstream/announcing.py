"""What a server with sessions announces, for stateless callers: one stream for each session.

A server has one stream for what belongs to no call; all who listen on a session share it.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from torhaus.mcp.message import read_incoming
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, NoStream, Notice, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream.envelope import fields
from torhaus.upstream.flow import Brake, Tap
from torhaus.upstream.listeners import CHANGES, Listeners, Subscription, honoured
from torhaus.upstream.pooled import refusal

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a stream that ended is opened again; doubled each time."""

Listen = Callable[[Session, Sink], Awaitable[None]]
Reply = Callable[[Session, bytes], None]


class _Stream:
    """The sink of one session's stream. `task` reads it while somebody listens."""

    throttle: Callable[[bool], None] | None = None

    def __init__(self, session: Session, reply: Reply) -> None:
        self._session = session
        self._reply = reply
        self.brake = Brake()
        self.listeners = Listeners()
        self.task: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """Each listener has heard so already."""

    def notice(self, notice: Notice) -> None:
        if notice.method is None:
            return
        if notice.id is not None:
            self._reply(self._session, refusal(notice.method, notice.id))
        elif notice.method in CHANGES:
            self.listeners.changed(notice.method, fields(read_incoming(notice.body).params))


class Announcing:
    """Owned by one event loop. `pause`: seconds before the first attempt to listen again."""

    def __init__(self, listen: Listen, reply: Reply, pause: float = FIRST_PAUSE) -> None:
        self._listen = listen
        self._reply = reply
        self._pause = pause
        self._streams: dict[str, _Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    async def follow(
        self, ask: Ask, sink: Sink, session: Session, capabilities: dict[str, object]
    ) -> Answer:
        """A `subscriptions/listen` on this session, until it is cancelled."""
        stream = self._streams.get(session.jti)
        if stream is None:
            stream = self._streams[session.jti] = _Stream(session, self._reply)
        if stream.task is None:
            stream.task = asyncio.get_running_loop().create_task(self._read(session, stream))
        wanted = honoured(ask.params, _may_change(capabilities))
        subscription = Subscription(ask.id, wanted, Tap(sink, stream.brake))
        try:
            await stream.listeners.follow(subscription)
        finally:
            if not stream.listeners and self._streams.get(session.jti) is stream:
                del self._streams[session.jti]
                stream.task.cancel()
        return Answer(result=subscription.result())

    async def _read(self, session: Session, stream: _Stream) -> None:
        pause = self._pause
        while True:
            try:
                await self._listen(session, stream)
                pause = self._pause
            except NoStream:
                return  # it announces nothing
            except UpstreamError as error:
                log.info("upstream.stream.ended", server=session.server, reason=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def end(self) -> None:
        tasks = [each.task for each in self._streams.values() if each.task is not None]
        for stream in self._streams.values():
            stream.listeners.end_all()
        self._streams.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _may_change(capabilities: dict[str, object]) -> dict[str, object]:
    """Servers tell of changes that they did not announce; who asked for them gets them."""
    return {name: {"listChanged": True} for name in capabilities}
