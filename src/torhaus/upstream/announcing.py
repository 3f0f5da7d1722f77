"""What a server with sessions announces, for stateless callers: one stream for each session.

A server has one stream for what belongs to no call; all who listen on a session share it, and so do
calls whose server may ask: many servers ask there, and not on the stream of the call.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from torhaus.mcp.inputs import CANCELLED
from torhaus.mcp.message import read_incoming
from torhaus.mcp.methods import UPDATED
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, NoStream, Notice, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream.chores import Chores
from torhaus.upstream.envelope import fields
from torhaus.upstream.flow import Brake, Tap
from torhaus.upstream.listeners import (
    CHANGES,
    Listeners,
    Subscription,
    honoured,
    may_change,
    resources,
)
from torhaus.upstream.pooled import refusal
from torhaus.upstream.subscribing import Subscribing

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a stream that ended is opened again; doubled each time."""
SETTLE = 10.0
"""Seconds in which the stream must be open on which a server tells of resources."""
PROMPT = 1.0
"""Seconds that a call waits for the stream on which its server may ask."""
LINGER = 30.0
"""Seconds for which that stream stays open after a call: the next one comes soon."""

Listen = Callable[[Session, Sink], Awaitable[None]]
Reply = Callable[[Session, bytes], None]
Wish = Callable[[Session, str, str], Awaitable[bool]]
"""Tells the server which resource a session wishes to hear of: method and URI."""


class _Stream:
    """The sink of one session's stream. `task` reads it while somebody listens.

    `there`: whether the server has such a stream at all, once that is known. `desks`: the calls
    under way whose server may ask; a question here does not say which it belongs to, so it goes to
    the newest.
    """

    throttle: Callable[[bool], None] | None = None

    def __init__(self, session: Session, reply: Reply, subscribing: Subscribing) -> None:
        self.session = session
        self._reply = reply
        self.there: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.subscribing = subscribing
        self.brake = Brake()
        self.listeners = Listeners()
        self.followers = 0
        self.desks: list[Sink] = []
        self.task: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """Each listener hears so by itself."""
        self.known(there=True)

    def known(self, *, there: bool) -> None:
        if not self.there.done():
            self.there.set_result(there)

    async def subscribed(self, uris: frozenset[str]) -> frozenset[str]:
        """Of these resources, the ones that will be told of here."""
        await asyncio.wait([self.there], timeout=SETTLE)
        there = self.there.done() and self.there.result()
        return await self.subscribing.join(uris if there else frozenset())

    def notice(self, notice: Notice) -> None:
        if notice.method is None:
            return
        if notice.id is not None and self.desks and notice.method != "ping":
            self.desks[-1].notice(notice)
        elif notice.id is not None:
            self._reply(self.session, refusal(notice.method, notice.id))
        elif notice.method == CANCELLED:
            for desk in self.desks:
                desk.notice(notice)
        elif notice.method in CHANGES:
            self.listeners.changed(notice.method, fields(read_incoming(notice.body).params))
        elif notice.method == UPDATED:
            self.listeners.updated(fields(read_incoming(notice.body).params))


class Announcing:
    """Owned by one event loop. `pause`: seconds before the first attempt to listen again."""

    def __init__(
        self, listen: Listen, reply: Reply, wish: Wish, pause: float = FIRST_PAUSE
    ) -> None:
        self._listen = listen
        self._reply = reply
        self._wish = wish
        self._pause = pause
        self._streams: dict[str, _Stream] = {}
        self._subscribing: dict[str, Subscribing] = {}
        self._lingering: set[asyncio.TimerHandle] = set()
        self._silent = False
        self._chores = Chores()

    def __len__(self) -> int:
        return len(self._streams)

    async def follow(
        self, ask: Ask, sink: Sink, session: Session, capabilities: dict[str, object]
    ) -> Answer:
        """A `subscriptions/listen` on this session, until it is cancelled."""
        stream = self._joined(session)
        try:
            return await self._followed(ask, sink, stream, capabilities)
        finally:
            self._leave(stream)

    def _joined(self, session: Session) -> _Stream:
        stream = self._streams.get(session.jti)
        if stream is None:
            subscribing = self._subscribed(session)
            stream = self._streams[session.jti] = _Stream(session, self._reply, subscribing)
        stream.followers += 1
        if stream.task is None:
            stream.task = asyncio.get_running_loop().create_task(self._read(session, stream))
        return stream

    def _leave(self, stream: _Stream) -> None:
        stream.followers -= 1
        jti = stream.session.jti
        if stream.followers or self._streams.get(jti) is not stream:
            return
        del self._streams[jti]
        if stream.task is not None:
            stream.task.cancel()
        self._chores.start(self._left(jti, stream.subscribing))

    async def attend(self, session: Session, desk: Sink) -> Callable[[], None]:
        """Questions of the server come to this call too, until what is returned is called."""
        if self._silent:
            return _nothing
        stream = self._joined(session)
        stream.desks.append(desk)
        left = partial(self._attended, stream, desk)
        try:
            done, _ = await asyncio.wait([stream.there], timeout=PROMPT)
        except BaseException:
            left()
            raise
        if not done:
            stream.known(there=True)  # nobody waits for it again
        return left

    def _attended(self, stream: _Stream, desk: Sink) -> None:
        stream.desks.remove(desk)
        loop = asyncio.get_running_loop()

        def leave() -> None:
            self._lingering.discard(timer)
            self._leave(stream)

        timer = loop.call_later(LINGER, leave)
        self._lingering.add(timer)

    def called(self, principal: str, capabilities: dict[str, object]) -> None:
        """A call of his has ended that may have changed what the server lists."""
        for stream in self._streams.values():
            if stream.session.principal == principal:
                stream.listeners.called(capabilities)

    def _subscribed(self, session: Session) -> Subscribing:
        """It outlives streams: what was wished first must reach the server first."""
        found = self._subscribing.get(session.jti)
        if found is None:
            found = Subscribing(partial(self._wish, session))
            self._subscribing[session.jti] = found
        return found

    async def _left(self, jti: str, subscribing: Subscribing) -> None:
        await subscribing.left()
        if not subscribing and jti not in self._streams:
            self._subscribing.pop(jti, None)

    async def _followed(
        self, ask: Ask, sink: Sink, stream: _Stream, capabilities: dict[str, object]
    ) -> Answer:
        wanted = honoured(ask.params, may_change(capabilities))
        uris = resources(ask.params, capabilities)
        told = await stream.subscribed(uris) if uris else uris
        subscription = Subscription(ask.id, wanted, Tap(sink, stream.brake), told)
        try:
            await stream.listeners.follow(subscription)
        finally:
            stream.subscribing.leave(told)
        return Answer(result=subscription.result())

    async def _read(self, session: Session, stream: _Stream) -> None:
        pause = self._pause
        while True:
            try:
                await self._listen(session, stream)
                pause = self._pause
            except NoStream:
                self._silent = True
                stream.known(there=False)
                return  # it announces nothing
            except UpstreamError as error:
                log.info("upstream.stream.ended", server=session.server, reason=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def end(self) -> None:
        for timer in self._lingering:
            timer.cancel()
        tasks = [each.task for each in self._streams.values() if each.task is not None]
        for stream in self._streams.values():
            stream.listeners.end_all()
        self._streams.clear()
        for task in tasks:
            task.cancel()
        for each in list(self._subscribing.values()):
            await each.end()
        await self._chores.finish(1.0)
        await asyncio.gather(*tasks, return_exceptions=True)


def _nothing() -> None:
    """Nobody attends to a server without such a stream."""
